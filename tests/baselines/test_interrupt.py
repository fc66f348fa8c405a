"""Ctrl-C in the middle of a leaderboard, as a terminal sends it: to the whole process group."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.envs.small import scenario

ROOT = Path(__file__).resolve().parents[2]
COMMAND = [
    sys.executable,
    "-m",
    "baselines.leaderboard",
    "suite.scenarios=[mine.yaml]",
    "suite.policies=[fcfs-batched+upload,fcfs,priority,random]",
    "suite.ablations=[]",
    "suite.seeds=4000",
    "suite.block=2",
    "workers=2",
]


def processes(group: int) -> list[int]:
    """Processes of a group that are no zombies."""
    found: list[int] = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, of_group = path.read_text().rpartition(")")[2].split()[:3]
        except OSError:
            continue
        if int(of_group) == group and state != "Z":
            found.append(int(path.parent.name))
    return found


def until(condition: Callable[[], Any], seconds: float) -> bool:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


def recorded(folder: Path) -> int:
    return len(list(folder.rglob("*.jsonl")))


@pytest.mark.parametrize(
    ("moment", "later", "times"),
    [
        ("the first worker starts", 0.0, 1),
        ("the first worker starts", 0.15, 1),
        ("a record is there", 0.0, 1),
        ("a record is there", 0.5, 2),
    ],
)
def test_it_ends_at_once_and_leaves_nobody(
    tmp_path: Path, moment: str, later: float, times: int
) -> None:
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump(scenario(name="mine")))
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    output = tmp_path / "output"
    with output.open("w") as file:
        process = subprocess.Popen(
            COMMAND, cwd=tmp_path, env=env, stdout=file, stderr=file, start_new_session=True
        )
    reached: dict[str, Callable[[], Any]] = {
        "the first worker starts": lambda: len(processes(process.pid)) >= 3,
        "a record is there": lambda: recorded(tmp_path),
    }
    try:
        assert until(reached[moment], 120), output.read_text()
        time.sleep(later)
        for _ in range(times):
            os.killpg(process.pid, signal.SIGINT)
            time.sleep(0.05)
        # A second Ctrl-C may meet Python on its way out, which then ends by the signal itself.
        allowed = (130,) if times == 1 else (130, -signal.SIGINT)
        assert process.wait(10) in allowed, output.read_text()
        assert until(lambda: not processes(process.pid), 3), processes(process.pid)
        if times == 1:
            assert "goes on from here" in output.read_text()
            assert "Traceback" not in output.read_text()
    finally:
        if processes(process.pid):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
