"""A legal action drawn evenly: the floor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from baselines.policy import Entry, State
from baselines.task_scheduling._compiling import compiled
from baselines.task_scheduling._observation import Actions, Rows, TaskPolicy
from tiergym.errors import InvalidInput


class RandomLegal(TaskPolicy):
    """Draws among the legal actions of each row, waiting and pre-uploads included.

    Each row has a generator of its own (SplitMix64), so what a row draws depends on its seed and on
    nothing else. Without `seed`, seeds come from the operating system.
    """

    def __init__(self, env: Any) -> None:
        super().__init__(env)
        self._generators = np.zeros(0, dtype=np.uint64)

    def seed(self, seeds: Sequence[int]) -> None:
        """Begin each row's generator anew, one seed a row (integers >= 0)."""
        words = [np.random.SeedSequence(int(s)).generate_state(1, np.uint64)[0] for s in seeds]
        self._generators = np.asarray(words, dtype=np.uint64)

    def act(self, rows: Rows, state: State, episode_start: Any) -> tuple[Actions, State]:
        """Actions int64[n]; there is no state beside the generators."""
        count = len(rows.mask)
        if len(self._generators) == 0:
            self.seed(np.random.SeedSequence().generate_state(count).tolist())
        if len(self._generators) != count:
            given = len(self._generators)
            raise InvalidInput("seeds", f"{given} seeds", f"one a row, {count} as observed")
        return _draw_rows(rows.mask, self._generators), None


@compiled
def _draw_rows(mask: NDArray[np.int8], generators: NDArray[np.uint64]) -> Actions:
    actions = np.zeros(len(mask), dtype=np.int64)
    for row in range(len(mask)):
        legal = 0
        for action in range(mask.shape[1]):
            legal += mask[row, action] != 0
        left = int(_uniform(generators, row) * legal)
        for action in range(mask.shape[1]):
            if mask[row, action]:
                if left == 0:
                    actions[row] = action
                    break
                left -= 1
    return actions


@compiled
def _uniform(generators: NDArray[np.uint64], row: int) -> float:
    """Next number in [0, 1) of a row (SplitMix64: Steele, Lea and Flood, OOPSLA 2014)."""
    generators[row] += np.uint64(0x9E3779B97F4A7C15)
    z = generators[row]
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z = z ^ (z >> np.uint64(31))
    return float(z >> np.uint64(11)) * 2.0**-53


POLICIES = {"random": Entry(RandomLegal)}
