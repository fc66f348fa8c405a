"""`import tiergym` needs the core only, and fails on nothing that an extra brings."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = ("torch", "stable_baselines3", "sb3_contrib", "hydra", "omegaconf", "matplotlib", "rich")
"""Imported by what uses them, never by what everybody imports."""

ABSENT = f"""
import sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {HEAVY!r}:
            raise ModuleNotFoundError(f"no module named {{name!r}}", name=name)

sys.meta_path.insert(0, Absent())
"""


def _python(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("module", ["tiergym", "baselines"])
def test_import_brings_nothing_heavy(module: str) -> None:
    heavy = f"print(sorted(set(sys.modules) & set({HEAVY!r})))"
    assert _python(f"import sys, {module}; {heavy}").strip() == "[]"


def test_an_episode_is_played_where_no_extra_is_installed() -> None:
    play = """
import gymnasium as gym, tiergym, baselines
env = gym.make("tiergym/TaskScheduling-v0")
log = tiergym.rollout(env, baselines.make_policy("fcfs", env), seed=0)
print(len(log.arrival) > 0)
"""
    assert _python(ABSENT + play).strip() == "True"


def test_the_public_names_are_few() -> None:
    import tiergym

    for name in ("Scenario", "Instance", "load_scenario", "rollout"):
        assert name in tiergym.__all__
        assert getattr(tiergym, name) is not None
