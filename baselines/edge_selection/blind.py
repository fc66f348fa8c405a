"""Policies that look at no report: any edge, each in turn, the nearest."""

from __future__ import annotations

from typing import Any

import numpy as np

from baselines.edge_selection._observation import Actions, Flags, Rows
from baselines.edge_selection._policy import DrawingPolicy, SelectionPolicy, least, of_terminals
from baselines.policy import Entry, State, check_flag


class RandomEdge(DrawingPolicy):
    """Draws among the edges in range of each row's terminal; at a move the attached one too."""

    def choose(self, rows: Rows) -> Actions:
        """An edge in range, each as likely as any other."""
        return least(self.uniforms(rows), rows.mask)


class Nearest(SelectionPolicy):
    """The edge of the shortest round trip; the lowest at equal ones."""

    def choose(self, rows: Rows) -> Actions:
        """The nearest edge in range."""
        return least(rows.rtt, rows.mask)


class RoundRobin(SelectionPolicy):
    """The edges in turn, those out of range skipped. Its state is the next edge of each counter.

    Args:
        overall: one counter for all terminals of a row, or one for each.
        staggered: counters of terminals begin at different edges (terminal k at edge k modulo the
            number of edges), or all at the first one, to which then everybody attaches first.
    """

    def __init__(self, env: Any, overall: bool = False, staggered: bool = True) -> None:
        super().__init__(env)
        self._overall = check_flag("overall", overall)
        self._staggered = check_flag("staggered", staggered)

    def act(self, rows: Rows, state: State, fresh: Flags) -> tuple[Actions, State]:
        """The first edge in range from the counter on; the counter then stands behind it."""
        passed = of_terminals(state[0] if state is not None else None, rows, fresh, 0)
        row, column = np.arange(len(fresh)), self._column(rows)
        first = self._first(rows)
        edges = np.arange(rows.mask.shape[1])
        turn = (edges - (first + passed[row, column])[:, None]) % len(edges)
        actions = least(turn.astype(np.float64), rows.mask)
        passed[row, column] = actions + 1 - first
        return actions, (passed,)

    def _column(self, rows: Rows) -> Actions:
        return np.zeros_like(rows.terminal) if self._overall else rows.terminal

    def _first(self, rows: Rows) -> Actions:
        """int64[n], where the counter of each row's terminal began."""
        edges = np.maximum((rows.executors > 0.0).sum(axis=1), 1)
        staggered = self._staggered and not self._overall
        return rows.terminal % edges if staggered else np.zeros_like(rows.terminal)


POLICIES = {
    "random": Entry(RandomEdge),
    "nearest": Entry(Nearest),
    "round-robin": Entry(RoundRobin),
    "round-robin-overall": Entry(RoundRobin, {"overall": True}),
}
