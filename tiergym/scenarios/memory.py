"""Bytes on the nodes: parameters held, what admission leaves free, and what a refusal costs."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from tiergym.errors import InvalidInput
from tiergym.scenarios.spec import ScenarioSpec
from tiergym.scenarios.stages import Route
from tiergym.scenarios.system import ENTRIES, Floats, Ints, System


def held_parameters(spec: ScenarioSpec, routes: list[Route], rows: Ints, ends: Ints) -> Floats:
    """float64[N], bytes of the parameters that are there for good: not a placed network's own."""
    held = np.zeros(len(spec.nodes))
    for n in range(len(spec.nodes)):
        blocks: dict[str, set[int]] = {}
        sizes = {route.spec.name: route.network.param_bytes for route in routes}
        for r, route in enumerate(routes):
            if route.placed or r == spec.placed:
                continue
            for e in range(ENTRIES):
                if rows[n, ENTRIES * r + e] >= 0:
                    run = range(route.starts[e], int(ends[n, ENTRIES * r + e]))
                    blocks.setdefault(route.spec.name, set()).update(run)
        held[n] = math.fsum(float(sizes[name][sorted(run)].sum()) for name, run in blocks.items())
    return held


def reserves(
    routes: list[Route], rows: Ints, ends: Ints, payload: Floats, workspace: Floats
) -> Floats:
    """float64[N], bytes that a batch of one takes on top of its payload, the most of any group."""
    reserve = np.zeros(len(rows))
    for n, g in np.argwhere(rows >= 0):
        route = routes[int(g) // ENTRIES]
        end = int(ends[n, g])
        out = 0.0 if end == route.blocks else payload[g - g % ENTRIES + route.starts.index(end)]
        extra = workspace[rows[n, g], 0] + max(0.0, out - payload[g])
        reserve[n] = max(reserve[n], extra)
    return reserve


def check_memory(spec: ScenarioSpec, system: System) -> None:
    """Refuse a node that could never take some task that comes to it.

    Raises:
        InvalidInput: naming the node.
    """
    for n, node in enumerate(spec.nodes):
        able = system.stage_row[n] >= -1
        largest = float(system.group_payload[able].max(initial=0.0))
        free = float(system.node_memory[n] - system.node_reserve[n])
        if free < largest:
            least = node.memory_bytes - free + largest
            allowed = f"at least {least:g} bytes: parameters, a batch of one and its payload"
            raise InvalidInput(f"{node.field}.memory_bytes", node.memory_bytes, allowed)


def drain_seconds(system: System) -> float:
    """Longest time that a full queue of one group takes, over nodes of finite memory."""
    longest = 0.0
    for n in np.flatnonzero(np.isfinite(system.node_memory)):
        for g in np.flatnonzero(system.stage_row[n] >= 0):
            payload = system.group_payload[g]
            if payload > 0.0:
                each = best_seconds(system, int(n), int(g)) / system.node_executors[n]
                room = system.node_memory[n] - system.node_reserve[n]
                longest = max(longest, float(room // payload * each))
    return longest


def best_seconds(system: System, node: int, group: int) -> float:
    """Seconds a task of a group takes on an executor of a node in the best batch."""
    most = int(system.node_batch_max[node])
    row = system.stage_seconds[system.stage_row[node, group], :most]
    return float(np.min(row / np.arange(1, most + 1)))


def with_refusal(spec: ScenarioSpec, system: System) -> System:
    """The system with ``refusal_seconds`` set to the time to drain a full queue, if not given.

    Raises:
        InvalidInput: if one was given that is less, since refusing would then pay.
    """
    least = drain_seconds(system)
    if not spec.refusal_given:
        return replace(system, cost=replace(system.cost, refusal_seconds=float(math.ceil(least))))
    if system.cost.refusal_seconds < least:
        allowed = f"at least {least:.6g} s, in which a full queue drains, or refusing would pay"
        raise InvalidInput("cost.refusal_seconds", system.cost.refusal_seconds, allowed)
    return system
