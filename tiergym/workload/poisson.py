"""Arrivals without memory, and arrivals at equal distances."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from tiergym.workload.process import Floats, gap_chunk


@dataclass(frozen=True)
class Poisson:
    """Independent exponential gaps."""

    own_rate: float | None = None

    def draw(self, np_random: np.random.Generator, rate: float, window: float) -> Floats:
        """Float64[T] sorted seconds in [0, window)."""
        return _exponential_times(np_random, 0.0, rate, window)

    def redraw(
        self, np_random: np.random.Generator, past: Floats, now: float, rate: float, window: float
    ) -> Floats:
        """Arrivals in [now, window); the past tells nothing of them."""
        return _exponential_times(np_random, now, rate, window)

    def steps(self, rate: float, window: float) -> float:
        """The expected number of arrivals."""
        return rate * window

    def empty_chance(self, rate: float, window: float) -> float:
        """Probability that a window has no arrival."""
        return math.exp(-rate * window)


@dataclass(frozen=True)
class Deterministic:
    """Arrivals at 0, 1 / rate, 2 / rate, ..."""

    own_rate: float | None = None

    def draw(self, np_random: np.random.Generator, rate: float, window: float) -> Floats:
        """Float64[T] seconds in [0, window); nothing is drawn."""
        times = np.arange(math.ceil(rate * window)) / rate
        return times[times < window]

    def redraw(
        self, np_random: np.random.Generator, past: Floats, now: float, rate: float, window: float
    ) -> Floats:
        """The arrivals from now on that are not in the past yet."""
        times = self.draw(np_random, rate, window)
        last = past[-1] if len(past) else -math.inf
        return times[(times >= now) & (times > last)]

    def steps(self, rate: float, window: float) -> float:
        """The expected number of arrivals."""
        return rate * window

    def empty_chance(self, rate: float, window: float) -> float:
        """Zero: the first task comes at once."""
        return 0.0


def _exponential_times(
    np_random: np.random.Generator, start: float, rate: float, window: float
) -> Floats:
    times = np.empty(0)
    last = start
    while last < window:
        size = gap_chunk(rate * (window - last))
        more = np.cumsum(np_random.standard_exponential(size))
        more *= 1.0 / rate
        more += last
        last = float(more[-1])
        times = np.concatenate((times, more)) if len(times) else more
    return times[: int(np.searchsorted(times, window))]
