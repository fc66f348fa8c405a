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
from tiergym.engine.failing import lose
from tiergym.engine.layout import NONE
from tiergym.engine.selecting import begin_upload, due, nearest, select
from tiergym.engine.tasks import drop_last, enter, wait_for_link
from tiergym.engine.views import (
    World,
    edge_at,
    group_spec,
    head,
    link_at,
    link_spec,
    model,
    node_at,
    node_spec,
    piece_at,
    task_at,
    terminal_at,
)


@compiled
def start_packages(w: World) -> int:
    """Every marked link that is idle sends what waits for it, in the order of the links.

    Returns:
        The kind of decision that the terminal `HEAD.turn` has to take first, or `NONE`.
    """
    while head(w).dirty_links > 0:
        e = take_link(w)
        if link_at(w, e).busy == 0 and link_at(w, e).waiting > 0:
            kind = due(w, e) if e < model(w).terminals else NONE
            if kind != NONE and model(w).selects == 1:
                head(w).turn = e
                mark_link(w, e)
                return kind
            if kind != NONE:
                select(w, e, kind, nearest(w, e))
            _start_package(w, e)
    return NONE


@compiled
def _start_package(w: World, e: int) -> None:
    link = link_at(w, e)
    size = _cut_package(w, e)
    start = begin_upload(w, e) if e < model(w).terminals else head(w).clock
    link.busy = 1
    link.wire_bytes = size
    link.wire_start = head(w).clock
    link.wire_from = start
    link.waiting_bytes = link.waiting_bytes - size if link.waiting > 0 else 0.0
    schedule(w, wire_end(w, e, start, size), LINK_FREE, e)


@compiled
def _cut_package(w: World, e: int) -> float:
    """Take the next package from what waits; returns its bytes."""
    link, spec = link_at(w, e), link_spec(w, e)
    i = link.waiting_first
    link.wire_first = i
    size = group_spec(w, task_at(w, i).group).payload
    tasks = 1
    following = task_at(w, i).next
    while spec.packing == 1 and following != NONE:
        larger = size + group_spec(w, task_at(w, following).group).payload
        if larger > spec.package_max:
            break
        size = larger
        tasks += 1
        i = following
        following = task_at(w, i).next
    task_at(w, i).next = NONE
    link.wire_tasks = tasks
    link.waiting -= tasks
    link.waiting_first = following
    return size


@compiled
def wire_end(w: World, e: int, start: float, size: float) -> float:
    """Seconds at which the last of ``size`` bytes that start at ``start`` has left link ``e``."""
    link = link_at(w, e)
    now = start + link_spec(w, e).per_package
    p = link.wire_piece
    while piece_at(w, p).last == 0 and piece_at(w, p + 1).start <= now:
        p += 1
    link.wire_piece = p
    bits = size * 8.0
    while True:
        bandwidth = piece_at(w, p).bandwidth
        if bandwidth == np.inf:
            return now
        if piece_at(w, p).last == 1:
            return now + bits / bandwidth
        capacity = (piece_at(w, p + 1).start - now) * bandwidth
        if bandwidth > 0.0 and bits <= capacity:
            return now + bits / bandwidth
        bits -= capacity
        now = piece_at(w, p + 1).start
        p += 1


@compiled
def free_link(w: World, e: int) -> None:
    """The last byte of a package has left: release its memory, let it propagate."""
    h, link, spec = head(w), link_at(w, e), link_spec(w, e)
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
    if e < model(w).terminals:
        _fly_to_edge(w, e, link.wire_first)
    else:
        _fly(w, e, link.wire_first)
    mark_link(w, e)
    mark_node(w, spec.source)
    if spec.source == model(w).claimed and node_spec(w, spec.source).uplink == e:
        node_at(w, spec.source).wake = 1


@compiled
def _release(w: World, n: int, i: int) -> None:
    while i != NONE:
        node_at(w, n).held -= group_spec(w, task_at(w, i).group).payload
        i = task_at(w, i).next


@compiled
def _fly(w: World, e: int, i: int) -> None:
    """Packages on their way are chained by the `previous` of their first task, unused there."""
    link = link_at(w, e)
    task_at(w, i).previous = NONE
    task_at(w, i).carried = head(w).clock + link_spec(w, e).half_rtt
    if link.flight_first == NONE:
        link.flight_first = i
        schedule(w, task_at(w, i).carried, DELIVERED, e)
    else:
        task_at(w, link.flight_last).previous = i
    link.flight_last = i


@compiled
def _fly_to_edge(w: World, k: int, i: int) -> None:
    """Let the package of terminal ``k`` that begins with task ``i`` propagate.

    Each has an event of its own, since one to a near edge overtakes one to a far edge.
    """
    half = terminal_at(w, k).half_rtt
    schedule(w, head(w).clock + half, DELIVERED, model(w).links + i)
    while i != NONE:
        task_at(w, i).return_delay += half
        i = task_at(w, i).next


@compiled
def _deliver_to_edge(w: World, i: int) -> None:
    """The package that begins with task ``i`` has arrived at the edge that it was sent to."""
    e = task_at(w, i).sent
    while i != NONE:
        following = task_at(w, i).next
        if edge_at(w, e).down == 1:
            lose(w, i)
        else:
            enter(w, model(w).terminals + e, i, task_at(w, i).group)
        i = following


@compiled
def deliver(w: World, index: int) -> None:
    """The oldest package in flight on link ``index`` has arrived, or one of a terminal."""
    if index >= model(w).links:
        _deliver_to_edge(w, index - model(w).links)
        return
    e = index
    link = link_at(w, e)
    i = link.flight_first
    link.flight_first = task_at(w, i).previous
    if link.flight_first != NONE:
        schedule(w, task_at(w, link.flight_first).carried, DELIVERED, e)
    while i != NONE:
        following = task_at(w, i).next
        task_at(w, i).return_delay += link_spec(w, e).half_rtt
        enter(w, link_spec(w, e).target, i, task_at(w, i).group)
        i = following


@compiled
def pre_upload(w: World, n: int, g: int, count: int) -> None:
    """Hand the ``count`` youngest tasks of a queue upward unrun."""
    i = drop_last(w, n, g, count)
    while i != NONE:
        following = task_at(w, i).next
        task_at(w, i).pre_uploaded = 1
        wait_for_link(w, node_spec(w, n).uplink, i)
        i = following


@compiled
def link_idle(w: World, e: int) -> bool:
    """Whether link ``e`` exists and neither sends nor has anything waiting."""
    return e != NONE and link_at(w, e).busy == 0 and link_at(w, e).waiting == 0


@compiled
def bandwidth_now(w: World, e: int) -> float:
    """Bandwidth of link ``e`` at the clock, bit/s."""
    link = link_at(w, e)
    p = link.seen_piece
    while piece_at(w, p).last == 0 and piece_at(w, p + 1).start <= head(w).clock:
        p += 1
    link.seen_piece = p
    return piece_at(w, p).bandwidth
