"""`System` to the bytes of a model."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tiergym.engine.layout import (
    MODEL_GROUP,
    MODEL_HEAD,
    MODEL_LINK,
    MODEL_NETWORK,
    MODEL_NODE,
    MODEL_ROUTE,
    MODEL_STAGE,
    NOBODY,
    NONE,
    Bytes,
)
from tiergym.errors import InvalidInput
from tiergym.scenarios.system import EMPTY_STAGE, ENTRIES, NO_STAGE, System


def canonical_group(system: System, group: int) -> int:
    """The group that tasks of ``group`` join: the lowest entry kind with the same entry block."""
    first = group - group % ENTRIES
    blocks = system.group_entry_block[first : group + 1]
    return first + int(np.flatnonzero(blocks == blocks[-1])[0])


def slot_groups(system: System, node: int) -> list[int]:
    """Groups that can queue at ``node``, in their order: the slots of a `schedule` decision."""
    rows = system.stage_row[node]
    return [g for g in range(system.groups) if rows[g] >= 0 and canonical_group(system, g) == g]


def pack_system(
    system: System, claimed: int = NOBODY, places: bool = False, selects: bool = False
) -> Bytes:
    """The bytes of a model.

    Args:
        claimed: the node whose `schedule` decisions the caller takes, `NOBODY` for none.
        places: whether the caller takes the `place` decisions.
        selects: whether the caller takes the `attach` and `move` decisions.

    Raises:
        InvalidInput: if there is no such node, no placed network, no terminal that selects, or more
            than one kind is claimed.
    """
    if selects and system.selection is None:
        raise InvalidInput("selects", selects, "False, where no terminal selects an edge")
    if claimed != NOBODY and system.selection is not None:
        raise InvalidInput("claimed", claimed, f"{NOBODY}, where terminals select edges")
    if places and system.placing is None:
        raise InvalidInput("places", places, "False, for a system without a placed network")
    if claimed != NOBODY and system.placing is not None:
        raise InvalidInput("claimed", claimed, f"{NOBODY}, for a system with a placed network")
    if not NOBODY <= claimed < system.nodes:
        raise InvalidInput("claimed", claimed, f"a node, 0 to {system.nodes - 1}, or {NOBODY}")
    sections = {
        "at_node": _pack_nodes(system),
        "at_link": _pack_links(system),
        "at_network": _pack_networks(system),
        "at_group": _pack_groups(system),
        "at_stage": _pack_stages(system),
        "at_seconds": system.stage_seconds.ravel(),
        "at_workspace": system.stage_workspace.ravel(),
        "at_rank": system.node_rank.ravel(),
        "at_slot": np.array(slot_groups(system, claimed) if claimed >= 0 else [], np.int64),
        "at_confidence": system.exit_confidence.ravel(),
        "at_correct": system.exit_correct.ravel(),
        "at_route": _pack_routes(system),
        "at_block": np.empty(0) if system.placing is None else system.placing.block_bytes,
        **_pack_parameters(system),
    }
    head = np.zeros(1, MODEL_HEAD)
    parts: list[Bytes] = []
    at = MODEL_HEAD.itemsize
    for name, array in sections.items():
        data = np.frombuffer(np.ascontiguousarray(array).tobytes(), np.uint8)
        head[name] = at
        parts += [data, np.zeros(-len(data) % 8, np.uint8)]
        at += len(data) + -len(data) % 8
    _fill_model_head(head, system, claimed, len(sections["at_slot"]))
    _fill_placing(head, system, places)
    _fill_selection(head, system, selects)
    return np.concatenate([head.view(np.uint8), *parts])


def _fill_model_head(head: NDArray[Any], system: System, claimed: int, slots: int) -> None:
    cost = system.cost
    values: dict[str, float] = {
        "nodes": system.nodes,
        "links": system.links,
        "networks": system.networks,
        "groups": system.groups,
        "routes": len(system.route_p1),
        "batch_columns": system.batch_columns,
        "executors": int(system.node_executors.sum()),
        "claimed": claimed,
        "slots": slots,
        "delay_weight": cost.delay_weight,
        "error_weight": cost.error_weight,
        "late_weight": cost.late_weight,
        "energy_weight": cost.energy_weight,
        "refusal_seconds": cost.refusal_seconds,
        "idle_watts": float(system.node_idle_watts.sum()),
    }
    for name, value in values.items():
        head[name] = value


def _fill_placing(head: NDArray[Any], system: System, places: bool) -> None:
    placing = system.placing
    head["placed"] = NONE if placing is None else placing.network
    head["places"] = int(places)
    if placing is not None:
        head["first_route"] = placing.first_route
        head["placements"] = len(placing.servable)
        head["interval_seconds"] = placing.interval_seconds


_SELECTION = (
    "terminals",
    "edges",
    "moves",
    "attach_every",
    "overload_mark",
    "hold_seconds",
    "reconnect_seconds",
    "timeout_seconds",
    "report_interval",
)


def _fill_selection(head: NDArray[Any], system: System, selects: bool) -> None:
    head["selects"] = int(selects)
    if system.selection is not None:
        for name in _SELECTION:
            head[name] = getattr(system.selection, name)


def _pack_parameters(system: System) -> dict[str, NDArray[Any]]:
    if system.selection is None:
        return {"at_fetch": np.empty(0), "at_deployed": np.empty(0, np.int64)}
    return {
        "at_fetch": system.selection.fetch_seconds.ravel(),
        "at_deployed": system.selection.deployed.ravel().astype(np.int64),
    }


def _pack_routes(system: System) -> NDArray[Any]:
    routes = np.zeros(len(system.route_p1), MODEL_ROUTE)
    routes["p1"] = system.route_p1
    routes["p2"] = system.route_p2
    routes["servable"] = 1
    if system.placing is not None:
        routes["servable"][system.placing.first_route :] = system.placing.servable
    return routes


def _pack_nodes(system: System) -> NDArray[Any]:
    nodes = np.zeros(system.nodes, MODEL_NODE)
    nodes["tier"] = system.node_tier
    nodes["executors"] = system.node_executors
    nodes["first_executor"] = np.cumsum(system.node_executors) - system.node_executors
    nodes["batch_max"] = system.node_batch_max
    nodes["discipline"] = system.node_discipline
    nodes["uplink"] = system.node_uplink
    nodes["memory"] = system.node_memory
    nodes["reserve"] = system.node_reserve
    extra = system.node_busy_watts - system.node_idle_watts
    nodes["busy_watts"] = extra / system.node_executors
    nodes["load_rate"] = np.inf if system.placing is None else system.placing.load_rate
    return nodes


def _pack_links(system: System) -> NDArray[Any]:
    links = np.zeros(system.links, MODEL_LINK)
    for name in MODEL_LINK.names or ():
        links[name] = getattr(system, f"link_{name}")
    return links


def _pack_networks(system: System) -> NDArray[Any]:
    networks = np.zeros(system.networks, MODEL_NETWORK)
    for name in MODEL_NETWORK.names or ():
        networks[name] = getattr(system, f"network_{name}")
    return networks


def _pack_groups(system: System) -> NDArray[Any]:
    groups = np.zeros(system.groups, MODEL_GROUP)
    route = np.arange(system.groups) // ENTRIES
    groups["network"] = system.route_network[route]
    groups["entry_block"] = system.group_entry_block
    groups["payload"] = system.group_payload
    groups["threshold_1"] = system.route_threshold[route, 0]
    groups["threshold_2"] = system.route_threshold[route, 1]
    return groups


def _pack_stages(system: System) -> NDArray[Any]:
    stages = np.zeros(system.nodes * system.groups, MODEL_STAGE)
    stages["row"] = system.stage_row.ravel()
    stages["end"] = system.stage_end.ravel()
    stages["next_group"] = NONE
    for n in range(system.nodes):
        for g in range(system.groups):
            if system.stage_row[n, g] >= 0:
                _link_stage(system, stages[n * system.groups + g], n, g)
    return stages


def _link_stage(system: System, stage: Any, n: int, g: int) -> None:
    """Say which group a task joins after its stage, and how much its payload grows there."""
    route = g // ENTRIES
    if stage["end"] < system.network_blocks[system.route_network[route]]:
        following = canonical_group(system, ENTRIES * route + int(system.node_tier[n]) + 1)
        stage["next_group"] = following
        growth = system.group_payload[following] - system.group_payload[g]
        stage["growth"] = max(0.0, float(growth))


def servable(system: System) -> NDArray[np.bool_]:
    """bool[N, M]: whether a task of network m that arrives at node n can reach its last block."""
    return np.array(
        [[_can_serve(system, n, m) for m in range(system.networks)] for n in range(system.nodes)],
        dtype=np.bool_,
    ).reshape(system.nodes, system.networks)


def _can_serve(system: System, n: int, m: int) -> bool:
    group = ENTRIES * int(system.network_route[m])
    while True:
        row, end = int(system.stage_row[n, group]), int(system.stage_end[n, group])
        if row == NO_STAGE:
            return False
        if row != EMPTY_STAGE:
            if end == system.network_blocks[m]:
                return True
            tier = int(system.node_tier[n])
            group = canonical_group(system, group - group % ENTRIES + tier + 1)
        if system.node_uplink[n] < 0:
            return False
        n = int(system.link_target[system.node_uplink[n]])
