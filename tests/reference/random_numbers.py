"""Random times, sizes and rates: continuous, or on a grid where every sum is exact.

On the grid times are multiples of 1/64 s, sizes multiples of a megabit and bandwidths powers of
two in Mbit/s, so that each expression of the physics is evaluated without rounding. Equal times
are then frequent, and totals cannot depend on the order in which they are summed.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[Any]
Ints = NDArray[np.int64]

_TICK = 1 / 64
_MEGABIT_BYTES = 125_000.0


def grid_or_continuous(rng: np.random.Generator, grid: bool) -> Numbers:
    """Return the numbers of the grid, or those off it."""
    return GridNumbers(rng) if grid else Numbers(rng)


class Numbers:
    """Continuous numbers from ``rng``; sizes are whole bytes, as memory is counted exactly."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng

    def integer(self, low: int, high: int) -> int:
        """Return an integer from low to high, both included."""
        return int(self.rng.integers(low, high + 1))

    def integers(self, low: int, high: int, shape: int | tuple[int, ...]) -> Ints:
        """Return integers from low to high, both included."""
        return self.rng.integers(low, high + 1, shape)

    def chance(self, share: float) -> bool:
        """Return True with probability ``share``."""
        return bool(self.rng.random() < share)

    def seconds(self, high: float, count: int) -> Floats:
        """Return times above zero, up to about ``high``."""
        return self.rng.uniform(0.001, 1.0, count) * high

    def size(self) -> float:
        """Return the bytes of a payload or a workspace."""
        return float(self.rng.integers(1_000, 400_000))

    def package_max(self) -> float:
        """Return a bound that some payloads exceed alone, or none."""
        return np.inf if self.chance(0.2) else self.size() * self.integer(1, 4)

    def bandwidth(self, count: int) -> Floats:
        """Return bit/s, mostly a few Mbit/s."""
        return np.exp(self.rng.uniform(np.log(1e6), np.log(2e8), count))

    def watts(self, count: int) -> Floats:
        """Return watts, or joules per megabit; zero in about a third of cases."""
        return self.rng.uniform(0.0, 9.0, count) * (self.rng.random(count) < 0.7)

    def multipliers(self, shape: tuple[int, int]) -> Floats:
        """Return positive multipliers of mean one."""
        shape_parameter = 10.0 ** self.integer(0, 3)
        return self.rng.gamma(shape_parameter, 1.0 / shape_parameter, shape) + 1e-9

    # What follows is built from the numbers above, on the grid or off it.

    def law(self, known: int, columns: int) -> list[float]:
        """Return seconds of batches of 1, 2, ...; not always rising; NaN past ``known``."""
        base, step = self.seconds(0.06, 2)
        rough = self.seconds(0.03, columns) * self.integer(0, 1)
        seconds = base + step * np.arange(columns) * self.integer(0, 1) + rough
        return [*seconds[:known].tolist(), *[float("nan")] * (columns - known)]

    def often_zero(self, count: int, high: float) -> Floats:
        """Return times that are zero in a third of cases."""
        return self.seconds(high, count) * (self.rng.random(count) < 0.67)

    def window(self, tasks: int) -> float:
        """Return an arrival window in which nodes are idle, loaded or overwhelmed."""
        return float(self.seconds(0.1, 1)[0] * tasks)

    def arrivals(self, tasks: int, window: float) -> Floats:
        """Return sorted times with bursts of equal ones; a few lie past the window."""
        steps = self.seconds(2.0 * window / tasks, tasks)
        steps *= self.rng.random(tasks) < self.rng.uniform(0.3, 1.0)
        return np.cumsum(steps)

    def patience(self, tasks: int) -> Floats:
        """Return seconds from arrival to deadline; infinite for some tasks."""
        return np.where(self.rng.random(tasks) < 0.2, np.inf, self.seconds(0.5, tasks))

    def jitter(self, nodes: int) -> Floats:
        """Return the multipliers of every node; they soon wrap."""
        shape = (nodes, self.integer(1, 30))
        return self.multipliers(shape) if self.chance(0.6) else np.ones(shape)

    def pieces(self, links: int, window: float) -> tuple[Ints, Floats, Floats]:
        """Return offset, start and bandwidth of the pieces of all links."""
        drawn = [self._pieces(window) for _ in range(links)]
        offset = np.cumsum([0, *(len(start) for start, _ in drawn)])
        starts = [start for start, _ in drawn] or [np.zeros(0)]
        bandwidths = [bandwidth for _, bandwidth in drawn] or [np.zeros(0)]
        return offset.astype(np.int64), np.concatenate(starts), np.concatenate(bandwidths)

    def _pieces(self, window: float) -> tuple[Floats, Floats]:
        count = self.integer(1, 8) if self.chance(0.6) else 1
        start = np.concatenate([[0.0], np.cumsum(self.seconds(window / 4, count - 1))])
        bandwidth = self.bandwidth(count)
        bandwidth[self.rng.random(count) < 0.1] = np.inf
        bandwidth[:-1][self.rng.random(count - 1) < 0.2] = 0.0
        return start, bandwidth


class GridNumbers(Numbers):
    """The same on the grid."""

    def seconds(self, high: float, count: int) -> Floats:
        """Return multiples of a tick, at least one tick."""
        return self.rng.integers(1, max(1, round(high / _TICK)) + 1, count) * _TICK

    def size(self) -> float:
        """Return whole megabits, in bytes."""
        return self.integer(1, 4) * _MEGABIT_BYTES

    def bandwidth(self, count: int) -> Floats:
        """Return powers of two in Mbit/s."""
        return 1e6 * 2.0 ** self.rng.integers(3, 8, count)

    def watts(self, count: int) -> Floats:
        """Return multiples of six, which one, two and three executors share exactly."""
        return 6.0 * self.rng.integers(0, 3, count)

    def multipliers(self, shape: tuple[int, int]) -> Floats:
        """Return powers of two."""
        return 2.0 ** self.rng.integers(-1, 2, shape)
