"""What EdgeSelection shows: the fields, their bounds, and the compiled function that fills them.

Where fields lie is told in `tiergym.envs.buffers`. A decision is for one terminal, and nothing is
shown but what that terminal knows: reports that have reached it, its own link, its own tasks. What
a scenario fixes (`STATIC`) is copied behind the rest.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tiergym.engine.compiling import compiled
from tiergym.engine.layout import DECIDING, KEPT_REPORTS, MOVE, NONE, SEEN_REPORTS
from tiergym.engine.links import bandwidth_now
from tiergym.engine.nodes import backlog_seconds, seconds_of
from tiergym.engine.selecting import busy_share, half_rtt, in_range, kept_report, visible
from tiergym.engine.views import (
    World,
    edge_at,
    group_spec,
    head,
    link_at,
    model,
    node_at,
    node_spec,
    stage_spec,
    task_at,
    terminal_at,
    unanswered_at,
)
from tiergym.envs.buffers import AMOUNT_BOUND, COUNT_BOUND, SECONDS_BOUND, Field, clipped
from tiergym.scenarios import Scenario

AGE_BOUND = 100.0
"""Seconds that stand for never."""
OLDEST = 99.0
"""Seconds that older reports are told to be, so that they differ from none."""
SHARE_BOUND = 2.0
REPORT, EDGE, TERMINAL = 7, 7, 8
"""Widths of a report, of an edge's row and of the terminal's."""
STATIC = ("selection", "weights")


class Sizes(NamedTuple):
    """The size that fixes an observation: B edges."""

    max_edges: int

    def fields(self) -> tuple[Field, ...]:
        """The fields in the order in which they lie in the buffer."""
        b = self.max_edges
        return (
            Field("reports", REPORT * SEEN_REPORTS * b, 0.0, AMOUNT_BOUND),
            Field("edge", EDGE * b, 0.0, AMOUNT_BOUND),
            Field("terminal", TERMINAL, -AGE_BOUND, AMOUNT_BOUND),
            Field("since", 3, 0.0, SECONDS_BOUND),
            Field("time", 2, 0.0, SECONDS_BOUND),
            Field("selection", 6, 0.0, COUNT_BOUND),
            Field("weights", 4, 0.0, AMOUNT_BOUND),
        )


def static_table(scenario: Scenario, sizes: Sizes) -> NDArray[np.float32]:
    """The `STATIC` fields of a scenario, one after the other, clipped to their bounds."""
    selection, cost = scenario.system.selection, scenario.system.cost
    assert selection is not None
    chosen = [
        min(selection.attach_every, AGE_BOUND),
        selection.overload_mark,
        selection.hold_seconds,
        selection.reconnect_seconds,
        selection.timeout_seconds,
        selection.report_interval,
    ]
    weights = [cost.delay_weight, cost.error_weight, cost.late_weight, cost.energy_weight]
    return clipped(sizes.fields(), STATIC, [np.array(chosen), np.array(weights)])


@compiled
def write_observation(
    w: World, out: Any, row: int, rows: int, edges: int, widths: Any, static: Any
) -> None:
    """Fill the share of ``row`` of ``rows`` in ``out``.

    Args:
        edges: B; widths: of the static fields; static: their values for this row's scenario.
    """
    k = head(w).turn
    at = row * edges * SEEN_REPORTS * REPORT
    for e in range(edges):
        _write_reports(w, out, at + e * SEEN_REPORTS * REPORT, k, e)
    at = rows * edges * SEEN_REPORTS * REPORT
    for e in range(edges):
        _write_edge(w, out, at + (row * edges + e) * EDGE, k, e)
    at += rows * edges * EDGE
    _write_terminal(w, out, at + row * TERMINAL, k)
    at += rows * TERMINAL
    _write_times(w, out, at + row * 3, at + rows * 3 + row * 2, k)
    at += rows * 5
    read = 0
    for field in range(len(widths)):
        width = widths[field]
        for j in range(width):
            out[at + row * width + j] = static[read + j]
        read += width
        at += rows * width


@compiled
def _bounded(value: float, high: float) -> float:
    return min(max(value, 0.0), high)


@compiled
def _write_reports(w: World, out: Any, at: int, k: int, e: int) -> None:
    """The reports of an edge that the terminal sees, the newest first."""
    seen, back = 0, 0
    if e < model(w).edges and in_range(w, k, e):
        if model(w).report_interval == 0.0:
            _write_present(w, out, at, e)
            seen = 1
        else:
            back = visible(w, k, e)
            seen = 0 if back == NONE else min(SEEN_REPORTS, _kept(w, e) - back)
            for j in range(seen):
                _write_report(w, out, at + j * REPORT, e, back + j)
    for j in range(seen, SEEN_REPORTS):
        for field in range(REPORT - 1):
            out[at + j * REPORT + field] = 0.0
        out[at + j * REPORT + REPORT - 1] = AGE_BOUND


@compiled
def _kept(w: World, e: int) -> int:
    return min(edge_at(w, e).reports, KEPT_REPORTS)


@compiled
def _write_report(w: World, out: Any, at: int, e: int, back: int) -> None:
    report = kept_report(w, e, back)
    out[at] = _bounded(report.utilisation, SHARE_BOUND)
    out[at + 1] = _bounded(report.queue, AMOUNT_BOUND)
    out[at + 2] = _bounded(report.backlog, SECONDS_BOUND)
    out[at + 3] = _bounded(report.memory / 1e6, AMOUNT_BOUND)
    out[at + 4] = _bounded(report.arrivals / report.span, AMOUNT_BOUND)
    out[at + 5] = _bounded(report.attached, COUNT_BOUND)
    out[at + 6] = _bounded(head(w).clock - report.time, OLDEST)


@compiled
def _write_present(w: World, out: Any, at: int, e: int) -> None:
    """What a fresh report would say now."""
    n = model(w).terminals + e
    out[at] = busy_share(w, n)
    out[at + 1] = _bounded(float(node_at(w, n).queued), AMOUNT_BOUND)
    out[at + 2] = _bounded(backlog_seconds(w, n), SECONDS_BOUND)
    out[at + 3] = _bounded(node_at(w, n).held / 1e6, AMOUNT_BOUND)
    out[at + 4] = 0.0
    out[at + 5] = _bounded(float(edge_at(w, e).attached), COUNT_BOUND)
    out[at + 6] = 0.0


@compiled
def _write_edge(w: World, out: Any, at: int, k: int, e: int) -> None:
    for field in range(EDGE):
        out[at + field] = 0.0
    if e >= model(w).edges:
        return
    n, half = model(w).terminals + e, half_rtt(w, k, e)
    if half < np.inf:
        out[at] = 1.0
        out[at + 1] = _bounded(2.0 * half, SECONDS_BOUND)
    out[at + 2] = 1.0 if terminal_at(w, k).attached == e else 0.0
    i = link_at(w, k).waiting_first
    if link_at(w, k).waiting > 0 and stage_spec(w, _stage(w, n, i)).row >= 0:
        g = task_at(w, i).group
        out[at + 3] = _bounded(seconds_of(w, n, g, 1), SECONDS_BOUND)
        out[at + 4] = _bounded(_seconds_in_batches(w, n, g), SECONDS_BOUND)
    out[at + 5] = float(node_spec(w, n).executors)
    out[at + 6] = _bounded(float(unanswered_at(w, k * model(w).edges + e).value), COUNT_BOUND)


@compiled
def _stage(w: World, n: int, i: int) -> int:
    return n * model(w).groups + task_at(w, i).group


@compiled
def _seconds_in_batches(w: World, n: int, g: int) -> float:
    """Least seconds a task of group ``g`` on node ``n``, in whatever batch."""
    least = np.inf
    for count in range(1, node_spec(w, n).batch_max + 1):
        least = min(least, seconds_of(w, n, g, count) / count)
    return least


@compiled
def _write_terminal(w: World, out: Any, at: int, k: int) -> None:
    h, link, terminal = head(w), link_at(w, k), terminal_at(w, k)
    out[at] = float(k)
    out[at + 1] = float(model(w).terminals)
    out[at + 2] = 1.0 if h.due == MOVE and h.status == DECIDING else 0.0
    out[at + 3] = _bounded(bandwidth_now(w, k) / 1e6, AMOUNT_BOUND)
    out[at + 4] = _bounded(float(link.waiting), AMOUNT_BOUND)
    out[at + 5] = 0.0
    out[at + 6] = 0.0
    if link.waiting > 0:
        oldest = task_at(w, link.waiting_first)
        out[at + 5] = _bounded(group_spec(w, oldest.group).payload / 1e6, AMOUNT_BOUND)
        out[at + 6] = min(max(oldest.deadline - h.clock, -AGE_BOUND), AGE_BOUND)
    out[at + 7] = _bounded(float(terminal.unanswered), AMOUNT_BOUND)


@compiled
def _write_times(w: World, out: Any, since: int, time: int, k: int) -> None:
    h, terminal = head(w), terminal_at(w, k)
    out[since] = _bounded(h.clock - terminal.attached_at, AGE_BOUND)
    out[since + 1] = _bounded(h.clock - terminal.asked_at, AGE_BOUND)
    out[since + 2] = _bounded(h.clock - terminal.answered_at, AGE_BOUND)
    out[time] = _bounded(h.elapsed, SECONDS_BOUND)
    out[time + 1] = min(h.clock / h.window, 1.0)
