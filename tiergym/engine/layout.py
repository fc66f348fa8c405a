"""Where everything lies: records of a model and of a row, and their views.

A *model* holds the constants of one `System`, a *row* the whole state of one simulation. Both are
plain bytes cut into sections of records, so that a snapshot is a copy of a slice, a call passes
three arrays whatever it simulates, and no compiled type depends on the size of a scenario.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
Record = np.dtype[np.void]

NOBODY = -1
NONE = -1

LOADING = -2
"""`EXECUTOR.group` of an executor that loads parameters."""

RUNNING, DECIDING, ENDED, STUCK = 0, 1, 2, 3
"""`HEAD.status`: nothing claimed is due; a claimed decision is due; the last charged task has
left; nothing can happen any more although tasks are left."""


def _record(spec: str) -> Record:
    """A record from ``"i8 a b, f8 c"``: a type, then the names that have it."""
    pairs = [
        (name, kind)
        for part in spec.replace("\n", " ").split(",")
        for kind, *names in [part.split()]
        for name in names
    ]
    return np.dtype(pairs, align=True)


SCHEDULE, PLACE, ATTACH, MOVE = 0, 1, 2, 3
"""`HEAD.due`: the kind of decision that is due while `HEAD.status` is DECIDING."""

MODEL_HEAD = _record(
    """i8 nodes links networks groups routes batch_columns executors claimed slots,
    i8 placed first_route placements places,
    i8 at_node at_link at_network at_group at_stage at_seconds at_workspace at_rank at_slot,
    i8 at_confidence at_correct at_route at_block at_fetch at_deployed,
    i8 terminals edges selects moves,
    f8 attach_every overload_mark hold_seconds reconnect_seconds timeout_seconds report_interval,
    f8 interval_seconds delay_weight error_weight late_weight energy_weight,
    f8 refusal_seconds idle_watts"""
)
MODEL_NODE = _record(
    """i8 tier executors first_executor batch_max discipline uplink,
    f8 memory reserve busy_watts load_rate"""
)
MODEL_LINK = _record(
    """i8 source target packing,
    f8 package_max per_package half_rtt base_watts joules_per_megabit"""
)
MODEL_NETWORK = _record("i8 blocks route table")
MODEL_GROUP = _record("i8 network entry_block, f8 payload threshold_1 threshold_2")
MODEL_ROUTE = _record("i8 p1 p2 servable")
MODEL_STAGE = _record("i8 row end next_group, f8 growth")

HEAD = _record(
    """i8 model system tasks jitter_columns status size,
    i8 at_node at_link at_queue at_executor at_history at_dirty at_alive at_past,
    i8 at_terminal at_unanswered at_edge at_report at_parameters,
    i8 at_task at_event at_jitter at_piece at_moment at_half_rtt at_failure,
    i8 pieces moments failures moment turn settling reports attaches switches lost,
    i8 due in_force interval place_due changes loads arrived past_arrived,
    f8 clock window last_decision elapsed,
    i8 window_over next_arrival events handled remaining in_system dirty_nodes dirty_links,
    f8 step_task_seconds step_joules, i8 step_wrong step_late step_refused,
    f8 task_seconds joules, i8 wrong late refused decisions invalid_actions"""
)
NODE = _record(
    """f8 held told_backlog told_at busy_seconds past_busy,
    i8 first_group kept loaded loading queued idle started sequence wake dirty,
    i8 batches batch_tasks largest_batch"""
)
LINK = _record(
    """i8 busy waiting_first waiting_last waiting wire_first wire_tasks flight_first flight_last,
    i8 wire_piece seen_piece past_piece dirty packages tasks,
    f8 waiting_bytes wire_bytes wire_start wire_from bytes busy_seconds"""
)
QUEUE = _record(
    "i8 next_group first last length, f8 arrival_sum first_arrival first_deadline last_deadline"
)
EXECUTOR = _record("i8 group first tasks, f8 start seconds duration")
TASK = _record(
    """f8 arrival deadline first_start finish return_delay carried carried_at entered,
    i4 previous next network origin sample group sequence history_next,
    i2 exit_block sent, i1 tier correct charged refused pre_uploaded ended"""
)
EVENT = _record("f8 time, i8 key")
PIECE = _record("f8 start bandwidth, i8 last")
PAST = _record("f8 arrivals bandwidth_1 bandwidth_2 busy_0 busy_1 busy_2")
TERMINAL = _record(
    """i8 attached previous settled unanswered,
    f8 attached_at asked_at answered_at half_rtt"""
)
EDGE = _record("i8 down newest reports arrivals attached, f8 busy_seconds published fetch_end")
REPORT = _record("f8 time span utilisation queue backlog memory arrivals attached")
FAILURE = _record("f8 start end, i8 edge")
KEPT_REPORTS = 24
"""Reports of an edge that are kept, the oldest overwritten first."""
SEEN_REPORTS = 8
"""Reports of an edge that a terminal looks back on."""
ABSENT, ASKED_FOR, PRESENT = 0, 1, 2
"""State of a network's parameters at an edge."""
PAST_INTERVALS = 4
"""Intervals that are remembered, the last one first."""
HISTORY = _record("i8 last first_1 count_1 first_10 count_10, f8 entered_1 entered_10")

VALUE_F8 = _record("f8 value")
VALUE_I8 = _record("i8 value")
VALUE_F4 = _record("f4 value")
VALUE_I1 = _record("i1 value")


SECTION_OF = {
    "node": ("at_node", "at_link", NODE),
    "link": ("at_link", "at_queue", LINK),
    "queue": ("at_queue", "at_executor", QUEUE),
    "executor": ("at_executor", "at_history", EXECUTOR),
    "history": ("at_history", "at_dirty", HISTORY),
    "dirty": ("at_dirty", "at_alive", VALUE_I8),
    "alive": ("at_alive", "at_past", VALUE_I8),
    "past": ("at_past", "at_terminal", PAST),
    "terminal": ("at_terminal", "at_unanswered", TERMINAL),
    "unanswered": ("at_unanswered", "at_edge", VALUE_I8),
    "edge": ("at_edge", "at_report", EDGE),
    "report": ("at_report", "at_parameters", REPORT),
    "parameters": ("at_parameters", "at_task", VALUE_I8),
    "task": ("at_task", "at_event", TASK),
    "event": ("at_event", "at_jitter", EVENT),
    "jitter": ("at_jitter", "at_piece", VALUE_F8),
    "piece": ("at_piece", "at_moment", PIECE),
    "moment": ("at_moment", "at_half_rtt", VALUE_F8),
    "half_rtt": ("at_half_rtt", "at_failure", VALUE_F8),
    "failure": ("at_failure", "size", FAILURE),
}
"""Offsets in `HEAD` at which each section begins and ends, and its records. What every step touches
comes first."""


def row_view(row: Bytes, section: str) -> NDArray[Any]:
    """The records of ``section`` of one row (a view), for use outside compiled code."""
    head = row[: HEAD.itemsize].view(HEAD)
    if section == "head":
        return head
    begin, end, dtype = SECTION_OF[section]
    return row[int(head[begin][0]) : int(head[end][0])].view(dtype)
