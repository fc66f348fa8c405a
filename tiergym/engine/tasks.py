"""How a task enters a node, waits there, and leaves the system."""

from __future__ import annotations

import math

from tiergym.engine.compiling import compiled
from tiergym.engine.events import ANSWERED, mark_link, mark_node, schedule
from tiergym.engine.layout import NONE, World
from tiergym.scenarios.system import EMPTY_STAGE


@compiled
def enter(w: World, n: int, i: int, g: int) -> None:
    """Task ``i`` arrives at node ``n`` as a member of group ``g``: queued, passed on or refused."""
    node, spec, task = w.node[n], w.m_node[n], w.task[i]
    task.group = g
    if n == w.model[0].claimed:
        node.wake = 1
        _remember(w, i, g)
    mark_node(w, n)
    payload = w.m_group[g].payload
    if node.held + payload > spec.memory - spec.reserve:
        _refuse(w, i)
        return
    node.held += payload
    if w.stage[n * w.model[0].groups + g].row == EMPTY_STAGE:
        wait_for_link(w, spec.uplink, i)
    else:
        _append(w, n, g, i)


@compiled
def _append(w: World, n: int, g: int, i: int) -> None:
    node, task = w.node[n], w.task[i]
    queue = w.queue[n * w.model[0].groups + g]
    task.sequence = node.sequence
    node.sequence += 1
    node.queued += 1
    task.previous = queue.last
    task.next = NONE
    if queue.length == 0:
        queue.first = i
    else:
        w.task[queue.last].next = i
    queue.last = i
    queue.length += 1
    queue.arrival_sum += task.arrival


@compiled
def drop_first(w: World, n: int, g: int, count: int) -> int:
    """Take the ``count`` oldest tasks of a queue; returns the first of their chain (by `next`)."""
    queue = w.queue[n * w.model[0].groups + g]
    first = queue.first
    i = first
    last = first
    for _ in range(count):
        queue.arrival_sum -= w.task[i].arrival
        last = i
        i = w.task[i].next
    w.task[last].next = NONE
    queue.first = i
    _shorten(w, n, g, count)
    if i != NONE:
        w.task[i].previous = NONE
    else:
        queue.last = NONE
    return first


@compiled
def drop_last(w: World, n: int, g: int, count: int) -> int:
    """Take the ``count`` youngest tasks; returns the oldest of them, chained by `next`."""
    queue = w.queue[n * w.model[0].groups + g]
    i = queue.last
    first = i
    for _ in range(count):
        queue.arrival_sum -= w.task[i].arrival
        first = i
        i = w.task[i].previous
    queue.last = i
    _shorten(w, n, g, count)
    if i != NONE:
        w.task[i].next = NONE
    else:
        queue.first = NONE
    return first


@compiled
def _shorten(w: World, n: int, g: int, count: int) -> None:
    queue = w.queue[n * w.model[0].groups + g]
    w.node[n].queued -= count
    queue.length -= count
    if queue.length == 0:
        queue.arrival_sum = 0.0


@compiled
def wait_for_link(w: World, e: int, i: int) -> None:
    """Put task ``i`` at the end of what waits for link ``e``."""
    link = w.link[e]
    w.task[i].next = NONE
    if link.waiting == 0:
        link.waiting_first = i
    else:
        w.task[link.waiting_last].next = i
    link.waiting_last = i
    link.waiting += 1
    link.waiting_bytes += w.m_group[w.task[i].group].payload
    mark_link(w, e)


@compiled
def _remember(w: World, i: int, g: int) -> None:
    """Chain the arrivals at the claimed node, by group, for counts over recent seconds."""
    history, task = w.history[g], w.task[i]
    task.entered = w.head[0].clock
    task.history_next = NONE
    if history.last != NONE:
        w.task[history.last].history_next = i
    history.last = i
    if history.count_1 == 0:
        history.first_1 = i
    if history.count_10 == 0:
        history.first_10 = i
    history.count_1 += 1
    history.count_10 += 1


@compiled
def _refuse(w: World, i: int) -> None:
    h, task = w.head[0], w.task[i]
    task.refused = 1
    task.ended = 1
    task.finish = h.clock
    if task.charged == 1:
        h.step_refused += 1
        h.refused += 1
        h.in_system -= 1
        h.remaining -= 1


@compiled
def answer(w: World, n: int, i: int, block: int, backlog: float) -> None:
    """Task ``i`` left at the head after ``block`` on node ``n``: its answer starts for home."""
    task, network = w.task[i], w.m_network[w.task[i].network]
    task.exit_block = block
    task.tier = w.m_node[n].tier
    if network.table >= 0:
        task.correct = w.correct[network.table + task.sample * (network.blocks + 1) + block]
    w.node[n].answered += 1
    if task.origin == n:
        end_task(w, i)
    else:
        task.carried = backlog
        task.carried_at = w.head[0].clock
        schedule(w, w.head[0].clock + task.return_delay, ANSWERED, i)


@compiled
def receive_answer(w: World, i: int) -> None:
    """The answer of task ``i`` is at its origin, and tells what it carries."""
    task = w.task[i]
    if not math.isnan(task.carried):
        origin = w.node[task.origin]
        origin.told_backlog = task.carried
        origin.told_at = task.carried_at
    end_task(w, i)


@compiled
def end_task(w: World, i: int) -> None:
    """Charge task ``i`` for what it was: late, wrong; and count it out."""
    h, task = w.head[0], w.task[i]
    task.finish = h.clock
    task.ended = 1
    if task.charged == 0:
        return
    h.in_system -= 1
    h.remaining -= 1
    if task.finish > task.deadline:
        h.step_late += 1
        h.late += 1
    if task.correct == 0:
        h.step_wrong += 1
        h.wrong += 1
