"""Terminals that select edges: where they are attached, what they see, when they decide.

Reports are published in `tiergym.engine.reporting`, edges fail in `tiergym.engine.failing`; here is
what a terminal knows of an edge, and what it does with that.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tiergym.engine.compiling import compiled
from tiergym.engine.events import FAILURE, FETCHED, REPORT, mark_link, schedule
from tiergym.engine.layout import ABSENT, ASKED_FOR, ATTACH, KEPT_REPORTS, MOVE, NONE, PRESENT
from tiergym.engine.views import (
    World,
    deployed_at,
    edge_at,
    failure_at,
    fetch_at,
    half_rtt_at,
    head,
    link_at,
    model,
    moment_at,
    node_at,
    node_spec,
    parameters_at,
    report_at,
    task_at,
    terminal_at,
    unanswered_at,
)

SILENT_INTERVALS = 3
"""A report older than so many intervals and its way makes an edge count as overloaded."""


@compiled
def begin_selecting(w: World) -> None:
    """At the clock's zero: nobody is attached; failures and the first report are on the agenda."""
    h, m = head(w), model(w)
    for k in range(m.terminals):
        terminal = terminal_at(w, k)
        terminal.attached = NONE
        terminal.previous = NONE
        terminal.attached_at = -np.inf
        terminal.asked_at = -np.inf
        terminal.answered_at = -np.inf
    for p in range(m.edges * m.networks):
        parameters_at(w, p).value = PRESENT if deployed_at(w, p).value == 1 else ABSENT
    for f in range(h.failures):
        schedule(w, failure_at(w, f).start, FAILURE, 2 * f)
        schedule(w, failure_at(w, f).end, FAILURE, 2 * f + 1)
    if m.report_interval > 0.0:
        schedule(w, m.report_interval, REPORT, 0)


@compiled
def edge_of(w: World, n: int) -> int:
    """The edge that node ``n`` is, `NONE` if it is none."""
    e = n - model(w).terminals
    return e if 0 <= e < model(w).edges else NONE


@compiled
def half_rtt(w: World, k: int, e: int) -> float:
    """Seconds one way between terminal ``k`` and edge ``e`` now; infinite out of range."""
    h, m = head(w), model(w)
    while h.moment + 1 < h.moments and moment_at(w, h.moment + 1).value <= h.clock:
        h.moment += 1
    return half_rtt_at(w, (h.moment * m.terminals + k) * m.edges + e).value


@compiled
def in_range(w: World, k: int, e: int) -> bool:
    """Whether terminal ``k`` reaches edge ``e`` now."""
    return half_rtt(w, k, e) < np.inf


@compiled
def kept_report(w: World, e: int, back: int) -> Any:
    """The report of edge ``e`` that is ``back`` before its newest."""
    at = (edge_at(w, e).newest - back) % KEPT_REPORTS
    return report_at(w, e * KEPT_REPORTS + at)


@compiled
def visible(w: World, k: int, e: int) -> int:
    """How far before its newest the newest report of ``e`` is that terminal ``k`` sees, or `NONE`.

    It sees that one and all before it.
    """
    half = half_rtt(w, k, e)
    for back in range(min(edge_at(w, e).reports, KEPT_REPORTS)):
        if kept_report(w, e, back).time + half <= head(w).clock:
            return back
    return NONE


@compiled
def busy_share(w: World, n: int) -> float:
    """Share of the executors of node ``n`` that are busy now."""
    executors = node_spec(w, n).executors
    return (executors - node_at(w, n).idle) / executors


@compiled
def overloaded(w: World, k: int, e: int) -> bool:
    """Whether terminal ``k`` sees edge ``e`` overloaded, or hears nothing of it any more."""
    m = model(w)
    if m.report_interval == 0.0:
        return busy_share(w, m.terminals + e) >= m.overload_mark
    back = visible(w, k, e)
    if back == NONE:
        return False
    report = kept_report(w, e, back)
    age, latest = head(w).clock - report.time, SILENT_INTERVALS * m.report_interval
    return report.utilisation >= m.overload_mark or age > latest + half_rtt(w, k, e)


@compiled
def due(w: World, k: int) -> int:
    """The kind of decision that terminal ``k`` has to take before its next upload, or `NONE`."""
    h, m, terminal = head(w), model(w), terminal_at(w, k)
    if terminal.settled == 1:
        return NONE
    e = terminal.attached
    if e == NONE or not in_range(w, k, e):
        return ATTACH
    if m.attach_every == 0.0 or h.clock - terminal.attached_at >= m.attach_every:
        return ATTACH
    if m.moves == 1 and m.selects == 1 and h.clock - terminal.asked_at >= m.hold_seconds:
        return MOVE if overloaded(w, k, e) else NONE
    return NONE


@compiled
def select(w: World, k: int, kind: int, e: int) -> None:
    """Carry out a decision of terminal ``k``: it is attached to edge ``e`` from now on."""
    h, terminal = head(w), terminal_at(w, k)
    if kind == ATTACH:
        terminal.attached_at = h.clock
        h.attaches += 1
    else:
        terminal.asked_at = h.clock
    if terminal.attached != e:
        if terminal.attached != NONE:
            h.switches += 1
        leave_edge(w, k)
        terminal.attached = e
        edge_at(w, e).attached += 1
    terminal.settled = 1
    mark_link(w, k)


@compiled
def leave_edge(w: World, k: int) -> None:
    """Terminal ``k`` is attached to nobody."""
    e = terminal_at(w, k).attached
    if e != NONE:
        edge_at(w, e).attached -= 1
        terminal_at(w, k).attached = NONE


@compiled
def nearest(w: World, k: int) -> int:
    """The edge in range of the least round trip, the lowest index at a tie."""
    best = 0
    for e in range(1, model(w).edges):
        if half_rtt(w, k, e) < half_rtt(w, k, best):
            best = e
    return best


@compiled
def begin_upload(w: World, k: int) -> float:
    """A package of terminal ``k`` starts: fix where it goes; returns when its wire time begins."""
    h, terminal = head(w), terminal_at(w, k)
    e, start = terminal.attached, h.clock
    if terminal.previous != NONE and terminal.previous != e:
        start = h.clock + model(w).reconnect_seconds
    terminal.previous = e
    terminal.half_rtt = half_rtt(w, k, e)
    terminal.settled = 0
    i = link_at(w, k).wire_first
    while i != NONE:
        task_at(w, i).sent = e
        note_unanswered(w, k, e, 1)
        i = task_at(w, i).next
    return start


@compiled
def note_unanswered(w: World, k: int, e: int, more: int) -> None:
    """Count the tasks that terminal ``k`` sent to edge ``e`` and has no answer of."""
    terminal_at(w, k).unanswered += more
    unanswered_at(w, k * model(w).edges + e).value += more


@compiled
def hear_answer(w: World, i: int) -> None:
    """The answer of task ``i`` is at its terminal."""
    task = task_at(w, i)
    if task.sent != NONE:
        note_unanswered(w, task.origin, task.sent, -1)
        terminal_at(w, task.origin).answered_at = head(w).clock


@compiled
def ask_for_parameters(w: World, e: int, network: int) -> None:
    """A task of ``network`` is queued at edge ``e``: what it runs has to be there."""
    h, edge, p = head(w), edge_at(w, e), e * model(w).networks + network
    if parameters_at(w, p).value == ABSENT:
        parameters_at(w, p).value = ASKED_FOR
        edge.fetch_end = max(h.clock, edge.fetch_end) + fetch_at(w, p).value
        schedule(w, edge.fetch_end, FETCHED, p)


@compiled
def has_parameters(w: World, n: int, network: int) -> bool:
    """Whether node ``n`` may run ``network``; only edges ever lack it."""
    e = edge_of(w, n)
    return e == NONE or parameters_at(w, e * model(w).networks + network).value == PRESENT
