"""Results made up from known effects, so that scores, claims and the page can be checked."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from tiergym.evaluation.records import Record
from tiergym.evaluation.results import Results
from tiergym.evaluation.scenes import Scene
from tiergym.evaluation.suites import Suite, load_suite

SEEDS = 24
POLICIES = ("fcfs", "fcfs-batched", "fcfs-batched+upload", "sufferage", "priority+upload")

COST: Mapping[str, float] = {
    "fcfs": 100.0,
    "sufferage": 60.0,
    "fcfs-batched": 20.0,
    "fcfs-batched+upload": 5.0,
    "priority+upload": 4.0,
}
"""Typical cost by policy; without packing the uploading ones cost twice that."""


def suite(policies: tuple[str, ...] = POLICIES, **changes: Any) -> Suite:
    return load_suite(
        {
            "name": "made-up",
            "environment": "tiergym/TaskScheduling-v0",
            "reference": "fcfs-batched+upload",
            "policies": list(policies),
            "scenarios": ["calm-0.50", "calm-0.80", "bursty-0.80"],
            "seeds": SEEDS,
            **changes,
        }
    )


def scene(label: str, base: str = "", ablation: str = "", **facts: Any) -> Scene:
    capacity = {"unbatched": 10.0, "local": 30.0, "uplink": 20.0, "upper": 90.0, "total": 50.0}
    known: dict[str, Any] = {
        "name": label,
        "version": 1,
        "description": f"made up <{label}>",
        "arrivals": label.split("-")[0],
        "device": "board",
        "load": float(label.split("@")[0].split("-")[1]),
        "overload": 4.0,
        "rate": 40.0,
        "window": 20.0,
        "capacity": capacity,
        "deadlines": {"net": 0.1, "other": math.inf},
        "popularity": {"net": 1.0, "other": None},
        "nodes": {},
        "links": {},
        "sources": {"device board": {"kind": "published", "from": "a & b", "url": "https://x.org"}},
    }
    return Scene(
        label, label, "d" * 64, POLICIES, base or label, ablation, True, {**known, **facts}
    )


def scenes() -> list[Scene]:
    labels = ("calm-0.50", "calm-0.80", "bursty-0.80")
    return [
        *(scene(label) for label in labels),
        scene("bursty-0.80@unpacked", "bursty-0.80", "unpacked"),
    ]


def record(policy: str, where: str, seed: int, cost: float, **metrics: float | None) -> Record:
    delays = {"40": 10, "55": 30, "70": 5}
    told: dict[str, float | None] = {
        "cost": cost,
        "mean_delay": cost / 100,
        "p95_delay": cost / 50,
        "p99_delay": cost / 40,
        "late_share": min(1.0, cost / 200),
        "throughput": 100 / cost,
        "answered_edge": 0.8,
        "answered_cloud": 0.15,
        "answered_terminal": 0.0,
        "device_utilisation": 0.9,
        "uplink_utilisation": None,
        "upper_utilisation": 0.2,
        "pre_uploaded_share": 0.15,
        "accuracy": None,
        "refused": 0.0,
        "decisions": 500.0,
        **metrics,
    }
    return {
        "policy": policy,
        "scenario": where,
        "seed": seed,
        "instance": f"instance {where.split('@')[0]} {seed}",
        "privileged": policy == "oracle",
        "metrics": told,
        "delays": delays,
        "tiergym": "0.1.0",
        "numpy": "2",
        "numba": "0",
        "code": "c" * 64,
    }


def records(
    effects: Mapping[tuple[str, str], float] | None = None, noise: float = 0.1
) -> list[Any]:
    """Records of every policy on every scene.

    Args:
        effects: (policy, kind of arrivals) -> factor on the typical cost.
        noise: log-standard deviation of what no two policies share; instances vary far more.
    """
    generator = np.random.default_rng(5)
    made: list[Any] = []
    hardness = {place.label: generator.normal(0, 1, SEEDS) for place in scenes()}
    for place in scenes():
        hard = hardness[place.base]
        for policy in POLICIES:
            if place.ablation and not policy.endswith("upload"):
                continue
            factor = (effects or {}).get((policy, place.facts["arrivals"]), 1.0)
            factor *= 2.0 if place.ablation else 1.0
            own = generator.normal(0, noise, SEEDS)
            costs = COST[policy] * factor * np.exp(hard + own)
            made += [
                record(policy, place.label, 2_000_000_000 + i, float(cost))
                for i, cost in enumerate(costs)
            ]
    return made


def results(**how: Any) -> Results:
    return Results(suite(), scenes(), records(**how))
