"""Arrivals replayed from a recorded trace."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tiergym.jit import compiled
from tiergym.workload.process import Floats, gap_chunk
from tiergym.workload.traces import Trace

CANDIDATES = 32
"""Stretches of the trace that a redraw chooses from."""
SPANS = (1.0, 10.0)
"""Seconds of the past over which a stretch is compared with what has arrived."""


@dataclass(frozen=True, eq=False)
class Replay:
    """A recorded trace, its times scaled by one factor.

    The factor follows from the mean rate of the whole trace, so that quiet and busy segments keep
    their differences; bursts become shorter by that factor too.

    Attributes:
        trace: the recorded times.
        random_start: whether a draw begins at a random time of the trace, which is then taken to
            go round; else it is replayed once, from its time 0.
    """

    trace: Trace
    random_start: bool = True

    @property
    def own_rate(self) -> float:
        """Tasks per second as recorded."""
        return self.trace.rate

    def draw(self, np_random: np.random.Generator, rate: float, window: float) -> Floats:
        """Float64[T] sorted seconds in [0, window)."""
        factor = self.own_rate / rate
        if not self.random_start:
            times = self.trace.times if factor == 1.0 else self.trace.times * factor
            return times[: int(np.searchsorted(times, window))].copy()
        return self.stretch(np_random.random() * self.trace.period, factor, window)

    def redraw(
        self, np_random: np.random.Generator, past: Floats, now: float, rate: float, window: float
    ) -> Floats:
        """Arrivals in [now, window): of some stretches, the one whose recent past is most alike.

        The true start is not used, also where `random_start` is off: that would be foresight.
        """
        factor = self.own_rate / rate
        starts = np_random.random(CANDIDATES) * self.trace.period
        spans = np.minimum(np.array(SPANS), max(now, 0.0))
        counts = len(past) - np.searchsorted(past, now - spans).astype(np.float64)
        best = _best_start(self.trace.times, self.trace.period, factor, starts, spans, counts)
        return self.stretch(best, factor, window - now) + now

    def stretch(self, start: float, factor: float, window: float) -> Floats:
        """The arrivals of the stretch that begins at ``start`` of the trace, going round.

        Args:
            start: seconds of the trace, in [0, period).
            factor: what times are multiplied by.
            window: seconds, after scaling.
        """
        size = gap_chunk(self.trace.rate * window / factor)
        while True:
            out = np.empty(size)
            count = _cut(self.trace.times, self.trace.period, start, factor, window, out)
            if count < size:
                return out[:count]
            size *= 2

    def steps(self, rate: float, window: float) -> float:
        """The expected number of arrivals."""
        return rate * window

    def empty_chance(self, rate: float, window: float) -> float:
        """Zero if every stretch of that length has an arrival, else one."""
        factor = self.own_rate / rate
        times = self.trace.times
        if not self.random_start:
            return float(times[0] * factor >= window)
        around = times[0] + self.trace.period - times[-1]
        return float(max(float(np.diff(times).max()), around) * factor >= window)


@compiled
def _cut(
    times: Floats, period: float, start: float, factor: float, window: float, out: Floats
) -> int:
    """Arrivals from ``start`` on, scaled, until ``window`` or until ``out`` is full."""
    at = np.searchsorted(times, start)
    base, count = -start, 0
    while count < len(out):
        if at == len(times):
            at, base = 0, base + period
        time = (times[at] + base) * factor
        if time >= window:
            break
        out[count] = time
        count += 1
        at += 1
    return count


@compiled
def _best_start(
    times: Floats, period: float, factor: float, starts: Floats, spans: Floats, counts: Floats
) -> float:
    """The start before which arrivals over ``spans`` were most like ``counts`` (in root counts)."""
    best, best_distance = starts[0], np.inf
    for start in starts:
        distance = 0.0
        for span, count in zip(spans, counts):  # noqa: B905 (numba has no strict)
            here = _count_before(times, period, start, span / factor)
            distance += abs(np.sqrt(here) - np.sqrt(count))
        if distance < best_distance:
            best, best_distance = start, distance
    return best


@compiled
def _count_before(times: Floats, period: float, start: float, span: float) -> float:
    """Arrivals in [start - span, start) of the trace going round."""
    rounds = span // period
    low = start - (span - rounds * period)
    before = float(np.searchsorted(times, start))
    if low < 0.0:
        before += len(times) - float(np.searchsorted(times, low + period))
    else:
        before -= float(np.searchsorted(times, low))
    return before + rounds * len(times)
