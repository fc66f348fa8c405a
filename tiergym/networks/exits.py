"""Exit tables: what every candidate exit said about every held-out input."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tiergym.errors import InvalidInput
from tiergym.fields import mapping
from tiergym.shipped import resolve_file

_COLUMNS = ("confidence", "correct")
_VALIDATION = "validation_"


@dataclass(frozen=True, eq=False)
class ExitTable:
    """Measured on S held-out inputs of a really trained network of L blocks.

    Attributes:
        confidence: float32[S, L + 1], from 0 to 1; one minus the entropy of the softmax over the
            log of the number of classes, at the head after each block. Column 0 stands for the
            input and is zero; the last column is the head at L.
        correct: int8[S, L + 1], 1 where that head's answer is right.
        validation: the same on other inputs, which thresholds and placements are chosen on, so
            that the S inputs here can score them; None where there are none.
    """

    confidence: NDArray[np.float32]
    correct: NDArray[np.int8]
    validation: ExitTable | None = None

    @property
    def samples(self) -> int:
        """Rows, S."""
        return int(self.confidence.shape[0])


def parse_exits(field: str, value: object, blocks: int, folder: Path | None) -> ExitTable:
    """The exit table in a mapping of two tables or in an ``.npz`` file with these two arrays.

    Raises:
        InvalidInput: if a table is missing, has another shape than [S, blocks + 1], or a value
            out of range.
    """
    tables = _read_npz(field, value, folder) if isinstance(value, (str, Path)) else value
    given = mapping(field, tables, (*_COLUMNS, *(_VALIDATION + name for name in _COLUMNS)))
    other = {k.removeprefix(_VALIDATION): v for k, v in given.items() if k.startswith(_VALIDATION)}
    own = {name: value for name, value in given.items() if not name.startswith(_VALIDATION)}
    validation = _parse(f"{field}.validation", other, blocks) if other else None
    return replace(_parse(field, own, blocks), validation=validation)


def _parse(field: str, given: dict[str, object], blocks: int) -> ExitTable:
    for name in _COLUMNS:
        if name not in given:
            raise InvalidInput(field, sorted(given), "both of confidence and correct")
    confidence = _table(f"{field}.confidence", given["confidence"], blocks)
    correct = _table(f"{field}.correct", given["correct"], blocks)
    if confidence.shape != correct.shape:
        raise InvalidInput(f"{field}.correct", correct.shape, f"shape {confidence.shape}")
    if not np.isin(correct, (0.0, 1.0)).all():
        raise InvalidInput(f"{field}.correct", correct, "0 or 1 in every entry")
    return ExitTable(confidence.astype(np.float32), correct.astype(np.int8))


def _read_npz(field: str, value: str | Path, folder: Path | None) -> dict[str, object]:
    path = resolve_file(value, folder)
    try:
        with np.load(path, allow_pickle=False) as stored:
            names = {*_COLUMNS, *(_VALIDATION + name for name in _COLUMNS)}
            return {name: stored[name] for name in stored.files if name in names}
    except (OSError, ValueError, AttributeError, TypeError) as error:
        raise InvalidInput(field, str(path), f"an .npz file ({error})") from None


def _table(field: str, value: object, blocks: int) -> NDArray[np.float64]:
    shape = f"a table of shape [samples, {blocks + 1}]"
    try:
        table = np.array(value, dtype=np.float64)
    except (TypeError, ValueError):
        raise InvalidInput(field, value, f"{shape} of numbers") from None
    if table.ndim != 2 or table.shape[0] == 0 or table.shape[1] != blocks + 1:
        raise InvalidInput(field, table.shape, shape)
    table[:, 0] = 0.0
    if not ((table >= 0.0) & (table <= 1.0)).all():
        raise InvalidInput(field, float(np.max(table)), "values from 0 to 1")
    return table
