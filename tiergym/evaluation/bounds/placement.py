"""A lower bound on the cost of exit placement, whatever is decided.

For every interval and every placement, what the interval's tasks would cost at least if that
placement held for them; then the least of these, summed over the intervals. For one placement:

- A task's exit, and whether it is right, follow from its sample alone.
- A stage takes a task at least the seconds of the quickest batch size, times the least multiplier
  of that node; a wire takes at least what the payload alone takes from the earliest time at which
  it can be there (bandwidth is integrated, so who starts later ends later). Waiting, other users,
  packing, loads of parameters and what earlier intervals have left only add to that.
- Together, the tasks of the interval need some time of each node and link on their way, so that
  not all of them can have passed it at the earliest time (`resources.all_done`). Of the bounds on
  the sum of delays that this gives, one a node and link, the largest is taken; what a task takes
  after that node or link is bounded by its least seconds at the largest bandwidth of the instance.

Loads of parameters are left out: what a node still keeps depends on all that came before, so no
two intervals can be told apart from the rest. Hence the dynamic programme over the intervals has
no cost of passing from one to the next, and is a sum of minima.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tiergym.errors import InvalidInput
from tiergym.evaluation.bounds.resources import Wire, all_done
from tiergym.scenarios.instance import Instance
from tiergym.scenarios.placing import interval_of, intervals_of, stage_row
from tiergym.scenarios.system import ENTRIES, Floats, Placing, System

Flags = NDArray[np.bool_]
TIERS = 3


@dataclass(frozen=True, eq=False)
class _Tasks:
    """The charged tasks of an instance: arrival, deadline, sample and interval of each."""

    arrival: Floats
    deadline: Floats
    sample: NDArray[np.int64]
    interval: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class _Stage:
    """A tier's stage under one placement.

    Attributes:
        empty: whether tasks pass straight through.
        quickest: least seconds of a task there; share: least seconds that it takes of the node.
    """

    empty: bool
    quickest: float
    share: float


@dataclass(frozen=True, eq=False)
class _Way:
    """A task's way under one placement.

    Attributes:
        stages: by tier; payload: bits sent on uplink and backhaul.
        reaches: bool[T, 3], who comes to each tier.
        right: float64[T].
    """

    stages: list[_Stage]
    payload: list[float]
    reaches: Flags
    right: Floats


def lower_bound(system: System, instance: Instance) -> float:
    """A cost that no policy can go below on this instance; see the module for the proof.

    Raises:
        InvalidInput: for a system without a placed network, or where energy is charged (batches
            and packages save some).
    """
    return float(interval_bounds(system, instance).min(axis=1).sum())


def interval_bounds(system: System, instance: Instance) -> Floats:
    """float64[K, T * P], bound on the cost of each interval's tasks by route, inf if not servable.

    Raises:
        InvalidInput: as `lower_bound`.
    """
    placing = _checked(system)
    own = np.flatnonzero(instance.charged)
    if (instance.network[own] != placing.network).any():
        raise InvalidInput("instance.network", "others", "the placed network for charged tasks")
    tasks = _Tasks(
        instance.arrival[own],
        instance.deadline[own],
        instance.sample[own],
        interval_of(placing, instance.window, instance.arrival[own]),
    )
    wires = [Wire.of(instance, int(system.node_uplink[tier])) for tier in range(TIERS - 1)]
    least = instance.jitter.min(axis=1)
    found = np.full((intervals_of(placing, instance.window), len(placing.servable)), np.inf)
    for k in np.flatnonzero(placing.servable).tolist():
        way = _way(system, placing.first_route + k, tasks, least)
        found[:, k] = _costs(system, tasks, way, wires, len(found))
    return found


def _checked(system: System) -> Placing:
    if system.placing is None:
        raise InvalidInput("system", "no placed network", "a scenario of exit placement")
    if system.cost.energy_weight != 0.0:
        allowed = "0: batches and packages save energy, so tasks alone are no bound"
        raise InvalidInput("cost.energy_weight", system.cost.energy_weight, allowed)
    return system.placing


def _way(system: System, route: int, tasks: _Tasks, least: Floats) -> _Way:
    assert system.placing is not None
    stages = [_stage(system, tier, route, float(least[tier])) for tier in range(TIERS)]
    ends = [int(system.route_p1[route]), int(system.route_p2[route])]
    network = system.placing.network
    blocks, at = int(system.network_blocks[network]), int(system.network_table[network])
    rows = at + tasks.sample * (blocks + 1)
    reaches = np.ones((len(tasks.sample), TIERS), dtype=np.bool_)
    right = np.zeros(len(tasks.sample))
    for tier in range(TIERS):
        here = reaches[:, tier]
        end = (*ends, blocks)[tier]
        sure = system.exit_confidence[rows + end] >= system.route_threshold[route][min(tier, 1)]
        leaves = here & (sure | (end == blocks))
        leaves &= not stages[tier].empty
        right[leaves] = system.exit_correct[rows[leaves] + end]
        if tier < TIERS - 1:
            reaches[:, tier + 1] = here & ~leaves
    payload = [float(system.group_payload[ENTRIES * route + k + 1]) * 8.0 for k in range(2)]
    return _Way(stages, payload, reaches, right)


def _stage(system: System, tier: int, route: int, least: float) -> _Stage:
    row = stage_row(system, tier, route)
    if row < 0:
        return _Stage(True, 0.0, 0.0)
    most = int(system.node_batch_max[tier])
    seconds = system.stage_seconds[row, :most] * least
    share = float((seconds / np.arange(1, most + 1)).min()) / int(system.node_executors[tier])
    return _Stage(False, float(seconds.min()), share)


def _costs(system: System, tasks: _Tasks, way: _Way, wires: list[Wire], intervals: int) -> Floats:
    """float64[K], bound on the cost of the tasks of each interval under one placement."""
    cost = system.cost
    ready, finish = _alone(system, tasks, way, wires)
    delay = finish - tasks.arrival
    # The engine adds in another order, so a deadline met to rounding is met.
    wrong, late = 1.0 - way.right, (finish > tasks.deadline * (1.0 + 1e-9)).astype(np.float64)
    extra = cost.error_weight * wrong + cost.late_weight * late
    if np.isfinite(system.node_memory).any():
        # A refused task is charged this instead; then nothing is known of how many go on.
        refused = cost.delay_weight * cost.refusal_seconds + cost.error_weight + cost.late_weight
        each = np.minimum(cost.delay_weight * delay + extra, refused)
        return _by_interval(tasks, each, intervals)
    total = _by_interval(tasks, delay, intervals)
    for bound in _crowded(system, tasks, way, wires, ready, delay, intervals):
        total = np.maximum(total, bound)
    return cost.delay_weight * total + _by_interval(tasks, extra, intervals)


def _by_interval(tasks: _Tasks, values: Floats, intervals: int) -> Floats:
    """float64[K], sum over the tasks of each interval."""
    return np.bincount(tasks.interval, values, intervals).astype(np.float64)


def _alone(
    system: System, tasks: _Tasks, way: _Way, wires: list[Wire]
) -> tuple[list[Floats], Floats]:
    """When each task could begin at terminal, uplink, edge, backhaul and cloud; and its answer."""
    at, back = tasks.arrival, np.zeros(len(tasks.arrival))
    ready: list[Floats] = []
    finish = np.zeros(len(tasks.arrival))
    for tier in range(TIERS):
        ready.append(at)
        at = at + way.stages[tier].quickest
        goes_on = way.reaches[:, tier + 1] if tier < TIERS - 1 else np.zeros(len(at), np.bool_)
        finish = np.where(way.reaches[:, tier] & ~goes_on, at + back, finish)
        if tier < TIERS - 1:
            link = int(system.node_uplink[tier])
            at = at + system.link_per_package[link]
            ready.append(at)
            at = wires[tier].sent(at, way.payload[tier]) + system.link_half_rtt[link]
            back = back + system.link_half_rtt[link]
    return ready, finish


def _crowded(
    system: System,
    tasks: _Tasks,
    way: _Way,
    wires: list[Wire],
    ready: list[Floats],
    delay: Floats,
    intervals: int,
) -> list[Floats]:
    """For each node and link a bound float64[K] on the sum of delays of the interval's tasks."""
    rest = _rest(system, way, wires)
    found: list[Floats] = []
    for part in range(2 * TIERS - 1):
        tier = (part + 1) // 2
        passes = way.reaches[:, tier]
        known = np.where(passes, rest[part] - tasks.arrival, delay)
        total = _by_interval(tasks, known, intervals)
        for k in range(intervals):
            among = passes & (tasks.interval == k)
            if among.any():
                total[k] += _passed(way, wires, part, ready[part][among]).sum()
        found.append(total)
    return found


def _passed(way: _Way, wires: list[Wire], part: int, ready: Floats) -> Floats:
    """Earliest times at which 1, 2, ... tasks have passed a node (even) or a link (odd)."""
    if part % 2 == 1:
        return wires[part // 2].all_sent(ready, way.payload[part // 2])
    stage = way.stages[part // 2]
    return np.maximum(all_done(ready, stage.share), np.sort(ready) + stage.quickest)


def _rest(system: System, way: _Way, wires: list[Wire]) -> list[Floats]:
    """For each node and link, float64[T]: least seconds from having passed it to the answer."""
    onward, found = np.zeros(len(way.right)), list[Floats]()
    back = np.zeros(len(way.right))
    for tier in reversed(range(TIERS)):
        found.append(onward)
        if tier > 0:
            link = int(system.node_uplink[tier - 1])
            half = float(system.link_half_rtt[link])
            comes = way.reaches[:, tier]
            back = back + np.where(comes, half, 0.0)
            onward = onward + half + way.stages[tier].quickest
            found.append(onward)
            wire = way.payload[tier - 1] / float(wires[tier - 1].bandwidth.max())
            onward = np.where(comes, onward + wire + system.link_per_package[link], 0.0)
    return [seconds + back for seconds in reversed(found)]
