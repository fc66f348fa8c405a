"""The base of the single environments: one row of episodes behind Gymnasium's interface."""

from __future__ import annotations

import operator
from typing import Any, ClassVar, cast

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from tiergym.engine import TaskLog
from tiergym.envs.episodes import ACT, Episodes, Observation, ended
from tiergym.envs.rows import Snapshot
from tiergym.errors import InvalidInput
from tiergym.scenarios import Scenario


class EpisodesEnv(gym.Env[Observation, np.int64]):
    """One environment over `Episodes` of one row.

    Raises:
        InvalidInput: for a wrong argument, scenario or option.
    """

    metadata: ClassVar[dict[str, Any]] = {"render_modes": ["ansi"], "render_fps": 4}  # pyright: ignore[reportIncompatibleVariableOverride]

    def __init__(self, episodes: Episodes, render_mode: str | None) -> None:
        self._episodes = episodes
        # Gymnasium warns of a mode that there is not; Stable-Baselines3 tries rgb_array by itself.
        self.render_mode = render_mode if render_mode in self.metadata["render_modes"] else None
        self.observation_space = cast(gym.Space[Observation], episodes.observation_space())
        self.action_space = episodes.action_space()  # pyright: ignore[reportAttributeAccessIssue]
        self._actions = episodes.actions
        self._action = np.zeros(1, np.int64)
        self._moves = np.full(1, ACT, np.int8)
        self._over = True

    @property
    def scenarios(self) -> tuple[Scenario, ...]:
        """The scenarios that episodes are drawn from."""
        return self._episodes.rows.scenarios

    def action_masks(self) -> NDArray[np.bool_]:
        """bool[A]: which actions are legal now."""
        return self._episodes.observe()["action_mask"].view(np.bool_)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Draw an episode and run to its first decision; see the class for ``options``."""
        super().reset(seed=seed)
        self._episodes.rows.begin(0, self.np_random, options or {})
        self._over = False
        observation, results = self._episodes.begin(np.ones(1, np.bool_))
        return observation, {"elapsed": float(results[0, 1])}

    def step(self, action: Any) -> tuple[Observation, float, bool, bool, dict[str, Any]]:
        """Carry out one decision and run to the next.

        Raises:
            InvalidInput: for an illegal action under ``invalid_action="raise"``, an action outside
                the action space, or a step after the end of the episode.
        """
        if self._over:
            raise InvalidInput("step", action, "a step only after reset, before the episode's end")
        try:
            number = operator.index(action)
        except TypeError as error:
            raise InvalidInput("action", action, f"a number of {self.action_space}") from error
        if not 0 <= number < self._actions:
            raise InvalidInput("action", action, f"a number of {self.action_space}")
        self._action[0] = number
        if self._episodes.strict:
            self._episodes.check_actions(self._action, self._moves)
        observation, results = self._episodes.step(self._action, self._moves)
        reward, elapsed, status = results[0].tolist()
        info: dict[str, Any] = {"elapsed": elapsed}
        if status != 1.0:
            self._over = bool(ended(results[:, 2])[0])
            info["metrics"] = self._episodes.metrics(0)
        return observation, reward, self._over, False, info

    def task_log(self) -> TaskLog:
        """What has happened to each task of the current, or last, episode."""
        return self._episodes.rows.log(0)

    def snapshot(self) -> Snapshot:
        """A copy of the episode in the middle; it holds the true future (privileged)."""
        return self._episodes.rows.snapshot(0)

    def restore(self, snapshot: Snapshot, future: np.random.Generator | None = None) -> Observation:
        """Go on from a snapshot; with ``future``, under a future drawn anew given the past.

        Returns:
            The observation at that moment.
        """
        self._episodes.rows.restore(0, snapshot, future)
        observation, results = self._episodes.begin(np.zeros(1, np.bool_))
        self._over = bool(ended(results[:, 2])[0])
        return observation

    def render(self) -> str | None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """The present state as text under ``render_mode="ansi"``."""
        if self.render_mode is None:
            gym.logger.warn("render() does nothing without render_mode='ansi'")
            return None
        return self._episodes.as_text(self._episodes.observe(), 0)
