"""Actions of ExitPlacement: a threshold level and a pair, numbered the same for every network."""

from __future__ import annotations

from typing import Any

from tiergym.engine.compiling import compiled
from tiergym.engine.layout import DECIDING
from tiergym.engine.placing import may_place, place
from tiergym.engine.views import World, head, model, network_spec
from tiergym.scenarios.system import pair_of, pairs_of


def describe(action: int, max_blocks: int) -> str:
    """An action in words."""
    level, number = divmod(action, pairs_of(max_blocks))
    p1, p2 = pair_of(number)
    return f"exits after blocks {p1} and {p2}, threshold level {level}"


@compiled
def route_of(w: World, action: int, pairs: int) -> int:
    """The route that an action puts in force, -1 if the network has no such pair or level."""
    m = model(w)
    blocks = network_spec(w, m.placed).blocks
    own = (blocks + 1) * (blocks + 2) // 2
    level = action // pairs
    pair = action - level * pairs
    if pair >= own or level * own >= m.placements:
        return -1
    return m.first_route + level * own + pair


@compiled
def is_legal(w: World, action: int, pairs: int) -> bool:
    """Whether an action may be taken now; after the end of an episode only action 0 may."""
    if head(w).status != DECIDING:
        return action == 0
    route = route_of(w, action, pairs)
    return route >= 0 and may_place(w, route)


@compiled
def lowest_legal(w: World, actions: int, pairs: int) -> int:
    """The lowest legal action."""
    action = 0
    while action < actions - 1 and not is_legal(w, action, pairs):
        action += 1
    return action


@compiled
def act(w: World, action: int, pairs: int) -> None:
    """Carry out a legal action."""
    place(w, route_of(w, action, pairs))


@compiled
def write_mask(w: World, mask: Any, first: int, actions: int, pairs: int) -> None:
    """Fill ``mask[first : first + actions]``: 1 where an action is legal."""
    for action in range(actions):
        mask[first + action] = 1 if is_legal(w, action, pairs) else 0
