"""The event core: a binary heap ordered by (time, kind, index), and the list of what is dirty.

Arrivals are not in the heap: they lie in order already, and `peek` compares the next of them with
the heap's top.
"""

from __future__ import annotations

import numpy as np

from tiergym.engine.compiling import compiled
from tiergym.engine.views import World, dirty_at, event_at, head, link_at, model, node_at, task_at

BATCH_DONE, LINK_FREE, DELIVERED, ANSWERED, ARRIVAL, REPORT, BANDWIDTH, WINDOW_END = range(8)
INTERVAL, FAILURE, TIMEOUT, FETCHED = range(8, 12)
"""Kinds of event in the order in which equal times are handled. BANDWIDTH is reserved: a change of
bandwidth needs no event (a package's end is integrated over the pieces when it starts)."""

KIND_SHIFT = 40
INDEX_MASK = (1 << KIND_SHIFT) - 1
ARRIVAL_KEY = ARRIVAL << KIND_SHIFT


@compiled
def schedule(w: World, time: float, kind: int, index: int) -> None:
    """Put an event on the agenda."""
    h = head(w)
    key = (kind << KIND_SHIFT) | index
    at = h.events
    h.events = at + 1
    while at > 0:
        up = (at - 1) >> 1
        if event_at(w, up).time < time or (
            event_at(w, up).time == time and event_at(w, up).key < key
        ):
            break
        event_at(w, at).time = event_at(w, up).time
        event_at(w, at).key = event_at(w, up).key
        at = up
    event_at(w, at).time = time
    event_at(w, at).key = key


@compiled
def cancel(w: World, kind: int, index: int) -> None:
    """Take an event off the agenda, where it must be."""
    key = (kind << KIND_SHIFT) | index
    at = 0
    while event_at(w, at).key != key:
        at += 1
    while at > 0:
        up = (at - 1) >> 1
        event_at(w, at).time = event_at(w, up).time
        event_at(w, at).key = event_at(w, up).key
        at = up
    _remove_top(w)


@compiled
def _remove_top(w: World) -> None:
    h = head(w)
    size = h.events - 1
    h.events = size
    time = event_at(w, size).time
    key = event_at(w, size).key
    at = 0
    while True:
        down = 2 * at + 1
        if down >= size:
            break
        right = down + 1
        if right < size and (
            event_at(w, right).time < event_at(w, down).time
            or (
                event_at(w, right).time == event_at(w, down).time
                and event_at(w, right).key < event_at(w, down).key
            )
        ):
            down = right
        if time < event_at(w, down).time or (
            time == event_at(w, down).time and key < event_at(w, down).key
        ):
            break
        event_at(w, at).time = event_at(w, down).time
        event_at(w, at).key = event_at(w, down).key
        at = down
    event_at(w, at).time = time
    event_at(w, at).key = key


@compiled
def peek(w: World) -> float:
    """Time of the next event, infinity if there is none."""
    h = head(w)
    time = np.inf
    if h.events > 0:
        time = event_at(w, 0).time
    if h.next_arrival < h.tasks:
        time = min(time, task_at(w, h.next_arrival).arrival)
    return time


@compiled
def pop(w: World) -> int:
    """Take the next event off the agenda and return its key, ``kind << KIND_SHIFT | index``."""
    h = head(w)
    i = h.next_arrival
    if i < h.tasks:
        arrival = task_at(w, i).arrival
        key = ARRIVAL_KEY | i
        if (
            h.events == 0
            or arrival < event_at(w, 0).time
            or (arrival == event_at(w, 0).time and key < event_at(w, 0).key)
        ):
            h.next_arrival = i + 1
            return key
    key = event_at(w, 0).key
    _remove_top(w)
    return key


@compiled
def mark_node(w: World, n: int) -> None:
    """Node ``n`` may be able to start something: look at it before time goes on."""
    if node_at(w, n).dirty == 0:
        node_at(w, n).dirty = 1
        dirty_at(w, head(w).dirty_nodes).value = n
        head(w).dirty_nodes += 1


@compiled
def mark_link(w: World, e: int) -> None:
    """Link ``e`` may be able to start a package."""
    if link_at(w, e).dirty == 0:
        link_at(w, e).dirty = 1
        dirty_at(w, model(w).nodes + head(w).dirty_links).value = e
        head(w).dirty_links += 1


@compiled
def take_node(w: World) -> int:
    """Unmark and return the marked node of the lowest index."""
    h = head(w)
    h.dirty_nodes -= 1
    n = _take_lowest(w, 0, h.dirty_nodes)
    node_at(w, n).dirty = 0
    return n


@compiled
def take_link(w: World) -> int:
    """Unmark and return the marked link of the lowest index."""
    h = head(w)
    h.dirty_links -= 1
    e = _take_lowest(w, model(w).nodes, h.dirty_links)
    link_at(w, e).dirty = 0
    return e


@compiled
def _take_lowest(w: World, first: int, last: int) -> int:
    """Take the least of the dirty list ``first`` to ``first + last``; the last fills its place."""
    best = first
    for k in range(first + 1, first + last + 1):
        if dirty_at(w, k).value < dirty_at(w, best).value:
            best = k
    lowest = dirty_at(w, best).value
    dirty_at(w, best).value = dirty_at(w, first + last).value
    return lowest
