"""Actions of TaskScheduling: wait, run a group, pre-upload a group; which of them are legal.

Action 0 waits. With M slots (one a task group) and K batch sizes, ``1 + m K + j`` runs at most
``sizes[j]`` of the oldest tasks of slot m, ``1 + M K + m K + j`` pre-uploads at most that many of
its youngest. A slot's group is `World.slot`.
"""

from __future__ import annotations

from typing import Any

from tiergym.engine.compiling import compiled
from tiergym.engine.layout import DECIDING
from tiergym.engine.nodes import batch_fits, can_upload
from tiergym.engine.running import RUN, UPLOAD, WAIT, decide, may_wait
from tiergym.engine.views import World, head, model, node_at, node_spec, queue_at, slot_at


def action_count(max_networks: int, sizes: int) -> int:
    """Number of actions, ``1 + 2 M K``."""
    return 1 + 2 * max_networks * sizes


def describe(action: int, max_networks: int, sizes: tuple[int, ...]) -> str:
    """An action in words, for messages and rendering."""
    if action == 0:
        return "wait"
    kind, rest = divmod(action - 1, max_networks * len(sizes))
    slot, size = divmod(rest, len(sizes))
    verb = ("run", "pre-upload")[kind] if kind < 2 else "unknown"
    return f"{verb} slot {slot} at most {sizes[size]}"


@compiled
def run_count(w: World, slot: int, j: int, sizes: Any) -> int:
    """Tasks that running ``slot`` at size j would take; 0 where that is not legal."""
    n = model(w).claimed
    if slot >= model(w).slots or node_at(w, n).idle == 0:
        return 0
    g = slot_at(w, slot).value
    most = min(queue_at(w, n * model(w).groups + g).length, node_spec(w, n).batch_max)
    count = _capped(most, j, sizes)
    return count if count > 0 and batch_fits(w, n, g, count) else 0


@compiled
def upload_count(w: World, slot: int, j: int, sizes: Any) -> int:
    """Tasks that pre-uploading ``slot`` at size j would take; 0 where that is not legal."""
    n = model(w).claimed
    if slot >= model(w).slots:
        return 0
    g = slot_at(w, slot).value
    count = _capped(queue_at(w, n * model(w).groups + g).length, j, sizes)
    return count if count > 0 and can_upload(w, n, g) else 0


@compiled
def _capped(most: int, j: int, sizes: Any) -> int:
    """``min(most, sizes[j])``, or 0 if the next smaller size would do the same."""
    if most == 0 or (j > 0 and most <= sizes[j - 1]):
        return 0
    return min(most, sizes[j])


@compiled
def count_of(w: World, action: int, max_networks: int, sizes: Any) -> int:
    """Tasks that ``action`` would move, 0 where it is illegal (waiting counts as 1)."""
    if head(w).status != DECIDING:
        return 1 if action == 0 else 0
    if action == 0:
        return 1 if may_wait(w) else 0
    half = max_networks * len(sizes)
    if action < 0 or action > 2 * half:
        return 0
    if action <= half:
        return run_count(w, (action - 1) // len(sizes), (action - 1) % len(sizes), sizes)
    rest = action - 1 - half
    return upload_count(w, rest // len(sizes), rest % len(sizes), sizes)


@compiled
def lowest_legal(w: World, max_networks: int, sizes: Any) -> int:
    """The legal action of the lowest number."""
    action = 0
    while count_of(w, action, max_networks, sizes) == 0:
        action += 1
    return action


@compiled
def act(w: World, action: int, count: int, max_networks: int, sizes: Any) -> None:
    """Carry out a legal action that moves ``count`` tasks."""
    half = max_networks * len(sizes)
    if action == 0:
        decide(w, WAIT, 0, 0)
    elif action <= half:
        decide(w, RUN, slot_at(w, (action - 1) // len(sizes)).value, count)
    else:
        decide(w, UPLOAD, slot_at(w, (action - 1 - half) // len(sizes)).value, count)


@compiled
def write_mask(w: World, mask: Any, at: int, max_networks: int, sizes: Any) -> None:
    """Write int8[1 + 2 M K] at ``mask[at]``; once an episode has ended only action 0 is legal."""
    k, half = len(sizes), max_networks * len(sizes)
    for a in range(1 + 2 * half):
        mask[at + a] = 0
    if head(w).status != DECIDING:
        mask[at] = 1
        return
    mask[at] = 1 if may_wait(w) else 0
    base = model(w).claimed * model(w).groups
    for slot in range(model(w).slots):
        length = queue_at(w, base + slot_at(w, slot).value).length
        for j in range(k):
            if length == 0 or (j > 0 and length <= sizes[j - 1]):
                break
            first = at + 1 + slot * k + j
            mask[first] = 1 if run_count(w, slot, j, sizes) > 0 else 0
            mask[first + half] = 1 if upload_count(w, slot, j, sizes) > 0 else 0
