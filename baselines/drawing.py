"""Legal actions drawn evenly, from a generator a row; for the policies that draw."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tiergym.errors import InvalidInput
from tiergym.jit import files_digest, stamped

Actions = NDArray[np.int64]


class RowDraws:
    """A generator a row (SplitMix64): what a row draws depends on its seed and on nothing else.

    Without `seed`, seeds come from the operating system.
    """

    def __init__(self) -> None:
        self._generators = np.zeros(0, dtype=np.uint64)

    def seed(self, seeds: Sequence[int]) -> None:
        """Begin each row's generator anew, one seed a row (integers >= 0)."""
        words = [np.random.SeedSequence(int(s)).generate_state(1, np.uint64)[0] for s in seeds]
        self._generators = np.asarray(words, dtype=np.uint64)

    def actions(self, mask: NDArray[np.int8]) -> Actions:
        """A legal action of each row, int64[n], from ``mask`` int8[n, A].

        Raises:
            InvalidInput: if another number of rows was seeded.
        """
        count = len(mask)
        if len(self._generators) == 0:
            self.seed(np.random.SeedSequence().generate_state(count).tolist())
        if len(self._generators) != count:
            given = len(self._generators)
            raise InvalidInput("seeds", f"{given} seeds", f"one a row, {count} as observed")
        return _draw_rows(mask, self._generators)


_SOURCE = Path(__file__)
_DIGEST = files_digest(_SOURCE.parent, [_SOURCE])


def _compiled(function: Any) -> Any:
    return stamped(function, _DIGEST, error_model="numpy")


@_compiled
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


@_compiled
def _uniform(generators: NDArray[np.uint64], row: int) -> float:
    """Next number in [0, 1) of a row (SplitMix64: Steele, Lea and Flood, OOPSLA 2014)."""
    generators[row] += np.uint64(0x9E3779B97F4A7C15)
    z = generators[row]
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z = z ^ (z >> np.uint64(31))
    return float(z >> np.uint64(11)) * 2.0**-53
