"""What is made of the visible reports before policies compare edges."""

from __future__ import annotations

import numpy as np

from baselines.edge_selection._observation import HISTORY, Floats, Rows


def averaged(values: Floats, rows: Rows, window: int = HISTORY) -> Floats:
    """float64[n, B], mean over the newest ``window`` visible reports; NaN where there is none."""
    known = rows.known[:, :, :window]
    total = np.where(known, values[:, :, :window], 0.0).sum(axis=2)
    count = known.sum(axis=2)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def supposed(values: Floats, rows: Rows) -> Floats:
    """``values`` [n, B] with NaN replaced by the mean of the row's other edges in range, else 0.

    An edge of which nothing is known is supposed to be like the others: neither sought nor avoided.
    """
    there = rows.in_range & ~np.isnan(values)
    total = np.where(there, values, 0.0).sum(axis=1)
    mean = total / np.maximum(there.sum(axis=1), 1)
    return np.where(np.isnan(values), mean[:, None], values)


def avoiding_silent(cost: Floats, rows: Rows) -> Floats:
    """``cost`` [n, B], raised for silent edges beyond that of all others.

    Reports of an edge that has failed are of the time before; what they tell is not so any more.
    """
    return np.where(rows.silent, _BEYOND + cost, cost)


_BEYOND = 1e9
