"""What happened to every task of an episode."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tiergym.engine.layout import Bytes, row_view

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class TaskLog:
    """Per task of an episode, in the order of arrival; T tasks.

    Attributes:
        arrival, deadline: float64[T], seconds.
        first_start: float64[T], when a batch with it first started; NaN if none did.
        finish: float64[T], when its answer was at its origin, or it was refused; NaN if neither.
        network: int64[T], index into the scenario's networks.
        exit_block: int64[T], the block after which it left, -1 if it has not.
        tier: int64[T], the tier that answered: 0 terminal, 1 edge, 2 cloud; -1 for none.
        correct: float64[T], 1 or 0; NaN where the network has no exit table.
        refused, pre_uploaded, charged: bool[T].
        names: the networks' names.
    """

    arrival: Floats
    deadline: Floats
    first_start: Floats
    finish: Floats
    network: Ints
    exit_block: Ints
    tier: Ints
    correct: Floats
    refused: Flags
    pre_uploaded: Flags
    charged: Flags
    names: tuple[str, ...]

    @property
    def delay(self) -> Floats:
        """float64[T], seconds from arrival to answer; NaN where refused or not answered."""
        return np.where(self.refused, np.nan, self.finish - self.arrival)

    @property
    def late(self) -> Flags:
        """bool[T], missed its deadline or was refused."""
        return self.refused | (self.finish > self.deadline)

    def __len__(self) -> int:
        return len(self.arrival)


def read_log(row: Bytes, names: tuple[str, ...]) -> TaskLog:
    """The `TaskLog` of a row (copies)."""
    task = row_view(row, "task")
    correct = task["correct"].astype(np.float64)
    correct[correct < 0] = np.nan
    return TaskLog(
        arrival=_floats(task, "arrival"),
        deadline=_floats(task, "deadline"),
        first_start=_floats(task, "first_start"),
        finish=_floats(task, "finish"),
        network=task["network"].astype(np.int64),
        exit_block=task["exit_block"].astype(np.int64),
        tier=task["tier"].astype(np.int64),
        correct=correct,
        refused=task["refused"].astype(np.bool_),
        pre_uploaded=task["pre_uploaded"].astype(np.bool_),
        charged=task["charged"].astype(np.bool_),
        names=names,
    )


def _floats(task: NDArray[Any], name: str) -> Floats:
    return np.ascontiguousarray(task[name])
