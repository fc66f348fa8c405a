"""Hand-made and random observations of TaskScheduling-v0, and an environment of sizes only."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

SIZES = (1, 2, 4, 8, 16)
NETWORKS, EXECUTORS = 4, 2


@pytest.fixture
def sizes_env() -> Any:
    """What policies read from an environment when they are built."""
    env = SimpleNamespace(max_networks=NETWORKS, batch_sizes=SIZES)
    env.spec = SimpleNamespace(id="tiergym/TaskScheduling-v0")
    env.unwrapped = env
    return env


class World:
    """One observation, built from the tasks, the tables and what is busy; see `observe`."""

    def __init__(self) -> None:
        self.queue = np.zeros(NETWORKS)
        self.oldest_age = np.zeros(NETWORKS)
        self.run = np.zeros((NETWORKS, len(SIZES)))
        self.upper_run = np.zeros((NETWORKS, len(SIZES)))
        self.payload = np.full(NETWORKS, 0.05)
        self.executors = np.array([0.0, -1.0])
        self.uplink = np.full(5, -1.0)
        self.upper = np.array([0.0, 1000.0, 1.0])
        self.fits = np.full(NETWORKS, 1000)

    def with_uplink(self, busy: float = 0.0) -> World:
        """Give it an uplink of 40 Mbit/s: 0.05 MB take 10 ms, and 4 ms a package."""
        self.uplink = np.array([busy, 0.0, 40.0, 0.02, 0.004])
        return self

    def observe(self) -> dict[str, Any]:
        """The observation, without a row axis, its mask as the environment would make it."""
        mask = np.zeros((2, NETWORKS, len(SIZES)), dtype=np.int8)
        smaller = np.array((0, *SIZES[:-1]))
        for slot in range(NETWORKS):
            takes = self.queue[slot] > smaller
            memory = np.minimum(SIZES, self.queue[slot]) <= self.fits[slot]
            idle = (self.executors == 0).any()
            mask[0, slot] = takes & memory & (self.run[slot] > 0) & idle
            mask[1, slot] = takes & (self.upper_run[slot, 0] > 0) & (self.uplink[0] >= 0)
        fields = {
            "queue_length": self.queue,
            "oldest_age": self.oldest_age,
            "run_seconds": self.run.reshape(-1),
            "payload_megabytes": self.payload,
            "executor_seconds": self.executors,
            "uplink": self.uplink,
            "upper_seconds": self.upper_run.reshape(-1),
            "upper": self.upper,
        }
        seen: dict[str, Any] = {k: np.asarray(v, dtype=np.float32) for k, v in fields.items()}
        seen["action_mask"] = np.concatenate([np.ones(1, np.int8), mask.reshape(-1)])
        return seen


@pytest.fixture
def world() -> World:
    """An idle device with nothing queued and no uplink."""
    return World()


def random_world(rng: np.random.Generator) -> World:
    """Anything the environment may show: any lengths, tables, busy machines and memory."""
    world = World()
    world.queue = rng.integers(0, rng.choice([2, 6, 40]), NETWORKS).astype(float)
    world.oldest_age = np.where(world.queue > 0, rng.exponential(0.2, NETWORKS), 0.0)
    last = rng.integers(1, len(SIZES) + 1, NETWORKS)
    for slot in range(NETWORKS):
        world.run[slot, : last[slot]] = rng.uniform(0.002, 0.05) + np.sort(rng.random(last[slot]))
        world.upper_run[slot, : last[slot]] = rng.choice([0.0, 0.1, 1.0]) * world.run[slot, 0]
    world.payload = rng.uniform(0.005, 0.2, NETWORKS)
    world.executors = rng.choice([0.0, 0.03, -1.0], EXECUTORS)
    world.executors[0] = abs(world.executors[0])
    world.fits = rng.choice([0, 1, 3, 1000], NETWORKS)
    if rng.random() < 0.8:
        world.with_uplink(busy=rng.choice([0.0, 0.3]))
        world.uplink[2:] = rng.uniform(1, 100), rng.uniform(0, 0.5), rng.uniform(0, 0.3)
        world.upper[:2] = rng.exponential(0.1), rng.choice([0.0, 0.05, 1000.0])
    return world


@pytest.fixture
def random_observations() -> Any:
    """Function of (rows, seed): a list of single observations."""

    def make(rows: int, seed: int) -> list[dict[str, Any]]:
        rng = np.random.default_rng(seed)
        return [random_world(rng).observe() for _ in range(rows)]

    return make


@pytest.fixture
def stack() -> Any:
    """Function of a list of single observations: the observation of a vector environment."""

    def make(rows: list[dict[str, Any]]) -> dict[str, Any]:
        return {name: np.stack([row[name] for row in rows]) for name in rows[0]}

    return make


@pytest.fixture
def decode() -> Any:
    """Function of an action: ("wait",), or ("run" or "upload", slot, batch size)."""

    def read(action: int) -> tuple[Any, ...]:
        if action == 0:
            return ("wait",)
        kind, rest = divmod(int(action) - 1, NETWORKS * len(SIZES))
        return (("run", "upload")[kind], rest // len(SIZES), SIZES[rest % len(SIZES)])

    return read
