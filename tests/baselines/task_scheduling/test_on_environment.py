"""Every registered policy plays whole episodes of small scenarios, by itself and in rows."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
import pytest

from baselines import make_policy, policy_names
from tests.envs import small
from tiergym import InvalidInput, rollout

ID = "tiergym/TaskScheduling-v0"
SEEDS = [5, 6, 7]
CHEAP: dict[str, dict[str, Any]] = {"lookahead": {"futures": 2, "horizon": 5, "horizon_queue": 0}}


def episode(name: str) -> dict[str, Any]:
    """The small scenario of that name, cut to a length that a planner plays quickly."""
    return {**small.ALL[name](), "window": 0.2}


@pytest.mark.parametrize("scenario", small.ALL)
@pytest.mark.parametrize("name", policy_names())
def test_rows_play_as_single_environments_do(name: str, scenario: str) -> None:
    """Illegal actions raise in `rollout`, so this shows too that none is ever taken."""
    given: Any = {"scenario": episode(scenario)}
    options = CHEAP.get(name, {})
    envs = gym.make_vec(ID, len(SEEDS), "vector_entry_point", **given)
    together = rollout(envs, make_policy(name, envs, **options), SEEDS)
    env = gym.make(ID, **given)
    policy = make_policy(name, env, **options)
    for seed, log in zip(SEEDS, together, strict=True):
        alone = rollout(env, policy, seed)
        assert alone.finish.tobytes() == log.finish.tobytes()
        assert alone.pre_uploaded.tobytes() == log.pre_uploaded.tobytes()
        assert len(alone.finish) > 10


def test_rules_play_gymnasium_s_own_vector_environments() -> None:
    given: Any = {"scenario": episode("small")}
    logs = []
    for mode in ("sync", "vector_entry_point"):
        envs = gym.make_vec(ID, 2, mode, **given)
        logs.append(rollout(envs, make_policy("priority+upload", envs), [1, 2]))
    for one, other in zip(*logs, strict=True):
        assert one.finish.tobytes() == other.finish.tobytes()


def test_the_planner_says_which_environments_it_needs() -> None:
    envs = gym.make_vec(ID, 2, "sync", scenario=small.scenario())  # type: ignore[call-arg]
    with pytest.raises(InvalidInput, match="vector_entry_point"):
        make_policy("lookahead", envs)


@pytest.mark.parametrize(
    ("name", "uploads"),
    [("fcfs-batched", False), ("priority", False), ("priority+upload", True), ("sufferage", True)],
)
def test_only_policies_with_pre_upload_upload(name: str, uploads: bool) -> None:
    busy = small.scenario(arrivals={"process": "poisson", "rate": 400})
    env = gym.make(ID, scenario=busy)
    logs = [rollout(env, make_policy(name, env), seed) for seed in SEEDS]
    assert any(log.pre_uploaded.any() for log in logs) == uploads


def test_waiting_time_by_hand() -> None:
    """Both networks at once while the first task runs: the order of runs is the policy's.

    Task 0 of `large` runs from 0 to 10 ms. At 1 ms come two of `large` (13.33 ms as a batch:
    2 / 0.0129 = 156 a second), at 2 ms one of `small` (4 ms: 250 a second).
    """
    env: Any = gym.make(ID, scenario=small.lonely())
    arrival = [0.0, 0.001, 0.001, 0.002]
    instance = env.unwrapped.scenarios[0].instance(arrival, network=[1, 1, 1, 0])
    finish = {
        name: rollout(env, make_policy(name, env), 0, options={"instance": instance}).finish
        for name in ("fcfs", "fcfs-batched", "priority", "priority-unbatched")
    }
    pair = 0.01 + 0.02 / 7
    assert np.allclose(finish["fcfs"], [0.01, 0.02, 0.03, 0.034])
    assert np.allclose(finish["fcfs-batched"], [0.01, 0.01 + pair, 0.01 + pair, 0.014 + pair])
    assert np.allclose(finish["priority"], [0.01, 0.014 + pair, 0.014 + pair, 0.014])
    assert np.allclose(finish["priority-unbatched"], [0.01, 0.024, 0.034, 0.014])
