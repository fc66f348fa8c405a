"""The bound on exit placement: never above what is simulated, and reached where nothing waits."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from baselines.exit_placement.interior import interval_costs
from tests.engine.test_placing import scenario_of
from tests.envs import small_placement
from tests.reference.tables import Tables
from tiergym import InvalidInput, load_scenario
from tiergym.engine import Simulation
from tiergym.evaluation.bounds import best_fixed, best_switching, lower_bound
from tiergym.evaluation.bounds.placement import interval_bounds
from tiergym.evaluation.bounds.resources import Wire, all_done
from tiergym.scenarios import Scenario, split_scenarios
from tiergym.scenarios.instance import Instance
from tiergym.scenarios.placing import interval_of, intervals_of
from tiergym.scenarios.system import pair_number, pairs_of

L = small_placement.BLOCKS


def quiet(**changes: Any) -> Scenario:
    """The small scenario without jitter, other users, or seconds of loading."""
    full = small_placement.scenario(background=[], **changes)
    for node in full["nodes"].values():
        node["profile"] = {**node["profile"], "jitter_cv": 0.0}
        node["load_rate"] = float("inf")
    return load_scenario(full)


def cost_of(scenario: Scenario, instance: Instance, routes: list[int]) -> float:
    """Cost by simulation of one route an interval, the last one to the end; from the log."""
    placing, cost = scenario.system.placing, scenario.system.cost
    assert placing is not None
    simulation = Simulation([scenario.system], places=True)
    simulation.start(0, instance)
    k = 0
    while not simulation.ended(0):
        simulation.place(0, placing.first_route + routes[min(k, len(routes) - 1)])
        k += 1
    log = simulation.log(0)
    own = log.charged
    seconds = np.where(log.refused[own], cost.refusal_seconds, log.delay[own]).sum()
    wrong = np.where(log.refused[own], 1.0, 1.0 - log.correct[own]).sum()
    late = (log.refused | log.late)[own].sum()
    return float(cost.delay_weight * seconds + cost.error_weight * wrong + cost.late_weight * late)


def test_it_is_reached_where_tasks_are_alone() -> None:
    scenario = quiet(interval_seconds=2.0)
    instance = scenario.instance(np.arange(0.5, 12.0, 0.7), window=12.0)
    instance = replace(instance, sample=np.arange(instance.tasks) % 60)
    bounds = interval_bounds(scenario.system, instance)
    assert bounds.shape == (6, pairs_of(L))
    for pair in range(pairs_of(L)):
        assert bounds[:, pair].sum() == pytest.approx(cost_of(scenario, instance, [pair]), rel=1e-9)


@pytest.mark.parametrize(("pair", "batches"), [((L, L), 1), ((L, L), 4), ((0, L), 1)])
def test_it_is_reached_by_a_burst_at_one_node_that_cannot_batch(
    pair: tuple[int, int], batches: int
) -> None:
    full: dict[str, Any] = small_placement.scenario(background=[], window=9.0, interval_seconds=9.0)
    for node in full["nodes"].values():
        own = {**node["profile"], "jitter_cv": 0.0}
        whole = {
            "base": 0.0,
            "blocks": [{"points": [[1, 0.01], [4, 0.04]]}] * L,
            "heads": dict.fromkeys(range(1, L + 1), 0.0),
        }
        own["networks"] = {**own["networks"], "net": whole}
        node |= {"profile": own, "batch_max": batches, "load_rate": float("inf")}
    full["links"]["uplink"] |= {"bandwidth": 1e6, "per_package": 0.0}
    full["networks"]["net"]["deadline"] = 100.0
    scenario = load_scenario(full)
    instance = scenario.instance(np.full(40, 1.0), window=9.0)
    number = pair_number(*pair)
    bound = float(interval_bounds(scenario.system, instance)[0, number])
    cost = cost_of(scenario, instance, [number])
    assert bound <= cost * (1.0 + 1e-12)
    # A batch of four lets three of its tasks wait for the last, half a batch each on average.
    assert bound == pytest.approx(cost, rel=0.001 if batches == 1 else 0.1)


@pytest.mark.parametrize("seed", range(12))
def test_no_interval_of_a_placement_that_is_held_costs_less(seed: int) -> None:
    scenario = scenario_of(seed)
    instance = scenario.draw(np.random.default_rng(seed))
    bounds = interval_bounds(scenario.system, instance)
    costs = interval_costs(scenario, instance)
    assert bounds.shape == costs.shape
    assert (bounds <= costs * (1.0 + 1e-9)).all()
    assert (bounds > 0.0).any()


@pytest.mark.parametrize("name", split_scenarios("exit_placement", "train"))
def test_it_is_near_what_the_best_placements_cost_in_shipped_scenarios(name: str) -> None:
    scenario = load_scenario(name)
    instance = scenario.draw(np.random.default_rng(5))
    bound = lower_bound(scenario.system, instance)
    best = float(interval_costs(scenario, instance).min(axis=1).sum())
    assert 0.4 * best < bound <= best


@pytest.mark.parametrize("seed", range(6))
def test_bound_enumeration_search_and_best_fixed_are_in_this_order(seed: int) -> None:
    scenario = load_scenario(tiny(seed))
    instance = scenario.draw(np.random.default_rng(seed))
    pairs, intervals = range(pairs_of(2)), 3
    assert intervals_of(scenario.system.placing, instance.window) == intervals  # type: ignore[arg-type]
    every = {
        routes: cost_of(scenario, instance, list(routes))
        for routes in itertools.product(pairs, repeat=intervals)
    }
    optimum = min(every.values())
    fixed = best_fixed(scenario.system, instance)
    found = best_switching(scenario.system, instance, width=None)
    assert fixed.cost == pytest.approx(min(every[pair, pair, pair] for pair in pairs), rel=1e-9)
    assert found.cost == pytest.approx(every[found.routes], rel=1e-9)  # type: ignore[index]
    tolerance = 1e-9 * optimum
    bound = lower_bound(scenario.system, instance)
    assert bound <= optimum + tolerance
    assert optimum <= found.cost + tolerance <= fixed.cost + 2 * tolerance
    assert found.cost == pytest.approx(optimum, rel=0.02)
    given = best_switching(scenario.system, instance, [min(every, key=lambda k: every[k])], width=1)
    assert given.cost == pytest.approx(optimum, rel=1e-9)


def tiny(seed: int) -> dict[str, Any]:
    """Two blocks, three intervals, slow loads, a bandwidth that jumps, and a full terminal."""
    full = small_placement.scenario(name="tiny", window=1.2)
    rng = np.random.default_rng(seed)
    network = full["networks"]["net"]["network"]
    network["blocks"] = network["blocks"][:2]
    network["exits"] = {name: [row[:3] for row in rows] for name, rows in network["exits"].items()}
    for node in full["nodes"].values():
        laws = node["profile"]["networks"]["net"]
        laws |= {"blocks": laws["blocks"][:2], "heads": {1: 0.002, 2: 0.002}}
        node["load_rate"] = float(rng.choice([1e6, 1e7]))
    steps = [[0.0, 0.8], [0.4, 8.0], [0.8, 2.0]]
    full["links"]["uplink"]["bandwidth"] = {"trace": steps, "random_start": False}
    full["arrivals"] = {"process": "poisson", "rate": float(rng.choice([20, 50, 80]))}
    return full


def test_the_wire_is_the_references() -> None:
    scenario = load_scenario(small_placement.scenario())
    instance = scenario.draw(np.random.default_rng(3))
    tables, wire = Tables(scenario.system, instance), Wire.of(instance, 0)
    tables.link_per_package[0] = 0.0
    ready = np.random.default_rng(4).uniform(0.0, 5.0, 200)
    for size in (1.0, 3000.0, 200_000.0):
        expected = [tables.wire_end(0, float(time), size) for time in ready]
        np.testing.assert_allclose(wire.sent(ready, size * 8.0), expected, rtol=1e-12)


def test_pieces_without_bandwidth_are_waited_for() -> None:
    scenario = load_scenario(small_placement.scenario())
    instance = scenario.draw(np.random.default_rng(3))
    start = np.array([0.0, 1.0, 2.0, 3.0, 0.0])
    bandwidth = np.array([8.0, 0.0, 0.0, 16.0, 8.0])
    instance = replace(
        instance,
        piece_offset=np.array([0, 4, 5]),
        piece_start=start,
        piece_bandwidth=bandwidth,
    )
    ends = Wire.of(instance, 0).sent(np.array([0.0, 0.5, 1.5, 4.0]), 8.0)
    assert ends.tolist() == [1.0, 3.25, 3.5, 4.5]


def test_no_batching_finishes_sooner_than_a_machine_that_is_wholly_used() -> None:
    rng = np.random.default_rng(0)
    for _ in range(200):
        count, most = int(rng.integers(1, 12)), int(rng.integers(1, 5))
        seconds = np.sort(rng.uniform(0.5, 3.0, most))
        ready = np.sort(rng.uniform(0.0, 8.0, count))
        share = float((seconds / np.arange(1, most + 1)).min())
        ends = np.sort(_some_schedule(rng, ready, seconds))
        assert (all_done(ready, share) <= ends + 1e-9).all()


def _some_schedule(rng: np.random.Generator, ready: np.ndarray, seconds: np.ndarray) -> list[float]:
    """Ends under random batches of who is there, each started with a random delay or none."""
    waiting, ends, now = list(ready), list[float](), 0.0
    while waiting:
        now = max(now, min(waiting)) + float(rng.choice([0.0, 0.2]))
        there = [time for time in waiting if time <= now]
        batch = there[: int(rng.integers(1, len(seconds) + 1))]
        now += float(seconds[len(batch) - 1])
        ends += [now] * len(batch)
        for time in batch:
            waiting.remove(time)
    return ends


def test_tasks_belong_to_the_interval_whose_placement_they_take() -> None:
    scenario = quiet(interval_seconds=1.0)
    placing = scenario.system.placing
    assert placing is not None
    times = np.array([0.0, 0.5, 1.0, 1.0001, 2.0, 2.9])
    assert interval_of(placing, 3.0, times).tolist() == [0, 0, 0, 1, 1, 2]
    assert [intervals_of(placing, window) for window in (0.5, 1.0, 1.5, 3.0)] == [1, 1, 2, 3]


def test_where_it_does_not_hold_it_is_refused() -> None:
    watts = {"idle_watts": 1.0, "busy_watts": 2.0}
    full = small_placement.scenario(background=[], cost={"delay_weight": 1, "energy_weight": 0.1})
    for node in full["nodes"].values():
        node["profile"] = {**node["profile"], **watts}
    for link in full["links"].values():
        link |= {"base_watts": 1.0, "watts_per_mbps": 0.0}
    scenario = load_scenario(full)
    instance = scenario.draw(np.random.default_rng(0))
    with pytest.raises(InvalidInput, match="energy_weight"):
        lower_bound(scenario.system, instance)
    plain = load_scenario("titan-x-code-0.80")
    with pytest.raises(InvalidInput, match="placed network"):
        lower_bound(plain.system, plain.draw(np.random.default_rng(0)))
