"""Compiles what the tests run, in one process and with a message: ``python -m tests.warm``."""

from __future__ import annotations

import time
from typing import Any

import gymnasium as gym
import numpy as np

import tiergym
from baselines import make_policy, policy_names
from tests.envs import small_placement
from tiergym.scenarios import load_scenario, scenario_names

SCHEDULING, PLACEMENT = "tiergym/TaskScheduling-v0", "tiergym/ExitPlacement-v0"

SMALL: dict[str, Any] = {
    "nodes": {
        "device": {"tier": "terminal", "profile": {"networks": {"net": 0.02}}, "batch_max": 2},
        "server": {"tier": "edge", "profile": {"networks": {"net": 0.004}}, "batch_max": 2},
    },
    "links": {"link": {"source": "device", "target": "server", "bandwidth": {"constant": 20}}},
    "networks": {"net": {"network": {"input_bytes": 30_000}, "deadline": 0.1}},
    "arrivals": {"process": "poisson", "rate": 40},
    "tasks": 20,
}


def draw_every_scenario() -> None:
    """Compile the loops of the draws."""
    for name in scenario_names():
        load_scenario(name).draw(np.random.default_rng(0))


def play_every_policy(environment: str, scenario: Any) -> None:
    """Compile the engine, the single and the vector environment, and the policies."""
    env = gym.make(environment, scenario=scenario)
    for name in policy_names(environment):
        tiergym.rollout(env, make_policy(name, env), seed=0)
    envs = gym.make_vec(environment, 2, "vector_entry_point", scenario=scenario)
    tiergym.rollout(envs, make_policy("random", envs), seed=[0, 1])


if __name__ == "__main__":
    print("Compiling what changed since the last run ...", flush=True)
    began = time.perf_counter()
    draw_every_scenario()
    play_every_policy(SCHEDULING, SMALL)
    play_every_policy(PLACEMENT, small_placement.scenario())
    print(f"Compiled in {time.perf_counter() - began:.0f} s.", flush=True)
