"""Placement in force, the parameters that nodes hold for it, and the intervals between decisions.

Sets of blocks are bits of a word: bit k is block k + 1. A node *keeps* the blocks that something
still wants or that are being loaded; their bytes are held. Of these, some are *loaded*; the rest
wait for, or are, a load job on one of its executors.
"""

from __future__ import annotations

from tiergym.engine.compiling import compiled
from tiergym.engine.events import BATCH_DONE, INTERVAL, mark_node, schedule
from tiergym.engine.layout import LOADING, NONE, PAST_INTERVALS
from tiergym.engine.views import (
    World,
    alive_at,
    block_bytes_at,
    executor_at,
    group_spec,
    head,
    link_at,
    model,
    network_spec,
    node_at,
    node_spec,
    past_at,
    piece_at,
    route_spec,
    stage_spec,
    task_at,
)
from tiergym.scenarios.system import EDGE, ENTRIES, TERMINAL


@compiled
def blocks_between(first: int, last: int) -> int:
    """The set of blocks ``first + 1`` to ``last``; empty unless ``first < last``."""
    return (1 << last) - (1 << first) if first < last else 0


@compiled
def needed(w: World, n: int, r: int) -> int:
    """Blocks that node ``n`` runs under route ``r`` of the placed network, by its tier."""
    route, tier = route_spec(w, r), node_spec(w, n).tier
    if tier == TERMINAL:
        return blocks_between(0, route.p1)
    if tier == EDGE:
        return blocks_between(route.p1, route.p2)
    return blocks_between(route.p2, network_spec(w, model(w).placed).blocks)


@compiled
def bytes_of(w: World, blocks: int) -> float:
    """Parameter bytes of a set of blocks, added in rising order."""
    total = 0.0
    block = 0
    while blocks >> block != 0:
        if (blocks >> block) & 1 == 1:
            total += block_bytes_at(w, block).value
        block += 1
    return total


@compiled
def ready(w: World, n: int, g: int) -> bool:
    """Whether the parameters of the stage of group ``g`` at node ``n`` are there."""
    spec = group_spec(w, g)
    if spec.network != model(w).placed:
        return True
    end = stage_spec(w, n * model(w).groups + g).end
    return blocks_between(spec.entry_block, end) & ~node_at(w, n).loaded == 0


@compiled
def may_place(w: World, r: int) -> bool:
    """Whether a `place` decision may choose route ``r`` now: it is in force, or its blocks fit."""
    if route_spec(w, r).servable == 0:
        return False
    if r == head(w).in_force:
        return True
    for n in range(model(w).nodes):
        spec = node_spec(w, n)
        more = bytes_of(w, needed(w, n, r) & ~node_at(w, n).kept)
        if node_at(w, n).held + more > spec.memory - spec.reserve:
            return False
    return True


@compiled
def place(w: World, r: int) -> None:
    """Put route ``r`` in force for the tasks to come; the first one finds everything loaded."""
    h = head(w)
    h.decisions += 1
    h.place_due = 0
    if h.in_force == NONE:
        _deploy(w, r)
        return
    if r != h.in_force:
        h.changes += 1
    h.in_force = r
    _reconsider(w)


@compiled
def _deploy(w: World, r: int) -> None:
    head(w).in_force = r
    for n in range(model(w).nodes):
        node = node_at(w, n)
        node.kept = needed(w, n, r)
        node.loaded = node.kept
        node.held += bytes_of(w, node.kept)


@compiled
def _reconsider(w: World) -> None:
    """Keep what the route in force and those with tasks under way need; release the rest."""
    for n in range(model(w).nodes):
        node = node_at(w, n)
        kept = _wanted(w, n) | node.loading
        node.held += bytes_of(w, kept & ~node.kept)
        node.held -= bytes_of(w, node.kept & ~kept)
        node.kept = kept
        node.loaded &= kept
        mark_node(w, n)


@compiled
def _wanted(w: World, n: int) -> int:
    blocks = needed(w, n, head(w).in_force)
    first = model(w).first_route
    for r in range(first, first + model(w).placements):
        if alive_at(w, r).value > 0:
            blocks |= needed(w, n, r)
    return blocks


@compiled
def start_loading(w: World, n: int) -> None:
    """Load what node ``n`` keeps and does not have yet: one job at a time, on an idle executor."""
    h, node = head(w), node_at(w, n)
    pending = node.kept & ~node.loaded
    if node.loading != 0 or pending == 0 or node.idle == 0:
        return
    x = node_spec(w, n).first_executor
    while executor_at(w, x).group != NONE:
        x += 1
    slot = executor_at(w, x)
    slot.group = LOADING
    slot.first = NONE
    slot.tasks = 0
    slot.start = h.clock
    slot.duration = bytes_of(w, pending) / node_spec(w, n).load_rate
    slot.seconds = slot.duration
    node.loading = pending
    node.idle -= 1
    h.loads += 1
    schedule(w, h.clock + slot.duration, BATCH_DONE, x)


@compiled
def finish_loading(w: World, n: int) -> None:
    """The load job of node ``n`` is done: what of it is still wanted stays."""
    node = node_at(w, n)
    node.loaded |= node.loading
    node.loading = 0
    _reconsider(w)


@compiled
def enlist(w: World, i: int) -> int:
    """A task of the placed network arrives: it takes the route in force, which is returned."""
    h = head(w)
    h.arrived += 1
    alive_at(w, h.in_force).value += 1
    return h.in_force


@compiled
def depart(w: World, i: int) -> None:
    """Task ``i`` has ended: once the last of an old placement has left, its parameters go."""
    if task_at(w, i).network != model(w).placed:
        return
    r = task_at(w, i).group // ENTRIES
    alive_at(w, r).value -= 1
    if alive_at(w, r).value == 0 and r != head(w).in_force:
        _reconsider(w)


@compiled
def begin_placing(w: World) -> None:
    """At the clock's zero: ask for the first placement, or put the fixed one in force."""
    h, m = head(w), model(w)
    h.in_force = NONE
    if m.places == 0:
        _deploy(w, network_spec(w, m.placed).route)
        return
    h.place_due = 1
    if m.interval_seconds < h.window:
        schedule(w, 1 * m.interval_seconds, INTERVAL, 0)


@compiled
def begin_interval(w: World) -> None:
    """An interval begins: remember the last one, and let a `place` decision fall due."""
    h = head(w)
    _remember(w)
    h.interval += 1
    h.place_due = 1
    following = (h.interval + 1) * model(w).interval_seconds
    if following < h.window:
        schedule(w, following, INTERVAL, 0)


@compiled
def _remember(w: World) -> None:
    """Put what the interval that ends now has seen before the older ones."""
    h, seconds = head(w), model(w).interval_seconds
    for k in range(PAST_INTERVALS - 1, 0, -1):
        _copy_past(w, k - 1, k)
    past, start = past_at(w, 0), h.interval * seconds
    past.arrivals = h.arrived - h.past_arrived
    past.bandwidth_1 = _mean_bandwidth(w, node_spec(w, 0).uplink, start)
    past.bandwidth_2 = _mean_bandwidth(w, node_spec(w, 1).uplink, start)
    past.busy_0 = _busy_share(w, 0)
    past.busy_1 = _busy_share(w, 1)
    past.busy_2 = _busy_share(w, 2)
    h.past_arrived = h.arrived


@compiled
def _copy_past(w: World, source: int, target: int) -> None:
    old, new = past_at(w, source), past_at(w, target)
    new.arrivals = old.arrivals
    new.bandwidth_1 = old.bandwidth_1
    new.bandwidth_2 = old.bandwidth_2
    new.busy_0 = old.busy_0
    new.busy_1 = old.busy_1
    new.busy_2 = old.busy_2


@compiled
def _mean_bandwidth(w: World, e: int, start: float) -> float:
    """Time average of the bandwidth of link ``e`` from ``start`` to the clock, bit/s."""
    now = head(w).clock
    p, at, bits = link_at(w, e).past_piece, start, 0.0
    while piece_at(w, p).last == 0 and piece_at(w, p + 1).start <= now:
        end = piece_at(w, p + 1).start
        if end > at:
            bits += (end - at) * piece_at(w, p).bandwidth
            at = end
        p += 1
    link_at(w, e).past_piece = p
    if now > at:
        bits += (now - at) * piece_at(w, p).bandwidth
    return bits / (now - start)


@compiled
def _busy_share(w: World, n: int) -> float:
    """Share of the interval that the executors of node ``n`` were busy."""
    node, spec = node_at(w, n), node_spec(w, n)
    total = node.busy_seconds
    for x in range(spec.first_executor, spec.first_executor + spec.executors):
        if executor_at(w, x).group != NONE:
            total += head(w).clock - executor_at(w, x).start
    share = (total - node.past_busy) / (model(w).interval_seconds * spec.executors)
    node.past_busy = total
    return share
