"""Placement changes at random: nothing is lost, and what nodes hold is what they should."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tests.envs import small_placement
from tiergym import load_scenario
from tiergym.engine import Simulation
from tiergym.errors import InvalidInput
from tiergym.scenarios import Scenario
from tiergym.scenarios.placing import needed_blocks, needed_bytes

NODES = 3


def scenario_of(seed: int) -> Scenario:
    """A scenario with intervals, loads, memories and arrivals drawn from ``seed``."""
    rng = np.random.default_rng(seed)
    full = small_placement.scenario(
        name=f"random-{seed}",
        interval_seconds=float(rng.choice([0.05, 0.2, 0.37, 1.0, 9.0])),
        background=[],
        cost={"delay_weight": 1, "refusal_seconds": 1000},
    )
    full["arrivals"] = {"process": "mmpp", "rates": [0.3, 3.0], "dwell": [0.3, 0.2], "rate": 40}
    for node in full["nodes"].values():
        node["load_rate"] = float(rng.choice([2e5, 2e6, 1e8, np.inf]))
        node["executors"] = int(rng.integers(1, 3))
        if rng.random() < 0.5:
            node["memory_bytes"] = float(rng.choice([1.08e6, 1.6e6]))
    return load_scenario(full)


def blocks_of(word: int) -> set[int]:
    return {k for k in range(62) if (int(word) >> k) & 1}


def check_held(simulation: Simulation, scenario: Scenario, routes: np.ndarray) -> None:
    """What each node keeps is what the route in force and tasks under way need, or is loading."""
    system, head = scenario.system, simulation.head(0)
    log = simulation.log(0)
    now = float(head["clock"])
    alive = set(routes[(log.arrival <= now) & (routes >= 0) & ~(log.finish <= now)].tolist())
    for n in range(NODES):
        node = simulation.view(0, "node")[n]
        wanted = {b for r in {*alive, int(head["in_force"])} for b in needed_blocks(system, n, r)}
        kept, loading = blocks_of(node["kept"]), blocks_of(node["loading"])
        assert kept == wanted | loading
        assert blocks_of(node["loaded"]) <= kept
        assert not blocks_of(node["loaded"]) & loading
        assert node["held"] <= system.node_memory[n]


def routes_taken(simulation: Simulation, count: int) -> np.ndarray:
    """Route of every task that has arrived, -1 of the others."""
    group = simulation.view(0, "task")["group"][:count].astype(int)
    return np.where(group >= 0, group // 3, -1)


@pytest.mark.parametrize("seed", range(40))
def test_random_moves_lose_nothing_and_hold_what_is_needed(seed: int) -> None:
    scenario = scenario_of(seed)
    placing = scenario.system.placing
    assert placing is not None
    rng = np.random.default_rng(1000 + seed)
    instance = scenario.draw(rng)
    simulation = Simulation([scenario.system], places=True)
    simulation.start(0, instance)
    times: list[float] = []
    while not simulation.ended(0):
        times.append(float(simulation.head(0)["clock"]))
        if len(times) > 1:
            check_held(simulation, scenario, routes_taken(simulation, instance.tasks))
        place_any(simulation, placing.first_route + rng.permutation(len(placing.servable)))
    interval, window = placing.interval_seconds, instance.window
    expected = [k * interval for k in range(10_000) if k == 0 or k * interval < window]
    assert times == expected[: len(times)]
    log = simulation.log(0)
    assert np.isfinite(log.finish).all()
    assert (log.refused ^ (log.exit_block >= 0)).all()
    head = simulation.head(0)
    for n in range(NODES):
        node = simulation.view(0, "node")[n]
        pending = blocks_of(node["loading"])
        own = set(needed_blocks(scenario.system, n, int(head["in_force"])))
        assert blocks_of(node["kept"]) == own | pending
        if not pending:
            held = needed_bytes(scenario.system, n, int(head["in_force"]))
            assert node["held"] == pytest.approx(held, abs=1e-3)


def place_any(simulation: Simulation, routes: np.ndarray) -> None:
    """The first of the routes that may be put in force; the present one always may."""
    for route in routes.tolist():
        try:
            simulation.place(0, route)
        except InvalidInput:
            continue
        return
    raise AssertionError("no route may be put in force")


def test_tasks_keep_the_placement_they_arrived_under() -> None:
    full = small_placement.scenario(background=[], interval_seconds=1.0)
    full["networks"]["net"]["thresholds"] = [9.0, 9.0]
    scenario = load_scenario(full)
    placing = scenario.system.placing
    assert placing is not None
    simulation = Simulation([scenario.system], places=True)
    instance = scenario.instance([0.5, 0.999, 1.0, 1.001], window=3.0)
    simulation.start(0, instance)
    simulation.place(0, placing.first_route)
    simulation.place(0, placing.first_route + 14)
    # The one that arrives with the decision came before it: cloud only, then terminal only.
    assert simulation.log(0).tier.tolist()[:3] == [2, 2, 2]
    while not simulation.ended(0):
        simulation.place(0, placing.first_route + 14)
    assert simulation.log(0).tier.tolist() == [2, 2, 2, 0]


def test_a_load_takes_its_bytes_over_the_rate_and_delays_who_needs_it() -> None:
    full: dict[str, Any] = small_placement.scenario(background=[], interval_seconds=1.0)
    for node in full["nodes"].values():
        node["profile"] = {**node["profile"], "jitter_cv": 0.0}
    full["nodes"]["terminal"]["load_rate"] = 2e6
    scenario = load_scenario(full)
    placing = scenario.system.placing
    assert placing is not None
    simulation = Simulation([scenario.system], places=True)
    simulation.start(0, scenario.instance([1.1], window=3.0))
    simulation.place(0, placing.first_route)
    while not simulation.ended(0):
        simulation.place(0, placing.first_route + 14)
    # 1 MB at 2 MB/s from 1.0 s on; then a base of 2.5 ms, four blocks of 10 and a head of 2.
    assert simulation.log(0).first_start[0] == pytest.approx(1.5)
    assert simulation.log(0).finish[0] == pytest.approx(1.5 + 0.0445)


def test_tasks_of_the_placed_network_arrive_at_the_terminal() -> None:
    scenario = load_scenario(small_placement.scenario(background=[]))
    instance = scenario.instance([0.5, 1.0], window=3.0)
    elsewhere = replace(instance, origin=np.array([0, 1]))
    simulation = Simulation([scenario.system], places=True)
    with pytest.raises(InvalidInput, match=r"instance.origin\[1\].*edge.*terminal"):
        simulation.start(0, elsewhere)


def test_only_one_kind_of_decision_is_claimed_and_only_where_there_is_one() -> None:
    scenario = load_scenario(small_placement.scenario())
    with pytest.raises(InvalidInput, match="claimed"):
        Simulation([scenario.system], claimed=0)
    plain = load_scenario("titan-x-code-0.80")
    with pytest.raises(InvalidInput, match="places"):
        Simulation([plain.system], places=True)
    simulation = Simulation([scenario.system], places=True)
    simulation.start(0, scenario.draw(np.random.default_rng(0)))
    with pytest.raises(InvalidInput, match="decision is due"):
        simulation.decide(0, 0)
    with pytest.raises(InvalidInput, match="route"):
        simulation.place(0, 0)
