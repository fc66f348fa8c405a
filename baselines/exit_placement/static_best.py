"""The best single pair in hindsight: each is tried against the true future, once an episode."""

from __future__ import annotations

from typing import Any

import numpy as np

from baselines.exit_placement._observation import Actions, PlacementPolicy, Rows
from baselines.policy import Entry
from tiergym.errors import InvalidInput


class StaticBest(PlacementPolicy):
    """Plays each legal action to the end from the first decision, then keeps to the cheapest.

    It reads snapshots with the true future (privileged). It is the best of all policies that never
    move, not a bound on those that do.
    """

    privileged = True

    def __init__(self, env: Any) -> None:
        super().__init__(env)
        self._env = env.unwrapped
        if not hasattr(self._env, "snapshot"):
            allowed = "a tiergym environment, single or from gym.make_vec's vector entry point"
            raise InvalidInput("env", type(self._env).__name__, allowed)
        self._trial: Any = None

    def act(self, rows: Rows) -> Actions:
        """The action in force, or at the first decision the one that proves cheapest."""
        actions = rows.in_force()
        begins = rows.placement[:, 3] == 0.0
        if begins.any():
            snapshots = self._env.snapshot()
            several = snapshots if isinstance(snapshots, list) else [snapshots]
            for row in np.flatnonzero(begins).tolist():
                actions[row] = self._best(several[row], np.flatnonzero(rows.mask[row]).tolist())
        legal = rows.mask[np.arange(len(actions)), actions] != 0
        return np.where(legal, actions, np.argmax(rows.mask, axis=1))

    def _best(self, snapshot: Any, legal: list[int]) -> int:
        if len(legal) == 1:
            return legal[0]
        trial = self._trial_env()
        return min(legal, key=lambda action: _cost(trial, snapshot, action))

    def _trial_env(self) -> Any:
        """A single environment over the same scenarios, made once."""
        if self._trial is None:
            from tiergym.envs.exit_placement.env import ExitPlacementEnv

            self._trial = ExitPlacementEnv(
                list(self._env.scenarios), self.layout.blocks, self.layout.levels
            )
        return self._trial


def _cost(trial: Any, snapshot: Any, action: int) -> float:
    """Cost from a snapshot on if one action is taken throughout."""
    trial.restore(snapshot)
    total, over = 0.0, False
    while not over:
        _, reward, over, _, _ = trial.step(action)
        total -= reward
    return total


POLICIES = {"static-best": Entry(StaticBest)}
