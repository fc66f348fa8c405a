"""Scenarios from plain numbers that the tests share."""

from __future__ import annotations

import copy
from typing import Any

PLAIN: dict[str, Any] = {
    "name": "mine",
    "nodes": {
        "device": {
            "tier": "edge",
            "profile": {
                "networks": {"small": 0.004, "large": {"points": [[1, 0.01], [8, 0.04]]}},
            },
            "batch_max": 8,
        },
        "upper": {
            "tier": "cloud",
            "profile": {"networks": {"small": 0.001, "large": 0.002}},
            "executors": 2,
        },
    },
    "links": {
        "uplink": {
            "source": "device",
            "target": "upper",
            "bandwidth": {"constant": 30},
            "rtt": 0.02,
        },
    },
    "networks": {
        "small": {"input_bytes": 20000, "popularity": 0.7, "deadline": 0.1},
        "large": {"input_bytes": 40000, "popularity": 0.3},
    },
    "arrivals": {"process": "poisson", "rate": 50},
    "window": 20,
}

THREE_TIERS: dict[str, Any] = {
    "name": "three",
    "nodes": {
        "phone": {
            "tier": "terminal",
            "profile": {
                "networks": {
                    "net": {"blocks": [0.01, 0.02, 0.03], "heads": {1: 0.001, 2: 0.002}},
                },
            },
        },
        "edge": {
            "tier": "edge",
            "profile": {
                "networks": {
                    "net": {"base": 0.5, "blocks": [0.001, 0.002, 0.003], "heads": {2: 0.004}},
                },
            },
        },
        "cloud": {"tier": "cloud", "profile": {"networks": {"net": {"blocks": [0.1, 0.2, 0.3]}}}},
    },
    "links": {
        "up": {"source": "phone", "target": "edge", "bandwidth": 8},
        "wire": {"source": "edge", "target": "cloud", "bandwidth": 80, "per_package": 0.01},
    },
    "networks": {
        "net": {
            "input_bytes": 1000,
            "blocks": [
                {"param_bytes": 10, "out_elements": 500},
                {"param_bytes": 20, "out_elements": 50},
                {"param_bytes": 40, "out_elements": 5},
            ],
            "exits": {
                "confidence": [[0, 0.9, 0.9, 0.9], [0, 0.1, 0.9, 0.9], [0, 0.1, 0.2, 0.9]] * 2,
                "correct": [[0, 1, 1, 1], [0, 0, 1, 1], [0, 0, 0, 1]] * 2,
            },
            "placement": [1, 2],
            "thresholds": [0.8, 0.7],
        },
    },
    "arrivals": {"process": "poisson", "rate": 2, "origin": "phone"},
    "tasks": 100,
}


def example(base: dict[str, Any] = PLAIN, **changes: object) -> dict[str, Any]:
    """A copy with fields replaced; ``a__b=1`` sets ``a.b`` and ``...`` removes it."""
    result = copy.deepcopy(base)
    for key, value in changes.items():
        *path, last = key.split("__")
        inner: Any = result
        for name in path:
            inner = inner[int(name)] if isinstance(inner, list) else inner.setdefault(name, {})
        if value is ...:
            del inner[last]
        else:
            inner[last] = value
    return result
