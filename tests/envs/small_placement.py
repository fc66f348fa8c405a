"""Small ExitPlacement scenarios: quick to play, and each with something that the others lack."""

from __future__ import annotations

from typing import Any

import numpy as np

BLOCKS = 4


def exits(seed: int = 0, samples: int = 60) -> dict[str, list[list[float]]]:
    """An exit table, deeper heads surer and more often right, with validation rows."""
    rng = np.random.default_rng(seed)
    found: dict[str, list[list[float]]] = {}
    for part in ("", "validation_"):
        depth = np.linspace(0.2, 0.9, BLOCKS + 1)
        confidence = np.clip(rng.normal(depth, 0.2, (samples, BLOCKS + 1)), 0.0, 1.0)
        correct = (rng.random((samples, BLOCKS + 1)) < depth).astype(int)
        found[f"{part}confidence"] = confidence.tolist()
        found[f"{part}correct"] = correct.tolist()
    return found


def device(seconds: float, **changes: Any) -> dict[str, Any]:
    """A profile whose blocks take ``seconds`` each, its heads a fifth of it."""
    laws = {
        "base": seconds / 4,
        "blocks": [{"points": [[1, seconds], [4, 2 * seconds]]}] * BLOCKS,
        "heads": dict.fromkeys(range(1, BLOCKS + 1), seconds / 5),
    }
    return {"networks": {"net": laws, "other": 3 * seconds}, "jitter_cv": 0.1, **changes}


def scenario(**changes: Any) -> dict[str, Any]:
    """A chain of three nodes, other users at the edge; ``changes`` replace top-level fields."""
    blocks = [{"param_bytes": 1e5 * (k + 1), "out_elements": 3000 >> k} for k in range(BLOCKS)]
    network = {"input_bytes": 3000, "blocks": blocks, "exits": exits()}
    return {
        "name": "small",
        "problem": "exit_placement",
        "interval_seconds": 0.4,
        "nodes": {
            "terminal": {"tier": "terminal", "profile": device(0.01), "load_rate": 1e7},
            "edge": {"tier": "edge", "profile": device(0.004), "load_rate": 2e7, "batch_max": 4},
            "cloud": {
                "tier": "cloud",
                "profile": device(0.001),
                "load_rate": float("inf"),
                "executors": 2,
                "batch_max": 4,
            },
        },
        "links": {
            "uplink": {
                "source": "terminal",
                "target": "edge",
                "bandwidth": {
                    "ar1": {
                        "median": 8,
                        "sigma": 0.5,
                        "rho": 0.9,
                        "step": 0.1,
                        "low": 1,
                        "high": 40,
                    }
                },
                "rtt": 0.01,
                "per_package": 0.001,
                "package_max": 20_000,
            },
            "backhaul": {"source": "edge", "target": "cloud", "bandwidth": 100, "rtt": 0.04},
        },
        "networks": {
            "net": {"network": network, "thresholds": [0.6, 0.7], "deadline": 0.15},
            "other": {"input_bytes": 1000, "popularity": 0},
        },
        "background": [{"node": "edge", "network": "other", "process": "poisson", "rate": 20}],
        "arrivals": {"process": "poisson", "rate": 30},
        "window": 3.0,
        "cost": {"delay_weight": 1, "error_weight": 0.2, "late_weight": 0.1},
        **changes,
    }


def tight() -> dict[str, Any]:
    """Little memory: pairs that do not fit beside what is held, slow loads, refused tasks."""
    full = scenario(name="tight", cost={"delay_weight": 1, "refusal_seconds": 60})
    full["nodes"]["terminal"] |= {"memory_bytes": 1_060_000, "load_rate": 1e6}
    full["nodes"]["edge"] |= {"memory_bytes": 500_000, "load_rate": 1e6}
    full["arrivals"] = {"process": "mmpp", "rates": [0.5, 3.0], "dwell": [0.5, 0.3], "rate": 40}
    return full


def decided() -> dict[str, Any]:
    """Thresholds that are part of the decision; needs ``max_thresholds``."""
    full = scenario(name="decided")
    full["networks"]["net"]["thresholds"] = {"decided": [[0.5, 0.5], [0.8, 0.8], [9.0, 9.0]]}
    return full


def late_deciding() -> dict[str, Any]:
    """One interval only, so that the first decision is the last."""
    return scenario(name="once", interval_seconds=5.0)


ALL = {"small": scenario, "tight": tight, "once": late_deciding}
