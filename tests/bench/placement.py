"""ExitPlacement: decisions, tasks and events a second by rows, and the engine beside SimPy."""

from __future__ import annotations

import time
from typing import Any

import gymnasium as gym
import numpy as np

from tests.bench.environments import best_seconds, record
from tests.reference.simulator import simulate as simulate_in_simpy
from tiergym import load_scenario
from tiergym.engine import Simulation
from tiergym.scenarios import split_scenarios

ID = "tiergym/ExitPlacement-v0"
SCENARIOS = split_scenarios("exit_placement", "train")


def rows_by_rows() -> list[dict[str, Any]]:
    """ExitPlacement-v0, split train, episodes played to their ends under random legal actions."""
    return [_played(rows, episodes) for rows, episodes in ((1, 8), (64, 2), (1_024, 1))]


def _played(rows: int, rounds: int) -> dict[str, Any]:
    """Every row plays some whole episodes; resets and observations count, choosing does not."""
    env = gym.make_vec(ID, num_envs=rows, vectorization_mode="vector_entry_point")
    longest = max(len(range(0, int(s.window / _interval(s)) + 1)) for s in env.unwrapped.scenarios)  # type: ignore[attr-defined]
    simulation: Any = env.unwrapped._episodes.rows.simulation  # type: ignore[attr-defined]
    decisions = tasks = events = 0
    seconds = 0.0
    for seed in range(rounds):
        actions = record(env, rows, longest, seed)
        began = time.perf_counter()
        env.reset(seed=seed)
        for action in actions:
            _, _, terminated, _, _ = env.step(action)
            if terminated.all():
                break
        seconds += time.perf_counter() - began
        heads = [simulation.head(row) for row in range(rows)]
        decisions += sum(int(head["decisions"]) for head in heads)
        tasks += sum(int(head["tasks"]) for head in heads)
        events += sum(int(head["handled"]) for head in heads)
    return {
        "rows": rows,
        "decisions/s": f"{decisions / seconds:,.0f}",
        "tasks/s": f"{tasks / seconds:,.0f}",
        "M events/s": events / seconds / 1e6,
    }


def _interval(scenario: Any) -> float:
    return float(scenario.system.placing.interval_seconds)


def rows_against_simpy() -> list[dict[str, Any]]:
    """Both on the same draw and the same placements, drawn anew at every interval."""
    rows: list[dict[str, Any]] = []
    for name in SCENARIOS[:2]:
        scenario = load_scenario(name)
        instance = scenario.draw(np.random.default_rng(0))
        routes: list[int] = []
        rng = np.random.default_rng(1)

        def place(view: Any, routes: list[int] = routes, rng: Any = rng) -> int:
            routes.append(int(rng.choice(view.legal)))
            return routes[-1]

        began = time.perf_counter()
        simulate_in_simpy(scenario.system, instance, place=place)
        simpy = time.perf_counter() - began
        simulation = Simulation([scenario.system], places=True)
        seconds = best_seconds(lambda s=simulation, i=instance, r=routes: _replay(s, i, r))
        events = int(simulation.head(0)["handled"])
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


def _replay(simulation: Simulation, instance: Any, routes: list[int]) -> None:
    simulation.start(0, instance, check=False)
    for route in routes:
        simulation.place(0, route)
    assert simulation.ended(0)
