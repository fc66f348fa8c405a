"""Poisson arrivals whose rate follows a recorded load series."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from tiergym.jit import compiled
from tiergym.workload.process import Floats, gap_chunk
from tiergym.workload.replay import CANDIDATES, SPANS
from tiergym.workload.series import Series

FLOOR = 0.01
"""Share of the mean that is added everywhere where the user names none."""


@dataclass(frozen=True)
class Swing:
    """A sinusoid that multiplies the rate: ``1 + depth sin(2 pi t / period + phase)``.

    Attributes:
        period: seconds of the window (of a day, say, in the time scale of the series).
        depth: 0 to below 1.
    """

    period: float
    depth: float


NO_SWING = Swing(1.0, 0.0)


@dataclass(frozen=True, eq=False)
class Modulated:
    """An inhomogeneous Poisson process; its rate is piecewise constant along a series.

    The times of the series are scaled: all of it lasts ``period`` seconds of a window and then goes
    round. The rate is ``rate * (value / mean value + floor) / (1 + floor)``, so its mean over the
    series is the rate asked for. A swing is multiplied on top, its phase drawn uniformly with each
    window: the mean over phases stays, that of one window need not.

    Arrivals are unit exponential gaps in the integral of the rate, inverted exactly (with a swing,
    to rounding by Newton's method).

    Attributes:
        series: the recorded load.
        period: seconds that the whole series is squeezed, or stretched, into.
        floor: share of the mean that is added everywhere, so that the rate never is zero.
        swing: see `Swing`.
        random_start: whether a draw begins at a random time of the series, else at its first value.
    """

    series: Series
    period: float
    floor: float = FLOOR
    swing: Swing = NO_SWING
    random_start: bool = True
    own_rate: float | None = None

    @cached_property
    def relative(self) -> Floats:
        """float64[n], the rate on each piece relative to the mean over the series."""
        shares = self.series.values / self.series.values.max()
        return (shares / shares.mean() + self.floor) / (1.0 + self.floor)

    @property
    def width(self) -> float:
        """Seconds that one value lasts, after scaling."""
        return self.period / len(self.series.values)

    def draw(self, np_random: np.random.Generator, rate: float, window: float) -> Floats:
        """Float64[T] sorted seconds in [0, window)."""
        start = np_random.random() * self.period if self.random_start else 0.0
        phase = float(self._phases(np_random, 1)[0])
        return self._times(np_random, start, phase, 0.0, rate, window)

    def redraw(
        self, np_random: np.random.Generator, past: Floats, now: float, rate: float, window: float
    ) -> Floats:
        """Arrivals in [now, window): of some starts, the one whose recent past is most alike.

        Neither the true start nor the true phase is used, also where `random_start` is off: that
        would be foresight. Alike are expected counts over the spans that `Replay` compares, in
        roots; the swing enters them by its mean over the span.
        """
        starts = np_random.random(CANDIDATES) * self.period
        phases = self._phases(np_random, CANDIDATES)
        spans = np.minimum(np.array(SPANS), max(now, 0.0))
        counts = len(past) - np.searchsorted(past, now - spans).astype(np.float64)
        expected = self._expected_before(starts, phases, spans) * rate
        distance = np.abs(np.sqrt(expected) - np.sqrt(counts)).sum(axis=1)
        best = int(np.argmin(distance))
        start, phase = float(starts[best]), float(phases[best])
        return self._times(np_random, start, phase, now, rate, window)

    def steps(self, rate: float, window: float) -> float:
        """Expected arrivals of the busiest stretch of that length, and its changes of rate."""
        _, most = self._stretches(window)
        return rate * (1.0 + self.swing.depth) * float(most.max()) + window / self.width

    def empty_chance(self, rate: float, window: float) -> float:
        """Probability that a window has no arrival; with a swing, if that were always lowest."""
        low = rate * (1.0 - self.swing.depth)
        if not self.random_start:
            return math.exp(-low * float(self._mass(np.array([window]))[0]))
        starts, masses = self._stretches(window)
        falls = np.abs(np.diff(masses)) * low
        # the mass is linear between these starts, so its exponential is averaged in closed form
        shape = -np.expm1(-falls) / np.where(falls > 0.0, falls, 1.0)
        shape = np.where(falls > 0.0, shape, 1.0)
        chances = np.exp(-low * np.minimum(masses[:-1], masses[1:])) * shape
        return min(1.0, float(np.sum(chances * np.diff(starts))) / self.period)

    @cached_property
    def _cumulative(self) -> Floats:
        """float64[n + 1], integral of the relative rate until each value begins."""
        return np.concatenate((np.zeros(1), np.cumsum(self.relative))) * self.width

    def _mass(self, times: Floats) -> Floats:
        """Integral of the relative rate from 0 until ``times`` of the series going round."""
        rounds = np.floor(times / self.period)
        edges = np.arange(len(self.relative) + 1.0) * self.width
        rest = np.interp(times - rounds * self.period, edges, self._cumulative)
        return rest + rounds * self._cumulative[-1]

    def _stretches(self, window: float) -> tuple[Floats, Floats]:
        """Starts in [0, period] between which the mass of a window is linear, and those masses."""
        edges = np.arange(float(len(self.relative))) * self.width
        both = np.concatenate((edges, np.mod(edges - window, self.period), [self.period]))
        starts = np.unique(both)
        return starts, np.maximum(self._mass(starts + window) - self._mass(starts), 0.0)

    def _phases(self, np_random: np.random.Generator, count: int) -> Floats:
        """Nothing is drawn where there is no swing."""
        return 2.0 * math.pi * np_random.random(count) if self.swing.depth else np.zeros(count)

    def _expected_before(self, starts: Floats, phases: Floats, spans: Floats) -> Floats:
        """float64[K, spans]: relative rate, integrated over the spans before each start."""
        plain = self._mass(starts)[:, None] - self._mass(starts[:, None] - spans)
        half = math.pi * spans / self.swing.period
        swung = self.swing.depth * np.sin(phases[:, None] - half) * np.sinc(half / math.pi)
        return np.maximum(plain * (1.0 + swung), 0.0)

    def _times(
        self,
        np_random: np.random.Generator,
        start: float,
        phase: float,
        now: float,
        rate: float,
        end: float,
    ) -> Floats:
        """Arrivals in [now, end), where the series is at ``start`` and the swing at ``phase``."""
        pace = 2.0 * math.pi / self.swing.period
        wave = (self.swing.depth, pace, phase - pace * now)
        # now, values passed since the series began, part of the gap that is left
        at = np.array([now, math.floor(start / self.width), -1.0])
        chunks: list[Floats] = []
        while at[0] < end:
            gaps = np_random.standard_exponential(gap_chunk(rate * (end - at[0])))
            times = np.empty(len(gaps))
            count = _advance(
                at, gaps, self.relative, rate, self.width, start - now, wave, end, times
            )
            chunks.append(times[:count])
        return chunks[0] if len(chunks) == 1 else np.concatenate(chunks or [np.empty(0)])


Wave = tuple[float, float, float]
"""Depth, radians a second and phase at time 0 of the window."""


@compiled
def _advance(
    at: Floats,
    gaps: Floats,
    relative: Floats,
    rate: float,
    width: float,
    offset: float,
    wave: Wave,
    end: float,
    out: Floats,
) -> int:
    """Fill ``out`` with arrivals until ``end`` or until the gaps are used up."""
    now, piece, gap = at[0], int(at[1]), at[2]
    count = used = 0
    while now < end:
        if gap < 0.0:
            if used == len(gaps):
                break
            gap = gaps[used]
            used += 1
        height = rate * relative[piece % len(relative)]
        until = max((piece + 1) * width - offset, now)
        mass = height * _swung(now, until - now, wave)
        if gap < mass:
            now = min(now + _reach(gap / height, now, until - now, wave), until)
            gap = -1.0
            if now < end:
                out[count] = now
                count += 1
        else:
            gap -= mass
            now, piece = until, piece + 1
    at[0], at[1], at[2] = now, piece, gap
    return count


@compiled
def _swung(time: float, span: float, wave: Wave) -> float:
    """Integral of the swing over ``span`` seconds from ``time`` on."""
    depth, pace, phase = wave
    if depth == 0.0:
        return span
    half = 0.5 * pace * span
    return span + 2.0 * depth / pace * math.sin(pace * time + half + phase) * math.sin(half)


@compiled
def _reach(mass: float, time: float, room: float, wave: Wave) -> float:
    """Seconds in [0, room] after which the integral of the swing from ``time`` on is ``mass``."""
    depth, pace, phase = wave
    if depth == 0.0:
        return mass
    low, high = 0.0, room
    span = min(mass / (1.0 + depth * math.sin(pace * time + phase)), room)
    for _ in range(60):
        error = _swung(time, span, wave) - mass
        if error > 0.0:
            high = span
        else:
            low = span
        step = error / (1.0 + depth * math.sin(pace * (time + span) + phase))
        if abs(step) <= 4e-16 * (time + span):
            break
        span -= step
        if not low < span < high:
            span = 0.5 * (low + high)
    return span
