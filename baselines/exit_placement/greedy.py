"""The thesis's greedy search: exits at the blocks of the least overhead, moved in turns.

The overhead of a pair is its expected seconds of computation and communication at present
conditions, over those of the best single tier, plus a weight times the accuracy that it loses
against the last head.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from baselines.exit_placement._expected import Conditions, expected_seconds, present
from baselines.exit_placement._observation import Actions, Floats, Layout, PlacementPolicy, Rows
from baselines.policy import Entry, check_flag, check_number
from tiergym.errors import InvalidInput
from tiergym.scenarios.system import pair_number

VARIANTS = ("scan", "single-pass", "hill-climb")

Ends = tuple[int, int]


def overhead(
    rows: Rows,
    layout: Layout,
    accuracy_weight: float | None,
    waiting: bool,
    at: Conditions | None = None,
) -> tuple[Floats, Actions]:
    """float64[n, P] overhead of every pair, inf where it is not legal; int64[n, P] its level.

    Args:
        accuracy_weight: of accuracy lost; None takes the scenario's own trade, the error weight
            over the delay weight and the seconds of the best tier.
        waiting: whether waiting is expected, or tasks that are alone.
        at: conditions; the present ones by default.
    """
    seconds = expected_seconds(rows, layout, at or present(rows, layout), waiting)
    blocks, pairs = rows.blocks, rows.pairs
    none = np.zeros_like(blocks)
    pure = [pair_number(*ends) for ends in ((none, none), (none, blocks), (blocks, blocks))]
    row = np.arange(len(blocks))
    best = np.stack([_known(seconds, rows)[row, k] for k in pure], axis=1).min(axis=1)
    best = np.where(np.isfinite(best), best, 1.0)
    last = rows.accuracy[row, 0]
    lost = last[:, None] - rows.accuracy
    own = rows.weights[:, 1] / np.maximum(rows.weights[:, 0] * best, 1e-12)
    weight = own if accuracy_weight is None else np.full(len(blocks), accuracy_weight)
    total = seconds / best[:, None] + weight[:, None] * lost
    total = np.where(rows.mask != 0, total, np.inf).reshape(len(blocks), -1, pairs)
    return total.min(axis=1), total.argmin(axis=1)


def _known(seconds: Floats, rows: Rows) -> Floats:
    return np.where(rows.accuracy > 0.0, seconds, np.inf)


def search(cost: Callable[[Ends], float], blocks: int, variant: str) -> Ends:
    """The pair that the search ends at.

    Args:
        cost: of a pair, may be infinite.
        variant: ``scan``: all blocks for one exit with the other fixed, alternating until nothing
            changes; ``single-pass``: each exit once; ``hill-climb``: steps of one block.
    """
    place: Ends = (blocks // 3, 2 * blocks // 3)
    if variant == "hill-climb":
        return _climb(cost, blocks, place)
    while True:
        before = place
        place = _least(cost, [(p1, place[1]) for p1 in range(place[1] + 1)], place)
        place = _least(cost, [(place[0], p2) for p2 in range(place[0], blocks + 1)], place)
        if place == before or variant == "single-pass":
            return place


def _climb(cost: Callable[[Ends], float], blocks: int, place: Ends) -> Ends:
    while True:
        p1, p2 = place
        near = [(p1 - 1, p2), (p1 + 1, p2), (p1, p2 - 1), (p1, p2 + 1)]
        legal = [(a, b) for a, b in near if 0 <= a <= b <= blocks]
        best = _least(cost, legal, place)
        if best == place:
            return place
        place = best


def _least(cost: Callable[[Ends], float], candidates: list[Ends], place: Ends) -> Ends:
    """The cheapest of the candidates, or where we are unless one is cheaper."""
    best = min(candidates, key=cost)
    return best if cost(best) < cost(place) else place


class Greedy(PlacementPolicy):
    """Searches each row for the pair of the least overhead, starting from thirds.

    Args:
        variant: see `search`.
        accuracy_weight: see `overhead`.
        waiting: whether waiting at the observed load is expected, or tasks that are alone.
    """

    def __init__(
        self,
        env: Any,
        variant: str = "scan",
        accuracy_weight: float | None = None,
        waiting: bool = False,
    ) -> None:
        super().__init__(env)
        if variant not in VARIANTS:
            raise InvalidInput("variant", variant, ", ".join(VARIANTS))
        if accuracy_weight is not None:
            check_number("accuracy_weight", accuracy_weight, 0.0, "a weight >= 0, or None")
        self._variant, self._weight = variant, accuracy_weight
        self._waiting = check_flag("waiting", waiting)

    def act(self, rows: Rows) -> Actions:
        """The pair that the search ends at, at the level that suits it best."""
        costs, levels = overhead(rows, self.layout, self._weight, self._waiting)
        found = np.zeros(len(costs), dtype=np.int64)
        for row, own in enumerate(costs):
            if not np.isfinite(own).any() or not rows.mask[row, 1:].any():
                found[row] = int(np.argmax(rows.mask[row]))
                continue
            pair = self._searched(own, int(rows.blocks[row]))
            found[row] = levels[row, pair] * rows.pairs + pair
        return found

    def _searched(self, own: Floats, blocks: int) -> int:
        def cost(ends: Ends) -> float:
            return float(own[pair_number(*ends)])

        pair = pair_number(*search(cost, blocks, self._variant))
        return pair if np.isfinite(own[pair]) else int(np.argmin(own))


POLICIES = {
    "greedy": Entry(Greedy),
    "greedy-single-pass": Entry(Greedy, {"variant": "single-pass"}),
    "greedy-hill-climb": Entry(Greedy, {"variant": "hill-climb"}),
    "greedy+waiting": Entry(Greedy, {"waiting": True}),
}
