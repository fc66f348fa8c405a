"""EdgeSelection: decisions and events a second by rows and terminals, and what a policy costs."""

from __future__ import annotations

import time
from typing import Any

import gymnasium as gym
import numpy as np

from baselines.registry import make_policy
from tests.bench.environments import record
from tests.bench.simulator import engine_seconds
from tests.reference.simulator import simulate as simulate_in_simpy
from tiergym import load_scenario

ID = "tiergym/EdgeSelection-v0"
POLICIES = ("random", "least-load", "two-stage-ar", "two-stage")


def scenario(terminals: int) -> dict[str, Any]:
    """Eight edges with other users, a choice at every upload, reports every half second."""
    return {
        "name": f"{terminals}-terminals",
        "problem": "edge_selection",
        "terminals": {"count": terminals, "radios": {"lte": 1, "5g-nsa-low": 1}},
        "edges": [{"count": 8, "profile": {"networks": {"net": 0.01}}}],
        "sites": {"places": "eua-melbourne-west", "range_km": 1.0},
        "selection": {"attach_every": "task", "report_interval": 0.5},
        "networks": {"net": {"input_bytes": 15_000, "deadline": 0.5}},
        "arrivals": {"process": "poisson", "load": 0.6},
        "background": [{"edges": "all", "network": "net", "process": "poisson", "load": 0.2}],
        "window": 10.0,
    }


def rows_by_rows() -> list[dict[str, Any]]:
    """EdgeSelection-v0, eight edges, random legal actions, resets included."""
    return [
        _played(rows, steps, terminals)
        for terminals in (8, 200)
        for rows, steps in ((1, 20_000), (64, 6_000), (1_024, 600))
    ]


def _played(rows: int, steps: int, terminals: int) -> dict[str, Any]:
    given = {"scenario": scenario(terminals), "vectorization_mode": "vector_entry_point"}
    env: Any = gym.make_vec(ID, num_envs=rows, **given)
    actions = record(env, rows, steps)
    env.reset(seed=0)
    simulation: Any = env.unwrapped._episodes.rows.simulation
    began = time.perf_counter()
    for action in actions:
        env.step(action)
    seconds = time.perf_counter() - began
    heads = [simulation.head(row) for row in range(rows)]
    share = sum(int(h["handled"]) for h in heads) / max(1, sum(int(h["decisions"]) for h in heads))
    return {
        "terminals": terminals,
        "rows": rows,
        "decisions/s": f"{rows * steps / seconds:,.0f}",
        "M events/s": f"{rows * steps / seconds * share / 1e6:.2f}",
    }


def rows_of_policies() -> list[dict[str, Any]]:
    """Microseconds that a decision of a policy takes, the environment's step beside it."""
    found: list[dict[str, Any]] = []
    for rows in (1, 64):
        given = {"scenario": scenario(8), "vectorization_mode": "vector_entry_point"}
        env: Any = gym.make_vec(ID, num_envs=rows, **given)
        for name in POLICIES:
            policy: Any = make_policy(name, env)
            if hasattr(policy, "seed"):
                policy.seed(list(range(rows)))
            found.append({"rows": rows, "policy": name, **_costs(env, policy, rows, 400)})
    return found


def _costs(env: Any, policy: Any, rows: int, steps: int) -> dict[str, str]:
    observation, state = env.reset(seed=0)[0], None
    thinking = stepping = 0.0
    for _ in range(steps):
        began = time.perf_counter()
        action, state = policy.predict(observation, state)
        thinking += time.perf_counter() - began
        began = time.perf_counter()
        observation = env.step(action)[0]
        stepping += time.perf_counter() - began
    each = 1e6 / (steps * rows)
    return {"us a decision": f"{thinking * each:.2f}", "us a step": f"{stepping * each:.2f}"}


def rows_against_simpy() -> list[dict[str, Any]]:
    """Both on the same draw, attached to the nearest edge by the built-in rule."""
    found: list[dict[str, Any]] = []
    for terminals in (8, 200):
        made = load_scenario(scenario(terminals))
        instance = made.draw(np.random.default_rng(0))
        began = time.perf_counter()
        simulate_in_simpy(made.system, instance)
        simpy = time.perf_counter() - began
        seconds, events = engine_seconds(made, instance)
        found.append(
            {
                "terminals": terminals,
                "events": events,
                "engine, M events/s": events / seconds / 1e6,
                "SimPy, k events/s": events / simpy / 1e3,
                "ratio": simpy / seconds,
            }
        )
    return found
