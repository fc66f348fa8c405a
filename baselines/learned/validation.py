"""How good an agent is on validation seeds: its cost over the reference's on the same instances."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

import tiergym  # noqa: F401 (registers the environments)
from baselines.registry import make_policy
from tiergym.envs.rows import resolve
from tiergym.evaluation.acting import checked
from tiergym.evaluation.suites import FIRST_VALIDATION_SEED

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Found:
    """What a policy costs.

    Attributes:
        costs: float64[S, I], of each instance of each scenario.
        decisions: float64[S, I].
    """

    costs: Floats
    decisions: Floats

    def ratio(self, reference: Found) -> float:
        """Exp of the mean log ratio of cost, scenarios weighted equally: below one is better."""
        return float(np.exp(np.log(self.costs / reference.costs).mean()))

    def ratios(self, reference: Found) -> list[float]:
        """The same by scenario."""
        return np.exp(np.log(self.costs / reference.costs).mean(1)).tolist()


def problem_of(env_id: str) -> str:
    """``task_scheduling`` of ``tiergym/TaskScheduling-v0``."""
    stem = env_id.partition("/")[2].partition("-")[0]
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", stem).lower()


class Validation:
    """Scenarios by seeds, played side by side; illegal actions raise.

    Args:
        env_id: registered id.
        scenario: what the environment takes.
        seeds: instances of each scenario.
        first_seed: of them; the same for every scenario.
        arguments: further ones of the environment.
    """

    def __init__(
        self,
        env_id: str,
        scenario: Any,
        seeds: int,
        arguments: dict[str, Any],
        first_seed: int = FIRST_VALIDATION_SEED,
    ) -> None:
        given = {**arguments, "autoreset_mode": "Disabled", "invalid_action": "raise"}
        names = [one.name for one in resolve(problem_of(env_id), scenario)]
        self.names: list[str] = names
        self._rows = len(names) * seeds
        self.seeds = list(range(first_seed, first_seed + seeds))
        self.env: Any = gym.make_vec(
            env_id, self._rows, "vector_entry_point", scenario=scenario, **given
        )

    def play(self, policy: Any) -> Found:
        """Play every instance to its end with deterministic actions."""
        observation = self._begin()
        if callable(getattr(policy, "seed", None)):
            policy.seed(self.seeds * len(self.names))
        live, state, start = np.ones(self._rows, np.bool_), None, np.ones(self._rows, np.bool_)
        figures = np.full((2, self._rows), np.nan)
        while live.any():
            actions, state = policy.predict(observation, state, start, deterministic=True)
            legal = observation["action_mask"].astype(np.bool_)
            taken = np.where(live, checked(actions, legal, live), legal.argmax(1))
            observation, _, ended, _, info = self.env.step(taken)
            over = np.flatnonzero(ended & live)
            if len(over):
                table = info["metrics"]
                figures[:, over] = [table["cost"][over], table["decisions"][over]]
            live &= ~ended
            start = np.zeros(self._rows, np.bool_)
        costs, decisions = figures.reshape(2, len(self.names), -1)
        return Found(costs, decisions)

    def _begin(self) -> Any:
        """Reset scenario by scenario; the first reset has to be one of all rows."""
        observation, _ = self.env.reset(seed=0)
        for index, name in enumerate(self.names):
            mine = np.zeros(self._rows, np.bool_)
            mine[index * len(self.seeds) : (index + 1) * len(self.seeds)] = True
            options = {"reset_mask": mine, "scenario": name}
            seeds = self.seeds * len(self.names)
            observation, _ = self.env.reset(seed=seeds, options=options)
        return observation

    def play_registered(self, name: str) -> Found:
        """Play a policy of the leaderboard."""
        return self.play(make_policy(name, self.env))
