"""The true future of other users' load (privileged)."""

from __future__ import annotations

import numpy as np

from baselines.edge_selection._hidden import Hidden
from baselines.edge_selection._observation import Floats, Rows
from baselines.edge_selection.forecasting.windows import HORIZONS

LEAST_SPAN = 1.0
"""Seconds that stand for a report interval where reports are always fresh."""


class Oracle:
    """Other users' work to come, as a share of capacity, in each report interval from now on.

    It knows of no terminal's own work, so it is no bound where that is most of the load.
    """

    def __init__(self, hidden: Hidden) -> None:
        self._hidden = hidden

    def __call__(self, rows: Rows) -> Floats:
        """float64[n, B, 4], by edge and by `HORIZONS`; may exceed 1."""
        span = spans(rows)
        each = [self._hidden.offered((steps - 1) * span, steps * span) for steps in HORIZONS]
        return np.stack(each, axis=2)


def spans(rows: Rows) -> Floats:
    """float64[n], seconds of a step."""
    return np.where(rows.report_interval > 0.0, rows.report_interval, LEAST_SPAN)
