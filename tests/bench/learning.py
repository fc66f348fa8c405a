"""Learning: the adapter beside Stable-Baselines3's own, and frames a second of each algorithm."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import torch
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf
from sb3_contrib.common.maskable.utils import get_action_masks
from stable_baselines3.common.monitor import Monitor
from stable_baselines3.common.vec_env import DummyVecEnv

from baselines.configuration import conf_dir
from baselines.learned.algorithms import ALGORITHMS
from baselines.learned.folder import Folder
from baselines.learned.settings import read_settings
from baselines.learned.training import Training
from baselines.learned.vec_env import SB3VecEnv
from baselines.train import register

IDS = {
    "task_scheduling": "tiergym/TaskScheduling-v0",
    "exit_placement": "tiergym/ExitPlacement-v0",
}
WARM_UP, FRAMES = 40_000, 120_000


def rows_beside_dummy() -> list[dict[str, Any]]:
    """Split train, random legal actions and resets included; DummyVecEnv holds Monitors."""
    rows: list[dict[str, Any]] = []
    for name, env_id in IDS.items():
        for count in (8, 64, 256):

            def make(env_id: str = env_id) -> gym.Env[Any, Any]:
                return Monitor(gym.make(env_id))

            ours = _rate(SB3VecEnv(env_id, count), 20_000)
            theirs = _rate(DummyVecEnv([make] * count), 4_000)
            rows.append(
                {
                    "env": name,
                    "rows": count,
                    "frames/s": f"{ours:,.0f}",
                    "DummyVecEnv": f"{theirs:,.0f}",
                    "ratio": f"{ours / theirs:.1f}",
                }
            )
    return rows


def _rate(env: Any, frames: int) -> float:
    """Frames a second of an adapter, choosing actions not counted."""
    env.seed(0)
    env.reset()
    np_random, seconds, steps = np.random.default_rng(0), 0.0, frames // env.num_envs
    for step in range(2 * steps):
        masks = get_action_masks(env)
        actions = (np_random.random(masks.shape) * masks).argmax(1)
        began = time.perf_counter()
        env.step(actions)
        # The first half lets rows end at times of their own, as in long use.
        seconds += (time.perf_counter() - began) * (step >= steps)
    return steps * env.num_envs / seconds


def rows_by_algorithm() -> list[dict[str, Any]]:
    """Shipped settings, one thread: frames a second, and the environment's share of the time."""
    register()
    torch.set_num_threads(1)
    rows: list[dict[str, Any]] = []
    for env in IDS:
        for algo, one in ALGORITHMS.items():
            networks = ("plain", "rows") if one.row_policy is not None else ("plain",)
            rows += [_row(env, algo, network) for network in networks]
    return rows


def _row(env: str, algo: str, network: str) -> dict[str, Any]:
    with initialize_config_dir(str(conf_dir()), version_base="1.3"):
        words = [f"env={env}", f"algo={algo}", f"network={network}"]
        config: Any = OmegaConf.to_container(compose("train", overrides=words), resolve=True)
    config["validation"]["seeds"] = 1
    settings = read_settings(config)
    with tempfile.TemporaryDirectory() as folder:
        where = Folder(Path(folder), settings.facts())
        training = Training(settings, where, lambda frames, point: None, {}, [])
        training.env.seed(0)
        model = training.model
        model.learn(WARM_UP)
        stepping = _timed(training.env, "step")
        before, began = model.num_timesteps, time.perf_counter()
        model.learn(FRAMES, reset_num_timesteps=False)
        seconds = time.perf_counter() - began
    return {
        "env": env,
        "algo": algo,
        "network": network,
        "weights": f"{sum(p.numel() for p in model.policy.parameters()):,}",
        "frames/s": f"{(model.num_timesteps - before) / seconds:,.0f}",
        "in env": f"{stepping[0] / seconds:.0%}",
    }


def _timed(owner: Any, name: str) -> list[float]:
    """Count the seconds in a method from now on."""
    total, call = [0.0], getattr(owner, name)

    def timed(*args: Any, **kwargs: Any) -> Any:
        began = time.perf_counter()
        try:
            return call(*args, **kwargs)
        finally:
            total[0] += time.perf_counter() - began

    setattr(owner, name, timed)
    return total
