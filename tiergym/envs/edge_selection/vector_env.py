"""The vector environment of `tiergym/EdgeSelection-v0`: the same engine, n rows a call."""

from __future__ import annotations

from typing import Any

from gymnasium.vector import AutoresetMode

from tiergym.envs.edge_selection.episodes import Described, EdgeSelectionEpisodes
from tiergym.envs.vector import EpisodesVectorEnv


class EdgeSelectionVectorEnv(Described, EpisodesVectorEnv):
    """`EdgeSelectionEnv` times ``num_envs``, bit for bit as `SyncVectorEnv` would give it.

    Row i of ``reset(seed=s)`` is the single environment with seed s + i; see `EpisodesVectorEnv`.

    Args:
        num_envs: rows.
        autoreset_mode: ``"NextStep"`` (default), ``"SameStep"`` or ``"Disabled"``.
        max_episode_steps: truncate after so many decisions; None for never.
        scenario, max_edges, invalid_action, render_mode: as for `EdgeSelectionEnv`.

    Raises:
        InvalidInput: as `EdgeSelectionEnv`, and naming the row for an illegal action.
    """

    def __init__(
        self,
        num_envs: int = 1,
        scenario: Any = "train",
        max_edges: int = 8,
        invalid_action: str = "first_legal",
        render_mode: str | None = None,
        autoreset_mode: str | AutoresetMode = AutoresetMode.NEXT_STEP,
        max_episode_steps: int | None = None,
    ) -> None:
        def make(rows: int) -> EdgeSelectionEpisodes:
            return EdgeSelectionEpisodes(scenario, rows, False, max_edges, invalid_action)

        super().__init__(make, num_envs, render_mode, autoreset_mode, max_episode_steps)
