"""The pre-upload rule: marks, memory, which group, how many, and whether it pays."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from baselines import make_policy

MARKS: dict[str, Any] = {"high": 0.1, "low": 0.05, "upload_max": 16}


@pytest.fixture
def busy(world: Any) -> Any:
    """A busy executor, an idle uplink; a task of slot 0 takes 10 ms here, of slot 1 20 ms."""
    world.with_uplink()
    world.executors[:] = [0.03, -1.0]
    world.run[0] = 0.010 * np.array([1, 2, 4, 8, 16])
    world.run[1] = 0.020 * np.array([1, 2, 4, 8, 16])
    world.upper_run[:2] = world.run[:2] / 10
    return world


def queue_of(world: Any, *tasks: int) -> Any:
    world.queue[: len(tasks)] = tasks
    return world.observe()


def test_marks_have_hysteresis(busy: Any, sizes_env: Any) -> None:
    """0.09 s of work: not before the high mark was passed, and on until the low one is reached."""
    policy = make_policy("priority+upload", sizes_env, **MARKS)
    state: Any = None
    uploads = []
    for tasks in (9, 11, 9, 6, 5, 9):
        action, state = policy.predict(queue_of(busy, tasks), state)
        uploads.append(action > 0)
    assert uploads == [False, True, True, True, False, False]


def test_marks_themselves_are_neither_passed_nor_missed(busy: Any, sizes_env: Any) -> None:
    """Work of 0.25 s exactly: not above a high mark of 0.25 s, but down at a low one."""
    busy.run[0] = 0.125 * np.array([1, 2, 4, 8, 16])
    options = {"high": 0.25, "low": 0.25, "only_if_earlier": False}
    policy = make_policy("priority+upload", sizes_env, **options)
    _, state = policy.predict(queue_of(busy, 3))
    assert state is not None
    assert state[0].tolist() == [True]
    assert policy.predict(queue_of(busy, 2), state)[0] == 0
    assert policy.predict(queue_of(busy, 2))[0] == 0


def test_an_episode_begins_without_memory(busy: Any, sizes_env: Any, stack: Any) -> None:
    policy = make_policy("priority+upload", sizes_env, **MARKS)
    _, state = policy.predict(stack([queue_of(busy, 11)] * 3))
    between = stack([queue_of(busy, 9)] * 3)
    actions, _ = policy.predict(between, state, episode_start=np.array([False, True, False]))
    assert (actions > 0).tolist() == [True, False, True]


def test_given_state_is_not_written(busy: Any, sizes_env: Any) -> None:
    policy = make_policy("priority+upload", sizes_env, **MARKS)
    _, state = policy.predict(queue_of(busy, 11))
    assert state is not None
    policy.predict(queue_of(busy, 5), state)
    assert state[0].tolist() == [True]


def test_uploads_the_tail_of_the_lowest_priority(busy: Any, sizes_env: Any, decode: Any) -> None:
    """Slot 1 runs 50 a second, slot 0 100; the reference of the scores uploads the same."""
    for name in ("priority+upload", "fcfs-batched+upload", "longest-queue+upload"):
        action, _ = make_policy(name, sizes_env, **MARKS).predict(queue_of(busy, 12, 12))
        assert decode(action)[:2] == ("upload", 1)


@pytest.mark.parametrize(("tasks", "size"), [(11, 8), (8, 4), (6, 1), (40, 16)])
def test_smallest_size_that_reaches_the_low_mark(
    tasks: int, size: int, busy: Any, sizes_env: Any, decode: Any
) -> None:
    """10 ms a task and a mark at 5 tasks: 11 need 6, 8 need 3, 6 need 1, 40 need more than 16."""
    policy = make_policy("priority+upload", sizes_env, **{**MARKS, "high": 0.05})
    assert decode(policy.predict(queue_of(busy, tasks))[0]) == ("upload", 0, size)


def test_at_most_upload_max(busy: Any, sizes_env: Any, decode: Any) -> None:
    policy = make_policy("priority+upload", sizes_env, **{**MARKS, "upload_max": 4})
    assert decode(policy.predict(queue_of(busy, 40))[0]) == ("upload", 0, 4)


def test_only_what_finishes_earlier_there(busy: Any, sizes_env: Any, decode: Any) -> None:
    """Here 0.03 + 0.12 s. There, 8 at once: 0.004 + 8 * 0.01 + 0.02 + 0.008 = 0.112 s.

    With 0.05 s told to be queued there, 4 take 0.118 s and 8 take 0.162 s; with 0.2 s nothing
    pays. An executor that is busy longer makes it pay again, and without the condition it always
    is done.
    """
    policy = make_policy("priority+upload", sizes_env, **{**MARKS, "low": 0.05})
    assert decode(policy.predict(queue_of(busy, 12))[0]) == ("upload", 0, 8)
    busy.upper[:2] = 0.05, 0.0
    assert decode(policy.predict(queue_of(busy, 12))[0]) == ("upload", 0, 4)
    busy.upper[:2] = 0.2, 0.0
    assert decode(policy.predict(queue_of(busy, 12))[0]) == ("wait",)
    blind = make_policy("priority+upload", sizes_env, only_if_earlier=False, **MARKS)
    assert decode(blind.predict(queue_of(busy, 12))[0]) == ("upload", 0, 8)
    busy.executors[0] = 0.5
    assert decode(policy.predict(queue_of(busy, 12))[0]) == ("upload", 0, 8)


def test_told_queue_is_worked_off_with_its_age(busy: Any, sizes_env: Any, decode: Any) -> None:
    policy = make_policy("priority+upload", sizes_env, **MARKS)
    for age, kind in ((0.0, "wait"), (0.19, "upload"), (1000.0, "upload")):
        busy.upper[:2] = 0.2, age
        assert decode(policy.predict(queue_of(busy, 12))[0])[0] == kind


def test_next_group_if_the_lowest_does_not_gain(busy: Any, sizes_env: Any, decode: Any) -> None:
    busy.upper_run[1] = 5.0
    action, _ = make_policy("priority+upload", sizes_env, **MARKS).predict(queue_of(busy, 12, 12))
    assert decode(action)[:2] == ("upload", 0)


def test_queue_before_the_tail_counts(busy: Any, sizes_env: Any, decode: Any) -> None:
    """One task of slot 1 (10 ms here, last in the order) behind 13 of slot 0, and alone."""
    busy.run[1] = 0.011 * np.array([1, 2, 4, 8, 16])
    policy = make_policy("priority+upload", sizes_env, **{**MARKS, "high": 0.0, "low": 0.0})
    assert decode(policy.predict(queue_of(busy, 13, 1))[0])[:2] == ("upload", 1)
    busy.executors[0] = 0.005
    assert decode(policy.predict(queue_of(busy, 0, 1))[0]) == ("wait",)


def test_a_batch_starts_before_anything_is_uploaded(busy: Any, sizes_env: Any, decode: Any) -> None:
    policy = make_policy("priority+upload", sizes_env, **MARKS)
    busy.executors[:] = [0.03, 0.0]
    assert decode(policy.predict(queue_of(busy, 40))[0]) == ("run", 0, 16)
    busy.fits[:] = 0
    assert decode(policy.predict(queue_of(busy, 40))[0])[0] == "upload"


def test_work_is_full_batches_and_remainder_over_executors(busy: Any, sizes_env: Any) -> None:
    """Batches of 4 take as long as one task. 9 tasks: 2 + 1 batches, 0.03 s; two executors half."""
    busy.run[0] = [0.010, 0.010, 0.010, 0.0, 0.0]
    for executors, high, passed in (
        ([0.03, -1.0], 0.029, True),
        ([0.03, -1.0], 0.031, False),
        ([0.03, 0.03], 0.0149, True),
        ([0.03, 0.03], 0.0151, False),
    ):
        busy.executors[:] = executors
        options = {"high": high, "low": 0.0, "only_if_earlier": False}
        policy = make_policy("priority+upload", sizes_env, **options)
        assert (policy.predict(queue_of(busy, 9))[0] > 0) == passed


def test_unbatched_work_is_one_task_at_a_time(busy: Any, sizes_env: Any) -> None:
    busy.run[0] = 0.010
    seen = queue_of(busy, 9)
    for name, passed in (("fcfs+upload", True), ("fcfs-batched+upload", False)):
        policy = make_policy(name, sizes_env, high=0.05, low=0.0, only_if_earlier=False)
        assert (policy.predict(seen)[0] > 0) == passed


def test_without_uplink_or_option_nothing_is_uploaded(busy: Any, sizes_env: Any) -> None:
    assert make_policy("priority", sizes_env).predict(queue_of(busy, 40)) == (0, None)
    busy.uplink[:] = -1.0
    assert make_policy("priority+upload", sizes_env).predict(queue_of(busy, 40))[0] == 0
