"""Edge selection: whom terminals are attached to, which edges are up, what they have fetched."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Sequence

from tests.reference.records import (
    ATTACH,
    MOVE,
    NO_EDGE,
    Course,
    Link,
    Node,
    SelectDecision,
    SelectView,
    Task,
)
from tests.reference.reports import OBSERVED, Reports
from tests.reference.tables import Tables
from tiergym.scenarios.instance import Coverage
from tiergym.scenarios.system import Selection

Select = Callable[[SelectView], int]


class Selections:
    """The terminals and edges of a run in which terminals select edges.

    Args:
        selection: the constants of it.
        coverage: where terminals reach edges.
        table: the other constants.
        nodes: all nodes.
        tasks: all tasks.
        select: called with a `SelectView` at each decision that falls due; returns a legal edge.
            None: a terminal attaches to the nearest edge and never moves.

    Attributes:
        attached: the edge that each terminal is attached to, or NO_EDGE.
        attached_at, asked_at: when each terminal last decided to attach, to move (seconds).
        last_target: the edge that each terminal's last package went to, or NO_EDGE.
        up: whether each edge is up.
        there, fetching: networks whose parameters each edge has, or has begun to fetch.
        reports: what the edges publish.
        decisions: the decisions taken so far.
    """

    def __init__(
        self,
        selection: Selection,
        coverage: Coverage,
        table: Tables,
        nodes: Sequence[Node],
        tasks: Sequence[Task],
        select: Select | None,
    ) -> None:
        self.selection, self.table, self.tasks, self.select = selection, table, tasks, select
        self.terminals, self.edges = selection.terminals, selection.edges
        self.starts: list[float] = coverage.start.tolist()
        self._half_rtt: list[list[list[float]]] = coverage.half_rtt.tolist()
        self.attached = [NO_EDGE] * self.terminals
        self.attached_at = [-math.inf] * self.terminals
        self.asked_at = [-math.inf] * self.terminals
        self.last_target = [NO_EDGE] * self.terminals
        self.up = [True] * self.edges
        deployed: list[list[bool]] = selection.deployed.tolist()
        self.there = [{m for m, there in enumerate(row) if there} for row in deployed]
        self.fetching: list[set[int]] = [set() for _ in deployed]
        self.fetch_seconds: list[list[float]] = selection.fetch_seconds.tolist()
        self.last_fetch_end = [0.0] * self.edges
        edge_nodes = nodes[self.terminals : self.terminals + self.edges]
        self.reports = Reports(
            table, edge_nodes, selection.report_interval, self.up.__getitem__, self.attached.count
        )
        self.decisions: list[SelectDecision] = []

    # Who is who, and who reaches whom.

    def edge_of(self, node: int) -> int:
        """Return the edge that a node is, or NO_EDGE."""
        edge = node - self.terminals
        return edge if 0 <= edge < self.edges else NO_EDGE

    def half_rtt(self, terminal: int, edge: int, now: float) -> float:
        """Seconds one way at ``now`` (seconds), infinite out of range."""
        piece = bisect_right(self.starts, now) - 1
        return self._half_rtt[piece][terminal][edge]

    def _in_range(self, terminal: int, now: float) -> list[int]:
        return [e for e in range(self.edges) if not math.isinf(self.half_rtt(terminal, e, now))]

    # Decisions.

    def ask_if_due(self, link: Link, now: float) -> None:
        """Carry out the decision before an upload on a terminal's link, if one is due."""
        terminal = link.index
        kind = self._due(terminal, now)
        if kind is None:
            return
        edge = self._choice(kind, terminal, now, len(link.waiting))
        self.attached[terminal] = edge
        if kind == ATTACH:
            self.attached_at[terminal] = now
        else:
            self.asked_at[terminal] = now

    def _due(self, terminal: int, now: float) -> str | None:
        selection, edge = self.selection, self.attached[terminal]
        if (
            edge == NO_EDGE
            or math.isinf(self.half_rtt(terminal, edge, now))
            or now - self.attached_at[terminal] >= selection.attach_every
        ):
            return ATTACH
        held = now - self.asked_at[terminal] >= selection.hold_seconds
        moves = selection.moves and self.select is not None
        return MOVE if moves and held and self._overloaded(terminal, edge, now) else None

    def _overloaded(self, terminal: int, edge: int, now: float) -> bool:
        seen = self.reports.seen(edge, self.half_rtt(terminal, edge, now), now)
        if not seen:
            return False
        newest = seen[0]
        marked = newest.utilisation >= self.selection.overload_mark
        return marked or self.reports.silent(newest, self.half_rtt(terminal, edge, now), now)

    def _choice(self, kind: str, terminal: int, now: float, waiting: int) -> int:
        in_range = self._in_range(terminal, now)
        if self.select is None:
            return min(in_range, key=lambda edge: self.half_rtt(terminal, edge, now))
        view = SelectView(
            time=now,
            terminal=terminal,
            kind=kind,
            legal=tuple(in_range),
            attached=self.attached[terminal],
            reports=tuple(
                tuple(self.reports.seen(e, self.half_rtt(terminal, e, now), now)[:OBSERVED])
                if e in in_range
                else ()
                for e in range(self.edges)
            ),
            unanswered=tuple(self._unanswered(terminal, e) for e in range(self.edges)),
            waiting=waiting,
        )
        edge = self.select(view)
        if edge not in view.legal:
            raise ValueError(f"edge {edge} is not legal at {now}: {view.legal}")
        self.decisions.append(SelectDecision(view, edge))
        return edge

    def _unanswered(self, terminal: int, edge: int) -> int:
        return sum(task.origin == terminal and task.sent_to == edge for task in self.tasks)

    # Uploads, losses and re-uploads.

    def course(self, link: Link, package: Sequence[Task], now: float) -> Course:
        """Send a package of the terminal to its edge; returns where it goes."""
        terminal = link.index
        edge, before = self.attached[terminal], self.last_target[terminal]
        self.last_target[terminal] = edge
        for task in package:
            task.sent_to = edge
            if task.first_upload < 0:
                task.first_upload = task.group
        reconnects = before not in (NO_EDGE, edge)
        begins = now + self.selection.reconnect_seconds if reconnects else now
        return Course(self.terminals + edge, self.half_rtt(terminal, edge, now), begins)

    def time_out(self, task: Task, edge: int) -> None:
        """Make a task that ``edge`` lost what it was when it first left its terminal."""
        if self.attached[task.origin] == edge:
            self.attached[task.origin] = NO_EDGE
        task.sent_to = NO_EDGE
        task.group = task.first_upload
        task.return_delay = 0.0

    # Parameters.

    def ready(self, node: int, group: int) -> bool:
        """Whether the parameters that a group needs are at a node."""
        edge = self.edge_of(node)
        return edge == NO_EDGE or self.table.group_network[group] in self.there[edge]

    def lacks(self, edge: int, network: int) -> bool:
        """Whether an edge neither has the parameters of a network nor fetches them."""
        return network not in self.there[edge] | self.fetching[edge]

    def begin_fetch(self, edge: int, network: int, now: float) -> float:
        """Fetch the parameters of a network after all others; return when they are there."""
        self.fetching[edge].add(network)
        begins = max(now, self.last_fetch_end[edge])
        self.last_fetch_end[edge] = begins + self.fetch_seconds[edge][network]
        return self.last_fetch_end[edge]
