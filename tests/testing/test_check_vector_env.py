"""`check_vector_env` finds what is wrong: vector environments with one fault each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode

from tests.envs import small
from tiergym.envs.task_scheduling.vector_env import TaskSchedulingVectorEnv
from tiergym.testing import check_vector_env

ID = "test/Faulty-v0"


class Reward(TaskSchedulingVectorEnv):
    """Rewards one unit in the last place off."""

    def step(self, actions: Any) -> Any:
        observation, reward, *rest = super().step(actions)
        return observation, np.nextafter(reward, np.inf), *rest


class Reused(TaskSchedulingVectorEnv):
    """Writes again into an array that was returned."""

    last: Any = None

    def step(self, actions: Any) -> Any:
        told = super().step(actions)
        if self.last is not None:
            self.last["time"] += 1
        self.last = told[0]
        return told


class NoMask(TaskSchedulingVectorEnv):
    """Leaves the ``_elapsed`` mask out of the info."""

    def step(self, actions: Any) -> Any:
        *told, info = super().step(actions)
        info.pop("_elapsed")
        return *told, info


class SharedSeeds(TaskSchedulingVectorEnv):
    """Seeds every row alike."""

    def reset(self, *, seed: Any = None, options: Any = None) -> Any:
        seeds = seed if seed is None else [seed] * self.num_envs
        return super().reset(seed=seeds, options=options)


class OneMode(TaskSchedulingVectorEnv):
    """Resets at the next step whatever it was asked for."""

    def __init__(self, num_envs: int = 1, autoreset_mode: Any = None, **given: Any) -> None:
        super().__init__(num_envs, **given)
        self.metadata = {**self.metadata, "autoreset_mode": AutoresetMode(autoreset_mode)}


FAULTS = {
    Reward: "part 1",
    Reused: "returned before",
    NoMask: "keys",
    SharedSeeds: "reset",
    OneMode: "SameStep|Disabled",
}


@pytest.fixture
def registered(request: pytest.FixtureRequest) -> Iterator[str]:
    entry = "tiergym.envs.task_scheduling.env:TaskSchedulingEnv"
    gym.register(ID, entry_point=entry, vector_entry_point=request.param)
    yield FAULTS[request.param]
    del gym.registry[ID]


@pytest.mark.parametrize("registered", FAULTS, indirect=True, ids=lambda fault: fault.__name__)
def test_each_fault_is_found(registered: str) -> None:
    with pytest.raises(AssertionError, match=registered):
        check_vector_env(ID, num_envs=2, steps=250, scenario=small.lonely())


def test_too_few_steps_are_no_proof() -> None:
    with pytest.raises(AssertionError, match="no episode ended in 5 steps"):
        check_vector_env("tiergym/TaskScheduling-v0", steps=5, scenario=small.scenario())
