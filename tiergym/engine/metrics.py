"""The figures of a finished episode, as a flat mapping of floats."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tiergym.engine.compiling import compiled
from tiergym.engine.layout import NONE, Bytes, row_view
from tiergym.engine.views import (
    World,
    head,
    link_at,
    link_spec,
    node_at,
    node_spec,
    open_world,
    task_at,
)
from tiergym.scenarios.system import TIER_NAMES, System

NAN = float("nan")

_COSTS = ("cost", "cost_delay", "cost_error", "cost_late", "cost_energy")
_DELAYS = ("mean_delay", "p50_delay", "p95_delay", "p99_delay")
_TALLIED = (
    "tasks",
    "throughput",
    "throughput_in_time",
    "late_share",
    "refused",
    "accuracy",
    "pre_uploaded_share",
    *(f"answered_{name}" for name in TIER_NAMES),
    "batches",
    "mean_batch",
    "max_batch",
    "device_utilisation",
    "packages",
    "mean_package_tasks",
    "uplink_utilisation",
    "upper_utilisation",
    "decisions",
    "invalid_actions",
    "episode_seconds",
    "joules",
)
METRICS = (*_COSTS, *_DELAYS, *_TALLIED)
"""Names of the metrics in their order."""


def metrics_of(
    rows: Bytes, base: int, models: Bytes, system: System, node: int, watts_known: bool
) -> dict[str, float]:
    """Metrics of the row at ``base`` over its charged tasks; NaN where unknown.

    Args:
        rows, base, models: of the `Simulation`; the episode has ended.
        system: its system.
        node: the node whose decisions were studied; ``device_*`` and batches are its own,
            ``uplink_*`` and packages its link's, ``upper_*`` the node's above.
        watts_known: whether the joules of every node and link are known; NaN is told if not.

    Returns:
        Seconds for delays, tasks a second for throughputs (answered within the arrival window over
        its length), shares between 0 and 1, joules; delays are over answered tasks only, while a
        refused task counts as late and wrong.
    """
    record = row_view(rows[base:], "head")[0]
    delays = np.empty(int(record["tasks"]), np.float64)
    tallied = np.full(len(_TALLIED), NAN)
    answered = _tally(rows, base, models, node, delays, tallied)
    if not watts_known:
        tallied[-1] = NAN
    values = [*_costs(record, system), *_delays(delays[:answered]), *tallied.tolist()]
    return dict(zip(METRICS, values, strict=True))


def _costs(record: Any, system: System) -> list[float]:
    cost, refused = system.cost, int(record["refused"])
    seconds = float(record["task_seconds"]) + cost.refusal_seconds * refused
    parts = [
        cost.delay_weight * seconds,
        cost.error_weight * (int(record["wrong"]) + refused),
        cost.late_weight * (int(record["late"]) + refused),
        cost.energy_weight * float(record["joules"]),
    ]
    return [sum(parts), *parts]


def _delays(delay: NDArray[np.float64]) -> list[float]:
    if len(delay) == 0:
        return [NAN] * len(_DELAYS)
    delay.sort()
    return [float(delay.mean()), *(quantile(delay, share) for share in (0.5, 0.95, 0.99))]


def quantile(ordered: NDArray[np.float64], share: float) -> float:
    """A quantile of values in rising order, linear between neighbours (NumPy's default).

    Much quicker than `numpy.quantile` on a few hundred values, which counts at every episode's end.
    """
    at = share * (len(ordered) - 1)
    low = int(at)
    high = min(low + 1, len(ordered) - 1)
    return float(ordered[low] + (ordered[high] - ordered[low]) * (at - low))


@compiled
def _tally(rows: Any, base: int, models: Any, n: int, delays: Any, out: Any) -> int:
    """Fill ``out`` in the order of `_TALLIED`, ``delays`` with those answered; returns how many."""
    w = open_world(rows, base, models)
    h = head(w)
    answered = _tally_tasks(w, delays, out)
    own, seconds = node_at(w, n), h.clock
    out[10] = own.batches
    out[11] = _ratio(own.batch_tasks, own.batches)
    out[12] = own.largest_batch
    out[13] = _used(w, n, seconds)
    e = node_spec(w, n).uplink
    if e != NONE:
        out[14] = link_at(w, e).packages
        out[15] = _ratio(link_at(w, e).tasks, link_at(w, e).packages)
        out[16] = _ratio(link_at(w, e).busy_seconds, seconds)
        out[17] = _used(w, link_spec(w, e).target, seconds)
    out[18] = h.decisions
    out[19] = h.invalid_actions
    out[20] = seconds
    out[21] = h.joules
    return answered


@compiled
def _tally_tasks(w: World, delays: Any, out: Any) -> int:
    h = head(w)
    answered, tasks, late = 0, 0, 0
    for k in range(10):
        out[k] = 0.0
    for i in range(h.tasks):
        task = task_at(w, i)
        if task.charged == 1:
            tasks += 1
            out[6] += task.pre_uploaded
            if task.refused == 1:
                late += 1
                out[4] += 1.0
            else:
                delays[answered] = task.finish - task.arrival
                answered += 1
                late += 1 if task.finish > task.deadline else 0
                out[1] += 1.0 if task.finish <= h.window else 0.0
                out[2] += 1.0 if task.finish <= min(h.window, task.deadline) else 0.0
                out[5] += task.correct if task.correct >= 0 else np.nan
                out[7 + task.tier] += 1.0
    out[0] = tasks
    out[1] /= h.window
    out[2] /= h.window
    out[3] = late / tasks
    for k in range(5, 10):
        out[k] /= tasks
    return answered


@compiled
def _used(w: World, n: int, seconds: float) -> float:
    return _ratio(node_at(w, n).busy_seconds, seconds * node_spec(w, n).executors)


@compiled
def _ratio(above: float, below: float) -> float:
    return above / below if below > 0 else math.nan
