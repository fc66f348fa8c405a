"""The edge at which the oldest waiting task is estimated to finish first."""

from __future__ import annotations

import numpy as np

from baselines.edge_selection._load import wire_seconds
from baselines.edge_selection._observation import Actions, Floats, Rows
from baselines.edge_selection._policy import SelectionPolicy, least
from baselines.edge_selection._reports import averaged, avoiding_silent, supposed
from baselines.policy import Entry


def backlog_then(rows: Rows, arrives: Floats) -> Floats:
    """float64[n, B], seconds of work found at each edge ``arrives`` [n, B] seconds from now.

    An edge that works off a second of backlog a second, while work comes in at the utilisation u
    that was reported, loses 1 - u of a second: max(0, backlog - (1 - u) (age + arrives)). At least
    what this terminal itself has sent there and has no answer for.
    """
    share = np.minimum(supposed(averaged(rows.utilisation, rows), rows), 1.0)
    newest = supposed(averaged(rows.backlog, rows, 1), rows)
    passed = np.where(rows.known[:, :, 0], rows.age[:, :, 0], 0.0) + arrives
    others = np.maximum(newest - (1.0 - share) * passed, 0.0)
    own = rows.own * rows.batch_seconds / np.maximum(rows.executors, 1.0)
    return np.maximum(others, own)


class EarliestFinish(SelectionPolicy):
    """Sums reconnecting, wire, propagation both ways, queue and run at each edge.

    The bandwidth is the present one; the queue is what the newest report tells, corrected by its
    age; edges that have fallen silent are avoided. It neither explores nor knows of others that
    read the same report.
    """

    def choose(self, rows: Rows) -> Actions:
        """The edge of the earliest estimated answer; the lowest at equal ones."""
        elsewhere = ~rows.attached & rows.attached.any(axis=1, keepdims=True)
        start = np.where(elsewhere, rows.reconnect_seconds[:, None], 0.0)
        there = start + wire_seconds(rows)[:, None] + 0.5 * rows.rtt
        finish = there + backlog_then(rows, there) + rows.seconds + 0.5 * rows.rtt
        return least(avoiding_silent(finish, rows), rows.mask)


POLICIES = {"earliest-finish": Entry(EarliestFinish)}
