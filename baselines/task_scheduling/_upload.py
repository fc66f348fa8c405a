"""The pre-upload rule, one and the same for every rule that has it.

While the queued work exceeds a high mark, until it is under a low one, tasks are uploaded from the
tail of the group of the lowest priority (fewest tasks a second), and only if they are estimated to
finish earlier there than here. Which marks are passed is remembered by the caller.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from baselines.task_scheduling._compiling import compiled
from baselines.task_scheduling._observation import Actions, Rows, upload_action
from baselines.task_scheduling._seconds import (
    beyond_wire_seconds,
    executors,
    seconds_until_idle,
    task_rate,
    wire_seconds,
    work_seconds,
)


class Marks(NamedTuple):
    """Options of the rule."""

    high: float  # seconds of queued work
    low: float  # seconds of queued work
    most: int  # tasks in one pre-upload
    only_if_earlier: bool


class Queue(NamedTuple):
    """What the rule works out of one row, before it looks at single groups. M network slots."""

    work: NDArray[np.float64]  # [M] seconds that a group's tasks take all executors together
    priority: NDArray[np.float64]  # [M] tasks a second, with ageing


@compiled
def fill_queue(
    queue: Queue, rows: Rows, row: int, sizes: Actions, batched: bool, ageing: float
) -> float:
    """Fill ``queue`` from one row; seconds until all that is queued would have been run."""
    count = max(1, executors(rows.executor_seconds[row]))
    total = 0.0
    for slot in range(len(queue.work)):
        tasks = float(rows.queue_length[row, slot])
        queue.work[slot] = 0.0
        queue.priority[slot] = 0.0
        if tasks > 0:
            seconds = rows.run_seconds[row, slot]
            queue.work[slot] = work_seconds(sizes, seconds, tasks, batched) / count
            rate = task_rate(sizes, seconds, tasks, batched)
            queue.priority[slot] = rate * (1.0 + ageing * rows.oldest_age[row, slot])
            total += queue.work[slot]
    return total


@compiled
def choose_upload(
    queue: Queue, total: float, rows: Rows, row: int, sizes: Actions, batched: bool, marks: Marks
) -> int:
    """Upload action of the lowest-priority group that gains by one, 0 if none does."""
    slots = len(queue.work)
    chosen, lowest = 0, np.inf
    for slot in range(slots):
        legal = rows.mask[row, upload_action(slot, 0, slots, len(sizes))] != 0
        if legal and queue.priority[slot] < lowest:
            last = _enough(queue, total, rows, row, slot, sizes, batched, marks.low)
            here = np.inf
            if marks.only_if_earlier:
                here = _seconds_here(queue, slot) + seconds_until_idle(rows.executor_seconds[row])
            size = _largest_gain(rows, row, slot, sizes, last, marks.most, here)
            if size >= 0:
                lowest = queue.priority[slot]
                chosen = upload_action(slot, size, slots, len(sizes))
    return chosen


@compiled
def _enough(
    queue: Queue,
    total: float,
    rows: Rows,
    row: int,
    slot: int,
    sizes: Actions,
    batched: bool,
    low: float,
) -> int:
    """Index of the smallest size that brings the queued work to the low mark, else the last."""
    count = max(1, executors(rows.executor_seconds[row]))
    others = total - queue.work[slot]
    seconds = rows.run_seconds[row, slot]
    for size in range(len(sizes)):
        left = rows.queue_length[row, slot] - sizes[size]
        if others + work_seconds(sizes, seconds, left, batched) / count <= low:
            return size
    return len(sizes) - 1


@compiled
def _largest_gain(
    rows: Rows, row: int, slot: int, sizes: Actions, last: int, most: int, here: float
) -> int:
    """Index of the largest legal size up to ``last`` that ends before ``here``, -1 for none."""
    slots = rows.queue_length.shape[1]
    for step in range(last + 1):
        size = last - step
        tasks = min(float(rows.queue_length[row, slot]), float(sizes[size]))
        legal = rows.mask[row, upload_action(slot, size, slots, len(sizes))] != 0
        fits = size == 0 or tasks <= most
        if legal and fits and _seconds_there(rows, row, slot, sizes, tasks) < here:
            return size
    return -1


@compiled
def _seconds_here(queue: Queue, slot: int) -> float:
    """Work until the tail of a group ends here: all groups of no lower priority, and its own."""
    work = 0.0
    for other in range(len(queue.work)):
        if queue.priority[other] >= queue.priority[slot]:
            work += queue.work[other]
    return work


@compiled
def _seconds_there(rows: Rows, row: int, slot: int, sizes: Actions, tasks: float) -> float:
    """Seconds until ``tasks`` of a group, uploaded now as one package, have been answered."""
    uplink = rows.uplink[row]
    run = work_seconds(sizes, rows.upper_seconds[row, slot], tasks, True)
    wire = uplink[0] + wire_seconds(uplink, tasks * rows.payload[row, slot])
    return wire + beyond_wire_seconds(uplink, rows.upper[row], run)
