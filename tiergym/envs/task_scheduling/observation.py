"""What TaskScheduling shows: the fields, their bounds, and the compiled function that fills them.

Where fields lie is told in `tiergym.envs.buffers`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tiergym.engine.compiling import compiled
from tiergym.engine.layout import NONE
from tiergym.engine.links import bandwidth_now
from tiergym.engine.nodes import executor_seconds
from tiergym.engine.packing import canonical_group, slot_groups
from tiergym.engine.views import (
    World,
    executor_at,
    head,
    history_at,
    link_at,
    link_spec,
    model,
    node_at,
    node_spec,
    queue_at,
    slot_at,
    task_at,
)
from tiergym.envs.buffers import AMOUNT_BOUND, COUNT_BOUND, SECONDS_BOUND, Field, clipped
from tiergym.envs.task_scheduling.actions import action_count
from tiergym.scenarios.system import EMPTY_STAGE, ENTRIES, NO_STAGE, System

OVERDUE = 1e-6
"""Seconds told of something busy whose expected end has passed, so that 0 means idle."""
TOLD_BOUND = 100.0
"""Age of the upper tier's backlog before any answer has told it."""


class Sizes(NamedTuple):
    """The sizes that fix an observation: M slots, the K batch sizes, X executors."""

    max_networks: int
    batch_sizes: tuple[int, ...]
    max_executors: int

    @property
    def actions(self) -> int:
        """Number of actions."""
        return action_count(self.max_networks, len(self.batch_sizes))

    def fields(self) -> tuple[Field, ...]:
        """The fields in the order in which they lie in the buffer."""
        m, x = self.max_networks, self.max_executors
        table = m * len(self.batch_sizes)
        return (
            Field("queue_length", m, 0.0, COUNT_BOUND),
            Field("oldest_age", m, 0.0, SECONDS_BOUND),
            Field("mean_age", m, 0.0, SECONDS_BOUND),
            Field("oldest_slack", m, -SECONDS_BOUND, SECONDS_BOUND),
            Field("youngest_slack", m, -SECONDS_BOUND, SECONDS_BOUND),
            Field("arrivals_1s", m, 0.0, COUNT_BOUND),
            Field("arrivals_10s", m, 0.0, COUNT_BOUND),
            Field("executor_seconds", x, -1.0, SECONDS_BOUND),
            Field("free_megabytes", 1, -1.0, AMOUNT_BOUND),
            Field("uplink", 5, -1.0, AMOUNT_BOUND),
            Field("upper", 3, 0.0, SECONDS_BOUND),
            Field("time", 2, 0.0, SECONDS_BOUND),
            Field("run_seconds", table, 0.0, SECONDS_BOUND),
            Field("payload_megabytes", m, 0.0, AMOUNT_BOUND),
            Field("task_megabytes", m, 0.0, AMOUNT_BOUND),
            Field("upper_seconds", table, 0.0, SECONDS_BOUND),
            Field("weights", 4, 0.0, AMOUNT_BOUND),
        )


STATIC = ("run_seconds", "payload_megabytes", "task_megabytes", "upper_seconds", "weights")
"""Fields that a scenario fixes; the last ones in the buffer, copied from a table."""


def static_table(system: System, node: int, sizes: Sizes) -> NDArray[np.float32]:
    """The `STATIC` fields of a scenario, one after the other, clipped to their bounds."""
    groups = slot_groups(system, node)
    values: dict[str, NDArray[np.float64]] = {
        "run_seconds": np.zeros((sizes.max_networks, len(sizes.batch_sizes))),
        "payload_megabytes": np.zeros(sizes.max_networks),
        "task_megabytes": np.zeros(sizes.max_networks),
        "upper_seconds": np.zeros((sizes.max_networks, len(sizes.batch_sizes))),
    }
    for m, g in enumerate(groups):
        values["run_seconds"][m] = _run_seconds(system, node, g, sizes.batch_sizes)
        values["payload_megabytes"][m] = system.group_payload[g] / 1e6
        values["task_megabytes"][m] = _task_bytes(system, node, g) / 1e6
        values["upper_seconds"][m] = _upper_seconds(system, node, g, sizes.batch_sizes)
    cost = system.cost
    weights = [cost.delay_weight, cost.error_weight, cost.late_weight, cost.energy_weight]
    flat = [*(values[name] for name in STATIC[:-1]), np.array(weights)]
    return clipped(sizes.fields(), STATIC, flat)


def _run_seconds(system: System, n: int, g: int, sizes: Sequence[int]) -> list[float]:
    largest = int(system.node_batch_max[n])
    row = system.stage_seconds[system.stage_row[n, g]]
    before = [0, *sizes[:-1]]
    return [
        float(row[min(k, largest) - 1]) if largest > smaller else 0.0
        for k, smaller in zip(sizes, before, strict=True)
    ]


def _task_bytes(system: System, n: int, g: int) -> float:
    """Bytes that a task takes while it runs alone: payload, workspace, a larger output."""
    first = g - g % ENTRIES
    out = float(system.group_payload[g])
    if system.stage_end[n, g] < system.network_blocks[system.route_network[g // ENTRIES]]:
        after = canonical_group(system, first + int(system.node_tier[n]) + 1)
        out = max(out, float(system.group_payload[after]))
    return out + float(system.stage_workspace[system.stage_row[n, g], 0])


def _upper_seconds(system: System, n: int, g: int, sizes: Sequence[int]) -> list[float]:
    """Seconds the first node above that runs ``g`` takes for k tasks: full batches and the rest."""
    uplink = int(system.node_uplink[n])
    while uplink >= 0:
        n = int(system.link_target[uplink])
        row = int(system.stage_row[n, g])
        if row >= 0:
            seconds, largest = system.stage_seconds[row], int(system.node_batch_max[n])
            parts = [divmod(k, largest) for k in sizes]
            return [
                full * float(seconds[largest - 1]) + (float(seconds[rest - 1]) if rest else 0.0)
                for full, rest in parts
            ]
        if row == NO_STAGE:
            break
        assert row == EMPTY_STAGE
        uplink = int(system.node_uplink[n])
    return [0.0] * len(sizes)


@compiled
def write_observation(
    w: World, out: Any, row: int, rows: int, max_networks: int, max_executors: int, static: Any
) -> None:
    """Fill the share of ``row`` of ``rows`` in ``out``; ``static`` is a row of static tables."""
    at = _write_groups(w, out, row, rows, max_networks)
    at = _write_device(w, out, at, row, rows, max_executors)
    at = _write_surroundings(w, out, at, row, rows)
    _write_static(out, at, row, rows, max_networks, static)


@compiled
def _clip(value: float, low: float, high: float) -> float:
    return min(max(value, low), high)


@compiled
def _write_groups(w: World, out: Any, row: int, rows: int, m: int) -> int:
    now = head(w).clock
    width = rows * m
    first = row * m
    for field in range(7):
        for slot in range(m):
            out[first + field * width + slot] = 0.0
    base = model(w).claimed * model(w).groups
    for slot in range(model(w).slots):
        g = slot_at(w, slot).value
        at = first + slot
        queue = queue_at(w, base + g)
        if queue.length > 0:
            out[at] = min(float(queue.length), COUNT_BOUND)
            out[at + width] = _clip(now - queue.first_arrival, 0.0, SECONDS_BOUND)
            mean_age = now - queue.arrival_sum / queue.length
            out[at + 2 * width] = _clip(mean_age, 0.0, SECONDS_BOUND)
            slack = _clip(queue.first_deadline - now, -SECONDS_BOUND, SECONDS_BOUND)
            out[at + 3 * width] = slack
            slack = _clip(queue.last_deadline - now, -SECONDS_BOUND, SECONDS_BOUND)
            out[at + 4 * width] = slack
        _forget(w, g, now)
        out[at + 5 * width] = min(float(history_at(w, g).count_1), COUNT_BOUND)
        out[at + 6 * width] = min(float(history_at(w, g).count_10), COUNT_BOUND)
    return 7 * width


@compiled
def _forget(w: World, g: int, now: float) -> None:
    """Drop arrivals older than 1 and 10 seconds from the counts of group ``g``."""
    history = history_at(w, g)
    while history.count_1 > 0 and history.entered_1 <= now - 1.0:
        history.first_1 = task_at(w, history.first_1).history_next
        history.count_1 -= 1
        if history.count_1 > 0:
            history.entered_1 = task_at(w, history.first_1).entered
    while history.count_10 > 0 and history.entered_10 <= now - 10.0:
        history.first_10 = task_at(w, history.first_10).history_next
        history.count_10 -= 1
        if history.count_10 > 0:
            history.entered_10 = task_at(w, history.first_10).entered


@compiled
def _write_device(w: World, out: Any, at: int, row: int, rows: int, executors: int) -> int:
    n = model(w).claimed
    spec = node_spec(w, n)
    first = at + row * executors
    for k in range(executors):
        out[first + k] = -1.0
    for k in range(spec.executors):
        out[first + k] = _executor_field(w, spec.first_executor + k)
    at += rows * executors
    out[at + row] = -1.0
    if spec.memory < np.inf:
        out[at + row] = _clip((spec.memory - node_at(w, n).held) / 1e6, 0.0, AMOUNT_BOUND)
    return at + rows


@compiled
def _executor_field(w: World, x: int) -> float:
    if executor_at(w, x).group == NONE:
        return 0.0
    return _clip(executor_seconds(w, x), OVERDUE, SECONDS_BOUND)


@compiled
def _write_surroundings(w: World, out: Any, at: int, row: int, rows: int) -> int:
    h, n = head(w), model(w).claimed
    e = node_spec(w, n).uplink
    first = at + row * 5
    upper = at + rows * 5 + row * 3
    if e == NONE:
        for k in range(5):
            out[first + k] = -1.0
        for k in range(3):
            out[upper + k] = 0.0
    else:
        _write_link(w, out, first, e)
        _write_upper(w, out, upper, e)
    time = at + rows * 8 + row * 2
    out[time] = min(h.elapsed, SECONDS_BOUND)
    out[time + 1] = min(h.clock / h.window, 1.0)
    return at + rows * 10


@compiled
def _seconds_for(size: float, bandwidth: float) -> float:
    """Seconds for ``size`` bytes at ``bandwidth`` bit/s; none for no bytes, whatever it is."""
    return size * 8.0 / bandwidth if size > 0.0 else 0.0


@compiled
def _write_link(w: World, out: Any, at: int, e: int) -> None:
    link, spec = link_at(w, e), link_spec(w, e)
    bandwidth = bandwidth_now(w, e)
    waiting = link.waiting_bytes
    seconds = 0.0
    if link.busy == 1:
        takes = spec.per_package + _seconds_for(link.wire_bytes, bandwidth)
        seconds = max(OVERDUE, takes - (head(w).clock - link.wire_start))
        waiting += link.wire_bytes
    if link.waiting > 0:
        packages = float(link.waiting)
        if spec.packing == 1:
            packages = max(1.0, np.ceil(link.waiting_bytes / spec.package_max))
        seconds += packages * spec.per_package + _seconds_for(link.waiting_bytes, bandwidth)
    out[at] = min(seconds, SECONDS_BOUND)
    out[at + 1] = min(waiting / 1e6, AMOUNT_BOUND)
    out[at + 2] = min(bandwidth / 1e6, AMOUNT_BOUND)
    out[at + 3] = min(2.0 * spec.half_rtt, SECONDS_BOUND)
    out[at + 4] = min(spec.per_package, SECONDS_BOUND)


@compiled
def _write_upper(w: World, out: Any, at: int, e: int) -> None:
    node = node_at(w, model(w).claimed)
    out[at] = min(node.told_backlog, SECONDS_BOUND)
    age = head(w).clock - node.told_at
    out[at + 1] = TOLD_BOUND if np.isnan(age) else min(age, TOLD_BOUND)
    out[at + 2] = float(node_spec(w, link_spec(w, e).target).executors)


@compiled
def _write_static(out: Any, at: int, row: int, rows: int, m: int, static: Any) -> None:
    """Copy the static fields; their widths are table, M, M, table, 4."""
    table = (len(static) - 2 * m - 4) // 2
    read = 0
    for part in range(5):
        width = table if part == 0 or part == 3 else (4 if part == 4 else m)
        first = at + row * width
        for k in range(width):
            out[first + k] = static[read + k]
        read += width
        at += rows * width
