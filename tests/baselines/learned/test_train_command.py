from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from omegaconf import OmegaConf

from baselines.learned.agent import load_agent
from baselines.learned.algorithms import ALGORITHMS
from baselines.train import run
from tests.baselines.learned.test_settings import composed
from tests.baselines.learned.tiny import uploading_pays
from tiergym.errors import InvalidInput

TINY = {
    "maskable_ppo": ["n_steps=8", "batch_size=32", "n_epochs=1"],
    "ppo": ["n_steps=8", "batch_size=32", "n_epochs=1"],
    "a2c": ["n_steps=8"],
    "dqn": ["buffer_size=500", "learning_starts=64", "batch_size=16"],
    "qrdqn": ["buffer_size=500", "learning_starts=64", "batch_size=16"],
}


@pytest.fixture
def scenario(tmp_path: Path) -> Path:
    file = tmp_path / "uploading-pays.yaml"
    file.write_text(yaml.safe_dump(uploading_pays()))
    return file


def overrides(algo: str, scenario: Path, results: Path) -> list[str]:
    own = [f"algo.hyperparameters.{one}" for one in TINY[algo]]
    network = "rows" if ALGORITHMS[algo].row_policy is not None else "row-features"
    return [
        f"algo={algo}",
        f"network={network}",
        f"scenario={scenario}",
        f"results={results}",
        "frames=300",
        "algo.num_envs=4",
        "validation.seeds=2",
        "validation.every=150",
        "name=tiny",
        *own,
    ]


@pytest.mark.parametrize("algo", ALGORITHMS)
def test_every_algorithm_trains(algo: str, scenario: Path, tmp_path: Path) -> None:
    config = OmegaConf.create(composed(*overrides(algo, scenario, tmp_path)))
    assert run(config) > 0.0
    folder = tmp_path / "train" / "tiny"
    assert load_agent(folder / "best").record["algo"] == algo
    last = load_agent(folder / "last").record
    assert last["frames"] >= 300
    assert last["curve"][0][0] == 0
    assert (folder / "progress.csv").is_file()


def test_the_command_trains_and_the_same_one_goes_on(scenario: Path, tmp_path: Path) -> None:
    given = overrides("maskable_ppo", scenario, tmp_path)
    words = [sys.executable, "-m", "baselines.train", *given]
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "best ratio on validation" in done.stdout
    before = (tmp_path / "train" / "tiny" / "curve.jsonl").read_text()
    run(OmegaConf.create(composed(*given, "frames=400")))
    after = (tmp_path / "train" / "tiny" / "curve.jsonl").read_text()
    assert after.startswith(before)
    assert len(after) > len(before)
    with pytest.raises(InvalidInput, match="another seed"):
        run(OmegaConf.create(composed(*given, "seed=3")))
