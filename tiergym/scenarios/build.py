"""Compiling a `ScenarioSpec` to a `System`."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tiergym.errors import InvalidInput
from tiergym.networks import payload_bytes
from tiergym.scenarios.memory import check_memory, held_parameters, reserves, with_refusal
from tiergym.scenarios.placing import check_fixed_placement, placing_of
from tiergym.scenarios.selecting import selection_of
from tiergym.scenarios.spec import ScenarioSpec
from tiergym.scenarios.stages import Route, StageTables, fill_stages, routes_of
from tiergym.scenarios.system import ENTRIES, Floats, Ints, System


def build_system(spec: ScenarioSpec) -> System:
    """Every constant of the scenario as plain arrays.

    Raises:
        InvalidInput: if a network cannot be served as placed, or memory or watts do not suffice.
    """
    routes = routes_of(spec)
    for route in routes:
        _check_exits(route)
    _check_watts(spec)
    tables = StageTables(spec, routes)
    rows, ends = fill_stages(tables)
    groups = _groups(spec, routes)
    seconds = tables.table(tables.seconds, math.nan)
    workspace = tables.table(tables.workspace, 0.0)
    memory = np.array([node.memory_bytes for node in spec.nodes])
    free = memory - held_parameters(spec, routes, rows, ends)
    reserve = reserves(routes, rows, ends, groups["group_payload"], workspace)
    system = System(
        node_memory=free,
        node_reserve=reserve,
        stage_row=rows,
        stage_end=ends,
        stage_seconds=seconds,
        stage_workspace=workspace,
        cost=spec.cost,
        **_nodes(spec),
        **_links(spec),
        **_networks(spec, routes),
        **groups,
        placing=placing_of(spec, rows),
        selection=selection_of(spec),
    )
    check_memory(spec, system)
    check_fixed_placement(spec, system)
    return with_refusal(spec, system)


def _check_exits(route: Route) -> None:
    inside = [block for block in route.starts if 0 < block < route.blocks]
    field = f"networks.{route.spec.name}"
    if inside and route.network.exits is None:
        allowed = "whole: the network has no exit table, so no head before its last block"
        raise InvalidInput(f"{field}.placement", route.spec.placement, allowed)
    if inside and route.spec.thresholds is None:
        allowed = "[at p1, at p2]: the confidence at which a task leaves at a head"
        raise InvalidInput(f"{field}.thresholds", None, allowed)


def _check_watts(spec: ScenarioSpec) -> None:
    if spec.cost.energy_weight == 0.0:
        return
    parts: list[tuple[str, float | None]] = []
    for node in spec.nodes:
        parts.append((f"{node.field}.profile.idle_watts", node.profile.idle_watts))
        parts.append((f"{node.field}.profile.busy_watts", node.profile.busy_watts))
    for link in spec.links:
        parts.append((f"{link.field}.base_watts", link.profile.base_watts))
        parts.append((f"{link.field}.watts_per_mbps", link.profile.watts_per_mbps))
    for field, watts in parts:
        if watts is None:
            allowed = f"0, since {field} is not known"
            raise InvalidInput("cost.energy_weight", spec.cost.energy_weight, allowed)


def watts_known(spec: ScenarioSpec) -> bool:
    """Whether the watts of every node and link are known."""
    nodes = [w for n in spec.nodes for w in (n.profile.idle_watts, n.profile.busy_watts)]
    links = [w for k in spec.links for w in (k.profile.base_watts, k.profile.watts_per_mbps)]
    return None not in nodes and None not in links


def _nodes(spec: ScenarioSpec) -> dict[str, Any]:
    nodes = spec.nodes
    return {
        "node_names": tuple(node.name for node in nodes),
        "node_tier": _ints([node.tier for node in nodes]),
        "node_executors": _ints([node.executors for node in nodes]),
        "node_batch_max": _ints([node.batch_max for node in nodes]),
        "node_discipline": _ints([node.discipline for node in nodes]),
        "node_rank": _ranks(spec),
        "node_idle_watts": _floats([node.profile.idle_watts or 0.0 for node in nodes]),
        "node_busy_watts": _floats([node.profile.busy_watts or 0.0 for node in nodes]),
        "node_uplink": _ints(spec.uplinks),
    }


def _ranks(spec: ScenarioSpec) -> Ints:
    """int64[N, M]; what a node's rank does not name comes after it, in the scenario's order."""
    ranks = np.empty((len(spec.nodes), len(spec.routes)), dtype=np.int64)
    for n, node in enumerate(spec.nodes):
        others = [network.name for network in spec.networks if network.name not in node.rank]
        order = [*node.rank, *others]
        ranks[n] = [order.index(network.name) for network, _, _ in spec.routes]
    return ranks


def _links(spec: ScenarioSpec) -> dict[str, Any]:
    links = spec.links
    return {
        "link_names": tuple(link.name for link in links),
        "link_source": _ints([link.source for link in links]),
        "link_target": _ints([link.target for link in links]),
        "link_packing": _ints([int(link.packing) for link in links]),
        "link_package_max": _floats([link.package_max for link in links]),
        "link_per_package": _floats([link.profile.per_package for link in links]),
        "link_half_rtt": _floats([link.profile.rtt / 2.0 for link in links]),
        "link_base_watts": _floats([link.profile.base_watts or 0.0 for link in links]),
        "link_joules_per_megabit": _floats([link.profile.watts_per_mbps or 0.0 for link in links]),
    }


def _networks(spec: ScenarioSpec, routes: list[Route]) -> dict[str, Any]:
    offsets: dict[str, int] = {}
    confidence = [np.empty(0, dtype=np.float32)]
    correct = [np.empty(0, dtype=np.int8)]
    size = 0
    for network in spec.networks:
        exits = network.network.exits
        if exits is not None:
            offsets[network.name] = size
            size += exits.confidence.size
            confidence.append(exits.confidence.ravel())
            correct.append(exits.correct.ravel())
    fixed = routes[: len(spec.routes)]
    samples = [route.network.exits.samples if route.network.exits else 1 for route in fixed]
    own = [network.name for network in spec.networks]
    return {
        "network_names": (*own, *(entry.name for entry in spec.background)),
        "network_blocks": _ints([route.blocks for route in fixed]),
        "network_route": np.arange(len(fixed), dtype=np.int64),
        "network_table": _ints([offsets.get(route.spec.name, -1) for route in fixed]),
        "network_samples": _ints(samples),
        "exit_confidence": np.concatenate(confidence),
        "exit_correct": np.concatenate(correct),
    }


def _groups(spec: ScenarioSpec, routes: list[Route]) -> dict[str, Any]:
    entry_block = [start for route in routes for start in route.starts]
    payload = [_payload(spec, route, entry) for route in routes for entry in range(ENTRIES)]
    thresholds = [route.spec.thresholds or (math.inf, math.inf) for route in routes]
    return {
        "route_network": _ints([_network_of(spec, r) for r in range(len(routes))]),
        "route_p1": _ints([route.starts[1] for route in routes]),
        "route_p2": _ints([route.starts[2] for route in routes]),
        "route_threshold": np.array(thresholds, dtype=np.float64),
        "group_entry_block": _ints(entry_block),
        "group_payload": _floats(payload),
    }


def _network_of(spec: ScenarioSpec, route: int) -> int:
    """A route's network: each fixed route has one of its own, the others serve the placed one."""
    return route if spec.placed is None or route < len(spec.routes) else spec.placed


def _payload(spec: ScenarioSpec, route: Route, entry: int) -> float:
    """Bytes of a task waiting to enter; none waits after the last block."""
    start = route.starts[entry]
    return 0.0 if start >= route.blocks else payload_bytes(route.network, start, spec.features)


def _ints(values: list[int]) -> Ints:
    return np.array(values, dtype=np.int64)


def _floats(values: list[float]) -> Floats:
    return np.array(values, dtype=np.float64)
