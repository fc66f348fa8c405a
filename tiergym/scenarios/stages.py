"""Which stages every node runs, and their seconds: the rows of the stage tables."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tiergym.devices import stage_seconds, stage_workspace
from tiergym.errors import InvalidInput
from tiergym.networks import Network
from tiergym.scenarios.placing import placements
from tiergym.scenarios.spec import NetworkSpec, NodeSpec, ScenarioSpec, SelectingSpec
from tiergym.scenarios.system import EMPTY_STAGE, ENTRIES, NO_STAGE, TERMINAL, Floats


@dataclass(frozen=True, eq=False)
class Route:
    """A network under its placement, as tasks that arrive at ``origin`` take it.

    Attributes:
        starts: block after which each entry kind begins.
        placed: whether a `place` decision may choose it, so that only what tasks come to on their
            regular way is ever loaded.
    """

    spec: NetworkSpec
    origin: int
    starts: tuple[int, int, int]
    placed: bool = False

    @property
    def network(self) -> Network:
        """The network it serves."""
        return self.spec.network

    @property
    def blocks(self) -> int:
        """L of its network."""
        return self.network.blocks

    def canonical(self, entry: int) -> int:
        """The lowest entry kind that begins at the same block."""
        return self.starts.index(self.starts[entry])

    def end(self, tier: int) -> int:
        """Block after which the stage of a tier ends."""
        return (self.starts[1], self.starts[2], self.blocks)[tier]

    def following(self, tier: int) -> int:
        """Canonical entry kind of a task whose stage on ``tier`` has ended before L."""
        return self.canonical(min(tier, 1) + 1)


def routes_of(spec: ScenarioSpec) -> list[Route]:
    """One route per network, one per background entry, then those of the placed network."""
    fixed = [
        Route(network, origin, network.boundaries(spec.nodes[origin].tier))
        for network, origin, _ in spec.routes
    ]
    return fixed + [Route(each, spec.origin, each.boundaries(0), True) for each in placements(spec)]


@dataclass(eq=False)
class StageTables:
    """Rows of the stage tables while they are filled."""

    spec: ScenarioSpec
    routes: list[Route]
    seconds: list[Floats] = field(default_factory=list[Floats])
    workspace: list[Floats] = field(default_factory=list[Floats])
    rows: dict[tuple[int, int, int], int] = field(default_factory=dict[tuple[int, int, int], int])
    shared: dict[tuple[int, int, int], int] = field(default_factory=dict[tuple[int, int, int], int])

    def row(self, node: int, route: int, entry: int) -> int:
        """Row of a canonical group at a node; NO_STAGE where it, or what follows, cannot run."""
        key = (node, route, entry)
        if key not in self.rows:
            try:
                self.rows[key] = self.need(node, route, entry)
            except InvalidInput:
                self.rows[key] = NO_STAGE
        return self.rows[key]

    def need(self, node: int, route: int, entry: int) -> int:
        """`row` for a group that tasks do come to.

        Raises:
            InvalidInput: saying why it, or what follows on it, cannot run.
        """
        key = (node, route, entry)
        if self.rows.get(key, NO_STAGE) != NO_STAGE:
            return self.rows[key]
        way, where = self.routes[route], self.spec.nodes[node]
        start, end = way.starts[entry], way.end(where.tier)
        if start >= way.blocks:
            raise InvalidInput(f"networks.{way.spec.name}", entry, "blocks that are left to run")
        if start >= end:
            self._need_above(node, route, entry)
            self.rows[key] = EMPTY_STAGE
            return EMPTY_STAGE
        if end < way.blocks:
            self._need_above(node, route, way.following(where.tier))
        self.rows[key] = self._stage(node, way, start, end)
        return self.rows[key]

    def _need_above(self, node: int, route: int, entry: int) -> None:
        link = self.spec.uplinks[node]
        name = self.routes[route].spec.name
        if link < 0:
            allowed = f"a placement that ends at L on {self.spec.place(node)}, which has no uplink"
            raise InvalidInput(f"networks.{name}.placement", self.routes[route].starts[1:], allowed)
        self.need(self.spec.links[link].target, route, entry)

    def _stage(self, node: int, route: Route, start: int, end: int) -> int:
        """Row of a stage; placements of the same network that run the same blocks share it."""
        where = self.spec.nodes[node]
        if not route.placed:
            return self._append(where, route, start, end)
        key = (node, start, end)
        if key not in self.shared:
            self.shared[key] = self._append(where, route, start, end)
        return self.shared[key]

    def _append(self, node: NodeSpec, route: Route, start: int, end: int) -> int:
        seconds, workspace = _laws(node, route, start, end)
        self.seconds.append(seconds)
        self.workspace.append(workspace)
        return len(self.seconds) - 1

    def table(self, rows: list[Floats], fill: float) -> Floats:
        """float64[rows, B], padded with ``fill`` past each node's batch_max."""
        columns = max(node.batch_max for node in self.spec.nodes)
        table = np.full((len(rows), columns), fill)
        for index, row in enumerate(rows):
            table[index, : len(row)] = row
        return table


def _laws(node: NodeSpec, route: Route, start: int, end: int) -> tuple[Floats, Floats]:
    network, most = route.network, node.batch_max
    name = node.profile.name_for(network.name, network.architecture)
    try:
        seconds = stage_seconds(node.profile, name, start + 1, end, True, most, blocks=route.blocks)
        return seconds, stage_workspace(node.profile, name, most)
    except InvalidInput as error:
        inside = f"{node.field}.profile ({error.field})"
        raise InvalidInput(inside, error.given, error.allowed) from None


def fill_stages(
    tables: StageTables,
) -> tuple[np.ndarray[tuple[int, int], np.dtype[np.int64]], ...]:
    """int64[N, G] stage_row and stage_end of every node and group.

    Raises:
        InvalidInput: if a task could not get to the end of its network.
    """
    spec, routes = tables.spec, tables.routes
    shape = (len(spec.nodes), ENTRIES * len(routes))
    rows = np.full(shape, NO_STAGE, dtype=np.int64)
    ends = np.zeros(shape, dtype=np.int64)
    for r, route in enumerate(routes):
        for e in range(ENTRIES):
            group = ENTRIES * r + e
            ends[:, group] = [max(route.starts[e], route.end(node.tier)) for node in spec.nodes]
        if route.placed:
            if tables.row(route.origin, r, 0) != NO_STAGE:
                _fill_found(tables, r, rows)
        elif spec.selecting is not None:
            _need_where_selected(tables, spec.selecting, r)
            _fill_found(tables, r, rows)
        else:
            tables.need(route.origin, r, 0)
            for n, e in np.ndindex(len(spec.nodes), ENTRIES):
                if route.canonical(e) == e:
                    rows[n, ENTRIES * r + e] = tables.row(n, r, e)
    if spec.selecting is not None:
        rows[: spec.selecting.terminals] = rows[0]
    return rows, ends


def _fill_found(tables: StageTables, route: int, rows: np.ndarray[Any, Any]) -> None:
    """The stages that tasks come to on their way, and no others."""
    for n, e in np.ndindex(len(tables.spec.nodes), ENTRIES):
        rows[n, ENTRIES * route + e] = tables.rows.get((n, route, e), NO_STAGE)


def _need_where_selected(tables: StageTables, selecting: SelectingSpec, route: int) -> None:
    """Every edge takes what a terminal hands up; terminals are all alike, so one is looked at."""
    way = tables.routes[route]
    tables.need(way.origin, route, 0)
    if way.origin < selecting.terminals and way.end(TERMINAL) < way.blocks:
        entry = way.following(TERMINAL)
        for e in range(selecting.edges):
            tables.need(selecting.terminals + e, route, entry)
