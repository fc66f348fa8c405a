"""Decisions a second, by rows, beside CartPole's environments in the same run."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import gymnasium as gym
import numba
import numpy as np
from numpy.typing import NDArray

import tiergym  # noqa: F401 (registers the environments)

ID = "tiergym/TaskScheduling-v0"
REPEATS = 3


@numba.njit
def pick_legal(mask: Any, draws: Any, actions: Any) -> None:
    """A random legal action a row: the mask is int8[n, A], ``draws`` uniform float64[n]."""
    for row in range(len(actions)):
        legal = 0
        for action in range(mask.shape[1]):
            legal += mask[row, action]
        rank = int(draws[row] * legal)
        action = -1
        while rank >= 0:
            action += 1
            rank -= mask[row, action]
        actions[row] = action


def best_seconds(work: Callable[[], object], repeats: int = REPEATS) -> float:
    """Wall seconds of the fastest of a few repeats."""
    seconds = []
    for _ in range(repeats):
        began = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - began)
    return min(seconds)


def record(env: Any, rows: int, steps: int, seed: int = 0) -> NDArray[np.int64]:
    """Random legal actions, int64[steps, rows], to be replayed after a reset with ``seed``."""
    np_random, actions = np.random.default_rng(seed), np.zeros((steps, rows), np.int64)
    mask = env.reset(seed=seed)[0]["action_mask"]
    for step in range(steps):
        pick_legal(mask, np_random.random(rows), actions[step])
        mask = env.step(actions[step])[0]["action_mask"]
    return actions


def vector_rate(rows: int, steps: int, **given: Any) -> float:
    """Decisions a second of the vector environment under random legal actions, resets included.

    The actions are recorded first and replayed, so that choosing them is not timed (CartPole's are
    drawn beforehand too). Timing begins once rows end at times of their own, as in long use.
    """
    env = gym.make_vec(ID, num_envs=rows, **given)
    warm_up = warm_up_steps(env)
    actions = record(env, rows, warm_up + steps)
    seconds = []
    for _ in range(REPEATS):
        env.reset(seed=0)
        for action in actions[:warm_up]:
            env.step(action)
        began = time.perf_counter()
        for action in actions[warm_up:]:
            env.step(action)
        seconds.append(time.perf_counter() - began)
    return rows * steps / min(seconds)


def played_rate(rows: int, steps: int, **given: Any) -> float:
    """Decisions a second from the start of long episodes, none of which ends."""
    env = gym.make_vec(ID, num_envs=rows, **given)
    actions = record(env, rows, min(steps, warm_up_steps(env) // 10))
    env.reset(seed=0)
    began = time.perf_counter()
    for action in actions:
        env.step(action)
    return actions.size / (time.perf_counter() - began)


def warm_up_steps(env: Any) -> int:
    """Steps until rows end at times of their own, so that resets are spread as in long use."""
    expected = float(np.mean([s.rate * s.window for s in env.unwrapped.scenarios]))
    return int(2 * expected)


def cartpole_vector_rate(rows: int, steps: int) -> float:
    """The same for CartPole's vector environment."""
    env = gym.make_vec("CartPole-v1", num_envs=rows, vectorization_mode="vector_entry_point")
    env.reset(seed=0)
    actions = np.random.default_rng(0).integers(2, size=(steps, rows))

    def play() -> None:
        for action in actions:
            env.step(action)

    return rows * steps / best_seconds(play)


def single_rate(episodes: int, **given: Any) -> float:
    """Steps a second through ``gym.make`` under replayed random legal actions, resets included."""
    env = gym.make(ID, **given)
    env.reset(seed=0)
    np_random = np.random.default_rng(0)
    recorded = [record_episode(env, np_random) for _ in range(episodes)]

    def play() -> None:
        env.reset(seed=0)
        for actions in recorded:
            env.reset()
            for action in actions:
                env.step(action)

    return sum(map(len, recorded)) / best_seconds(play)


def record_episode(env: Any, np_random: np.random.Generator) -> list[int]:
    """Random legal actions to the end of the next episode."""
    actions: list[int] = []
    terminated = False
    mask = env.reset()[0]["action_mask"]
    while not terminated:
        actions.append(int(np_random.choice(np.flatnonzero(mask))))
        observation, _, terminated, _, _ = env.step(actions[-1])
        mask = observation["action_mask"]
    return actions


def cartpole_single_rate(steps: int) -> float:
    """The same for CartPole, its actions drawn beforehand."""
    env = gym.make("CartPole-v1")
    env.reset(seed=0)
    actions = np.random.default_rng(0).integers(2, size=steps)

    def play() -> None:
        for action in actions:
            _, _, terminated, truncated, _ = env.step(action)
            if terminated or truncated:
                env.reset()

    return steps / best_seconds(play)


def reset_seconds(rows: int) -> float:
    """Seconds to reset all rows together, draws included."""
    env = gym.make_vec(ID, num_envs=rows)
    env.reset(seed=0)
    return best_seconds(lambda: env.reset(seed=1))
