"""A placed network on a terminal, an edge and a cloud node, written by hand.

Every block takes the same seconds on a node, whatever the batch, so times can be worked out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from tests.reference.hand import HandLink, HandNetwork, HandNode, hand_system
from tests.reference.placing import Place
from tests.reference.routes import as_routes
from tiergym.scenarios.system import Placing, System, pair_number, pairs_of

BATCH_MAX = 4
NEVER = (9.0, 9.0)
"""Thresholds that no confidence reaches."""


@dataclass(frozen=True)
class HandTier:
    """``seconds`` a block takes, ``load_rate`` in bytes/s, (idle, busy) ``watts``."""

    seconds: float = 1.0
    load_rate: float = np.inf
    executors: int = 1
    memory: float = np.inf
    watts: tuple[float, float] = (0.0, 0.0)


def placed_system(
    tiers: Sequence[HandTier],
    links: Sequence[HandLink],
    payload: Sequence[float],
    block_bytes: Sequence[float],
    interval: float,
    exits: Sequence[Sequence[tuple[float, int]]] | None = None,
    levels: Sequence[tuple[float, float]] = (NEVER,),
    own: tuple[int, int] = (0, 0),
) -> System:
    """Return the system. ``own`` is the pair where nobody decides; the rest as in `HandNetwork`.

    Route 0 is the network's own; `route_of` gives the others.
    """
    blocks = len(block_bytes)
    pairs = [(p1, p2) for p2 in range(blocks + 1) for p1 in range(p2 + 1)]
    routes = [(own, levels[0]), *((pair, level) for level in levels for pair in pairs)]
    networks = [HandNetwork(payload, pair, exits, level) for pair, level in routes]
    nodes = [_node(tier, hand, networks) for tier, hand in enumerate(tiers)]
    system = as_routes(hand_system(nodes, networks, links), 1, 0)
    return replace(
        system,
        placing=Placing(
            network=0,
            interval_seconds=interval,
            first_route=1,
            thresholds=np.array(levels),
            servable=np.ones(len(routes) - 1, dtype=np.bool_),
            block_bytes=np.array(block_bytes, dtype=np.float64),
            load_rate=np.array([hand.load_rate for hand in tiers]),
        ),
    )


def route_of(blocks: int, pair: tuple[int, int], level: int = 0) -> int:
    """Return the route of a pair under a threshold level."""
    return 1 + level * pairs_of(blocks) + pair_number(*pair)


def moving(at: float, before: int, after: int) -> Place:
    """Put one route in force up to a time (seconds) and another from then on."""
    return lambda view: before if view.time < at else after


def scripted_routes(*routes: int) -> Place:
    """Put the given routes in force in turn, and fail if more are asked for."""
    script = list(routes)
    return lambda view: script.pop(0)


def _node(tier: int, hand: HandTier, networks: Sequence[HandNetwork]) -> HandNode:
    laws = {}
    for number, network in enumerate(networks):
        end = (*network.placement, network.blocks)[tier]
        for entry, start in enumerate((0, *network.placement)):
            laws[number, entry] = [hand.seconds * max(end - start, 0)] * BATCH_MAX
    return HandNode(tier, laws, executors=hand.executors, memory=hand.memory, watts=hand.watts)
