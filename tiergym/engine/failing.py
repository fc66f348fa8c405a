"""Edges that go down and come back: what was there is lost, and uploaded again later."""

from __future__ import annotations

from tiergym.engine.compiling import compiled
from tiergym.engine.events import (
    BATCH_DONE,
    LINK_FREE,
    TIMEOUT,
    cancel,
    mark_node,
    schedule,
)
from tiergym.engine.layout import NONE, PRESENT
from tiergym.engine.selecting import leave_edge, note_unanswered
from tiergym.engine.tasks import drop_first, refuse, wait_for_link
from tiergym.engine.views import (
    World,
    edge_at,
    executor_at,
    failure_at,
    group_spec,
    head,
    link_at,
    model,
    node_at,
    node_spec,
    parameters_at,
    queue_at,
    stage_spec,
    task_at,
    terminal_at,
)
from tiergym.scenarios.system import EMPTY_STAGE, ENTRIES


@compiled
def change(w: World, index: int) -> None:
    """Failure ``index // 2`` begins, or ends if ``index`` is odd."""
    e = failure_at(w, index // 2).edge
    if index % 2 == 0:
        _go_down(w, e)
    else:
        edge_at(w, e).down = 0
        mark_node(w, model(w).terminals + e)


@compiled
def _go_down(w: World, e: int) -> None:
    n = model(w).terminals + e
    edge_at(w, e).down = 1
    while node_at(w, n).first_group != NONE:
        g = node_at(w, n).first_group
        _lose_all(w, drop_first(w, n, g, queue_at(w, n * model(w).groups + g).length))
    spec = node_spec(w, n)
    for x in range(spec.first_executor, spec.first_executor + spec.executors):
        if executor_at(w, x).group != NONE:
            _abort_batch(w, n, x)
    if spec.uplink != NONE:
        _abort_link(w, spec.uplink)
    node_at(w, n).held = 0.0


@compiled
def _abort_batch(w: World, n: int, x: int) -> None:
    slot, node = executor_at(w, x), node_at(w, n)
    cancel(w, BATCH_DONE, x)
    node.busy_seconds += head(w).clock - slot.start
    slot.group = NONE
    node.idle += 1
    _lose_all(w, slot.first)


@compiled
def _abort_link(w: World, u: int) -> None:
    """What waits for link ``u``, and what is on its wire, is lost."""
    link = link_at(w, u)
    if link.busy == 1:
        cancel(w, LINK_FREE, u)
        link.busy = 0
        link.busy_seconds += head(w).clock - link.wire_start
        _lose_all(w, link.wire_first)
    if link.waiting > 0:
        link.waiting = 0
        link.waiting_bytes = 0.0
        _lose_all(w, link.waiting_first)


@compiled
def _lose_all(w: World, i: int) -> None:
    while i != NONE:
        following = task_at(w, i).next
        lose(w, i)
        i = following


@compiled
def lose(w: World, i: int) -> None:
    """Task ``i`` was at an edge that is down: its terminal will send it again, if it has one."""
    if task_at(w, i).origin < model(w).terminals:
        schedule(w, head(w).clock + model(w).timeout_seconds, TIMEOUT, i)
    else:
        refuse(w, i)


@compiled
def upload_again(w: World, i: int) -> None:
    """The terminal of task ``i`` gives up waiting: the edge is taken to be gone."""
    task = task_at(w, i)
    k, e = task.origin, task.sent
    head(w).lost += 1
    note_unanswered(w, k, e, -1)
    if terminal_at(w, k).attached == e:
        leave_edge(w, k)
    task.return_delay = 0.0
    task.sent = NONE
    task.group = _handed_up(w, k, task.group // ENTRIES)
    node_at(w, k).held += group_spec(w, task.group).payload
    wait_for_link(w, node_spec(w, k).uplink, i)


@compiled
def _handed_up(w: World, k: int, r: int) -> int:
    """The group in which tasks of route ``r`` leave terminal ``k``."""
    stage = stage_spec(w, k * model(w).groups + ENTRIES * r)
    return ENTRIES * r if stage.row == EMPTY_STAGE else stage.next_group


@compiled
def have_fetched(w: World, p: int) -> None:
    """The parameters ``p`` (edge times networks plus network) are there."""
    parameters_at(w, p).value = PRESENT
    mark_node(w, model(w).terminals + p // model(w).networks)
