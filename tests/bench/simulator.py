"""The engine alone: events a second, beside SimPy on the same instances; and how it scales."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from tests.bench.environments import best_seconds
from tests.engine.queues import poisson
from tests.engine.test_closed_forms import tandem
from tests.reference.simulator import simulate as simulate_in_simpy
from tiergym import Instance, Scenario, load_scenario
from tiergym.engine import Simulation


def tandem_case(tasks: int) -> tuple[Scenario, Instance]:
    """Terminal, edge and cloud in a row, a third leaving at each exit, exponential service."""
    scenario, rng = load_scenario(tandem(0.3, 0.5, (1.0, 0.8, 0.5))), np.random.default_rng(0)
    sample = rng.choice(3, size=tasks, p=[0.3, 0.35, 0.35])
    jitter = rng.exponential(1.0, (3, tasks))
    return scenario, scenario.instance(poisson(rng, 0.6, tasks), sample=sample, jitter=jitter)


def shipped_case(name: str) -> tuple[Scenario, Instance]:
    """A draw from a shipped scenario, every node left to its built-in discipline."""
    scenario = load_scenario(name)
    return scenario, scenario.draw(np.random.default_rng(0))


def engine_seconds(scenario: Scenario, instance: Instance, repeats: int = 5) -> tuple[float, int]:
    """Wall seconds to run an instance to its end, loading not counted, and its events."""
    simulation = Simulation([scenario.system])
    seconds = []
    for _ in range(repeats):
        simulation.load(0, instance)
        began = time.perf_counter()
        simulation.run(0)
        seconds.append(time.perf_counter() - began)
    return min(seconds), int(simulation.head(0)["handled"])


def simpy_seconds(scenario: Scenario, instance: Instance) -> float:
    """Wall seconds of the SimPy reference for the same."""
    return best_seconds(lambda: simulate_in_simpy(scenario.system, instance), 2)


def rows_against_simpy() -> list[dict[str, Any]]:
    """Both on the same instances."""
    rows: list[dict[str, Any]] = []
    cases = {"tandem with exits, 5 000 tasks": tandem_case(5_000)}
    for name in ("titan-x-poisson-0.80", "titan-x-code-0.80"):
        cases[name] = shipped_case(name)
    for name, (scenario, instance) in cases.items():
        seconds, events = engine_seconds(scenario, instance)
        simpy = simpy_seconds(scenario, instance)
        rows.append(
            {
                "instance": name,
                "events": events,
                "engine, M events/s": events / seconds / 1e6,
                "SimPy, k events/s": events / simpy / 1e3,
                "ratio": simpy / seconds,
            }
        )
    return rows


def rows_by_size() -> list[dict[str, Any]]:
    """Nanoseconds an event from 10^3 to 10^6 tasks an episode."""
    rows: list[dict[str, Any]] = []
    for tasks in (1_000, 10_000, 100_000, 1_000_000):
        seconds, events = engine_seconds(*tandem_case(tasks), repeats=3)
        rows.append(
            {"tasks an episode": tasks, "events": events, "ns an event": seconds / events * 1e9}
        )
    return rows


def networks_scenario(networks: int, tasks: int = 1_000) -> dict[str, Any]:
    """One device with many equal networks and an uplink."""
    names = [f"n{k}" for k in range(networks)]
    law = {name: {"points": [[1, 0.004], [16, 0.02]]} for name in names}
    device = {"profile": {"networks": law}, "batch_max": 16}
    return {
        "name": f"{networks}-networks",
        "nodes": {
            "device": {"tier": "edge", **device},
            "upper": {"tier": "cloud", **device, "executors": 2},
        },
        "links": {
            "uplink": {
                "source": "device",
                "target": "upper",
                "bandwidth": {"constant": 30},
                "rtt": 0.02,
                "per_package": 0.004,
            }
        },
        "networks": {name: {"input_bytes": 16_000} for name in names},
        "arrivals": {"process": "poisson", "rate": 300},
        "tasks": tasks,
    }


def draw_seconds(name: str, draws: int = 200) -> float:
    """Seconds to draw one instance of a scenario."""
    scenario, np_random = load_scenario(name), np.random.default_rng(0)
    return best_seconds(lambda: [scenario.draw(np_random) for _ in range(draws)]) / draws
