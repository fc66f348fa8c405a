"""What TaskScheduling shows, against a slow recount from the state and the instance."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.envs import small
from tiergym.engine.layout import NONE
from tiergym.envs.task_scheduling.env import TaskSchedulingEnv

F = np.float32


def recount(env: TaskSchedulingEnv) -> dict[str, Any]:
    """The fields that change, from the queues' chains, the executors and the instance's arrays."""
    simulation = env._episodes.rows.simulation
    scenario, instance = env.scenarios[0], env._episodes.rows.instances[0]
    assert instance is not None
    system, node = scenario.system, scenario.schedule_node
    now = float(simulation.head(0)["clock"])
    task = simulation.view(0, "task")
    shown: dict[str, Any] = {
        name: np.zeros(8, F)
        for name in (
            "queue_length",
            "oldest_age",
            "mean_age",
            "oldest_slack",
            "youngest_slack",
            "arrivals_1s",
            "arrivals_10s",
        )
    }
    for slot, group in enumerate(simulation.slots[0]):
        queue = simulation.view(0, "queue")[node * system.groups + group]
        chain, at = [], int(queue["first"]) if queue["length"] else NONE
        while at != NONE:
            chain.append(at)
            at = int(task["next"][at])
        came = instance.arrival[(instance.network == group // 3) & instance.charged]
        shown["arrivals_1s"][slot] = ((came > now - 1) & (came <= now)).sum()
        shown["arrivals_10s"][slot] = ((came > now - 10) & (came <= now)).sum()
        if chain:
            arrival, deadline = task["arrival"][chain], task["deadline"][chain]
            assert sorted(arrival) == arrival.tolist()
            shown["queue_length"][slot] = len(chain)
            shown["oldest_age"][slot] = now - arrival[0]
            shown["mean_age"][slot] = now - arrival.mean()
            shown["oldest_slack"][slot] = deadline[0] - now
            shown["youngest_slack"][slot] = deadline[-1] - now
    held = float(simulation.view(0, "node")["held"][node])
    free = (system.node_memory[node] - held) / 1e6
    shown["free_megabytes"] = np.array([free if np.isfinite(free) else -1.0], F)
    shown["time"] = np.array([0, min(now / scenario.window, 1)], F)
    return shown


@pytest.mark.parametrize("name", small.ALL)
def test_observations_are_what_a_slow_recount_finds(name: str) -> None:
    scenario = small.ALL[name]()
    scenario["window"], scenario["arrivals"]["rate"] = 12.0, 150
    env = TaskSchedulingEnv(scenario)
    observation, info = env.reset(seed=0)
    np_random, terminated, decision = np.random.default_rng(0), False, 0
    old = 0.0
    while not terminated:
        if decision % 5 == 0:
            for field, expected in recount(env).items():
                got = observation[field].copy()
                if field == "time":
                    assert got[0] == F(info["elapsed"])
                    got[0] = 0
                assert got == pytest.approx(expected, abs=2e-6, rel=1e-6), field
        old = max(old, float(observation["arrivals_10s"].sum() - observation["arrivals_1s"].sum()))
        action = int(np_random.choice(np.flatnonzero(observation["action_mask"])))
        observation, _, terminated, _, info = env.step(action)
        decision += 1
    assert old > 0, "no arrival was ever older than a second"


@pytest.mark.parametrize(("package_max", "packages"), [(None, 1), (1e6, 1), (20_000.0, 2)])
def test_what_waits_for_the_uplink_counts_its_packages(
    package_max: float | None, packages: int
) -> None:
    """A payload of 20 kB on the wire; of 8 and 20 kB that wait each needs a package of 20 kB."""
    scenario = small.scenario()
    scenario["links"]["uplink"] |= {"bandwidth": {"constant": 8}, "per_package": 0.5}
    if package_max is not None:
        scenario["links"]["uplink"]["package_max"] = package_max
    env = TaskSchedulingEnv(scenario, invalid_action="raise")
    instance = env.scenarios[0].instance([0.0] * 4, network=[1, 1, 0, 0], window=2.0)
    env.reset(options={"instance": instance})
    env.step(1 + 40 + 5)
    env.step(1 + 40 + 5)
    observation, *_ = env.step(1 + 40)
    expected = 0.5 + 0.02 + packages * 0.5 + 0.028
    assert observation["uplink"][0] == pytest.approx(expected)


def test_uplink_and_upper_fields() -> None:
    """One payload of 20 kB at 8 Mbit/s takes 2 + 20 ms; the answer tells what was queued above."""
    scenario = small.scenario()
    scenario["links"]["uplink"]["bandwidth"] = {"constant": 8}
    scenario["nodes"]["device"]["profile"]["jitter_cv"] = 0
    env = TaskSchedulingEnv(scenario, invalid_action="raise")
    instance = env.scenarios[0].instance([0.0, 0.0, 0.01, 1.0], network=[1, 0, 0, 0], window=2.0)
    observation, _ = env.reset(options={"instance": instance})
    assert observation["uplink"] == pytest.approx([0, 0, 8, 0.02, 0.002])
    assert observation["upper"].tolist() == [0, 100, 2]
    assert observation["payload_megabytes"][:3] == pytest.approx([0.008, 0.02, 0])
    assert observation["run_seconds"].reshape(8, 5)[0] == pytest.approx(
        [0.004, 0.008, 0.016, 0.032, 0]
    )
    assert observation["upper_seconds"].reshape(8, 5)[1] == pytest.approx(
        [0.005, 0.01, 0.02, 0.04, 0.08]
    )
    large = 1 + 40 + 5
    observation, *_ = env.step(large)
    assert observation["uplink"] == pytest.approx([0.022, 0.02, 8, 0.02, 0.002])
    observation, *_ = env.step(1)
    while not observation["upper"][1] < 100:
        observation, *_ = env.step(0 if not observation["action_mask"][1] else 1)
    told = 0.022 + 0.01 + 0.005
    assert observation["upper"][0] == 0.0
    assert observation["upper"][1] == pytest.approx(1.0 - told, abs=1e-6)
