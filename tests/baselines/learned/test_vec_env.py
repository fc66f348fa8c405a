from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.wrappers import TimeLimit
from sb3_contrib.common.maskable.utils import get_action_masks, is_masking_supported
from stable_baselines3.common.monitor import Monitor
from stable_baselines3.common.vec_env import DummyVecEnv

from baselines.learned.flat import Flat
from baselines.learned.vec_env import SB3VecEnv
from tests.baselines.learned.tiny import EXIT_PLACEMENT, SIZES, TASK_SCHEDULING, uploading_pays
from tests.envs import small, small_placement
from tiergym.errors import InvalidInput

ROWS, STEPS, SEED = 3, 400, 7
CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "task scheduling, two scenarios": (
        TASK_SCHEDULING,
        {"scenario": [small.scenario(window=0.1), small.lonely()]},
    ),
    "task scheduling, cut short": (
        TASK_SCHEDULING,
        {"scenario": small.scenario(), "max_episode_steps": 17},
    ),
    "exit placement": (EXIT_PLACEMENT, {"scenario": small_placement.scenario()}),
}


def both(env_id: str, arguments: dict[str, Any]) -> tuple[SB3VecEnv, DummyVecEnv]:
    def make() -> gym.Env[Any, Any]:
        return Monitor(gym.make(env_id, **arguments))

    makers: list[Callable[[], gym.Env[Any, Any]]] = [make] * ROWS
    return SB3VecEnv(env_id, ROWS, **arguments), DummyVecEnv(makers)


def same(first: Any, second: Any) -> None:
    """Equal to the last bit, and of the same types all through."""
    if isinstance(first, dict):
        assert first.keys() == second.keys()
        for name in first:
            if name != "t":
                same(first[name], second[name])
    elif isinstance(first, np.ndarray):
        assert (first.dtype, first.shape) == (second.dtype, second.shape)
        np.testing.assert_array_equal(first, second)
    else:
        assert type(first) is type(second)
        assert first == second or (np.isnan(first) and np.isnan(second))


@pytest.mark.parametrize("case", CASES)
def test_transitions_are_those_of_dummy_vec_env(case: str) -> None:
    ours, theirs = both(*CASES[case])
    assert ours.observation_space == theirs.observation_space
    assert ours.action_space == theirs.action_space
    assert list(ours.seed(SEED)) == list(theirs.seed(SEED))
    same(ours.reset(), dict(theirs.reset()))  # type: ignore[arg-type]
    same(ours.reset_infos[0], theirs.reset_infos[0])
    np_random, ended, cut = np.random.default_rng(0), 0, 0
    for _ in range(STEPS):
        masks = get_action_masks(ours)
        same(masks, get_action_masks(theirs))
        actions = (np_random.random(masks.shape) * masks).argmax(1)
        mine, other = ours.step(actions), theirs.step(actions)
        same(mine[0], dict(other[0]))  # type: ignore[arg-type]
        same(mine[1], other[1])
        same(mine[2], other[2])
        for row in range(ROWS):
            same(mine[3][row], other[3][row])
            same(ours.reset_infos[row], theirs.reset_infos[row])
            ended += "episode" in mine[3][row]
            cut += mine[3][row]["TimeLimit.truncated"]
    assert ended >= 3 * ROWS
    assert (cut > 0) == ("cut" in case)


def test_resetting_without_a_seed_goes_on_with_the_generators() -> None:
    ours, theirs = both(*CASES["exit placement"])
    for env in (ours, theirs):
        env.seed(SEED)
        env.reset()
    same(ours.reset(), dict(theirs.reset()))  # type: ignore[arg-type]


def test_episode_statistics_are_those_of_the_metrics() -> None:
    env = SB3VecEnv(TASK_SCHEDULING, 1, scenario=small.scenario(), reward_scale={"small": 3.0})
    plain = SB3VecEnv(TASK_SCHEDULING, 1, scenario=small.scenario())
    for one in (env, plain):
        one.seed(0)
        one.reset()
    done = np.array([False])
    info: dict[str, Any] = {}
    while not done[0]:
        actions = get_action_masks(env).argmax(1)
        _, rewards, done, (info,) = env.step(actions)
        np.testing.assert_allclose(rewards, 3.0 * plain.step(actions)[1], rtol=1e-6)
    assert info["episode"]["r"] == pytest.approx(-info["metrics"]["cost"], rel=1e-6)
    assert info["episode"]["l"] == info["metrics"]["decisions"]
    assert info["episode"]["t"] >= 0.0


def test_flat_observations_hold_the_fields_in_their_order() -> None:
    space: Any = gym.make(TASK_SCHEDULING, scenario=uploading_pays(), **SIZES).observation_space
    for masked in (True, False):
        flat = Flat(space, masked)
        arguments = {"scenario": uploading_pays(), **SIZES}
        env = SB3VecEnv(TASK_SCHEDULING, ROWS, flat, **arguments)
        plain = SB3VecEnv(TASK_SCHEDULING, ROWS, **arguments)
        env.seed(1)
        plain.seed(1)
        observation, fields = env.reset(), plain.reset()
        assert ("action_mask" in flat.fields) == masked
        assert observation.shape == (ROWS, *env.observation_space.shape)  # type: ignore[misc]
        assert env.observation_space.contains(observation[0])
        same(observation, np.concatenate([fields[n] for n in flat.fields], 1, dtype=np.float32))


def test_attributes_and_methods_by_row() -> None:
    env = SB3VecEnv(TASK_SCHEDULING, ROWS, scenario=uploading_pays(), **SIZES)
    env.seed(0)
    env.reset()
    assert is_masking_supported(env)
    assert not env.has_attr("nothing")
    assert env.get_attr("num_envs", indices=[0, 1]) == [ROWS, ROWS]
    masks = env.env_method("action_masks", indices=[2])
    assert np.array_equal(masks[0], env.get_attr("action_masks")[2]())
    assert len(env.env_method("task_log", indices=1)) == 1
    env.set_attr("level", 4)
    env.set_attr("level", 5, indices=1)
    assert env.get_attr("level") == [4, 5, 4]
    assert env.env_is_wrapped(Monitor) == [True] * ROWS
    assert env.env_is_wrapped(TimeLimit, indices=0) == [False]
    with pytest.raises(InvalidInput, match="action_masks"):
        env.env_method("reset")
    env.close()


def test_what_it_cannot_wrap_is_refused() -> None:
    with pytest.raises(InvalidInput, match="SameStep"):
        SB3VecEnv(gym.make_vec(TASK_SCHEDULING, 2, "vector_entry_point", scenario=uploading_pays()))
    env = SB3VecEnv(TASK_SCHEDULING, 2, scenario=uploading_pays())
    env.set_options([{"scenario": "uploading-pays"}, {}])
    with pytest.raises(InvalidInput, match="the same for every row"):
        env.reset()
