"""The simulator's physics once more, in SimPy: plain, slow, and read beside design section 3.

It shares no line with the compiled engine, so that agreement between the two means something.
`simulate` runs one instance and asks a callback at every decision that falls due.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Sequence

import simpy

from tests.reference.clock import Kind
from tests.reference.disciplines import choose
from tests.reference.edge_events import EdgeEvents
from tests.reference.happening import Happenings, Process
from tests.reference.offers import Offers
from tests.reference.packages import Packages
from tests.reference.placing import Place, Placements
from tests.reference.records import (
    LOAD,
    NO_EDGE,
    RUN,
    WAIT,
    Action,
    Batch,
    Decision,
    Node,
    Result,
    Task,
    View,
)
from tests.reference.selecting import Select, Selections
from tests.reference.tables import Tables
from tiergym.scenarios.instance import Instance
from tiergym.scenarios.system import EMPTY_STAGE, NO_STAGE, System

Decide = Callable[[View], Action]


def simulate(
    system: System,
    instance: Instance,
    claimed: int | None = None,
    decide: Decide | None = None,
    sizes: Sequence[int] = (1, 2, 4, 8, 16),
    slots: Sequence[int] | None = None,
    place: Place | None = None,
    select: Select | None = None,
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
        select: called with a `SelectView` at each `attach` and `move` decision; returns a legal
            edge. None: a terminal attaches to the nearest edge and never moves.
    """
    slots = range(system.groups) if slots is None else slots
    offered = (list(sizes), list(slots))
    return _Simulation(system, instance, claimed, decide, offered, place, select).run()


class _Simulation:
    """One run. Processes: arrivals, intervals, reports, each failure, package, job, answer."""

    def __init__(
        self,
        system: System,
        instance: Instance,
        claimed: int | None,
        decide: Decide | None,
        offered: tuple[list[int], list[int]],
        place: Place | None,
        select: Select | None,
    ) -> None:
        self.table = Tables(system, instance)
        self.happenings = Happenings(
            self.table.idle_watts,
            {Kind.LINKS: lambda: self.packages.settle(), Kind.NODES: self._settle_nodes},
        )
        self.claimed = claimed
        self.decide = decide
        self.tasks = [self.table.task(index) for index in range(instance.tasks)]
        self.nodes = [
            Node(n, [deque() for _ in range(system.groups)], [None] * executors)
            for n, executors in enumerate(self.table.node_executors)
        ]
        self._connect(system, instance, select)
        self.offers = Offers(self.table, self.packages.links, *offered)
        self.placements = Placements(system, self.table, self.nodes, place)
        self.window = instance.window
        self.window_over = False
        self.wake = False
        self.to_leave = sum(task.charged for task in self.tasks)
        self.all_left = self.happenings.clock.event()
        self.decisions: list[Decision] = []

    def _connect(self, system: System, instance: Instance, select: Select | None) -> None:
        table, nodes, coverage = self.table, self.nodes, instance.coverage
        self.selections: Selections | None = None
        self.edge_events: EdgeEvents | None = None
        if system.selection is not None and coverage is not None:
            self.selections = Selections(
                system.selection, coverage, table, nodes, self.tasks, select
            )
        self.packages = Packages(
            table, nodes, self.happenings, self.selections, self._enter, self._wake_if_claimed
        )
        if self.selections is not None and coverage is not None:
            around = (table, nodes, self.packages, self.happenings)
            self.edge_events = EdgeEvents(self.selections, coverage, *around, self._refuse)

    def run(self) -> Result:
        """Run to the end. SimPy raises if tasks are left and nothing would ever happen."""
        self.happenings.begin(self._arrivals())
        self.happenings.begin(self._window())
        if self.placements.place is not None:
            self.placements.ask(0.0)
            self.happenings.begin(self._intervals())
        if self.edge_events is not None:
            self.edge_events.begin()
        self.happenings.clock.run(until=self.all_left)
        totals = self.happenings.totals
        totals.batches = [node.batches for node in self.nodes]
        totals.packages = [link.packages for link in self.packages.links]
        loads = [[job for job in node.jobs if job.group == LOAD] for node in self.nodes]
        totals.loads = [len(jobs) for jobs in loads]
        return Result(
            self.tasks,
            totals,
            self.decisions,
            self.happenings.log,
            self.happenings.now,
            [node.held for node in self.nodes],
            self.placements.decisions,
            self.selections.decisions if self.selections is not None else [],
        )

    def _settle_nodes(self) -> None:
        for node in self.nodes:
            if node.idle >= 0 and self.placements.must_load(node.index):
                self._start_load(node)
            if node.index != self.claimed:
                self._start_batches(node)
            elif self.wake and self.offers.due(node):
                self._ask(node)
                self.happenings.settle_later()
                return

    # Arrivals, the window and its intervals.

    def _arrivals(self) -> Process:
        for task in self.tasks:
            yield self.happenings.at(task.arrival, Kind.ARRIVAL, task.index)
            self.happenings.in_system += task.charged
            self.placements.arrive(task)
            self._enter(self.nodes[task.origin], task)

    def _window(self) -> Process:
        yield self.happenings.at(self.window, Kind.WINDOW_END, 0)
        self.window_over = True
        if self.claimed is not None and self.nodes[self.claimed].idle >= 0:
            self.wake = True

    def _intervals(self) -> Process:
        placing, k = self.placements.placing, 1
        assert placing is not None
        while k * placing.interval_seconds < self.window:
            yield self.happenings.at(k * placing.interval_seconds, Kind.INTERVAL, 0)
            self.placements.ask(self.happenings.now)
            k += 1

    # Entering a node and leaving the system.

    def _enter(self, node: Node, task: Task) -> None:
        self._wake_if_claimed(node.index)
        if self.edge_events is not None and not self.edge_events.receive(node, task):
            return
        payload = self.table.payload[task.group]
        if node.held + payload > self.table.node_limit[node.index]:
            self._refuse(task)
            return
        node.held += payload
        row = self.table.stage_row[node.index][task.group]
        if row == NO_STAGE:
            raise ValueError(f"task {task.index}: node {node.index} cannot run {task.group}")
        if row == EMPTY_STAGE:
            self.packages.await_uplink(node, task)
            return
        task.sequence = node.enqueued
        node.enqueued += 1
        node.queues[task.group].append(task)
        if self.edge_events is not None:
            self.edge_events.want(node, task.network)

    def _refuse(self, task: Task) -> None:
        task.refused = True
        self._leave(task)

    def _leave(self, task: Task) -> None:
        task.left = self.happenings.now
        task.sent_to = NO_EDGE
        if not task.refused:
            task.finish = task.left
        self.placements.leave(task)
        if not task.charged:
            return
        totals = self.happenings.totals
        self.happenings.in_system -= 1
        totals.refused += task.refused
        totals.late += task.refused or task.left > task.deadline
        totals.wrong += task.refused or task.correct == 0
        self.to_leave -= 1
        if self.to_leave == 0:
            self.all_left.succeed()

    def _wake_if_claimed(self, node: int) -> None:
        if node == self.claimed:
            self.wake = True

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
        return [g for g, queue in enumerate(node.queues) if queue and self._ready(node.index, g)]

    def _ready(self, node: int, group: int) -> bool:
        fetched = self.selections is None or self.selections.ready(node, group)
        return fetched and self.placements.ready(node, group)

    def _start_batch(self, node: Node, group: int, count: int) -> None:
        table, now = self.table, self.happenings.now
        tasks = [node.queues[group].popleft() for _ in range(count)]
        expected = table.seconds(node.index, group, count)
        duration = expected * table.jitter(node.index, node.batches)
        extra = table.extra_bytes(node.index, group, count)
        node.batches += 1
        node.held += extra
        for task in tasks:
            task.first_start = now if math.isnan(task.first_start) else task.first_start
        done = self._done(node, now + duration)
        self._occupy(node, Batch(group, tasks, now, expected, duration, extra, done))
        self._wake_if_claimed(node.index)

    def _start_load(self, node: Node) -> None:
        seconds, now = self.placements.begin_load(node.index), self.happenings.now
        done = self._done(node, now + seconds)
        self._occupy(node, Batch(LOAD, [], now, seconds, seconds, 0.0, done))

    def _done(self, node: Node, end: float) -> simpy.Event:
        index = self.table.first_executor[node.index] + node.idle
        return self.happenings.at(end, Kind.BATCH_DONE, index)

    def _occupy(self, node: Node, job: Batch) -> None:
        executor = node.idle
        node.executors[executor] = job
        node.jobs.append(job)
        self.happenings.begin(self._job(node, executor, job))

    def _job(self, node: Node, executor: int, job: Batch) -> Process:
        yield job.done
        node.executors[executor] = None
        node.busy_seconds += job.duration
        node.held -= job.extra_bytes
        self.happenings.totals.joules += self.table.batch_joules(node.index, job.duration)
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
        self.packages.await_uplink(node, task)

    # Answers.

    def _answer(self, node: Node, task: Task, block: int) -> None:
        task.exit_block = block
        task.tier = self.table.node_tier[node.index]
        task.correct = self.table.correct(task, block)
        node.held -= self.table.payload[task.group]
        if node.index == task.origin:
            self._leave(task)
        else:
            self.happenings.begin(self._returning(node, task))

    def _returning(self, node: Node, task: Task) -> Process:
        told_at = self.happenings.now
        backlog = self.table.backlog(node, told_at)
        yield self.happenings.at(told_at + task.return_delay, Kind.ANSWERED, task.index)
        # Where terminals select edges, reports tell the backlog.
        if self.selections is None and self.table.node_above(task.origin) == node.index:
            self.nodes[task.origin].told = (backlog, told_at)
        self._leave(task)

    # Decisions at the claimed node.

    def _ask(self, node: Node) -> None:
        view = self.offers.view(node, self.happenings.now, self.window_over)
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
            self.packages.await_uplink(node, task)
