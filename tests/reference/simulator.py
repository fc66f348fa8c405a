"""The simulator's physics once more, in SimPy: plain, slow, and read beside design section 3.

It shares no line with the compiled engine, so that agreement between the two means something.
`simulate` runs one instance and asks a callback at every decision that falls due.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Generator, Sequence

import simpy

from tests.reference.clock import Clock, Kind
from tests.reference.disciplines import choose
from tests.reference.offers import Offers
from tests.reference.placing import Place, Placements
from tests.reference.records import (
    LOAD,
    RUN,
    WAIT,
    Action,
    Batch,
    Decision,
    Link,
    Node,
    Result,
    Task,
    Totals,
    View,
)
from tests.reference.tables import Tables
from tiergym.scenarios.instance import Instance
from tiergym.scenarios.system import EMPTY_STAGE, NO_STAGE, System

Decide = Callable[[View], Action]
Process = Generator[simpy.Event, object, None]


def simulate(
    system: System,
    instance: Instance,
    claimed: int | None = None,
    decide: Decide | None = None,
    sizes: Sequence[int] = (1, 2, 4, 8, 16),
    slots: Sequence[int] | None = None,
    place: Place | None = None,
) -> Result:
    """Run ``instance`` on ``system`` until its last charged task has left.

    Args:
        system: the constants.
        instance: the draw.
        claimed: the node whose decisions ``decide`` takes; None leaves all to the disciplines.
        decide: called with a `View` at each decision that falls due; returns a legal action.
        sizes: batch sizes of the actions, rising.
        slots: the group of each slot of the actions; all groups in order unless given.
        place: called with a `PlaceView` at the beginning of every interval; returns a legal route.
            None: the placed network's own route is in force throughout.
    """
    slots = range(system.groups) if slots is None else slots
    return _Simulation(system, instance, claimed, decide, sizes, slots, place).run()


class _Simulation:
    """One run. Processes: arrivals, intervals, each package, each job, each answer under way."""

    def __init__(
        self,
        system: System,
        instance: Instance,
        claimed: int | None,
        decide: Decide | None,
        sizes: Sequence[int],
        slots: Sequence[int],
        place: Place | None,
    ) -> None:
        self.table = Tables(system, instance)
        self.clock = Clock()
        self.claimed = claimed
        self.decide = decide
        self.tasks = [self.table.task(index) for index in range(instance.tasks)]
        self.nodes = [
            Node(n, [deque() for _ in range(system.groups)], [None] * executors)
            for n, executors in enumerate(self.table.node_executors)
        ]
        self.links = [Link(e) for e in range(system.links)]
        self.offers = Offers(self.table, self.links, sizes, slots)
        self.placements = Placements(system, self.table, self.nodes, place)
        self.window = instance.window
        self.window_over = False
        self.wake = False
        self.settling = {Kind.LINKS: False, Kind.NODES: False}
        self.integrated_until = 0.0
        self.in_system = 0
        self.to_leave = sum(task.charged for task in self.tasks)
        self.all_left = self.clock.event()
        self.totals = Totals()
        self.decisions: list[Decision] = []
        self.events: list[tuple[float, Kind, int]] = []

    def run(self) -> Result:
        """Run to the end. SimPy raises if tasks are left and nothing would ever happen."""
        self.clock.process(self._arrivals())
        self.clock.process(self._window())
        if self.placements.place is not None:
            self.placements.ask(0.0)
            self.clock.process(self._intervals())
        self.clock.run(until=self.all_left)
        self.totals.batches = [node.batches for node in self.nodes]
        self.totals.packages = [link.packages for link in self.links]
        loads = [[job for job in node.jobs if job.group == LOAD] for node in self.nodes]
        self.totals.loads = [len(jobs) for jobs in loads]
        return Result(
            self.tasks,
            self.totals,
            self.decisions,
            self.events,
            self.clock.now,
            [node.held for node in self.nodes],
            self.placements.decisions,
        )

    # Events: whatever happens first moves the integrals to the present and asks for settling.

    def _event(self, time: float, kind: Kind, index: int) -> simpy.Event:
        event = self.clock.at(time, kind, index)
        assert event.callbacks is not None
        event.callbacks.append(lambda _: self._happens(kind, index))
        return event

    def _happens(self, kind: Kind, index: int) -> None:
        now = self.clock.now
        self.totals.task_seconds += self.in_system * (now - self.integrated_until)
        self.totals.joules += self.table.idle_watts * (now - self.integrated_until)
        self.integrated_until = now
        self.events.append((now, kind, index))
        self._settle_later()

    def _settle_later(self) -> None:
        for kind, settle in ((Kind.LINKS, self._settle_links), (Kind.NODES, self._settle_nodes)):
            if not self.settling[kind]:
                self.settling[kind] = True
                event = self.clock.at(self.clock.now, kind, 0)
                assert event.callbacks is not None
                event.callbacks.append(settle)

    def _settle_links(self, _: simpy.Event) -> None:
        self.settling[Kind.LINKS] = False
        for link in self.links:
            if link.waiting and not link.busy:
                self._start_package(link)

    def _settle_nodes(self, _: simpy.Event) -> None:
        self.settling[Kind.NODES] = False
        for node in self.nodes:
            if node.idle >= 0 and self.placements.must_load(node.index):
                self._start_load(node)
            if node.index != self.claimed:
                self._start_batches(node)
            elif self.wake and self.offers.due(node):
                self._ask(node)
                self._settle_later()
                return

    # Arrivals, the window and its intervals.

    def _arrivals(self) -> Process:
        for task in self.tasks:
            yield self._event(task.arrival, Kind.ARRIVAL, task.index)
            self.in_system += task.charged
            self.placements.arrive(task)
            self._enter(self.nodes[task.origin], task)

    def _window(self) -> Process:
        yield self._event(self.window, Kind.WINDOW_END, 0)
        self.window_over = True
        if self.claimed is not None and self.nodes[self.claimed].idle >= 0:
            self.wake = True

    def _intervals(self) -> Process:
        placing, k = self.placements.placing, 1
        assert placing is not None
        while k * placing.interval_seconds < self.window:
            yield self._event(k * placing.interval_seconds, Kind.INTERVAL, 0)
            self.placements.ask(self.clock.now)
            k += 1

    # Entering a node and leaving the system.

    def _enter(self, node: Node, task: Task) -> None:
        self._wake_if_claimed(node.index)
        payload = self.table.payload[task.group]
        if node.held + payload > self.table.node_limit[node.index]:
            task.refused = True
            self._leave(task)
            return
        node.held += payload
        row = self.table.stage_row[node.index][task.group]
        if row == NO_STAGE:
            raise ValueError(f"task {task.index}: node {node.index} cannot run {task.group}")
        if row == EMPTY_STAGE:
            self._await_uplink(node, task)
            return
        task.sequence = node.enqueued
        node.enqueued += 1
        node.queues[task.group].append(task)

    def _leave(self, task: Task) -> None:
        task.left = self.clock.now
        if not task.refused:
            task.finish = task.left
        self.placements.leave(task)
        if not task.charged:
            return
        self.in_system -= 1
        self.totals.refused += task.refused
        self.totals.late += task.refused or task.left > task.deadline
        self.totals.wrong += task.refused or task.correct == 0
        self.to_leave -= 1
        if self.to_leave == 0:
            self.all_left.succeed()

    def _wake_if_claimed(self, node: int) -> None:
        if node == self.claimed:
            self.wake = True

    # Links.

    def _await_uplink(self, node: Node, task: Task) -> None:
        self.links[self.table.node_uplink[node.index]].waiting.append(task)

    def _start_package(self, link: Link) -> None:
        package = [link.waiting.popleft()]
        size = self.table.payload[package[0].group]
        while link.waiting and self.table.link_packing[link.index]:
            larger = size + self.table.payload[link.waiting[0].group]
            if larger > self.table.link_package_max[link.index]:
                break
            size = larger
            package.append(link.waiting.popleft())
        link.busy = True
        self.clock.process(self._package(link, package, size))

    def _package(self, link: Link, package: list[Task], size: float) -> Process:
        table, start = self.table, self.clock.now
        source, target = table.link_source[link.index], table.link_target[link.index]
        end = table.wire_end(link.index, start, size)
        yield self._event(end, Kind.LINK_FREE, link.index)
        link.busy = False
        link.packages += 1
        for task in package:
            self.nodes[source].held -= table.payload[task.group]
        self.totals.joules += table.link_joules(link.index, end - start, size)
        self._wake_if_claimed(source)
        half_rtt = table.link_half_rtt[link.index]
        yield self._event(end + half_rtt, Kind.DELIVERED, link.index)
        for task in package:
            task.return_delay += half_rtt
            self._enter(self.nodes[target], task)

    # Batches and loads.

    def _start_batches(self, node: Node) -> None:
        while node.idle >= 0:
            groups = self._startable(node)
            if not groups:
                return
            group, count = choose(self.table, node, groups)
            while count > 0 and not self.table.fits(node, group, count):
                count -= 1
            if count == 0:
                return
            self._start_batch(node, group, count)

    def _startable(self, node: Node) -> list[int]:
        ready = self.placements.ready
        return [g for g, queue in enumerate(node.queues) if queue and ready(node.index, g)]

    def _start_batch(self, node: Node, group: int, count: int) -> None:
        table, now = self.table, self.clock.now
        tasks = [node.queues[group].popleft() for _ in range(count)]
        expected = table.seconds(node.index, group, count)
        duration = expected * table.jitter(node.index, node.batches)
        extra = table.extra_bytes(node.index, group, count)
        node.batches += 1
        node.held += extra
        for task in tasks:
            task.first_start = now if math.isnan(task.first_start) else task.first_start
        self._occupy(node, Batch(group, tasks, now, expected, duration, extra))
        self._wake_if_claimed(node.index)

    def _start_load(self, node: Node) -> None:
        seconds = self.placements.begin_load(node.index)
        self._occupy(node, Batch(LOAD, [], self.clock.now, seconds, seconds, 0.0))

    def _occupy(self, node: Node, job: Batch) -> None:
        executor = node.idle
        node.executors[executor] = job
        node.jobs.append(job)
        self.clock.process(self._job(node, executor, job))

    def _job(self, node: Node, executor: int, job: Batch) -> Process:
        index = self.table.first_executor[node.index] + executor
        yield self._event(job.start + job.duration, Kind.BATCH_DONE, index)
        node.executors[executor] = None
        node.held -= job.extra_bytes
        self.totals.joules += self.table.batch_joules(node.index, job.duration)
        self._wake_if_claimed(node.index)
        if job.group == LOAD:
            self.placements.end_load(node)
        for task in job.tasks:
            self._finish_stage(node, task)

    def _finish_stage(self, node: Node, task: Task) -> None:
        end = self.table.stage_end[node.index][task.group]
        if self.table.leaves(node.index, task, end):
            self._answer(node, task, end)
            return
        payload = self.table.payload[task.group]
        task.group = self.table.next_group(node.index, task.group)
        node.held += self.table.payload[task.group] - payload
        self._await_uplink(node, task)

    # Answers.

    def _answer(self, node: Node, task: Task, block: int) -> None:
        task.exit_block = block
        task.tier = self.table.node_tier[node.index]
        task.correct = self.table.correct(task, block)
        node.held -= self.table.payload[task.group]
        if node.index == task.origin:
            self._leave(task)
        else:
            self.clock.process(self._returning(node, task, self._backlog(node)))

    def _returning(self, node: Node, task: Task, backlog: float) -> Process:
        told_at = self.clock.now
        yield self._event(told_at + task.return_delay, Kind.ANSWERED, task.index)
        if self.table.node_above(task.origin) == node.index:
            self.nodes[task.origin].told = (backlog, told_at)
        self._leave(task)

    def _backlog(self, node: Node) -> float:
        """Seconds until a node would be idle if nothing more came, shared by its executors."""
        total = 0.0
        batch_max = self.table.node_batch_max[node.index]
        for group, queue in enumerate(node.queues):
            full, rest = divmod(len(queue), batch_max)
            if full:
                total += full * self.table.seconds(node.index, group, batch_max)
            if rest:
                total += self.table.seconds(node.index, group, rest)
        for batch in node.executors:
            if batch is not None:
                total += max(0.0, batch.start + batch.expected - self.clock.now)
        return total / len(node.executors)

    # Decisions at the claimed node.

    def _ask(self, node: Node) -> None:
        view = self.offers.view(node, self.clock.now, self.window_over)
        if self.decide is None:
            raise ValueError("a claimed node needs a decider")
        action = self.decide(view)
        if action not in view.legal:
            raise ValueError(f"{action} is not legal at {view.time}: {view.legal}")
        self.decisions.append(Decision(view, action))
        self._apply(node, action)

    def _apply(self, node: Node, action: Action) -> None:
        if action.kind == WAIT:
            self.wake = False
            return
        group = self.offers.slots[action.slot]
        count = min(len(node.queues[group]), self.offers.sizes[action.size])
        if action.kind == RUN:
            self._start_batch(node, group, min(count, self.table.node_batch_max[node.index]))
        else:
            self._pre_upload(node, group, count)

    def _pre_upload(self, node: Node, group: int, count: int) -> None:
        youngest_first = [node.queues[group].pop() for _ in range(count)]
        for task in reversed(youngest_first):
            task.pre_uploaded = True
            self._await_uplink(node, task)
