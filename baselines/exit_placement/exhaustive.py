"""Policies that look through all pairs: at present conditions, without exits, or ahead."""

from __future__ import annotations

from typing import Any

import numpy as np

from baselines.exit_placement._expected import (
    BUSIEST,
    Conditions,
    expected_cost,
    expected_seconds,
    others_use,
    present,
    unless_unseen,
)
from baselines.exit_placement._observation import (
    Actions,
    Flags,
    Floats,
    PlacementPolicy,
    Rows,
    least_legal,
)
from baselines.policy import Entry, check_flag, check_number
from tiergym.envs.exit_placement.observation import NO_EXIT


class Exhaustive(PlacementPolicy):
    """The pair of the least expected cost at present conditions.

    Args:
        waiting: whether waiting at the observed load is expected, or tasks that are alone.
        busiest: load beyond which a tier is taken to fall behind, see `wait`.
    """

    def __init__(self, env: Any, waiting: bool = True, busiest: float = BUSIEST) -> None:
        super().__init__(env)
        self.waiting = check_flag("waiting", waiting)
        self._busiest = check_number("busiest", busiest, 0.0, "a load below 1")

    def act(self, rows: Rows) -> Actions:
        """The least expected cost."""
        at = present(rows, self.layout)
        cost = expected_cost(rows, self.layout, at, self.waiting, self._busiest)
        return least_legal(cost, rows.mask)


class Neurosurgeon(PlacementPolicy):
    """The best cut for latency if no task left early (Kang et al., ASPLOS 2017).

    Where a threshold level lets nobody leave before L it is chosen, else the heads at its cuts work
    as they do for everybody.
    """

    def act(self, rows: Rows) -> Actions:
        """The least expected seconds of a network without early exits."""
        whole = self._without_exits(rows)
        seconds = expected_seconds(whole, self.layout, present(rows, self.layout), False)
        seconds = np.where(rows.accuracy > 0.0, seconds, np.inf)
        shut: Flags = np.min(rows.thresholds, axis=2) >= NO_EXIT
        level = np.repeat(shut, rows.pairs, axis=1)
        wanted = np.where(level.any(axis=1, keepdims=True) & ~level, np.inf, seconds)
        return least_legal(wanted, rows.mask)

    def _without_exits(self, rows: Rows) -> Rows:
        """The rows with the shares of a network that is cut without heads."""
        first = self.layout.first[None] == rows.blocks[:, None]
        second = (self.layout.second[None] == rows.blocks[:, None]) & ~first
        share = np.stack([first, second], axis=-1).astype(np.float64)
        return rows._replace(share=np.tile(share, (1, rows.levels, 1)))


class SwitchingAware(PlacementPolicy):
    """`Exhaustive` on a forecast of the coming interval, with the cost of moving counted.

    Bandwidth is forecast by an exponential mean of what was seen, arrivals and others' use by the
    greater of such a mean and the last interval: too little room costs more than too much. A move
    loads what a tier lacks; meanwhile its tasks wait, half of that time on average for those that
    arrive in it.

    Args:
        memory: weight of each older interval over the next younger, 0 to 1.
        busiest: load beyond which a tier is taken to fall behind, see `wait`.
    """

    def __init__(self, env: Any, memory: float = 0.2, busiest: float = BUSIEST) -> None:
        super().__init__(env)
        self._busiest = check_number("busiest", busiest, 0.0, "a load below 1")
        self._memory = check_number("memory", memory, 0.0, "a number from 0 to 1")

    def act(self, rows: Rows) -> Actions:
        """The least expected cost of the next interval, moving included."""
        at = self._forecast(rows)
        cost = expected_cost(rows, self.layout, at, True, self._busiest)
        moved = rows.weights[:, :1] * self._load_seconds(rows) ** 2 / (2.0 * rows.interval[:, None])
        return least_legal(cost + moved * rows.placement[:, 3:4], rows.mask)

    def _forecast(self, rows: Rows) -> Conditions:
        seen = rows.bandwidth_past[:, :, 0] > 0.0
        weight = self._memory ** np.arange(seen.shape[1])[None] * seen
        total = np.maximum(weight.sum(axis=1), 1e-12)[:, None]
        past = (rows.bandwidth_past * weight[..., None]).sum(axis=1) / total
        known = np.max(rows.bandwidth_past[:, :, 0], axis=1) > 0.0
        bandwidth = np.where(known[:, None], (rows.bandwidth + past) / 2.0, rows.bandwidth)
        arrivals = (rows.arrivals * weight).sum(axis=1) / total[:, 0]
        used = (rows.used * weight[..., None]).sum(axis=1) / total
        mean = Conditions(bandwidth, arrivals, others_use(rows, self.layout, used))
        last = present(rows, self.layout)
        return unless_unseen(
            rows,
            Conditions(
                bandwidth,
                np.maximum(mean.arrivals, last.arrivals),
                np.maximum(mean.others, last.others),
            ),
        )

    def _load_seconds(self, rows: Rows) -> Floats:
        """float64[n, A], the longest load that a pair's tiers need for blocks not held."""
        ends = np.stack([self.layout.first, self.layout.second], axis=1)
        block = np.arange(rows.held.shape[2])[None]
        wanted = np.stack(
            [
                block < ends[:, :1],
                (block >= ends[:, :1]) & (block < ends[:, 1:]),
                block >= ends[:, 1:],
            ],
            axis=1,
        )
        missing = (1.0 - np.ceil(rows.held)) * rows.block_megabytes[:, None]
        loads = np.einsum("ptb,ntb->npt", wanted.astype(np.float64), missing)
        longest = (loads / np.maximum(rows.load_rate[:, None], 1e-9)).max(axis=2)
        return np.tile(longest, (1, rows.levels))


POLICIES = {
    "exhaustive": Entry(Exhaustive),
    "exhaustive-unloaded": Entry(Exhaustive, {"waiting": False}),
    "neurosurgeon": Entry(Neurosurgeon),
    "switching-aware": Entry(SwitchingAware),
}
