"""`Instance` to the bytes of a row, clock at zero."""

from __future__ import annotations

from typing import Any

import numpy as np

from tiergym.engine.compiling import announced, compiled
from tiergym.engine.events import WINDOW_END, mark_node, schedule
from tiergym.engine.layout import (
    EVENT,
    EXECUTOR,
    HEAD,
    HISTORY,
    LINK,
    NODE,
    NONE,
    PAST,
    PAST_INTERVALS,
    PIECE,
    QUEUE,
    TASK,
    Bytes,
)
from tiergym.engine.placing import begin_placing
from tiergym.engine.views import (
    World,
    executor_at,
    head,
    history_at,
    jitter_at,
    link_at,
    model,
    node_at,
    node_spec,
    open_world,
    piece_at,
    queue_at,
    task_at,
)
from tiergym.scenarios.instance import Instance
from tiergym.scenarios.system import System

_HEAD, _NODE, _LINK, _QUEUE = HEAD.itemsize, NODE.itemsize, LINK.itemsize, QUEUE.itemsize
_EXECUTOR, _TASK, _EVENT = EXECUTOR.itemsize, TASK.itemsize, EVENT.itemsize
_PIECE, _HISTORY, _PAST, _WORD = PIECE.itemsize, HISTORY.itemsize, PAST.itemsize, 8


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
        + 2 * _EVENT
    )


def instance_bytes(instance: Instance) -> int:
    """Bytes of a row that depend on the instance."""
    pieces = len(instance.piece_start)
    return instance.tasks * (_TASK + _EVENT) + instance.jitter.size * _WORD + pieces * _PIECE


def load(
    rows: Bytes, base: int, size: int, models: Bytes, model_at: int, system: int, instance: Instance
) -> None:
    """Fill the ``size`` bytes at ``base`` with ``instance`` of the model at ``model_at``."""
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
) -> None:
    w = open_world(rows, base, models)
    h = head(w)
    h.tasks = len(arrival)
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
    h.at_task = h.at_past + PAST_INTERVALS * _PAST
    h.at_event = h.at_task + h.tasks * _TASK
    # Every executor and link has at most one event of a kind, every task one answer; the window
    # ends once, and one interval is the next to begin.
    h.at_jitter = h.at_event + (m.executors + 2 * m.links + h.tasks + 2) * _EVENT
    h.at_piece = h.at_jitter + m.nodes * h.jitter_columns * _WORD


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
