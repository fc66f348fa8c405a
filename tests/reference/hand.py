"""Small systems and instances written by hand: only what differs from the simplest is named.

Networks are served under one placement each, so route r is network r and group ``3 r + e``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from tiergym.scenarios.instance import Coverage, Instance, check_instance
from tiergym.scenarios.system import (
    EMPTY_STAGE,
    ENTRIES,
    FCFS_BATCHED,
    NO_STAGE,
    Cost,
    System,
)

Law = Sequence[float]


@dataclass(frozen=True)
class HandNetwork:
    """``payload``: bytes by block, 0 to L. ``exits``: rows of (confidence, correct) by block."""

    payload: Sequence[float] = (125_000.0, 125_000.0)
    placement: tuple[int, int] = (1, 1)
    exits: Sequence[Sequence[tuple[float, int]]] | None = None
    threshold: tuple[float, float] = (0.5, 0.5)

    @property
    def blocks(self) -> int:
        """Number of blocks, L."""
        return len(self.payload) - 1


@dataclass(frozen=True)
class HandNode:
    """``laws``: seconds of batches of 1, 2, ... by (network, entry kind); so is ``workspace``."""

    tier: int
    laws: Mapping[tuple[int, int], Law]
    discipline: int = FCFS_BATCHED
    executors: int = 1
    memory: float = np.inf
    reserve: float = 0.0
    workspace: Mapping[tuple[int, int], Law] = field(default_factory=dict)
    rank: Sequence[int] = ()
    watts: tuple[float, float] = (0.0, 0.0)


@dataclass(frozen=True)
class HandLink:
    """Times in seconds, ``pieces`` of (start, bit/s)."""

    source: int
    target: int
    half_rtt: float = 0.0
    per_package: float = 0.0
    packing: bool = False
    package_max: float = np.inf
    watts: float = 0.0
    joules_per_megabit: float = 0.0
    pieces: Sequence[tuple[float, float]] = ((0.0, np.inf),)


def hand_system(
    nodes: Sequence[HandNode],
    networks: Sequence[HandNetwork] = (HandNetwork(),),
    links: Sequence[HandLink] = (),
) -> System:
    """Return the system; each node has as many in a batch as its laws know."""
    tables = _Tables(nodes, networks)
    batch_max = [max((len(law) for law in node.laws.values()), default=1) for node in nodes]
    exits = [row for network in networks for sample in network.exits or [] for row in sample]
    return System(
        node_names=tuple(f"node-{n}" for n in range(len(nodes))),
        link_names=tuple(f"link-{e}" for e in range(len(links))),
        network_names=tuple(f"network-{m}" for m in range(len(networks))),
        node_tier=_ints([node.tier for node in nodes]),
        node_executors=_ints([node.executors for node in nodes]),
        node_batch_max=_ints(batch_max),
        node_memory=_floats([node.memory for node in nodes]),
        node_reserve=_floats([node.reserve for node in nodes]),
        node_discipline=_ints([node.discipline for node in nodes]),
        node_rank=_ints([node.rank or [0] * len(networks) for node in nodes]),
        node_idle_watts=_floats([node.watts[0] for node in nodes]),
        node_busy_watts=_floats([node.watts[1] for node in nodes]),
        node_uplink=_ints([_uplink(n, links) for n in range(len(nodes))]),
        link_source=_ints([link.source for link in links]),
        link_target=_ints([link.target for link in links]),
        link_packing=_ints([link.packing for link in links]),
        link_package_max=_floats([link.package_max for link in links]),
        link_per_package=_floats([link.per_package for link in links]),
        link_half_rtt=_floats([link.half_rtt for link in links]),
        link_base_watts=_floats([link.watts for link in links]),
        link_joules_per_megabit=_floats([link.joules_per_megabit for link in links]),
        network_blocks=_ints([network.blocks for network in networks]),
        network_route=_ints(range(len(networks))),
        network_table=_ints(_offsets(networks)),
        network_samples=_ints([len(network.exits or [0]) for network in networks]),
        route_network=_ints(range(len(networks))),
        route_p1=_ints([network.placement[0] for network in networks]),
        route_p2=_ints([network.placement[1] for network in networks]),
        route_threshold=_floats([network.threshold for network in networks]),
        group_entry_block=_ints([block for n in networks for block in _entries(n)]),
        group_payload=_floats([n.payload[block] for n in networks for block in _entries(n)]),
        stage_row=tables.row,
        stage_end=tables.end,
        stage_seconds=_padded(tables.seconds, max(batch_max), np.nan),
        stage_workspace=_padded(tables.workspace, max(batch_max), 0.0),
        exit_confidence=np.array([confidence for confidence, _ in exits], dtype=np.float32),
        exit_correct=np.array([correct for _, correct in exits], dtype=np.int8),
        cost=Cost(),
    )


def hand_instance(
    system: System,
    arrival: Sequence[float],
    origin: int | Sequence[int] = 0,
    network: Sequence[int] | None = None,
    sample: Sequence[int] | None = None,
    deadline: Sequence[float] | None = None,
    charged: Sequence[bool] | None = None,
    jitter: Sequence[Sequence[float]] | None = None,
    window: float = 100.0,
    links: Sequence[HandLink] = (),
    coverage: Coverage | None = None,
) -> Instance:
    """Return the instance; tasks arrive at ``origin`` each, or all. ``links`` give bandwidths."""
    tasks = len(arrival)
    pieces = [piece for link in links for piece in link.pieces]
    instance = Instance(
        window=window,
        arrival=_floats(arrival),
        origin=_ints([origin] * tasks if isinstance(origin, int) else origin),
        network=_ints([0] * tasks if network is None else network),
        sample=_ints([0] * tasks if sample is None else sample),
        deadline=_floats([np.inf] * tasks if deadline is None else deadline),
        charged=np.array([True] * tasks if charged is None else charged),
        jitter=_floats([[1.0]] * system.nodes if jitter is None else jitter),
        piece_offset=_ints(np.cumsum([0, *(len(link.pieces) for link in links)]).tolist()),
        piece_start=_floats([start for start, _ in pieces]),
        piece_bandwidth=_floats([bandwidth for _, bandwidth in pieces]),
        coverage=coverage,
    )
    check_instance(system, instance)
    return instance


class _Tables:
    """Rows and ends of the stages; a stage with blocks and no law is one the node cannot run."""

    def __init__(self, nodes: Sequence[HandNode], networks: Sequence[HandNetwork]) -> None:
        shape = (len(nodes), ENTRIES * len(networks))
        self.row = np.full(shape, NO_STAGE, dtype=np.int64)
        self.end = np.zeros(shape, dtype=np.int64)
        self.seconds: list[Law] = []
        self.workspace: list[Law] = []
        for n, group in np.ndindex(shape):
            network, entry = divmod(group, ENTRIES)
            self._fill(n, group, nodes[n], networks[network], (network, entry))

    def _fill(
        self, n: int, group: int, node: HandNode, network: HandNetwork, key: tuple[int, int]
    ) -> None:
        entries = _entries(network)
        self.end[n, group] = (*network.placement, network.blocks)[node.tier]
        if entries.index(entries[key[1]]) != key[1]:
            return
        if entries[key[1]] >= self.end[n, group]:
            self.row[n, group] = EMPTY_STAGE
        elif key in node.laws:
            self.row[n, group] = len(self.seconds)
            self.seconds.append(node.laws[key])
            self.workspace.append(node.workspace.get(key, ()))


def _entries(network: HandNetwork) -> tuple[int, int, int]:
    return (0, *network.placement)


def _uplink(node: int, links: Sequence[HandLink]) -> int:
    return next((e for e, link in enumerate(links) if link.source == node), -1)


def _offsets(networks: Sequence[HandNetwork]) -> list[int]:
    offsets, entries = [], 0
    for network in networks:
        offsets.append(-1 if network.exits is None else entries)
        entries += len(network.exits or []) * (network.blocks + 1)
    return offsets


def _padded(rows: Sequence[Law], columns: int, filler: float) -> np.ndarray:
    return np.array([[*row, *[filler] * (columns - len(row))] for row in rows], dtype=float)


def _ints(values: object) -> np.ndarray:
    return np.array(values, dtype=np.int64)


def _floats(values: object) -> np.ndarray:
    return np.array(values, dtype=np.float64)
