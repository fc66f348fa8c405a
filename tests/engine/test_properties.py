"""Conservation and order, over random scenarios and random legal decisions."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.envs import small
from tiergym.engine.layout import NONE
from tiergym.envs.task_scheduling.env import TaskSchedulingEnv


@st.composite
def scenarios(draw: st.DrawFn) -> dict[str, Any]:
    """One of the small scenarios with other numbers in it."""
    scenario = small.ALL[draw(st.sampled_from(sorted(small.ALL)))]()
    device = scenario["nodes"]["device"]
    device["executors"] = draw(st.integers(1, 3))
    device["batch_max"] = draw(st.sampled_from([1, 2, 5, 8]))
    for node in scenario["nodes"].values():
        node["discipline"] = draw(st.sampled_from(["fcfs", "fcfs-batched", "priority"]))
    for link in scenario.get("links", {}).values():
        link["packing"] = draw(st.booleans())
        link["package_max"] = draw(st.sampled_from([1.0, 20_000.0, 1e6]))
        link["rtt"] = draw(st.sampled_from([0.0, 0.02]))
    scenario["arrivals"]["rate"] = draw(st.sampled_from([100, 400]))
    scenario["window"] = draw(st.sampled_from([0.25, 0.5]))
    return scenario


class Watch:
    """Looks at every state between decisions and keeps what must hold together."""

    def __init__(self, env: TaskSchedulingEnv) -> None:
        self.simulation = env._episodes.rows.simulation
        self.system = self.simulation.systems[0]
        self.clock = 0.0
        self.batches: dict[int, set[tuple[float, float]]] = {}

    def look(self) -> None:
        head = self.simulation.head(0)
        assert head["clock"] >= self.clock, "the clock goes back"
        self.clock = float(head["clock"])
        node = self.simulation.view(0, "node")
        assert (node["held"] >= -1e-6).all()
        assert (node["held"] <= self.system.node_memory + 1e-6).all(), (
            "more than the memory is held"
        )
        self._count_queues(node)
        self._note_batches(node)

    def _count_queues(self, node: np.ndarray) -> None:
        queue = self.simulation.view(0, "queue").reshape(self.system.nodes, -1)
        assert (queue["length"].sum(axis=1) == node["queued"]).all()

    def _note_batches(self, node: np.ndarray) -> None:
        executors = self.simulation.view(0, "executor")
        busy = np.flatnonzero(executors["group"] != NONE)
        assert len(busy) == (self.system.node_executors - node["idle"]).sum()
        for x in busy.tolist():
            span = float(executors["start"][x]), float(executors["duration"][x])
            self.batches.setdefault(x, set()).add(span)

    def finish(self) -> None:
        for spans in self.batches.values():
            ordered = sorted(spans)
            for (start, seconds), (following, _) in pairwise(ordered):
                assert start + seconds <= following, "two batches at once on one executor"


def bits_possible(instance: Any, link: int, until: float) -> float:
    part = slice(instance.piece_offset[link], instance.piece_offset[link + 1])
    start, bandwidth = instance.piece_start[part], instance.piece_bandwidth[part]
    end = np.clip(np.append(start[1:], np.inf), None, until)
    return float((bandwidth * np.clip(end - start, 0, None)).sum())


@settings(max_examples=60)
@given(scenarios(), st.integers(0, 10**6))
def test_conservation_and_order(scenario: dict[str, Any], seed: int) -> None:
    env = TaskSchedulingEnv(scenario, invalid_action="raise")
    observation, _ = env.reset(seed=seed)
    np_random, watch, terminated = np.random.default_rng(seed), Watch(env), False
    watch.look()
    while not terminated:
        action = int(np_random.choice(np.flatnonzero(observation["action_mask"])))
        observation, _, terminated, _, info = env.step(action)
        assert info["elapsed"] >= 0
        watch.look()
    watch.finish()
    instance = env._episodes.rows.instances[0]
    check_log(env.task_log(), instance)
    links = watch.simulation.view(0, "link")
    for link in range(watch.system.links):
        sent = float(links["bytes"][link]) * 8
        assert sent <= bits_possible(instance, link, watch.clock) * (1 + 1e-9)


def check_log(log: Any, instance: Any) -> None:
    """Every charged task ended exactly once, and nothing happened before its cause."""
    assert np.array_equal(log.arrival, instance.arrival)
    ended = ~np.isnan(log.finish)
    assert ended[log.charged].all()
    answered = ended & ~log.refused
    assert (log.tier[answered] >= 0).all()
    assert (log.exit_block[answered] > 0).all()
    assert (log.tier[log.refused] == -1).all()
    assert (log.exit_block[log.refused] == -1).all()
    assert (log.first_start[answered] >= log.arrival[answered]).all()
    assert (log.finish[answered] > log.first_start[answered]).all()
    assert (log.finish[log.refused] >= log.arrival[log.refused]).all()


@pytest.mark.parametrize("name", small.ALL)
def test_memory_is_given_back(name: str) -> None:
    """Once everything has left nothing is held, to rounding."""
    env = TaskSchedulingEnv(small.ALL[name]())
    env.reset(seed=0)
    terminated = False
    while not terminated:
        _, _, terminated, _, _ = env.step(0)
    simulation = env._episodes.rows.simulation
    background = ~env.task_log().charged
    held = simulation.view(0, "node")["held"]
    if not background.any():
        assert np.abs(held).max() < 1e-6
