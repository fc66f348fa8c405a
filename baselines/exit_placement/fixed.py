"""Placements that do not look: one tier for everything, exits at equal shares, or any."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from baselines.drawing import RowDraws
from baselines.exit_placement._observation import (
    Actions,
    PlacementPolicy,
    Rows,
    legal_or_nearest,
)
from baselines.policy import Entry
from tiergym.errors import InvalidInput
from tiergym.scenarios.system import TIER_NAMES


class OneTier(PlacementPolicy):
    """Everything on one tier, without early exits.

    Args:
        tier: ``terminal``, ``edge`` or ``cloud``.
    """

    def __init__(self, env: Any, tier: str = "edge") -> None:
        super().__init__(env)
        if tier not in TIER_NAMES:
            raise InvalidInput("tier", tier, ", ".join(TIER_NAMES))
        self._tier = TIER_NAMES.index(tier)

    def act(self, rows: Rows) -> Actions:
        """The pure pair of the tier, or the legal one nearest to it."""
        none = np.zeros_like(rows.blocks)
        first = rows.blocks if self._tier == 0 else none
        second = none if self._tier == 2 else rows.blocks
        return legal_or_nearest(self.layout, first, second, 0, rows)


class EqualMacs(PlacementPolicy):
    """Exits after a third and two thirds of the computation."""

    def act(self, rows: Rows) -> Actions:
        """The blocks at which the sum of macs comes nearest to these shares."""
        done = np.cumsum(rows.macs, axis=1)
        share = done / np.maximum(done[:, -1:], 1e-12)
        beyond = np.arange(rows.macs.shape[1])[None] >= rows.blocks[:, None]
        ends = [
            np.argmin(np.where(beyond, np.inf, np.abs(share - part)), axis=1) + 1
            for part in (1.0 / 3.0, 2.0 / 3.0)
        ]
        return legal_or_nearest(self.layout, ends[0], np.maximum(*ends), 0, rows)


class RandomPair(PlacementPolicy):
    """Draws among the legal pairs of each row; see `RowDraws`."""

    def __init__(self, env: Any) -> None:
        super().__init__(env)
        self._draws = RowDraws()

    def seed(self, seeds: Sequence[int]) -> None:
        """Begin each row's generator anew, one seed a row (integers >= 0)."""
        self._draws.seed(seeds)

    def act(self, rows: Rows) -> Actions:
        """A legal action, each as likely as any other."""
        return self._draws.actions(rows.mask)


POLICIES = {
    "terminal-only": Entry(OneTier, {"tier": "terminal"}),
    "edge-only": Entry(OneTier, {"tier": "edge"}),
    "cloud-only": Entry(OneTier, {"tier": "cloud"}),
    "equal-macs": Entry(EqualMacs),
    "random": Entry(RandomPair),
}
