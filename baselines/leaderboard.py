"""``python -m baselines.leaderboard``: play a suite, print its table, write its page.

Playing goes on where an earlier call stopped; see ``conf/config.yaml`` for what can be set.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console

from baselines.configuration import command_line, entry_point, versions, worker_count
from baselines.custom import with_code
from baselines.gallery import gallery_of
from baselines.registry import make_policy
from tiergym.evaluation.claims import claims_of
from tiergym.evaluation.jobs import Failure, check_jobs
from tiergym.evaluation.records import clear_temporaries, write_text
from tiergym.evaluation.report import write_page
from tiergym.evaluation.results import Results, read_results, scores
from tiergym.evaluation.runner import plan, run_jobs
from tiergym.evaluation.scenes import scenes_of
from tiergym.evaluation.suites import Suite, load_suite
from tiergym.evaluation.terminal import print_claims, print_failures, progress, score_table


def play_suite(
    suite: Suite, folder: Path, workers: int, command: str, console: Console
) -> tuple[Results, list[Failure]]:
    """Play what a suite still lacks, and read all of it.

    Raises:
        InvalidInput: if some environment or policy cannot be made; then nothing is played.
    """
    suite = with_code(suite)
    clear_temporaries(folder)
    scenes, facts = scenes_of(suite), versions()
    jobs = plan(suite, scenes, folder, facts, command)
    check_jobs(jobs, make_policy)
    missing = sum(len(job.seeds) for job in jobs)
    total = sum(suite.seeds_of(policy) for scene in scenes for policy in scene.policies)
    console.print(
        f"{suite.name}: {total} episodes, {total - missing} of them recorded in {folder}; "
        f"{workers} worker(s)",
        highlight=False,
        soft_wrap=True,
    )
    try:
        with progress(console, jobs) as told:
            failures = run_jobs(jobs, make_policy, workers, told)
    except KeyboardInterrupt:
        console.print("Stopped. What is finished is recorded; the same command goes on from here.")
        sys.exit(130)
    return read_results(suite, scenes, folder, facts), failures


def make_console() -> Console:
    """A console; a log has no width, so it gets one that holds the table."""
    console = Console()
    return console if console.is_terminal else Console(width=120)


def run(config: Any) -> None:
    """Play the configured suite and show it."""
    from omegaconf import OmegaConf

    plain: Any = OmegaConf.to_container(config, resolve=True)
    suite = load_suite(plain["suite"])
    folder = Path(plain["results"], suite.name)
    console, command = make_console(), command_line("baselines.leaderboard")
    workers = worker_count(plain["workers"])
    results, failures = play_suite(suite, folder, workers, command, console)
    show(results, folder, command, console)
    if failures:
        print_failures(console, failures)
        sys.exit(1)


def show(results: Results, folder: Path, command: str, console: Console) -> None:
    """Print table and claims; write page, scores, claims and figures by the records."""
    found, claims = scores(results), claims_of(results)
    console.print(score_table(results, found, folder, console.width))
    print_claims(console, claims)
    plain = {s.policy: [s.interval.low, s.interval.estimate, s.interval.high] for s in found}
    write_text(folder / "scores.json", json.dumps(plain, indent=1) + "\n")
    write_text(folder / "claims.json", json.dumps([asdict(claim) for claim in claims], indent=1))
    gallery = gallery_of(results, folder, lambda line: console.print(line, highlight=False))
    page = folder / "index.html"
    write_page(page, results, found, claims, folder, command, gallery)
    console.print(f"\nThe page: {page.resolve().as_uri()}", highlight=False, soft_wrap=True)


if __name__ == "__main__":
    entry_point(run)
