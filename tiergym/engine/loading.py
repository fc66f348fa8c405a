"""`Instance` to the bytes of a row, clock at zero."""

from __future__ import annotations

from typing import Any

import numpy as np

from tiergym.engine.compiling import announced, compiled
from tiergym.engine.events import WINDOW_END, mark_node, schedule
from tiergym.engine.layout import (
    EDGE,
    EVENT,
    EXECUTOR,
    FAILURE,
    HEAD,
    HISTORY,
    KEPT_REPORTS,
    LINK,
    NODE,
    NONE,
    PAST,
    PAST_INTERVALS,
    PIECE,
    QUEUE,
    REPORT,
    TASK,
    TERMINAL,
    Bytes,
)
from tiergym.engine.placing import begin_placing
from tiergym.engine.selecting import begin_selecting
from tiergym.engine.views import (
    World,
    executor_at,
    failure_at,
    half_rtt_at,
    head,
    history_at,
    jitter_at,
    link_at,
    model,
    moment_at,
    node_at,
    node_spec,
    open_world,
    piece_at,
    queue_at,
    task_at,
)
from tiergym.scenarios.instance import Coverage, Instance
from tiergym.scenarios.system import System

_HEAD, _NODE, _LINK, _QUEUE = HEAD.itemsize, NODE.itemsize, LINK.itemsize, QUEUE.itemsize
_EXECUTOR, _TASK, _EVENT = EXECUTOR.itemsize, TASK.itemsize, EVENT.itemsize
_PIECE, _HISTORY, _PAST, _WORD = PIECE.itemsize, HISTORY.itemsize, PAST.itemsize, 8
_TERMINAL, _EDGE, _REPORT = TERMINAL.itemsize, EDGE.itemsize, REPORT.itemsize
NOTHING = Coverage(
    np.empty(0), np.empty((0, 0, 0)), np.empty(0, np.int64), np.empty(0), np.empty(0)
)


def fixed_bytes(system: System) -> int:
    """Bytes of a row that do not depend on the instance."""
    nodes, links, groups = system.nodes, system.links, system.groups
    executors = int(system.node_executors.sum())
    return (
        _HEAD
        + nodes * (_NODE + groups * _QUEUE + _WORD)
        + links * (_LINK + 2 * _EVENT + _WORD)
        + executors * (_EXECUTOR + _EVENT)
        + groups * _HISTORY
        + len(system.route_p1) * _WORD
        + PAST_INTERVALS * _PAST
        + 3 * _EVENT
        + _selection_bytes(system)
    )


def _selection_bytes(system: System) -> int:
    if system.selection is None:
        return 0
    terminals, edges = system.selection.terminals, system.selection.edges
    return (
        terminals * (TERMINAL.itemsize + edges * _WORD)
        + edges * (EDGE.itemsize + KEPT_REPORTS * REPORT.itemsize)
        + edges * system.networks * (_WORD + _EVENT)
    )


def instance_bytes(instance: Instance) -> int:
    """Bytes of a row that depend on the instance."""
    pieces, coverage = len(instance.piece_start), instance.coverage
    size = instance.tasks * (_TASK + _EVENT) + instance.jitter.size * _WORD + pieces * _PIECE
    if coverage is not None:
        size += (len(coverage.start) + coverage.half_rtt.size) * _WORD
        size += len(coverage.failure_edge) * (FAILURE.itemsize + 2 * _EVENT)
    return size


def load(
    rows: Bytes, base: int, size: int, models: Bytes, model_at: int, system: int, instance: Instance
) -> None:
    """Fill the ``size`` bytes at ``base`` with ``instance`` of the model at ``model_at``."""
    coverage = instance.coverage or NOTHING
    with announced("the loader"):
        _clear_head(rows, base, size, model_at, system, instance.window)
        _load(
            rows,
            base,
            models,
            instance.arrival,
            instance.origin,
            instance.network,
            instance.sample,
            instance.deadline,
            instance.charged,
            instance.jitter.ravel(),
            instance.piece_offset,
            instance.piece_start,
            instance.piece_bandwidth,
            coverage.start,
            coverage.half_rtt.ravel(),
            coverage.failure_edge,
            coverage.failure_start,
            coverage.failure_end,
        )


@compiled
def _clear_head(
    rows: Bytes, base: int, size: int, model_at: int, system: int, window: float
) -> None:
    for k in range(base, base + _HEAD):
        rows[k] = 0
    h = head(World(rows.ctypes.data + base, 0))
    h.size = size
    h.model = model_at
    h.system = system
    h.window = window


@compiled
def _load(
    rows: Bytes,
    base: int,
    models: Bytes,
    arrival: Any,
    origin: Any,
    network: Any,
    sample: Any,
    deadline: Any,
    charged: Any,
    jitter: Any,
    piece_offset: Any,
    piece_start: Any,
    piece_bandwidth: Any,
    moment: Any,
    half_rtt: Any,
    failure_edge: Any,
    failure_start: Any,
    failure_end: Any,
) -> None:
    w = open_world(rows, base, models)
    h = head(w)
    h.tasks = len(arrival)
    h.pieces = len(piece_start)
    h.moments = len(moment)
    h.failures = len(failure_edge)
    h.jitter_columns = len(jitter) // model(w).nodes
    _lay_out(w)
    for k in range(base + h.at_node, base + h.at_task):
        rows[k] = 0
    for i in range(h.tasks):
        task = task_at(w, i)
        task.arrival = arrival[i]
        task.deadline = deadline[i]
        task.origin = origin[i]
        task.network = network[i]
        task.sample = sample[i]
        task.charged = 1 if charged[i] else 0
        h.remaining += task.charged
        _clear_task(w, i)
    for k in range(len(jitter)):
        jitter_at(w, k).value = jitter[k]
    _load_pieces(w, piece_offset, piece_start, piece_bandwidth)
    _clear_nodes(w)
    schedule(w, h.window, WINDOW_END, 0)
    if model(w).placed != NONE:
        begin_placing(w)
    if model(w).edges > 0:
        _load_coverage(w, moment, half_rtt, failure_edge, failure_start, failure_end)
        begin_selecting(w)


@compiled
def _load_coverage(
    w: World,
    moment: Any,
    half_rtt: Any,
    failure_edge: Any,
    failure_start: Any,
    failure_end: Any,
) -> None:
    for k in range(len(moment)):
        moment_at(w, k).value = moment[k]
    for k in range(len(half_rtt)):
        half_rtt_at(w, k).value = half_rtt[k]
    for f in range(len(failure_edge)):
        failure = failure_at(w, f)
        failure.edge = failure_edge[f]
        failure.start = failure_start[f]
        failure.end = failure_end[f]


@compiled
def _lay_out(w: World) -> None:
    """Say where each section begins; `fixed_bytes` and `instance_bytes` add up to the whole.

    What comes before the tasks must be cleared; the rest is written before it is read.
    """
    h, m = head(w), model(w)
    h.at_node = _HEAD
    h.at_link = h.at_node + m.nodes * _NODE
    h.at_queue = h.at_link + m.links * _LINK
    h.at_executor = h.at_queue + m.nodes * m.groups * _QUEUE
    h.at_history = h.at_executor + m.executors * _EXECUTOR
    h.at_dirty = h.at_history + m.groups * _HISTORY
    h.at_alive = h.at_dirty + (m.nodes + m.links) * _WORD
    h.at_past = h.at_alive + m.routes * _WORD
    h.at_terminal = h.at_past + PAST_INTERVALS * _PAST
    h.at_unanswered = h.at_terminal + m.terminals * _TERMINAL
    h.at_edge = h.at_unanswered + m.terminals * m.edges * _WORD
    h.at_report = h.at_edge + m.edges * _EDGE
    h.at_parameters = h.at_report + m.edges * KEPT_REPORTS * _REPORT
    h.at_task = h.at_parameters + m.edges * m.networks * _WORD
    h.at_event = h.at_task + h.tasks * _TASK
    # Every executor and link has at most one event of a kind, every task one answer, delivery or
    # re-upload; the window ends once, one interval and one report are the next; an edge fetches a
    # network once, and fails and comes back so often.
    own = m.executors + 2 * m.links + h.tasks + 3
    h.at_jitter = h.at_event + (own + m.edges * m.networks + 2 * h.failures) * _EVENT
    h.at_piece = h.at_jitter + m.nodes * h.jitter_columns * _WORD
    h.at_moment = h.at_piece + h.pieces * _PIECE
    h.at_half_rtt = h.at_moment + h.moments * _WORD
    h.at_failure = h.at_half_rtt + h.moments * m.terminals * m.edges * _WORD


@compiled
def _clear_task(w: World, i: int) -> None:
    task = task_at(w, i)
    task.first_start = np.nan
    task.finish = np.nan
    task.return_delay = 0.0
    task.carried = np.nan
    task.carried_at = np.nan
    task.entered = np.nan
    task.previous = NONE
    task.next = NONE
    task.history_next = NONE
    task.group = NONE
    task.sequence = NONE
    task.exit_block = NONE
    task.sent = NONE
    task.tier = NONE
    task.correct = NONE
    task.refused = 0
    task.pre_uploaded = 0
    task.ended = 0


@compiled
def _load_pieces(w: World, offset: Any, start: Any, bandwidth: Any) -> None:
    for e in range(model(w).links):
        link_at(w, e).wire_piece = offset[e]
        link_at(w, e).seen_piece = offset[e]
        link_at(w, e).past_piece = offset[e]
        link_at(w, e).flight_first = NONE
        link_at(w, e).flight_last = NONE
        for p in range(offset[e], offset[e + 1]):
            piece_at(w, p).start = start[p]
            piece_at(w, p).bandwidth = bandwidth[p]
            piece_at(w, p).last = 1 if p + 1 == offset[e + 1] else 0


@compiled
def _clear_nodes(w: World) -> None:
    for n in range(model(w).nodes):
        node_at(w, n).idle = node_spec(w, n).executors
        node_at(w, n).told_at = np.nan
        node_at(w, n).first_group = NONE
        mark_node(w, n)
    for x in range(model(w).executors):
        executor_at(w, x).group = NONE
    for q in range(model(w).nodes * model(w).groups):
        queue_at(w, q).first = NONE
        queue_at(w, q).last = NONE
        queue_at(w, q).next_group = NONE
    for g in range(model(w).groups):
        history_at(w, g).last = NONE
        history_at(w, g).first_1 = NONE
        history_at(w, g).first_10 = NONE
