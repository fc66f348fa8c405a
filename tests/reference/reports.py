"""What edges publish and what terminals see of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from tests.reference.records import Node, Report
from tests.reference.tables import Tables

OBSERVED = 8
"""Reports of an edge that a terminal is shown, at most."""


@dataclass(eq=False)
class Desk:
    """What an edge has published, how busy it had been by then, and the tasks that came since."""

    reports: list[Report] = field(default_factory=list)
    came: int = 0
    busy_until: float = 0.0


class Reports:
    """The reports of all edges.

    Args:
        table: the constants.
        edges: their nodes.
        interval: seconds between reports; 0: always fresh.
        up: whether an edge is up.
        attached: how many terminals are attached to an edge.
    """

    def __init__(
        self,
        table: Tables,
        edges: Sequence[Node],
        interval: float,
        up: Callable[[int], bool],
        attached: Callable[[int], int],
    ) -> None:
        self.table, self.edges, self.interval = table, edges, interval
        self.up, self.attached = up, attached
        self.desks = [Desk() for _ in edges]

    def publish(self, now: float) -> None:
        """Let every edge that is up publish (seconds)."""
        for edge, desk in enumerate(self.desks):
            if self.up(edge):
                utilisation = self._utilisation(edge, desk, now)
                desk.reports.append(self._report(edge, now, utilisation, desk.came))
                desk.came = 0

    def _utilisation(self, edge: int, desk: Desk, now: float) -> float:
        """Share of the executors' time since the previous report that was spent on batches."""
        node, since = self.edges[edge], desk.reports[-1].time if desk.reports else 0.0
        before, desk.busy_until = desk.busy_until, node.busy_until(now)
        return (desk.busy_until - before) / ((now - since) * len(node.executors))

    def seen(self, edge: int, half_rtt: float, now: float) -> list[Report]:
        """Return what is seen of an edge in range at ``now`` (seconds), the newest first."""
        if self.interval > 0:
            arrived = [r for r in self.desks[edge].reports if r.time + half_rtt <= now]
            return arrived[::-1]
        executors = self.edges[edge].executors
        busy = len(executors) - executors.count(None)
        return [self._report(edge, now, busy / len(executors), 0)]

    def silent(self, newest: Report, half_rtt: float, now: float) -> bool:
        """Whether an edge whose newest report that is seen is this one has fallen silent."""
        return self.interval > 0 and now - newest.time > 3 * self.interval + half_rtt

    def _report(self, edge: int, now: float, utilisation: float, arrivals: int) -> Report:
        node = self.edges[edge]
        return Report(
            time=now,
            utilisation=utilisation,
            queue=sum(len(queue) for queue in node.queues),
            backlog=self.table.backlog(node, now),
            memory=node.held,
            arrivals=arrivals,
            attached=self.attached(edge),
        )
