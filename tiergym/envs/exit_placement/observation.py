"""What ExitPlacement shows: the fields, their bounds, and the compiled function that fills them.

Where fields lie is told in `tiergym.envs.buffers`. What changes comes first; what a scenario fixes
(`STATIC`, see `tiergym.envs.exit_placement.knowledge`) is copied behind it.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from tiergym.engine.compiling import compiled
from tiergym.engine.layout import NONE, PAST_INTERVALS
from tiergym.engine.links import bandwidth_now
from tiergym.engine.nodes import backlog_seconds
from tiergym.engine.views import (
    World,
    head,
    link_at,
    link_spec,
    model,
    network_spec,
    node_at,
    node_spec,
    past_at,
)
from tiergym.envs.buffers import AMOUNT_BOUND, COUNT_BOUND, SECONDS_BOUND, Field
from tiergym.scenarios.system import pairs_of

TIERS, LINKS = 3, 2
DEADLINE_BOUND = 100.0
SHARE_BOUND = 2.0
"""Above every share, so that a tier that was busy all the time is not at the bound."""
NO_EXIT = 2.0
"""Threshold told where no task leaves before block L."""
THRESHOLD_BOUND = 3.0
DYNAMIC = (
    "link",
    "bandwidth_past",
    "arrivals_past",
    "utilisation_past",
    "queue_length",
    "backlog_seconds",
    "in_system",
    "free_megabytes",
    "held_blocks",
    "placement",
    "time",
)
STATIC = (
    "network",
    "block_macs",
    "block_megabytes",
    "payload_megabytes",
    "head_accuracy",
    "head_exit_rate",
    "terminal_seconds",
    "edge_seconds",
    "cloud_seconds",
    "pair_seconds",
    "pair_exit_share",
    "pair_accuracy",
    "thresholds",
    "batch_gain",
    "executors",
    "batch_max",
    "load_rate",
    "weights",
)
"""Fields that a scenario fixes; the last ones in the buffer, copied from a table."""


class Sizes(NamedTuple):
    """The sizes that fix an observation: B blocks and T threshold levels."""

    max_blocks: int
    max_thresholds: int

    @property
    def pairs(self) -> int:
        """P, pairs of each level."""
        return pairs_of(self.max_blocks)

    @property
    def actions(self) -> int:
        """Number of actions."""
        return self.max_thresholds * self.pairs

    def fields(self) -> tuple[Field, ...]:
        """The fields in the order in which they lie in the buffer."""
        b, p, a, past = self.max_blocks, self.pairs, self.actions, PAST_INTERVALS
        return (
            Field("link", 4 * LINKS, 0.0, AMOUNT_BOUND),
            Field("bandwidth_past", LINKS * past, 0.0, AMOUNT_BOUND),
            Field("arrivals_past", past, 0.0, AMOUNT_BOUND),
            Field("utilisation_past", TIERS * past, 0.0, SHARE_BOUND),
            Field("queue_length", TIERS, 0.0, AMOUNT_BOUND),
            Field("backlog_seconds", TIERS, 0.0, SECONDS_BOUND),
            Field("in_system", 1, 0.0, AMOUNT_BOUND),
            Field("free_megabytes", TIERS, -1.0, AMOUNT_BOUND),
            Field("held_blocks", TIERS * b, 0.0, SHARE_BOUND),
            Field("placement", 4, 0.0, COUNT_BOUND),
            Field("time", 3, 0.0, SECONDS_BOUND),
            Field("network", 3, 0.0, AMOUNT_BOUND),
            Field("block_macs", b, 0.0, AMOUNT_BOUND),
            Field("block_megabytes", b, 0.0, AMOUNT_BOUND),
            Field("payload_megabytes", b + 1, 0.0, AMOUNT_BOUND),
            Field("head_accuracy", b, 0.0, SHARE_BOUND),
            Field("head_exit_rate", b, 0.0, SHARE_BOUND),
            Field("terminal_seconds", b, 0.0, SECONDS_BOUND),
            Field("edge_seconds", b, 0.0, SECONDS_BOUND),
            Field("cloud_seconds", b, 0.0, SECONDS_BOUND),
            Field("pair_seconds", TIERS * p, 0.0, SECONDS_BOUND),
            Field("pair_exit_share", 2 * a, 0.0, SHARE_BOUND),
            Field("pair_accuracy", a, 0.0, SHARE_BOUND),
            Field("thresholds", 2 * self.max_thresholds, 0.0, THRESHOLD_BOUND),
            Field("batch_gain", TIERS, 0.0, COUNT_BOUND),
            Field("executors", TIERS, 0.0, COUNT_BOUND),
            Field("batch_max", TIERS, 0.0, COUNT_BOUND),
            Field("load_rate", TIERS, 0.0, AMOUNT_BOUND),
            Field("weights", 4, 0.0, AMOUNT_BOUND),
        )


@compiled
def write_observation(
    w: World,
    out: Any,
    row: int,
    rows: int,
    blocks: int,
    widths: Any,
    static: Any,
) -> None:
    """Fill the share of ``row`` of ``rows`` in ``out``.

    Args:
        widths: of the static fields; static: their values for this row's scenario.
    """
    at = _write_links(w, out, row, rows)
    at = _write_past(w, out, at, row, rows)
    at = _write_nodes(w, out, at, row, rows, blocks)
    at = _write_state(w, out, at, row, rows)
    read = 0
    for field in range(len(widths)):
        width = widths[field]
        first = at + row * width
        for k in range(width):
            out[first + k] = static[read + k]
        read += width
        at += rows * width


@compiled
def _bounded(value: float, high: float) -> float:
    return min(max(value, 0.0), high)


@compiled
def _uplink(w: World, k: int) -> int:
    """The uplink (0) and the backhaul (1)."""
    return node_spec(w, k).uplink


@compiled
def _write_links(w: World, out: Any, row: int, rows: int) -> int:
    for k in range(LINKS):
        e = _uplink(w, k)
        spec, first = link_spec(w, e), row * 4 * LINKS + 4 * k
        out[first] = _bounded(2.0 * spec.half_rtt, AMOUNT_BOUND)
        out[first + 1] = _bounded(spec.per_package, AMOUNT_BOUND)
        out[first + 2] = _bounded(_seconds_until_free(w, e), AMOUNT_BOUND)
        out[first + 3] = _bounded(bandwidth_now(w, e) / 1e6, AMOUNT_BOUND)
    return rows * 4 * LINKS


@compiled
def _seconds_until_free(w: World, e: int) -> float:
    """Seconds until all that waits for link ``e`` has left, at the present bandwidth."""
    link, spec = link_at(w, e), link_spec(w, e)
    bandwidth = bandwidth_now(w, e)
    seconds = 0.0
    if link.busy == 1:
        takes = spec.per_package + (link.wire_bytes * 8.0 / bandwidth if bandwidth > 0.0 else 0.0)
        seconds = max(0.0, takes - (head(w).clock - link.wire_start))
    if link.waiting > 0:
        packages = float(link.waiting)
        if spec.packing == 1:
            packages = max(1.0, np.ceil(link.waiting_bytes / spec.package_max))
        seconds += packages * spec.per_package
        if bandwidth > 0.0:
            seconds += link.waiting_bytes * 8.0 / bandwidth
    return seconds


@compiled
def _write_past(w: World, out: Any, at: int, row: int, rows: int) -> int:
    h = PAST_INTERVALS
    bandwidth = at + row * LINKS * h
    arrivals = at + rows * LINKS * h + row * h
    used = at + rows * (LINKS + 1) * h + row * TIERS * h
    seconds = model(w).interval_seconds
    for k in range(h):
        past = past_at(w, k)
        out[bandwidth + LINKS * k] = _bounded(past.bandwidth_1 / 1e6, AMOUNT_BOUND)
        out[bandwidth + LINKS * k + 1] = _bounded(past.bandwidth_2 / 1e6, AMOUNT_BOUND)
        out[arrivals + k] = _bounded(past.arrivals / seconds, AMOUNT_BOUND)
        out[used + TIERS * k] = _bounded(past.busy_0, SHARE_BOUND)
        out[used + TIERS * k + 1] = _bounded(past.busy_1, SHARE_BOUND)
        out[used + TIERS * k + 2] = _bounded(past.busy_2, SHARE_BOUND)
    return at + rows * (LINKS + 1 + TIERS) * h


@compiled
def _write_nodes(w: World, out: Any, at: int, row: int, rows: int, blocks: int) -> int:
    queued = at + row * TIERS
    backlog = queued + rows * TIERS
    system = at + 2 * rows * TIERS + row
    free = at + 2 * rows * TIERS + rows + row * TIERS
    held = at + 3 * rows * TIERS + rows + row * TIERS * blocks
    out[system] = _bounded(float(head(w).in_system), AMOUNT_BOUND)
    for n in range(TIERS):
        node, spec = node_at(w, n), node_spec(w, n)
        out[queued + n] = _bounded(float(node.queued), AMOUNT_BOUND)
        out[backlog + n] = _bounded(backlog_seconds(w, n), SECONDS_BOUND)
        out[free + n] = -1.0
        if spec.memory < np.inf:
            out[free + n] = _bounded((spec.memory - node.held) / 1e6, AMOUNT_BOUND)
        for k in range(blocks):
            out[held + n * blocks + k] = _held(node.kept, node.loaded, k)
    return at + 3 * rows * TIERS + rows + rows * TIERS * blocks


@compiled
def _held(kept: int, loaded: int, block: int) -> float:
    """1 where a block's parameters are there, 0.5 where they are being loaded, else 0."""
    if (loaded >> block) & 1 == 1:
        return 1.0
    return 0.5 if (kept >> block) & 1 == 1 else 0.0


@compiled
def _write_state(w: World, out: Any, at: int, row: int, rows: int) -> int:
    h, m = head(w), model(w)
    first = at + row * 4
    for k in range(4):
        out[first + k] = 0.0
    if h.in_force != NONE:
        own = h.in_force - m.first_route
        blocks = network_spec(w, m.placed).blocks
        count = (blocks + 1) * (blocks + 2) // 2
        level = own // count
        pair = own - level * count
        p2 = 0
        while (p2 + 1) * (p2 + 2) // 2 <= pair:
            p2 += 1
        out[first] = float(pair - p2 * (p2 + 1) // 2)
        out[first + 1] = float(p2)
        out[first + 2] = float(level)
        out[first + 3] = 1.0
    time = at + rows * 4 + row * 3
    out[time] = _bounded(h.elapsed, SECONDS_BOUND)
    out[time + 1] = min(h.clock / h.window, 1.0)
    out[time + 2] = _bounded(m.interval_seconds, SECONDS_BOUND)
    return at + rows * 7
