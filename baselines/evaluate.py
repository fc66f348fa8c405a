"""``python -m baselines.evaluate policy=NAME scenario=NAME``: one policy beside the reference.

A scenario may be the path of a YAML file. The score is returned to Hydra's sweepers.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from baselines.configuration import command_line, entry_point, worker_count
from baselines.custom import is_custom
from baselines.leaderboard import make_console, play_suite
from baselines.registry import check_name
from tiergym.evaluation.results import score
from tiergym.evaluation.suites import Suite, load_suite
from tiergym.evaluation.terminal import metric_table, print_failures, score_text


def suite_of(config: dict[str, Any]) -> Suite:
    """The suite of one scenario that a configuration describes.

    Raises:
        InvalidInput: naming what is wrong.
    """
    policy, reference = config["policy"], config["reference"]
    rivals = [] if policy["label"] == reference else [reference]
    if rivals and not is_custom(reference):
        check_name("reference", reference, config["env"]["id"])
    return load_suite(
        {
            "name": "evaluate",
            "environment": config["env"]["id"],
            "arguments": config["env"]["arguments"],
            "reference": reference,
            "policies": [policy, *rivals],
            "scenarios": [config["scenario"]["given"]],
            **{name: config[name] for name in ("seeds", "first_seed", "block")},
        }
    )


def run(config: Any) -> float:
    """Evaluate the configured policy, and return its score."""
    from omegaconf import OmegaConf

    plain: Any = OmegaConf.to_container(config, resolve=True)
    suite = suite_of(plain)
    folder = Path(plain["results"], suite.name)
    console, command = make_console(), command_line("baselines.evaluate")
    workers = worker_count(plain["workers"])
    results, failures = play_suite(suite, folder, workers, command, console)
    for scene in results.scenes:
        console.print(metric_table(results, scene.label))
    found = score(results, plain["policy"]["label"])
    console.print(f"\nscore, cost over that of {suite.reference}:", score_text(found))
    if failures:
        print_failures(console, failures)
        sys.exit(1)
    return found.interval.estimate


if __name__ == "__main__":
    entry_point(run)
