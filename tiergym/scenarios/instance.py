"""One draw from a scenario: plain arrays, no randomness left."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from tiergym.errors import InvalidInput
from tiergym.scenarios.system import TERMINAL, Floats, Ints, System


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

    @property
    def tasks(self) -> int:
        """Number of tasks, T."""
        return len(self.arrival)

    def digest(self) -> str:
        """SHA-256 over names, dtypes, shapes and bytes of all fields (hex)."""
        state = hashlib.sha256()
        for field in fields(self):
            value = np.ascontiguousarray(getattr(self, field.name))
            state.update(f"{field.name}:{value.dtype.str}:{value.shape}".encode())
            state.update(value.tobytes())
        return state.hexdigest()


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
