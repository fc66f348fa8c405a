"""What privileged policies read: the true state of every edge, and who else will use it.

Arrays have B edge slots. Slots without an edge hold zero.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from baselines.edge_selection._observation import Floats
from tiergym.engine.layout import NONE
from tiergym.errors import InvalidInput
from tiergym.scenarios import Instance
from tiergym.scenarios.system import Selection, System

MEASURES = ("tasks", "backlog")


class Work(NamedTuple):
    """Constants of the edges of one system."""

    seconds: Floats  # [E, G, B + 1] of a batch of b tasks; 0 for none, and where it cannot run
    each: Floats  # [E, M] seconds a task of each network in its best batch
    batch_max: NDArray[np.int64]  # [E]
    executors: NDArray[np.int64]  # [E]


def work_of(system: System) -> Work:
    """Read off a system's tables."""
    selection = selection_of(system)
    own = slice(selection.terminals, selection.terminals + selection.edges)
    rows = system.stage_row[own]
    known = np.nan_to_num(system.stage_seconds)
    seconds = np.zeros((*rows.shape, system.batch_columns + 1))
    seconds[:, :, 1:] = np.where(rows[:, :, None] >= 0, known[np.maximum(rows, 0)], 0.0)
    per_task = seconds[:, :, 1:] / np.arange(1.0, system.batch_columns + 1.0)
    least = np.where(per_task > 0.0, per_task, np.inf).min(axis=2)
    each = np.where(np.isfinite(least), least, 0.0)[:, 3 * system.network_route]
    return Work(seconds, each, system.node_batch_max[own], system.node_executors[own])


def selection_of(system: System) -> Selection:
    """What terminals of this system select from."""
    assert system.selection is not None
    return system.selection


class Hidden:
    """Reads the simulations behind an environment.

    Args:
        env: a tiergym environment, single or from ``gym.make_vec``'s vector entry point.
        edges: B.

    Raises:
        InvalidInput: for another environment.
    """

    def __init__(self, env: Any, edges: int) -> None:
        episodes = getattr(env.unwrapped, "_episodes", None)
        if episodes is None:
            allowed = "a tiergym environment, single or from gym.make_vec's vector entry point"
            raise InvalidInput("env", type(env.unwrapped).__name__, allowed)
        self._rows, self._edges = episodes.rows, edges
        self._works: dict[int, Work] = {}

    def queued(self, measure: str) -> Floats:
        """float64[n, B]: tasks queued and running at each edge, or their seconds (``backlog``).

        Infinite where an edge is down.
        """
        return self._each(self._tasks if measure == "tasks" else self._backlog)

    def offered(self, begin: Floats, end: Floats) -> Floats:
        """float64[n, B]: other users' work to arrive in [begin, end), over the edge's capacity.

        Args:
            begin, end: float64[n], seconds from now.
        """

        def share(row: int) -> Floats:
            instance = self._rows.begun(row)
            work, selection = self._work(row), selection_of(self._system(row))
            arrived = _others(instance, self._clock(row) + np.array([begin[row], end[row]]))
            edge, network = (
                instance.origin[arrived] - selection.terminals,
                instance.network[arrived],
            )
            there = (edge >= 0) & (edge < selection.edges)
            seconds = work.each[edge[there], network[there]]
            total = np.bincount(edge[there], seconds, selection.edges)
            return total / (work.executors * (end[row] - begin[row]))

        return self._each(share)

    def _each(self, read: Callable[[int], Floats]) -> Floats:
        table = np.zeros((len(self._rows.instances), self._edges))
        for row in range(len(table)):
            values = read(row)
            table[row, : len(values)] = values
        return table

    def _tasks(self, row: int) -> Floats:
        queued = self._view(row, "node")["queued"][self._own(row)]
        slot, edge = self._view(row, "executor"), self._executor_edges(row)
        busy = (slot["group"] != NONE) & (edge >= 0)
        running = np.bincount(edge[busy], slot["tasks"][busy], len(queued))
        return np.where(self._down(row), np.inf, queued + running)

    def _backlog(self, row: int) -> Floats:
        """Full batches and remainders of what is queued, and what is running, over executors."""
        work, groups = self._work(row), self._system(row).groups
        length = self._view(row, "queue")["length"].reshape(-1, groups)[self._own(row)]
        e, g = np.ogrid[: len(length), :groups]
        most = work.batch_max[:, None]
        seconds = length // most * work.seconds[e, g, most] + work.seconds[e, g, length % most]
        slot, edge = self._view(row, "executor"), self._executor_edges(row)
        busy = (slot["group"] != NONE) & (edge >= 0)
        left = np.maximum(slot["start"] + slot["seconds"] - self._clock(row), 0.0)
        running = np.bincount(edge[busy], left[busy], len(length))
        total = (seconds.sum(axis=1) + running) / work.executors
        return np.where(self._down(row), np.inf, total)

    def _executor_edges(self, row: int) -> NDArray[np.int64]:
        """int64[executors of all nodes], the edge that each belongs to; -1 for other nodes."""
        system = self._system(row)
        node = np.repeat(np.arange(system.nodes), system.node_executors)
        edge = node - selection_of(system).terminals
        return np.where(edge < selection_of(system).edges, np.maximum(edge, -1), -1)

    def _down(self, row: int) -> NDArray[np.bool_]:
        return self._view(row, "edge")["down"] != 0

    def _clock(self, row: int) -> float:
        return float(self._rows.simulation.head(row)["clock"])

    def _view(self, row: int, section: str) -> Any:
        return self._rows.simulation.view(row, section)

    def _system(self, row: int) -> System:
        return self._rows.scenario_of(row).system

    def _own(self, row: int) -> slice:
        selection = selection_of(self._system(row))
        return slice(selection.terminals, selection.terminals + selection.edges)

    def _work(self, row: int) -> Work:
        index = int(self._rows.simulation.system_of[row])
        if index not in self._works:
            self._works[index] = work_of(self._system(row))
        return self._works[index]


def _others(instance: Instance, between: Floats) -> NDArray[np.int64]:
    """Indices of other users' tasks that arrive between two times."""
    first, last = np.searchsorted(instance.arrival, between).tolist()
    return first + np.flatnonzero(~instance.charged[first:last])


def check_measure(measure: Any) -> str:
    """``measure``, or `InvalidInput` unless it is one of `MEASURES`."""
    if measure not in MEASURES:
        raise InvalidInput("measure", measure, " or ".join(MEASURES))
    return measure
