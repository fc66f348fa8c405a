"""Orders and batch sizes of the simple rules, on observations whose right answer is known."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from baselines import make_policy


def decision(name: str, env: Any, observation: Any, **options: Any) -> int:
    return make_policy(name, env, **options).predict(observation)[0]


@pytest.fixture
def queued(world: Any) -> Any:
    """Slot 0: 6 fast tasks, the oldest 0.3 s; slot 1: 9 slow ones, 0.2 s; slot 2: one, 0.4 s."""
    world.queue[:] = [6, 9, 1, 0]
    world.oldest_age[:] = [0.3, 0.2, 0.4, 0.0]
    world.run[0] = [0.005, 0.006, 0.008, 0.012, 0.020]
    world.run[1] = [0.020, 0.040, 0.080, 0.160, 0.320]
    world.run[2] = [0.004, 0.008, 0.016, 0.032, 0.064]
    return world


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("fcfs", ("run", 2, 1)),
        ("fcfs-batched", ("run", 2, 1)),
        ("longest-queue", ("run", 1, 16)),
        ("priority", ("run", 0, 8)),  # 6 / 0.010 = 600 a second, 50 and 250 for the others
        ("priority-unbatched", ("run", 2, 1)),  # the shortest
    ],
)
def test_order_of_groups(
    name: str, expected: Any, queued: Any, sizes_env: Any, decode: Any
) -> None:
    assert decode(decision(name, sizes_env, queued.observe())) == expected


def test_fcfs_runs_one_and_fcfs_batched_as_many_as_fit(
    queued: Any, sizes_env: Any, decode: Any
) -> None:
    queued.oldest_age[1] = 1.0
    assert decode(decision("fcfs", sizes_env, queued.observe())) == ("run", 1, 1)
    assert decode(decision("fcfs-batched", sizes_env, queued.observe())) == ("run", 1, 16)
    queued.fits[1] = 5
    assert decode(decision("fcfs-batched", sizes_env, queued.observe())) == ("run", 1, 4)


def test_priority_counts_the_tasks_that_one_batch_takes(
    queued: Any, sizes_env: Any, decode: Any
) -> None:
    """Slot 0 runs 16 of 99 at 800 a second; if all 99 counted it would seem to be at 4950."""
    queued.queue[:] = [99, 0, 4, 0]
    queued.run[2] = [0.002, 0.003, 0.0049, 0.0, 0.0]
    assert decode(decision("priority", sizes_env, queued.observe())) == ("run", 2, 4)


def test_seconds_between_sizes_are_joined_linearly(
    queued: Any, sizes_env: Any, decode: Any
) -> None:
    """3 tasks of slot 1 take 0.0030 s, half way, so 1000 a second; slot 0's rate is set by."""
    queued.queue[:] = [1, 3, 0, 0]
    queued.run[1] = [0.001, 0.002, 0.004, 0.008, 0.016]
    for seconds, slot in ((0.00099, 0), (0.00101, 1)):
        queued.run[0] = seconds
        assert decode(decision("priority", sizes_env, queued.observe()))[1] == slot


def test_ageing_lets_an_old_group_pass(queued: Any, sizes_env: Any, decode: Any) -> None:
    """Rates 600 (aged 0.3 s) and 50 (aged 6 s): at tau = 0.1 s, 2400 and 3050."""
    queued.oldest_age[:] = [0.3, 6.0, 0.0, 0.0]
    seen = queued.observe()
    assert decode(decision("priority+ageing", sizes_env, seen, ageing=0.1))[1] == 1
    assert decode(decision("priority+ageing", sizes_env, seen, ageing=10.0))[1] == 0
    assert decode(decision("priority", sizes_env, seen))[1] == 0


def test_nothing_to_run_waits(queued: Any, sizes_env: Any) -> None:
    queued.executors[:] = [0.05, 0.01]
    for name in ("fcfs", "fcfs-batched", "longest-queue", "priority"):
        assert decision(name, sizes_env, queued.observe()) == 0


def test_last_observation_of_an_episode_waits(world: Any, sizes_env: Any) -> None:
    for name in ("fcfs-batched+upload", "priority+upload+ageing", "sufferage"):
        action, _ = make_policy(name, sizes_env).predict(world.observe())
        assert action == 0
        assert np.asarray(action).dtype == np.int64
        assert np.ndim(action) == 0


@pytest.mark.parametrize("name", ["fcfs-batched", "longest-queue", "priority"])
def test_ties_go_to_the_lowest_slot(name: str, world: Any, sizes_env: Any, decode: Any) -> None:
    world.queue[1:] = 3
    world.oldest_age[1:] = 0.1
    world.run[1:] = 0.01
    assert decode(decision(name, sizes_env, world.observe()))[1] == 1
