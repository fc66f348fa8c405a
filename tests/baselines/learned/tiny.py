"""A scenario in which an agent has something to learn within seconds, and sizes to match."""

from __future__ import annotations

from typing import Any

TASK_SCHEDULING = "tiergym/TaskScheduling-v0"
EXIT_PLACEMENT = "tiergym/ExitPlacement-v0"

SIZES: dict[str, Any] = {"max_networks": 2, "batch_sizes": [1, 4], "max_executors": 1}


def uploading_pays() -> dict[str, Any]:
    """A terminal that takes 0.2 s a task, under an edge that takes 1 ms: run nothing, upload all.

    Twenty tasks a second arrive, so whoever runs some of them here lets the others wait.
    """
    return {
        "name": "uploading-pays",
        "nodes": {
            "slow": {"tier": "terminal", "profile": {"networks": {"net": 0.2}}, "batch_max": 4},
            "fast": {"tier": "edge", "profile": {"networks": {"net": 0.001}}, "batch_max": 4},
        },
        "links": {"link": {"source": "slow", "target": "fast", "bandwidth": {"constant": 100}}},
        "networks": {"net": {"network": {"input_bytes": 1_000}, "deadline": 0.1}},
        "arrivals": {"process": "poisson", "rate": 20},
        "window": 2.0,
        "cost": {"delay_weight": 1, "late_weight": 0},
    }
