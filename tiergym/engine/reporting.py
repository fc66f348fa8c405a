"""What edges publish of their load, report by report."""

from __future__ import annotations

from tiergym.engine.compiling import compiled
from tiergym.engine.events import REPORT, schedule
from tiergym.engine.layout import KEPT_REPORTS, NONE
from tiergym.engine.nodes import backlog_seconds
from tiergym.engine.views import (
    World,
    edge_at,
    executor_at,
    head,
    model,
    node_at,
    node_spec,
    report_at,
)


@compiled
def publish(w: World) -> None:
    """Every edge that is up publishes; the next time follows, unless nothing is left to happen."""
    h, m = head(w), model(w)
    for e in range(m.edges):
        if edge_at(w, e).down == 0:
            _publish(w, e)
    h.reports += 1
    if h.events > 0 or h.next_arrival < h.tasks or h.dirty_links > 0 or h.dirty_nodes > 0:
        schedule(w, (h.reports + 1) * m.report_interval, REPORT, 0)


@compiled
def _publish(w: World, e: int) -> None:
    edge, n, now = edge_at(w, e), model(w).terminals + e, head(w).clock
    edge.newest = (edge.newest + 1) % KEPT_REPORTS
    edge.reports += 1
    report = report_at(w, e * KEPT_REPORTS + edge.newest)
    busy, node = busy_seconds(w, n), node_at(w, n)
    report.time = now
    report.span = now - edge.published
    report.utilisation = (busy - edge.busy_seconds) / (report.span * node_spec(w, n).executors)
    report.queue = node.queued
    report.backlog = backlog_seconds(w, n)
    report.memory = node.held
    report.arrivals = edge.arrivals
    report.attached = edge.attached
    edge.busy_seconds = busy
    edge.published = now
    edge.arrivals = 0


@compiled
def busy_seconds(w: World, n: int) -> float:
    """Executor seconds that node ``n`` has been busy, batches under way counted up to now."""
    spec = node_spec(w, n)
    total = node_at(w, n).busy_seconds
    for x in range(spec.first_executor, spec.first_executor + spec.executors):
        if executor_at(w, x).group != NONE:
            total += head(w).clock - executor_at(w, x).start
    return total
