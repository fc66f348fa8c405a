from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from gymnasium import spaces
from sb3_contrib import MaskablePPO

from baselines.learned.agent import load_agent
from baselines.learned.folder import Folder, Point
from baselines.learned.settings import Settings
from baselines.learned.timed import TimedMaskableRolloutBuffer, TimedRolloutBuffer
from baselines.learned.training import Training
from baselines.learned.validation import Validation
from baselines.learned.vec_env import SB3VecEnv
from tests.baselines.learned.tiny import SIZES, TASK_SCHEDULING, uploading_pays
from tests.envs import small
from tiergym.errors import InvalidInput

HYPERPARAMETERS = {
    "n_steps": 32,
    "batch_size": 256,
    "n_epochs": 4,
    "learning_rate": 0.003,
    "gamma": 0.5,
    "gae_lambda": 0.1,
}


def settings(frames: int, **changes: Any) -> Settings:
    given: dict[str, Any] = {
        "env_id": TASK_SCHEDULING,
        "arguments": SIZES,
        "scenario": uploading_pays(),
        "algo": "maskable_ppo",
        "hyperparameters": HYPERPARAMETERS,
        "network": {"kind": "rows", "hidden": 16, "critic": False},
        "anneal": False,
        "timed": True,
        "num_envs": 32,
        "scale_rewards": True,
        "reference": "random",
        "metric": "ratio",
        "validate_every": 4096,
        "validation_seeds": 8,
        "seed": 1,
    }
    return Settings(frames=frames, **{**given, **changes})


def train(path: Path, chosen: Settings) -> tuple[Training, float]:
    def told(frames: int, point: Point | None) -> None:
        assert frames >= 0

    run = Training(chosen, Folder(path, chosen.facts()), told, {"command": "a test"}, [])
    return run, run.run()


def test_an_agent_learns_what_pays(tmp_path: Path) -> None:
    _, found = train(tmp_path, settings(20_000))
    curve = [json.loads(line) for line in (tmp_path / "curve.jsonl").read_text().splitlines()]
    assert curve[0]["frames"] == 0
    assert found == min(point["ratio"] for point in curve)
    # Uploading everything costs a fiftieth of what random actions do.
    assert found < 0.1
    assert curve[-1]["ratio"] < 0.5 * curve[0]["ratio"]
    agent = load_agent(tmp_path / "best")
    validation = Validation(TASK_SCHEDULING, uploading_pays(), 8, SIZES)
    again = validation.play(agent).ratio(validation.play_registered("random"))
    assert again == pytest.approx(found, rel=1e-12)
    assert agent.record["command"] == "a test"


def test_a_run_goes_on_where_it_stopped(tmp_path: Path) -> None:
    whole, _ = train(tmp_path / "whole", settings(12_288))
    first, _ = train(tmp_path / "parts", settings(5_000))
    kept = (tmp_path / "parts" / "curve.jsonl").read_text()
    weights = first.model.policy.state_dict()
    second = Training(
        settings(12_288), Folder(tmp_path / "parts", settings(1).facts()), print, {}, []
    )
    assert second.stand.frames == first.model.num_timesteps == 5_120
    for name, value in second.model.policy.state_dict().items():
        assert torch.equal(value, weights[name])
    moments = second.model.policy.optimizer.state_dict()["state"]
    for key, state in first.model.policy.optimizer.state_dict()["state"].items():
        assert torch.equal(moments[key]["exp_avg_sq"], state["exp_avg_sq"])
        assert moments[key]["step"] == state["step"]
    second.run()
    assert second.model.num_timesteps == whole.model.num_timesteps == 12_288
    assert second.model._n_updates == whole.model._n_updates
    assert (tmp_path / "parts" / "curve.jsonl").read_text().startswith(kept)
    frames = [point["frames"] for point in second.curve]
    assert frames == sorted(set(frames))
    assert frames[-1] == whole.curve[-1]["frames"]
    steps = (tmp_path / "parts" / "progress.csv").read_text().splitlines()
    assert len(steps) == len((tmp_path / "whole" / "progress.csv").read_text().splitlines())
    assert train(tmp_path / "parts", settings(12_288))[1] == min(p["ratio"] for p in second.curve)


def test_each_part_of_a_run_has_seeds_of_its_own(tmp_path: Path) -> None:
    first, _ = train(tmp_path, settings(1_024))
    second, _ = train(tmp_path, settings(2_048))
    seeds = [run.env.env.unwrapped.np_random_seed for run in (first, second)]
    assert seeds[0] == tuple(range(1_000_000, 1_000_032))
    assert seeds[1] == tuple(range(1_000_032, 1_000_064))


def test_a_folder_of_another_run_is_refused(tmp_path: Path) -> None:
    Folder(tmp_path, settings(1).facts())
    with pytest.raises(InvalidInput, match="another seed"):
        Folder(tmp_path, settings(1, seed=2).facts())


def test_masked_agents_take_legal_actions_only() -> None:
    env = SB3VecEnv(TASK_SCHEDULING, 8, scenario=small.scenario(), invalid_action="raise")
    model = MaskablePPO("MultiInputPolicy", env, n_steps=32, batch_size=64, n_epochs=1, seed=0)
    model.learn(1_000)
    assert model.num_timesteps >= 1_000


@pytest.mark.parametrize("kind", [TimedRolloutBuffer, TimedMaskableRolloutBuffer])
def test_returns_are_discounted_by_seconds(kind: Any) -> None:
    env = SB3VecEnv(TASK_SCHEDULING, 1, scenario=uploading_pays(), **SIZES)
    seconds, rewards, values = [0.0, 2.0, 0.5], [1.0, 0.0, 4.0], [0.3, -0.2, 0.1]
    newest = iter(seconds)
    buffer = kind(
        3,
        spaces.Box(-math.inf, math.inf, (2,)),
        env.action_space,
        gamma=0.5,
        gae_lambda=1.0,
        n_envs=1,
        elapsed=lambda: np.array([next(newest)]),
    )
    buffer.reset()
    more = {"action_masks": np.ones((1, 9))} if kind is TimedMaskableRolloutBuffer else {}
    for reward, value in zip(rewards, values, strict=True):
        one = torch.tensor([value])
        action, start = np.zeros((1, 1)), np.zeros(1)
        buffer.add(np.zeros((1, 2)), action, np.array([reward]), start, one, one, **more)
    buffer.compute_returns_and_advantage(torch.tensor([7.0]), np.array([False]))
    expected = 1.0 + 0.25 * (4.0 + 0.5**0.5 * 7.0)
    assert buffer.returns[0, 0] == pytest.approx(expected, rel=1e-6)
    buffer.compute_returns_and_advantage(torch.tensor([7.0]), np.array([True]))
    assert buffer.returns[0, 0] == pytest.approx(1.0 + 0.25 * 4.0, rel=1e-6)
    assert buffer.returns[2, 0] == pytest.approx(4.0)
