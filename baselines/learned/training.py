"""Trains an agent: makes the model, validates it now and then, keeps the best, goes on later."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Mapping
from typing import Any

import gymnasium as gym
import numpy as np
import torch
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.logger import KVWriter, Logger
from stable_baselines3.common.utils import LinearSchedule

from baselines.learned.agent import Agent, save_agent
from baselines.learned.algorithms import Spaces, algorithm_of, policy_of
from baselines.learned.flat import Flat
from baselines.learned.folder import (
    Checkpoint,
    Folder,
    Point,
    Progress,
    read_checkpoint,
    write_checkpoint,
)
from baselines.learned.settings import Settings
from baselines.learned.validation import Found, Validation
from baselines.learned.vec_env import SB3VecEnv
from tiergym.errors import InvalidInput
from tiergym.evaluation.records import write_text
from tiergym.evaluation.suites import TRAINING_STRIDE

SCALING_SEEDS = 32
"""Instances of each scenario that tell what the reference costs; the last of a run's seeds."""

Told = Callable[[int, Point | None], None]
"""Called with the frames so far, and with each validation."""


class Training:
    """One run.

    Args:
        settings: of the run.
        folder: where it lies; what is there is gone on from.
        told: hears how far it is.
        about: what the agents' records tell besides (command, versions, date).
        writers: further ones of what the algorithm logs, such as TensorBoard's.
    """

    def __init__(
        self,
        settings: Settings,
        folder: Folder,
        told: Told,
        about: Mapping[str, Any],
        writers: list[KVWriter],
    ) -> None:
        torch.set_num_threads(1)  # small arrays: a second thread only waits for the first
        self.settings, self.folder, self._told = settings, folder, told
        self.about, self._writers = about, writers
        algorithm = algorithm_of(settings.algo)
        probe = gym.make(settings.env_id, scenario=settings.scenario, **settings.arguments)
        space: Any = probe.observation_space
        self.flat = Flat(space, masked=not algorithm.masked)
        actions = int(probe.action_space.n)  # type: ignore[attr-defined]
        self.spaces = Spaces(settings.env_id, self.flat.fields, actions)
        self.validation = Validation(
            settings.env_id, settings.scenario, settings.validation_seeds, dict(settings.arguments)
        )
        self.reference, scale = self._reference()
        self.env = SB3VecEnv(
            settings.env_id,
            settings.num_envs,
            self.flat,
            scale,
            scenario=settings.scenario,
            invalid_action="raise" if algorithm.masked else "first_legal",
            **settings.arguments,
        )
        self.model = self._model()
        self.stand = Checkpoint(0, 0.0, 0)
        if folder.checkpoint.is_file():
            self.stand = read_checkpoint(folder.checkpoint, self.model)
        self.curve = [p for p in folder.curve() if p["frames"] <= self.stand.frames]

    def _model(self) -> Any:
        s = self.settings
        policy, given = policy_of(s.algo, s.network, self.spaces)
        more = dict(s.hyperparameters)
        if s.timed:
            more["rollout_buffer_class"] = algorithm_of(s.algo).timed_buffer
            elapsed = {"elapsed": lambda: self.env.elapsed}
            more["rollout_buffer_kwargs"] = {**more.get("rollout_buffer_kwargs", {}), **elapsed}
        if s.anneal:
            more["learning_rate"] = LinearSchedule(float(more["learning_rate"]), 0.0, 1.0)
        make = algorithm_of(s.algo).make
        try:
            return make(policy, self.env, policy_kwargs=given, seed=s.seed, device="cpu", **more)
        except (TypeError, ValueError, AssertionError) as error:
            raise InvalidInput(
                "algo.hyperparameters", more, f"those of {s.algo}: {error}"
            ) from error

    def _reference(self) -> tuple[Found, dict[str, float] | None]:
        """What the reference costs on the validation seeds, and the factors of rewards."""
        file, s = self.folder.reference, self.settings
        if not file.is_file():
            found = self.validation.play_registered(s.reference)
            first = s.first_seed + TRAINING_STRIDE - SCALING_SEEDS
            own = Validation(s.env_id, s.scenario, SCALING_SEEDS, dict(s.arguments), first)
            training = own.play_registered(s.reference)
            total = training.costs.sum(1)
            windows = np.array([s.window for s in own.env.unwrapped.scenarios])
            known = {
                "names": self.validation.names,
                "costs": found.costs.tolist(),
                "decisions": found.decisions.tolist(),
                "cost_a_decision": (total / training.decisions.sum(1)).tolist(),
                "cost_a_second": (total / windows / SCALING_SEEDS).tolist(),
            }
            write_text(file, json.dumps(known) + "\n")
        known = json.loads(file.read_text(encoding="utf-8"))
        reference = Found(np.array(known["costs"]), np.array(known["decisions"]))
        if not s.scale_rewards:
            return reference, None
        # So that values are near one too, whatever the horizon.
        if s.timed:
            seconds = -1.0 / math.log(float(s.hyperparameters["gamma"]))
            each, near = known["cost_a_second"], 1.0 / seconds
        else:
            each, near = known["cost_a_decision"], 1.0 - float(s.hyperparameters.get("gamma", 0.99))
        costs = zip(known["names"], each, strict=True)
        return reference, {name: near / max(cost, 1e-9) for name, cost in costs}

    def run(self) -> float:
        """Train up to the settings' frames; returns the best metric on validation."""
        left = self.settings.frames - self.stand.frames
        progress = Progress(self.folder.path / "progress.csv", self.stand.frames)
        self.model.set_logger(Logger(None, [progress, *self._writers]))
        if left > 0:
            self._seed()
            listener = _Listener(self, progress)
            self.model.learn(left, callback=listener, reset_num_timesteps=False)
            listener.validate()
            self.model.logger.close()
        best = min(self.curve, key=lambda point: point["loss"])
        return float(best[self.settings.metric])

    def _seed(self) -> None:
        """Every part of a run has seeds of its own, so that none is learned from twice."""
        first = self.stand.parts * self.settings.num_envs
        if first + self.settings.num_envs > TRAINING_STRIDE - SCALING_SEEDS:
            raise InvalidInput(
                "num_envs", self.settings.num_envs, "fewer: the run's seeds are used up"
            )
        self.model.set_random_seed(self.settings.seed + TRAINING_STRIDE * self.stand.parts)
        self.env.seed(self.settings.first_seed + first)

    def validate(self, frames: int, seconds: float) -> None:
        """Play the validation seeds, and keep what is to be kept."""
        began = time.perf_counter()
        found = self.validation.play(Agent(self.model.policy, self._record(frames)))
        ratio, mean_return = found.ratio(self.reference), -float(found.costs.mean())
        point: Point = {
            "frames": frames,
            "seconds": round(seconds, 3),
            "ratio": ratio,
            "return": mean_return,
            "loss": ratio if self.settings.metric == "ratio" else -mean_return,
            "ratios": dict(zip(self.validation.names, found.ratios(self.reference), strict=True)),
            "validation_seconds": round(time.perf_counter() - began, 3),
        }
        better = all(point["loss"] < other["loss"] for other in self.curve)
        self.curve.append(point)
        record = self._record(frames)
        if better:
            save_agent(self.folder.agent("best"), self.model.policy, record)
        save_agent(self.folder.agent("last"), self.model.policy, record)
        self.folder.write_curve(self.curve)
        stand = Checkpoint(frames, seconds, self.stand.parts + 1)
        write_checkpoint(self.folder.checkpoint, self.model, stand)
        self._told(frames, point)

    def told(self, frames: int) -> None:
        """Say how far it is."""
        self._told(frames, None)

    def _record(self, frames: int) -> dict[str, Any]:
        s = self.settings
        return {
            "algo": s.algo,
            "network": dict(s.network),
            "env_id": s.env_id,
            "fields": dict(self.spaces.fields),
            "actions": self.spaces.actions,
            "arguments": dict(s.arguments),
            "scenario": s.scenario,
            "seed": s.seed,
            "num_envs": s.num_envs,
            "hyperparameters": {**s.hyperparameters, "anneal": s.anneal, "frames": s.frames},
            "frames": frames,
            "reference": s.reference,
            **self.about,
            "curve": [[p["frames"], p["seconds"], round(p["ratio"], 6)] for p in self.curve],
        }


class _Listener(BaseCallback):
    """Validates between two rollouts, when every frame that is counted was learned from."""

    def __init__(self, training: Training, progress: Progress) -> None:
        super().__init__()
        self._training, self._progress = training, progress
        self._began = time.perf_counter() - training.stand.seconds
        self._idle = 0.0
        self._every = training.settings.validate_every
        self._next = (training.stand.frames // self._every + 1) * self._every
        if not training.curve:
            self._next = 0

    def _on_step(self) -> bool:
        return True

    def _on_rollout_start(self) -> None:
        self._training.told(self.num_timesteps)
        if self.num_timesteps >= self._next:
            self._next = (self.num_timesteps // self._every + 1) * self._every
            self.validate()

    def validate(self) -> None:
        """Validate now; the time that takes is not training's."""
        began = time.perf_counter()
        frames = int(self._training.model.num_timesteps)
        if not self._training.curve or self._training.curve[-1]["frames"] < frames:
            self._training.validate(frames, began - self._began - self._idle)
            self._progress.save()
        self._idle += time.perf_counter() - began
