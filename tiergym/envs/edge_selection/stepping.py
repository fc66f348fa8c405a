"""The compiled step of EdgeSelection over rows: check, act, run, charge, observe."""

from __future__ import annotations

from typing import Any

from tiergym.engine.compiling import compiled
from tiergym.engine.layout import DECIDING
from tiergym.engine.running import run, take_cost
from tiergym.engine.views import World, head, open_world
from tiergym.envs.edge_selection.actions import act, is_legal, lowest_legal, write_mask
from tiergym.envs.edge_selection.observation import write_observation
from tiergym.envs.episodes import ACT, BEGIN


@compiled
def first_illegal(rows: Any, base: Any, models: Any, actions: Any, moves: Any, sizes: Any) -> int:
    """The first row whose action is illegal, -1 if none is. ``sizes``: see `step_rows`."""
    for row in range(len(actions)):
        if moves[row] == ACT:
            w = open_world(rows, base[row], models)
            if not is_legal(w, actions[row]):
                return row
    return -1


@compiled
def _act_or_amend(w: World, action: int, actions: int) -> None:
    """Carry out ``action``, or the lowest legal one in its place, and count that."""
    if not is_legal(w, action):
        action = lowest_legal(w, actions)
        head(w).invalid_actions += 1
    act(w, action)


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
    """Move every row once and observe all rows; arguments as of TaskScheduling's.

    Args:
        sizes: int64, the number of actions (edges), then the widths of the static fields.
    """
    count = sizes[0]
    for row in range(len(actions)):
        w = open_world(rows, base[row], models)
        reward = 0.0
        if moves[row] == BEGIN:
            run(w)
        elif moves[row] == ACT:
            if head(w).status == DECIDING:
                _act_or_amend(w, actions[row], count)
                run(w)
            reward = -take_cost(w)
        results[row, 0] = reward
        results[row, 1] = head(w).elapsed
        results[row, 2] = float(head(w).status)
        write_observation(w, out, row, len(actions), count, sizes[1:], static[head(w).system])
        write_mask(w, mask, row * count, count)
