"""Least load without herding: edges drawn the more often the less is queued there.

When many terminals act on the same report, the one that looks best is best for the first of them
only. Dahlin, Interpreting stale load information, IEEE TPDS 11(10), 2000, therefore spreads the
tasks that arrive until the next report so that all queues would be level by then ("basic load
interpretation"); the fresher the reports, the fewer those tasks, and the more it is least load.
"""

from __future__ import annotations

import numpy as np

from baselines.edge_selection._observation import Actions, Floats, Rows
from baselines.edge_selection._policy import DrawingPolicy
from baselines.edge_selection._reports import averaged, supposed
from baselines.policy import Entry


def level_shares(backlog: Floats, pace: Floats, tasks: Floats, there: Floats) -> Floats:
    """float64[n, B], shares of ``tasks`` that make the backlogs of the edges ``there`` level.

    Water filling: the level L solves sum_i max(0, L - backlog_i) pace_i = tasks, and edge i gets
    the share max(0, L - backlog_i) pace_i of it. With no tasks the least backlog gets all.

    Args:
        backlog: [n, B] seconds.
        pace: [n, B] tasks that an edge works off in a second, > 0.
        tasks: [n] expected.
        there: [n, B] edges in question, at least one a row.
    """
    order = np.argsort(np.where(there, backlog, np.inf), axis=1, kind="stable")
    high = np.take_along_axis(backlog, order, axis=1)
    wide = np.take_along_axis(np.where(there, pace, 0.0), order, axis=1)
    some = np.maximum(tasks, _FEW)[:, None]
    levels = (some + np.cumsum(high * wide, axis=1)) / np.cumsum(wide, axis=1)
    level = np.where(there.any(axis=1), levels.min(axis=1), 0.0)[:, None]
    filled = np.where(there, np.maximum(level - backlog, 0.0) * pace, 0.0)
    return filled / np.maximum(filled.sum(axis=1, keepdims=True), 1e-300)


_FEW = 1e-6


class LeastLoadRandomised(DrawingPolicy):
    """Draws an edge in range by `level_shares` of the reported backlogs.

    The tasks that arrive until the next report are taken from the reported rates of the edges in
    range times the report interval; silent edges take no part unless all are silent.
    """

    def choose(self, rows: Rows) -> Actions:
        """An edge in range, drawn."""
        usable = (rows.mask != 0) & ~rows.silent
        usable = np.where(usable.any(axis=1, keepdims=True), usable, rows.mask != 0)
        share = np.cumsum(self._shares(rows, usable), axis=1)
        drawn = self.uniforms(rows)[:, :1] * share[:, -1:]
        return np.argmax((share > drawn) & usable, axis=1)

    def _shares(self, rows: Rows, usable: Floats) -> Floats:
        backlog = supposed(averaged(rows.backlog, rows, 1), rows)
        rate = supposed(averaged(rows.arrivals, rows), rows)
        tasks = np.where(usable, rate, 0.0).sum(axis=1) * rows.report_interval
        seconds = np.where(rows.batch_seconds > 0.0, rows.batch_seconds, 1.0)
        return level_shares(backlog, np.maximum(rows.executors, 1.0) / seconds, tasks, usable)


POLICIES = {"least-load-randomised": Entry(LeastLoadRandomised)}
