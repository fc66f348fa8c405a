"""The compiled step of TaskScheduling over rows: check, act, run, charge, observe."""

from __future__ import annotations

from typing import Any

from tiergym.engine.compiling import compiled
from tiergym.engine.layout import DECIDING
from tiergym.engine.running import run, take_cost
from tiergym.engine.views import World, head, model, open_world, prefetch_row, prefetch_tasks
from tiergym.envs.episodes import ACT, BEGIN
from tiergym.envs.task_scheduling.actions import act, count_of, lowest_legal, write_mask
from tiergym.envs.task_scheduling.observation import write_observation


@compiled
def first_illegal(rows: Any, base: Any, models: Any, actions: Any, moves: Any, sizes: Any) -> int:
    """The first row whose action is illegal, -1 if none is. ``sizes``: M, X, batch sizes."""
    for row in range(len(actions)):
        if moves[row] == ACT:
            w = open_world(rows, base[row], models)
            if count_of(w, actions[row], sizes[0], sizes[2:]) == 0:
                return row
    return -1


@compiled
def _act_or_amend(w: World, action: int, max_networks: int, batch_sizes: Any) -> None:
    """Carry out ``action``, or the lowest legal one in its place, and count that."""
    count = count_of(w, action, max_networks, batch_sizes)
    if count == 0:
        action = lowest_legal(w, max_networks, batch_sizes)
        count = count_of(w, action, max_networks, batch_sizes)
        head(w).invalid_actions += 1
    act(w, action, count, max_networks, batch_sizes)


@compiled
def _fetch_ahead(rows: Any, base: Any, models: Any, row: int) -> None:
    """Hide the memory's latency: with many rows nearly everything that a step reads is far away."""
    if row + 2 < len(base):
        prefetch_row(rows, base[row + 2], _FETCHED_BYTES)
    if row + 1 < len(base):
        following = open_world(rows, base[row + 1], models)
        prefetch_tasks(following, model(following).claimed)


_FETCHED_BYTES = 3072
"""About what lies before the tasks in a row of a device below one node."""


@compiled
def step_rows(
    rows: Any,
    base: Any,
    models: Any,
    actions: Any,
    moves: Any,
    sizes: Any,
    static: Any,
    out: Any,
    mask: Any,
    results: Any,
) -> None:
    """Move every row once and observe all rows.

    Args:
        rows, base, models: of the `Simulation`.
        actions: int64[n]; an illegal one is replaced by the lowest legal one, and counted.
        moves: int8[n], `STAND`, `ACT` or `BEGIN`; a row that ended may `ACT`, and nothing happens.
        sizes: int64, M, X, then the batch sizes.
        static: float32[S, F], the static fields of each system.
        out: float32, filled with the observation; mask: int8[n * A].
        results: float64[n, 3], filled with reward, seconds since the last decision, ended.
    """
    batch_sizes = sizes[2:]
    for row in range(len(actions)):
        _fetch_ahead(rows, base, models, row)
        w = open_world(rows, base[row], models)
        reward = 0.0
        if moves[row] == BEGIN:
            run(w)
        elif moves[row] == ACT:
            if head(w).status == DECIDING:
                _act_or_amend(w, actions[row], sizes[0], batch_sizes)
                run(w)
            reward = -take_cost(w)
        results[row, 0] = reward
        results[row, 1] = head(w).elapsed
        results[row, 2] = float(head(w).status)
        write_observation(w, out, row, len(actions), sizes[0], sizes[1], static[head(w).system])
        write_mask(w, mask, row * (1 + 2 * sizes[0] * len(batch_sizes)), sizes[0], batch_sizes)
