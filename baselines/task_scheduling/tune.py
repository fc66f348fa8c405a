"""Tunes the marks of pre-upload and the ageing on the training scenarios, never on others.

    python -m baselines.task_scheduling.tune

writes ``tuned.yaml`` beside this file, which the policies take their defaults from. Each policy
that pre-uploads or ages is tuned by itself: first the marks, then tau. The score of a setting is
exp of the mean log ratio of its cost to that of the policy's built-in options, on the same
instances, each scenario counting the same; the least wins.
"""

from __future__ import annotations

import argparse
import os
import platform
import shlex
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray

import tiergym
from baselines.registry import entries_of
from tiergym.envs.task_scheduling.vector_env import TaskSchedulingVectorEnv
from tiergym.errors import InvalidInput
from tiergym.evaluation.rollout import play
from tiergym.scenarios import load_scenario, load_split

ENV_ID, PROBLEM = "tiergym/TaskScheduling-v0", "task_scheduling"
FIRST_SEED = 10**9
"""Seeds of validation: neither those of training nor those of suites."""
HIGH_MARKS = (0.0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5)
LOW_SHARES = (0.0, 0.5, 1.0)
TAUS = (0.03, 0.1, 0.3, 1.0, 3.0, 10.0)
FILE = Path(__file__).with_name("tuned.yaml")

Options = dict[str, Any]


class Tuner:
    """Plays settings of policies on the training scenarios and remembers how they did."""

    def __init__(self, scenarios: Sequence[Any], seeds: int) -> None:
        self.scenarios = list(scenarios)
        self._seeds = [FIRST_SEED + i for i in range(seeds)]
        self._envs = [TaskSchedulingVectorEnv(seeds, scenario=one) for one in self.scenarios]

    def tune(self, name: str) -> tuple[Options, float]:
        """The best setting of a policy, and its score."""
        options = entries_of(ENV_ID)[name].options
        built_in = self.log_costs(name, {})
        best: Options = {}
        score = 1.0
        for group in grids(options):
            reached = [self._score(name, {**best, **change}, built_in) for change in group]
            score = min(reached)
            best |= group[reached.index(score)]
        return best, score

    def _score(self, name: str, setting: Options, built_in: NDArray[np.float64]) -> float:
        score = float(np.exp((self.log_costs(name, setting) - built_in).mean()))
        print(f"{name:28s} {score:7.4f}  {setting}", flush=True)
        return score

    def log_costs(self, name: str, setting: Mapping[str, Any]) -> NDArray[np.float64]:
        """float64[scenarios, seeds]."""
        entry = entries_of(ENV_ID)[name]
        rows: list[list[float]] = []
        for env in self._envs:
            policy = entry.build(env, **{**entry.options, **setting})
            episodes = play(env, policy, self._seeds)
            rows.append([float(np.log(episode.metrics["cost"])) for episode in episodes])
        return np.array(rows)


def grids(options: Mapping[str, Any]) -> list[list[Options]]:
    """Groups of changes to try one after the other, each on top of the best so far."""
    marks = [
        {"high": high, "low": round(high * share, 6)}
        for high in HIGH_MARKS
        for share in (LOW_SHARES if high > 0 else (0.0,))
    ]
    groups: list[list[Options]] = [marks] if options.get("upload") else []
    if "ageing" in options:
        groups.append([{"ageing": tau} for tau in TAUS])
    return groups


def tunable_names() -> list[str]:
    """Registered policies that pre-upload or age."""
    entries = entries_of(ENV_ID)
    return [name for name in sorted(entries) if grids(entries[name].options)]


def training_scenarios(names: Sequence[str]) -> list[Any]:
    """The scenarios of these names, or of the split ``train``; none that scores count."""
    if not names:
        return load_split(PROBLEM, "train")
    scored = {scenario.name for scenario in load_split(PROBLEM, "test")}
    for name in names:
        if name in scored:
            raise InvalidInput("--scenarios", name, "none of the split test")
    return [load_scenario(name) for name in names]


def main(arguments: Sequence[str] | None = None) -> None:
    """Tune and write the file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--policies", nargs="*", default=[], help="names; all that can be tuned")
    parser.add_argument("--scenarios", nargs="*", default=[], help="names; the split train")
    parser.add_argument("--seeds", type=int, default=32, help="episodes a scenario")
    parser.add_argument("--out", type=Path, default=FILE, help="YAML file to write")
    given = parser.parse_args(arguments)
    tuner = Tuner(training_scenarios(given.scenarios), given.seeds)
    unknown = set(given.policies) - set(tunable_names())
    if unknown:
        raise InvalidInput("--policies", sorted(unknown), ", ".join(tunable_names()))
    tuned = {name: tuner.tune(name) for name in given.policies or tunable_names()}
    command = ["python", "-m", "baselines.task_scheduling.tune"]
    command += list(sys.argv[1:] if arguments is None else arguments)
    write(given.out, tuned, provenance(shlex.join(command), tuner.scenarios, given.seeds))


def provenance(command: str, scenarios: Sequence[Any], seeds: int) -> Options:
    """Where the values come from."""
    return {
        "command": command,
        "date": datetime.now(UTC).date().isoformat(),
        "versions": {
            "python": platform.python_version(),
            "tiergym": tiergym.__version__,
            **{name: version(name) for name in ("numpy", "numba", "gymnasium")},
        },
        "seeds": f"{FIRST_SEED} to {FIRST_SEED + seeds - 1}",
        "scenarios": {one.name: one.digest() for one in scenarios},
        "score": "exp of the mean log ratio of cost to that of the built-in options",
    }


def write(path: Path, tuned: Mapping[str, tuple[Options, float]], source: Options) -> None:
    """Write the chosen settings, atomically."""
    text = "# Written by the command below, not by hand. Seconds.\n" + yaml.safe_dump(
        {
            "provenance": source,
            "scores": {name: round(score, 4) for name, (_, score) in tuned.items()},
            "policies": {name: setting for name, (setting, _) in tuned.items()},
        },
        sort_keys=False,
        default_flow_style=False,
    )
    partial = path.with_suffix(".partial")
    partial.write_text(text, encoding="utf-8")
    os.replace(partial, path)


if __name__ == "__main__":
    main()
