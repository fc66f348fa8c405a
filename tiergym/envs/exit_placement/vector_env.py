"""The vector environment of `tiergym/ExitPlacement-v0`: the same engine, n rows a call."""

from __future__ import annotations

from typing import Any

from gymnasium.vector import AutoresetMode

from tiergym.envs.exit_placement.episodes import Described, ExitPlacementEpisodes
from tiergym.envs.vector import EpisodesVectorEnv


class ExitPlacementVectorEnv(Described, EpisodesVectorEnv):
    """`ExitPlacementEnv` times ``num_envs``, bit for bit as `SyncVectorEnv` would give it.

    Row i of ``reset(seed=s)`` is the single environment with seed s + i; see `EpisodesVectorEnv`.

    Args:
        num_envs: rows.
        autoreset_mode: ``"NextStep"`` (default), ``"SameStep"`` or ``"Disabled"``.
        max_episode_steps: truncate after so many decisions; None for never.
        scenario, max_blocks, max_thresholds, invalid_action, render_mode: as for
            `ExitPlacementEnv`.

    Raises:
        InvalidInput: as `ExitPlacementEnv`, and naming the row for an illegal action.
    """

    def __init__(
        self,
        num_envs: int = 1,
        scenario: Any = "train",
        max_blocks: int = 16,
        max_thresholds: int = 1,
        invalid_action: str = "first_legal",
        render_mode: str | None = None,
        autoreset_mode: str | AutoresetMode = AutoresetMode.NEXT_STEP,
        max_episode_steps: int | None = None,
    ) -> None:
        def make(rows: int) -> ExitPlacementEpisodes:
            return ExitPlacementEpisodes(
                scenario, rows, False, max_blocks, max_thresholds, invalid_action
            )

        super().__init__(make, num_envs, render_mode, autoreset_mode, max_episode_steps)
