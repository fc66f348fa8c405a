"""The event core: a binary heap ordered by (time, kind, index), and the list of what is dirty.

Arrivals are not in the heap: they lie in order already, and `peek` compares the next of them with
the heap's top.
"""

from __future__ import annotations

import numpy as np

from tiergym.engine.compiling import compiled
from tiergym.engine.layout import World

BATCH_DONE, LINK_FREE, DELIVERED, ANSWERED, ARRIVAL, REPORT, BANDWIDTH, WINDOW_END = range(8)
"""Kinds of event in the order in which equal times are handled. REPORT and BANDWIDTH are reserved:
reports come with edge selection, and a change of bandwidth needs no event (a package's end is
integrated over the pieces when it starts)."""

KIND_SHIFT = 40
INDEX_MASK = (1 << KIND_SHIFT) - 1
ARRIVAL_KEY = ARRIVAL << KIND_SHIFT


@compiled
def schedule(w: World, time: float, kind: int, index: int) -> None:
    """Put an event on the agenda."""
    h = w.head[0]
    event = w.event
    key = (kind << KIND_SHIFT) | index
    at = h.events
    h.events = at + 1
    while at > 0:
        up = (at - 1) >> 1
        if event[up].time < time or (event[up].time == time and event[up].key < key):
            break
        event[at].time = event[up].time
        event[at].key = event[up].key
        at = up
    event[at].time = time
    event[at].key = key


@compiled
def _remove_top(w: World) -> None:
    h = w.head[0]
    event = w.event
    size = h.events - 1
    h.events = size
    time = event[size].time
    key = event[size].key
    at = 0
    while True:
        down = 2 * at + 1
        if down >= size:
            break
        right = down + 1
        if right < size and (
            event[right].time < event[down].time
            or (event[right].time == event[down].time and event[right].key < event[down].key)
        ):
            down = right
        if time < event[down].time or (time == event[down].time and key < event[down].key):
            break
        event[at].time = event[down].time
        event[at].key = event[down].key
        at = down
    event[at].time = time
    event[at].key = key


@compiled
def peek(w: World) -> float:
    """Time of the next event, infinity if there is none."""
    h = w.head[0]
    time = np.inf
    if h.events > 0:
        time = w.event[0].time
    if h.next_arrival < h.tasks:
        time = min(time, w.task[h.next_arrival].arrival)
    return time


@compiled
def pop(w: World) -> int:
    """Take the next event off the agenda and return its key, ``kind << KIND_SHIFT | index``."""
    h = w.head[0]
    i = h.next_arrival
    if i < h.tasks:
        arrival = w.task[i].arrival
        key = ARRIVAL_KEY | i
        if (
            h.events == 0
            or arrival < w.event[0].time
            or (arrival == w.event[0].time and key < w.event[0].key)
        ):
            h.next_arrival = i + 1
            return key
    key = w.event[0].key
    _remove_top(w)
    return key


@compiled
def mark_node(w: World, n: int) -> None:
    """Node ``n`` may be able to start something: look at it before time goes on."""
    if w.node[n].dirty == 0:
        w.node[n].dirty = 1
        w.dirty[w.head[0].dirty_nodes] = n
        w.head[0].dirty_nodes += 1


@compiled
def mark_link(w: World, e: int) -> None:
    """Link ``e`` may be able to start a package."""
    if w.link[e].dirty == 0:
        w.link[e].dirty = 1
        w.dirty[w.model[0].nodes + w.head[0].dirty_links] = e
        w.head[0].dirty_links += 1


@compiled
def take_node(w: World) -> int:
    """Unmark and return the marked node of the lowest index."""
    h = w.head[0]
    h.dirty_nodes -= 1
    n = _take_lowest(w.dirty, 0, h.dirty_nodes)
    w.node[n].dirty = 0
    return n


@compiled
def take_link(w: World) -> int:
    """Unmark and return the marked link of the lowest index."""
    h = w.head[0]
    h.dirty_links -= 1
    e = _take_lowest(w.dirty, w.model[0].nodes, h.dirty_links)
    w.link[e].dirty = 0
    return e


@compiled
def _take_lowest(dirty: np.ndarray, first: int, last: int) -> int:
    """Take the smallest of ``dirty[first .. first + last]``, the last entry filling its place."""
    best = first
    for k in range(first + 1, first + last + 1):
        if dirty[k] < dirty[best]:
            best = k
    lowest = dirty[best]
    dirty[best] = dirty[first + last]
    return lowest
