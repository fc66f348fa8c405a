"""What happens at the edges that terminals select: reports, failures, re-uploads, fetches."""

from __future__ import annotations

from collections.abc import Callable

from tests.reference.clock import Kind
from tests.reference.happening import Happenings, Process
from tests.reference.packages import Packages
from tests.reference.records import Node, Task
from tests.reference.selecting import Selections
from tests.reference.tables import Tables
from tiergym.scenarios.instance import Coverage


class EdgeEvents:
    """The events of the edges of a run, none of them a decision.

    Args:
        selections: the terminals and edges.
        coverage: when edges fail.
        table: the constants.
        nodes: all nodes.
        packages: all links.
        happenings: the run's events.
        refuse: called with each of other users' tasks that an edge loses.
    """

    def __init__(
        self,
        selections: Selections,
        coverage: Coverage,
        table: Tables,
        nodes: list[Node],
        packages: Packages,
        happenings: Happenings,
        refuse: Callable[[Task], None],
    ) -> None:
        self.selections, self.coverage, self.table = selections, coverage, table
        self.nodes, self.packages, self.happenings = nodes, packages, happenings
        self.refuse = refuse

    def begin(self) -> None:
        """Begin all that does not depend on tasks."""
        if self.selections.reports.interval > 0:
            self.happenings.begin(self._publishing(self.selections.reports.interval))
        for number in range(len(self.coverage.failure_edge)):
            self.happenings.begin(self._failure(number))

    def _publishing(self, interval: float) -> Process:
        number = 1
        while True:
            yield self.happenings.at(number * interval, Kind.REPORT, 0)
            self.selections.reports.publish(self.happenings.now)
            number += 1

    # Failures.

    def _failure(self, number: int) -> Process:
        edge = int(self.coverage.failure_edge[number])
        start = float(self.coverage.failure_start[number])
        end = float(self.coverage.failure_end[number])
        yield self.happenings.at(start, Kind.FAILURE, 2 * number)
        self.selections.up[edge] = False
        self._clear(self.nodes[self.selections.terminals + edge])
        yield self.happenings.at(end, Kind.FAILURE, 2 * number + 1)
        self.selections.up[edge] = True

    def _clear(self, node: Node) -> None:
        """Lose all that is at an edge or on the wire of its uplink."""
        lost = [task for queue in node.queues for task in queue]
        for queue in node.queues:
            queue.clear()
        for executor, batch in enumerate(node.executors):
            if batch is not None:
                self.happenings.withdraw(batch.done)
                node.busy_seconds += self.happenings.now - batch.start
                node.executors[executor] = None
                lost += batch.tasks
        uplink = self.table.node_uplink[node.index]
        if uplink >= 0:
            lost += self.packages.cut(self.packages.links[uplink])
        node.held = 0.0
        for task in lost:
            self._lose(node, task)

    def receive(self, node: Node, task: Task) -> bool:
        """Whether a task that comes to a node enters it; if that is a down edge, it is lost."""
        edge = self.selections.edge_of(node.index)
        if edge < 0:
            return True
        if self.selections.up[edge]:
            self.selections.reports.desks[edge].came += 1
            return True
        self._lose(node, task)
        return False

    def _lose(self, node: Node, task: Task) -> None:
        if task.origin < self.selections.terminals:
            self.happenings.begin(self._re_upload(node, task))
        else:
            self.refuse(task)

    def _re_upload(self, node: Node, task: Task) -> Process:
        again = self.happenings.now + self.selections.selection.timeout_seconds
        yield self.happenings.at(again, Kind.TIMEOUT, task.index)
        self.selections.time_out(task, self.selections.edge_of(node.index))
        terminal = self.nodes[task.origin]
        terminal.held += self.table.payload[task.group]
        self.packages.await_uplink(terminal, task)

    # Parameters.

    def want(self, node: Node, network: int) -> None:
        """Fetch the parameters of a task that was queued, if they lack and nobody fetches them."""
        edge, now = self.selections.edge_of(node.index), self.happenings.now
        if edge >= 0 and self.selections.lacks(edge, network):
            end = self.selections.begin_fetch(edge, network, now)
            self.happenings.begin(self._fetch(edge, network, end))

    def _fetch(self, edge: int, network: int, end: float) -> Process:
        index = edge * len(self.table.blocks) + network
        yield self.happenings.at(end, Kind.FETCHED, index)
        self.selections.there[edge].add(network)
