"""The expected cost of every pair under given conditions, from what is observed.

A task that is alone takes its terminal's stage; what does not leave there crosses the uplink and
takes the edge's stage; what does not leave there either crosses the backhaul and takes the cloud's.
An answer takes half a round trip per hop. The shares that leave are joint ones, from the exit
table. Waiting is added as in a queue with deterministic service, M/D/1, at the load that the pair
itself brings to what others were seen to use.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from baselines.exit_placement._observation import Floats, Layout, Rows
from tiergym.scenarios.system import pair_number

BUSIEST = 0.7
"""Load up to which a wait is that of a steady queue; beyond it, the backlog that an interval builds
up is added. Chosen on training scenarios: arrivals there vary more than a steady queue's."""


class Conditions(NamedTuple):
    """What a pair is judged under: float64, n rows."""

    bandwidth: Floats  # [n, 2] bit/s
    arrivals: Floats  # [n] tasks a second
    others: Floats  # [n, 3] share of each tier that others use


UNSEEN_LOAD, UNSEEN_OTHERS = 0.9, 0.5
"""Before anything was seen: the share of the terminal that the arrivals would take if it ran the
whole network, and what others use of the tiers above. A guess on the safe side, since a backlog of
the first interval is carried on."""


def present(rows: Rows, layout: Layout) -> Conditions:
    """Bandwidth as it is now, arrivals and others' use as in the last interval."""
    others = others_use(rows, layout, rows.used[:, 0])
    return unless_unseen(rows, Conditions(rows.bandwidth, rows.arrivals[:, 0], others))


def unless_unseen(rows: Rows, seen: Conditions) -> Conditions:
    """The conditions, or a guess where nothing is in force yet."""
    whole = pair_number(rows.blocks, rows.blocks)
    alone = rows.seconds[np.arange(len(whole)), whole, 0] * rows.gain[:, 0]
    full = np.where(alone > 0.0, UNSEEN_LOAD / np.maximum(alone, 1e-12), 0.0)
    begun = rows.placement[:, 3] > 0.0
    guess = np.array([0.0, UNSEEN_OTHERS, UNSEEN_OTHERS])
    return Conditions(
        seen.bandwidth,
        np.where(begun, seen.arrivals, full),
        np.where(begun[:, None], seen.others, guess),
    )


def others_use(rows: Rows, layout: Layout, used: Floats) -> Floats:
    """float64[n, 3], the busy share less what the placement in force must have brought itself."""
    action = rows.in_force()
    own = _tier_load(rows, rows.arrivals[:, 0])[np.arange(len(action)), action]
    own *= rows.placement[:, 3:4]
    return np.clip(used - own, 0.0, 1.0)


def reaching(rows: Rows) -> Floats:
    """float64[n, A, 3], share of all tasks that reach each tier's stage."""
    first, second = rows.share[..., 0], rows.share[..., 1]
    left = np.clip(1.0 - first - second, 0.0, 1.0)
    return np.stack([np.ones_like(first), np.clip(1.0 - first, 0.0, 1.0), left], axis=-1)


def _seconds(rows: Rows) -> Floats:
    """float64[n, A, 3], stage seconds of every action."""
    return np.tile(rows.seconds, (1, rows.levels, 1))


def _tier_load(rows: Rows, arrivals: Floats) -> Floats:
    """float64[n, A, 3], share of each tier that a pair takes at a rate, in the best batches."""
    each = reaching(rows) * _seconds(rows) * rows.gain[:, None]
    return arrivals[:, None, None] * each / np.maximum(rows.executors[:, None], 1.0)


def wire_seconds(rows: Rows, layout: Layout, bandwidth: Floats) -> Floats:
    """float64[n, A, 2], seconds on the wire of one payload on uplink and backhaul."""
    bits = np.stack([rows.payload[:, layout.first], rows.payload[:, layout.second]], axis=-1)
    seconds = rows.per_package[:, None] + bits / np.maximum(bandwidth[:, None], 1.0)
    return np.tile(seconds, (1, rows.levels, 1))


def expected_seconds(
    rows: Rows, layout: Layout, at: Conditions, waiting: bool, busiest: float = BUSIEST
) -> Floats:
    """float64[n, A], mean seconds from arrival to answer of every action's pair."""
    reach, stage = reaching(rows), _seconds(rows)
    wire = wire_seconds(rows, layout, at.bandwidth)
    if waiting:
        load = _tier_load(rows, at.arrivals) + at.others[:, None]
        used = np.where(reach > 0.0, load, 0.0)
        interval = rows.interval[:, None, None]
        behind = np.where(reach > 0.0, draining(rows.backlog[:, None], used, interval), 0.0)
        stage = np.where(stage > 0.0, stage + wait(used, stage, interval, busiest) + behind, 0.0)
        carried = at.arrivals[:, None, None] * reach[..., 1:] * (wire - rows.per_package[:, None])
        behind = draining(rows.waiting[:, None], carried, interval)
        wire = wire + wait(carried, wire, interval, busiest) + behind
    half = rows.rtt[:, None] / 2.0
    up = (reach[..., 1:] * (wire + half)).sum(axis=-1)
    # An answer crosses every link that its task has crossed.
    back = (reach[..., 1:] * half).sum(axis=-1)
    return (reach * stage).sum(axis=-1) + up + back


def wait(load: Floats, service: Floats, interval: Floats, busiest: float = BUSIEST) -> Floats:
    """Seconds before service begins: M/D/1, then growing with the overload of an interval."""
    steady = np.minimum(load, busiest)
    queue = steady * service / (2.0 * (1.0 - steady))
    return np.where(service > 0.0, queue + np.maximum(load - busiest, 0.0) * interval / 2.0, 0.0)


def draining(backlog: Floats, load: Floats, interval: Floats) -> Floats:
    """Mean seconds that arrivals of an interval wait for what is queued at its beginning.

    A backlog of ``backlog`` seconds shrinks by one less the load a second; who arrives meanwhile
    waits for what is left of it.
    """
    rate = np.maximum(1.0 - load, 0.0)
    gone = np.minimum(backlog / np.maximum(rate, 1e-9), interval)
    return gone * (backlog - rate * gone / 2.0) / interval


def expected_cost(
    rows: Rows, layout: Layout, at: Conditions, waiting: bool, busiest: float = BUSIEST
) -> Floats:
    """float64[n, A], cost a task: delay and wrong answers by their weights; inf where none is."""
    seconds = expected_seconds(rows, layout, at, waiting, busiest)
    cost = rows.weights[:, :1] * seconds + rows.weights[:, 1:2] * (1.0 - rows.accuracy)
    return np.where(rows.accuracy > 0.0, cost, np.inf)
