"""Seconds of work and of uploads, as estimated from one row of an observation. Compiled."""

from __future__ import annotations

import numpy as np

from baselines.task_scheduling._compiling import compiled
from baselines.task_scheduling._observation import Actions, Floats


@compiled
def largest_size(seconds: Floats) -> int:
    """Index of the largest batch size that is available (seconds > 0), -1 for none."""
    for size in range(len(seconds) - 1, -1, -1):
        if seconds[size] > 0:
            return size
    return -1


@compiled
def batch_seconds(sizes: Actions, seconds: Floats, tasks: float) -> float:
    """Seconds of one batch of ``tasks``: joined linearly between the sizes that are observed.

    Below the first size and beyond the last one that is available, theirs.
    """
    last = largest_size(seconds)
    if last < 0:
        return np.inf
    if tasks <= sizes[0]:
        return float(seconds[0])
    for size in range(1, last + 1):
        if tasks <= sizes[size]:
            share = (tasks - sizes[size - 1]) / (sizes[size] - sizes[size - 1])
            return seconds[size - 1] + share * (seconds[size] - seconds[size - 1])
    return float(seconds[last])


@compiled
def most_tasks(sizes: Actions, seconds: Floats, batched: bool) -> int:
    """Most tasks in a batch, 0 where the network cannot run."""
    last = largest_size(seconds)
    if last < 0:
        return 0
    return sizes[last] if batched else 1


@compiled
def work_seconds(sizes: Actions, seconds: Floats, tasks: float, batched: bool) -> float:
    """Seconds to run ``tasks`` on one executor: full batches plus the remainder."""
    if tasks <= 0:
        return 0.0
    most = most_tasks(sizes, seconds, batched)
    if most == 0:
        return np.inf
    full = np.floor(tasks / most)
    work = full * batch_seconds(sizes, seconds, most)
    if tasks > full * most:
        work += batch_seconds(sizes, seconds, tasks - full * most)
    return work


@compiled
def task_rate(sizes: Actions, seconds: Floats, tasks: float, batched: bool) -> float:
    """Tasks a second of the next batch, n / seconds(n) (Smith's rule); 0 where none can run."""
    batch = min(tasks, float(most_tasks(sizes, seconds, batched)))
    if batch <= 0:
        return 0.0
    return batch / batch_seconds(sizes, seconds, batch)


@compiled
def executors(executor_seconds: Floats) -> int:
    """Number of executors that are there."""
    count = 0
    for seconds in executor_seconds:
        count += seconds >= 0
    return count


@compiled
def seconds_until_idle(executor_seconds: Floats) -> float:
    """Expected seconds until the first executor is idle."""
    least = np.inf
    for seconds in executor_seconds:
        if seconds >= 0:
            least = min(least, float(seconds))
    return least


@compiled
def wire_seconds(uplink: Floats, megabytes: float) -> float:
    """Seconds on the wire of one package, at the present bandwidth."""
    if uplink[2] <= 0:
        return np.inf
    return uplink[4] + megabytes * 8.0 / uplink[2]


@compiled
def beyond_wire_seconds(uplink: Floats, upper: Floats, run: float) -> float:
    """Seconds from the last byte sent to the answer: propagation, queue, run, return.

    The queue is the one last told, less what the upper tier has worked off since. Without that, a
    long queue told once would never be forgotten by a device that stops uploading because of it.
    """
    return uplink[3] + max(0.0, upper[0] - upper[1]) + run
