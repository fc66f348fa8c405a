"""The settings of a training run, read from plain values; one error for each that is wrong."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from baselines.learned.algorithms import algorithm_of
from baselines.learned.validation import problem_of
from baselines.registry import check_name
from tiergym.envs import ENVIRONMENTS
from tiergym.envs.rows import resolve
from tiergym.errors import InvalidInput
from tiergym.evaluation.suites import FIRST_VALIDATION_SEED, TRAINING_STRIDE
from tiergym.fields import closest, flag, integer, mapping, text
from tiergym.scenarios import split_scenarios

METRICS = ("ratio", "return")
_OWN = ("policy", "env", "policy_kwargs", "seed", "device", "verbose", "tensorboard_log")
_REFERENCES = {
    "tiergym/TaskScheduling-v0": "fcfs-batched+upload",
    "tiergym/ExitPlacement-v0": "exhaustive",
    "tiergym/EdgeSelection-v0": "power-of-two-stale",
}


@dataclass(frozen=True)
class Settings:
    """What is trained, and how.

    Attributes:
        env_id, arguments, scenario: the environment.
        algo: name of the algorithm. hyperparameters: of its class.
        network: see `policy_of`. anneal: whether the learning rate falls to zero over the run.
        timed: whether ``gamma`` and ``gae_lambda`` are those of a second instead of a decision.
        num_envs: rows of the environment. frames: decisions in all.
        scale_rewards: whether rewards are counted in what the reference costs a decision there.
        reference, metric: what validation compares with, and which figure is optimised.
        validate_every: frames. validation_seeds: instances of each scenario.
        seed: j, of the run: episodes take seeds from j * 10^6 on.
    """

    env_id: str
    arguments: Mapping[str, Any]
    scenario: Any
    algo: str
    hyperparameters: Mapping[str, Any]
    network: Mapping[str, Any]
    anneal: bool
    timed: bool
    num_envs: int
    frames: int
    scale_rewards: bool
    reference: str
    metric: str
    validate_every: int
    validation_seeds: int
    seed: int

    @property
    def first_seed(self) -> int:
        """The first seed of this run's episodes."""
        return self.seed * TRAINING_STRIDE

    def facts(self) -> dict[str, Any]:
        """What decides about what is learned; a longer run goes on with a shorter one."""
        return {name: value for name, value in vars(self).items() if name != "frames"}


def read_settings(given: Mapping[str, Any]) -> Settings:
    """Settings from a configuration, see ``conf/train.yaml``.

    Raises:
        InvalidInput: naming what is wrong.
    """
    algo = mapping(
        "algo", given["algo"], ("name", "num_envs", "frames", "anneal", "timed", "hyperparameters")
    )
    name = text("algo.name", algo["name"])
    algorithm = algorithm_of(name)
    env_id = text("env.id", given["env"]["id"])
    if env_id not in ENVIRONMENTS:
        allowed = f"one of {', '.join(ENVIRONMENTS)}{closest(env_id, ENVIRONMENTS)}"
        raise InvalidInput("env.id", env_id, allowed)
    validation = mapping(
        "validation", given["validation"], ("reference", "metric", "every", "seeds")
    )
    metric = validation["metric"]
    if metric not in METRICS:
        raise InvalidInput("validation.metric", metric, " or ".join(METRICS))
    reference = text("validation.reference", validation["reference"] or _REFERENCES[env_id])
    check_name("validation.reference", reference, env_id)
    own = given["frames"]
    return Settings(
        env_id=env_id,
        arguments=mapping("env.arguments", given["env"]["arguments"] or {}),
        scenario=_scenario(env_id, given["scenario"]["given"]),
        algo=name,
        hyperparameters=_hyperparameters(algorithm.make, algo["hyperparameters"]),
        network=mapping("network", given["network"]),
        anneal=flag("algo.anneal", algo["anneal"]),
        timed=_timed(name, algo.get("timed", False)),
        num_envs=integer("algo.num_envs", algo["num_envs"], "environments", low=1),
        frames=integer("frames", algo["frames"] if own is None else own, "frames", low=1),
        scale_rewards=flag("scale_rewards", given["scale_rewards"]),
        reference=reference,
        metric=str(metric),
        validate_every=integer("validation.every", validation["every"], "frames", low=1),
        validation_seeds=integer("validation.seeds", validation["seeds"], "seeds", low=1),
        seed=_seed(given["seed"]),
    )


def _timed(name: str, given: object) -> bool:
    if flag("algo.timed", given) and algorithm_of(name).timed_buffer is None:
        raise InvalidInput("algo.timed", given, f"false with {name}")
    return bool(given)


def _seed(given: object) -> int:
    seed = integer("seed", given)
    most = FIRST_VALIDATION_SEED // TRAINING_STRIDE - 1
    if seed > most:
        raise InvalidInput("seed", seed, f"0 to {most}: seeds of validation begin after those")
    return seed


def _scenario(env_id: str, given: Any) -> Any:
    """What to train on, unless something of it is kept for the leaderboard."""
    problem = problem_of(env_id)
    kept = split_scenarios(problem, "test")
    for scenario in resolve(problem, given):
        if scenario.name in kept:
            raise InvalidInput("scenario", scenario.name, "a scenario outside the split test")
    return given


def _hyperparameters(make: Any, given: object) -> dict[str, Any]:
    known = [n for n in inspect.signature(make).parameters if n not in _OWN and n[0] != "_"]
    return mapping("algo.hyperparameters", given, known)
