"""Policies that go wrong, and one that goes right, importable by worker processes."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from tiergym.errors import InvalidInput


class FirstRun:
    """Runs the lowest legal group at the lowest size, or waits."""

    def __init__(self, bad_arrival: float | None = None, how: str = "raise") -> None:
        self.bad_arrival = bad_arrival
        self.how = how

    def predict(
        self,
        observation: Any,
        state: Any = None,
        episode_start: Any = None,
        deterministic: bool = False,
    ) -> tuple[Any, Any]:
        mask = np.array(observation["action_mask"], np.int8)
        mask[..., 0] = mask[..., 1:].sum(-1) == 0
        if self.bad_arrival is not None:
            self._go_wrong(np.atleast_1d(observation["time"][..., 1]))
        return mask.argmax(-1), state

    def _go_wrong(self, passed: Any) -> None:
        if (passed > self.bad_arrival).any():
            if self.how == "die":
                os._exit(3)
            raise ZeroDivisionError("a bug of the user's")


class Picky(FirstRun):
    """Raises for one seed only."""

    def __init__(self, bad_seed: int) -> None:
        super().__init__()
        self.bad_seed = bad_seed

    def seed(self, seeds: Any) -> None:
        if self.bad_seed in seeds:
            raise ZeroDivisionError("a bug for one seed")


def make(name: str, env: Any, **options: Any) -> Any:
    """What the runner is given instead of ``baselines.make_policy``."""
    if name == "good":
        return FirstRun()
    if name == "raises":
        return FirstRun(0.5)
    if name == "dies":
        return FirstRun(0.5, "die")
    if name == "picky":
        return Picky(**options)
    raise InvalidInput("policy", name, "good, raises, dies, picky")
