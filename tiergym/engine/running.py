"""The loop: events of the present time, then links, then nodes, then time goes on."""

from __future__ import annotations

import math

from tiergym.engine.compiling import compiled
from tiergym.engine.events import (
    ANSWERED,
    ARRIVAL,
    BATCH_DONE,
    DELIVERED,
    FAILURE,
    INDEX_MASK,
    INTERVAL,
    KIND_SHIFT,
    LINK_FREE,
    REPORT,
    TIMEOUT,
    WINDOW_END,
    mark_node,
    peek,
    pop,
    take_node,
)
from tiergym.engine.failing import change, have_fetched, upload_again
from tiergym.engine.layout import (
    DECIDING,
    ENDED,
    NOBODY,
    NONE,
    PLACE,
    RUNNING,
    SCHEDULE,
    STUCK,
)
from tiergym.engine.links import deliver, free_link, link_idle, pre_upload, start_packages
from tiergym.engine.nodes import can_upload, finish_work, start_batch, start_by_discipline
from tiergym.engine.placing import begin_interval, enlist
from tiergym.engine.reporting import publish
from tiergym.engine.tasks import enter, receive_answer
from tiergym.engine.views import (
    World,
    head,
    model,
    network_spec,
    node_at,
    node_spec,
    queue_at,
    slot_at,
    task_at,
)
from tiergym.scenarios.system import ENTRIES

WAIT, RUN, UPLOAD = 0, 1, 2
"""Kinds of a `schedule` decision."""


@compiled
def run(w: World) -> None:
    """Run until a claimed decision is due or the last charged task has left (`HEAD.status`)."""
    h = head(w)
    h.status = RUNNING
    if h.place_due == 1 and h.in_force == NONE:
        _ask(w, PLACE)
        return
    while h.remaining > 0:
        time = peek(w)
        if time == h.clock and h.settling == 0:
            _handle(w, pop(w))
        elif h.place_due == 1:
            _ask(w, PLACE)
            return
        elif h.dirty_links > 0:
            # A decision interrupts this: what is sent meanwhile leaves only when all have decided.
            kind = start_packages(w)
            h.settling = 1 if kind != NONE else 0
            if kind != NONE:
                _ask(w, kind)
                return
        elif h.dirty_nodes > 0:
            if _look_at_nodes(w):
                _ask(w, SCHEDULE)
                return
        elif math.isinf(time):
            h.status = STUCK
            return
        else:
            _advance(w, time)
    h.status = ENDED
    _note_decision(w)


@compiled
def _ask(w: World, kind: int) -> None:
    head(w).status = DECIDING
    head(w).due = kind
    _note_decision(w)


@compiled
def _note_decision(w: World) -> None:
    h = head(w)
    h.elapsed = h.clock - h.last_decision
    h.last_decision = h.clock


@compiled
def _advance(w: World, time: float) -> None:
    """Move the clock; what is in the system accrues delay, what is switched on idle joules."""
    h = head(w)
    seconds = time - h.clock
    h.task_seconds += h.in_system * seconds
    h.step_task_seconds += h.in_system * seconds
    h.joules += model(w).idle_watts * seconds
    h.step_joules += model(w).idle_watts * seconds
    h.clock = time


@compiled
def _handle(w: World, key: int) -> None:
    kind, index = key >> KIND_SHIFT, key & INDEX_MASK
    head(w).handled += 1
    if kind == BATCH_DONE:
        finish_work(w, index)
    elif kind == LINK_FREE:
        free_link(w, index)
    elif kind == DELIVERED:
        deliver(w, index)
    elif kind == ANSWERED:
        receive_answer(w, index)
    elif kind == ARRIVAL:
        _arrive(w, index)
    elif kind == INTERVAL:
        begin_interval(w)
    elif kind == WINDOW_END:
        _close_window(w)
    elif kind == REPORT:
        publish(w)
    elif kind == FAILURE:
        change(w, index)
    elif kind == TIMEOUT:
        upload_again(w, index)
    else:
        have_fetched(w, index)


@compiled
def _arrive(w: World, i: int) -> None:
    task = task_at(w, i)
    if task.charged == 1:
        head(w).in_system += 1
    route = network_spec(w, task.network).route
    if task.network == model(w).placed:
        route = enlist(w, i)
    enter(w, task.origin, i, ENTRIES * route)


@compiled
def _close_window(w: World) -> None:
    head(w).window_over = 1
    n = model(w).claimed
    if n != NOBODY and node_at(w, n).idle > 0:
        node_at(w, n).wake = 1
        mark_node(w, n)


@compiled
def _look_at_nodes(w: World) -> bool:
    """Let the marked nodes start batches; True when the claimed one is due a decision."""
    while head(w).dirty_nodes > 0:
        n = take_node(w)
        if n != model(w).claimed:
            start_by_discipline(w, n)
        elif _decision_due(w, n):
            return True
    return False


@compiled
def _decision_due(w: World, n: int) -> bool:
    node = node_at(w, n)
    if node.wake == 0 or node.queued == 0:
        return False
    if node.idle > 0:
        return True
    return link_idle(w, node_spec(w, n).uplink) and _any_upload(w, n)


@compiled
def _any_upload(w: World, n: int) -> bool:
    groups = model(w).groups
    for k in range(model(w).slots):
        g = slot_at(w, k).value
        if queue_at(w, n * groups + g).length > 0 and can_upload(w, n, g):
            return True
    return False


@compiled
def decide(w: World, kind: int, g: int, count: int) -> None:
    """Carry out a legal `schedule` decision at the claimed node; `run` goes on from there."""
    n = model(w).claimed
    head(w).decisions += 1
    if kind == WAIT:
        node_at(w, n).wake = 0
    elif kind == RUN:
        start_batch(w, n, g, count)
    else:
        pre_upload(w, n, g, count)
    mark_node(w, n)


@compiled
def may_wait(w: World) -> bool:
    """Waiting is legal until the window ends, or while anything seen from the node is under way."""
    n = model(w).claimed
    if head(w).window_over == 0 or node_at(w, n).idle < node_spec(w, n).executors:
        return True
    uplink = node_spec(w, n).uplink
    return uplink != NONE and not link_idle(w, uplink)


@compiled
def take_cost(w: World) -> float:
    """Cost since it was last taken; delay, wrong answers, deadlines missed, joules by weight."""
    h, m = head(w), model(w)
    cost = (
        m.delay_weight * (h.step_task_seconds + m.refusal_seconds * h.step_refused)
        + m.error_weight * (h.step_wrong + h.step_refused)
        + m.late_weight * (h.step_late + h.step_refused)
        + m.energy_weight * h.step_joules
    )
    h.step_task_seconds = 0.0
    h.step_joules = 0.0
    h.step_wrong = 0
    h.step_late = 0
    h.step_refused = 0
    return cost
