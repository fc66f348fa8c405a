"""Another future for a simulation: what has happened is kept, the rest is drawn anew.

The present is kept whole, also what a policy cannot see of it (the queue of the upper tier); the
outcomes that are not decided yet (exits of queued tasks, the end of running batches and packages)
are drawn again, given that they have not happened so far.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from tiergym.engine.compiling import compiled
from tiergym.engine.events import BATCH_DONE, FAILURE, INDEX_MASK, KIND_SHIFT, LINK_FREE
from tiergym.engine.layout import HEAD, LOADING, NONE, Bytes, row_view
from tiergym.engine.links import wire_end
from tiergym.engine.simulation import Simulation
from tiergym.engine.views import event_at, head, link_at, open_world
from tiergym.scenarios.instance import Instance
from tiergym.scenarios.system import ENTRIES, System

_TRIES = 64
_OVERDUE_SHARE = 0.01
"""A batch that outlasted every drawn multiplier is taken to end after this share of its time."""


class Redrawable(Protocol):
    """A scenario, as far as it is needed here."""

    def redraw(
        self,
        np_random: np.random.Generator,
        instance: Instance,
        now: float,
        fixed: NDArray[np.bool_],
    ) -> Instance:
        """Keep the tasks that are ``fixed`` and draw what comes after ``now``."""
        ...


def redraw(
    simulation: Simulation,
    row: int,
    instance: Instance,
    scenario: Redrawable,
    np_random: np.random.Generator,
) -> Instance:
    """Give ``row``, in the middle of ``instance``, a future drawn from the scenario's models.

    Returns:
        The instance that the row now plays.
    """
    old = simulation.snapshot(row).row
    head = row_view(old, "head")[0]
    now, arrived = float(head["clock"]), int(head["next_arrival"])
    fixed = np.arange(instance.tasks) < arrived
    future = scenario.redraw(np_random, instance, now, fixed)
    system = simulation.systems[int(simulation.system_of[row])]
    task = row_view(old, "task")[:arrived]
    sample = future.sample.copy()
    sample[:arrived] = _redraw_samples(system, task, np_random)
    future = replace(future, sample=sample)
    _move(simulation, row, old, future, arrived)
    _retime(simulation, row, future)
    return future


def _redraw_samples(
    system: System, task: NDArray[Any], np_random: np.random.Generator
) -> NDArray[np.int64]:
    """New rows of the exit tables for tasks still under way, given the heads they passed."""
    sample = task["sample"].astype(np.int64)
    open_ = (task["ended"] == 0) & (task["exit_block"] == NONE)
    open_ &= system.network_table[task["network"]] >= 0
    for i in np.flatnonzero(open_):
        network = int(task["network"][i])
        drawn = np_random.integers(system.network_samples[network], size=_TRIES)
        passed = _passes(system, network, int(task["group"][i]), drawn)
        if passed.any():
            sample[i] = drawn[int(np.argmax(passed))]
    return sample


def _passes(
    system: System, network: int, group: int, sample: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Whether each sample stays below the thresholds of the heads before the group's entry."""
    route, block = group // ENTRIES, int(system.group_entry_block[group])
    passed = np.ones(len(sample), np.bool_)
    heads = (int(system.route_p1[route]), int(system.route_p2[route]))
    at = system.network_table[network] + sample * (system.network_blocks[network] + 1)
    for k, ends in enumerate(heads):
        if 0 < ends <= block:
            passed &= system.exit_confidence[at + ends] < system.route_threshold[route, k]
    return passed


_POSITIONS = ("wire_piece", "seen_piece", "past_piece")
_KEPT = (
    *("node", "link", "queue", "executor", "history", "dirty", "alive", "past"),
    *("terminal", "unanswered", "edge", "report", "parameters"),
)


def _move(simulation: Simulation, row: int, old: Bytes, future: Instance, arrived: int) -> None:
    """Load ``future`` into the row and copy into it what has happened."""
    simulation.load(row, future, int(simulation.system_of[row]))
    new = simulation.row(row)
    before = row_view(old, "head")[0]
    _copy_head(row_view(new, "head"), before, row_view(old, "task")[:arrived], future)
    pieces = {name: row_view(new, "link")[name].copy() for name in _POSITIONS}
    for section in _KEPT:
        row_view(new, section)[:] = row_view(old, section)
    for name, position in pieces.items():
        row_view(new, "link")[name] = position
    sample = row_view(new, "task")["sample"][:arrived].copy()
    row_view(new, "task")[:arrived] = row_view(old, "task")[:arrived]
    row_view(new, "task")["sample"][:arrived] = sample
    _copy_agenda(new, row_view(old, "event")[: int(before["events"])])


def _copy_agenda(row: Bytes, agenda: NDArray[Any]) -> None:
    """The old agenda, its failures replaced by those of the new future that are yet to change."""
    head, event = row_view(row, "head"), row_view(row, "event")
    now = float(head["clock"][0])
    kept = agenda[agenda["key"] >> KIND_SHIFT != FAILURE]
    failure = row_view(row, "failure")
    times = np.stack([failure["start"], failure["end"]], axis=1).ravel()
    ahead = np.flatnonzero(times > now)
    total = len(kept) + len(ahead)
    event[: len(kept)] = kept
    event["time"][len(kept) : total] = times[ahead]
    event["key"][len(kept) : total] = (FAILURE << KIND_SHIFT) | ahead
    head["events"] = total


def _copy_head(head: NDArray[Any], before: Any, past: NDArray[Any], future: Instance) -> None:
    layout = {"tasks", "jitter_columns", "size", *(n for n in HEAD.names or () if n[:3] == "at_")}
    layout |= {"pieces", "moments", "moment", "failures"}
    for name in HEAD.names or ():
        if name not in layout:
            head[name] = before[name]
    under_way = int(((past["charged"] == 1) & (past["ended"] == 0)).sum())
    head["remaining"] = under_way + int(future.charged[len(past) :].sum())


def _retime(simulation: Simulation, row: int, future: Instance) -> None:
    """Draw the ends of running batches and packages anew, and put the agenda in order."""
    base = int(simulation.base[row])
    system = simulation.systems[int(simulation.system_of[row])]
    _retime_links(simulation.buffer, base, simulation.models)
    head = simulation.head(row)
    event = simulation.view(row, "event")[: int(head["events"])]
    first = np.cumsum(system.node_executors) - system.node_executors
    for k in np.flatnonzero(event["key"] >> KIND_SHIFT == BATCH_DONE):
        x = int(event["key"][k] & INDEX_MASK)
        node = int(np.searchsorted(first, x, side="right")) - 1
        slot = simulation.view(row, "executor")[x : x + 1]
        if slot["group"][0] == LOADING:
            continue
        slot["duration"] = _duration(slot, future.jitter[node], float(head["clock"]))
        event["time"][k] = slot["start"][0] + slot["duration"][0]
    event[:] = event[np.lexsort((event["key"], event["time"]))]


def _duration(slot: NDArray[Any], jitter: NDArray[np.float64], now: float) -> float:
    """Seconds of a running batch: a multiplier of those that have not run out by ``now``."""
    start, seconds = float(slot["start"][0]), float(slot["seconds"][0])
    drawn = seconds * jitter[::-1][:_TRIES]
    lasting = drawn[start + drawn > now]
    if len(lasting):
        return float(lasting[0])
    return now - start + _OVERDUE_SHARE * seconds


@compiled
def _retime_links(rows: Bytes, base: int, models: Bytes) -> None:
    w = open_world(rows, base, models)
    for k in range(head(w).events):
        key = event_at(w, k).key
        if key >> KIND_SHIFT == LINK_FREE:
            e = key & INDEX_MASK
            event_at(w, k).time = wire_end(w, e, link_at(w, e).wire_from, link_at(w, e).wire_bytes)
