"""Links: what waits for them, packages on the wire and in flight."""

from __future__ import annotations

from collections.abc import Callable

from tests.reference.clock import Kind
from tests.reference.happening import Happenings, Process
from tests.reference.records import Course, Link, Node, Task
from tests.reference.selecting import Selections
from tests.reference.tables import Tables


class Packages:
    """All links of a run.

    Args:
        table: the constants.
        nodes: all nodes.
        happenings: the run's events.
        selections: where terminals send to; None where every link has one target.
        enter: called with a node and each task of a package when it is delivered there.
        wake: called with the node whose uplink has become free.
    """

    def __init__(
        self,
        table: Tables,
        nodes: list[Node],
        happenings: Happenings,
        selections: Selections | None,
        enter: Callable[[Node, Task], None],
        wake: Callable[[int], None],
    ) -> None:
        self.table, self.nodes, self.happenings = table, nodes, happenings
        self.selections, self.enter, self.wake = selections, enter, wake
        self.links = [Link(e) for e in range(len(table.link_source))]

    def await_uplink(self, node: Node, task: Task) -> None:
        """Let a task, whose payload is held there, wait for a node's uplink."""
        self.links[self.table.node_uplink[node.index]].waiting.append(task)

    def settle(self) -> None:
        """Start a package on every idle link for which something waits."""
        for link in self.links:
            if link.waiting and not link.busy:
                selections = self._selections_at(link)
                if selections is not None:
                    selections.ask_if_due(link, self.happenings.now)
                self._start(link)

    def _start(self, link: Link) -> None:
        package = [link.waiting.popleft()]
        size = self.table.payload[package[0].group]
        while link.waiting and self.table.link_packing[link.index]:
            larger = size + self.table.payload[link.waiting[0].group]
            if larger > self.table.link_package_max[link.index]:
                break
            size = larger
            package.append(link.waiting.popleft())
        course = self._course(link, package)
        end = self.table.wire_end(link.index, course.begins, size)
        link.busy, link.wire = True, package
        link.free = self.happenings.at(end, Kind.LINK_FREE, link.index)
        self.happenings.begin(self._package(link, package, size, course))

    def _selections_at(self, link: Link) -> Selections | None:
        """What chooses where the link leads, None for a link with one target."""
        if self.selections is None or link.index >= self.selections.terminals:
            return None
        return self.selections

    def _course(self, link: Link, package: list[Task]) -> Course:
        selections, now = self._selections_at(link), self.happenings.now
        if selections is not None:
            return selections.course(link, package, now)
        table = self.table
        return Course(table.link_target[link.index], table.link_half_rtt[link.index], now)

    def _package(self, link: Link, package: list[Task], size: float, course: Course) -> Process:
        start, source = self.happenings.now, self.table.link_source[link.index]
        assert link.free is not None
        yield link.free
        end = self.happenings.now
        link.busy, link.wire = False, []
        link.packages += 1
        for task in package:
            self.nodes[source].held -= self.table.payload[task.group]
        self.happenings.totals.joules += self.table.link_joules(link.index, end - start, size)
        self.wake(source)
        several = self._selections_at(link) is not None
        index = len(self.links) + package[0].index if several else link.index
        yield self.happenings.at(end + course.half_rtt, Kind.DELIVERED, index)
        for task in package:
            task.return_delay += course.half_rtt
            self.enter(self.nodes[course.target], task)

    def cut(self, link: Link) -> list[Task]:
        """Cancel what is on the wire and let nothing wait any more; returns those tasks."""
        lost = [*link.wire, *link.waiting]
        if link.busy:
            assert link.free is not None
            self.happenings.withdraw(link.free)
        link.busy, link.wire = False, []
        link.waiting.clear()
        return lost
