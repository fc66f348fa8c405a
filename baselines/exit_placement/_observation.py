"""Observations of ``tiergym/ExitPlacement-v0`` as arrays with a row axis, and the base class."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from baselines.observing import attribute, mask_of
from baselines.policy import Observation, State
from tiergym.scenarios.system import pair_ends, pair_number

Floats = NDArray[np.float64]
Actions = NDArray[np.int64]
TIERS = 3
Flags = NDArray[np.bool_]


class Rows(NamedTuple):
    """n observations; B blocks, P pairs, T threshold levels, A = T P actions, H past intervals."""

    blocks: Actions  # [n] L
    payload: Floats  # [n, B + 1] bits that a task uploads after block k
    macs: Floats  # [n, B] millions
    block_megabytes: Floats  # [n, B]
    seconds: Floats  # [n, P, 3] of the stage of each tier, one task
    share: Floats  # [n, A, 2] that leaves at the terminal's head and at the edge's
    accuracy: Floats  # [n, A]
    thresholds: Floats  # [n, T, 2]
    gain: Floats  # [n, 3] seconds a task in the best batch over those alone
    executors: Floats  # [n, 3]
    rtt: Floats  # [n, 2] seconds of uplink and backhaul
    per_package: Floats  # [n, 2] seconds
    bandwidth: Floats  # [n, 2] bit/s now
    bandwidth_past: Floats  # [n, H, 2] bit/s, the latest first; 0 before there was one
    arrivals: Floats  # [n, H] tasks a second
    used: Floats  # [n, H, 3] busy share
    backlog: Floats  # [n, 3] seconds of work at each tier
    waiting: Floats  # [n, 2] seconds until all that waits for each link has left
    held: Floats  # [n, 3, B] 1, 0.5 or 0
    load_rate: Floats  # [n, 3] MB/s
    placement: Floats  # [n, 4] p1, p2, level, whether any is in force
    interval: Floats  # [n] seconds
    weights: Floats  # [n, 4]
    mask: NDArray[np.int8]  # [n, A]

    @property
    def pairs(self) -> int:
        """P."""
        return self.seconds.shape[1]

    @property
    def levels(self) -> int:
        """T."""
        return self.share.shape[1] // self.pairs

    def in_force(self) -> Actions:
        """int64[n], the action in force; of no meaning where none is."""
        p1, p2, level = (self.placement[:, k].astype(np.int64) for k in range(3))
        return level * self.pairs + pair_number(p1, p2)


class Layout(NamedTuple):
    """Sizes of the observations of one environment, and the ends of every pair."""

    blocks: int
    levels: int
    first: Actions  # [P] p1
    second: Actions  # [P] p2

    @classmethod
    def of(cls, env: Any) -> Layout:
        """Read the sizes from a single or a vector environment, Gymnasium's own ones included."""
        blocks, levels = (attribute(env.unwrapped, k) for k in ("max_blocks", "max_thresholds"))
        first, second = np.array(pair_ends(int(blocks)), dtype=np.int64).T
        return cls(int(blocks), int(levels), first, second)

    def rows(self, observation: Observation) -> tuple[Rows, bool]:
        """The observation with a row axis, and whether it was a single one without."""
        mask, single = mask_of(observation, self.levels * len(self.first))
        return self._rows(observation, mask), single

    def _rows(self, observation: Observation, mask: NDArray[np.int8]) -> Rows:
        def field(name: str, *shape: int) -> Floats:
            value = np.asarray(observation[name], dtype=np.float64)
            return value.reshape(len(mask), *shape)

        pairs, actions = len(self.first), mask.shape[1]
        link = field("link", 2, 4)
        return Rows(
            blocks=field("network", 3)[:, 0].astype(np.int64),
            payload=field("payload_megabytes", self.blocks + 1) * 8e6,
            macs=field("block_macs", self.blocks),
            block_megabytes=field("block_megabytes", self.blocks),
            seconds=field("pair_seconds", pairs, TIERS),
            share=field("pair_exit_share", actions, 2),
            accuracy=field("pair_accuracy", actions),
            thresholds=field("thresholds", self.levels, 2),
            gain=field("batch_gain", TIERS),
            executors=field("executors", TIERS),
            rtt=link[:, :, 0],
            per_package=link[:, :, 1],
            bandwidth=link[:, :, 3] * 1e6,
            bandwidth_past=field("bandwidth_past", -1, 2) * 1e6,
            arrivals=field("arrivals_past", -1),
            used=field("utilisation_past", -1, TIERS),
            backlog=field("backlog_seconds", TIERS),
            waiting=link[:, :, 2],
            held=field("held_blocks", TIERS, self.blocks),
            load_rate=field("load_rate", TIERS),
            placement=field("placement", 4),
            interval=field("time", 3)[:, 2],
            weights=field("weights", 4),
            mask=mask,
        )


class PlacementPolicy:
    """Base of the policies here: lifts single observations to one row and back."""

    privileged: bool = False

    def __init__(self, env: Any) -> None:
        self.layout = Layout.of(env)

    def predict(
        self,
        observation: Observation,
        state: State = None,
        episode_start: Any = None,
        deterministic: bool = False,
    ) -> tuple[Any, State]:
        """Actions: an int64 for a single observation, int64[n] for n rows; no state."""
        rows, single = self.layout.rows(observation)
        actions = self.act(rows)
        return (actions[0] if single else actions), None

    def act(self, rows: Rows) -> Actions:
        """Actions int64[n] of n rows."""
        raise NotImplementedError


def least_legal(cost: Floats, mask: NDArray[np.int8]) -> Actions:
    """int64[n], the legal action of the least cost [n, A]; the lowest at equal cost."""
    return np.argmin(np.where(mask != 0, cost, np.inf), axis=1)


def legal_or_nearest(
    layout: Layout, first: Actions, second: Actions, level: int, rows: Rows
) -> Actions:
    """int64[n], the pair (p1, p2) of each row, or the legal one whose ends lie nearest."""
    distance = np.abs(layout.first[None] - first[:, None]) + np.abs(
        layout.second[None] - second[:, None]
    )
    full = np.full(rows.mask.shape, np.inf)
    pairs = len(layout.first)
    full[:, level * pairs : (level + 1) * pairs] = distance
    # An episode that is over has one legal action only, at whatever level.
    full = np.where(np.isinf(full), 1e9, full)
    return least_legal(full, rows.mask)
