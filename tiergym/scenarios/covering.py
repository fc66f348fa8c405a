"""Drawing a `Coverage`: where edges and terminals are, where terminals walk, when edges fail."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from tiergym.links import Sites, round_trip
from tiergym.links.bandwidth import pieces_begun
from tiergym.scenarios.instance import Coverage
from tiergym.scenarios.system import Floats, Ints
from tiergym.scenarios.walking import walk

FEWEST_NEAR = 50
"""A neighbourhood has the positions of this many users, or of twice as many as terminals."""
SHORTEST = 1e-6
"""Seconds; a time between failures or of one that is drawn below this is raised to it."""


@dataclass(frozen=True, eq=False)
class Ground:
    """Where terminals and edges can be.

    Attributes:
        places: positions of sites and users.
        range_km: an edge farther away is out of range, unless it is the nearest.
        km_per_second: of the terminals that walk; 0 where all stand still.
        moving: share of the terminals that walk.
        step: seconds that a position holds.
    """

    places: Sites
    range_km: float
    km_per_second: float
    moving: float
    step: float

    @property
    def walked(self) -> bool:
        """Whether anybody walks."""
        return self.km_per_second > 0.0 and self.moving > 0.0

    def near(self, centre: Floats, terminals: int) -> Floats:
        """float64[n, 2], positions of the users nearest to a centre: its neighbourhood."""
        return nearest(self.places.user_km, centre, max(2 * terminals, FEWEST_NEAR))


@dataclass(frozen=True, eq=False)
class Failing:
    """Edges that are up and down for exponential times, up at first.

    Attributes:
        edges: int64[n], those that fail at all.
        mean_up, mean_down: seconds.
    """

    edges: Ints
    mean_up: float
    mean_down: float


@dataclass(frozen=True, eq=False)
class Covering:
    """What the coverage of K terminals by E edges is drawn from.

    Attributes:
        radios: K names of radios whose round trips are measured by distance; empty for others.
        radio_rtt: float64[K], seconds there and back, for those others.
        extra_rtt: float64[E], seconds that the way to each edge takes on top.
        ground: None where round trips are given.
        given_rtt: float64[K, E], seconds there and back, infinite out of range; not looked at
            where there is a ground.
        failing: None where no edge fails.
    """

    radios: tuple[str, ...]
    radio_rtt: Floats
    extra_rtt: Floats
    ground: Ground | None
    given_rtt: Floats
    failing: Failing | None

    @property
    def terminals(self) -> int:
        """K."""
        return len(self.radios)

    @property
    def edges(self) -> int:
        """E."""
        return len(self.extra_rtt)

    def pieces(self, horizon: float) -> int:
        """Q of a draw for so many seconds."""
        if self.ground is None or not self.ground.walked:
            return 1
        return max(1, math.ceil(horizon / self.ground.step))

    def draw(self, np_random: np.random.Generator, horizon: float) -> Coverage:
        """Coverage and failures of ``horizon`` seconds; the last piece lasts on."""
        failures = draw_failures(self.failing, np_random, 0.0, np.zeros(0), horizon)
        if self.ground is None:
            half = (self.given_rtt + self.extra_rtt) / 2.0
            return Coverage(np.zeros(1), half[None], *failures)
        centre, site_km, stand_km = self._stand(self.ground, np_random)
        start = np.arange(float(self.pieces(horizon))) * self.ground.step
        walkers = self._walkers(self.ground, np_random)
        terminal_km = self._walked(np_random, self.ground, centre, stand_km, walkers, start)
        half_rtt = self._half_rtt(self.ground, site_km, terminal_km, walkers)
        return Coverage(start, half_rtt, *failures, centre, site_km, terminal_km)

    def redraw(
        self, np_random: np.random.Generator, coverage: Coverage, now: float, horizon: float
    ) -> Coverage:
        """Keep what has begun by ``now`` and draw what follows.

        A failure that has begun ends at a new time. Who walks is known once somebody has moved;
        whoever does goes on from where it is now, to somewhere new.
        """
        failures = redraw_failures(self.failing, np_random, coverage, now, horizon)
        kept = pieces_begun(coverage.start, now)
        start, half_rtt = coverage.start[:kept], coverage.half_rtt[:kept]
        places = coverage.centre_km, coverage.site_km, coverage.terminal_km[:kept]
        if self.ground is None or not self.ground.walked or not coverage.terminal_km.size:
            return Coverage(start, half_rtt, *failures, *places)
        past = coverage.terminal_km[:kept]
        grid = np.arange(float(self.pieces(horizon))) * self.ground.step
        grid = np.append(start[-1], grid[grid > max(now, float(start[-1]))])
        walkers = self._walkers(self.ground, np_random) if kept == 1 else _moved(past)
        future = self._walked(
            np_random, self.ground, coverage.centre_km, past[-1], walkers, grid - start[-1]
        )
        ahead = self._half_rtt(self.ground, coverage.site_km, future, walkers)
        return Coverage(
            np.concatenate((start, grid[1:])),
            np.concatenate((half_rtt, ahead[1:])),
            *failures,
            coverage.centre_km,
            coverage.site_km,
            np.concatenate((past, future[1:])),
        )

    def _stand(
        self, ground: Ground, np_random: np.random.Generator
    ) -> tuple[Floats, Floats, Floats]:
        """Centre, sites of the edges in random order, and where the terminals are at first."""
        users = ground.places.user_km
        centre = users[np_random.integers(len(users))]
        site_km = np_random.permutation(nearest(ground.places.site_km, centre, self.edges))
        near = np_random.permutation(ground.near(centre, self.terminals))
        return centre.copy(), site_km, near[np.arange(self.terminals) % len(near)]

    def _walkers(self, ground: Ground, np_random: np.random.Generator) -> Ints:
        if not ground.walked:
            return np.zeros(0, np.int64)
        count = round(ground.moving * self.terminals)
        return np.sort(np_random.permutation(self.terminals)[:count])

    def _walked(
        self,
        np_random: np.random.Generator,
        ground: Ground,
        centre: Floats,
        from_km: Floats,
        walkers: Ints,
        seconds: Floats,
    ) -> Floats:
        """float64[Q, K, 2], positions so many seconds after all were at ``from_km``."""
        terminal_km = np.repeat(from_km[None], len(seconds), axis=0)
        if len(walkers) and len(seconds) > 1:
            stops = ground.near(centre, self.terminals)
            reach = ground.km_per_second * seconds
            terminal_km[:, walkers] = walk(np_random, from_km[walkers], stops, reach)
        return terminal_km

    def _half_rtt(
        self, ground: Ground, site_km: Floats, terminal_km: Floats, walkers: Ints
    ) -> Floats:
        """float64[Q, K, E]; what stands still is looked at once."""
        everybody = np.arange(self.terminals)
        first = self._half_of(ground, site_km, terminal_km[:1], everybody)
        half_rtt = np.repeat(first, len(terminal_km), axis=0)
        if len(walkers) and len(terminal_km) > 1:
            moved = self._half_of(ground, site_km, terminal_km[1:, walkers], walkers)
            half_rtt[1:, walkers] = moved
        return half_rtt

    def _half_of(self, ground: Ground, site_km: Floats, at_km: Floats, terminals: Ints) -> Floats:
        """float64[Q, n, E] of some terminals, which are at ``at_km`` float64[Q, n, 2]."""
        away = at_km[:, :, None, :] - site_km
        km = np.hypot(away[..., 0], away[..., 1])
        rtt = np.empty_like(km)
        names = [self.radios[int(k)] for k in terminals]
        for name in dict.fromkeys(names):
            own = np.flatnonzero([name == other for other in names])
            if name:
                rtt[:, own] = round_trip(name, km[:, own])
            else:
                rtt[:, own] = self.radio_rtt[terminals[own]][:, None]
        in_range = km <= np.maximum(ground.range_km, km.min(axis=2, keepdims=True))
        return np.where(in_range, (rtt + self.extra_rtt) / 2.0, np.inf)


def nearest(positions: Floats, centre: Floats, count: int) -> Floats:
    """float64[n, 2], the positions nearest to a centre, nearest first; at most all of them."""
    away = positions - centre
    order = np.argsort(np.hypot(away[:, 0], away[:, 1]), kind="stable")
    return positions[order[:count]]


def _moved(past: Floats) -> Ints:
    """Terminals that are not where they were, by float64[Q, K, 2]."""
    return np.flatnonzero((past != past[0]).any(axis=(0, 2)))


Failures = tuple[Ints, Floats, Floats]
"""Edges, starts and ends, as in `Coverage`."""


def draw_failures(
    failing: Failing | None,
    np_random: np.random.Generator,
    now: float,
    up_from: Floats,
    horizon: float,
) -> Failures:
    """Failures that begin before the horizon, by start.

    Args:
        up_from: float64[len(failing.edges)], when each edge was last known to come up; those
            before ``now`` count from ``now`` on. Empty for all at ``now``.
    """
    if failing is None:
        return np.zeros(0, np.int64), np.zeros(0), np.zeros(0)
    up = np.maximum(up_from if len(up_from) else np.zeros(len(failing.edges)), now)
    parts = [_failures_of(failing, np_random, float(at), horizon) for at in up]
    edge = np.repeat(failing.edges, [len(start) for start, _ in parts])
    start = np.concatenate([start for start, _ in parts])
    order = np.argsort(start, kind="stable")
    return edge[order], start[order], np.concatenate([end for _, end in parts])[order]


def _failures_of(
    failing: Failing, np_random: np.random.Generator, up: float, horizon: float
) -> tuple[Floats, Floats]:
    """Starts and ends of one edge's failures, which is up at ``up``."""
    starts, ends = [np.zeros(0)], [np.zeros(0)]
    means = np.array([failing.mean_up, failing.mean_down])
    while up < horizon:
        cycles = int(1.5 * (horizon - up) / max(means.sum(), SHORTEST)) + 4
        spans = np.maximum(np_random.standard_exponential((cycles, 2)) * means, SHORTEST)
        times = up + np.cumsum(spans).reshape(cycles, 2)
        begun = times[:, 0] < horizon
        starts.append(times[begun, 0])
        ends.append(times[begun, 1])
        up = float(times[-1, 1])
    return np.concatenate(starts), np.concatenate(ends)


def redraw_failures(
    failing: Failing | None,
    np_random: np.random.Generator,
    coverage: Coverage,
    now: float,
    horizon: float,
) -> Failures:
    """Failures that have begun by ``now``, those not over with new ends, and new ones after."""
    begun = coverage.failure_start <= now
    edge, start = coverage.failure_edge[begun], coverage.failure_start[begun]
    end = coverage.failure_end[begun]
    if failing is None:
        return edge, start, end
    open_ = end > now
    left = np_random.standard_exponential(int(open_.sum())) * failing.mean_down
    end[open_] = now + np.maximum(left, SHORTEST)
    up_from = np.array([np.max(end[edge == one], initial=0.0) for one in failing.edges])
    later = draw_failures(failing, np_random, now, up_from, max(horizon, now))
    return (
        np.concatenate((edge, later[0])),
        np.concatenate((start, later[1])),
        np.concatenate((end, later[2])),
    )
