"""The edge with the shortest true queue: a reference, not a bound."""

from __future__ import annotations

from typing import Any

import numpy as np

from baselines.edge_selection._hidden import Hidden, check_measure
from baselines.edge_selection._observation import Actions, Rows
from baselines.edge_selection._policy import DrawingPolicy, least
from baselines.policy import Entry

_DOWN = 1e12


class JoinShortestQueue(DrawingPolicy):
    """Reads the true queues (privileged); ties break at random.

    Args:
        measure: ``tasks`` queued and running; or their seconds over the executors, ``backlog``,
            which joins the least work.
    """

    privileged = True

    def __init__(self, env: Any, measure: str = "tasks") -> None:
        super().__init__(env)
        self._measure = check_measure(measure)
        self._hidden = Hidden(env, self.layout.edges)

    def choose(self, rows: Rows) -> Actions:
        """The edge in range with the least there; one that is down only if all are."""
        queued = np.minimum(self._hidden.queued(self._measure), _DOWN)
        return least(queued, rows.mask, self.uniforms(rows))


POLICIES = {
    "join-shortest-queue": Entry(JoinShortestQueue),
    "least-work": Entry(JoinShortestQueue, {"measure": "backlog"}),
}
