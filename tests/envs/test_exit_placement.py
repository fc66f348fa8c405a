"""What ExitPlacement does: its numbers, masks, tables, and latencies that are known."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
import pytest

from tests.envs import small_placement
from tiergym import InvalidInput, load_scenario
from tiergym.devices import stage_seconds
from tiergym.scenarios.read_nodes import read_nodes
from tiergym.scenarios.system import pair_number, pair_of, pairs_of

ID = "tiergym/ExitPlacement-v0"
L = small_placement.BLOCKS


def make(scenario: Any, **given: Any) -> Any:
    return gym.make(ID, scenario=scenario, **given).unwrapped


def action(p1: int, p2: int, level: int = 0) -> int:
    return level * pairs_of(16) + pair_number(p1, p2)


def finish(env: Any, chosen: int) -> tuple[float, dict[str, float]]:
    total, over = 0.0, False
    info: dict[str, Any] = {}
    while not over:
        _, reward, over, _, info = env.step(chosen)
        total += reward
    return total, info["metrics"]


def test_pairs_are_numbered_as_the_design_says() -> None:
    numbers = [pair_number(p1, p2) for p2 in range(17) for p1 in range(p2 + 1)]
    assert numbers == list(range(pairs_of(16))) == list(range(153))
    assert [pair_of(k) for k in range(6)] == [(0, 0), (0, 1), (1, 1), (0, 2), (1, 2), (2, 2)]


def test_pairs_beyond_the_network_are_masked_and_all_others_legal_where_memory_is_ample() -> None:
    env = make(small_placement.scenario())
    observation, _ = env.reset(seed=0)
    legal = np.flatnonzero(observation["action_mask"])
    assert legal.tolist() == list(range(pairs_of(L)))
    assert (env.action_masks() == observation["action_mask"].astype(bool)).all()


def test_the_first_decision_is_due_before_anything_has_happened() -> None:
    env = make(small_placement.scenario())
    observation, info = env.reset(seed=0)
    assert info["elapsed"] == 0.0
    assert observation["placement"].tolist() == [0, 0, 0, 0]
    assert (observation["held_blocks"] == 0).all()
    observation, *_ = env.step(action(1, 3))
    assert observation["placement"].tolist() == [1, 3, 0, 1]
    held = observation["held_blocks"].reshape(3, 16)[:, :L]
    assert held.tolist() == [[1, 0, 0, 0], [0, 1, 1, 0], [0, 0, 0, 1]]
    assert observation["time"].tolist() == pytest.approx([0.4, 0.4 / 3.0, 0.4])


def test_the_tables_are_those_of_profile_network_and_exit_table() -> None:
    given = small_placement.scenario()
    observation, _ = make(given).reset(seed=0)
    nodes = read_nodes(given["nodes"])
    seconds = observation["pair_seconds"].reshape(-1, 3)
    for p2 in range(L + 1):
        for p1 in range(p2 + 1):
            ends = (0, p1, p2, L)
            for tier in range(3):
                first, last = ends[tier], ends[tier + 1]
                expected = 0.0
                if last > first:
                    profile = nodes[tier].profile
                    expected = stage_seconds(profile, "net", first + 1, last, True, 1, blocks=L)[0]
                assert seconds[pair_number(p1, p2), tier] == pytest.approx(expected, rel=1e-6)
    table = small_placement.exits()
    sure, right = (np.array(table[f"validation_{k}"]) for k in ("confidence", "correct"))
    first = sure[:, 1] >= 0.6
    second = ~first & (sure[:, 3] >= 0.7)
    share = observation["pair_exit_share"].reshape(-1, 2)[pair_number(1, 3)]
    assert share == pytest.approx([first.mean(), second.mean()], abs=1e-6)
    answer = np.where(first, right[:, 1], np.where(second, right[:, 3], right[:, L]))
    assert observation["pair_accuracy"][pair_number(1, 3)] == pytest.approx(answer.mean())
    assert share[1] != pytest.approx((1 - first.mean()) * (sure[:, 3] >= 0.7).mean(), abs=1e-3)
    megabytes = observation["payload_megabytes"][: L + 1] * 1e6
    assert megabytes == pytest.approx([3000, 12000, 6000, 3000, 0])


@pytest.mark.parametrize("name", small_placement.ALL)
def test_the_return_is_minus_the_episodes_cost(name: str) -> None:
    env = make(small_placement.ALL[name]())
    env.reset(seed=3)
    total, metrics = finish(env, action(1, 2))
    assert total == pytest.approx(-metrics["cost"], rel=1e-9)
    assert metrics["changes"] == 0.0


def alone(pair: tuple[int, int], sample: int) -> tuple[float, Any]:
    """Delay of one task on an idle system, and its log."""
    given = small_placement.scenario(background=[])
    for node in given["nodes"].values():
        node["profile"] = {**node["profile"], "jitter_cv": 0.0}
    env = make(given)
    scenario = env.scenarios[0]
    instance = scenario.instance([0.1], sample=sample, bandwidth={"uplink": 8.0})
    env.reset(options={"instance": instance})
    finish(env, action(*pair))
    log = env.task_log()
    return float(log.delay[0]), log


@pytest.mark.parametrize("pair", [(p1, p2) for p2 in range(L + 1) for p1 in range(p2 + 1)])
def test_a_task_alone_takes_what_its_stages_and_links_take(pair: tuple[int, int]) -> None:
    table = small_placement.exits()
    env = make(small_placement.scenario())
    seconds = env.reset(seed=0)[0]["pair_seconds"].reshape(-1, 3)[pair_number(*pair)]
    payload = [3000.0, 12000.0, 6000.0, 3000.0, 0.0]
    for sample in range(8):
        sure = table["confidence"][sample]
        expected, at, block = float(seconds[0]), 0, pair[0]
        leaves = block == L or (block > 0 and sure[block] >= 0.6)
        if not leaves:
            expected += 0.001 + payload[block] * 8 / 8e6 + 0.005 + float(seconds[1])
            at, empty, block = 1, pair[1] == pair[0], pair[1]
            leaves = not empty and (block == L or sure[block] >= 0.7)
            if not leaves:
                expected += payload[block] * 8 / 100e6 + 0.02 + float(seconds[2])
                at, block = 2, L
        expected += (0.0, 0.005, 0.025)[at]
        delay, log = alone(pair, sample)
        assert log.tier[0] == at
        assert log.exit_block[0] == block
        assert delay == pytest.approx(expected, rel=1e-6)


def test_a_move_loads_what_is_missing_while_nothing_else_runs_there() -> None:
    given = small_placement.scenario(background=[])
    given["nodes"]["terminal"]["load_rate"] = 1e6
    env = make(given)
    env.reset(seed=0)
    env.step(action(1, 2))
    observation, *_ = env.step(action(4, 4))
    simulation = env._episodes.rows.simulation
    assert int(simulation.head(0)["loads"]) >= 1
    held = observation["held_blocks"].reshape(3, 16)[0, :L]
    assert held.tolist() == [1.0, 0.5, 0.5, 0.5]
    _, metrics = finish(env, action(4, 4))
    assert metrics["changes"] == 1.0
    log = env.task_log()
    assert np.isfinite(log.finish).all()


def test_a_pair_that_does_not_fit_beside_what_is_held_is_masked() -> None:
    env = make(small_placement.tight())
    observation, _ = env.reset(seed=0)
    assert observation["action_mask"][action(0, 2)] == 1
    assert observation["action_mask"][action(0, 4)] == 0
    assert observation["free_megabytes"][0] == pytest.approx(1.06)
    assert observation["free_megabytes"][2] == -1.0


def test_levels_are_part_of_the_action_where_they_are_decided() -> None:
    with pytest.raises(InvalidInput, match="max_thresholds"):
        make(small_placement.decided())
    env = make(small_placement.decided(), max_thresholds=4)
    observation, _ = env.reset(seed=1)
    legal = np.flatnonzero(observation["action_mask"])
    expected = [level * 153 + pair for level in range(3) for pair in range(pairs_of(L))]
    assert legal.tolist() == expected
    assert observation["thresholds"].tolist() == pytest.approx([0.5, 0.5, 0.8, 0.8, 2, 2, 0, 0])
    observation, *_ = env.step(action(2, 3, level=2))
    assert observation["placement"].tolist() == [2, 3, 2, 1]
    finish(env, action(2, 3, level=2))
    assert set(env.task_log().exit_block[env.task_log().charged].tolist()) == {L}


def test_illegal_actions_are_replaced_or_named() -> None:
    beyond = action(0, 9)
    env = make(small_placement.scenario())
    env.reset(seed=0)
    env.step(beyond)
    assert int(env._episodes.rows.simulation.head(0)["invalid_actions"]) == 1
    strict = make(small_placement.scenario(), invalid_action="raise")
    strict.reset(seed=0)
    with pytest.raises(InvalidInput, match="exits after blocks 0 and 9"):
        strict.step(beyond)
    with pytest.raises(InvalidInput, match="max_blocks"):
        make(small_placement.scenario(), max_blocks=3)
    with pytest.raises(InvalidInput, match="exit_placement"):
        make("titan-x-code-0.80")


def test_a_snapshot_goes_on_in_every_bit_and_a_redrawn_future_keeps_the_past() -> None:
    env = make(small_placement.scenario())
    env.reset(seed=5)
    for pair in ((1, 2), (2, 4), (0, 1)):
        env.step(action(*pair))
    snapshot, past = env.snapshot(), env.task_log()
    first = finish(env, action(1, 3))
    env.restore(snapshot)
    assert repr(finish(env, action(1, 3))) == repr(first)
    env.restore(snapshot, np.random.default_rng(0))
    finish(env, action(1, 3))
    again = env.task_log()
    arrived = past.arrival < 1.2
    assert (again.arrival[: arrived.sum()] == past.arrival[arrived]).all()
    assert np.isfinite(again.finish[again.charged]).all()


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"interval_seconds": None}, "interval_seconds"),
        ({"networks": {"net": {"input_bytes": 10}}, "background": []}, "networks.net"),
        ({"links": {}}, "nodes"),
    ],
)
def test_what_a_scenario_lacks_is_named(change: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInput, match=field):
        load_scenario(small_placement.scenario(**change))


def test_a_load_rate_is_asked_for() -> None:
    given = small_placement.scenario()
    del given["nodes"]["edge"]["load_rate"]
    with pytest.raises(InvalidInput, match="load_rate"):
        load_scenario(given)
