"""Plain systems for the closed forms: scenarios from numbers, and intervals by batch means."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tiergym import Scenario, load_scenario

IDEAL_LINK = {
    "bandwidth": {"constant": float("inf")},
    "rtt": 0.0,
    "per_package": 0.0,
    "packing": False,
}


def one_node(
    seconds: dict[str, Any],
    discipline: str = "fcfs",
    batch_max: int = 1,
    executors: int = 1,
    **node: Any,
) -> Scenario:
    """A lone cloud node that serves networks of the given batch laws."""
    return load_scenario(
        {
            "name": "one-node",
            "nodes": {
                "server": {
                    "tier": "cloud",
                    "profile": {"networks": seconds},
                    "discipline": discipline,
                    "batch_max": batch_max,
                    "executors": executors,
                    **node,
                }
            },
            "networks": {name: {"input_bytes": 1000} for name in seconds},
            "arrivals": {"process": "poisson", "rate": 1.0},
            "window": 1000.0,
        }
    )


def mean_and_error(
    values: np.ndarray, batches: int = 50, warm_up: int = 10_000
) -> tuple[float, float]:
    """Mean of a correlated sequence and its standard error by batch means."""
    kept = values[warm_up : len(values) - (len(values) - warm_up) % batches]
    means = kept.reshape(batches, -1).mean(axis=1)
    return float(means.mean()), float(means.std(ddof=1) / np.sqrt(batches))


def assert_near(values: np.ndarray, exact: float, batches: int = 50) -> None:
    """The mean of ``values`` is within four standard errors of ``exact``, and that says much."""
    mean, error = mean_and_error(values, batches)
    assert abs(mean - exact) < 4 * error, f"{mean} +- {error} is not {exact}"
    assert error < 0.03 * exact, f"the test would not notice an error of 12 %: {error} of {exact}"


def poisson(np_random: np.random.Generator, rate: float, tasks: int) -> np.ndarray:
    """Arrival times of a Poisson process."""
    return np.cumsum(np_random.exponential(1.0 / rate, tasks))


def mixed(np_random: np.random.Generator, shares: Sequence[float], tasks: int) -> np.ndarray:
    """A network for each task, drawn independently."""
    return np_random.choice(len(shares), size=tasks, p=shares).astype(np.int64)
