"""Plays drawn futures of an episode in vector environments of its own, for planners."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from baselines.policy import Policy

Costs = NDArray[np.float64]
Actions = NDArray[np.int64]

_ROWS_MAX = 256
"""Most rows that are played together: beyond it memory grows and time a row hardly falls."""
_LAST = 0.05
"""Play until costs count less than this share."""


class Futures:
    """Draws futures of one moment and plays first actions in them, followed by given rules.

    Args:
        env: the environment that snapshots come from, unwrapped.
        rules: policies that follow up.
    """

    def __init__(self, env: Any, rules: Sequence[Policy]) -> None:
        self._env = env
        self._rules = list(rules)
        self._scratch: dict[int, Any] = {}

    def draw(self, snapshot: Any, count: int, np_random: np.random.Generator) -> list[Any]:
        """Snapshots of the same moment with everything that has not happened yet drawn anew."""
        env = self._of_size(count)
        env.restore([snapshot] * count, future=np_random.spawn(count))
        return env.snapshot()

    def costs(self, futures: Sequence[Any], actions: Actions, seconds: float) -> Costs:
        """Costs float64[rules, futures, actions], each cost after t counting exp(-t / seconds)."""
        pairs = [(future, action) for future in futures for action in actions.tolist()]
        most = max(1, _ROWS_MAX // len(self._rules))
        parts = [self._play(pairs[at : at + most], seconds) for at in range(0, len(pairs), most)]
        return np.concatenate(parts, axis=1).reshape(len(self._rules), len(futures), len(actions))

    def _play(self, pairs: Sequence[tuple[Any, int]], seconds: float) -> Costs:
        """Costs float64[rules, pairs] of pairs of a future and the action that is taken first."""
        width, count = len(pairs), len(pairs) * len(self._rules)
        env = self._of_size(_next_size(count))
        rows = [pairs[i % width] for i in range(env.num_envs)]
        env.restore([future for future, _ in rows])
        actions = np.array([action for _, action in rows])
        states: list[Any] = [None] * len(self._rules)
        costs, passed = np.zeros(len(rows)), np.zeros(len(rows))
        weight = np.ones(len(rows))
        while (weight > _LAST).any():
            observation, reward, ended, _, info = env.step(actions)
            costs -= reward * weight * _mean_weight(info["elapsed"] / seconds)
            passed += info["elapsed"]
            weight = np.where(ended, 0.0, np.exp(-passed / seconds))
            actions = self._follow(observation, states, width)
        return costs[:count].reshape(len(self._rules), width)

    def _follow(self, observation: Any, states: list[Any], width: int) -> Actions:
        """Actions of all rows, ``width`` a rule, one rule after the other; spare rows go on."""
        actions = observation["action_mask"].argmax(axis=1)
        for k, rule in enumerate(self._rules):
            part = slice(k * width, (k + 1) * width)
            seen = {name: value[part] for name, value in observation.items()}
            actions[part], states[k] = rule.predict(seen, states[k])
        return actions

    def _of_size(self, rows: int) -> Any:
        if rows not in self._scratch:
            env = self._env
            from tiergym.envs.task_scheduling.vector_env import TaskSchedulingVectorEnv

            self._scratch[rows] = TaskSchedulingVectorEnv(
                rows,
                scenario=list(env.scenarios),
                max_networks=env.max_networks,
                batch_sizes=env.batch_sizes,
                max_executors=env.max_executors,
                autoreset_mode="Disabled",
            )
        return self._scratch[rows]


def _mean_weight(shares: Costs) -> Costs:
    """Mean of exp(-x) for x from 0 to each share: what a cost that accrues evenly counts."""
    safe = np.maximum(shares, 1e-9)
    return np.where(shares > 1e-9, -np.expm1(-safe) / safe, 1.0)


def _next_size(rows: int) -> int:
    """The next power of two or three quarters of one: few sizes, and few rows to spare."""
    whole = 1 << (rows - 1).bit_length()
    return whole * 3 // 4 if whole >= 4 and whole * 3 // 4 >= rows else whole
