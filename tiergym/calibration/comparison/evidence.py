"""Exit tables of the compared runs: packed small, and read back.

Confidence is kept in 255 levels and correctness in single bits, so that all runs take about two
megabytes; both halves of the test images are there, for choosing and for scoring.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from tiergym.calibration.comparison.variants import SEEDS, VARIANTS, Variant
from tiergym.calibration.records import RECORDS, write_yaml
from tiergym.errors import InvalidInput
from tiergym.fields import mapping, number, read_yaml
from tiergym.networks import ExitTable
from tiergym.networks.exits import parse_exits

TABLES, RECORD = "scheme_comparison.npz", "scheme_comparison.yaml"
LEVELS = 255
_PARTS = ("validation_", "")


@dataclass(frozen=True, eq=False)
class TrainedRun:
    """One run: its exits' tables and what training them took.

    Attributes:
        table: test rows; `ExitTable.validation` holds the others.
        seconds: of training, by phase.
    """

    variant: str
    seed: int
    table: ExitTable
    seconds: dict[str, float]

    @property
    def training_seconds(self) -> float:
        """Of all phases."""
        return sum(self.seconds.values())

    def accuracy(self, block: int) -> float:
        """Share of the test rows that the head after a block answers rightly."""
        return float(self.table.correct[:, block].mean())


def pack(folder: Path, out: Path = RECORDS) -> int:
    """Gather the finished runs in ``folder`` into the two files that the package ships.

    Returns:
        How many runs were found.

    Raises:
        InvalidInput: if there is none.
    """
    arrays: dict[str, NDArray[Any]] = {}
    runs: dict[str, object] = {}
    for variant in VARIANTS:
        for seed in SEEDS:
            name = variant.run(seed).name
            source = _source(folder, name)
            if source is None:
                continue
            runs[f"{variant.name}/{seed}"] = {
                key: source[key]
                for key in ("command", "commit", "versions", "date", "training_seconds")
            }
            arrays |= _packed(folder / f"{name}.npz", f"{variant.name}/{seed}", variant)
    if not runs:
        raise InvalidInput("folder", str(folder), "a folder with finished runs of the comparison")
    partial = out / f"{TABLES}.{os.getpid()}.partial"
    with partial.open("wb") as file:
        np.savez_compressed(file, **cast(Any, arrays))
    partial.replace(out / TABLES)
    header = "Written by `python -m tiergym.calibration.comparison`; change that, not this file."
    write_yaml(out / RECORD, {"runs": runs}, header)
    return len(runs)


def is_finished(folder: Path, name: str) -> bool:
    """Whether a run is there; its record is written last."""
    return _source(folder, name) is not None


def _source(folder: Path, name: str) -> dict[str, object] | None:
    for end in (".yaml", ".source.yaml"):
        path = folder / f"{name}{end}"
        if path.is_file():
            return mapping("source", mapping(name, read_yaml(path, name))["source"])
    return None


def _packed(path: Path, key: str, variant: Variant) -> dict[str, NDArray[Any]]:
    with np.load(path, allow_pickle=False) as stored:
        columns = list(variant.exits)
        found: dict[str, NDArray[Any]] = {}
        for part in _PARTS:
            confidence = stored[f"{part}confidence"][:, columns].astype(np.float64)
            correct = stored[f"{part}correct"][:, columns]
            found[f"{key}/{part}confidence"] = np.rint(confidence * LEVELS).astype(np.uint8)
            found[f"{key}/{part}correct"] = np.packbits(correct.astype(np.bool_).ravel())
        return found


def load_runs(folder: Path = RECORDS) -> list[TrainedRun]:
    """All packed runs, in the order of the variants.

    Raises:
        InvalidInput: if the files are not there or do not fit each other.
    """
    runs = mapping(RECORD, mapping(RECORD, read_yaml(folder / RECORD, RECORD))["runs"])
    try:
        with np.load(folder / TABLES, allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
        return [
            _run(variant, seed, arrays, mapping(key, runs[key]))
            for variant in VARIANTS
            for seed in SEEDS
            for key in [f"{variant.name}/{seed}"]
            if key in runs
        ]
    except (OSError, ValueError, KeyError, EOFError) as error:
        allowed = f"the packed tables of the comparison ({error})"
        raise InvalidInput("scheme comparison", str(folder / TABLES), allowed) from None


def _run(
    variant: Variant, seed: int, arrays: Mapping[str, NDArray[Any]], record: dict[str, object]
) -> TrainedRun:
    options, key = variant.run(seed), f"{variant.name}/{seed}"
    tables: dict[str, object] = {}
    for part in _PARTS:
        confidence = arrays[f"{key}/{part}confidence"]
        shape = confidence.shape
        correct = np.unpackbits(arrays[f"{key}/{part}correct"], count=confidence.size)
        tables[f"{part}confidence"] = _wide(confidence / LEVELS, variant.exits, options.blocks)
        tables[f"{part}correct"] = _wide(correct.reshape(shape), variant.exits, options.blocks)
    seconds = mapping("training_seconds", record["training_seconds"])
    return TrainedRun(
        variant=variant.name,
        seed=seed,
        table=parse_exits(key, tables, options.blocks, None),
        seconds={name: number(name, value, "seconds") for name, value in seconds.items()},
    )


def _wide(columns: NDArray[Any], exits: Sequence[int], blocks: int) -> NDArray[Any]:
    """[S, L + 1] with the columns of the exits and zeros elsewhere."""
    table = np.zeros((len(columns), blocks + 1), dtype=columns.dtype)
    table[:, list(exits)] = columns
    return table
