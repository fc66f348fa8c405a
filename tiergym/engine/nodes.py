"""Nodes: what a batch takes, how it starts and ends, and the built-in disciplines."""

from __future__ import annotations

import numpy as np

from tiergym.engine.compiling import compiled
from tiergym.engine.events import BATCH_DONE, mark_node, schedule
from tiergym.engine.layout import NONE, World
from tiergym.engine.tasks import answer, drop_first, wait_for_link
from tiergym.scenarios.system import FCFS, FCFS_BATCHED, NO_STAGE, PRIORITY, TERMINAL


@compiled
def batch_need(w: World, n: int, g: int, count: int) -> float:
    """Bytes that a batch takes beside its payloads: workspace, and outputs larger than inputs."""
    stage = w.stage[n * w.model[0].groups + g]
    return w.workspace[stage.row * w.model[0].batch_columns + count - 1] + count * stage.growth


@compiled
def batch_fits(w: World, n: int, g: int, count: int) -> bool:
    """Whether a batch of ``count`` tasks of group ``g`` fits into the memory of node ``n`` now."""
    return w.node[n].held + batch_need(w, n, g, count) <= w.m_node[n].memory


@compiled
def seconds_of(w: World, n: int, g: int, count: int) -> float:
    """Expected seconds of a batch of ``count`` tasks of group ``g`` on node ``n``."""
    row = w.stage[n * w.model[0].groups + g].row
    return w.seconds[row * w.model[0].batch_columns + count - 1]


@compiled
def start_batch(w: World, n: int, g: int, count: int) -> None:
    """Start the ``count`` oldest tasks of group ``g`` on the lowest idle executor of node ``n``."""
    h, node = w.head[0], w.node[n]
    x = w.m_node[n].first_executor
    while w.executor[x].group != NONE:
        x += 1
    slot = w.executor[x]
    seconds = seconds_of(w, n, g, count)
    slot.group = g
    slot.tasks = count
    slot.start = h.clock
    slot.seconds = seconds
    slot.duration = seconds * w.jitter[n * h.jitter_columns + node.started % h.jitter_columns]
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
        if np.isnan(w.task[i].first_start):
            w.task[i].first_start = w.head[0].clock
        i = w.task[i].next


@compiled
def node_of(w: World, x: int) -> int:
    """The node that executor ``x`` belongs to."""
    n = w.model[0].nodes - 1
    while w.m_node[n].first_executor > x:
        n -= 1
    return n


@compiled
def finish_batch(w: World, x: int) -> None:
    """The batch on executor ``x`` is done: its tasks are answered or go on upward."""
    h, n, slot = w.head[0], node_of(w, x), w.executor[x]
    node, g, i = w.node[n], slot.group, slot.first
    stage = w.stage[n * w.model[0].groups + g]
    joules = w.m_node[n].busy_watts * slot.duration
    h.joules += joules
    h.step_joules += joules
    node.busy_seconds += slot.duration
    node.held -= batch_need(w, n, g, slot.tasks)
    slot.group = NONE
    node.idle += 1
    node.wake = 1
    mark_node(w, n)
    backlog = np.nan
    while i != NONE:
        following = w.task[i].next
        node.held -= w.m_group[g].payload
        if _leaves(w, n, i, stage.end):
            told = _tells(w, n, i)
            if told and np.isnan(backlog):
                backlog = backlog_seconds(w, n)
            answer(w, n, i, stage.end, backlog if told else np.nan)
        else:
            w.task[i].group = stage.next_group
            node.held += w.m_group[stage.next_group].payload
            wait_for_link(w, w.m_node[n].uplink, i)
        i = following


@compiled
def _leaves(w: World, n: int, i: int, block: int) -> bool:
    """Whether task ``i`` leaves at the head after ``block``: the last head accepts everything."""
    task = w.task[i]
    network = w.m_network[task.network]
    if block == network.blocks:
        return True
    if network.table < 0:
        return False
    group = w.m_group[task.group]
    threshold = group.threshold_1 if w.m_node[n].tier == TERMINAL else group.threshold_2
    at = network.table + task.sample * (network.blocks + 1) + block
    return w.confidence[at] >= threshold


@compiled
def _tells(w: World, n: int, i: int) -> bool:
    """An answer tells its origin the backlog of the node right above it."""
    uplink = w.m_node[w.task[i].origin].uplink
    return uplink != NONE and w.m_link[uplink].target == n and w.task[i].origin != n


@compiled
def queued_seconds(w: World, n: int) -> float:
    """Expected seconds of all that is queued at node ``n``: full batches, then the remainder."""
    groups, largest = w.model[0].groups, w.m_node[n].batch_max
    total = 0.0
    for g in range(groups):
        length = w.queue[n * groups + g].length
        if length > 0:
            full = length // largest
            rest = length - full * largest
            if full > 0:
                total += full * seconds_of(w, n, g, largest)
            if rest > 0:
                total += seconds_of(w, n, g, rest)
    return total


@compiled
def executor_seconds(w: World, x: int) -> float:
    """Expected seconds until executor ``x`` is idle."""
    slot = w.executor[x]
    if slot.group == NONE:
        return 0.0
    return max(0.0, slot.start + slot.seconds - w.head[0].clock)


@compiled
def backlog_seconds(w: World, n: int) -> float:
    """Expected seconds of work at node ``n``, queued and running, over its executors."""
    spec = w.m_node[n]
    total = queued_seconds(w, n)
    for x in range(spec.first_executor, spec.first_executor + spec.executors):
        total += executor_seconds(w, x)
    return total / spec.executors


@compiled
def start_by_discipline(w: World, n: int) -> None:
    """Start batches by the built-in discipline while an executor is idle and a task queued."""
    while w.node[n].idle > 0 and w.node[n].queued > 0:
        g = _chosen_group(w, n)
        count = min(w.queue[n * w.model[0].groups + g].length, w.m_node[n].batch_max)
        if w.m_node[n].discipline == FCFS:
            count = 1
        while count > 0 and not batch_fits(w, n, g, count):
            count -= 1
        if count == 0:
            return
        start_batch(w, n, g, count)


@compiled
def _chosen_group(w: World, n: int) -> int:
    """The group of the least key: age, Smith's ratio or rank; ties to the lowest index."""
    groups = w.model[0].groups
    best, best_key = NONE, np.inf
    for g in range(groups):
        length = w.queue[n * groups + g].length
        if length > 0:
            key = _group_key(w, n, g, length)
            if best == NONE or key < best_key:
                best, best_key = g, key
    return best


@compiled
def _group_key(w: World, n: int, g: int, length: int) -> float:
    discipline = w.m_node[n].discipline
    if discipline == PRIORITY:
        count = min(length, w.m_node[n].batch_max)
        return -(count / seconds_of(w, n, g, count))
    if discipline == FCFS or discipline == FCFS_BATCHED:
        return float(w.task[w.queue[n * w.model[0].groups + g].first].sequence)
    return float(w.rank[n * w.model[0].networks + w.m_group[g].network])


@compiled
def can_upload(w: World, n: int, g: int) -> bool:
    """Whether tasks of group ``g`` may be handed upward unrun from node ``n``."""
    uplink = w.m_node[n].uplink
    if uplink == NONE:
        return False
    return w.stage[w.m_link[uplink].target * w.model[0].groups + g].row != NO_STAGE
