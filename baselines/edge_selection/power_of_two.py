"""The less loaded of two edges drawn at random.

Mitzenmacher, The power of two choices in randomized load balancing, IEEE TPDS 12(10), 2001.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from baselines.edge_selection._hidden import Hidden, check_measure
from baselines.edge_selection._observation import Actions, Floats, Rows
from baselines.edge_selection._policy import DrawingPolicy
from baselines.edge_selection._reports import averaged, avoiding_silent, supposed
from baselines.policy import Entry


def better_of_two(load: Floats, rows: Rows, uniforms: Floats) -> Actions:
    """int64[n], of two edges in range drawn without replacement the one of less load [n, B].

    Args:
        uniforms: [n, B]; the edges of the two least are drawn. At equal load the first one is.
    """
    key = np.where(rows.mask != 0, uniforms, np.inf)
    first = np.argmin(key, axis=1)
    row = np.arange(len(key))
    rest = key.copy()
    rest[row, first] = np.inf
    second = np.where(np.isinf(rest).all(axis=1), first, np.argmin(rest, axis=1))
    return np.where(load[row, second] < load[row, first], second, first)


class PowerOfTwoStale(DrawingPolicy):
    """Compares the newest visible reports; silent edges are the more loaded ones.

    Args:
        measure: ``tasks`` queued, or seconds of ``backlog``.
    """

    def __init__(self, env: Any, measure: str = "tasks") -> None:
        super().__init__(env)
        self._measure = check_measure(measure)

    def choose(self, rows: Rows) -> Actions:
        """The better of two."""
        return better_of_two(self.load(rows), rows, self.uniforms(rows))

    def load(self, rows: Rows) -> Floats:
        """float64[n, B] by which two edges are compared."""
        values = rows.queued if self._measure == "tasks" else rows.backlog
        return avoiding_silent(supposed(averaged(values, rows, 1), rows), rows)


class PowerOfTwo(PowerOfTwoStale):
    """Compares what is truly queued and running (privileged: it reads the simulation)."""

    privileged = True

    def __init__(self, env: Any, measure: str = "tasks") -> None:
        super().__init__(env, measure)
        self._hidden = Hidden(env, self.layout.edges)

    def load(self, rows: Rows) -> Floats:
        """float64[n, B], infinite where an edge is down."""
        return self._hidden.queued(self._measure)


POLICIES = {
    "power-of-two": Entry(PowerOfTwo),
    "power-of-two-stale": Entry(PowerOfTwoStale),
}
