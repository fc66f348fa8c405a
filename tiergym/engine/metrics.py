"""The figures of a finished episode, as a flat mapping of floats."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tiergym.engine.layout import Bytes, row_view
from tiergym.engine.log import TaskLog, read_log
from tiergym.scenarios.system import TIER_NAMES, System

NAN = float("nan")


def metrics_of(row: Bytes, system: System, node: int) -> dict[str, float]:
    """Metrics of a row over its charged tasks; NaN where unknown.

    Args:
        row: the bytes of a row whose episode has ended.
        system: its system.
        node: the node whose decisions were studied; ``device_*``, batches and the share of
            pre-uploads are its own, ``uplink_*`` its link's, ``upper_*`` the node's above.

    Returns:
        Seconds for delays, tasks a second for throughputs (answered within the arrival window over
        its length), shares between 0 and 1, joules; delays are over answered tasks only, while a
        refused task counts as late and wrong.
    """
    log = read_log(row, system.network_names)
    head = row_view(row, "head")[0]
    return {
        **_costs(head, system),
        **_delays(log),
        **_throughput(log, float(head["window"])),
        **_outcomes(log),
        **_work(row, system, node),
        "joules": float(head["joules"]) if _has_watts(system) else NAN,
        "decisions": float(head["decisions"]),
        "invalid_actions": float(head["invalid_actions"]),
        "episode_seconds": float(head["clock"]),
    }


def _costs(head: Any, system: System) -> dict[str, float]:
    cost, refused = system.cost, int(head["refused"])
    seconds = float(head["task_seconds"]) + cost.refusal_seconds * refused
    parts = {
        "cost_delay": cost.delay_weight * seconds,
        "cost_error": cost.error_weight * (int(head["wrong"]) + refused),
        "cost_late": cost.late_weight * (int(head["late"]) + refused),
        "cost_energy": cost.energy_weight * float(head["joules"]),
    }
    return {"cost": sum(parts.values()), **parts}


def _delays(log: TaskLog) -> dict[str, float]:
    delay = log.delay[log.charged & ~log.refused]
    if len(delay) == 0:
        return dict.fromkeys(("mean_delay", "p50_delay", "p95_delay", "p99_delay"), NAN)
    p50, p95, p99 = np.percentile(delay, (50, 95, 99))
    return {
        "mean_delay": float(delay.mean()),
        "p50_delay": float(p50),
        "p95_delay": float(p95),
        "p99_delay": float(p99),
    }


def _throughput(log: TaskLog, window: float) -> dict[str, float]:
    answered = log.charged & ~log.refused & (log.finish <= window)
    in_time = answered & (log.finish <= log.deadline)
    return {
        "throughput": float(answered.sum()) / window,
        "throughput_in_time": float(in_time.sum()) / window,
    }


def _outcomes(log: TaskLog) -> dict[str, float]:
    charged = log.charged
    tasks = int(charged.sum())
    right = np.where(log.refused, 0.0, log.correct)[charged]
    tiers = {
        f"answered_{name}": float((log.tier[charged] == tier).sum()) / tasks
        for tier, name in enumerate(TIER_NAMES)
    }
    return {
        "tasks": float(tasks),
        "late_share": float(log.late[charged].sum()) / tasks,
        "refused": float(log.refused[charged].sum()),
        "accuracy": float(right.mean()) if not np.isnan(right).any() else NAN,
        "pre_uploaded_share": float(log.pre_uploaded[charged].sum()) / tasks,
        **tiers,
    }


def _work(row: Bytes, system: System, node: int) -> dict[str, float]:
    nodes, links = row_view(row, "node"), row_view(row, "link")
    seconds = float(row_view(row, "head")["clock"][0])
    own, uplink = nodes[node], int(system.node_uplink[node])
    figures = {
        "batches": float(own["batches"]),
        "mean_batch": _ratio(own["batch_tasks"], own["batches"]),
        "max_batch": float(own["largest_batch"]),
        "device_utilisation": _used(nodes, system, node, seconds),
    }
    if uplink < 0:
        return {**figures, **dict.fromkeys(_UPWARD, NAN)}
    link, upper = links[uplink], int(system.link_target[uplink])
    return {
        **figures,
        "packages": float(link["packages"]),
        "mean_package_tasks": _ratio(link["tasks"], link["packages"]),
        "uplink_utilisation": _ratio(link["busy_seconds"], seconds),
        "upper_utilisation": _used(nodes, system, upper, seconds),
    }


_UPWARD = ("packages", "mean_package_tasks", "uplink_utilisation", "upper_utilisation")


def _used(nodes: NDArray[Any], system: System, node: int, seconds: float) -> float:
    return _ratio(nodes["busy_seconds"][node], seconds * int(system.node_executors[node]))


def _ratio(above: float, below: float) -> float:
    return float(above) / float(below) if below > 0 else NAN


def _has_watts(system: System) -> bool:
    """Whether any node or link draws power; where no source tells it, joules are unknown."""
    return bool((system.node_busy_watts > 0).any() or (system.link_base_watts > 0).any())
