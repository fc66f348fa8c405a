"""The commands, run as a user runs them, on a suite small enough for a test."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.envs.small import scenario

ROOT = Path(__file__).resolve().parents[2]
SMALL = [
    "suite.scenarios=[mine.yaml,pi-5-conv-0.80]",
    "suite.policies=[fcfs,fcfs-batched+upload,priority+upload]",
    "suite.ablations=[]",
    "suite.seeds=2",
    "suite.block=2",
]


def called(module: str, folder: Path, *arguments: str) -> Any:
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=folder,
        env=env,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump(scenario(name="mine")))
    return tmp_path


def test_a_leaderboard_is_played_shown_and_not_played_again(folder: Path) -> None:
    first = called("baselines.leaderboard", folder, *SMALL, "workers=2")
    assert first.returncode == 0, first.stderr
    results = folder / "results" / "task-scheduling-quick"
    assert sorted(path.name for path in folder.iterdir()) == ["mine.yaml", "results"]
    records = {p: p.stat().st_mtime_ns for p in results.rglob("*.jsonl")}
    assert sum(len(p.read_text().splitlines()) for p in records) == 12
    assert "priority+upload" in first.stdout
    assert (results / "index.html").as_uri() in first.stdout
    assert set(json.loads((results / "scores.json").read_text())) == {
        "fcfs",
        "fcfs-batched+upload",
        "priority+upload",
    }
    again = called("baselines.leaderboard", folder, *SMALL, "workers=2")
    assert "12 episodes, 12 of them recorded" in again.stdout
    assert records == {p: p.stat().st_mtime_ns for p in results.rglob("*.jsonl")}


def test_a_wrong_policy_is_found_before_anything_is_played(folder: Path) -> None:
    policies = "suite.policies=[fcfs,fcfs-batched+upload,{name: priority, options: {aging: 1}}]"
    done = called("baselines.leaderboard", folder, *SMALL, policies, "workers=1")
    assert done.returncode == 1
    assert "policy priority: priority.aging: got 1" in done.stderr
    assert "ageing" in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(folder.rglob("*.jsonl"))


MODULE = """
from tests.evaluation.policies import FirstRun

class MyPolicy(FirstRun):
    def __init__(self, fails_after=None):
        super().__init__(fails_after)
"""
CUSTOM = ["policy=custom", "policy.name=my_module:MyPolicy", "scenario=mine.yaml", "seeds=3"]


def test_a_policy_of_ones_own_is_played_and_played_again_when_it_changes(folder: Path) -> None:
    module = folder / "my_module.py"
    module.write_text(MODULE)
    told = []
    for _ in range(2):
        done = called("baselines.evaluate", folder, *CUSTOM, "workers=2")
        assert done.returncode == 0, done.stderr
        assert "score, cost over that of fcfs-batched+upload" in done.stdout
        told += [line for line in done.stdout.splitlines() if "of them recorded" in line]
        module.write_text(MODULE + "    # changed\n")
    assert "6 episodes, 0 of them" in told[0]
    assert "6 episodes, 3 of them" in told[1]


def test_failures_are_told_at_the_end_and_in_the_exit_code(folder: Path) -> None:
    (folder / "my_module.py").write_text(MODULE)
    failing = [*CUSTOM, "+policy.options.fails_after=0.1", "workers=1"]
    done = called("baselines.evaluate", folder, *failing)
    assert done.returncode == 1
    assert "3 episodes failed" in done.stdout
    assert "on mine, seed 2000000000: ZeroDivisionError" in done.stdout
    assert len(list(folder.rglob("*.jsonl"))) == 1


def test_evaluate_prints_metrics_beside_the_reference(folder: Path) -> None:
    arguments = ("policy=priority+upload", "scenario=mine.yaml", "seeds=3", "workers=1")
    done = called("baselines.evaluate", folder, *arguments)
    assert done.returncode == 0, done.stderr
    assert "mean_delay" in done.stdout
    (line,) = [line for line in done.stdout.splitlines() if "p50_delay" in line]
    assert line.split()[2::2] == ["ms", "ms"]
    assert "score, cost over that of fcfs-batched+upload" in done.stdout
    assert sorted(path.name for path in folder.iterdir()) == ["mine.yaml", "results"]


def test_a_sweep_leaves_nothing_beside_its_results(folder: Path) -> None:
    arguments = ("-m", "policy=fcfs,priority", "scenario=mine.yaml", "seeds=2", "workers=1")
    done = called("baselines.evaluate", folder, *arguments)
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in folder.iterdir()) == ["mine.yaml", "results"]


@pytest.mark.parametrize(
    ("argument", "told"),
    [
        ("policy=prioritty", "priority+upload"),
        ("scenario=rtx", "rtx-2080-ti-code-0.50"),
        ("scenario=missing.yaml", "missing.yaml"),
        ("seeds=0", "suite.seeds"),
        ("seed=3", "seed"),
        ("workers=0", "workers: got 0"),
        ("reference=fcfss", "reference: got 'fcfss'"),
        ("+policy.options.aging=1", "priority+upload.aging: got 1"),
        ("+env.arguments.batch_size=[1]", "arguments: got {'batch_size': [1]}"),
    ],
)
def test_wrong_arguments_say_what_is_allowed(folder: Path, argument: str, told: str) -> None:
    done = called("baselines.evaluate", folder, "workers=1", argument)
    assert done.returncode != 0
    assert told in done.stderr + done.stdout
