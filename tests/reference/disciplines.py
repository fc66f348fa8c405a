"""The built-in disciplines: which group a node that nobody claimed runs next, how many tasks."""

from __future__ import annotations

from collections.abc import Sequence

from tests.reference.records import Node
from tests.reference.tables import Tables
from tiergym.scenarios.system import FCFS, FCFS_BATCHED, PRIORITY, STATIC_PRIORITY


def choose(table: Tables, node: Node, groups: Sequence[int]) -> tuple[int, int]:
    """Return (group, tasks) of the next batch, before any shrinking to fit the memory.

    ``groups`` are those to choose from, at least one, each with a task queued.
    """
    return _RULES[table.node_discipline[node.index]](table, node, groups)


def _fcfs(table: Tables, node: Node, groups: Sequence[int]) -> tuple[int, int]:
    return _oldest(node, groups), 1


def _fcfs_batched(table: Tables, node: Node, groups: Sequence[int]) -> tuple[int, int]:
    group = _oldest(node, groups)
    return group, _most(table, node, group)


def _priority(table: Tables, node: Node, groups: Sequence[int]) -> tuple[int, int]:
    def merit(group: int) -> float:
        tasks = _most(table, node, group)
        return tasks / table.seconds(node.index, group, tasks)

    group = max(groups, key=lambda group: (merit(group), -group))
    return group, _most(table, node, group)


def _static_priority(table: Tables, node: Node, groups: Sequence[int]) -> tuple[int, int]:
    rank = table.node_rank[node.index]
    group = min(groups, key=lambda group: (rank[table.group_network[group]], group))
    return group, _most(table, node, group)


def _oldest(node: Node, groups: Sequence[int]) -> int:
    return min(groups, key=lambda group: node.queues[group][0].sequence)


def _most(table: Tables, node: Node, group: int) -> int:
    return min(len(node.queues[group]), table.node_batch_max[node.index])


_RULES = {
    FCFS: _fcfs,
    FCFS_BATCHED: _fcfs_batched,
    PRIORITY: _priority,
    STATIC_PRIORITY: _static_priority,
}
