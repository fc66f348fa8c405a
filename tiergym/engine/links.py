"""Links: FIFO packages over piecewise constant bandwidth."""

from __future__ import annotations

import numpy as np

from tiergym.engine.compiling import compiled
from tiergym.engine.events import (
    DELIVERED,
    LINK_FREE,
    mark_link,
    mark_node,
    schedule,
    take_link,
)
from tiergym.engine.layout import NONE, World
from tiergym.engine.tasks import drop_last, enter, wait_for_link


@compiled
def start_packages(w: World) -> None:
    """Every marked link that is idle sends what waits for it, in the order of the links."""
    while w.head[0].dirty_links > 0:
        e = take_link(w)
        if w.link[e].busy == 0 and w.link[e].waiting > 0:
            _start_package(w, e)


@compiled
def _start_package(w: World, e: int) -> None:
    link = w.link[e]
    size = _cut_package(w, e)
    link.busy = 1
    link.wire_bytes = size
    link.wire_start = w.head[0].clock
    link.waiting_bytes = link.waiting_bytes - size if link.waiting > 0 else 0.0
    schedule(w, wire_end(w, e, w.head[0].clock, size), LINK_FREE, e)


@compiled
def _cut_package(w: World, e: int) -> float:
    """Take the next package from what waits; returns its bytes."""
    link, spec = w.link[e], w.m_link[e]
    i = link.waiting_first
    link.wire_first = i
    size = w.m_group[w.task[i].group].payload
    tasks = 1
    following = w.task[i].next
    while spec.packing == 1 and following != NONE:
        larger = size + w.m_group[w.task[following].group].payload
        if larger > spec.package_max:
            break
        size = larger
        tasks += 1
        i = following
        following = w.task[i].next
    w.task[i].next = NONE
    link.wire_tasks = tasks
    link.waiting -= tasks
    link.waiting_first = following
    return size


@compiled
def wire_end(w: World, e: int, start: float, size: float) -> float:
    """Seconds at which the last of ``size`` bytes that start at ``start`` has left link ``e``."""
    link, piece = w.link[e], w.piece
    now = start + w.m_link[e].per_package
    p = link.wire_piece
    while piece[p].last == 0 and piece[p + 1].start <= now:
        p += 1
    link.wire_piece = p
    bits = size * 8.0
    while True:
        bandwidth = piece[p].bandwidth
        if bandwidth == np.inf:
            return now
        if piece[p].last == 1:
            return now + bits / bandwidth
        capacity = (piece[p + 1].start - now) * bandwidth
        if bandwidth > 0.0 and bits <= capacity:
            return now + bits / bandwidth
        bits -= capacity
        now = piece[p + 1].start
        p += 1


@compiled
def free_link(w: World, e: int) -> None:
    """The last byte of a package has left: release its memory, let it propagate."""
    h, link, spec = w.head[0], w.link[e], w.m_link[e]
    seconds = h.clock - link.wire_start
    joules = spec.base_watts * seconds + spec.joules_per_megabit * (link.wire_bytes * 8.0 / 1e6)
    h.joules += joules
    h.step_joules += joules
    link.busy = 0
    link.packages += 1
    link.tasks += link.wire_tasks
    link.bytes += link.wire_bytes
    link.busy_seconds += seconds
    _release(w, spec.source, link.wire_first)
    _fly(w, e, link.wire_first)
    mark_link(w, e)
    mark_node(w, spec.source)
    if spec.source == w.model[0].claimed and w.m_node[spec.source].uplink == e:
        w.node[spec.source].wake = 1


@compiled
def _release(w: World, n: int, i: int) -> None:
    while i != NONE:
        w.node[n].held -= w.m_group[w.task[i].group].payload
        i = w.task[i].next


@compiled
def _fly(w: World, e: int, i: int) -> None:
    """Packages on their way are chained by the `previous` of their first task, unused there."""
    link = w.link[e]
    w.task[i].previous = NONE
    w.task[i].carried = w.head[0].clock + w.m_link[e].half_rtt
    if link.flight_first == NONE:
        link.flight_first = i
        schedule(w, w.task[i].carried, DELIVERED, e)
    else:
        w.task[link.flight_last].previous = i
    link.flight_last = i


@compiled
def deliver(w: World, e: int) -> None:
    """The oldest package in flight on link ``e`` has arrived."""
    link = w.link[e]
    i = link.flight_first
    link.flight_first = w.task[i].previous
    if link.flight_first != NONE:
        schedule(w, w.task[link.flight_first].carried, DELIVERED, e)
    while i != NONE:
        following = w.task[i].next
        w.task[i].return_delay += w.m_link[e].half_rtt
        enter(w, w.m_link[e].target, i, w.task[i].group)
        i = following


@compiled
def pre_upload(w: World, n: int, g: int, count: int) -> None:
    """Hand the ``count`` youngest tasks of a queue upward unrun."""
    i = drop_last(w, n, g, count)
    while i != NONE:
        following = w.task[i].next
        w.task[i].pre_uploaded = 1
        wait_for_link(w, w.m_node[n].uplink, i)
        i = following


@compiled
def link_idle(w: World, e: int) -> bool:
    """Whether link ``e`` exists and neither sends nor has anything waiting."""
    return e != NONE and w.link[e].busy == 0 and w.link[e].waiting == 0


@compiled
def bandwidth_now(w: World, e: int) -> float:
    """Bandwidth of link ``e`` at the clock, bit/s."""
    link, piece = w.link[e], w.piece
    p = link.seen_piece
    while piece[p].last == 0 and piece[p + 1].start <= w.head[0].clock:
        p += 1
    link.seen_piece = p
    return piece[p].bandwidth
