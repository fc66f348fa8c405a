"""Random systems with a placed network: a terminal, an edge and a cloud node, and many routes.

Drawn to reach every branch of `place`: routes that do not fit or cannot be served, refusals,
loads that take no time or many intervals, blocks of no bytes, several networks on a node.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tests.reference.random_numbers import Numbers, grid_or_continuous
from tests.reference.random_systems import (
    Case,
    Models,
    Tree,
    add_table,
    random_instance,
    random_models,
    random_system,
    thresholds,
)
from tests.reference.routes import as_routes
from tiergym.scenarios.instance import Instance, check_instance
from tiergym.scenarios.placing import needed_bytes
from tiergym.scenarios.system import (
    CLOUD,
    EDGE,
    EMPTY_STAGE,
    ENTRIES,
    NO_STAGE,
    TERMINAL,
    Placing,
    System,
    pair_number,
)


def random_placed_case(rng: np.random.Generator, grid: bool = False, tasks_max: int = 60) -> Case:
    """Draw a case with a placed network; no node is claimed.

    Args:
        rng: the only source of randomness.
        grid: as in `random_case`: ties are frequent and all sums exact.
        tasks_max: most tasks.
    """
    numbers = grid_or_continuous(rng, grid)
    others = rng.permutation(3)[: numbers.integer(1, 3)].tolist()
    tree = Tree([TERMINAL, EDGE, CLOUD], [1, 2, -1], 0, [0], others)
    models = random_models(numbers, tree, small=False)
    networks = len(models.route)
    placed = numbers.integer(0, networks - 1)
    _add_routes(numbers, models, placed)
    system = as_routes(random_system(numbers, tree, models), networks, placed)
    instance = _instance(numbers, system, tree, placed, numbers.integer(1, tasks_max))
    system = _drop_routes(numbers, _with_placing(numbers, system, placed, instance.window))
    check_instance(system, instance)
    return Case(system, instance, None, (1,))


def _add_routes(numbers: Numbers, models: Models, placed: int) -> None:
    """Append the placed network under every level and pair, each as a network of its own."""
    own = models.by_route[models.route[placed]]
    if own.offset < 0:
        add_table(numbers, models, own)
    table = models.confidence[own.offset :][: own.samples * (own.blocks + 1)]
    levels = [own.threshold]
    levels += [thresholds(numbers, table) for _ in range(numbers.integer(0, 2))]
    for level in levels:
        for p2 in range(own.blocks + 1):
            for p1 in range(p2 + 1):
                models.route.append(len(models.by_route))
                models.by_route.append(replace(own, ends=(p1, p2, own.blocks), threshold=level))


def _instance(numbers: Numbers, system: System, tree: Tree, placed: int, tasks: int) -> Instance:
    """Mostly tasks of the placed network, which all arrive at the terminal."""
    drawn = random_instance(numbers, system, tree, tasks)
    network = np.where(numbers.rng.random(tasks) < 0.6, placed, drawn.network)
    return replace(
        drawn,
        network=network,
        origin=np.where(network == placed, 0, drawn.origin),
        sample=numbers.rng.integers(0, system.network_samples[network]),
    )


def _with_placing(numbers: Numbers, system: System, placed: int, window: float) -> System:
    first, blocks = system.networks, int(system.network_blocks[placed])
    sizes = [numbers.size() * numbers.integer(0, 3) for _ in range(blocks)]
    load_rate = numbers.bandwidth(system.nodes) / 8 / 4.0 ** numbers.integers(0, 3, system.nodes)
    load_rate[numbers.rng.random(system.nodes) < 0.2] = np.inf
    routes = len(system.route_network)
    system = replace(
        system,
        placing=Placing(
            network=placed,
            interval_seconds=_interval(numbers, window),
            first_route=first,
            thresholds=system.route_threshold[first :: (blocks + 1) * (blocks + 2) // 2],
            servable=np.ones(routes - first, dtype=np.bool_),
            block_bytes=np.array(sizes),
            load_rate=load_rate,
        ),
    )
    own = int(system.network_route[placed])
    held = [needed_bytes(system, node, own) for node in range(system.nodes)]
    spare = [numbers.size() * numbers.integer(0, 2) for _ in range(system.nodes)]
    return replace(system, node_memory=system.node_memory + np.array(held) + np.array(spare))


def _interval(numbers: Numbers, window: float) -> float:
    """Seconds, from a dozenth of the window to more than the whole."""
    intervals = numbers.integer(1, 12)
    return float(numbers.seconds(2 * window / intervals / 3, 3).sum())


def _drop_routes(numbers: Numbers, system: System) -> System:
    """Take from some routes a stage that they need, but not from the network's own pair."""
    placing, row = system.placing, system.stage_row.copy()
    assert placing is not None
    own = int(system.network_route[placing.network])
    spared = pair_number(int(system.route_p1[own]), int(system.route_p2[own]))
    servable = placing.servable.copy()
    for number in range(len(servable)):
        if number != spared and numbers.chance(0.1):
            stages = _stages_of(system, placing.first_route + number)
            row[stages[numbers.integer(0, len(stages) - 1)]] = NO_STAGE
            servable[number] = False
    return replace(system, stage_row=row, placing=replace(placing, servable=servable))


def _stages_of(system: System, route: int) -> list[tuple[int, int]]:
    """(node, group) of every stage with blocks that a task from the terminal may go through."""
    starts = system.group_entry_block[ENTRIES * route :][:ENTRIES].tolist()
    stages = [(n, ENTRIES * route + starts.index(starts[n])) for n in range(system.nodes)]
    return [stage for stage in stages if system.stage_row[stage] != EMPTY_STAGE]
