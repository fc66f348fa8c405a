"""What a scenario file says, field by field, read and checked but not yet compiled."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tiergym.devices import DeviceProfile
from tiergym.links import LinkProfile
from tiergym.networks import Network
from tiergym.scenarios.covering import Covering
from tiergym.scenarios.system import TIER_NAMES, Cost
from tiergym.workload import Arrivals


@dataclass(frozen=True, eq=False)
class NodeSpec:
    """One machine.

    ``memory_bytes`` may be infinite; ``rank`` names networks, first runs first; ``load_rate`` is
    in bytes/s of parameters, None unknown; ``field`` is where the user wrote it.
    """

    name: str
    tier: int
    profile: DeviceProfile
    executors: int
    batch_max: int
    memory_bytes: float
    discipline: int
    rank: tuple[str, ...]
    load_rate: float | None
    field: str


@dataclass(frozen=True, eq=False)
class LinkSpec:
    """One directed channel between the nodes with these indices; ``package_max`` in bytes.

    ``field`` is where the user wrote it.
    """

    name: str
    source: int
    target: int
    profile: LinkProfile
    packing: bool
    package_max: float
    field: str


@dataclass(frozen=True, eq=False)
class NetworkSpec:
    """A network under a placement.

    Attributes:
        name: its name in the scenario, and `device_name` that in device profiles.
        popularity: share of the tasks, relative to the others.
        deadline: seconds from the arrival, may be infinite.
        placement: (p1, p2), or None for ``whole``.
        thresholds: confidence at the heads at p1 and p2; None if not given.
        levels: the thresholds that a `place` decision chooses from; `thresholds` alone unless
            they are decided.
    """

    name: str
    network: Network
    popularity: float
    deadline: float
    placement: tuple[int, int] | None
    thresholds: tuple[float, float] | None
    levels: tuple[tuple[float, float], ...] = ()

    def boundaries(self, tier: int) -> tuple[int, int, int]:
        """Blocks at which the entry kinds start, for tasks that arrive at a node of ``tier``."""
        if self.placement is not None:
            return (0, *self.placement)
        blocks = self.network.blocks
        return ((0, blocks, blocks), (0, 0, blocks), (0, 0, 0))[tier]


@dataclass(frozen=True, eq=False)
class BackgroundSpec:
    """Other users' tasks: a network (index among the scenario's) that arrives at a node.

    ``field`` is where the user wrote it.
    """

    name: str
    node: int
    network: int
    arrivals: Arrivals
    field: str


@dataclass(frozen=True, eq=False)
class SelectingSpec:
    """What terminals select from: the first nodes are K terminals, then E edges.

    Attributes:
        terminals: K; edges: E.
        attach_every, moves, overload_mark, hold_seconds, reconnect_seconds, timeout_seconds,
            report_interval: see `Selection`.
        deployed: bool[E, number of own networks].
        backhaul: the way from every edge to the cloud; None where there is no cloud.
        covering: what coverage is drawn from.
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
    deployed: NDArray[np.bool_]
    backhaul: LinkProfile | None
    covering: Covering


@dataclass(frozen=True, eq=False)
class Parts:
    """What a problem's own fields say of a scenario; see `ScenarioSpec`."""

    nodes: tuple[NodeSpec, ...]
    links: tuple[LinkSpec, ...]
    networks: tuple[NetworkSpec, ...]
    arrivals: Arrivals
    origin: int
    background: tuple[BackgroundSpec, ...]
    schedule: int
    selecting: SelectingSpec | None = None


@dataclass(frozen=True, eq=False)
class ScenarioSpec:
    """Everything of a scenario file. Nodes and networks are referred to by index."""

    name: str
    version: int
    description: str
    problem: str
    nodes: tuple[NodeSpec, ...]
    links: tuple[LinkSpec, ...]
    networks: tuple[NetworkSpec, ...]
    arrivals: Arrivals
    origin: int
    tasks: float | None
    window: float | None
    features: str
    background: tuple[BackgroundSpec, ...]
    cost: Cost
    refusal_given: bool
    schedule: int
    interval_seconds: float | None
    selecting: SelectingSpec | None = None

    @property
    def uplinks(self) -> list[int]:
        """Index of the link that leaves each node upward, -1 for none."""
        of = {link.source: index for index, link in enumerate(self.links)}
        return [of.get(node, -1) for node in range(len(self.nodes))]

    @property
    def routes(self) -> list[tuple[NetworkSpec, int, bool]]:
        """(network, node where its tasks arrive, whether they are charged) of every route."""
        own = [(network, self.origin, True) for network in self.networks]
        others = [(self.networks[b.network], b.node, False) for b in self.background]
        return own + others

    @property
    def placed(self) -> int | None:
        """Index of the network that `place` decisions are about, None where there are none."""
        if self.interval_seconds is None:
            return None
        return int(np.argmax([network.popularity for network in self.networks]))

    def popularity(self) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        """Float64[number of own networks], shares that add up to one."""
        shares = np.array([network.popularity for network in self.networks])
        return shares / shares.sum()

    def place(self, node: int) -> str:
        """``terminal device``: a node for messages."""
        return f"{TIER_NAMES[self.nodes[node].tier]} {self.nodes[node].name!r}"
