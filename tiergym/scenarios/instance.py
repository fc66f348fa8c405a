"""One draw from a scenario: plain arrays, no randomness left."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tiergym.errors import InvalidInput
from tiergym.scenarios.system import TERMINAL, Floats, Ints, System


@dataclass(frozen=True, eq=False)
class Coverage:
    """Where K terminals reach which of E edges, and when edges fail. Q pieces of time, F failures.

    Attributes:
        start: float64[Q], seconds, the first 0, rising; a piece holds until the next.
        half_rtt: float64[Q, K, E], seconds one way; infinite where an edge is out of range. Every
            terminal reaches some edge in every piece.
        failure_edge: int64[F], 0 to E - 1.
        failure_start, failure_end: float64[F], seconds; the edge is down in [start, end). By start;
            failures of one edge do not touch.
        centre_km, site_km, terminal_km: float64[2], float64[E, 2], float64[Q, K, 2], kilometres
            east and north: the middle of the neighbourhood, the edges and the terminals. For maps
            and redraws only; empty where nobody stands anywhere, since round trips were given.
    """

    start: Floats
    half_rtt: Floats
    failure_edge: Ints
    failure_start: Floats
    failure_end: Floats
    centre_km: Floats = field(default_factory=lambda: np.empty(0))
    site_km: Floats = field(default_factory=lambda: np.empty((0, 2)))
    terminal_km: Floats = field(default_factory=lambda: np.empty((0, 0, 2)))


@dataclass(frozen=True, eq=False)
class Instance:
    """Everything random of one episode. T tasks, N nodes, E links, P bandwidth pieces.

    Attributes:
        window: seconds, the arrival window, a constant of the scenario.
        arrival: float64[T], seconds, not decreasing; equal times are legal.
        origin: int64[T], the node where the task arrives.
        network: int64[T], index into the system's networks.
        sample: int64[T], row of the network's exit table.
        deadline: float64[T], absolute seconds; may be infinite.
        charged: bool[T], False for other users' background tasks.
        jitter: float64[N, K], multipliers; the k-th batch that node n starts takes
            ``jitter[n, k % K]``.
        piece_offset: int64[E + 1]; link e has pieces ``piece_offset[e]`` to
            ``piece_offset[e + 1]``.
        piece_start: float64[P], seconds; the first of each link is 0, rising within a link.
        piece_bandwidth: float64[P], bit/s from that time on; the last of a link lasts for ever.
        coverage: where terminals select edges, else None.
    """

    window: float
    arrival: Floats
    origin: Ints
    network: Ints
    sample: Ints
    deadline: Floats
    charged: NDArray[np.bool_]
    jitter: Floats
    piece_offset: Ints
    piece_start: Floats
    piece_bandwidth: Floats
    coverage: Coverage | None = None

    @property
    def tasks(self) -> int:
        """Number of tasks, T."""
        return len(self.arrival)

    def digest(self) -> str:
        """SHA-256 over names, dtypes, shapes and bytes of all fields (hex)."""
        state = hashlib.sha256()
        parts = [self] if self.coverage is None else [self, self.coverage]
        for part in parts:
            for each in fields(part):
                if each.name != "coverage":
                    _add_field(state, each.name, getattr(part, each.name))
        return state.hexdigest()


def _add_field(state: Any, name: str, given: object) -> None:
    value = np.ascontiguousarray(given)
    state.update(f"{name}:{value.dtype.str}:{value.shape}".encode())
    state.update(value.tobytes())


def check_instance(system: System, instance: Instance) -> None:
    """Raise `InvalidInput` unless ``instance`` can be simulated on ``system``."""
    tasks = len(instance.arrival)
    if tasks == 0:
        raise InvalidInput("instance.arrival", instance.arrival, "at least one task")
    for name in ("origin", "network", "sample", "deadline", "charged"):
        value = getattr(instance, name)
        if value.shape != (tasks,):
            raise InvalidInput(f"instance.{name}", value.shape, f"shape ({tasks},), one per task")
    _check_order(instance.arrival)
    _check_range("origin", instance.origin, system.nodes)
    _check_range("network", instance.network, system.networks)
    _check_range("sample", instance.sample, system.network_samples[instance.network])
    if np.isnan(instance.deadline).any():
        raise InvalidInput("instance.deadline", "NaN", "seconds, or infinity for none")
    if not instance.charged.any():
        raise InvalidInput("instance.charged", instance.charged, "at least one charged task")
    if not (np.isfinite(instance.window) and instance.window > 0):
        raise InvalidInput("instance.window", instance.window, "seconds > 0")
    _check_origins(system, instance)
    _check_coverage(system, instance)
    _check_jitter(system, instance.jitter)
    _check_pieces(system, instance)


def _check_order(arrival: Floats) -> None:
    if not np.isfinite(arrival).all() or arrival[0] < 0:
        raise InvalidInput("instance.arrival", arrival, "finite seconds >= 0")
    falls = np.flatnonzero(np.diff(arrival) < 0)
    if len(falls):
        at = int(falls[0]) + 1
        raise InvalidInput(f"instance.arrival[{at}]", arrival[at], "not before the one before it")


def _check_range(name: str, value: Ints, bound: int | Ints) -> None:
    wrong = np.flatnonzero((value < 0) | (value >= bound))
    if len(wrong):
        at = int(wrong[0])
        top = int(np.broadcast_to(bound, value.shape)[at]) - 1
        raise InvalidInput(f"instance.{name}[{at}]", int(value[at]), f"0 to {top}")


def _check_origins(system: System, instance: Instance) -> None:
    """Only a terminal is sure to have the first blocks of a placed network."""
    if system.placing is None:
        return
    placed = instance.network == system.placing.network
    wrong = np.flatnonzero(placed & (system.node_tier[instance.origin] != TERMINAL))
    if len(wrong):
        at = int(wrong[0])
        name = system.node_names[int(instance.origin[at])]
        allowed = "a terminal, where tasks of the placed network arrive"
        raise InvalidInput(f"instance.origin[{at}]", name, allowed)


def _check_coverage(system: System, instance: Instance) -> None:
    selection, coverage = system.selection, instance.coverage
    if (selection is None) != (coverage is None):
        allowed = "None" if selection is None else "a Coverage, since terminals select edges"
        raise InvalidInput("instance.coverage", coverage, allowed)
    if selection is None or coverage is None:
        return
    own = instance.charged & (instance.origin >= selection.terminals)
    if own.any():
        at = int(np.flatnonzero(own)[0])
        name = system.node_names[int(instance.origin[at])]
        raise InvalidInput(f"instance.origin[{at}]", name, "a terminal, where charged tasks arrive")
    shape = (len(coverage.start), selection.terminals, selection.edges)
    if coverage.half_rtt.shape != shape:
        raise InvalidInput("instance.coverage.half_rtt", coverage.half_rtt.shape, f"shape {shape}")
    if shape[0] == 0 or coverage.start[0] != 0 or (np.diff(coverage.start) <= 0).any():
        raise InvalidInput("instance.coverage.start", coverage.start, "0, then rising seconds")
    if not (coverage.half_rtt >= 0).all() or np.isinf(coverage.half_rtt).all(axis=2).any():
        allowed = "seconds >= 0, infinite where out of range; some edge in range of each terminal"
        raise InvalidInput("instance.coverage.half_rtt", "others", allowed)
    _check_positions(coverage)
    _check_failures(selection.edges, coverage)


def _check_positions(coverage: Coverage) -> None:
    """All of them, or none."""
    given = (coverage.centre_km, coverage.site_km, coverage.terminal_km)
    if not any(positions.size for positions in given):
        return
    pieces, terminals, edges = coverage.half_rtt.shape
    shapes = {"centre_km": (2,), "site_km": (edges, 2), "terminal_km": (pieces, terminals, 2)}
    for (name, shape), positions in zip(shapes.items(), given, strict=True):
        if positions.shape != shape or not np.isfinite(positions).all():
            allowed = f"finite kilometres of shape {shape}, or no positions at all"
            raise InvalidInput(f"instance.coverage.{name}", positions.shape, allowed)


def _check_failures(edges: int, coverage: Coverage) -> None:
    edge, start, end = coverage.failure_edge, coverage.failure_start, coverage.failure_end
    where = "instance.coverage.failure"
    if not edge.shape == start.shape == end.shape:
        raise InvalidInput(where, (edge.shape, start.shape, end.shape), "equal lengths")
    if ((edge < 0) | (edge >= edges)).any():
        raise InvalidInput(f"{where}_edge", edge, f"0 to {edges - 1}")
    if not ((start > 0) & (start < end) & np.isfinite(end)).all() or (np.diff(start) < 0).any():
        raise InvalidInput(where, (start, end), "0 < start < end, by start")
    for one in range(edges):
        own = edge == one
        if (start[own][1:] <= end[own][:-1]).any():
            raise InvalidInput(where, one, "failures of one edge that do not touch")


def _check_jitter(system: System, jitter: Floats) -> None:
    if jitter.ndim != 2 or jitter.shape[0] != system.nodes or jitter.shape[1] == 0:
        raise InvalidInput("instance.jitter", jitter.shape, f"shape ({system.nodes}, K >= 1)")
    if not (np.isfinite(jitter).all() and (jitter > 0).all()):
        raise InvalidInput("instance.jitter", float(np.min(jitter)), "finite multipliers > 0")


def _check_pieces(system: System, instance: Instance) -> None:
    offset = instance.piece_offset
    if offset.shape != (system.links + 1,):
        raise InvalidInput("instance.piece_offset", offset.shape, f"shape ({system.links + 1},)")
    for link, name in enumerate(system.link_names):
        start = instance.piece_start[offset[link] : offset[link + 1]]
        bandwidth = instance.piece_bandwidth[offset[link] : offset[link + 1]]
        if len(start) == 0 or start[0] != 0 or (np.diff(start) <= 0).any():
            raise InvalidInput(f"instance.piece_start of {name}", start, "0, then rising seconds")
        if not (bandwidth >= 0).all() or not bandwidth[-1] > 0:
            raise InvalidInput(
                f"instance.piece_bandwidth of {name}", bandwidth, "bit/s >= 0, the last one > 0"
            )
