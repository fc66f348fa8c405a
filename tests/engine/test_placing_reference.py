"""The compiled engine's `place` decisions agree with the SimPy reference, event for event.

Equal to the last bit are the times of all decisions, the routes that are legal at each, what every
node holds, keeps, has loaded and loads, what became of every task, the number of events, and all
totals. The figures of the past interval are sums that may be ordered differently: 1e-12.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from tests.engine.side_by_side import Replay, SideBySide
from tests.reference.placing import Place
from tests.reference.random_placing import random_placed_case
from tests.reference.random_systems import Case
from tests.reference.records import PlaceDecision, PlaceView, Result
from tests.reference.simulator import simulate
from tiergym.engine import Simulation
from tiergym.engine.simulation import may_place_row

CASES = 200
PAST = ("arrivals", "bandwidth_1", "bandwidth_2", "busy_0", "busy_1", "busy_2")


def random_placer(rng: np.random.Generator) -> Place:
    """Put a legal route in force at random, or stay, more or less often."""
    staying = rng.choice([0.0, 0.2, 0.7])

    def place(view: PlaceView) -> int:
        if view.in_force in view.legal and rng.random() < staying:
            return view.in_force
        return view.legal[rng.integers(len(view.legal))]

    return place


def played(seed: int, grid: bool, tasks_max: int = 60) -> tuple[Case, Result]:
    """A random case, and what the reference made of it under random moves."""
    rng = np.random.default_rng([seed, grid, tasks_max])
    case = random_placed_case(rng, grid, tasks_max)
    return case, simulate(case.system, case.instance, place=random_placer(rng))


def blocks_of(word: int) -> frozenset[int]:
    """The set that the engine writes as the bits of a word."""
    return frozenset(k for k in range(62) if (int(word) >> k) & 1)


class PlaceReplay(SideBySide[PlaceDecision]):
    """Of the `place` decisions."""

    def simulation_of(self, case: Case) -> Simulation:
        """A simulation of one row in which the caller places."""
        return Simulation([case.system], places=True)

    def decisions(self) -> Sequence[PlaceDecision]:
        """Those of `place`."""
        return self.expected.placements

    def take(self, decision: PlaceDecision) -> int:
        """Put the same route in force; returns the status."""
        return self.simulation.place(self.row, decision.taken)

    def compare_decision(self, number: int, decision: PlaceDecision) -> None:
        """Time, legal routes, parameters at every node, and the interval before."""
        where, view = f"decision {number} at {decision.time}", decision.view
        assert self.head["clock"] == view.time, where
        assert self.head["in_force"] == view.in_force, where
        assert self._legal() == view.legal, where
        for n, node in enumerate(self.simulation.view(self.row, "node")):
            self._compare_node(f"{where}, node {n}", node, view, n)
        for ago, record in enumerate(self.simulation.view(self.row, "past")):
            if ago < number:
                self._compare_past(where, record, self.decisions()[number - ago].view)

    def _compare_past(self, where: str, record: Any, view: PlaceView) -> None:
        assert view.past is not None
        wanted = (view.past.arrivals, *view.past.bandwidth, *view.past.busy)
        found = [record[name] for name in PAST]
        np.testing.assert_allclose(found, wanted, rtol=1e-12, atol=0.0, err_msg=where)

    def _compare_node(self, where: str, node: Any, view: PlaceView, n: int) -> None:
        assert node["held"] == view.held[n], where
        for name, wanted in (
            ("kept", view.kept),
            ("loaded", view.loaded),
            ("loading", view.loading),
        ):
            assert blocks_of(node[name]) == wanted[n], f"{where}: {name}"
        told = view.told[n]
        if told is not None:
            assert (node["told_backlog"], node["told_at"]) == told, where

    def _legal(self) -> tuple[int, ...]:
        placing = self.case.system.placing
        assert placing is not None
        simulation, first = self.simulation, placing.first_route
        at = (simulation.buffer, int(simulation.base[self.row]), simulation.models)
        routes = range(first, first + len(placing.servable))
        return tuple(route for route in routes if may_place_row(*at, route))


@pytest.mark.parametrize("part", range(2))
@pytest.mark.parametrize("grid", [True, False])
def test_placements_tasks_and_totals_are_equal(grid: bool, part: int) -> None:
    for seed in range(part * CASES, (part + 1) * CASES):
        try:
            PlaceReplay(*played(seed, grid)).compare()
        except AssertionError as error:
            raise AssertionError(f"seed {seed}: {error}") from error


@pytest.mark.parametrize("grid", [True, False])
def test_the_own_route_of_the_network_is_in_force_where_nobody_decides(grid: bool) -> None:
    for seed in range(CASES // 2):
        case = random_placed_case(np.random.default_rng([seed, grid, 7]), grid)
        try:
            Replay(case, simulate(case.system, case.instance)).compare()
        except AssertionError as error:
            raise AssertionError(f"seed {seed}: {error}") from error


def test_many_tasks_are_equal() -> None:
    for seed in range(20):
        PlaceReplay(*played(seed, grid=False, tasks_max=600)).compare()


def reached(case: Case, result: Result) -> Counter[str]:
    """How often a run comes to what the cases are drawn for."""
    placing, views = case.system.placing, [decision.view for decision in result.placements]
    assert placing is not None
    servable = int(placing.servable.sum())
    return Counter(
        moves=sum(d.taken != d.view.in_force for d in result.placements),
        refusals=sum(task.refused for task in result.tasks),
        loads=sum(result.totals.loads),
        loading=sum(any(view.loading) for view in views),
        not_servable=int(servable < len(placing.servable)),
        not_fitting=sum(len(view.legal) < servable for view in views),
    )


@pytest.mark.parametrize("grid", [True, False])
def test_the_cases_reach_what_they_are_drawn_for(grid: bool) -> None:
    total = sum((reached(*played(seed, grid)) for seed in range(50)), Counter[str]())
    assert len(total) == 6
    assert min(total.values()) >= 20, total
