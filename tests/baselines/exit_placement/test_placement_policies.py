"""The placement policies: the expected cost against the simulator, and what each policy picks."""

from __future__ import annotations

import copy
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

from baselines import make_policy, policy_names
from baselines.exit_placement._expected import (
    draining,
    expected_cost,
    expected_seconds,
    present,
    wait,
)
from baselines.exit_placement._observation import Layout
from baselines.exit_placement.greedy import search
from tests.envs import small_placement
from tiergym.engine import Simulation
from tiergym.scenarios import Scenario
from tiergym.scenarios.system import pair_number, pairs_of

ID = "tiergym/ExitPlacement-v0"
L = small_placement.BLOCKS
SAMPLES = 60


def quiet(exits: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    """No other users, no jitter, steady bandwidth; validation rows are the tasks' own rows."""
    given = small_placement.scenario(background=[], **changes)
    for node in given["nodes"].values():
        node["profile"] = {**node["profile"], "jitter_cv": 0.0}
    given["links"]["uplink"]["bandwidth"] = 8.0
    table = exits or small_placement.exits()
    own = {k: v for k, v in table.items() if not k.startswith("validation_")}
    given["networks"]["net"]["network"]["exits"] = {
        **own,
        **{f"validation_{k}": v for k, v in own.items()},
    }
    return given


def observed(given: dict[str, Any]) -> tuple[Any, Any, Any]:
    env: Any = gym.make(ID, scenario=given).unwrapped
    observation, _ = env.reset(seed=0)
    layout = Layout.of(env)
    return env, layout, layout.rows(observation)[0]


def simulated(scenario: Scenario, pair: int) -> tuple[float, float]:
    """Mean delay and accuracy of every row of the exit table, each served alone."""
    placing = scenario.system.placing
    assert placing is not None
    samples = int(scenario.system.network_samples[0])
    times = 5.0 * np.arange(samples) + 0.1
    instance = scenario.instance(times, sample=np.arange(samples), bandwidth={"uplink": 8.0})
    simulation = Simulation([scenario.system], places=True)
    simulation.start(0, instance)
    while not simulation.ended(0):
        simulation.place(0, placing.first_route + pair)
    log = simulation.log(0)
    return float(log.delay.mean()), float(log.correct.mean())


def test_without_load_the_expected_seconds_are_the_simulators_for_every_pair() -> None:
    env, layout, rows = observed(quiet(interval_seconds=400.0))
    seconds = expected_seconds(rows, layout, present(rows, layout), False)[0]
    for pair in range(pairs_of(L)):
        delay, accuracy = simulated(env.scenarios[0], pair)
        assert seconds[pair] == pytest.approx(delay, rel=1e-6)
        assert rows.accuracy[0, pair] == pytest.approx(accuracy, abs=1e-6)


def test_the_best_pair_of_the_expression_is_the_best_by_simulation() -> None:
    given = quiet(interval_seconds=400.0, cost={"delay_weight": 1, "error_weight": 0.3})
    env, _, rows = observed(given)
    costs = [
        delay + 0.3 * (1.0 - accuracy)
        for delay, accuracy in (simulated(env.scenarios[0], k) for k in range(pairs_of(L)))
    ]
    best = make_policy("exhaustive-unloaded", env).predict(env.reset(seed=0)[0])[0]
    assert int(best) == int(np.argmin(costs))
    assert rows.accuracy[0, int(best)] > 0.0


def correlated() -> dict[str, Any]:
    """Half of the inputs leave at any head, the others at none before the last."""
    easy = np.arange(SAMPLES) % 2 == 0
    confidence = np.where(easy[:, None], 0.95, 0.05) * np.ones((1, L + 1))
    return {"confidence": confidence.tolist(), "correct": np.ones((SAMPLES, L + 1), int).tolist()}


def test_independent_exits_would_pick_another_pair_than_the_joint_shares() -> None:
    given = quiet(correlated(), interval_seconds=400.0, cost={"delay_weight": 1})
    env, layout, rows = observed(given)
    at = present(rows, layout)
    first, second = layout.first, layout.second
    inner = (first > 0) & (second > first) & (second < L)
    assert rows.share[0, pair_number(1, 2)].tolist() == pytest.approx([0.5, 0.0])
    apart = rows.share.copy()
    apart[0, inner, 1] = 0.25
    wrong = rows._replace(share=apart)
    joint = expected_cost(rows, layout, at, False)[0, : pairs_of(L)]
    naive = expected_cost(wrong, layout, at, False)[0, : pairs_of(L)]
    true = [simulated(env.scenarios[0], k)[0] for k in range(pairs_of(L))]
    chosen = inner[: pairs_of(L)]
    best_naive = int(np.argmin(np.where(chosen, naive, np.inf)))
    best_joint = int(np.argmin(np.where(chosen, joint, np.inf)))
    assert joint == pytest.approx(true, rel=1e-6)
    assert naive[best_naive] < true[best_naive] - 1e-4
    assert true[best_joint] <= true[best_naive]


def test_a_wait_is_that_of_a_queue_with_deterministic_service() -> None:
    load, service = np.array([0.0, 0.5, 0.9]), np.full(3, 2.0)
    steady = wait(load, service, np.ones(3), 0.95)
    assert steady == pytest.approx(load * service / (2 * (1 - load)))
    rising = wait(np.linspace(0.0, 3.0, 50), np.ones(50), np.full(50, 4.0))
    assert (np.diff(rising) > 0.0).all()
    assert wait(np.array([0.5]), np.zeros(1), np.ones(1)) == 0.0


def test_the_scan_finds_what_single_steps_miss() -> None:
    cost = np.full((7, 7), 5.0)
    cost[2, 4] = 3.0
    cost[0, 4] = 2.0
    cost[0, 6] = 1.0

    def of(ends: tuple[int, int]) -> float:
        return float(cost[ends])

    assert search(of, 6, "hill-climb") == (2, 4)
    assert search(of, 6, "scan") == (0, 6)
    cost[5, 6] = 0.5
    assert search(of, 6, "scan") == (5, 6)
    assert search(of, 6, "single-pass") == (0, 6)


def test_single_tiers_and_thirds_are_what_they_say() -> None:
    env, _, _ = observed(quiet())
    observation, _ = env.reset(seed=1)
    expected = {
        "terminal-only": pair_number(L, L),
        "edge-only": pair_number(0, L),
        "cloud-only": pair_number(0, 0),
    }
    for name, pair in expected.items():
        assert int(make_policy(name, env).predict(observation)[0]) == pair
    even = copy.deepcopy(observation)
    even["block_macs"][:L] = [1.0, 1.0, 1.0, 3.0]
    assert int(make_policy("equal-macs", env).predict(even)[0]) == pair_number(2, 3)


def test_moving_has_a_price_for_the_policy_that_counts_it() -> None:
    given = quiet()
    for node in given["nodes"].values():
        node["load_rate"] = 1e5
    env, _, _ = observed(given)
    env.reset(seed=0)
    observation = env.step(pair_number(1, 1))[0]
    policy = make_policy("switching-aware", env)
    rows = Layout.of(env).rows(observation)[0]
    seconds = policy._load_seconds(rows)[0]  # pyright: ignore
    assert seconds[pair_number(1, 1)] == 0.0
    assert seconds[pair_number(4, 4)] == pytest.approx((2e5 + 3e5 + 4e5) / 1e5)
    assert seconds[pair_number(0, 4)] == pytest.approx(1e6 / 1e5)


@pytest.mark.parametrize("name", sorted({*policy_names(ID)} - {"static-best"}))
def test_rows_are_decided_as_each_alone_and_the_mask_is_obeyed(name: str) -> None:
    given = small_placement.tight()
    many: Any = gym.make_vec(ID, num_envs=4, scenario=given)
    one: Any = gym.make(ID, scenario=given)
    together, alone = make_policy(name, many), make_policy(name, one)
    observation, _ = many.reset(seed=0)
    for _ in range(10):
        if name == "random":
            together.seed([1, 2, 3, 4])  # pyright: ignore
        actions, _ = together.predict(observation)
        assert actions.dtype == np.int64
        for row in range(4):
            if name == "random":
                alone.seed([row + 1])  # pyright: ignore
            single = {k: v[row] for k, v in observation.items()}
            assert int(alone.predict(single)[0]) == actions[row]
            assert observation["action_mask"][row, actions[row]] == 1
        observation, *_ = many.step(actions)


def test_a_backlog_is_waited_for_until_it_has_drained() -> None:
    backlog, interval = np.array([1.0, 1.0, 10.0]), np.array([4.0, 4.0, 4.0])
    load = np.array([0.0, 0.5, 1.0])
    # 1 s drains in 1 s: half a second for a quarter of the arrivals; in 2 s: for half; never.
    assert draining(backlog, load, interval) == pytest.approx([0.125, 0.25, 10.0])


def test_the_best_single_pair_is_no_worse_than_any_that_never_moves() -> None:
    many: Any = gym.make_vec(ID, num_envs=2, scenario=small_placement.tight())
    costs: dict[str, list[float]] = {}
    for name in ("static-best", "edge-only", "cloud-only", "terminal-only", "equal-macs"):
        policy = make_policy(name, many)
        observation, _ = many.reset(seed=4)
        over, total = np.zeros(2, bool), np.zeros(2)
        while not over.all():
            observation, reward, ended, _, _ = many.step(policy.predict(observation)[0])
            total -= np.where(over, 0.0, reward)
            over |= ended
        costs[name] = total.tolist()
    best = np.array(costs.pop("static-best"))
    assert (best <= np.array(list(costs.values())).min(axis=0) + 1e-9).all()
