"""A legal action drawn evenly: the floor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from baselines.drawing import RowDraws
from baselines.policy import Entry, State
from baselines.task_scheduling._observation import Actions, Rows, TaskPolicy


class RandomLegal(TaskPolicy):
    """Draws among the legal actions of each row, waiting and pre-uploads included; `RowDraws`."""

    def __init__(self, env: Any) -> None:
        super().__init__(env)
        self._draws = RowDraws()

    def seed(self, seeds: Sequence[int]) -> None:
        """Begin each row's generator anew, one seed a row (integers >= 0)."""
        self._draws.seed(seeds)

    def act(self, rows: Rows, state: State, episode_start: Any) -> tuple[Actions, State]:
        """Actions int64[n]; there is no state beside the generators."""
        return self._draws.actions(rows.mask), None


POLICIES = {"random": Entry(RandomLegal)}
