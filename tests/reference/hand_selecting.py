"""Terminals that select edges, written by hand.

A payload takes a second on a terminal's uplink and a batch a second at an edge, unless said
otherwise, so times can be worked out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from tests.reference.hand import HandLink, HandNetwork, HandNode, hand_instance, hand_system
from tests.reference.records import Result, SelectView
from tests.reference.selecting import Select
from tests.reference.simulator import simulate
from tiergym.scenarios.instance import Coverage, Instance
from tiergym.scenarios.system import EDGE, TERMINAL, Selection, System

UPLINK = HandLink(0, 0, pieces=[(0.0, 1e6)])
INSTANT = HandLink(0, 0)
"""An uplink on which nothing takes any time."""
UPLOADER = HandNode(TERMINAL, {})
SECOND = HandNode(EDGE, {(0, 0): [1.0]})
ON_EDGE = HandNetwork(placement=(0, 1))
"""One block of a megabit that edges run."""


@dataclass(frozen=True)
class HandField:
    """Terminals, their uplinks, edges, and maybe a cloud with the edges' uplinks to it.

    ``lacking`` are the pairs (edge, network) whose parameters are fetched, in as many seconds.
    ``terms`` are fields of `Selection` that differ from: attach once, no moves, no waiting.
    """

    edges: Sequence[HandNode] = (SECOND,)
    terminals: int = 1
    terminal: HandNode = UPLOADER
    uplink: HandLink = UPLINK
    cloud: HandNode | None = None
    backhaul: HandLink = INSTANT
    networks: Sequence[HandNetwork] = (ON_EDGE,)
    lacking: dict[tuple[int, int], float] = field(default_factory=dict)
    terms: dict[str, Any] = field(default_factory=dict)

    def links(self) -> list[HandLink]:
        """The uplinks of terminals, then those of edges."""
        first, clouds = self.terminals, self.terminals + len(self.edges)
        links = [replace(self.uplink, source=k, target=first) for k in range(first)]
        if self.cloud is not None:
            links += [
                replace(self.backhaul, source=node, target=clouds) for node in range(first, clouds)
            ]
        return links

    def system(self) -> System:
        """Return the system."""
        nodes = [*[self.terminal] * self.terminals, *self.edges]
        nodes += [] if self.cloud is None else [self.cloud]
        shape = (len(self.edges), len(self.networks))
        fetch_seconds, deployed = np.zeros(shape), np.ones(shape, dtype=np.bool_)
        for pair, seconds in self.lacking.items():
            fetch_seconds[pair], deployed[pair] = seconds, False
        terms: dict[str, Any] = {
            "attach_every": np.inf,
            "moves": False,
            "overload_mark": 0.5,
            "hold_seconds": 0.0,
            "reconnect_seconds": 0.0,
            "timeout_seconds": 1.0,
            "report_interval": 0.0,
        }
        selection = Selection(
            self.terminals,
            len(self.edges),
            fetch_seconds=fetch_seconds,
            deployed=deployed,
            **{**terms, **self.terms},
        )
        return replace(hand_system(nodes, self.networks, self.links()), selection=selection)

    def instance(self, coverage: Coverage, arrival: Sequence[float], **given: Any) -> Instance:
        """Return the instance; ``given`` as in `hand_instance`."""
        links = self.links()
        return hand_instance(self.system(), arrival, links=links, coverage=coverage, **given)

    def result(
        self, coverage: Coverage, arrival: Sequence[float], select: Select | None, **given: Any
    ) -> Result:
        """Return what becomes of tasks that arrive at these times (seconds)."""
        return simulate(self.system(), self.instance(coverage, arrival, **given), select=select)


def reach(
    *pieces: Sequence[Sequence[float]],
    starts: Sequence[float] = (0.0,),
    failures: Sequence[tuple[int, float, float]] = (),
) -> Coverage:
    """Return the coverage.

    Args:
        pieces: seconds one way by terminal, then by edge.
        starts: of the pieces (seconds).
        failures: (edge, start, end).
    """
    return Coverage(
        start=np.array(starts, dtype=np.float64),
        half_rtt=np.array(pieces, dtype=np.float64),
        failure_edge=np.array([edge for edge, _, _ in failures], dtype=np.int64),
        failure_start=np.array([start for _, start, _ in failures], dtype=np.float64),
        failure_end=np.array([end for _, _, end in failures], dtype=np.float64),
    )


def scripted_edges(*edges: int) -> Select:
    """Choose the given edges in turn, and fail if more are asked for."""
    script = list(edges)
    return lambda view: script.pop(0)


def staying(view: SelectView) -> int:
    """Keep the attached edge, or attach to the first in range."""
    return view.attached if view.attached in view.legal else view.legal[0]


def views(result: Result) -> list[SelectView]:
    """Return what was shown at each decision."""
    return [decision.view for decision in result.selections]


def asked(result: Result) -> list[tuple[float, int, str]]:
    """Return (time, terminal, kind) of every decision."""
    return [(view.time, view.terminal, view.kind) for view in views(result)]
