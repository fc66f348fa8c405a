"""Markov-modulated Poisson arrivals: bursts and lulls whose state is hidden."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from tiergym.jit import compiled
from tiergym.workload.process import Floats, gap_chunk

Scratch = np.ndarray[tuple[int, int], np.dtype[np.float64]]
"""float64[2, K], room to work in."""


@dataclass(frozen=True)
class Mmpp:
    """Poisson arrivals whose rate depends on a hidden state.

    The states follow each other in the order given, and round again; each lasts an exponential
    time. A window begins in the stationary distribution, so states are as likely as they are long.

    Attributes:
        rates: rate of each state relative to the others; the mean is scaled to the rate asked for.
        dwell: mean seconds in each state. They are not scaled.
    """

    rates: tuple[float, ...]
    dwell: tuple[float, ...]
    own_rate: float | None = None

    def shares(self) -> Floats:
        """Share of time in each state."""
        dwell = np.array(self.dwell)
        return dwell / dwell.sum()

    def state_rates(self, rate: float) -> Floats:
        """float64[K], tasks per second in each state when the mean is ``rate``."""
        relative = np.array(self.rates)
        return relative * (rate / float(self.shares() @ relative))

    def draw(self, np_random: np.random.Generator, rate: float, window: float) -> Floats:
        """Float64[T] sorted seconds in [0, window)."""
        return self._times(np_random, self.shares(), 0.0, rate, window)

    def redraw(
        self, np_random: np.random.Generator, past: Floats, now: float, rate: float, window: float
    ) -> Floats:
        """Arrivals in [now, window), from a state drawn from what the past says of it."""
        belief = self.posterior(past, now, rate)
        return self._times(np_random, belief, now, rate, window)

    def posterior(self, past: Floats, now: float, rate: float) -> Floats:
        """float64[K], probability of each state at ``now`` given the arrivals until then."""
        leave = 1.0 / np.array(self.dwell)
        return _filter(past, now, self.state_rates(rate), leave, self.shares(), self._scratch())

    def steps(self, rate: float, window: float) -> float:
        """Arrivals and changes of state at the fastest that any state makes them."""
        return float(np.max(self.state_rates(rate) + 1.0 / np.array(self.dwell))) * window

    def empty_chance(self, rate: float, window: float) -> float:
        """Probability that a window has no arrival."""
        leave = 1.0 / np.array(self.dwell)
        belief = self.shares()
        return math.exp(_quiet(belief, window, self.state_rates(rate), leave, self._scratch()))

    def _scratch(self) -> Scratch:
        return np.empty((2, len(self.rates)))

    def _times(
        self, np_random: np.random.Generator, belief: Floats, start: float, rate: float, end: float
    ) -> Floats:
        rates, dwell = self.state_rates(rate), np.array(self.dwell)
        below = np.cumsum(belief) <= np_random.random() * float(np.sum(belief))
        state = int(np.sum(below))
        # now, state, seconds left in it (0: not drawn yet), part of the gap that is left
        at = np.array([start, min(state, len(rates) - 1), -1.0, -1.0])
        chunks: list[Floats] = []
        while at[0] < end:
            gaps = np_random.standard_exponential(gap_chunk(rate * (end - at[0])))
            stays = np_random.standard_exponential(gap_chunk((end - at[0]) / dwell.mean()))
            times = np.empty(len(gaps))
            count = _advance(at, gaps, stays, rates, dwell, end, times)
            chunks.append(times[:count])
        return chunks[0] if len(chunks) == 1 else np.concatenate(chunks or [np.empty(0)])


@compiled
def _advance(
    at: Floats, gaps: Floats, stays: Floats, rates: Floats, dwell: Floats, end: float, out: Floats
) -> int:
    """Fill ``out`` with arrivals until ``end`` or until a source of draws is used up."""
    now, state, stay, gap = at[0], int(at[1]), at[2], at[3]
    count = gap_used = stay_used = 0
    while now < end:
        if stay < 0.0:
            if stay_used == len(stays):
                break
            stay = stays[stay_used] * dwell[state]
            stay_used += 1
        if gap < 0.0:
            if gap_used == len(gaps):
                break
            gap = gaps[gap_used]
            gap_used += 1
        if gap < stay * rates[state]:
            step = gap / rates[state]
            now, stay, gap = now + step, max(stay - step, 0.0), -1.0
            if now < end:
                out[count] = now
                count += 1
        else:
            gap -= stay * rates[state]
            now, stay, state = now + stay, -1.0, (state + 1) % len(rates)
    at[0], at[1], at[2], at[3] = now, state, stay, gap
    return count


@compiled
def _quiet(belief: Floats, seconds: float, rates: Floats, leave: Floats, scratch: Scratch) -> float:
    """Advance ``belief`` in place over seconds without an arrival; the log of their probability.

    Uniformised: every term is positive, so nothing cancels.
    """
    pace = 0.0
    for k in range(len(rates)):
        pace = max(pace, rates[k] + leave[k])
    pieces = math.ceil(seconds * pace / 30.0)
    span = seconds * pace / max(pieces, 1)
    log_chance = 0.0
    for _ in range(pieces):
        _quiet_piece(belief, span, rates, leave, pace, scratch)
        total = _normalise(belief)
        if total <= 0.0:
            return -np.inf
        log_chance += math.log(total)
    return log_chance


@compiled
def _normalise(belief: Floats) -> float:
    """Divide by the sum, if it is above zero, and tell it."""
    total = 0.0
    for k in range(len(belief)):
        total += belief[k]
    for k in range(len(belief)):
        belief[k] /= total if total > 0.0 else 1.0
    return total


@compiled
def _quiet_piece(
    belief: Floats, span: float, rates: Floats, leave: Floats, pace: float, scratch: Scratch
) -> None:
    """Sum over n of Poisson(n; span) belief P^n, with P = I + (Q - diag(rates)) / pace."""
    power, following = scratch[0], scratch[1]
    weight = math.exp(-span)
    covered = weight
    for k in range(len(rates)):
        power[k] = belief[k]
        belief[k] *= weight
    for n in range(1, 200):
        weight *= span / n
        covered += weight
        for k in range(len(rates)):
            stays = power[k] * (1.0 - (rates[k] + leave[k]) / pace)
            following[k] = stays + power[k - 1] * leave[k - 1] / pace
            belief[k] += weight * following[k]
        power, following = following, power
        if covered > 1.0 - 1e-13:
            break


@compiled
def _filter(
    past: Floats, now: float, rates: Floats, leave: Floats, start: Floats, scratch: Scratch
) -> Floats:
    """Forward filter: probability of each state at ``now`` given arrivals at ``past``."""
    belief = start.copy()
    last = 0.0
    for time in past:
        _quiet(belief, time - last, rates, leave, scratch)
        possible = False
        for k in range(len(rates)):
            possible = possible or belief[k] * rates[k] > 0.0
        for k in range(len(rates)):
            belief[k] *= rates[k] if possible else 1.0  # what cannot have happened tells nothing
        _normalise(belief)
        last = time
    _quiet(belief, max(now - last, 0.0), rates, leave, scratch)
    return belief
