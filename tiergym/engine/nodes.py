"""Nodes: what a batch takes, how it starts and ends, and the built-in disciplines."""

from __future__ import annotations

import numpy as np

from tiergym.engine.compiling import compiled
from tiergym.engine.events import BATCH_DONE, mark_node, schedule
from tiergym.engine.layout import LOADING, NONE
from tiergym.engine.placing import finish_loading, ready, start_loading
from tiergym.engine.selecting import has_parameters
from tiergym.engine.tasks import answer, drop_first, wait_for_link
from tiergym.engine.views import (
    World,
    confidence_at,
    executor_at,
    group_spec,
    head,
    jitter_at,
    link_spec,
    model,
    network_spec,
    node_at,
    node_spec,
    queue_at,
    rank_at,
    seconds_at,
    stage_spec,
    task_at,
    workspace_at,
)
from tiergym.scenarios.system import FCFS, FCFS_BATCHED, NO_STAGE, PRIORITY, TERMINAL


@compiled
def batch_need(w: World, n: int, g: int, count: int) -> float:
    """Bytes that a batch takes beside its payloads: workspace, and outputs larger than inputs."""
    stage = stage_spec(w, n * model(w).groups + g)
    return (
        workspace_at(w, stage.row * model(w).batch_columns + count - 1).value + count * stage.growth
    )


@compiled
def batch_fits(w: World, n: int, g: int, count: int) -> bool:
    """Whether a batch of ``count`` tasks of group ``g`` fits into the memory of node ``n`` now."""
    return node_at(w, n).held + batch_need(w, n, g, count) <= node_spec(w, n).memory


@compiled
def seconds_of(w: World, n: int, g: int, count: int) -> float:
    """Expected seconds of a batch of ``count`` tasks of group ``g`` on node ``n``."""
    row = stage_spec(w, n * model(w).groups + g).row
    return seconds_at(w, row * model(w).batch_columns + count - 1).value


@compiled
def start_batch(w: World, n: int, g: int, count: int) -> None:
    """Start the ``count`` oldest tasks of group ``g`` on the lowest idle executor of node ``n``."""
    h, node = head(w), node_at(w, n)
    x = node_spec(w, n).first_executor
    while executor_at(w, x).group != NONE:
        x += 1
    slot = executor_at(w, x)
    seconds = seconds_of(w, n, g, count)
    slot.group = g
    slot.tasks = count
    slot.start = h.clock
    slot.seconds = seconds
    slot.duration = (
        seconds * jitter_at(w, n * h.jitter_columns + node.started % h.jitter_columns).value
    )
    node.held += batch_need(w, n, g, count)
    slot.first = drop_first(w, n, g, count)
    _note_start(w, slot.first)
    node.started += 1
    node.idle -= 1
    node.wake = 1
    node.batches += 1
    node.batch_tasks += count
    node.largest_batch = max(node.largest_batch, count)
    schedule(w, h.clock + slot.duration, BATCH_DONE, x)


@compiled
def _note_start(w: World, i: int) -> None:
    while i != NONE:
        if np.isnan(task_at(w, i).first_start):
            task_at(w, i).first_start = head(w).clock
        i = task_at(w, i).next


@compiled
def node_of(w: World, x: int) -> int:
    """The node that executor ``x`` belongs to."""
    n = model(w).nodes - 1
    while node_spec(w, n).first_executor > x:
        n -= 1
    return n


@compiled
def finish_work(w: World, x: int) -> None:
    """What executor ``x`` was busy with is done: a batch, or a load of parameters."""
    h, n, slot = head(w), node_of(w, x), executor_at(w, x)
    node, g = node_at(w, n), slot.group
    joules = node_spec(w, n).busy_watts * slot.duration
    h.joules += joules
    h.step_joules += joules
    node.busy_seconds += slot.duration
    slot.group = NONE
    node.idle += 1
    node.wake = 1
    mark_node(w, n)
    if g == LOADING:
        finish_loading(w, n)
    else:
        _finish_batch(w, n, g, slot.first, slot.tasks)


@compiled
def _finish_batch(w: World, n: int, g: int, i: int, tasks: int) -> None:
    """The tasks of a batch are answered or go on upward."""
    node = node_at(w, n)
    stage = stage_spec(w, n * model(w).groups + g)
    node.held -= batch_need(w, n, g, tasks)
    backlog = np.nan
    while i != NONE:
        following = task_at(w, i).next
        node.held -= group_spec(w, g).payload
        if _leaves(w, n, i, stage.end):
            told = _tells(w, n, i)
            if told and np.isnan(backlog):
                backlog = backlog_seconds(w, n)
            answer(w, n, i, stage.end, backlog if told else np.nan)
        else:
            task_at(w, i).group = stage.next_group
            node.held += group_spec(w, stage.next_group).payload
            wait_for_link(w, node_spec(w, n).uplink, i)
        i = following


@compiled
def _leaves(w: World, n: int, i: int, block: int) -> bool:
    """Whether task ``i`` leaves at the head after ``block``: the last head accepts everything."""
    task = task_at(w, i)
    network = network_spec(w, task.network)
    if block == network.blocks:
        return True
    if network.table < 0:
        return False
    group = group_spec(w, task.group)
    threshold = group.threshold_1 if node_spec(w, n).tier == TERMINAL else group.threshold_2
    at = network.table + task.sample * (network.blocks + 1) + block
    return confidence_at(w, at).value >= threshold


@compiled
def _tells(w: World, n: int, i: int) -> bool:
    """An answer tells its origin the backlog of the node right above it.

    Where terminals select edges, reports do.
    """
    uplink = node_spec(w, task_at(w, i).origin).uplink
    if model(w).edges > 0:
        return False
    return uplink != NONE and link_spec(w, uplink).target == n and task_at(w, i).origin != n


@compiled
def queued_seconds(w: World, n: int) -> float:
    """Expected seconds of all that is queued at node ``n``: full batches, then the remainder."""
    groups, largest = model(w).groups, node_spec(w, n).batch_max
    total = 0.0
    g = node_at(w, n).first_group
    while g != NONE:
        length = queue_at(w, n * groups + g).length
        full = length // largest
        rest = length - full * largest
        if full > 0:
            total += full * seconds_of(w, n, g, largest)
        if rest > 0:
            total += seconds_of(w, n, g, rest)
        g = queue_at(w, n * groups + g).next_group
    return total


@compiled
def executor_seconds(w: World, x: int) -> float:
    """Expected seconds until executor ``x`` is idle."""
    slot = executor_at(w, x)
    if slot.group == NONE:
        return 0.0
    return max(0.0, slot.start + slot.seconds - head(w).clock)


@compiled
def backlog_seconds(w: World, n: int) -> float:
    """Expected seconds of work at node ``n``, queued and running, over its executors."""
    spec = node_spec(w, n)
    total = queued_seconds(w, n)
    for x in range(spec.first_executor, spec.first_executor + spec.executors):
        total += executor_seconds(w, x)
    return total / spec.executors


@compiled
def start_by_discipline(w: World, n: int) -> None:
    """Start batches by the built-in discipline while an executor is idle and a task queued."""
    if model(w).placed != NONE:
        start_loading(w, n)
    while node_at(w, n).idle > 0 and node_at(w, n).queued > 0:
        g = _chosen_group(w, n)
        if g == NONE:
            return
        count = min(queue_at(w, n * model(w).groups + g).length, node_spec(w, n).batch_max)
        if node_spec(w, n).discipline == FCFS:
            count = 1
        while count > 0 and not batch_fits(w, n, g, count):
            count -= 1
        if count == 0:
            return
        start_batch(w, n, g, count)


@compiled
def _chosen_group(w: World, n: int) -> int:
    """The group of the least key: age, Smith's ratio or rank; ties to the lowest index.

    `NONE` if the parameters of all that is queued are still being loaded.
    """
    groups = model(w).groups
    best, best_key = NONE, np.inf
    g = node_at(w, n).first_group
    while g != NONE:
        queue = queue_at(w, n * groups + g)
        if ready(w, n, g) and has_parameters(w, n, group_spec(w, g).network):
            key = _group_key(w, n, g, queue.length)
            if best == NONE or key < best_key:
                best, best_key = g, key
        g = queue.next_group
    return best


@compiled
def _group_key(w: World, n: int, g: int, length: int) -> float:
    discipline = node_spec(w, n).discipline
    if discipline == PRIORITY:
        count = min(length, node_spec(w, n).batch_max)
        return -(count / seconds_of(w, n, g, count))
    if discipline in (FCFS, FCFS_BATCHED):
        return float(task_at(w, queue_at(w, n * model(w).groups + g).first).sequence)
    return float(rank_at(w, n * model(w).networks + group_spec(w, g).network).value)


@compiled
def can_upload(w: World, n: int, g: int) -> bool:
    """Whether tasks of group ``g`` may be handed upward unrun from node ``n``."""
    uplink = node_spec(w, n).uplink
    if uplink == NONE:
        return False
    return stage_spec(w, link_spec(w, uplink).target * model(w).groups + g).row != NO_STAGE
