"""The family of simple rules: an order of groups, batching, ageing and the pre-upload rule.

`fcfs`, `longest_queue` and `priority` are this family at different options, so that a comparison of
two of them differs in nothing else.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from baselines.policy import State, check_flag, check_number
from baselines.task_scheduling._compiling import compiled
from baselines.task_scheduling._observation import (
    Actions,
    Flags,
    Rows,
    TaskPolicy,
    fresh_rows,
    run_action,
    wait_or_first_legal,
)
from baselines.task_scheduling._seconds import task_rate
from baselines.task_scheduling._upload import Marks, Queue, choose_upload, fill_queue
from tiergym.errors import InvalidInput

OLDEST, LONGEST, RATE = 0, 1, 2
"""Orders of groups: largest age of the oldest task, most tasks, most tasks a second."""


class Rule(NamedTuple):
    """Options of the family as plain numbers, for the compiled loop."""

    order: int
    batched: bool
    ageing: float  # 1 / tau, 0 for none
    upload: bool
    marks: Marks


class RulePolicy(TaskPolicy):
    """Runs the first group of an order whenever an executor is idle; never idles by choice.

    With pre-upload its state is one bool a row: whether the queued work has passed the high mark
    and not yet come under the low one. It is cleared where ``episode_start`` says so.

    Args:
        env: single or vector environment.
        batched: run as many tasks of the group as the largest legal size takes, or one.
        upload: whether to pre-upload, see `baselines.task_scheduling._upload`.
        high: seconds of queued work above which pre-uploading begins.
        low: seconds of queued work at which it ends; at most ``high``.
        upload_max: most tasks in one pre-upload.
        only_if_earlier: pre-upload only what is estimated to finish earlier that way.
    """

    order: int
    """`OLDEST`, `LONGEST` or `RATE`."""

    def __init__(
        self,
        env: Any,
        batched: bool = True,
        upload: bool = False,
        high: float = 0.05,
        low: float = 0.025,
        upload_max: int = 16,
        only_if_earlier: bool = True,
    ) -> None:
        super().__init__(env)
        marks = check_marks(high, low, upload_max, only_if_earlier)
        flags = check_flag("batched", batched), check_flag("upload", upload)
        self.rule = Rule(self.order, flags[0], 0.0, flags[1], marks)

    def act(self, rows: Rows, state: State, episode_start: Any) -> tuple[Actions, State]:
        """Actions int64[n], and the bool[n] of rows that pre-upload until the low mark."""
        uploading = np.zeros(len(rows.mask), dtype=np.bool_)
        if state is not None:
            uploading |= state[0]
            uploading &= ~fresh_rows(len(rows.mask), episode_start)
        actions = _choose_rows(rows, self.layout.sizes, self.rule, uploading)
        return actions, ((uploading,) if self.rule.upload else None)


def check_marks(high: Any, low: Any, upload_max: Any, only_if_earlier: Any) -> Marks:
    """Options of the pre-upload rule as plain numbers, or `InvalidInput`."""
    high = check_number("high", high, 0.0, "seconds >= 0")
    low = check_number("low", low, 0.0, "seconds >= 0")
    if low > high:
        raise InvalidInput("low", low, f"at most high, {high}")
    most = check_number("upload_max", upload_max, 1, "tasks, an integer >= 1")
    if most != int(most):
        raise InvalidInput("upload_max", upload_max, "tasks, an integer >= 1")
    return Marks(high, low, int(most), check_flag("only_if_earlier", only_if_earlier))


@compiled
def _choose_rows(rows: Rows, sizes: Actions, rule: Rule, uploading: Flags) -> Actions:
    slots = rows.queue_length.shape[1]
    queue = Queue(np.empty(slots), np.empty(slots))
    actions = np.empty(len(rows.mask), dtype=np.int64)
    for row in range(len(actions)):
        action = _run(rows, row, sizes, rule)
        if action == 0 and rule.upload and rows.uplink[row, 0] >= 0:
            action = _upload(queue, rows, row, sizes, rule, uploading)
        actions[row] = action if action > 0 else wait_or_first_legal(rows.mask[row])
    return actions


@compiled
def _upload(
    queue: Queue, rows: Rows, row: int, sizes: Actions, rule: Rule, uploading: Flags
) -> int:
    """Pre-upload action, 0 for none. Asked only where no run is legal.

    Runs come first: a batch that starts takes its tasks out of the queue, and a decision follows at
    the same time in which pre-upload is still legal if the uplink is idle. So the marks are
    compared with the work that no executor could take.
    """
    total = fill_queue(queue, rows, row, sizes, rule.batched, rule.ageing)
    if total > rule.marks.high:
        uploading[row] = True
    if total <= rule.marks.low:
        uploading[row] = False
    if not uploading[row]:
        return 0
    return choose_upload(queue, total, rows, row, sizes, rule.batched, rule.marks)


@compiled
def _run(rows: Rows, row: int, sizes: Actions, rule: Rule) -> int:
    """Run action of the first group in the order, 0 if none is legal."""
    chosen, best = 0, -np.inf
    for slot in range(rows.queue_length.shape[1]):
        size = _legal_size(rows, row, slot, len(sizes), rule.batched)
        if size < 0:
            continue
        score = _score(rows, row, slot, sizes, rule)
        if score > best:
            chosen, best = run_action(slot, size, len(sizes)), score
    return chosen


@compiled
def _legal_size(rows: Rows, row: int, slot: int, sizes: int, batched: bool) -> int:
    """Index of the largest legal size of a run (the smallest if not batched), -1 for none."""
    for step in range(sizes):
        size = sizes - 1 - step if batched else step
        if rows.mask[row, run_action(slot, size, sizes)]:
            return size
    return -1


@compiled
def _score(rows: Rows, row: int, slot: int, sizes: Actions, rule: Rule) -> float:
    if rule.order == OLDEST:
        return float(rows.oldest_age[row, slot])
    tasks = float(rows.queue_length[row, slot])
    if rule.order == LONGEST:
        return tasks
    rate = task_rate(sizes, rows.run_seconds[row, slot], tasks, rule.batched)
    return rate * (1.0 + rule.ageing * rows.oldest_age[row, slot])
