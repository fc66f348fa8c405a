"""Good placements found with the whole future known: the best that stays, and one that moves.

Neither is a bound. The best fixed placement is the best of all policies that never move; the
switching sequence is as good as the search found, and a longer search may find a better one.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from tiergym.engine import Simulation
from tiergym.engine.simulation import Snapshot
from tiergym.errors import InvalidInput
from tiergym.evaluation.bounds.placement import interval_bounds
from tiergym.scenarios.instance import Instance
from tiergym.scenarios.placing import intervals_of
from tiergym.scenarios.system import Ints, Placing, System

SPANS = (1, 2, 4, 8)
"""Numbers of intervals that the search changes together."""


@dataclass(frozen=True)
class Plan:
    """Placements for every interval, and what they cost by simulation.

    Attributes:
        routes: by interval, counted from `Placing.first_route`.
        cost: of the episode.
        trials: how many continuations were simulated to find it.
    """

    routes: tuple[int, ...]
    cost: float
    trials: int


def best_fixed(system: System, instance: Instance) -> Plan:
    """The cheapest placement that is held throughout, by trying all.

    Raises:
        InvalidInput: if the system has no placed network, or no placement fits.
    """
    trials = _Trials(system, instance)
    costs = [trials.play([route]) for route in range(trials.routes)]
    best = int(np.argmin(costs))
    if math.isinf(costs[best]):
        raise InvalidInput("system", "too little memory", "one in which some placement fits")
    return Plan((best,) * trials.intervals, costs[best], trials.count)


def best_switching(
    system: System,
    instance: Instance,
    starts: Iterable[Sequence[int]] = (),
    width: int | None = 12,
    sweeps: int = 4,
) -> Plan:
    """A cheap sequence of placements, by local search from the best of some sequences.

    Sweep by sweep, the placements of one or some successive intervals (`SPANS`) are replaced by
    another one, the rest played as before, and what is cheaper is kept; until a sweep finds
    nothing.

    Args:
        starts: sequences to begin from beside the best fixed placement, for instance what
            policies decided; the last placement of a shorter one stays.
        width: how many placements are tried for an interval: those of the least bound
            (`interval_bounds`) in it, and those that the incumbent has; None tries all.
        sweeps: most sweeps of each span.
    """
    trials = _Trials(system, instance)
    fixed = best_fixed(system, instance)
    best, cost = list(fixed.routes), fixed.cost
    for start in starts:
        other = trials.filled(start)
        if (found := trials.play(other, limit=cost)) < cost:
            best, cost = other, found
    likely = _likely(system, instance, width)
    for span in SPANS:
        for _ in range(sweeps):
            before = cost
            cost = _sweep(trials, best, cost, span, likely)
            if cost == before:
                break
    return Plan(tuple(best), cost, trials.count + fixed.trials)


def _likely(system: System, instance: Instance, width: int | None) -> Ints:
    """int64[K, width], the placements of the least bound in each interval."""
    bounds = interval_bounds(system, instance)
    return np.argsort(bounds, axis=1, kind="stable")[:, :width].astype(np.int64)


def _sweep(trials: _Trials, best: list[int], cost: float, span: int, likely: Ints) -> float:
    """Try other placements from each interval on; ``best`` is changed, its cost returned."""
    snapshot = trials.begin
    for k in range(trials.intervals):
        tried = dict.fromkeys([*likely[k].tolist(), *sorted(set(best))])
        for route in tried:
            other = [*best[:k], *(route for _ in best[k : k + span]), *best[k + span :]]
            if other == best:
                continue
            found = trials.play(other[k:], snapshot, limit=cost)
            if found < cost:
                best[:], cost = other, found
        following = trials.step(snapshot, best[k])
        if following is None:
            break
        snapshot = following
    return cost


class _Trials:
    """Plays placements on one instance, from its first decision (`begin`) or a snapshot on."""

    def __init__(self, system: System, instance: Instance) -> None:
        self._simulation = Simulation([system], places=True)
        self._system = system
        placing = self._placing(system)
        self._first, self.routes = placing.first_route, len(placing.servable)
        self.intervals = intervals_of(placing, instance.window)
        self.count = 0
        self._simulation.check(instance)
        self._simulation.start(0, instance, check=False)
        self.begin = self._simulation.snapshot(0)

    @staticmethod
    def _placing(system: System) -> Placing:
        if system.placing is None:
            raise InvalidInput("system", "no placed network", "a scenario of exit placement")
        return system.placing

    def filled(self, routes: Sequence[int]) -> list[int]:
        """As many as there are intervals; the last one stays."""
        own = list(routes[: self.intervals])
        return own + own[-1:] * (self.intervals - len(own))

    def play(
        self, routes: Sequence[int], snapshot: Snapshot | None = None, limit: float = math.inf
    ) -> float:
        """Cost of the episode if these are put in force one after the other; the last one stays.

        Infinite where one of them is not legal, or as soon as the cost has reached ``limit``.
        """
        self.count += 1
        self._simulation.restore(0, snapshot or self.begin)
        k = 0
        while not self._simulation.ended(0):
            if self._cost() >= limit or not self._place(routes[min(k, len(routes) - 1)]):
                return math.inf
            k += 1
        return self._cost()

    def step(self, snapshot: Snapshot, route: int) -> Snapshot | None:
        """The next decision after one, None if the episode is over."""
        self._simulation.restore(0, snapshot)
        if not self._place(route) or self._simulation.ended(0):
            return None
        return self._simulation.snapshot(0)

    def _place(self, route: int) -> bool:
        try:
            self._simulation.place(0, self._first + route)
        except InvalidInput:
            return False
        return True

    def _cost(self) -> float:
        """What has been charged so far; it never falls."""
        head, cost = self._simulation.head(0), self._system.cost
        refused = float(head["refused"])
        return float(
            cost.delay_weight * (float(head["task_seconds"]) + cost.refusal_seconds * refused)
            + cost.error_weight * (float(head["wrong"]) + refused)
            + cost.late_weight * (float(head["late"]) + refused)
            + cost.energy_weight * float(head["joules"])
        )
