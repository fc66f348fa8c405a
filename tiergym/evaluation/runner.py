"""Plan the jobs of a suite, and run them in worker processes without losing any to another."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections import deque
from collections.abc import Callable, Generator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from tiergym.evaluation.jobs import Failure, Job, MakePolicy, Outcome, job_path, run_job, warm_up
from tiergym.evaluation.records import SCHEMA, key_of, read_records
from tiergym.evaluation.scenes import Scene
from tiergym.evaluation.suites import Entry, Suite

Told = Callable[[Job, Outcome], None]
"""Called in the parent process as each job ends."""

_ONE_THREAD = ("NUMBA_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


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
    jobs = [
        _job(suite, scene, entry, seeds, folder, versions, command)
        for scene in scenes
        for entry in suite.policies
        if entry.label in scene.policies
        for seeds in suite.blocks(entry.label)
    ]
    return [job for job in map(_pending, jobs) if job.seeds]


def _job(
    suite: Suite,
    scene: Scene,
    entry: Entry,
    seeds: tuple[int, ...],
    folder: Path,
    versions: Mapping[str, Any],
    command: str,
) -> Job:
    facts = record_facts(suite, scene, entry, versions)
    path = job_path(folder, scene.label, entry.label, seeds)
    facts = {**facts, "key": key_of(facts), "command": command}
    return Job(
        suite.environment, suite.arguments, entry, scene.label, scene.given, seeds, facts, path
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
        "scenario": scene.label,
        "scenario_digest": scene.digest,
        **versions,
    }


def _pending(job: Job) -> Job:
    done = {r["seed"] for r in read_records(job.path) if r.get("key") == job.facts["key"]}
    return replace(job, seeds=tuple(seed for seed in job.seeds if seed not in done))


def run_jobs(
    jobs: Sequence[Job], make_policy: MakePolicy, workers: int, told: Told
) -> list[Failure]:
    """Run jobs and return the episodes that failed; the results of all others are on disk.

    With one worker everything runs in this process. The results do not depend on ``workers``.
    """
    failures: list[Failure] = []

    def note(job: Job, outcome: Outcome) -> None:
        failures.extend(outcome.failures)
        told(job, outcome)

    if workers <= 1:
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
    with _one_thread_each(), _pool(workers) as pool:
        try:
            if warm:
                pool.submit(warm_up, list(waiting), make_policy).result()
            while waiting or running:
                while waiting and len(running) < workers:
                    future = pool.submit(run_job, waiting[0], make_policy)
                    running[future] = waiting.popleft()
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    outcome = future.result()
                    told(running.pop(future), outcome)
        except BrokenProcessPool:
            return list(running.values())
    return []


@contextmanager
def _pool(workers: int) -> Generator[ProcessPoolExecutor]:
    # Forking a process in which Numba or torch has started threads can hang; spawning cannot.
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(workers, context, initializer=_leave_with_parent)
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def _leave_with_parent() -> None:
    """End this worker when its parent is killed; by itself it would wait for work for ever."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def watch() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


@contextmanager
def _one_thread_each() -> Generator[None]:
    before = {name: os.environ.get(name) for name in _ONE_THREAD}
    os.environ.update(dict.fromkeys(_ONE_THREAD, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _died(job: Job) -> Outcome:
    text = "the worker process died (killed, out of memory, or a crash in compiled code)"
    failures = (Failure(job.entry.label, job.label, seed, text, text) for seed in job.seeds)
    return Outcome(0, 0.0, 0.0, tuple(failures))
