"""Observations of EdgeSelection built by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np

ID = "tiergym/EdgeSelection-v0"
B, H = 8, 8
REPORT = ("utilisation", "queued", "backlog", "held", "arrivals", "attached", "age")
EDGE = ("in_range", "rtt", "attached", "seconds", "batch_seconds", "executors", "own")
TERMINAL = ("index", "terminals", "stage", "bandwidth", "waiting", "payload", "slack", "out")
SELECTION = ("attach_every", "mark", "hold", "reconnect", "timeout", "interval")

Single = dict[str, np.ndarray]


def environment(edges: int = B) -> Any:
    """What a policy reads of an environment."""
    env = SimpleNamespace(max_edges=edges, spec=SimpleNamespace(id=ID))
    env.unwrapped = env
    return env


def edge(reports: Sequence[Mapping[str, float]] = (), **changes: float) -> dict[str, Any]:
    """An edge in range, by what it reported, the newest first."""
    usual = {"in_range": 1, "rtt": 0.01, "seconds": 0.1, "batch_seconds": 0.05, "executors": 1}
    return {"reports": list(reports), **usual, **changes}


def reported(*values: float, field: str = "utilisation", interval: float = 1.0) -> list[Any]:
    """Reports, the newest first, one an interval, that differ in one field."""
    return [{field: value, "age": 0.1 + k * interval} for k, value in enumerate(values)]


def observe(
    edges: Sequence[Mapping[str, Any]],
    elapsed: float = 0.5,
    interval: float = 1.0,
    reconnect: float = 0.0,
    **terminal: float,
) -> Single:
    """A single observation; ``terminal`` takes the names of `TERMINAL`."""
    reports, table = np.zeros((B, H, len(REPORT))), np.zeros((B, len(EDGE)))
    reports[:, :, -1] = 100.0
    for e, one in enumerate(edges):
        table[e] = [one.get(name, 0.0) for name in EDGE]
        for k, report in enumerate(one["reports"]):
            reports[e, k] = [report.get(name, 0.0) for name in REPORT]
    own = {"terminals": 3, "bandwidth": 8.0, "waiting": 1, "payload": 0.1, **terminal}
    fixed = {"mark": 0.8, "reconnect": reconnect, "timeout": 1.0, "interval": interval}
    return {
        "reports": reports.ravel().astype(np.float32),
        "edge": table.ravel().astype(np.float32),
        "terminal": np.array([own.get(name, 0.0) for name in TERMINAL], np.float32),
        "since": np.full(3, 100.0, np.float32),
        "selection": np.array([fixed.get(name, 0.0) for name in SELECTION], np.float32),
        "time": np.array([elapsed, 0.1], np.float32),
        "weights": np.array([1, 0, 0, 0], np.float32),
        "action_mask": (table[:, 0] > 0).astype(np.int8),
    }


def stacked(observations: Sequence[Single]) -> Single:
    """With a row axis."""
    return {name: np.stack([one[name] for one in observations]) for name in observations[0]}


def drawn(rng: np.random.Generator, edges: int = 5) -> Single:
    """A random observation: some edges out of range, some without reports or silent."""
    made: list[Any] = []
    there = rng.random(edges) < 0.7
    there[rng.integers(edges)] = True
    attached = int(rng.choice(np.flatnonzero(there)))
    for e in range(edges):
        count = int(rng.integers(H + 1)) if there[e] else 0
        late = 5.0 * (rng.random() < 0.2)
        told = [
            {**dict(zip(REPORT, rng.random(6).tolist(), strict=False)), "age": 0.2 + late + k}
            for k in range(count)
        ]
        far = float(rng.random() / 20) if there[e] else 0.0
        made.append(
            edge(told, in_range=float(there[e]), rtt=far, attached=float(e == attached), own=e % 2)
        )
    stage, index = float(rng.integers(2)), float(rng.integers(3))
    return observe(made, elapsed=float(rng.random()), reconnect=0.05, stage=stage, index=index)


def over() -> Single:
    """The last observation of an episode, in which only action 0 is legal."""
    last = observe([edge(in_range=0.0), edge(reported(0.1), attached=1.0)], stage=1)
    last["action_mask"][:] = 0
    last["action_mask"][0] = 1
    return last
