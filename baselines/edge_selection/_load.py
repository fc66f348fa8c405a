"""The load evaluation model: one index of load from what an edge has reported lately.

Four criteria, each between 0 and 1 among the edges in range of a terminal: utilisation as reported,
memory (megabytes held), link (seconds that the oldest waiting payload takes to get there: wire and
round trip) and queue (seconds of backlog), the latter three over the largest of the edges in range.
The index is their weighted sum.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from baselines.edge_selection._observation import HISTORY, Flags, Floats, Rows
from baselines.edge_selection._reports import averaged, avoiding_silent, supposed
from baselines.policy import check_number
from tiergym.errors import InvalidInput

CRITERIA = ("utilisation", "memory", "link", "queue")
HAND = {"utilisation": 0.3, "memory": 0.1, "link": 0.2, "queue": 0.4}
"""Weights set by hand: what delays a task counts most, memory least."""

Weights = str | Mapping[str, float]


def checked_weights(given: Any) -> Floats | None:
    """float64[4] in the order of `CRITERIA`, scaled to a sum of one; None for entropy weights.

    Args:
        given: ``hand``, ``entropy``, or a mapping of criteria to weights, the others zero.

    Raises:
        InvalidInput: for anything else.
    """
    if given == "entropy":
        return None
    table = HAND if given == "hand" else given
    if not isinstance(table, Mapping) or not table or not set(table) <= set(CRITERIA):
        allowed = f"hand, entropy or a mapping of {', '.join(CRITERIA)}"
        raise InvalidInput("weights", given, allowed)
    numbers = [
        check_number(f"weights.{name}", table.get(name, 0.0), 0.0, "a weight >= 0")
        for name in CRITERIA
    ]
    if not sum(numbers) > 0.0:
        raise InvalidInput("weights", given, "at least one above zero")
    return np.array(numbers) / sum(numbers)


def load_index(rows: Rows, weights: Floats | None, window: int = HISTORY) -> Floats:
    """float64[n, B], the index of each edge; of silent ones beyond all others.

    Args:
        weights: see `checked_weights`.
        window: newest visible reports that are averaged, 1 to H.
    """
    seconds = wire_seconds(rows)[:, None] + rows.rtt
    parts = [supposed(averaged(values, rows, window), rows) for values in _reported(rows)]
    criteria = np.stack([parts[0], parts[1], seconds, parts[2]], axis=2)
    criteria[:, :, 1:] = _over_largest(criteria[:, :, 1:], rows.in_range)
    shares = entropy_weights(rows, window) if weights is None else weights
    return avoiding_silent((criteria * shares.reshape(-1, 1, len(CRITERIA))).sum(axis=2), rows)


def _reported(rows: Rows) -> tuple[Floats, Floats, Floats]:
    return rows.utilisation, rows.held, rows.backlog


def wire_seconds(rows: Rows) -> Floats:
    """float64[n], seconds of the oldest waiting payload on the wire at the present bandwidth."""
    known = rows.bandwidth > 0.0
    return np.where(known, rows.payload / np.where(known, rows.bandwidth, 1.0), 0.0)


def _over_largest(values: Floats, there: Flags) -> Floats:
    """``values`` [n, B, ...] over the largest of those edges that are ``there``, at most 1."""
    mask = there.reshape(*there.shape, *[1] * (values.ndim - 2))
    largest = np.where(mask, values, 0.0).max(axis=1, keepdims=True)
    return np.minimum(values / np.where(largest > 0.0, largest, 1.0), 1.0)


def entropy_weights(rows: Rows, window: int = HISTORY) -> Floats:
    """float64[n, 4], weights by the entropy of each criterion over the visible reports.

    Criterion j of report i has the share p_ij = x_ij / sum_i x_ij; with the entropy
    e_j = -sum_i p_ij ln p_ij / ln m over m reports, w_j = (1 - e_j) / sum_k (1 - e_k): what differs
    more between reports counts more (Hwang and Yoon, Multiple Attribute Decision Making, 1981,
    after Shannon). The link's seconds stand in every report of an edge. Equal weights where no
    criterion differs, or fewer than two reports are visible.
    """
    there = (rows.known & rows.in_range[:, :, None])[:, :, :window]
    seconds = wire_seconds(rows)[:, None, None] + np.broadcast_to(rows.rtt[:, :, None], there.shape)
    parts = [values[:, :, :window] for values in _reported(rows)]
    values = np.stack([parts[0], parts[1], seconds, parts[2]], axis=3)
    values = np.where(there[..., None], values, 0.0).reshape(len(there), -1, len(CRITERIA))
    total = values.sum(axis=1, keepdims=True)
    share = values / np.where(total > 0.0, total, 1.0)
    entropy = -(share * np.log(np.where(share > 0.0, share, 1.0))).sum(axis=1)
    count = there.sum(axis=(1, 2))[:, None]
    spread = 1.0 - entropy / np.log(np.maximum(count, 2))
    spread = np.where((total[:, 0] > 0.0) & (count > 1), np.maximum(spread, 0.0), 0.0)
    whole = spread.sum(axis=1, keepdims=True)
    even = np.full_like(spread, 1.0 / len(CRITERIA))
    return np.where(whole > _ROUNDING, spread / np.where(whole > 0.0, whole, 1.0), even)


_ROUNDING = 1e-12
