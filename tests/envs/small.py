"""Small TaskScheduling scenarios: quick to play, and each with something that the others lack."""

from __future__ import annotations

from typing import Any


def scenario(**changes: Any) -> dict[str, Any]:
    """Two networks on an edge device with an uplink; ``changes`` replace top-level fields."""
    laws = {"small": 0.004, "large": {"points": [[1, 0.01], [8, 0.03]]}}
    return {
        "name": "small",
        "nodes": {
            "device": {
                "tier": "edge",
                "profile": {"networks": laws, "jitter_cv": 0.2},
                "batch_max": 8,
            },
            "upper": {
                "tier": "cloud",
                "profile": {"networks": {"small": 0.002, "large": 0.005}},
                "executors": 2,
                "batch_max": 8,
            },
        },
        "links": {
            "uplink": {
                "source": "device",
                "target": "upper",
                "bandwidth": {
                    "ar1": {
                        "median": 20,
                        "sigma": 0.4,
                        "rho": 0.9,
                        "step": 0.1,
                        "low": 4,
                        "high": 60,
                    }
                },
                "rtt": 0.02,
                "per_package": 0.002,
            }
        },
        "networks": {
            "small": {"input_bytes": 8000, "popularity": 0.7, "deadline": 0.1},
            "large": {"input_bytes": 20000, "popularity": 0.3, "deadline": 0.2},
        },
        "arrivals": {"process": "poisson", "rate": 200},
        "window": 0.5,
        "cost": {"delay_weight": 1, "late_weight": 1},
        **changes,
    }


def lonely() -> dict[str, Any]:
    """No uplink: batches and waiting are all there is."""
    full = scenario(name="lonely")
    del full["nodes"]["upper"], full["links"]
    return full


def tight() -> dict[str, Any]:
    """Little memory: batches that do not fit, and refused tasks."""
    full = scenario(name="tight", cost={"delay_weight": 1, "refusal_seconds": 10})
    full["nodes"]["device"] |= {"memory_bytes": 150_000, "executors": 2}
    full["arrivals"] = {"process": "mmpp", "rates": [0.2, 4.0], "dwell": [0.2, 0.1], "rate": 500}
    return full


def three_tiers() -> dict[str, Any]:
    """A terminal with exits below an edge and a cloud, another user's load on the edge."""
    confidence = [[0, 0.9, 0.9, 1], [0, 0.2, 0.9, 1], [0, 0.1, 0.3, 1]]
    exits = {"confidence": confidence, "correct": [[0, 1, 1, 1], [0, 0, 1, 1], [0, 0, 0, 1]]}
    law = {"blocks": [0.006, 0.004, 0.002], "heads": {1: 0.001, 2: 0.001}, "base": 0.001}
    network = {
        "name": "deep",
        "input_bytes": 9000,
        "blocks": [{"out_elements": 3000}] * 3,
        "exits": exits,
    }
    return scenario(
        name="three-tiers",
        nodes={
            "device": {"tier": "terminal", "profile": {"networks": {"deep": law}}, "batch_max": 4},
            "edge": {"tier": "edge", "profile": {"networks": {"deep": law}}, "batch_max": 4},
            "cloud": {"tier": "cloud", "profile": {"networks": {"deep": law}}, "batch_max": 8},
        },
        links={
            "up": {
                "source": "device",
                "target": "edge",
                "bandwidth": {"constant": 20},
                "rtt": 0.01,
            },
            "far": {
                "source": "edge",
                "target": "cloud",
                "bandwidth": {"constant": 50},
                "rtt": 0.04,
            },
        },
        networks={
            "deep": {
                "network": network,
                "placement": [1, 2],
                "thresholds": [0.8, 0.8],
                "deadline": 0.1,
            }
        },
        arrivals={"process": "poisson", "rate": 150, "origin": "device"},
        background=[{"node": "edge", "network": "deep", "process": "poisson", "rate": 30}],
        cost={"delay_weight": 1, "error_weight": 0.1, "late_weight": 0.5},
    )


def idle_edge() -> dict[str, Any]:
    """The edge is scheduled, and nearly every task leaves at the terminal before it."""
    full = three_tiers()
    full |= {"name": "idle-edge", "schedule": "edge", "background": [], "window": 0.2}
    full["networks"]["deep"]["thresholds"] = [0.15, 0.8]
    table = full["networks"]["deep"]["network"]["exits"]
    table["confidence"] = table["confidence"][:2] * 40 + table["confidence"][2:]
    table["correct"] = table["correct"][:2] * 40 + table["correct"][2:]
    return full


ALL = {"small": scenario, "lonely": lonely, "tight": tight, "three-tiers": three_tiers}
