"""Placement changes: the route of new tasks, and the parameters that every node keeps.

Sets of blocks, counted from 0, are worked out anew each time from the routes that need them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tests.reference.records import NO_ROUTE, Node, Past, PlaceDecision, PlaceView, Task
from tests.reference.tables import Tables
from tiergym.scenarios.system import CLOUD, EDGE, TERMINAL, Placing, System

Place = Callable[[PlaceView], int]


class Placements:
    """The placed network of a run; where there is none, every task keeps its network's route.

    Attributes:
        in_force: the route that the placed network's tasks take on arrival, NO_ROUTE for none.
        alive: tasks by route that have arrived and not left.
        kept: blocks by node whose bytes are held.
        loaded: blocks by node that batches may use.
        loading: blocks by node of the load job under way there; none: there is no job.
        decisions: the decisions taken so far.
    """

    def __init__(
        self, system: System, table: Tables, nodes: list[Node], place: Place | None
    ) -> None:
        self.placing, self.table, self.nodes, self.place = system.placing, table, nodes, place
        self.network = -1 if system.placing is None else system.placing.network
        self.ends = list(zip(system.route_p1.tolist(), system.route_p2.tolist(), strict=True))
        self.in_force = NO_ROUTE
        self.alive = [0] * len(self.ends)
        self.kept: list[set[int]] = [set() for _ in nodes]
        self.loaded: list[set[int]] = [set() for _ in nodes]
        self.loading: list[set[int]] = [set() for _ in nodes]
        self.decisions: list[PlaceDecision] = []
        self.arrived = 0
        self.arrived_before = 0
        if system.placing is None:
            self.block_bytes, self.load_rate = [], [0.0 for _ in nodes]
            return
        self.block_bytes: list[float] = system.placing.block_bytes.tolist()
        self.load_rate: list[float] = system.placing.load_rate.tolist()
        if place is None:
            self._put_in_force(table.route[self.network])

    # Tasks.

    def arrive(self, task: Task) -> None:
        """Give a task of the placed network the route in force, which it keeps to its end."""
        if task.network != self.network:
            return
        self.arrived += 1
        task.route = self.in_force
        task.group = self.table.group(task.route, 0)
        self.alive[task.route] += 1

    def leave(self, task: Task) -> None:
        """Release what only this task still needed."""
        if task.network != self.network:
            return
        self.alive[task.route] -= 1
        if self.alive[task.route] == 0 and task.route != self.in_force:
            self._keep_anew()

    def ready(self, node: int, group: int) -> bool:
        """Whether a node has loaded all that a batch of ``group`` runs there."""
        if self.table.group_network[group] != self.network:
            return True
        stage = range(self.table.entry_block[group], self.table.stage_end[node][group])
        return self.loaded[node].issuperset(stage)

    # Decisions.

    def ask(self, now: float) -> None:
        """Carry out the decision that falls due at ``now`` (seconds)."""
        assert self.place is not None
        view = self._view(now)
        route = self.place(view)
        if route not in view.legal:
            raise ValueError(f"route {route} is not legal at {now}: {view.legal}")
        self.decisions.append(PlaceDecision(view, route))
        self.arrived_before = self.arrived
        self._put_in_force(route)

    def _put_in_force(self, route: int) -> None:
        first = self.in_force == NO_ROUTE
        self.in_force = route
        self._keep_anew()
        if first:
            self.loaded = [set(kept) for kept in self.kept]

    def _legal(self) -> tuple[int, ...]:
        placing = self._placed()
        routes = range(placing.first_route, placing.first_route + len(placing.servable))
        return tuple(
            route
            for route in routes
            if placing.servable[route - placing.first_route]
            and (route == self.in_force or all(self._fits(node, route) for node in self.nodes))
        )

    def _fits(self, node: Node, route: int) -> bool:
        more = self._needed(node.index, route) - self.kept[node.index]
        return node.held + self._bytes(more) <= self.table.node_limit[node.index]

    def _placed(self) -> Placing:
        assert self.placing is not None
        return self.placing

    # Parameters.

    def _needed(self, node: int, route: int) -> set[int]:
        p1, p2 = self.ends[route]
        stage = {
            TERMINAL: range(p1),
            EDGE: range(p1, p2),
            CLOUD: range(p2, len(self.block_bytes)),
        }
        return set(stage[self.table.node_tier[node]])

    def _bytes(self, blocks: set[int]) -> float:
        return sum((self.block_bytes[block] for block in sorted(blocks)), 0.0)

    def _keep_anew(self) -> None:
        for node in self.nodes:
            self._keep_anew_at(node)

    def _keep_anew_at(self, node: Node) -> None:
        n = node.index
        kept = self._needed(n, self.in_force) | self.loading[n]
        for route, tasks in enumerate(self.alive):
            if tasks > 0:
                kept |= self._needed(n, route)
        node.held += self._bytes(kept - self.kept[n]) - self._bytes(self.kept[n] - kept)
        self.kept[n] = kept
        self.loaded[n] &= kept

    def must_load(self, node: int) -> bool:
        """Whether a node that has an idle executor begins to load."""
        return not self.loading[node] and not self.kept[node] <= self.loaded[node]

    def begin_load(self, node: int) -> float:
        """Begin to load all that is missing; return the seconds that it takes."""
        self.loading[node] = self.kept[node] - self.loaded[node]
        return self._bytes(self.loading[node]) / self.load_rate[node]

    def end_load(self, node: Node) -> None:
        """Have loaded it."""
        self.loaded[node.index] |= self.loading[node.index]
        self.loading[node.index] = set()
        self._keep_anew_at(node)

    # What a decider is shown.

    def _view(self, now: float) -> PlaceView:
        return PlaceView(
            time=now,
            legal=self._legal(),
            in_force=self.in_force,
            held=tuple(node.held for node in self.nodes),
            kept=_frozen(self.kept),
            loaded=_frozen(self.loaded),
            loading=_frozen(self.loading),
            told=tuple(node.told for node in self.nodes),
            past=self._past(self.decisions[-1].time, now) if self.decisions else None,
        )

    def _past(self, since: float, now: float) -> Past:
        table = self.table
        uplinks = [table.node_uplink[table.node_tier.index(tier)] for tier in (TERMINAL, EDGE)]
        return Past(
            arrivals=self.arrived - self.arrived_before,
            bandwidth=tuple(table.mean_bandwidth(link, since, now) for link in uplinks),
            busy=tuple(_busy_share(node, since, now) for node in self.nodes),
        )


def _frozen(sets: Sequence[set[int]]) -> tuple[frozenset[int], ...]:
    return tuple(frozenset(blocks) for blocks in sets)


def _busy_share(node: Node, since: float, now: float) -> float:
    """Share of its executors' time between two times that a node spent on jobs."""
    seconds = 0.0
    for job in node.jobs:
        seconds += max(0.0, min(now, job.start + job.duration) - max(since, job.start))
    return seconds / (len(node.executors) * (now - since))
