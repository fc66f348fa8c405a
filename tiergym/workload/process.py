"""What an arrival process has to do; the processes are in files of their own."""

from __future__ import annotations

import math
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class ArrivalProcess(Protocol):
    """When tasks arrive. Everything is a pure function of its arguments and of ``np_random``."""

    @property
    def own_rate(self) -> float | None:
        """Tasks per second as recorded, None where a rate has to be given."""
        ...

    def draw(self, np_random: np.random.Generator, rate: float, window: float) -> Floats:
        """Draw the arrivals of one window.

        Args:
            rate: mean tasks per second.
            window: seconds.

        Returns:
            float64[T] seconds in [0, window), not decreasing.
        """
        ...

    def redraw(
        self, np_random: np.random.Generator, past: Floats, now: float, rate: float, window: float
    ) -> Floats:
        """Draw what follows, given what has arrived.

        Args:
            past: float64, the arrivals until ``now``, not decreasing.
            now: seconds.

        Returns:
            float64 seconds in [now, window), not decreasing.
        """
        ...

    def steps(self, rate: float, window: float) -> float:
        """About how many numbers a draw or a redraw works through."""
        ...

    def empty_chance(self, rate: float, window: float) -> float:
        """Probability that a window has no arrival, or a bound that it cannot exceed."""
        ...


def gap_chunk(expected: float) -> int:
    """How many gaps to draw at once so that a second draw is rarely needed."""
    return int(expected + 4.0 * math.sqrt(expected)) + 8
