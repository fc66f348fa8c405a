"""How many tasks a second a scenario can take: what offered load is relative to."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, replace

import numpy as np

from tiergym.errors import InvalidInput
from tiergym.scenarios.memory import best_seconds
from tiergym.scenarios.spec import ScenarioSpec, SelectingSpec
from tiergym.scenarios.system import EMPTY_STAGE, ENTRIES, NO_STAGE, TERMINAL, Floats, System

_SLACK = 1e-9


@dataclass(frozen=True)
class Capacity:
    """Tasks per second at the mix of networks that arrives.

    Attributes:
        unbatched: by the origin alone, one task a batch.
        local: by the origin alone, every network in its best batch.
        uplink: raw inputs that its uplink carries at its mean bandwidth, in full packages.
        upper: raw inputs that the tiers above work off.
        total: by all together; for networks that are served whole, local plus the smaller of
            uplink and upper.

    Where terminals select edges, all five count tasks on their regular way, of all terminals
    together: *local* is 0 where terminals run nothing; tasks come to all terminals alike, so
    *uplink* is what the slowest one carries, times their number; *upper* is what all edges take in
    their best batches, with their backhauls, or less if the cloud takes less; and *total* is the
    smallest of them, since nothing can be served elsewhere.
    """

    unbatched: float
    local: float
    uplink: float
    upper: float
    total: float


@dataclass(eq=False)
class Work:
    """What one task asks of every node and link, in seconds."""

    nodes: Floats
    links: Floats


def capacity_of(spec: ScenarioSpec, system: System) -> Capacity:
    """The capacities of a scenario.

    Raises:
        InvalidInput: if other users' tasks leave nothing of a node.
    """
    shares = spec.popularity()
    if spec.selecting is not None:
        return _where_selected(spec, system, spec.selecting, shares)
    room = np.concatenate((_free_executors(spec, system), np.ones(system.links)))
    here = _mixed(spec, system, shares, spec.origin)
    link = spec.uplinks[spec.origin]
    local = _most(room[spec.origin], here[spec.origin])
    unbatched = _most(room[spec.origin], _unbatched(spec, system, shares))
    able = _uploadable(spec, system)
    if link < 0 or not able.any():
        return Capacity(unbatched, local, 0.0, 0.0, float(np.min(_over(room, here))))
    part = shares * able
    above = _mixed(spec, system, part / part.sum(), spec.links[link].target)
    upper = float(np.min(_over(room[: system.nodes], above[: system.nodes])))
    carry = np.zeros(system.links)
    carry[link] = _wire_share(spec, system, part / part.sum(), link)
    uplink = _most(1.0, float(carry[link]))
    above[system.nodes :] += carry
    total = _best_total(room, here, above, float(part.sum()))
    return Capacity(unbatched, local, uplink, upper, total)


def _where_selected(
    spec: ScenarioSpec, system: System, selecting: SelectingSpec, shares: Floats
) -> Capacity:
    terminals, edges = selecting.terminals, selecting.edges
    room = np.concatenate((_free_executors(spec, system), np.ones(system.links)))
    wire = _slowest_uplink(spec, system, shares, terminals)
    upper = 0.0
    work = np.zeros(len(room))
    for edge in range(terminals, terminals + edges):
        target = np.where(np.arange(system.links) < terminals, edge, system.link_target)
        work = _mixed(spec, replace(system, link_target=target), shares, 0)
        limits, uplink = _over(room, work), int(system.node_uplink[edge])
        upper += float(np.min(limits[[edge] if uplink < 0 else [edge, system.nodes + uplink]]))
    cloud = _over(room, work)[terminals + edges : system.nodes]
    upper = min([upper, *cloud.tolist()])
    here = terminals * float(system.node_executors[0])
    alone, local = _unbatched(spec, system, shares), float(work[0])
    uplink = terminals / wire if wire > 0.0 else math.inf
    total = min(uplink, upper, here / local if local > 0.0 else math.inf)
    return Capacity(_most(here, alone), _most(here, local), uplink, upper, total)


def queueing_nodes(spec: ScenarioSpec, system: System) -> list[int]:
    """Nodes where the scenario's own tasks queue on their regular way, without pre-upload."""
    work = _mixed(spec, system, spec.popularity(), spec.origin)
    return [int(node) for node in np.flatnonzero(work[: system.nodes])]


def _most(room: float, each: float) -> float:
    """Tasks per second that fit; zero where tasks do not need the part at all."""
    return float(room / each) if each > 0.0 else 0.0


def _over(room: Floats, each: Floats) -> Floats:
    with np.errstate(divide="ignore"):
        return np.where(each > 0.0, room / np.maximum(each, 1e-300), np.inf)


def _free_executors(spec: ScenarioSpec, system: System) -> Floats:
    """float64[N], executors that other users' tasks leave, on average."""
    free = system.node_executors.astype(np.float64)
    for index, entry in enumerate(spec.background):
        free[entry.node] -= background_rate(spec, system, index) * _background_each(
            spec, system, index
        )
        if not free[entry.node] > 0.0:
            allowed = f"less: other users' tasks fill node {spec.nodes[entry.node].name!r}"
            given = entry.arrivals.load or entry.arrivals.rate
            raise InvalidInput(entry.field, given, allowed)
    return free


def background_rate(spec: ScenarioSpec, system: System, index: int) -> float:
    """Tasks per second of a background entry; its load is relative to its node's own capacity."""
    entry = spec.background[index]
    each = _background_each(spec, system, index)
    whole = float(system.node_executors[entry.node]) / each
    return entry.arrivals.tasks_per_second(whole)


def _background_each(spec: ScenarioSpec, system: System, index: int) -> float:
    group = ENTRIES * (len(spec.networks) + index)
    work = _walk(spec, system, len(spec.networks) + index, spec.background[index].node)
    if system.stage_row[spec.background[index].node, group] < 0:
        return float(work.nodes.max())
    return float(work.nodes[spec.background[index].node])


def _mixed(spec: ScenarioSpec, system: System, shares: Floats, start: int) -> Floats:
    """float64[N + E], seconds of work of an average task whose raw input is at node ``start``."""
    total = np.zeros(system.nodes + system.links)
    for route, share in enumerate(shares):
        if share > 0.0:
            work = _walk(spec, system, route, start)
            total += share * np.concatenate((work.nodes, work.links))
    return total


def _walk(spec: ScenarioSpec, system: System, route: int, node: int) -> Work:
    """Follow the tasks of a route from a node up, with the share that each head lets through."""
    work = Work(np.zeros(system.nodes), np.zeros(system.links))
    blocks = int(system.network_blocks[route])
    alive = np.ones(int(system.network_samples[route]), dtype=bool)
    entry, share = 0, 1.0
    while True:
        group = ENTRIES * route + entry
        row = system.stage_row[node, group]
        if row == NO_STAGE or share == 0.0:
            return work
        if row != EMPTY_STAGE:
            work.nodes[node] += share * best_seconds(system, node, group)
            end = int(system.stage_end[node, group])
            if end == blocks:
                return work
            alive &= ~_leaves(system, route, end, int(system.node_tier[node]))
            share = float(alive.mean())
            starts = system.group_entry_block[ENTRIES * route : ENTRIES * (route + 1)]
            entry = int(np.flatnonzero(starts == end)[0])
        link = int(system.node_uplink[node])
        work.links[link] += share * _wire_seconds(spec, system, link, ENTRIES * route + entry)
        node = int(system.link_target[link])


def _leaves(
    system: System, route: int, block: int, tier: int
) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """bool[S], the samples that leave at the head after a block."""
    width = int(system.network_blocks[route]) + 1
    samples = int(system.network_samples[route])
    first = int(system.network_table[route])
    table = system.exit_confidence[first : first + samples * width].reshape(samples, width)
    return table[:, block] >= system.route_threshold[route, 0 if tier == TERMINAL else 1]


def _wire_seconds(spec: ScenarioSpec, system: System, link: int, group: int) -> float:
    """Seconds on the wire of one payload at the mean bandwidth, in a package as full as it gets."""
    size = float(system.group_payload[group])
    room = float(system.link_package_max[link])
    packages = min(1.0, size / room) if system.link_packing[link] else 1.0
    bandwidth = spec.links[link].profile.bandwidth.mean()
    return size * 8.0 / bandwidth + packages * float(system.link_per_package[link])


def _wire_share(spec: ScenarioSpec, system: System, shares: Floats, link: int) -> float:
    """Mean seconds on the wire of a raw input."""
    return math.fsum(
        share * _wire_seconds(spec, system, link, ENTRIES * route)
        for route, share in enumerate(shares)
    )


def _slowest_uplink(spec: ScenarioSpec, system: System, shares: Floats, terminals: int) -> float:
    """Most seconds that a task takes on the uplink of a terminal, over radios."""
    radios = {spec.links[n].field: n for n in range(terminals)}
    return max(float(_mixed(spec, system, shares, n)[system.nodes + n]) for n in radios.values())


def _unbatched(spec: ScenarioSpec, system: System, shares: Floats) -> float:
    """Mean seconds of a task alone in its batch at the origin."""
    rows = system.stage_row[spec.origin, : ENTRIES * len(shares) : ENTRIES]
    singles = [system.stage_seconds[row, 0] if row >= 0 else 0.0 for row in rows]
    return float(shares @ np.array(singles))


def _uploadable(spec: ScenarioSpec, system: System) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """bool[M], networks that tasks can be handed upward of before their stage at the origin."""
    link = spec.uplinks[spec.origin]
    groups = slice(0, ENTRIES * len(spec.networks), ENTRIES)
    here = system.stage_row[spec.origin, groups]
    if link < 0:
        return np.zeros(len(here), dtype=bool)
    above = system.stage_row[spec.links[link].target, groups]
    return (here >= 0) & (above != NO_STAGE)


def _best_total(room: Floats, here: Floats, above: Floats, share: float) -> float:
    """Most of y + z such that y tasks/s run here first and z go up raw: a linear programme.

    At most ``share`` of all tasks may go up raw. Two unknowns, so its vertices are looked through.
    """
    rows = [(float(a), float(b), float(c)) for a, b, c in zip(here, above, room, strict=True)]
    rows += [(-share, 1.0 - share, 0.0), (-1.0, 0.0, 0.0), (0.0, -1.0, 0.0)]
    best = 0.0
    for first, second in itertools.combinations([row for row in rows if row[0] or row[1]], 2):
        point = _crossing(first, second)
        if point and all(_within(row, point) for row in rows):
            best = max(best, sum(point))
    return best if best > 0.0 else math.inf


def _within(row: tuple[float, float, float], point: tuple[float, float]) -> bool:
    left = (row[0] * point[0], row[1] * point[1])
    return sum(left) <= row[2] + _SLACK * (abs(left[0]) + abs(left[1]))


def _crossing(
    first: tuple[float, float, float], second: tuple[float, float, float]
) -> tuple[float, float] | None:
    """The (y, z) at which two constraints ``a y + b z <= c`` hold with equality, none below 0."""
    (a, b, c), (d, e, f) = first, second
    scale = a * e - b * d
    if scale == 0.0:
        return None
    y, z = (c * e - f * b) / scale, (a * f - d * c) / scale
    return None if min(y, z) < -_SLACK * max(y, z) else (max(y, 0.0), max(z, 0.0))
