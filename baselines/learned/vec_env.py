"""Stable-Baselines3's `VecEnv` over the vector environments, which it has no adapter for.

The same transitions as `DummyVecEnv` over as many of ``gym.make``, each in a `Monitor`, from the
same seeds: row i takes seed s + i, and goes on with its own generator from episode to episode.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import partial
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.wrappers import TimeLimit
from numpy.typing import NDArray
from stable_baselines3.common.monitor import Monitor
from stable_baselines3.common.vec_env import VecEnv

import tiergym  # noqa: F401 (registers the environments)
from baselines.learned.flat import Flat
from tiergym.errors import InvalidInput

_EACH_ROW = ("task_log", "snapshot", "render")
"""Methods of the vector environment that return one value a row."""


class SB3VecEnv(VecEnv):
    """A vector environment as Stable-Baselines3 wants it.

    Infos hold ``TimeLimit.truncated``; at the end of an episode also ``terminal_observation`` and,
    as `Monitor` writes them, ``episode``: return ``r``, length ``l``, seconds ``t``.

    Args:
        env: id of a registered environment, or a vector environment whose autoreset mode is
            ``SameStep``.
        num_envs: rows, where an id is given.
        flat: observations as one vector by this, instead of a dictionary.
        reward_scale: factor of each scenario's rewards by its name; ``r`` is told unscaled.
        **arguments: of the environment, where an id is given.

    Raises:
        InvalidInput: for another autoreset mode, and what the environment refuses.
    """

    def __init__(
        self,
        env: str | VectorEnv[Any, Any, Any],
        num_envs: int = 1,
        flat: Flat | None = None,
        reward_scale: dict[str, float] | None = None,
        **arguments: Any,
    ) -> None:
        if isinstance(env, str):
            arguments["autoreset_mode"] = AutoresetMode.SAME_STEP.value
            env = gym.make_vec(env, num_envs, "vector_entry_point", **arguments)
        mode = AutoresetMode(env.metadata.get("autoreset_mode", AutoresetMode.NEXT_STEP))
        if mode != AutoresetMode.SAME_STEP:
            raise InvalidInput("env.autoreset_mode", mode.value, AutoresetMode.SAME_STEP.value)
        self.env: Any = env
        self._inner: Any = env.unwrapped
        self._flat = flat
        self._own: dict[str, list[Any]] = {}
        self._scale = reward_scale
        self._actions: NDArray[np.int64] = np.zeros(env.num_envs, np.int64)
        self._masks: NDArray[np.bool_] = np.ones((env.num_envs, 1), np.bool_)
        self._returns = np.zeros(env.num_envs)
        self._lengths = np.zeros(env.num_envs, np.int64)
        self._factors = np.ones(env.num_envs)
        self._episodes: Any = self._inner._episodes if reward_scale is not None else None
        self.elapsed: NDArray[np.float64] = np.zeros(env.num_envs)
        """float64[n]: seconds that the newest step of each row took."""
        self._began = time.time()
        observed = env.single_observation_space if flat is None else flat.space
        super().__init__(env.num_envs, observed, env.single_action_space)

    def reset(self) -> Any:
        """Begin an episode in every row, with the seeds of `seed` if it was called since."""
        if any(options != self._options[0] for options in self._options):
            raise InvalidInput("options", self._options, "the same for every row")
        seeds = None if all(seed is None for seed in self._seeds) else self._seeds
        observation, info = self.env.reset(seed=seeds, options=self._options[0] or None)
        self._reset_seeds()
        self._reset_options()
        self.reset_infos = [{"elapsed": seconds} for seconds in info["elapsed"].tolist()]
        self._returns[:] = 0.0
        self._lengths[:] = 0
        self._begin(np.arange(self.num_envs))
        return self._shown(observation)

    def step_async(self, actions: NDArray[Any]) -> None:
        """Keep the actions for `step_wait`."""
        self._actions = np.asarray(actions, np.int64)

    def step_wait(self) -> tuple[Any, NDArray[np.float32], NDArray[np.bool_], list[dict[str, Any]]]:
        """Carry out one decision in every row; ended rows begin their next episode at once."""
        observation, rewards, terminated, truncated, info = self.env.step(self._actions)
        done = terminated | truncated
        self._returns += rewards
        self._lengths += 1
        rewards = (rewards * self._factors).astype(np.float32)
        self.elapsed = info["elapsed"]
        infos = [
            {"elapsed": seconds, "TimeLimit.truncated": False}
            for seconds in info["elapsed"].tolist()
        ]
        if done.any():
            self._end(np.flatnonzero(done), truncated & ~terminated, info, infos)
        return self._shown(observation), rewards, done, infos

    def _end(
        self, rows: NDArray[np.int64], cut: Any, info: dict[str, Any], infos: list[dict[str, Any]]
    ) -> None:
        self.elapsed = np.where(info["_final_info"], info["final_info"]["elapsed"], self.elapsed)
        final, now = info["final_info"], round(time.time() - self._began, 6)
        for row in rows.tolist():
            one = infos[row]
            self.reset_infos[row] = {"elapsed": one["elapsed"]}
            one["elapsed"] = float(final["elapsed"][row])
            one["TimeLimit.truncated"] = bool(cut[row])
            if "metrics" in final and final["_metrics"][row]:
                table = final["metrics"]
                one["metrics"] = {k: float(v[row]) for k, v in table.items() if k[0] != "_"}
            last = info["final_obs"][row]
            one["terminal_observation"] = last if self._flat is None else self._flat.of(last)
            total = round(float(self._returns[row]), 6)
            one["episode"] = {"r": total, "l": int(self._lengths[row]), "t": now}
        self._returns[rows] = 0.0
        self._lengths[rows] = 0
        self._begin(rows)

    def _begin(self, rows: NDArray[np.int64]) -> None:
        if self._scale is not None:
            for row in rows.tolist():
                self._factors[row] = self._scale[self._episodes.rows.scenario_of(row).name]

    def _shown(self, observation: dict[str, Any]) -> Any:
        self._masks = observation["action_mask"].view(np.bool_)
        return observation if self._flat is None else self._flat.of(observation)

    def action_masks(self) -> NDArray[np.bool_]:
        """bool[n, A]: which actions are legal now."""
        return self._masks

    def close(self) -> None:
        """Close the vector environment."""
        self.env.close()

    def get_attr(self, attr_name: str, indices: Any = None) -> list[Any]:
        """What `set_attr` has put there, or the vector environment's own, by row."""
        rows = self._rows(indices)
        if attr_name in self._own:
            return [self._own[attr_name][row] for row in rows]
        if attr_name == "action_masks" or attr_name in _EACH_ROW:
            return [partial(self._of_row, attr_name, row) for row in rows]
        if attr_name == "render_mode" or hasattr(self.env, attr_name):
            return [getattr(self.env, attr_name)] * len(rows)
        return [getattr(self._inner, attr_name)] * len(rows)

    def _of_row(self, name: str, row: int) -> Any:
        if name == "action_masks":
            return self._masks[row]
        values = getattr(self._inner, name)()
        return None if values is None else values[row]

    def set_attr(self, attr_name: str, value: Any, indices: Any = None) -> None:
        """Keep an attribute for each of some rows; the engine under them has none of its own."""
        rows = self._rows(indices)
        if attr_name not in self._own:
            try:
                self._own[attr_name] = self.get_attr(attr_name)
            except AttributeError:
                self._own[attr_name] = [None] * self.num_envs
        for row in rows:
            self._own[attr_name][row] = value

    def env_method(
        self, method_name: str, *method_args: Any, indices: Any = None, **method_kwargs: Any
    ) -> list[Any]:
        """Call a method of each of some rows: ``action_masks``, and others that read a row."""
        rows = self._rows(indices)
        if method_name == "action_masks":
            return list(self._masks if indices is None else self._masks[rows])
        if method_name in _EACH_ROW:
            values = getattr(self._inner, method_name)()
            return [None if values is None else values[row] for row in rows]
        if method_name not in self._own:
            allowed = f"action_masks, {', '.join(_EACH_ROW)}, or a method that set_attr has put"
            raise InvalidInput("method_name", method_name, allowed)
        return [self._own[method_name][row](*method_args, **method_kwargs) for row in rows]

    def env_is_wrapped(self, wrapper_class: type[Any], indices: Any = None) -> list[bool]:
        """`Monitor` and, where there is a limit, `TimeLimit` are built in."""
        limited = getattr(self._inner, "_max_steps", None) is not None
        inside = wrapper_class is Monitor or (wrapper_class is TimeLimit and limited)
        return [inside] * len(self._rows(indices))

    def _rows(self, indices: Any) -> Sequence[int]:
        return list(self._get_indices(indices))
