"""Small EdgeSelection scenarios: quick to play, and each with something that the others lack."""

from __future__ import annotations

from typing import Any

INF = float("inf")
PLACES = {
    "name": "crossing",
    "site_km": [[0.0, 0.0], [0.3, 0.1], [-0.2, 0.3], [0.1, -0.4], [0.6, 0.5]],
    "user_km": [[0.1 * (k % 7) - 0.3, 0.08 * (k // 7) - 0.3] for k in range(56)],
}
"""Five sites among a lattice of users."""
NEAR = [[0.004, 0.012, INF], [0.012, INF, 0.004], [INF, 0.004, 0.012], [0.008, 0.008, 0.008]]
"""Round trips of four terminals to three edges; each reaches another edge best."""


def server(seconds: float, **changes: Any) -> dict[str, Any]:
    """A profile on which batches of four take twice as long as a task alone."""
    curve = {"points": [[1, seconds], [4, 2.0 * seconds]]}
    return {"networks": {"net": curve, "large": 3.0 * seconds}, "jitter_cv": 0.1, **changes}


def drifting(median: float) -> dict[str, Any]:
    """A bandwidth that wanders about its median, Mbit/s."""
    limits = {"low": median / 4.0, "high": 4.0 * median}
    return {"ar1": {"median": median, "sigma": 0.4, "rho": 0.9, "step": 0.25, **limits}}


def small(**changes: Any) -> dict[str, Any]:
    """Four terminals and three unequal edges, stale reports; ``changes`` replace fields."""
    return {
        "name": "small",
        "problem": "edge_selection",
        "terminals": {
            "count": 4,
            "radios": {
                "slow": {"share": 1, "bandwidth": drifting(8.0), "per_package": 0.001},
                "fast": {"share": 1, "bandwidth": drifting(20.0)},
            },
            "package_max": 20_000,
        },
        "edges": [
            {"count": 2, "profile": server(0.02), "batch_max": 4},
            {"profile": server(0.008), "batch_max": 4, "executors": 2, "extra_rtt": 0.02},
        ],
        "sites": {"rtt": NEAR},
        "selection": {"report_interval": 0.5, "hold_seconds": 0.5, "overload_mark": 0.6},
        "networks": {
            "net": {"input_bytes": 4000, "popularity": 0.8, "deadline": 0.15},
            "large": {"input_bytes": 9000, "popularity": 0.2, "deadline": 0.6},
        },
        "background": [
            {"edges": "all", "network": "net", "process": "poisson", "load": [0.2, 0.6, 0.4]}
        ],
        "arrivals": {"process": "poisson", "load": 0.4},
        "window": 3.0,
        "cost": {"delay_weight": 1, "late_weight": 0.1},
        **changes,
    }


def mobile() -> dict[str, Any]:
    """Terminals that walk, and edges that they lose on the way."""
    sites = {"places": PLACES, "range_km": 0.3, "speed_kmh": 300.0, "moving": 0.5, "step": 0.2}
    return small(name="mobile", sites=sites)


def failing() -> dict[str, Any]:
    """Edges that go down now and then, all but the last; slow to come back to."""
    full = small(name="failing")
    full["failures"] = {"mean_up": 1.5, "mean_down": 0.4, "edges": [0, 1]}
    full["selection"] |= {"timeout_seconds": 0.2, "reconnect_seconds": 0.05}
    return full


def fetching() -> dict[str, Any]:
    """A cloud: the last blocks run there, and edges fetch what they lack from it."""
    blocks = [{"param_bytes": 200_000, "out_elements": 500}, {"param_bytes": 400_000}]
    laws = {"blocks": [0.006, 0.012], "heads": {1: 0.001}}
    profile = {"networks": {"net": 0.004, "large": 0.01, "cut": laws}}
    full = small(name="fetching", background=[])
    full["networks"] = {
        "net": {"input_bytes": 4000, "blocks": [{"param_bytes": 800_000}], "deadline": 0.3},
        "cut": {
            "input_bytes": 6000,
            "blocks": blocks,
            "exits": {
                "confidence": [[0.0, 0.9, 1.0], [0.0, 0.3, 1.0], [0.0, 0.7, 1.0]],
                "correct": [[0, 1, 1], [0, 0, 1], [0, 0, 0]],
            },
            "placement": [0, 1],
            "thresholds": [0.6, 0.6],
        },
    }
    full["edges"] = [
        {"profile": profile, "memory_bytes": 4e6, "deployed": ["net"]},
        {"profile": profile, "memory_bytes": 4e6, "deployed": ["cut"]},
        {"profile": profile, "memory_bytes": 4e6, "deployed": "none", "batch_max": 2},
    ]
    full["cloud"] = {"profile": profile, "executors": 2, "batch_max": 4}
    full["backhaul"] = {"bandwidth": 50, "rtt": 0.01, "per_package": 0.001}
    full["arrivals"] = {"process": "mmpp", "rates": [1, 4], "dwell": [0.5, 0.3], "load": 0.5}
    full["cost"] = {"delay_weight": 1, "error_weight": 0.2, "refusal_seconds": 300}
    return full


def per_task() -> dict[str, Any]:
    """A choice at every upload, and never a move."""
    full = small(name="per task")
    full["selection"] = {"attach_every": "task", "moves": False, "report_interval": 0.25}
    return full


def fresh() -> dict[str, Any]:
    """Reports without any delay; an attachment holds for half a second."""
    full = small(name="fresh")
    full["selection"] |= {"attach_every": 0.5, "report_interval": 0}
    return full


def idealised(edges: int = 3) -> dict[str, Any]:
    """Equal servers at no distance behind infinitely fast radios: a dispatcher's problem."""
    full = small(name="idealised", background=[])
    full["terminals"] = {"count": 4, "radios": {"ideal": {"bandwidth": INF}}}
    full["edges"] = [{"count": edges, "profile": {"networks": {"net": 0.01}}}]
    full["networks"] = {"net": {"input_bytes": 1000}}
    full["sites"] = {"rtt": 0.0}
    full["selection"] = {
        "attach_every": "task",
        "moves": False,
        "reconnect_seconds": 0.0,
        "report_interval": 0.0,
    }
    return full


ALL = {
    "small": small,
    "mobile": mobile,
    "failing": failing,
    "fetching": fetching,
    "per task": per_task,
    "fresh": fresh,
    "idealised": idealised,
}
"""Scenarios by their names."""
