"""tiergym-calibrate from its words to a scenario that runs on what it wrote."""

from __future__ import annotations

import textwrap
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest
import yaml

import tiergym
from tiergym.calibration.__main__ import main
from tiergym.devices import load_device, stage_seconds
from tiergym.engine import simulate

NETWORK = """
    from types import SimpleNamespace
    import torch
    from torch import nn

    def linear(units, scale=1.0):
        module = nn.Linear(8, units)
        module.weight.data *= scale
        return module

    def build():
        heads = {1: linear(3), 3: linear(3)}
        blocks = [linear(8), nn.Sequential(linear(8), nn.ReLU()), linear(8)]
        return SimpleNamespace(blocks=blocks, heads=heads, example=torch.ones(1, 8))

    def headless():
        return SimpleNamespace(blocks=[linear(8)], heads={}, example=torch.ones(1, 8))

    def broken():
        return SimpleNamespace(
            blocks=[linear(8)], heads={1: linear(3, float("nan"))}, example=torch.ones(1, 8)
        )

    def askew():
        return SimpleNamespace(
            blocks=[linear(8)], heads={1: nn.Linear(5, 3)}, example=torch.ones(1, 8)
        )

    def listed():
        return SimpleNamespace(blocks=[linear(8)], heads=[linear(3)], example=torch.ones(1, 8))

    def flat():
        return SimpleNamespace(blocks=[linear(8)], heads={1: linear(3)}, example=torch.ones(8))

    def one():
        return SimpleNamespace(blocks=[linear(8)], heads={1: linear(3)}, example=torch.ones(1, 8))
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "own_network.py").write_text(textwrap.dedent(NETWORK))
    (tmp_path / "unreadable.py").write_text("def build(:")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_network_of_ones_own_is_measured_and_served(
    folder: Path, capsys: pytest.CaptureFixture[str]
):
    words = ["module=own_network:build", "batch_sizes=1,2,4", "held_out=3", "repeats=3"]
    assert main([*words, "name=here", "out=here.yaml"]) == 0
    printed = capsys.readouterr().out
    assert "left out" in printed
    profile = load_device(folder / "here.yaml")
    assert profile.source["kind"] == "measured"
    assert profile.source["threads"] == 1
    assert profile.load_rate is not None
    assert stage_seconds(profile, "build", 1, 3, True, 4, blocks=3)[0] > 0.0
    own = {"input_bytes": 32, "blocks": [{"out_elements": 8}] * 3}
    (folder / "build-s1.yaml").write_text(yaml.safe_dump(own | {"architecture": "build"}))
    scenario = {
        "nodes": {"device": {"tier": "edge", "profile": "here.yaml", "batch_max": 4}},
        "networks": {"build": own, "build-s1": {"network": "build-s1.yaml"}},
        "arrivals": {"process": "poisson", "load": 0.5},
        "tasks": 50,
    }
    log = simulate(
        tiergym.load_scenario(scenario).system,
        tiergym.load_scenario(scenario).draw(np.random.default_rng(0)),
    )
    assert (log.delay > 0.0).all()
    env = gym.make("tiergym/TaskScheduling-v0", scenario=scenario)
    env.reset(seed=0)


def test_a_network_of_one_block_and_one_that_is_shipped_go_into_one_profile(folder: Path):
    words = ["network=vgg8-w8", "module=own_network:one", "batch_sizes=1,2", "repeats=3"]
    assert main([*words, "name=both"]) == 0
    profile = load_device(folder / "results" / "calibration" / "both.yaml")
    assert list(profile.networks) == ["vgg8-w8", "one"]
    assert len(profile.networks["vgg8-w8"].heads) == 8
    assert stage_seconds(profile, "one", 1, 1, True, 2, blocks=1)[1] > 0.0
    assert "cut_error" not in profile.source["measured"]["one"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["module=own_network:headless"], "at least one exit head"),
        (["module=own_network:broken"], "NaN"),
        (["module=own_network:askew"], "head 1"),
        (["module=own_network:listed"], "a mapping from blocks"),
        (["module=own_network:flat"], "a leading axis of one"),
        (["module=own_network:nothing"], "with that function"),
        (["module=own_network"], "module:function"),
        (["module=unreadable:build"], "can be imported"),
        (["module=nowhere:build"], "can be imported"),
        (["network=vgg8-w17"], "vgg8-w16"),
        (["network=vgg8-w8", "repeats=1"], "repeats"),
        (["network=vgg8-w8", "batch_sizes=2,4"], "the first of them 1"),
        (["netwrk=vgg8-w8"], "network"),
        (["repeats=5"], "network, module, link or serve"),
        (["link=127.0.0.1:1"], "serve=true"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_written(
    folder: Path, capsys: pytest.CaptureFixture[str], words: list[str], said: str
):
    assert main([*words, "out=wrong.yaml"]) == 2
    assert said in capsys.readouterr().err
    assert not (folder / "wrong.yaml").exists()


def test_the_help_names_every_word(capsys: pytest.CaptureFixture[str]):
    assert main(["--help"]) == 0
    told = capsys.readouterr().out
    assert "serve" in told
    assert "held_out" in told
