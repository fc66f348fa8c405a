"""Copying an episode in the middle, with its own future and with others."""

from __future__ import annotations

import pickle
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

from tests.envs import small
from tiergym import InvalidInput
from tiergym.testing import legal_actions

ID = "tiergym/TaskScheduling-v0"


def begun(name: str, decisions: int = 40, seed: int = 0) -> tuple[Any, np.random.Generator]:
    env = gym.make(ID, scenario=small.ALL[name]()).unwrapped
    observation, _ = env.reset(seed=seed)
    np_random = np.random.default_rng(seed)
    for _ in range(decisions):
        action = int(np_random.choice(np.flatnonzero(observation["action_mask"])))
        observation, *_ = env.step(action)
    return env, np_random


def to_the_end(env: Any, choice: int) -> tuple[float, Any]:
    total, terminated = 0.0, False
    while not terminated:
        action = int(np.flatnonzero(env.action_masks())[choice])
        _, reward, terminated, _, _ = env.step(action)
        total += reward
    return total, env.task_log()


@pytest.mark.parametrize("name", small.ALL)
def test_a_restored_snapshot_goes_on_in_every_bit(name: str) -> None:
    env, _ = begun(name)
    snapshot = pickle.loads(pickle.dumps(env.snapshot()))
    first, log = to_the_end(env, -1)
    other: Any = gym.make(ID, scenario=small.ALL[name]()).unwrapped
    other.reset(seed=99)
    for target in (env, other):
        observation = target.restore(snapshot)
        assert observation["action_mask"].any()
        again, same = to_the_end(target, -1)
        assert first == again
        assert log.finish.tobytes() == same.finish.tobytes()


@pytest.mark.parametrize("name", small.ALL)
@pytest.mark.parametrize("choice", [0, -1])
def test_a_redrawn_future_keeps_the_past_and_plays_to_its_end(name: str, choice: int) -> None:
    env, _ = begun(name)
    snapshot, log = env.snapshot(), env.task_log()
    shown = env.restore(snapshot)
    now = float(env._episodes.rows.simulation.head(0)["clock"])
    past = log.arrival <= now
    logs = []
    for seed in range(6):
        redrawn = env.restore(snapshot, future=np.random.default_rng(seed))
        assert all((shown[k] == redrawn[k]).all() for k in shown if k != "uplink")
        assert np.allclose(shown["uplink"], redrawn["uplink"], atol=1e-6)
        _, played = to_the_end(env, choice)
        assert not np.isnan(played.finish[played.charged]).any()
        assert (played.arrival[: past.sum()] == log.arrival[past]).all()
        assert (played.arrival[past.sum() :] > now).all()
        done = past.nonzero()[0][~np.isnan(log.finish[past])]
        assert (played.finish[done] == log.finish[done]).all()
        ended_later = ~np.isnan(log.finish[past]) | (played.finish[: past.sum()] > now - 1e-12)
        assert ended_later.all()
        logs.append(played)
    assert len({one.arrival.tobytes() for one in logs}) == len(logs), "futures are all alike"


def test_a_redrawn_future_is_a_function_of_its_generator() -> None:
    env, _ = begun("three-tiers")
    snapshot = env.snapshot()
    totals = []
    for _ in range(2):
        env.restore(snapshot, future=np.random.default_rng(7))
        totals.append(to_the_end(env, -1)[0])
    assert totals[0] == totals[1]


def test_redrawn_arrivals_follow_the_scenarios_rate() -> None:
    """Poisson with 200 a second over the half of a window that is left: within 4 errors."""
    env, _ = begun("small")
    snapshot = env.snapshot()
    now = float(env._episodes.rows.simulation.head(0)["clock"])
    counts = []
    for seed in range(200):
        env.restore(snapshot, future=np.random.default_rng(seed))
        counts.append(int((env.task_log().arrival > now).sum()))
    expected = 200 * (0.5 - now)
    assert abs(np.mean(counts) - expected) < 4 * np.sqrt(expected / len(counts))
    assert np.var(counts) == pytest.approx(expected, rel=0.5)


def test_snapshots_of_vector_rows_are_those_of_single_environments() -> None:
    vector: Any = gym.make_vec(ID, num_envs=3, scenario=small.scenario()).unwrapped
    observation, _ = vector.reset(seed=0)
    np_random = np.random.default_rng(0)
    for _ in range(30):
        observation, *_ = vector.step(legal_actions(observation, np_random))
    snapshots = vector.snapshot()
    futures = [np.random.default_rng(k) for k in range(3)]
    shown = vector.restore(snapshots[::-1], future=futures)
    for row, snapshot in enumerate(snapshots[::-1]):
        env: Any = gym.make(ID, scenario=small.scenario()).unwrapped
        own = env.restore(snapshot, future=np.random.default_rng(row))
        assert all((own[k] == shown[k][row]).all() for k in own)
    with pytest.raises(InvalidInput, match="snapshots"):
        vector.restore(snapshots[:2])
    with pytest.raises(InvalidInput, match="future"):
        vector.restore(snapshots, future=futures[:2])


def test_a_snapshot_goes_into_any_environment_that_plays_its_scenario() -> None:
    env, _ = begun("small")
    other: Any = gym.make(ID, scenario=[small.lonely(), small.scenario()]).unwrapped
    snapshot = env.snapshot()
    shown = other.restore(snapshot)
    assert all((shown[k] == env.restore(snapshot)[k]).all() for k in shown)
    assert to_the_end(other, -1)[0] == to_the_end(env, -1)[0]


def test_a_snapshot_of_another_system_is_refused() -> None:
    env, _ = begun("small")
    stranger: Any = gym.make(ID, scenario=small.lonely()).unwrapped
    with pytest.raises(InvalidInput, match="another system"):
        stranger.restore(env.snapshot())
    for snapshot, future, field in (("x", None, "snapshot"), (env.snapshot(), 3, "future")):
        with pytest.raises(InvalidInput, match=field):
            env.restore(snapshot, future=future)


def test_a_snapshot_before_the_first_reset_is_refused() -> None:
    env: Any = gym.make(ID, scenario=small.scenario()).unwrapped
    with pytest.raises(InvalidInput, match="has been reset"):
        env.snapshot()
