from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.envs.small import scenario
from tests.evaluation import policies
from tiergym.errors import InvalidInput
from tiergym.evaluation.jobs import Failure, Job, Outcome, check_jobs
from tiergym.evaluation.records import clear_temporaries, read_records
from tiergym.evaluation.results import read_results
from tiergym.evaluation.runner import plan, run_jobs
from tiergym.evaluation.scenes import scenes_of
from tiergym.evaluation.suites import Suite, load_suite

ROOT = Path(__file__).resolve().parents[2]
VERSIONS = {"tiergym": "0", "numpy": "0", "code": "0"}


def suite(names: Sequence[Any], **changes: Any) -> Suite:
    return load_suite(
        {
            "name": "small",
            "environment": "tiergym/TaskScheduling-v0",
            "reference": "good",
            "policies": ["good", *names],
            "scenarios": [scenario(), scenario(name="other", window=0.3)],
            "seeds": 6,
            "block": 3,
            **changes,
        }
    )


def jobs_of(given: Suite, folder: Path, versions: Any = VERSIONS) -> list[Job]:
    return plan(given, scenes_of(given), folder, versions, "the command")


def run(given: Suite, folder: Path, workers: int = 1) -> list[Failure]:
    return run_jobs(jobs_of(given, folder), policies.make, workers, lambda job, outcome: None)


def files(folder: Path) -> dict[str, bytes]:
    paths = sorted((folder / "records").rglob("*"))
    return {str(p.relative_to(folder)): p.read_bytes() for p in paths if p.is_file()}


def counts(given: Suite, folder: Path) -> dict[tuple[str, str], int]:
    results = read_results(given, scenes_of(given), folder, VERSIONS)
    return {pair: len(by_seed) for pair, by_seed in results.records.items()}


def checked(*names: Any, **changes: Any) -> str:
    with pytest.raises(InvalidInput) as caught:
        check_jobs(jobs_of(suite(names, **changes), Path("nowhere")), policies.make)
    return str(caught.value)


def test_what_cannot_be_made_is_found_before_anything_is_played() -> None:
    check_jobs(jobs_of(suite(["raises"]), Path("nowhere")), policies.make)
    assert checked("goood").startswith("policy goood: got 'goood'; allowed: good, raises")
    told = checked({"name": "picky", "label": "odd", "options": {"bed_seed": 1}})
    assert told.startswith("policy odd: got {'bed_seed': 1}; allowed: options")
    assert checked(arguments={"batch_size": [1]}).startswith("arguments: got {'batch_size': [1]}")
    assert "batch_sizes" in checked(arguments={"batch_sizes": [0]})
    assert checked(environment="tiergym/Task-v0").startswith("environment: got 'tiergym/Task-v0'")


@pytest.mark.parametrize("workers", [0, -1, 1.5, True, "two"])
def test_the_number_of_workers_is_whole(workers: Any) -> None:
    with pytest.raises(InvalidInput, match="workers"):
        run_jobs([], policies.make, workers, lambda job, outcome: None)


@pytest.mark.parametrize(
    ("first", "second", "seeds"),
    [
        ({"seeds": 2, "block": 16}, {"seeds": 3, "block": 16}, [(2,)]),
        ({"seeds": 4, "block": 3}, {"seeds": 6, "block": 2}, [(4, 5)]),
        ({"seeds": 4, "block": 2}, {"seeds": 2, "block": 5}, []),
    ],
)
def test_nothing_valid_is_repeated_in_other_blocks(
    tmp_path: Path, first: dict[str, Any], second: dict[str, Any], seeds: list[tuple[int, ...]]
) -> None:
    run(suite([], first_seed=0, **first), tmp_path)
    given = suite([], first_seed=0, **second)
    assert [job.seeds for job in jobs_of(given, tmp_path)] == seeds * 2
    assert run(given, tmp_path) == []
    assert jobs_of(given, tmp_path) == []
    assert set(counts(given, tmp_path).values()) == {second["seeds"]}


def test_more_seeds_of_a_block_go_into_its_file(tmp_path: Path) -> None:
    for seeds in (2, 3):
        run(suite([], seeds=seeds, block=16), tmp_path)
    assert len(files(tmp_path)) == 2
    assert all(len(text.splitlines()) == 3 for text in files(tmp_path).values())


def test_every_policy_meets_the_same_instances(tmp_path: Path) -> None:
    given = suite([{"name": "good", "label": "again"}])
    assert run(given, tmp_path) == []
    results = read_results(given, scenes_of(given), tmp_path, VERSIONS)
    assert set(counts(given, tmp_path).values()) == {6}
    for scene in ("small", "other"):
        first, second = (results.records[p, scene] for p in ("good", "again"))
        assert [r["instance"] for r in first.values()] == [r["instance"] for r in second.values()]
        assert len({r["instance"] for r in first.values()}) == 6
        assert (results.paired("cost", ("again", scene), ("good", scene)) == 0).all()


def test_a_record_says_what_made_it(tmp_path: Path) -> None:
    given = suite([])
    run(given, tmp_path)
    record = read_records(next((tmp_path / "records").rglob("*.jsonl")))[0]
    assert record["command"] == "the command"
    assert {"tiergym", "numpy", "code", "suite_version", "scenario_digest", "key"} <= set(record)
    assert record["metrics"]["cost"] > 0
    assert not record["privileged"]


def test_nothing_is_played_twice(tmp_path: Path) -> None:
    given = suite([])
    run(given, tmp_path)
    before = files(tmp_path)
    assert jobs_of(given, tmp_path) == []
    longer = suite([], seeds=7)
    left = jobs_of(longer, tmp_path)
    assert [job.seeds for job in left] == [(2_000_000_006,)] * 2
    run(longer, tmp_path)
    assert files(tmp_path).items() > before.items()


@pytest.mark.parametrize(
    "change",
    [
        {"version": 2},
        {"arguments": {"batch_sizes": [1, 2]}},
        {"scenarios": [scenario(window=0.6), scenario(name="other", window=0.25)]},
        {"policies": [{"name": "good", "options": {"x": 1}}]},
    ],
)
def test_records_of_another_definition_are_not_used(tmp_path: Path, change: dict[str, Any]) -> None:
    run(suite([]), tmp_path)
    assert sum(len(job.seeds) for job in jobs_of(suite([], **change), tmp_path)) == 12


def test_records_of_other_code_are_not_used(tmp_path: Path) -> None:
    run(suite([]), tmp_path)
    newer = {**VERSIONS, "code": "1"}
    assert sum(len(job.seeds) for job in jobs_of(suite([]), tmp_path, newer)) == 12


def test_the_number_of_workers_changes_no_byte(tmp_path: Path) -> None:
    given = suite([])
    run(given, tmp_path / "one", workers=1)
    run(given, tmp_path / "four", workers=4)
    assert files(tmp_path / "one") == files(tmp_path / "four")
    assert len(files(tmp_path / "one")) == 4


def test_the_size_of_blocks_changes_no_record(tmp_path: Path) -> None:
    run(suite([]), tmp_path / "three")
    run(suite([], block=1), tmp_path / "one")
    lines = [b"".join(files(tmp_path / name).values()) for name in ("three", "one")]
    assert sorted(lines[0].splitlines()) == sorted(lines[1].splitlines())


def test_one_failing_episode_loses_no_other(tmp_path: Path) -> None:
    bad = 2_000_000_004
    given = suite([{"name": "picky", "options": {"bad_seed": bad}}])
    failures = run(given, tmp_path)
    assert [(f.policy, f.scenario, f.seed) for f in failures] == [
        ("picky", "small", bad),
        ("picky", "other", bad),
    ]
    assert "ZeroDivisionError: a bug for one seed" in failures[0].error
    assert "Traceback" in failures[0].trace
    assert counts(given, tmp_path)["picky", "small"] == 5
    assert counts(given, tmp_path)["good", "small"] == 6
    assert [job.seeds for job in jobs_of(given, tmp_path)] == [(bad,)] * 2


def test_a_failing_policy_loses_no_other(tmp_path: Path) -> None:
    given = suite(["raises", "unknown"])
    failures = run(given, tmp_path)
    assert len(failures) == 24
    assert all("at decision" in f.error for f in failures if f.policy == "raises")
    assert any("good, raises, dies, picky" in f.error for f in failures if f.policy == "unknown")
    assert counts(given, tmp_path) == {("good", "small"): 6, ("good", "other"): 6}


def test_a_worker_that_dies_takes_only_its_job_along(tmp_path: Path) -> None:
    given = suite(["dies"], policies=["good", "dies"], seeds=3)
    failures = run(given, tmp_path, workers=2)
    assert {(f.policy, f.scenario) for f in failures} == {("dies", "small"), ("dies", "other")}
    assert len(failures) == 6
    assert "died" in failures[0].error
    assert counts(given, tmp_path) == {("good", "small"): 3, ("good", "other"): 3}


def test_progress_counts_every_job(tmp_path: Path) -> None:
    told: list[tuple[Job, Outcome]] = []
    given = suite(["raises"], seeds=3)
    run_jobs(jobs_of(given, tmp_path), policies.make, 1, lambda *ended: told.append(ended))
    assert len(told) == 4
    assert sum(outcome.episodes for _, outcome in told) == 6
    assert sum(len(outcome.failures) for _, outcome in told) == 6
    assert all(outcome.decisions > 0 for _, outcome in told if outcome.episodes)


SLOW = """
import sys, time
from pathlib import Path
from tests.evaluation import test_runner as t
if __name__ == "__main__":
    given = t.suite([], block=1, seeds=8)
    told = lambda job, outcome: (print("job", flush=True), time.sleep(0.05))
    t.run_jobs(t.jobs_of(given, Path(sys.argv[1])), t.policies.make, int(sys.argv[2]), told)
"""


@pytest.mark.parametrize("workers", [1, 2])
def test_killed_in_the_middle_it_goes_on_to_the_same_bytes(tmp_path: Path, workers: int) -> None:
    given = suite([], block=1, seeds=8)
    run(given, tmp_path / "whole")
    script = tmp_path / "slow.py"
    script.write_text(SLOW)
    command = [sys.executable, str(script), str(tmp_path / "cut"), str(workers)]
    began = subprocess.Popen(
        command,
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT), "PATH": ""},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert began.stdout is not None
    for _ in range(4):
        assert began.stdout.readline() == "job\n"
    began.send_signal(signal.SIGKILL)
    began.wait()
    began.stdout.close()
    # Workers outlive their parent for a moment; what they were writing goes once they are gone.
    for _ in range(200):
        clear_temporaries(tmp_path / "cut")
        time.sleep(0.05 * (workers > 1))
        if not any((tmp_path / "cut").rglob(".*.tmp")):
            break
    left = sum(len(job.seeds) for job in jobs_of(given, tmp_path / "cut"))
    assert 0 < left <= 12
    kept = files(tmp_path / "cut")
    run(given, tmp_path / "cut")
    assert files(tmp_path / "cut") == files(tmp_path / "whole")
    assert kept.items() <= files(tmp_path / "cut").items()
