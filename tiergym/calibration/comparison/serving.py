"""The runs' exit tables through the simulator: mean latency and accuracy by threshold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tiergym.calibration.comparison.variants import PATHS
from tiergym.engine import simulate
from tiergym.networks import ExitTable, load_network
from tiergym.scenarios import Scenario, load_scenario
from tiergym.scenarios.instance import Instance

THRESHOLDS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 0.98, 1.01)
"""Confidences, the same at both heads; at the last nobody leaves before block L."""
GAP = 2.0
"""Seconds between arrivals: nobody waits for anybody."""
PLACEMENTS = ((PATHS[0], PATHS[1]), (PATHS[1], PATHS[1]))
LINKS = ("lte", "5g-nsa-mmwave")
NETWORK = "vgg8-w16-separate-s0"
"""Gives blocks, sizes and counts; the exits are each run's own, and devices price the smaller
architecture."""


@dataclass(frozen=True, eq=False)
class Curve:
    """Of one run on one part of the images: float64 arrays by threshold."""

    latency: NDArray[np.float64]
    accuracy: NDArray[np.float64]


@dataclass(frozen=True)
class Setting:
    """A placement over a link."""

    placement: tuple[int, int]
    link: str

    def __str__(self) -> str:
        return f"exits after blocks {self.placement[0]} and {self.placement[1]}, {self.link}"


SETTINGS = tuple(Setting(placement, link) for placement in PLACEMENTS for link in LINKS)


def scenario_of(setting: Setting) -> Scenario:
    """A Raspberry Pi 3B+, a Xeon and a GPU, with the setting's placement and radio."""
    network = load_network(NETWORK)
    blocks = [
        {"out_elements": float(elements) / 2.0, "param_bytes": float(size) / 4.0}
        for elements, size in zip(network.out_elements, network.param_bytes, strict=True)
    ]
    exits = {"confidence": [[0.0] * (network.blocks + 1)], "correct": [[0] * (network.blocks + 1)]}
    return load_scenario(
        {
            "name": f"schemes-{setting.link}",
            "nodes": {
                "terminal": {"tier": "terminal", "profile": "raspberry-pi-3b-plus-ncnn"},
                "edge": {"tier": "edge", "profile": "xeon-silver-4114-help"},
                "cloud": {"tier": "cloud", "profile": "rtx-2080-ti-help"},
            },
            "links": {
                "uplink": {"source": "terminal", "target": "edge", "profile": setting.link},
                "backhaul": {
                    "source": "edge",
                    "target": "cloud",
                    "bandwidth": 1000,
                    "rtt": 0.030,
                    "per_package": 0.0,
                },
            },
            "networks": {
                "vgg8-w8": {
                    "input_bytes": network.input_bytes,
                    "blocks": blocks,
                    "exits": exits,
                    "placement": list(setting.placement),
                    "thresholds": [0.5, 0.5],
                }
            },
            "features": "float16",
            "arrivals": {"process": "deterministic", "rate": 1.0 / GAP},
            "window": 100.0,
        }
    )


def curve(scenario: Scenario, table: ExitTable, thresholds: Sequence[float] = THRESHOLDS) -> Curve:
    """Serve every image of a table once, alone, at each threshold."""
    system = replace(
        scenario.system,
        exit_confidence=table.confidence.ravel(),
        exit_correct=table.correct.ravel(),
        network_samples=np.array([table.samples]),
    )
    instance = _instance(scenario, table.samples)
    latency, accuracy = np.empty(len(thresholds)), np.empty(len(thresholds))
    for k, threshold in enumerate(thresholds):
        level = np.full((1, 2), threshold)
        log = simulate(replace(system, route_threshold=level), instance)
        latency[k], accuracy[k] = float(log.delay.mean()), float(log.correct.mean())
    return Curve(latency, accuracy)


def _instance(scenario: Scenario, samples: int) -> Instance:
    arrival = GAP * np.arange(samples, dtype=np.float64)
    instance = scenario.instance(arrival, window=GAP * samples)
    return replace(instance, sample=np.arange(samples))


def best_within(chosen_on: Curve, scored_on: Curve, latency: float) -> float:
    """Accuracy at the threshold that is most accurate among those within a mean latency.

    Args:
        chosen_on: the validation rows; ``scored_on``: the test rows.

    Returns:
        NaN if no threshold is within it.
    """
    within = chosen_on.latency <= latency
    if not within.any():
        return float("nan")
    return float(scored_on.accuracy[np.argmax(np.where(within, chosen_on.accuracy, -1.0))])


def quickest_at(chosen_on: Curve, scored_on: Curve, accuracy: float) -> float:
    """Mean latency at the quickest threshold among those of at least an accuracy; NaN if none."""
    able = chosen_on.accuracy >= accuracy
    if not able.any():
        return float("nan")
    return float(scored_on.latency[np.argmin(np.where(able, chosen_on.latency, np.inf))])
