"""Constants of a run as plain Python numbers, and the expressions that are functions of them.

Every time is one written expression, evaluated here in IEEE double precision in the order in which
it is written, so that another implementation can agree with it to the last bit.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from itertools import accumulate, pairwise

from tests.reference.records import Node, Task
from tiergym.scenarios.instance import Instance
from tiergym.scenarios.system import ENTRIES, TERMINAL, System


class Tables:
    """A `System` and an `Instance` as lists, indexed as their docstrings say."""

    def __init__(self, system: System, instance: Instance) -> None:
        self.instance = instance
        self.node_tier: list[int] = system.node_tier.tolist()
        self.node_executors: list[int] = system.node_executors.tolist()
        self.node_batch_max: list[int] = system.node_batch_max.tolist()
        self.node_memory: list[float] = system.node_memory.tolist()
        self.node_limit: list[float] = (system.node_memory - system.node_reserve).tolist()
        self.node_discipline: list[int] = system.node_discipline.tolist()
        self.node_rank: list[list[int]] = system.node_rank.tolist()
        self.node_uplink: list[int] = system.node_uplink.tolist()
        self.node_idle_watts: list[float] = system.node_idle_watts.tolist()
        self.node_busy_watts: list[float] = system.node_busy_watts.tolist()
        # Not `sum`, which compensates its rounding from Python 3.12 on.
        self.idle_watts = 0.0
        for watts in self.node_idle_watts:
            self.idle_watts += watts
        self.first_executor = [0, *accumulate(self.node_executors)]
        self.link_source: list[int] = system.link_source.tolist()
        self.link_target: list[int] = system.link_target.tolist()
        self.link_packing: list[int] = system.link_packing.tolist()
        self.link_package_max: list[float] = system.link_package_max.tolist()
        self.link_per_package: list[float] = system.link_per_package.tolist()
        self.link_half_rtt: list[float] = system.link_half_rtt.tolist()
        self.link_base_watts: list[float] = system.link_base_watts.tolist()
        self.link_joules_per_megabit: list[float] = system.link_joules_per_megabit.tolist()
        self.payload: list[float] = system.group_payload.tolist()
        self.stage_row: list[list[int]] = system.stage_row.tolist()
        self.stage_end: list[list[int]] = system.stage_end.tolist()
        self._read_networks(system)
        self._read_pieces(instance)
        self._seconds: list[list[float]] = system.stage_seconds.tolist()
        self._workspace: list[list[float]] = system.stage_workspace.tolist()
        self._jitter: list[list[float]] = instance.jitter.tolist()

    def _read_networks(self, system: System) -> None:
        self.blocks: list[int] = system.network_blocks.tolist()
        self.route: list[int] = system.network_route.tolist()
        self.exits: list[int] = system.network_table.tolist()
        self.threshold: list[list[float]] = system.route_threshold.tolist()
        self.confidence: list[float] = system.exit_confidence.tolist()
        self.exit_correct: list[int] = system.exit_correct.tolist()
        self.entry_block: list[int] = system.group_entry_block.tolist()
        route_network: list[int] = system.route_network.tolist()
        self.group_network = [route_network[group // ENTRIES] for group in range(system.groups)]

    def _read_pieces(self, instance: Instance) -> None:
        bounds: list[int] = instance.piece_offset.tolist()
        starts: list[float] = instance.piece_start.tolist()
        rates: list[float] = instance.piece_bandwidth.tolist()
        spans = list(pairwise(bounds))
        self.piece_start = [starts[a:b] for a, b in spans]
        self.piece_bandwidth = [rates[a:b] for a, b in spans]

    # Tasks and groups.

    def task(self, index: int) -> Task:
        """Return task ``index`` of the instance, about to arrive with its raw input."""
        drawn = self.instance
        network = int(drawn.network[index])
        route = self.route[network]
        return Task(
            index=index,
            arrival=float(drawn.arrival[index]),
            origin=int(drawn.origin[index]),
            network=network,
            route=route,
            sample=int(drawn.sample[index]),
            deadline=float(drawn.deadline[index]),
            charged=bool(drawn.charged[index]),
            group=self.group(route, 0),
        )

    def group(self, route: int, entry: int) -> int:
        """Return the canonical group: of those that start at the same block, the lowest."""
        groups = range(ENTRIES * route, ENTRIES * route + entry + 1)
        block = self.entry_block[ENTRIES * route + entry]
        return next(group for group in groups if self.entry_block[group] == block)

    def next_group(self, node: int, group: int) -> int:
        """Return the group that a task of ``group`` belongs to after its stage at ``node``."""
        return self.group(group // ENTRIES, 1 if self.node_tier[node] == TERMINAL else 2)

    def node_above(self, node: int) -> int:
        """Return the node at the far end of the uplink, -1 for none."""
        uplink = self.node_uplink[node]
        return -1 if uplink < 0 else self.link_target[uplink]

    # Exits.

    def _exit_entry(self, task: Task, block: int) -> int:
        return self.exits[task.network] + task.sample * (self.blocks[task.network] + 1) + block

    def leaves(self, node: int, task: Task, block: int) -> bool:
        """Whether the head after ``block`` accepts the task."""
        if block == self.blocks[task.network]:
            return True
        if self.exits[task.network] < 0:
            return False
        head = 0 if self.node_tier[node] == TERMINAL else 1
        confidence = self.confidence[self._exit_entry(task, block)]
        return confidence >= self.threshold[task.route][head]

    def correct(self, task: Task, block: int) -> float:
        """Return 1.0, 0.0, or NaN where the network has no exit table."""
        if self.exits[task.network] < 0:
            return math.nan
        return float(self.exit_correct[self._exit_entry(task, block)])

    # Batches.

    def seconds(self, node: int, group: int, count: int) -> float:
        """Return the expected seconds of a batch of ``count`` tasks."""
        return self._seconds[self.stage_row[node][group]][count - 1]

    def backlog(self, node: Node, now: float) -> float:
        """Seconds until a node would be idle if nothing more came, shared by its executors."""
        total = 0.0
        batch_max = self.node_batch_max[node.index]
        for group, queue in enumerate(node.queues):
            full, rest = divmod(len(queue), batch_max)
            if full:
                total += full * self.seconds(node.index, group, batch_max)
            if rest:
                total += self.seconds(node.index, group, rest)
        for batch in node.executors:
            if batch is not None:
                total += max(0.0, batch.start + batch.expected - now)
        return total / len(node.executors)

    def jitter(self, node: int, started: int) -> float:
        """Return the multiplier of the batch that follows ``started`` others on the node."""
        row = self._jitter[node]
        return row[started % len(row)]

    def extra_bytes(self, node: int, group: int, count: int) -> float:
        """Return bytes beside its payloads that a running batch takes: workspace and growth."""
        growth = 0.0
        if self.stage_end[node][group] < self.blocks[self.group_network[group]]:
            growth = max(0.0, self.payload[self.next_group(node, group)] - self.payload[group])
        return self._workspace[self.stage_row[node][group]][count - 1] + count * growth

    def fits(self, node: Node, group: int, count: int) -> bool:
        """Whether the memory takes a batch of ``count`` tasks now."""
        need = self.extra_bytes(node.index, group, count)
        return node.held + need <= self.node_memory[node.index]

    def batch_joules(self, node: int, duration: float) -> float:
        """Return what a batch costs beyond the idle watts."""
        watts = self.node_busy_watts[node] - self.node_idle_watts[node]
        return watts / self.node_executors[node] * duration

    # Links.

    def wire_end(self, link: int, start: float, size: float) -> float:
        """Return when the last of ``size`` bytes leaves the wire if the package starts now."""
        starts, rates = self.piece_start[link], self.piece_bandwidth[link]
        time = start + self.link_per_package[link]
        bits = size * 8.0
        piece = bisect_right(starts, time) - 1
        while piece + 1 < len(starts):
            until = starts[piece + 1]
            if rates[piece] > 0 and bits <= (until - time) * rates[piece]:
                break
            bits -= (until - time) * rates[piece]
            time = until
            piece += 1
        return time if math.isinf(rates[piece]) else time + bits / rates[piece]

    def mean_bandwidth(self, link: int, start: float, end: float) -> float:
        """Return the average over time, bit/s, between two times (seconds)."""
        starts, bits = self.piece_start[link], 0.0
        ends = [*starts[1:], math.inf]
        for begun, over, rate in zip(starts, ends, self.piece_bandwidth[link], strict=True):
            seconds = min(over, end) - max(begun, start)
            if seconds > 0:
                bits += seconds * rate
        return bits / (end - start)

    def link_joules(self, link: int, seconds: float, size: float) -> float:
        """Return what a package costs."""
        megabits = size * 8.0 / 1e6
        return self.link_base_watts[link] * seconds + self.link_joules_per_megabit[link] * megabits
