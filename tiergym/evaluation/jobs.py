"""One job: a policy plays a block of seeds of a scenario side by side and leaves one file."""

from __future__ import annotations

import json
import re
import time
import traceback
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np

from tiergym.engine.compiling import announced
from tiergym.errors import InvalidInput
from tiergym.evaluation.acting import AnyVectorEnv, Policy, check_policy, seed_policy
from tiergym.evaluation.records import (
    Record,
    make_record,
    read_records,
    write_records,
    write_text,
)
from tiergym.evaluation.rollout import play
from tiergym.evaluation.suites import Entry

MakePolicy = Callable[..., Policy]
"""``(name, env, **options) -> policy``; it has to be importable, since it is sent to workers."""


@dataclass(frozen=True)
class Job:
    """What a worker needs to know; it can be pickled.

    Attributes:
        environment, arguments: what is made, with ``scenario`` and the number of rows added.
        entry: the policy. label: the scenario's label. scenario: its name, path or mapping.
        seeds: those that have no record yet.
        facts: what each record says of the job; ``facts["key"]`` tells whether an old one is valid.
        path: the file of records.
    """

    environment: str
    arguments: Mapping[str, Any]
    entry: Entry
    label: str
    scenario: Any
    seeds: tuple[int, ...]
    facts: Mapping[str, Any]
    path: Path

    def __str__(self) -> str:
        return f"{self.entry.label} on {self.label}"


@dataclass(frozen=True)
class Failure:
    """An episode that could not be played to its end."""

    policy: str
    scenario: str
    seed: int
    error: str
    trace: str

    def __str__(self) -> str:
        return f"{self.policy} on {self.scenario}, seed {self.seed}: {self.error}"


@dataclass(frozen=True)
class Outcome:
    """What became of a job: episodes recorded, decisions and seconds they took, and failures."""

    episodes: int
    decisions: float
    seconds: float
    failures: tuple[Failure, ...] = ()


def records_folder(folder: Path, scenario: str, policy: str) -> Path:
    """Where all records of a policy in a scenario lie below the folder of a suite's results."""
    names = (re.sub(r"[^\w.+@=-]", "_", name) for name in (scenario, policy))
    return Path(folder, "records", *names)


def job_path(folder: Path, scenario: str, policy: str, first: int, block: int) -> Path:
    """The file of a block of seeds; its name is that of a whole block, however few are played."""
    return records_folder(folder, scenario, policy) / f"{first}-{first + block - 1}.jsonl"


def recorded(folder: Path, scenario: str, policy: str, key: str) -> dict[int, Record]:
    """The valid records of a policy in a scenario by seed, whichever blocks they were played in."""
    paths = sorted(records_folder(folder, scenario, policy).glob("*.jsonl"))
    records = (record for path in paths for record in read_records(path))
    return {int(record["seed"]): record for record in records if record.get("key") == key}


def run_job(job: Job, make_policy: MakePolicy) -> Outcome:
    """Play the seeds of a job that have no valid record and write the file.

    When the block fails, its seeds are played once more one by one, so that only the episodes that
    really fail are missing (the number of rows changes no result).
    """
    began = time.perf_counter()
    kept = [r for r in read_records(job.path) if r.get("key") == job.facts["key"]]
    records, failures = _play_block(job, make_policy)
    seconds = time.perf_counter() - began
    if records:
        fresh = {record["seed"] for record in records}
        write_records(job.path, [*records, *(r for r in kept if r["seed"] not in fresh)])
    decisions = float(sum(record["metrics"].get("decisions") or 0.0 for record in records))
    outcome = Outcome(len(records), decisions, seconds, tuple(failures))
    _write_timing(job, outcome)
    return outcome


def _play_block(job: Job, make_policy: MakePolicy) -> tuple[list[Record], list[Failure]]:
    try:
        return _play_seeds(job, job.seeds, make_policy), []
    except Exception as error:
        if len(job.seeds) == 1:
            return [], [_failure(job, job.seeds[0], error)]
    records: list[Record] = []
    failures: list[Failure] = []
    for seed in job.seeds:
        try:
            records += _play_seeds(job, (seed,), make_policy)
        except Exception as error:
            failures.append(_failure(job, seed, error))
    return records, failures


def _play_seeds(job: Job, seeds: tuple[int, ...], make_policy: MakePolicy) -> list[Record]:
    with _made(job, len(seeds), make_policy) as (env, policy):
        facts = {**job.facts, "privileged": bool(getattr(policy, "privileged", False))}
        return [make_record(facts, episode) for episode in play(env, policy, seeds)]


@contextmanager
def _made(job: Job, rows: int, make_policy: MakePolicy) -> Generator[tuple[AnyVectorEnv, Policy]]:
    env = _make_env(job, rows)
    try:
        yield env, make_policy(job.entry.name, env, **job.entry.options)
    finally:
        env.close()


def _make_env(job: Job, rows: int) -> AnyVectorEnv:
    given: dict[str, Any] = {
        "scenario": job.scenario,
        "invalid_action": "raise",
        "autoreset_mode": "Disabled",
        **job.arguments,
    }
    return gym.make_vec(job.environment, num_envs=rows, **given)


def check_jobs(jobs: Sequence[Job], make_policy: MakePolicy) -> None:
    """Make every scenario's environment and every policy once, so that mistakes show at once.

    Raises:
        InvalidInput: naming the environment, its arguments, or the policy and what is wrong there.
    """
    policies = {job.entry.label: job for job in reversed(jobs)}
    scenes = {job.label: job for job in reversed(jobs)}
    for job in {id(job): job for job in [*policies.values(), *scenes.values()]}.values():
        env = _checked_env(job)
        try:
            if policies[job.entry.label] is job:
                _check_policy(job, env, make_policy)
        finally:
            env.close()


def _checked_env(job: Job) -> AnyVectorEnv:
    try:
        return _make_env(job, 1)
    except InvalidInput as error:
        where = f"environment of {job.label}: {error.field}"
        raise InvalidInput(where, error.given, error.allowed) from error
    except gym.error.Error as error:
        allowed = f"an id that is registered ({error})"
        raise InvalidInput("environment", job.environment, allowed) from error
    except Exception as error:
        allowed = f"what {job.environment} takes ({type(error).__name__}: {error})"
        raise InvalidInput("arguments", dict(job.arguments), allowed) from error


def _check_policy(job: Job, env: AnyVectorEnv, make_policy: MakePolicy) -> None:
    entry = job.entry
    try:
        check_policy(make_policy(entry.name, env, **entry.options))
    except InvalidInput as error:
        where = f"policy {entry.label}" + ("" if error.field == "policy" else f": {error.field}")
        raise InvalidInput(where, error.given, error.allowed) from error
    except Exception as error:
        allowed = f"options that it can be made with ({type(error).__name__}: {error})"
        raise InvalidInput(f"policy {entry.label}", dict(entry.options), allowed) from error


def warm_up(jobs: Sequence[Job], make_policy: MakePolicy, decisions: int = 40) -> None:
    """Compile here what the jobs will need, so that workers find it on disk.

    Otherwise each would compile it again, and Numba's cache is not made for several writers. One
    job a policy and one a scenario begins an episode; what goes wrong is left to the job itself.
    """
    policies = {job.entry.name: job for job in reversed(jobs)}
    scenes = {job.label: job for job in reversed(jobs)}
    with announced("the policies"):
        for job in {id(job): job for job in [*policies.values(), *scenes.values()]}.values():
            with suppress(Exception), _made(job, 2, make_policy) as (env, policy):
                _begin_episode(env, policy, decisions)


def _begin_episode(env: AnyVectorEnv, policy: Policy, decisions: int) -> None:
    seed_policy(policy, [0, 1])
    observation, _ = env.reset(seed=0)
    state: Any = None
    for step in range(decisions):
        start = np.full(2, step == 0)
        actions, state = policy.predict(observation, state, start, True)
        observation = env.step(actions)[0]


def _failure(job: Job, seed: int, error: Exception) -> Failure:
    notes = " ".join(getattr(error, "__notes__", ()))
    message = f"{type(error).__name__}: {error} {notes}".strip()
    trace = "".join(traceback.format_exception(error))
    return Failure(job.entry.label, job.label, seed, message, trace)


def _write_timing(job: Job, outcome: Outcome) -> None:
    """Beside the records, not in them: a clock never tells the same twice."""
    if outcome.episodes and not outcome.failures:
        facts = {"seconds": outcome.seconds, "decisions": outcome.decisions}
        folder = job.path.parents[3]
        timing = folder / "timings" / job.path.relative_to(folder / "records")
        write_text(timing.with_suffix(".json"), json.dumps(facts) + "\n")
