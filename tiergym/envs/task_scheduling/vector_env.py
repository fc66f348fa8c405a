"""The vector environment of `tiergym/TaskScheduling-v0`: the same engine, n rows a call."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gymnasium.vector import AutoresetMode

from tiergym.envs.task_scheduling.episodes import BATCH_SIZES, Described, TaskSchedulingEpisodes
from tiergym.envs.vector import EpisodesVectorEnv


class TaskSchedulingVectorEnv(Described, EpisodesVectorEnv):
    """`TaskSchedulingEnv` times ``num_envs``, bit for bit as `SyncVectorEnv` would give it.

    Row i of ``reset(seed=s)`` is the single environment with seed s + i. All three autoreset modes
    are honoured. Beyond `SyncVectorEnv`: under ``DISABLED`` a finished row may be stepped on; it
    stands still, its reward 0 and its end told again, until `reset` with a ``reset_mask``.

    Args:
        num_envs: rows.
        autoreset_mode: ``"NextStep"`` (default), ``"SameStep"`` or ``"Disabled"``.
        max_episode_steps: truncate after so many decisions; None for never.
        scenario, max_networks, batch_sizes, max_executors, invalid_action, render_mode: as for
            `TaskSchedulingEnv`.

    Raises:
        InvalidInput: as `TaskSchedulingEnv`, and naming the row for an illegal action; the actions
            of all live rows are checked before any row moves.
    """

    def __init__(
        self,
        num_envs: int = 1,
        scenario: Any = "train",
        max_networks: int = 8,
        batch_sizes: Sequence[int] = BATCH_SIZES,
        max_executors: int = 4,
        invalid_action: str = "first_legal",
        render_mode: str | None = None,
        autoreset_mode: str | AutoresetMode = AutoresetMode.NEXT_STEP,
        max_episode_steps: int | None = None,
    ) -> None:
        def make(rows: int) -> TaskSchedulingEpisodes:
            return TaskSchedulingEpisodes(
                scenario, rows, False, max_networks, batch_sizes, max_executors, invalid_action
            )

        super().__init__(make, num_envs, render_mode, autoreset_mode, max_episode_steps)
