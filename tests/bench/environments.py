"""Decisions a second, by rows, beside CartPole's environments in the same run."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import gymnasium as gym
import numba
import numpy as np

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


def best_seconds(work: Callable[[], None], repeats: int = REPEATS) -> float:
    """Wall seconds of the fastest of a few repeats."""
    seconds = []
    for _ in range(repeats):
        began = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - began)
    return min(seconds)


def vector_rate(rows: int, steps: int, **given: Any) -> float:
    """Decisions a second of the vector environment under random legal actions, resets included."""
    env = gym.make_vec(ID, num_envs=rows, **given)
    np_random, actions = np.random.default_rng(0), np.zeros(rows, np.int64)
    observation, _ = env.reset(seed=0)
    mask = observation["action_mask"]
    pick_legal(mask, np_random.random(rows), actions)

    def play(count: int) -> None:
        nonlocal mask
        for _ in range(count):
            pick_legal(mask, np_random.random(rows), actions)
            mask = env.step(actions)[0]["action_mask"]

    play(warm_up_steps(env))
    return rows * steps / best_seconds(lambda: play(steps))


def played_rate(rows: int, steps: int, **given: Any) -> float:
    """Decisions a second from the start of long episodes, none of which ends."""
    env = gym.make_vec(ID, num_envs=rows, **given)
    np_random, actions = np.random.default_rng(0), np.zeros(rows, np.int64)
    mask = env.reset(seed=0)[0]["action_mask"]
    pick_legal(mask, np_random.random(rows), actions)
    steps = min(steps, warm_up_steps(env) // 10)

    def play() -> None:
        nonlocal mask
        for _ in range(steps):
            pick_legal(mask, np_random.random(rows), actions)
            mask = env.step(actions)[0]["action_mask"]

    return rows * steps / best_seconds(play)


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


def single_rate(steps: int, **given: Any) -> float:
    """Steps a second through ``gym.make`` under random legal actions, resets included."""
    env = gym.make(ID, **given)
    np_random, actions = np.random.default_rng(0), np.zeros(1, np.int64)
    observation, _ = env.reset(seed=0)
    pick_legal(observation["action_mask"][None], np_random.random(1), actions)
    draws = np_random.random((steps, 1))

    def play() -> None:
        nonlocal observation
        for draw in draws:
            pick_legal(observation["action_mask"][None], draw, actions)
            observation, _, terminated, _, _ = env.step(actions[0])
            if terminated:
                observation, _ = env.reset()

    return steps / best_seconds(play)


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
    return best_seconds(lambda: env.reset(seed=1) and None)
