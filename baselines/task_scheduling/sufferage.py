"""Sufferage (Maheswaran et al., Heterogeneous Computing Workshop 1999) with two machines."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from baselines.policy import Entry, State
from baselines.task_scheduling._compiling import compiled
from baselines.task_scheduling._observation import (
    Actions,
    Floats,
    Rows,
    TaskPolicy,
    run_action,
    upload_action,
    wait_or_first_legal,
)
from baselines.task_scheduling._seconds import beyond_wire_seconds, wire_seconds

NOBODY = -1


class Sufferage(TaskPolicy):
    """Maps every queued task to the device or the uplink, then starts the first on each idle one.

    Tasks are mapped one at a time, always the one that would suffer most, by the difference of its
    two completion times, from not getting the better machine; both ready times are then updated.
    The uplink is ready again when the wire is; completion adds propagation, the queue and the run
    of the upper tier, and the return. All is mapped anew at every decision. One task at a time, as
    in the original, on either machine; several executors count as one machine that is ready when
    its first executor is.

    Tasks of a group differ in age only, so groups are mapped by counts: runs take the oldest,
    uploads the youngest. Between equal sufferages the group with the oldest task goes first, which
    without an uplink is first come, first served. The device idles while all queued tasks
    are mapped to the uplink.
    """

    def __init__(self, env: Any) -> None:
        super().__init__(env)

    def act(self, rows: Rows, state: State, episode_start: Any) -> tuple[Actions, State]:
        """Actions int64[n]; there is no state."""
        return _choose_rows(rows, len(self.layout.sizes)), None


@compiled
def _choose_rows(rows: Rows, sizes: int) -> Actions:
    slots = rows.queue_length.shape[1]
    left = np.empty(slots, dtype=np.int64)
    wire = np.empty(slots)
    beyond = np.empty(slots)
    ready = np.empty(rows.executor_seconds.shape[1])
    actions = np.empty(len(rows.mask), dtype=np.int64)
    for row in range(len(actions)):
        _estimate(rows, row, sizes, left, wire, beyond)
        run, upload = _map_tasks(rows, row, left, wire, beyond, ready)
        actions[row] = _action(rows.mask[row], run, upload, slots, sizes)
    return actions


@compiled
def _action(mask: NDArray[np.int8], run: int, upload: int, slots: int, sizes: int) -> int:
    if run != NOBODY and mask[run_action(run, 0, sizes)]:
        return run_action(run, 0, sizes)
    if upload != NOBODY and mask[upload_action(upload, 0, slots, sizes)]:
        return upload_action(upload, 0, slots, sizes)
    return wait_or_first_legal(mask)


@compiled
def _estimate(
    rows: Rows,
    row: int,
    sizes: int,
    left: Actions,
    wire: NDArray[np.float64],
    beyond: NDArray[np.float64],
) -> None:
    """Fill tasks to map, seconds on the wire and seconds after it, by group."""
    slots = len(left)
    uplink, upper = rows.uplink[row], rows.upper[row]
    for slot in range(slots):
        left[slot] = int(rows.queue_length[row, slot])
        wire[slot] = np.inf
        beyond[slot] = np.inf
        run = rows.upper_seconds[row, slot, 0]
        if rows.mask[row, upload_action(slot, 0, slots, sizes)] and run > 0:
            wire[slot] = wire_seconds(uplink, rows.payload[row, slot])
            beyond[slot] = beyond_wire_seconds(uplink, upper, run)


@compiled
def _map_tasks(
    rows: Rows,
    row: int,
    left: Actions,
    wire: NDArray[np.float64],
    beyond: NDArray[np.float64],
    ready: NDArray[np.float64],
) -> tuple[int, int]:
    """First group mapped to the device and to the uplink, NOBODY where that machine is busy."""
    first, uplink_ready = _ready_times(rows, row, ready)
    run = NOBODY
    upload = NOBODY
    wants_run = ready[first] <= 0
    wants_upload = rows.uplink[row, 0] == 0
    while (wants_run and run == NOBODY) or (wants_upload and upload == NOBODY):
        slot = _most_suffering(rows, row, left, wire, beyond, ready[first], uplink_ready)
        if slot == NOBODY:
            break
        left[slot] -= 1
        seconds = _run_seconds(rows.run_seconds[row, slot])
        there = uplink_ready + wire[slot] + beyond[slot]
        if ready[first] + seconds <= there:
            run = slot if run == NOBODY and wants_run else run
            ready[first] += seconds
            first = _earliest(ready)
        else:
            upload = slot if upload == NOBODY and wants_upload else upload
            uplink_ready += wire[slot]
    return run, upload


@compiled
def _most_suffering(
    rows: Rows,
    row: int,
    left: Actions,
    wire: NDArray[np.float64],
    beyond: NDArray[np.float64],
    ready: float,
    uplink_ready: float,
) -> int:
    chosen, most = NOBODY, -1.0
    for slot in range(len(left)):
        if left[slot] <= 0:
            continue
        here = ready + _run_seconds(rows.run_seconds[row, slot])
        there = uplink_ready + wire[slot] + beyond[slot]
        if here == np.inf and there == np.inf:
            continue
        sufferage = abs(here - there)
        older = chosen != NOBODY and rows.oldest_age[row, slot] > rows.oldest_age[row, chosen]
        if sufferage > most or (sufferage == most and older):
            chosen, most = slot, sufferage
    return chosen


@compiled
def _ready_times(rows: Rows, row: int, ready: NDArray[np.float64]) -> tuple[int, float]:
    """Fill the executors' ready times (infinite where absent); the earliest, and the uplink's."""
    for executor in range(len(ready)):
        seconds = rows.executor_seconds[row, executor]
        ready[executor] = seconds if seconds >= 0 else np.inf
    return _earliest(ready), max(0.0, rows.uplink[row, 0])


@compiled
def _earliest(ready: NDArray[np.float64]) -> int:
    first = 0
    for executor in range(1, len(ready)):
        if ready[executor] < ready[first]:
            first = executor
    return first


@compiled
def _run_seconds(seconds: Floats) -> float:
    return float(seconds[0]) if seconds[0] > 0 else np.inf


POLICIES = {"sufferage": Entry(Sufferage)}
