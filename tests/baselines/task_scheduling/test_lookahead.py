"""The planner: it never sees the true future, and it finds what its rules miss."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
import pytest

from baselines import make_policy
from baselines.task_scheduling._futures import Futures
from baselines.task_scheduling.lookahead import best_action
from tests.envs import small
from tiergym import InvalidInput, rollout

ID = "tiergym/TaskScheduling-v0"
CHEAP: dict[str, Any] = {"futures": 4, "horizon": 10}


@pytest.fixture
def env() -> Any:
    return gym.make(ID, scenario=small.scenario())


def test_it_needs_no_privilege(env: Any) -> None:
    assert not make_policy("lookahead", env).privileged


def test_the_true_future_changes_nothing(env: Any) -> None:
    """Two worlds that are the same up to now cost the same in the futures drawn from now on."""
    arrival = np.array([0.0] * 9 + [0.02, 0.03, 0.04])
    network = np.array([0, 1, 0] * 4)
    later = arrival + np.where(arrival > 0, 0.1, 0.0)
    other = np.where(arrival > 0, 1 - network, network)
    scenario = env.unwrapped.scenarios[0]
    worlds = [
        scenario.instance(arrival, network=network, bandwidth={"uplink": [[0, 10], [0.01, 5]]}),
        scenario.instance(later, network=other, bandwidth={"uplink": [[0, 10], [0.01, 50]]}),
    ]
    costs, actions = [], []
    for instance in worlds:
        observation, _ = env.reset(options={"instance": instance})
        legal = np.flatnonzero(observation["action_mask"])
        futures = Futures(env.unwrapped, [make_policy("priority+upload", env)])
        drawn = futures.draw(env.unwrapped.snapshot(), 4, np.random.default_rng(3))
        costs.append(futures.costs(drawn, legal, 0.1))
        policy: Any = make_policy("lookahead", env, **CHEAP)
        policy.seed([3])
        actions.append(policy.predict(observation)[0])
    assert costs[0].shape == (1, 4, len(legal))
    assert np.array_equal(costs[0], costs[1])
    assert np.ptp(costs[0], axis=1).min() > 0
    assert actions[0] == actions[1]


def test_costs_are_those_of_the_episode_when_nothing_is_discounted(env: Any) -> None:
    """Every first action followed by a rule to the end costs what the environment charges."""
    observation, _ = env.reset(seed=4)
    legal = np.flatnonzero(observation["action_mask"])
    snapshot = env.unwrapped.snapshot()
    rules = [make_policy(name, env) for name in ("fcfs-batched", "priority")]
    costs = Futures(env.unwrapped, rules).costs([snapshot], legal, seconds=1e9)
    for k, rule in enumerate(rules):
        for j, action in enumerate(legal):
            observation = env.unwrapped.restore(snapshot)
            cost, ended = 0.0, False
            while not ended:
                observation, reward, ended, _, _ = env.unwrapped.step(action)
                cost -= reward
                action, _ = rule.predict(observation)
            assert costs[k, 0, j] == pytest.approx(cost, rel=1e-6)


def test_discount_counts_what_comes_sooner_more(env: Any) -> None:
    observation, _ = env.reset(seed=4)
    legal = np.flatnonzero(observation["action_mask"])
    futures = Futures(env.unwrapped, [make_policy("fcfs-batched", env)])
    short, longer, whole = (
        futures.costs([env.unwrapped.snapshot()], legal, seconds).mean()
        for seconds in (0.01, 0.1, 1e9)
    )
    assert 0 < short < longer < whole


def test_it_finds_the_order_that_its_only_rule_misses() -> None:
    """First come, first served runs two slow tasks (12.9 ms) before a fast one (4 ms)."""
    quiet = {**small.lonely(), "arrivals": {"process": "poisson", "rate": 0.5}, "window": 60}
    env: Any = gym.make(ID, scenario=quiet)
    arrival, network = [0.0, 0.001, 0.001, 0.002], [1, 1, 1, 0]
    instance = env.unwrapped.scenarios[0].instance(arrival, network=network)
    env.reset(options={"instance": instance})
    observation, *_ = env.step(1 + 5)
    rule = make_policy("fcfs-batched", env)
    assert rule.predict(observation)[0] == 1 + 5 + 1
    policy: Any = make_policy("lookahead", env, rules=["fcfs-batched"], horizon_queue=0)
    policy.seed([0])
    assert policy.predict(observation)[0] == 1


def test_it_costs_less_than_its_rules() -> None:
    busy = {"arrivals": {"process": "poisson", "rate": 400}, "window": 0.25}
    envs: Any = gym.make_vec(ID, 3, "vector_entry_point", scenario=small.scenario(**busy))  # type: ignore[call-arg]
    rules = ("fcfs-batched+upload-any", "priority+upload-any")
    policies = {name: make_policy(name, envs) for name in rules}
    policies["lookahead"] = make_policy("lookahead", envs, futures=4, horizon_queue=1)
    delay = {
        name: np.mean([log.delay.mean() for log in rollout(envs, policy, [0, 1, 2])])
        for name, policy in policies.items()
    }
    assert delay["lookahead"] < 0.97 * min(delay[name] for name in rules)


@pytest.mark.parametrize(
    ("gains", "caution", "chosen"),
    [
        ([1.0, 1.1, 0.9], 1.0, 2),  # surely better
        ([3.0, -2.5, 0.1], 1.0, 0),  # 0.2 better, 1.6 standard error
        ([3.0, -2.5, 0.1], 0.0, 2),
        ([-1.0, -1.1, -0.9], 0.0, 0),
    ],
)
def test_a_rule_s_own_action_stands_unless_another_is_surely_better(
    gains: list[float], caution: float, chosen: int
) -> None:
    costs = np.full((2, 3, 3), 10.0)
    costs[1, :, 1] = 8.0  # the second rule itself is better than the first, whose action is 0
    own = np.array([1, 0])
    costs[1, :, 0] = 7.0
    costs[1, :, 2] = 7.0 - np.array(gains)
    assert best_action(costs, own, caution) == chosen


def test_another_moment_s_observation_is_refused(env: Any) -> None:
    policy = make_policy("lookahead", env, **CHEAP)
    first, _ = env.reset(seed=1)
    rollout(env, make_policy("fcfs", env), seed=1)
    with pytest.raises(InvalidInput, match="the present one of env"):
        policy.predict(first)
    envs = gym.make_vec(ID, 2, "vector_entry_point", scenario=small.scenario())  # type: ignore[call-arg]
    with pytest.raises(InvalidInput, match="as env's"):
        policy.predict(envs.reset(seed=1)[0])


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"futures": 1}, "futures"),
        ({"horizon": 0}, "horizon"),
        ({"horizon_queue": -1}, "horizon_queue"),
        ({"caution": float("nan")}, "caution"),
        ({"rules": "priority"}, "rules"),
        ({"rules": []}, "rules"),
        ({"rules": ["priorty"]}, "mean 'priority'"),
    ],
)
def test_wrong_options_are_named(options: dict[str, Any], field: str, env: Any) -> None:
    with pytest.raises(InvalidInput, match=field):
        make_policy("lookahead", env, **options)


def test_one_seed_a_row(env: Any) -> None:
    policy: Any = make_policy("lookahead", env)
    with pytest.raises(InvalidInput, match="seeds"):
        policy.seed([1, 2])
