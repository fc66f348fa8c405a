"""Exit tables: what every candidate exit said about every held-out input."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tiergym.errors import InvalidInput
from tiergym.fields import mapping
from tiergym.shipped import resolve_file

_COLUMNS = ("confidence", "correct")


@dataclass(frozen=True, eq=False)
class ExitTable:
    """Measured on S held-out inputs of a really trained network of L blocks.

    Attributes:
        confidence: float32[S, L + 1], from 0 to 1; one minus the entropy of the softmax over the
            log of the number of classes, at the head after each block. Column 0 stands for the
            input and is zero; the last column is the head at L.
        correct: int8[S, L + 1], 1 where that head's answer is right.
    """

    confidence: NDArray[np.float32]
    correct: NDArray[np.int8]

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
    given = mapping(field, tables, _COLUMNS)
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
            return {name: stored[name] for name in stored.files if name in _COLUMNS}
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
