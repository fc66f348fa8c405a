"""How a task enters a node, waits there, and leaves the system."""

from __future__ import annotations

import math

from tiergym.engine.compiling import compiled
from tiergym.engine.events import ANSWERED, mark_link, mark_node, schedule
from tiergym.engine.layout import NONE
from tiergym.engine.placing import depart
from tiergym.engine.selecting import ask_for_parameters, edge_of, hear_answer, note_unanswered
from tiergym.engine.views import (
    World,
    correct_at,
    edge_at,
    group_spec,
    head,
    history_at,
    link_at,
    model,
    network_spec,
    node_at,
    node_spec,
    queue_at,
    stage_spec,
    task_at,
)
from tiergym.scenarios.system import EMPTY_STAGE


@compiled
def enter(w: World, n: int, i: int, g: int) -> None:
    """Task ``i`` arrives at node ``n`` as a member of group ``g``: queued, passed on or refused."""
    node, spec, task = node_at(w, n), node_spec(w, n), task_at(w, i)
    task.group = g
    if model(w).edges > 0 and not _is_let_in(w, n):
        refuse(w, i)
        return
    if n == model(w).claimed:
        node.wake = 1
        _remember(w, i, g)
    mark_node(w, n)
    payload = group_spec(w, g).payload
    if node.held + payload > spec.memory - spec.reserve:
        refuse(w, i)
        return
    node.held += payload
    if stage_spec(w, n * model(w).groups + g).row == EMPTY_STAGE:
        wait_for_link(w, spec.uplink, i)
    else:
        _append(w, n, g, i)
        if edge_of(w, n) != NONE:
            ask_for_parameters(w, edge_of(w, n), task.network)


@compiled
def _is_let_in(w: World, n: int) -> bool:
    """Whether node ``n`` is up; if it is an edge, one more task has come to it."""
    e = edge_of(w, n)
    if e == NONE:
        return True
    if edge_at(w, e).down == 1:
        return False
    edge_at(w, e).arrivals += 1
    return True


@compiled
def _append(w: World, n: int, g: int, i: int) -> None:
    """Put task ``i`` at the end of the queue of group ``g`` at node ``n``."""
    node, task = node_at(w, n), task_at(w, i)
    queue = queue_at(w, n * model(w).groups + g)
    task.sequence = node.sequence
    node.sequence += 1
    node.queued += 1
    task.previous = queue.last
    task.next = NONE
    if queue.length == 0:
        _set_first(w, n, g, i)
        _list_group(w, n, g)
    else:
        task_at(w, queue.last).next = i
    queue.last = i
    queue.last_deadline = task.deadline
    queue.length += 1
    queue.arrival_sum += task.arrival


@compiled
def _set_first(w: World, n: int, g: int, i: int) -> None:
    """Note what is observed of a queue's oldest task, so that looking need not fetch the task."""
    queue = queue_at(w, n * model(w).groups + g)
    queue.first = i
    queue.first_arrival = task_at(w, i).arrival
    queue.first_deadline = task_at(w, i).deadline


@compiled
def drop_first(w: World, n: int, g: int, count: int) -> int:
    """Take the ``count`` oldest tasks of a queue; returns the first of their chain (by `next`)."""
    queue = queue_at(w, n * model(w).groups + g)
    first = queue.first
    i = first
    last = first
    for _ in range(count):
        queue.arrival_sum -= task_at(w, i).arrival
        last = i
        i = task_at(w, i).next
    task_at(w, last).next = NONE
    _shorten(w, n, g, count)
    if i != NONE:
        task_at(w, i).previous = NONE
        _set_first(w, n, g, i)
    else:
        queue.first = NONE
        queue.last = NONE
    return first


@compiled
def drop_last(w: World, n: int, g: int, count: int) -> int:
    """Take the ``count`` youngest tasks; returns the oldest of them, chained by `next`."""
    queue = queue_at(w, n * model(w).groups + g)
    i = queue.last
    first = i
    for _ in range(count):
        queue.arrival_sum -= task_at(w, i).arrival
        first = i
        i = task_at(w, i).previous
    queue.last = i
    _shorten(w, n, g, count)
    if i != NONE:
        task_at(w, i).next = NONE
        queue.last_deadline = task_at(w, i).deadline
    else:
        queue.first = NONE
    return first


@compiled
def _shorten(w: World, n: int, g: int, count: int) -> None:
    queue = queue_at(w, n * model(w).groups + g)
    node_at(w, n).queued -= count
    queue.length -= count
    if queue.length == 0:
        queue.arrival_sum = 0.0
        _unlist_group(w, n, g)


@compiled
def _list_group(w: World, n: int, g: int) -> None:
    """Groups that have tasks queued are chained in rising order, so that a scan meets no other."""
    first = n * model(w).groups
    before, after = NONE, node_at(w, n).first_group
    while after != NONE and after < g:
        before = after
        after = queue_at(w, first + after).next_group
    queue_at(w, first + g).next_group = after
    if before == NONE:
        node_at(w, n).first_group = g
    else:
        queue_at(w, first + before).next_group = g


@compiled
def _unlist_group(w: World, n: int, g: int) -> None:
    first = n * model(w).groups
    before, at = NONE, node_at(w, n).first_group
    while at != g:
        before = at
        at = queue_at(w, first + at).next_group
    if before == NONE:
        node_at(w, n).first_group = queue_at(w, first + g).next_group
    else:
        queue_at(w, first + before).next_group = queue_at(w, first + g).next_group


@compiled
def wait_for_link(w: World, e: int, i: int) -> None:
    """Put task ``i`` at the end of what waits for link ``e``."""
    link = link_at(w, e)
    task_at(w, i).next = NONE
    if link.waiting == 0:
        link.waiting_first = i
    else:
        task_at(w, link.waiting_last).next = i
    link.waiting_last = i
    link.waiting += 1
    link.waiting_bytes += group_spec(w, task_at(w, i).group).payload
    mark_link(w, e)


@compiled
def _remember(w: World, i: int, g: int) -> None:
    """Chain the arrivals at the claimed node, by group, for counts over recent seconds."""
    history, task = history_at(w, g), task_at(w, i)
    task.entered = head(w).clock
    task.history_next = NONE
    if history.last != NONE:
        task_at(w, history.last).history_next = i
    history.last = i
    if history.count_1 == 0:
        history.first_1 = i
        history.entered_1 = task.entered
    if history.count_10 == 0:
        history.first_10 = i
        history.entered_10 = task.entered
    history.count_1 += 1
    history.count_10 += 1


@compiled
def refuse(w: World, i: int) -> None:
    """Task ``i`` ends at once, unserved."""
    h, task = head(w), task_at(w, i)
    task.refused = 1
    task.ended = 1
    task.finish = h.clock
    if task.charged == 1:
        h.step_refused += 1
        h.refused += 1
        h.in_system -= 1
        h.remaining -= 1
    if task.sent != NONE:
        note_unanswered(w, task.origin, task.sent, -1)
    depart(w, i)


@compiled
def answer(w: World, n: int, i: int, block: int, backlog: float) -> None:
    """Task ``i`` left at the head after ``block`` on node ``n``: its answer starts for home."""
    task, network = task_at(w, i), network_spec(w, task_at(w, i).network)
    task.exit_block = block
    task.tier = node_spec(w, n).tier
    if network.table >= 0:
        task.correct = correct_at(
            w, network.table + task.sample * (network.blocks + 1) + block
        ).value
    if task.origin == n:
        end_task(w, i)
    else:
        task.carried = backlog
        task.carried_at = head(w).clock
        schedule(w, head(w).clock + task.return_delay, ANSWERED, i)


@compiled
def receive_answer(w: World, i: int) -> None:
    """The answer of task ``i`` is at its origin, and tells what it carries."""
    task = task_at(w, i)
    if model(w).edges > 0:
        hear_answer(w, i)
    elif not math.isnan(task.carried):
        origin = node_at(w, task.origin)
        origin.told_backlog = task.carried
        origin.told_at = task.carried_at
    end_task(w, i)


@compiled
def end_task(w: World, i: int) -> None:
    """Charge task ``i`` for what it was: late, wrong; and count it out."""
    h, task = head(w), task_at(w, i)
    task.finish = h.clock
    task.ended = 1
    depart(w, i)
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
