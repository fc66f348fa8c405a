"""Plan the jobs of a suite, and run them in worker processes without losing any to another."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any, TypeVar

from tiergym.evaluation.jobs import (
    Failure,
    Job,
    MakePolicy,
    Outcome,
    job_path,
    recorded,
    run_job,
    warm_up,
)
from tiergym.evaluation.pool import (
    Interrupts,
    deferred_interrupts,
    without_interrupts,
    worker_pool,
)
from tiergym.evaluation.records import SCHEMA, key_of
from tiergym.evaluation.scenes import Scene
from tiergym.evaluation.suites import Entry, Suite
from tiergym.fields import integer

Told = Callable[[Job, Outcome], None]
"""Called in the parent process as each job ends."""

Result = TypeVar("Result")


def plan(
    suite: Suite, scenes: Sequence[Scene], folder: Path, versions: Mapping[str, Any], command: str
) -> list[Job]:
    """The jobs of a suite that still have an episode to play.

    Args:
        scenes: the suite's scenarios and their ablations.
        folder: where the suite's results lie; valid records found there are not played again.
        versions: what besides the definition decides about results; part of each record and key.
        command: how the user called it; part of each record only.
    """
    return [
        job
        for scene in scenes
        for entry in suite.policies
        if entry.label in scene.policies
        for job in _jobs(suite, scene, entry, folder, versions, command)
    ]


def _jobs(
    suite: Suite,
    scene: Scene,
    entry: Entry,
    folder: Path,
    versions: Mapping[str, Any],
    command: str,
) -> Iterator[Job]:
    facts = record_facts(suite, scene, entry, versions)
    facts = {**facts, "key": key_of(facts), "command": command}
    done = recorded(folder, scene.label, entry.label, facts["key"])
    for block in suite.blocks(entry.label):
        seeds = tuple(seed for seed in block if seed not in done)
        path = job_path(folder, scene.label, entry.label, block[0], suite.block)
        if seeds:
            yield Job(
                suite.environment,
                suite.arguments,
                entry,
                scene.label,
                scene.given,
                seeds,
                facts,
                path,
            )


def record_facts(
    suite: Suite, scene: Scene, entry: Entry, versions: Mapping[str, Any]
) -> dict[str, Any]:
    """What a record says of its policy, scenario, suite and versions: all that its key covers."""
    return {
        "schema": SCHEMA,
        "suite": suite.name,
        "suite_version": suite.version,
        "environment": suite.environment,
        "arguments": dict(suite.arguments),
        "policy": entry.label,
        "policy_name": entry.name,
        "policy_options": dict(entry.options),
        **({"policy_code": entry.code} if entry.code else {}),
        "scenario": scene.label,
        "scenario_digest": scene.digest,
        **versions,
    }


def run_jobs(
    jobs: Sequence[Job], make_policy: MakePolicy, workers: int, told: Told
) -> list[Failure]:
    """Run jobs and return the episodes that failed; the results of all others are on disk.

    With one worker everything runs in this process. The results do not depend on ``workers``.

    Raises:
        InvalidInput: unless ``workers`` is a whole number of at least one.
    """
    workers = integer("workers", workers, "processes", low=1)
    failures: list[Failure] = []

    def note(job: Job, outcome: Outcome) -> None:
        failures.extend(outcome.failures)
        told(job, outcome)

    if workers == 1:
        for job in jobs:
            note(job, run_job(job, make_policy))
    else:
        _run_in_processes(jobs, make_policy, workers, note)
    return failures


def _run_in_processes(
    jobs: Sequence[Job], make_policy: MakePolicy, workers: int, told: Told
) -> None:
    """Keep ``workers`` jobs under way; those that were when a worker died are run alone again."""
    waiting, warm = deque(jobs), True
    while waiting:
        suspects = _run_pool(waiting, make_policy, workers, told, warm)
        warm = False
        for job in suspects:
            if _run_pool(deque([job]), make_policy, 1, told):
                told(job, _died(job))


def _run_pool(
    waiting: deque[Job], make_policy: MakePolicy, workers: int, told: Told, warm: bool = False
) -> list[Job]:
    """Run waiting jobs until none is left, or a worker dies: then return what was under way."""
    running: dict[Future[Outcome], Job] = {}
    with deferred_interrupts() as interrupts, worker_pool(workers) as pool:
        try:
            if warm:
                with without_interrupts():
                    warming = pool.submit(warm_up, list(waiting), make_policy)
                _ended([warming], interrupts).pop().result()
            while waiting or running:
                while waiting and len(running) < workers:
                    with without_interrupts():
                        future = pool.submit(run_job, waiting[0], make_policy)
                    running[future] = waiting.popleft()
                for future in _ended(running, interrupts):
                    outcome = future.result()
                    told(running.pop(future), outcome)
        except BrokenProcessPool:
            return list(running.values())
    return []


def _ended(running: Iterable[Future[Result]], interrupts: Interrupts) -> set[Future[Result]]:
    """Those that have ended, as soon as there are any."""
    while True:
        interrupts.check()
        done = wait(running, timeout=0.1, return_when=FIRST_COMPLETED).done
        if done:
            return done


def _died(job: Job) -> Outcome:
    text = "the worker process died (killed, out of memory, or a crash in compiled code)"
    failures = (Failure(job.entry.label, job.label, seed, text, text) for seed in job.seeds)
    return Outcome(0, 0.0, 0.0, tuple(failures))
