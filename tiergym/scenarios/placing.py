"""The placed network of a scenario: the placements that a `place` decision chooses from."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from tiergym.errors import InvalidInput
from tiergym.scenarios.spec import NetworkSpec, ScenarioSpec
from tiergym.scenarios.system import (
    CLOUD,
    ENTRIES,
    NO_STAGE,
    Floats,
    Ints,
    Placing,
    System,
    pair_ends,
)

PROBLEM = "exit_placement"
MOST_BLOCKS = 62
"""Sets of blocks are kept as the bits of one word."""


def check_placing(spec: ScenarioSpec) -> None:
    """Refuse a scenario of exit placement that lacks something, and levels where none are chosen.

    Raises:
        InvalidInput: naming the field.
    """
    if spec.problem != PROBLEM:
        _check_fixed(spec)
        return
    if spec.interval_seconds is None:
        raise InvalidInput("interval_seconds", None, "seconds between placement decisions")
    own = [network for network in spec.networks if network.popularity > 0.0]
    if len(own) != 1:
        names = [network.name for network in own]
        raise InvalidInput("networks", names, "one network of popularity > 0: the placed one")
    _check_network(own[0])
    _check_chain(spec)
    for node in spec.nodes:
        if node.load_rate is None:
            allowed = "bytes/s at which parameters load (the device profile states none), or .inf"
            raise InvalidInput(f"{node.field}.load_rate", None, allowed)


def _check_fixed(spec: ScenarioSpec) -> None:
    if spec.interval_seconds is not None:
        allowed = f"nothing, except for the problem {PROBLEM}"
        raise InvalidInput("interval_seconds", spec.interval_seconds, allowed)
    for network in spec.networks:
        if len(network.levels) > 1:
            allowed = f"[at p1, at p2]; only the problem {PROBLEM} decides on them"
            raise InvalidInput(f"networks.{network.name}.thresholds", "decided", allowed)


def _check_network(network: NetworkSpec) -> None:
    field = f"networks.{network.name}"
    if network.network.exits is None:
        raise InvalidInput(field, "no exit table", "a network with an exit table, to place exits")
    if not network.levels:
        allowed = "[at p1, at p2], or decided"
        raise InvalidInput(f"{field}.thresholds", None, allowed)
    if network.network.blocks > MOST_BLOCKS:
        raise InvalidInput(f"{field}.blocks", network.network.blocks, f"at most {MOST_BLOCKS}")


def _check_chain(spec: ScenarioSpec) -> None:
    tiers = [node.tier for node in spec.nodes]
    ways = [(link.source, link.target) for link in spec.links]
    if tiers != [0, 1, 2] or sorted(ways) != [(0, 1), (1, 2)] or spec.origin != 0:
        allowed = "a terminal, an edge and a cloud node in this order, a link from each to the next"
        raise InvalidInput("nodes", [node.name for node in spec.nodes], allowed)


def placements(spec: ScenarioSpec) -> list[NetworkSpec]:
    """The placed network under every level and pair, in the order of `Placing`."""
    if spec.placed is None:
        return []
    network = spec.networks[spec.placed]
    return [
        replace(network, placement=pair, thresholds=level)
        for level in network.levels
        for pair in pair_ends(network.network.blocks)
    ]


def placing_of(spec: ScenarioSpec, rows: Ints) -> Placing | None:
    """What `place` decisions choose from; ``rows`` is the scenario's `stage_row`."""
    if spec.placed is None or spec.interval_seconds is None:
        return None
    network = spec.networks[spec.placed]
    first = len(spec.routes)
    return Placing(
        network=spec.placed,
        interval_seconds=spec.interval_seconds,
        first_route=first,
        thresholds=np.array(network.levels, dtype=np.float64),
        servable=rows[spec.origin, ENTRIES * first :: ENTRIES] != NO_STAGE,
        block_bytes=network.network.param_bytes.astype(np.float64),
        load_rate=np.array([node.load_rate for node in spec.nodes], dtype=np.float64),
    )


def intervals_of(placing: Placing, window: float) -> int:
    """Number of intervals, the one that begins at 0 included."""
    count = max(1, math.ceil(window / placing.interval_seconds))
    while count > 1 and not (count - 1) * placing.interval_seconds < window:
        count -= 1
    while count * placing.interval_seconds < window:
        count += 1
    return count


def interval_of(placing: Placing, window: float, arrival: Floats) -> Ints:
    """int64[n], the interval whose placement a task takes; at its very beginning still the last."""
    starts = np.arange(1, intervals_of(placing, window)) * placing.interval_seconds
    return np.searchsorted(starts, arrival, side="left").astype(np.int64)


def stage_row(system: System, tier: int, route: int) -> int:
    """Row of `System.stage_seconds` of the stage that a tier runs under a route, below 0 if none.

    A task comes to a tier with the lowest entry kind that begins at the same block.
    """
    starts = system.group_entry_block[ENTRIES * route : ENTRIES * (route + 1)].tolist()
    entry = starts.index(starts[tier])
    return int(system.stage_row[tier, ENTRIES * route + entry])


def needed_blocks(system: System, node: int, route: int) -> range:
    """Blocks (counted from 0) that a node runs under a route, by its tier."""
    p1, p2 = int(system.route_p1[route]), int(system.route_p2[route])
    blocks = int(system.network_blocks[system.route_network[route]])
    tier = int(system.node_tier[node])
    return range((0, p1, p2)[tier], blocks if tier == CLOUD else (p1, p2)[tier])


def needed_bytes(system: System, node: int, route: int) -> float:
    """Bytes of the parameters that a node needs under a route of the placed network."""
    assert system.placing is not None
    sizes = system.placing.block_bytes
    return math.fsum(float(sizes[block]) for block in needed_blocks(system, node, route))


def check_fixed_placement(spec: ScenarioSpec, system: System) -> None:
    """Refuse memory that does not hold the placement in force where nobody decides.

    Raises:
        InvalidInput: naming the node.
    """
    if system.placing is None:
        return
    route = int(system.network_route[system.placing.network])
    for n, node in enumerate(spec.nodes):
        room = float(system.node_memory[n] - system.node_reserve[n])
        need = needed_bytes(system, n, route)
        if need > room:
            given = f"{node.memory_bytes:g} bytes, {room:g} of them free"
            allowed = f"{need:g} bytes free for the parameters of the network's own placement"
            raise InvalidInput(f"{node.field}.memory_bytes", given, allowed)
