"""Identical edges behind links that take no time: what queueing theory knows of their selection."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.engine.queues import poisson
from tiergym.engine import DECIDING, Simulation, TaskLog
from tiergym.scenarios.instance import Coverage, Instance
from tiergym.scenarios.system import (
    EDGE,
    EMPTY_STAGE,
    ENTRIES,
    FCFS,
    NO_STAGE,
    TERMINAL,
    Cost,
    Selection,
    System,
)

Choose = Callable[[Simulation], int]
"""The edge of the next task, from the state of the simulation (row 0)."""


def system(edges: int, terminals: int = 1, executors: int = 1, interval: float = 0.0) -> System:
    """Terminals that run nothing, edges that take a mean second a task, one at a time."""
    nodes, links = terminals + edges, terminals
    tier = np.array([TERMINAL] * terminals + [EDGE] * edges)
    row = np.full((nodes, ENTRIES), NO_STAGE)
    row[:terminals, 0] = EMPTY_STAGE
    row[terminals:, 0] = 0
    zeros = np.zeros(links)
    return System(
        node_names=tuple(f"node-{n}" for n in range(nodes)),
        link_names=tuple(f"uplink-{n}" for n in range(links)),
        network_names=("network",),
        node_tier=tier,
        node_executors=np.where(tier == EDGE, executors, 1),
        node_batch_max=np.ones(nodes, np.int64),
        node_memory=np.full(nodes, np.inf),
        node_reserve=np.zeros(nodes),
        node_discipline=np.full(nodes, FCFS),
        node_rank=np.zeros((nodes, 1), np.int64),
        node_idle_watts=np.zeros(nodes),
        node_busy_watts=np.zeros(nodes),
        node_uplink=np.where(tier == TERMINAL, np.arange(nodes), -1),
        link_source=np.arange(links),
        link_target=np.full(links, terminals),
        link_packing=np.zeros(links, np.int64),
        link_package_max=np.full(links, np.inf),
        link_per_package=zeros,
        link_half_rtt=zeros,
        link_base_watts=zeros,
        link_joules_per_megabit=zeros,
        network_blocks=np.array([1]),
        network_route=np.array([0]),
        network_table=np.array([-1]),
        network_samples=np.array([1]),
        route_network=np.array([0]),
        route_p1=np.array([0]),
        route_p2=np.array([1]),
        route_threshold=np.zeros((1, 2)),
        group_entry_block=np.array([0, 0, 1]),
        group_payload=np.array([1.0, 1.0, 0.0]),
        stage_row=row,
        stage_end=np.where(tier == TERMINAL, 0, 1)[:, None] * np.ones((1, ENTRIES), np.int64),
        stage_seconds=np.array([[1.0]]),
        stage_workspace=np.array([[0.0]]),
        exit_confidence=np.empty(0, np.float32),
        exit_correct=np.empty(0, np.int8),
        cost=Cost(),
        selection=Selection(
            terminals=terminals,
            edges=edges,
            attach_every=0.0,
            moves=False,
            overload_mark=2.0,
            hold_seconds=0.0,
            reconnect_seconds=0.0,
            timeout_seconds=1.0,
            report_interval=interval,
            fetch_seconds=np.zeros((edges, 1)),
            deployed=np.ones((edges, 1), np.bool_),
        ),
    )


def instance(system: System, rate: float, tasks: int, seed: int = 0) -> Instance:
    """Poisson arrivals at a rate over random terminals, exponential service of mean one."""
    rng = np.random.default_rng(seed)
    assert system.selection is not None
    terminals, edges = system.selection.terminals, system.selection.edges
    arrival = poisson(rng, rate, tasks)
    return Instance(
        window=float(arrival[-1]) + 1.0,
        arrival=arrival,
        origin=rng.integers(0, terminals, tasks),
        network=np.zeros(tasks, np.int64),
        sample=np.zeros(tasks, np.int64),
        deadline=np.full(tasks, np.inf),
        charged=np.ones(tasks, np.bool_),
        jitter=rng.exponential(1.0, (system.nodes, tasks)),
        piece_offset=np.arange(terminals + 1),
        piece_start=np.zeros(terminals),
        piece_bandwidth=np.full(terminals, np.inf),
        coverage=Coverage(
            start=np.zeros(1),
            half_rtt=np.zeros((1, terminals, edges)),
            failure_edge=np.empty(0, np.int64),
            failure_start=np.empty(0),
            failure_end=np.empty(0),
        ),
    )


def play(system: System, instance: Instance, choose: Choose) -> TaskLog:
    """Every task goes where ``choose`` sends it."""
    simulation = Simulation([system], selects=True)
    status = simulation.start(0, instance)
    while status == DECIDING:
        status = simulation.select(0, choose(simulation))
    return simulation.log(0)


def in_system(simulation: Simulation) -> NDArray[np.int64]:
    """int64[E], tasks queued and running at every edge."""
    selection = simulation.systems[0].selection
    assert selection is not None
    node: Any = simulation.view(0, "node")[selection.terminals :]
    executors = simulation.systems[0].node_executors[selection.terminals :]
    return node["queued"] + executors - node["idle"]
