"""Rollout buffers that discount by the seconds that pass, where Stable-Baselines3 does by step.

Decisions are unevenly spaced: a dozen may fall at one moment, the next a second later. Discounted
by step, an agent gains by doing nothing much often, which puts off what is to come; so it learned
to upload tasks one by one, and cost sixteen times the reference.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sb3_contrib.common.maskable.buffers import MaskableRolloutBuffer
from stable_baselines3.common.buffers import RolloutBuffer


class _Timed:
    """Mixed into a rollout buffer, whose further arguments it takes too.

    ``gamma`` and ``gae_lambda`` are those of one second.

    Args:
        elapsed: tells float64[n], the seconds that the newest step of each row took.
        calm: where given, an advantage is divided by the size of the value of its state plus this,
            so that one per cent saved counts alike in a burst and in a calm; values are near one.
    """

    def __init__(
        self,
        *args: Any,
        elapsed: Callable[[], NDArray[np.float64]],
        calm: float | None = None,
        **kwargs: Any,
    ) -> None:
        self._elapsed, self._calm = elapsed, calm
        super().__init__(*args, **kwargs)

    def reset(self: Any) -> None:
        """Forget the rollout."""
        super().reset()  # pyright: ignore[reportAttributeAccessIssue]
        self.seconds = np.zeros((self.buffer_size, self.n_envs), np.float32)

    def add(self: Any, *args: Any, **kwargs: Any) -> None:
        """Take one step of all rows."""
        self.seconds[self.pos] = self._elapsed()
        super().add(*args, **kwargs)  # pyright: ignore[reportAttributeAccessIssue]

    def compute_returns_and_advantage(self: Any, last_values: Any, dones: Any) -> None:
        """Generalised advantages, each step discounted by its own seconds."""
        discount = self.gamma**self.seconds
        trace = discount * self.gae_lambda**self.seconds
        going = np.concatenate([1.0 - self.episode_starts[1:], 1.0 - dones[None]])
        last = last_values.clone().cpu().numpy().reshape(1, -1)
        following = np.concatenate([self.values[1:], last])
        delta = self.rewards + discount * following * going - self.values
        ahead = np.zeros(self.n_envs, np.float32)
        for step in reversed(range(self.buffer_size)):
            ahead = delta[step] + trace[step] * going[step] * ahead
            self.advantages[step] = ahead
        self.returns = self.advantages + self.values
        if self._calm is not None:
            self.advantages /= np.abs(self.values) + self._calm


class TimedRolloutBuffer(_Timed, RolloutBuffer):
    """For PPO and A2C."""


class TimedMaskableRolloutBuffer(_Timed, MaskableRolloutBuffer):
    """For MaskablePPO."""
