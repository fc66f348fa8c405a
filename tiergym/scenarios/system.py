"""What a scenario compiles to: every constant of a simulation as plain numbers.

Neither files nor randomness live here. A `System` and an `Instance` are all that the engine, and
any other implementation of the same physics, is given.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

TERMINAL, EDGE, CLOUD = 0, 1, 2
TIER_NAMES = ("terminal", "edge", "cloud")

FCFS, FCFS_BATCHED, PRIORITY, STATIC_PRIORITY = 0, 1, 2, 3
DISCIPLINE_NAMES = ("fcfs", "fcfs-batched", "priority", "static-priority")

ENTRIES = 3
"""Entry kinds of a route: 0 the raw input, 1 after block p1, 2 after block p2."""

EMPTY_STAGE = -1
"""`stage_row` of a group whose stage at that node has no block: tasks pass straight through."""
NO_STAGE = -2
"""`stage_row` of a group that the node cannot run."""

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def pairs_of(blocks: int) -> int:
    """Number of placements (p1, p2) with 0 <= p1 <= p2 <= L of a network of L blocks."""
    return (blocks + 1) * (blocks + 2) // 2


Number = TypeVar("Number", int, Ints)


def pair_number(p1: Number, p2: Number) -> Number:
    """Number of a placement (p1, p2), or int64 array of numbers; it does not depend on L."""
    return p2 * (p2 + 1) // 2 + p1


def pair_of(number: int) -> tuple[int, int]:
    """(p1, p2) of a placement's number."""
    p2 = (math.isqrt(8 * number + 1) - 1) // 2
    return number - p2 * (p2 + 1) // 2, p2


def pair_ends(blocks: int) -> list[tuple[int, int]]:
    """All placements (p1, p2) of a network of L blocks, in the order of their numbers."""
    return [pair_of(number) for number in range(pairs_of(blocks))]


@dataclass(frozen=True, eq=False)
class Cost:
    """Weights of the cost (design: delay + error + late + energy), the same in every problem."""

    delay_weight: float = 1.0
    error_weight: float = 0.0
    late_weight: float = 0.0
    energy_weight: float = 0.0
    refusal_seconds: float = 0.0


@dataclass(frozen=True, eq=False)
class Placing:
    """What `place` decisions choose from, where a scenario has a placed network.

    Attributes:
        network: index of the placed network, of L blocks.
        interval_seconds: a decision falls due at every multiple of it within the window.
        first_route: routes ``first_route + t * pairs_of(L) + pair_number(p1, p2)`` are its
            placements under threshold level t.
        thresholds: float[T, 2], confidence at the heads at p1 and p2 by threshold level.
        servable: bool[T * pairs_of(L)], routes whose every stage has a node that can run it.
        block_bytes: float[L], parameters of each block, its heads among them.
        load_rate: float[N], bytes/s at which a node loads parameters; may be infinite.
    """

    network: int
    interval_seconds: float
    first_route: int
    thresholds: Floats
    servable: NDArray[np.bool_]
    block_bytes: Floats
    load_rate: Floats


@dataclass(frozen=True, eq=False)
class Selection:
    """What `attach` and `move` decisions are about, where terminals select edges.

    Nodes 0 to K - 1 are the terminals, K to K + E - 1 the edges, K + E the cloud if there is one.
    Link n < K is the uplink of terminal n; its target is decided while a simulation runs
    (`System.link_target` names the first edge), and its round trip is the instance's.

    Attributes:
        terminals: K; edges: E.
        attach_every: seconds after which a terminal attaches anew at an upload; 0: at every one,
            infinite: once an episode.
        moves: whether `move` decisions fall due.
        overload_mark: utilisation in the newest report from which on an edge is overloaded.
        hold_seconds: least seconds between two `move` decisions of a terminal.
        reconnect_seconds: that the first package to another edge waits before it is sent.
        timeout_seconds: from the loss of a task at an edge that failed to its re-upload.
        report_interval: seconds; 0 for reports that are always fresh.
        fetch_seconds: float[E, M], to fetch a network's parameters from the cloud.
        deployed: bool[E, M], whether they are there from the beginning.
    """

    terminals: int
    edges: int
    attach_every: float
    moves: bool
    overload_mark: float
    hold_seconds: float
    reconnect_seconds: float
    timeout_seconds: float
    report_interval: float
    fetch_seconds: Floats
    deployed: NDArray[np.bool_]

    def numbers(self) -> Floats:
        """All that is no array, in the order of the fields."""
        values = [getattr(self, field.name) for field in fields(self)]
        return np.array([float(value) for value in values if not isinstance(value, np.ndarray)])


@dataclass(frozen=True, eq=False)
class System:
    """Constants of one scenario. N nodes, E links, M networks, R routes, G = 3 R groups.

    A *route* is a network under a placement (p1, p2). Routes 0 to M - 1 are those that tasks take
    where nothing is placed; the routes that `Placing` adds come after them. Group ``3 r + e``
    holds the tasks of route r with entry kind e (`ENTRIES`); of entry kinds that start at the same
    block only the lowest is used, so a group is what the design calls a task group: same network,
    same entry block.

    Attributes:
        node_names: N names; link_names: E; network_names: M.
        node_tier: int[N], TERMINAL, EDGE or CLOUD.
        node_executors: int[N], batches that run at once.
        node_batch_max: int[N], most tasks in a batch.
        node_memory: float[N], bytes left for tasks once the deployed parameters are held; may be
            infinite. `node_reserve` of them are kept for a batch of one, see there.
        node_reserve: float[N], bytes that admission leaves free, so that some batch of one task
            (workspace, and output larger than its input) can always start.
        node_discipline: int[N], who picks the next batch where nobody claimed the node.
        node_rank: int[N, M], `static-priority`: smaller runs first.
        node_idle_watts, node_busy_watts: float[N], zero where no source exists.
        node_uplink: int[N], the link that tasks leave upward on, -1 for none.
        link_source, link_target: int[E], nodes.
        link_packing: int[E], 1 where waiting payloads share a package, up to `link_package_max`.
        link_package_max: float[E], bytes.
        link_per_package: float[E], seconds on the wire before the first byte.
        link_half_rtt: float[E], seconds of propagation one way.
        link_base_watts: float[E], while a package is on the wire.
        link_joules_per_megabit: float[E].
        network_blocks: int[M], L.
        network_route: int[M], the route that arriving tasks take.
        network_table: int[M], offset of its exit table in `exit_confidence`, -1 for none.
        network_samples: int[M], rows of its exit table (1 where there is none).
        route_network, route_p1, route_p2: int[R].
        route_threshold: float[R, 2], confidence at which a task leaves at the heads at p1 and p2.
        group_entry_block: int[G]; group_payload: float[G], bytes of a task waiting to enter there.
        stage_row: int[N, G], row of `stage_seconds`, or EMPTY_STAGE, or NO_STAGE.
        stage_end: int[N, G], block after which that stage ends.
        stage_seconds: float[rows, B], seconds of a batch of b in column b - 1; NaN past the
            node's batch_max.
        stage_workspace: float[rows, B], bytes a running batch of b takes beside its payloads.
        exit_confidence: float32 flat, exit_correct: int8 flat (0 or 1); the entry of network m,
            sample s, block k is at ``network_table[m] + s * (network_blocks[m] + 1) + k``.
        cost: weights.
        placing: what `place` decisions choose from; None where placements never change. Then
            `node_memory` has the placed network's parameters still in it.
        selection: what terminals select from; None where every uplink has one target.
    """

    node_names: tuple[str, ...]
    link_names: tuple[str, ...]
    network_names: tuple[str, ...]
    node_tier: Ints
    node_executors: Ints
    node_batch_max: Ints
    node_memory: Floats
    node_reserve: Floats
    node_discipline: Ints
    node_rank: Ints
    node_idle_watts: Floats
    node_busy_watts: Floats
    node_uplink: Ints
    link_source: Ints
    link_target: Ints
    link_packing: Ints
    link_package_max: Floats
    link_per_package: Floats
    link_half_rtt: Floats
    link_base_watts: Floats
    link_joules_per_megabit: Floats
    network_blocks: Ints
    network_route: Ints
    network_table: Ints
    network_samples: Ints
    route_network: Ints
    route_p1: Ints
    route_p2: Ints
    route_threshold: Floats
    group_entry_block: Ints
    group_payload: Floats
    stage_row: Ints
    stage_end: Ints
    stage_seconds: Floats
    stage_workspace: Floats
    exit_confidence: NDArray[np.float32]
    exit_correct: NDArray[np.int8]
    cost: Cost
    placing: Placing | None = None
    selection: Selection | None = None

    @property
    def nodes(self) -> int:
        """Number of nodes, N."""
        return len(self.node_names)

    @property
    def links(self) -> int:
        """Number of links, E."""
        return len(self.link_names)

    @property
    def networks(self) -> int:
        """Number of networks, M."""
        return len(self.network_names)

    @property
    def groups(self) -> int:
        """Number of groups, G."""
        return len(self.group_entry_block)

    @property
    def batch_columns(self) -> int:
        """Columns of the stage tables, B."""
        return int(self.stage_seconds.shape[1])

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """Every array by its name, in the order of the fields; those of a problem come last."""
        own = [part for part in (self.placing, self.selection) if part is not None]
        pairs = [(f.name, getattr(part, f.name)) for part in (self, *own) for f in fields(part)]
        if self.placing is not None:
            pairs.append(("interval_seconds", np.array([self.placing.interval_seconds])))
        if self.selection is not None:
            pairs.append(("selection", self.selection.numbers()))
        return {name: value for name, value in pairs if isinstance(value, np.ndarray)}
