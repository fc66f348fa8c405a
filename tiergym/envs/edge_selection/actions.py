"""Actions of EdgeSelection: the edge that the terminal is attached to from now on."""

from __future__ import annotations

from typing import Any

from tiergym.engine.compiling import compiled
from tiergym.engine.layout import DECIDING
from tiergym.engine.selecting import in_range, select
from tiergym.engine.views import World, head, model


def describe(action: int) -> str:
    """An action in words."""
    return f"edge {action}"


@compiled
def is_legal(w: World, action: int) -> bool:
    """Whether an action may be taken now; after the end of an episode only action 0 may."""
    if head(w).status != DECIDING:
        return action == 0
    return action < model(w).edges and in_range(w, head(w).turn, action)


@compiled
def lowest_legal(w: World, actions: int) -> int:
    """The lowest legal action."""
    action = 0
    while action < actions - 1 and not is_legal(w, action):
        action += 1
    return action


@compiled
def act(w: World, action: int) -> None:
    """Carry out a legal action for the terminal whose turn it is."""
    head(w).decisions += 1
    select(w, head(w).turn, head(w).due, action)


@compiled
def write_mask(w: World, mask: Any, first: int, actions: int) -> None:
    """Fill ``mask[first : first + actions]``: 1 where an action is legal."""
    for action in range(actions):
        mask[first + action] = 1 if is_legal(w, action) else 0
