"""Drawing an `Instance`: everything random of an episode, from one generator."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tiergym.links.bandwidth import BandwidthProcess
from tiergym.scenarios.covering import Covering
from tiergym.scenarios.instance import Coverage, Instance
from tiergym.scenarios.system import Floats, Ints
from tiergym.workload import ArrivalProcess, deadlines, draw_networks, draw_samples

SMALLEST_JITTER = 1e-9
"""A multiplier drawn below this (only at very large variation) is raised to it."""


@dataclass(frozen=True, eq=False)
class Stream:
    """Tasks that one process brings to one node, or to some alike.

    Attributes:
        process, rate: when they arrive.
        node: where, the first node of those alike.
        first_network: networks ``first_network`` to ``first_network + len(popularity) - 1``.
        popularity: float64, shares that add up to one.
        charged: False for other users' tasks.
        nodes: how many nodes, from ``node`` on, each task's origin is drawn from uniformly. They
            share one process, so a burst comes to all of them.
    """

    process: ArrivalProcess
    rate: float
    node: int
    first_network: int
    popularity: Floats
    charged: bool
    nodes: int = 1

    def owns(self, network: Ints) -> NDArray[np.bool_]:
        """bool[T], which tasks are of this stream, by their network."""
        last = self.first_network + len(self.popularity)
        return (network >= self.first_network) & (network < last)


@dataclass(frozen=True, eq=False)
class Models:
    """What instances of a scenario are drawn from.

    Attributes:
        window: seconds.
        horizon: seconds that bandwidth is drawn for; the last piece lasts on.
        streams: the first one is the scenario's own, the others are other users'.
        allowed: float64[M], seconds from arrival to deadline.
        samples: int64[M], rows of each network's exit table.
        jitter_cv: float64[N].
        bandwidth: one process per link.
        covering: what coverage is drawn from; None where every uplink has one target.
    """

    window: float
    horizon: float
    streams: tuple[Stream, ...]
    allowed: Floats
    samples: Ints
    jitter_cv: Floats
    bandwidth: tuple[BandwidthProcess, ...]
    covering: Covering | None = None


@dataclass(frozen=True, eq=False)
class TaskColumns:
    """Per-task arrays of an instance, by arrival."""

    arrival: Floats
    origin: Ints
    network: Ints
    sample: Ints
    deadline: Floats
    charged: NDArray[np.bool_]


def draw_instance(models: Models, np_random: np.random.Generator) -> Instance:
    """Draw until the instance has a charged task; nearly always the first does."""
    while True:
        times = [s.process.draw(np_random, s.rate, models.window) for s in models.streams]
        if len(times[0]):
            break
    tasks = merged([columns(models, k, times[k], np_random) for k in range(len(times))])
    jitter = draw_jitter(models.jitter_cv, len(tasks.arrival), np_random)
    pieces = [process.draw(np_random, models.horizon) for process in models.bandwidth]
    covering = models.covering
    coverage = None if covering is None else covering.draw(np_random, models.horizon)
    return assembled(models.window, tasks, jitter, pieces, coverage)


def columns(
    models: Models, stream: int, arrival: Floats, np_random: np.random.Generator
) -> TaskColumns:
    """Draw network, sample and origin of tasks of a stream that arrive at these times."""
    source = models.streams[stream]
    network = draw_networks(np_random, source.popularity, len(arrival))
    if source.first_network:
        network += source.first_network
    sample = draw_samples(np_random, network, models.samples)
    origin = np.full(len(arrival), source.node, dtype=np.int64)
    if source.nodes > 1:
        origin += np_random.integers(source.nodes, size=len(arrival))
    return TaskColumns(
        arrival=arrival,
        origin=origin,
        network=network,
        sample=sample,
        deadline=deadlines(arrival, network, models.allowed),
        charged=np.full(len(arrival), source.charged),
    )


def merged(parts: list[TaskColumns]) -> TaskColumns:
    """Tasks of several streams by arrival; at equal times the earlier stream comes first."""
    if len(parts) == 1:
        return parts[0]
    order = np.argsort(np.concatenate([part.arrival for part in parts]), kind="stable")
    return TaskColumns(
        arrival=np.concatenate([part.arrival for part in parts])[order],
        origin=np.concatenate([part.origin for part in parts])[order],
        network=np.concatenate([part.network for part in parts])[order],
        sample=np.concatenate([part.sample for part in parts])[order],
        deadline=np.concatenate([part.deadline for part in parts])[order],
        charged=np.concatenate([part.charged for part in parts])[order],
    )


def draw_jitter(cv: Floats, tasks: int, np_random: np.random.Generator) -> Floats:
    """float64[N, K], gamma multipliers of mean one; K is one per task, or 1 without jitter."""
    if not cv.any():
        return np.ones((len(cv), 1))
    jitter = np.ones((len(cv), tasks))
    for node, ratio in enumerate(cv):
        if ratio > 0.0:
            draws = np_random.standard_gamma(1.0 / ratio**2, tasks)
            np.maximum(draws * ratio**2, SMALLEST_JITTER, out=jitter[node])
    return jitter


def assembled(
    window: float,
    tasks: TaskColumns,
    jitter: Floats,
    pieces: list[tuple[Floats, Floats]],
    coverage: Coverage | None = None,
) -> Instance:
    """The instance of tasks, jitter, one (start, bandwidth) per link, and coverage."""
    offset = np.zeros(len(pieces) + 1, dtype=np.int64)
    for link, (start, _) in enumerate(pieces):
        offset[link + 1] = offset[link] + len(start)
    return Instance(
        window=window,
        arrival=tasks.arrival,
        origin=tasks.origin,
        network=tasks.network,
        sample=tasks.sample,
        deadline=tasks.deadline,
        charged=tasks.charged,
        jitter=jitter,
        piece_offset=offset,
        piece_start=joined([start for start, _ in pieces]),
        piece_bandwidth=joined([bandwidth for _, bandwidth in pieces]),
        coverage=coverage,
    )


def joined(parts: list[Floats]) -> Floats:
    """The parts one after the other, not copied if there is only one."""
    return parts[0] if len(parts) == 1 else np.concatenate([np.empty(0), *parts])
