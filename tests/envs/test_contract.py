"""Gymnasium's contract, for whatever tiergym has registered."""

from __future__ import annotations

import copy
import json
import pickle
import subprocess
import sys
import warnings
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.envs.registration import EnvSpec
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import AutoresetMode
from stable_baselines3.common.env_checker import check_env as check_env_sb3

import tiergym.envs
from baselines import make_policy
from tests.envs import small, small_placement, small_selection
from tiergym.testing import check_vector_env, legal_actions

IDS = sorted(tiergym.envs.ENVIRONMENTS)
SMALL = {
    "tiergym/TaskScheduling-v0": small.ALL,
    "tiergym/ExitPlacement-v0": small_placement.ALL,
    "tiergym/EdgeSelection-v0": small_selection.ALL,
}
POLICIES = {
    "tiergym/TaskScheduling-v0": ("random", "priority+upload", "fcfs"),
    "tiergym/ExitPlacement-v0": ("random", "greedy", "terminal-only"),
    "tiergym/EdgeSelection-v0": ("random", "least-load", "two-stage"),
}
SIZE: dict[str, dict[str, Any]] = {
    "tiergym/TaskScheduling-v0": {"batch_sizes": [1, 2, 8]},
    "tiergym/ExitPlacement-v0": {"max_blocks": 6},
    "tiergym/EdgeSelection-v0": {"max_edges": 5},
}
CASES = [(env_id, name) for env_id in IDS for name in SMALL[env_id]]


def test_every_registered_id_is_tested() -> None:
    registered = {name for name in gym.registry if name.startswith("tiergym/")}
    assert registered == set(IDS) == set(SMALL)


def test_registering_again_changes_nothing() -> None:
    before = dict(gym.registry)
    tiergym.envs.register()
    assert dict(gym.registry) == before


@pytest.mark.parametrize("env_id", IDS)
def test_gymnasiums_and_sb3s_checkers_have_nothing_to_say(env_id: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_env(gym.make(env_id).unwrapped, skip_render_check=False)
        check_env_sb3(gym.make(env_id))


@pytest.mark.parametrize(("env_id", "name"), CASES)
def test_vector_rows_equal_sync_vector_env(env_id: str, name: str) -> None:
    check_vector_env(env_id, num_envs=3, steps=400, scenario=SMALL[env_id][name]())


@pytest.mark.parametrize("env_id", IDS)
def test_vector_rows_equal_sync_vector_env_when_truncated(env_id: str) -> None:
    given = SMALL[env_id]["small"]()
    check_vector_env(env_id, num_envs=3, steps=100, max_episode_steps=5, scenario=given)


def test_vector_rows_equal_sync_vector_env_where_episodes_have_no_decision() -> None:
    env_id = "tiergym/TaskScheduling-v0"
    env = gym.make(env_id, scenario=small.idle_edge())
    decisions = []
    for seed in range(20):
        observation, _ = env.reset(seed=seed)
        decisions.append(int(observation["action_mask"].sum()) > 1)
    assert 0 < sum(decisions) < 20, "some episodes have decisions, some have none"
    check_vector_env(env_id, num_envs=4, steps=60, scenario=small.idle_edge())


@pytest.mark.parametrize("env_id", IDS)
def test_vector_rows_equal_sync_vector_env_on_the_default_split(env_id: str) -> None:
    check_vector_env(env_id, num_envs=4, steps=500)


def play(env: Any, seed: int, steps: int = 200) -> list[Any]:
    """Observations, rewards and ends of random legal actions."""
    observation, info = env.reset(seed=seed)
    np_random = np.random.default_rng(seed)
    told: list[Any] = [observation, info]
    for _ in range(steps):
        mask = observation["action_mask"]
        observation, *rest = env.step(int(np_random.choice(np.flatnonzero(mask))))
        told += [observation, *rest]
        if rest[1]:
            observation, info = env.reset()
            told += [observation, info]
    return told


def as_bytes(told: list[Any]) -> bytes:
    plain = [
        {k: v.tobytes() for k, v in part.items()}
        if isinstance(part, dict) and "action_mask" in part
        else part
        for part in told
    ]
    return repr(plain).encode()


@pytest.mark.parametrize(("env_id", "name"), CASES)
def test_a_replay_is_equal_in_every_bit(env_id: str, name: str) -> None:
    env = gym.make(env_id, scenario=SMALL[env_id][name]())
    first = as_bytes(play(env, 3))
    assert first == as_bytes(play(env, 3))
    assert first == as_bytes(play(gym.make(env_id, scenario=SMALL[env_id][name]()), 3))
    assert first != as_bytes(play(env, 4))


@pytest.mark.parametrize(("env_id", "name"), CASES)
def test_copies_and_pickles_go_on_alike(env_id: str, name: str) -> None:
    env: Any = gym.make(env_id, scenario=SMALL[env_id][name]()).unwrapped
    env.reset(seed=1)
    for _ in range(5):
        if env.step(int(np.flatnonzero(env.action_masks())[-1]))[2]:
            env.reset()
    copies = [copy.deepcopy(env), pickle.loads(pickle.dumps(env))]
    for _ in range(100):
        action = int(np.flatnonzero(env.action_masks())[0])
        told = env.step(action)
        for other in copies:
            assert as_bytes(list(other.step(action))) == as_bytes(list(told))
        if told[2]:
            break


SCRIPT = """
import sys
from tests.envs.test_contract import *
env = gym.make(sys.argv[1], scenario=SMALL[sys.argv[1]]["small"]())
sys.stdout.buffer.write(as_bytes(play(env, 9)))
"""


@pytest.mark.parametrize("env_id", IDS)
def test_another_process_sees_the_same(env_id: str) -> None:
    env = gym.make(env_id, scenario=SMALL[env_id]["small"]())
    run = subprocess.run([sys.executable, "-c", SCRIPT, env_id], capture_output=True, check=True)
    assert run.stdout == as_bytes(play(env, 9))


@pytest.mark.parametrize("env_id", IDS)
def test_the_spec_goes_through_json(env_id: str) -> None:
    given = SMALL[env_id]["small"]()
    env: Any = gym.make(env_id, scenario=given, **SIZE[env_id])
    spec = EnvSpec.from_json(env.spec.to_json())
    again = gym.make(spec)
    assert as_bytes(play(env, 5, 50)) == as_bytes(play(again, 5, 50))
    vector: Any = gym.make_vec(env_id, num_envs=2, autoreset_mode="SameStep", scenario=given)
    assert json.loads(vector.spec.to_json())["kwargs"]["autoreset_mode"] == "SameStep"


@pytest.mark.parametrize("env_id", IDS)
def test_every_observation_is_in_its_space_and_clear_of_its_bounds(env_id: str) -> None:
    env = gym.make_vec(env_id, num_envs=16)
    observation, _ = env.reset(seed=0)
    np_random = np.random.default_rng(0)
    for _ in range(300):
        assert env.observation_space.contains(observation)
        observation, *_ = env.step(legal_actions(observation, np_random))
    assert {field.dtype.name for field in observation.values()} == {"float32", "int8"}


@pytest.mark.parametrize("env_id", IDS)
def test_disabled_autoreset_lets_finished_rows_stand_still(env_id: str) -> None:
    mode, given = AutoresetMode.DISABLED.value, SMALL[env_id]["small"]()
    env = gym.make_vec(env_id, num_envs=3, autoreset_mode=mode, scenario=given)
    observation, _ = env.reset(seed=2)
    np_random = np.random.default_rng(2)
    over = np.zeros(3, bool)
    frozen: dict[int, Any] = {}
    while not over.all():
        observation, reward, terminated, _, info = env.step(legal_actions(observation, np_random))
        for row in np.flatnonzero(terminated).tolist():
            if row in frozen:
                assert reward[row] == 0
                assert not info.get("_metrics", np.zeros(3))[row]
                assert all((observation[k][row] == v).all() for k, v in frozen[row].items())
            frozen[row] = {k: v[row] for k, v in observation.items()}
            assert np.flatnonzero(observation["action_mask"][row]).tolist() == [0]
        over = terminated


@pytest.mark.parametrize(("env_id", "name"), [(k, name) for k in IDS for name in POLICIES[k]])
def test_no_reference_policy_reaches_a_bound_that_clips(env_id: str, name: str) -> None:
    """Lower bounds mark what is absent; the age of what was never told stands below its bound."""
    for split in ("train", "test"):
        env: Any = gym.make_vec(env_id, num_envs=18, scenario=split, autoreset_mode="Disabled")
        policy = make_policy(name, env)
        highest = {k: np.asarray(v) for k, v in env.reset(seed=0)[0].items()}
        observation, over, state = highest, np.zeros(18, bool), None
        while not over.all():
            actions, state = policy.predict(observation, state)
            observation, _, over, _, _ = env.step(actions)
            highest = {k: np.maximum(v, observation[k]) for k, v in highest.items()}
        for field, value in highest.items():
            space = env.observation_space[field]
            if field != "action_mask":
                assert (value < space.high).all(), field
