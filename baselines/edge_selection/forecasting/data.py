"""Series of load to fit and to measure forecasters on: recorded ones, and simulated reports."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from baselines.edge_selection.forecasting.windows import HORIZONS, LENGTH, Floats
from tiergym.engine.layout import KEPT_REPORTS
from tiergym.evaluation.suites import FIRST_SEED, FIRST_VALIDATION_SEED
from tiergym.workload import load_series

ENVIRONMENT = "tiergym/EdgeSelection-v0"
MACHINES = (2, 3, 4, 5, 6, 8)
"""EC2 servers of the Numenta Anomaly Benchmark whose load varies; 1 and 7 stand at 0.1 %."""
EPISODES = 4
"""Of each scenario. Their seeds are those of no suite and of no training."""
SHORTEST = LENGTH + 2 * HORIZONS[-1] + 4
"""Reports below which a series is left out."""

SERIES_SEED = {"train": FIRST_VALIDATION_SEED + 500_000_000, "test": FIRST_SEED + 140_000_000}

Series = Mapping[str, Floats]
"""By name, float64[T], utilisation from 0 to 1, evenly spaced. Those of one machine or one scenario
have the part of their names before ``/`` in common."""


def recorded(split: str) -> Series:
    """CPU load of real servers every five minutes: ``train`` their first halves, ``test`` the rest.

    Source: Numenta Anomaly Benchmark; see ``tiergym/workload/series``.
    """
    half = {"train": "a", "test": "b"}[split]
    names = [f"nab-ec2-{machine}-{half}" for machine in MACHINES]
    return {name: load_series(name).values / 100.0 for name in names}


def simulated(split: str, episodes: int = EPISODES) -> Series:
    """Utilisation that edges report in drawn episodes of the scenarios of a split.

    Terminals attach at random, so reports tell of other users and of an even share of the
    terminals. A series ends where an edge fails.
    """
    env: Any = gym.make(ENVIRONMENT, scenario=split).unwrapped
    found: dict[str, Floats] = {}
    for scenario in env.scenarios:
        if scenario.system.selection.report_interval == 0.0:
            continue
        for episode in range(episodes):
            options = {"scenario": scenario.name}
            reports = play_reports(env, SERIES_SEED[split] + episode, options)
            for edge, values in enumerate(reports):
                found |= _stretches(f"{scenario.name}/{episode}/{edge}", values, scenario)
    return found


def _stretches(name: str, reports: Floats, scenario: Any) -> Series:
    """Reports [T, 2] (time, utilisation) cut where one is missing, pieces that are long enough."""
    if not len(reports):
        return {}
    interval = scenario.system.selection.report_interval
    gaps = np.flatnonzero(np.diff(reports[:, 0]) > 1.5 * interval) + 1
    pieces = np.split(np.minimum(reports[:, 1], 1.0), gaps)
    return {f"{name}/{k}": one for k, one in enumerate(pieces) if len(one) >= SHORTEST}


def play_reports(env: Any, seed: int, options: Mapping[str, Any] | None = None) -> list[Floats]:
    """For each edge float64[T, 2], time and utilisation of all reports within the arrival window.

    Args:
        env: a single environment, unwrapped; edges are drawn among those in range.
    """
    draws = np.random.default_rng(seed)
    observation, _ = env.reset(seed=seed, options=dict(options or {}))
    simulation, over = env._episodes.rows.simulation, False
    found: list[dict[float, float]] = [{} for _ in simulation.view(0, "edge")]
    while not over:
        _collect(simulation, found)
        action = draws.choice(np.flatnonzero(observation["action_mask"]))
        observation, _, over, _, _ = env.step(action)
    _collect(simulation, found)
    tables = [np.array(sorted(one.items())).reshape(-1, 2) for one in found]
    return [table[table[:, 0] <= env._episodes.rows.begun(0).window] for table in tables]


def _collect(simulation: Any, found: Sequence[dict[float, float]]) -> None:
    kept = simulation.view(0, "report").reshape(-1, KEPT_REPORTS)
    published = simulation.view(0, "edge")["reports"]
    for e, one in enumerate(found):
        if published[e] > len(one):
            told: NDArray[Any] = kept[e][kept[e]["time"] > 0.0]
            one.update(zip(told["time"].tolist(), told["utilisation"].tolist(), strict=True))


SOURCES: Mapping[str, Callable[[str], Series]] = {"nab": recorded, "simulated": simulated}
"""Where series come from, by name: each maps ``train`` or ``test`` to series."""
