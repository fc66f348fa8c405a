"""Random systems in which terminals select edges: coverage, reports, failures, fetches.

Drawn to reach every branch of `attach` and `move`: edges out of range, reports that are late, old
or fresh, failures of idle and of busy edges, packages that overtake each other, parameters that
lack, memory that is full.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from tests.reference.random_numbers import Floats, Numbers, grid_or_continuous
from tests.reference.random_systems import (
    Case,
    Models,
    Tree,
    add_table,
    random_instance,
    random_model,
    random_system,
)
from tiergym.scenarios.instance import Coverage, Instance, check_instance
from tiergym.scenarios.system import CLOUD, EDGE, TERMINAL, Selection, System

KEPT_INTERVALS = 15
"""Report intervals that a report may take to a terminal; the engine refuses longer ways."""


def random_selection_case(
    rng: np.random.Generator, grid: bool = False, tasks_max: int = 60
) -> Case:
    """Draw a case in which terminals select edges; no node is claimed.

    Args:
        rng: the only source of randomness.
        grid: as in `random_case`: ties are frequent and all sums exact.
        tasks_max: most tasks.
    """
    numbers = grid_or_continuous(rng, grid)
    terminals, edges = numbers.integer(1, 6), numbers.integer(1, 4)
    tree = _tree(numbers, terminals, edges)
    system = random_system(numbers, tree, _models(numbers, tree), plain=True)
    system = _plain(system, terminals)
    instance = random_instance(numbers, system, tree, numbers.integer(1, tasks_max))
    system = replace(system, selection=_selection(numbers, system, tree, instance.window))
    instance = replace(instance, coverage=_coverage(numbers, system, instance.window))
    check_instance(system, instance)
    return Case(system, instance, None, (1,))


def failing_at(case: Case, numbers: Numbers, times: Sequence[float]) -> Case:
    """The same case with up to three failures that begin at some of ``times`` (seconds > 0)."""
    coverage, selection = case.instance.coverage, case.system.selection
    assert coverage is not None
    assert selection is not None
    count = min(len(times), numbers.integer(1, 3))
    starts = sorted(times[at] for at in numbers.rng.permutation(len(times))[:count])
    drawn = [
        (numbers.integer(0, selection.edges - 1), start, start + float(numbers.seconds(0.3, 1)[0]))
        for start in starts
    ]
    coverage = _with_failures(coverage, drawn)
    return replace(case, instance=replace(case.instance, coverage=coverage))


def _tree(numbers: Numbers, terminals: int, edges: int) -> Tree:
    """Terminals, whose nominal target is the first edge, edges, and maybe a cloud above them."""
    cloud = terminals + edges if numbers.chance(0.6) else -1
    tier = [TERMINAL] * terminals + [EDGE] * edges + [CLOUD] * (cloud >= 0)
    parent = [terminals] * terminals + [cloud] * edges + [-1] * (cloud >= 0)
    others = list(range(terminals if numbers.chance(0.7) else 0, len(tier)))
    return Tree(tier, parent, 0, list(range(terminals)), others)


def _models(numbers: Numbers, tree: Tree) -> Models:
    """Networks of which many leave nothing for the terminal to run."""
    count, upload_all = numbers.integer(1, 4), _of(numbers, 0.4, 1.0)
    models = Models([], numbers.rng.permutation(count).tolist())
    for _ in range(count):
        model = random_model(numbers, tree)
        if numbers.chance(upload_all):
            model.ends = (0, *model.ends[1:])
        if model.samples > 1 or any(0 < end < model.blocks for end in model.ends):
            add_table(numbers, models, model)
        models.by_route.append(model)
    return models


def _plain(system: System, terminals: int) -> System:
    """No round trips of terminals' links, and whole watts: many nodes' sum to the last bit."""
    idle_watts = np.rint(system.node_idle_watts)
    half_rtt = system.link_half_rtt.copy()
    half_rtt[:terminals] = 0.0
    return replace(
        system,
        node_idle_watts=idle_watts,
        node_busy_watts=np.maximum(system.node_busy_watts, idle_watts),
        link_half_rtt=half_rtt,
    )


def _selection(numbers: Numbers, system: System, tree: Tree, window: float) -> Selection:
    edges = tree.tier.count(EDGE)
    shape = (edges, system.networks)
    fetch = numbers.often_zero(edges * system.networks, 0.3).reshape(shape)
    return Selection(
        terminals=tree.tier.count(TERMINAL),
        edges=edges,
        attach_every=_of(numbers, 0.0, np.inf, np.inf, float(numbers.seconds(window / 3, 1)[0])),
        moves=numbers.chance(0.8),
        overload_mark=float(numbers.rng.uniform(0.02, _of(numbers, 0.2, 0.9))),
        hold_seconds=_of(numbers, 0.0, float(numbers.seconds(window / 5, 1)[0])),
        reconnect_seconds=_of(numbers, 0.0, float(numbers.seconds(0.1, 1)[0])),
        timeout_seconds=float(numbers.seconds(0.3, 1)[0]),
        report_interval=_of(numbers, 0.0, *numbers.seconds(window / 8, 4).tolist()),
        fetch_seconds=fetch,
        deployed=numbers.rng.random(shape) < numbers.rng.choice([0.3, 0.8, 1.0]),
    )


def _of(numbers: Numbers, *values: float) -> float:
    return values[numbers.integer(0, len(values) - 1)]


def _coverage(numbers: Numbers, system: System, window: float) -> Coverage:
    selection = system.selection
    assert selection is not None
    pieces = numbers.integer(1, 6)
    start = np.concatenate([[0.0], np.cumsum(numbers.seconds(window / 3, pieces - 1))])
    failures = [
        (edge, *failure)
        for edge in range(selection.edges)
        for failure in _failures(numbers, window)
    ]
    shape = (pieces, selection.terminals, selection.edges)
    half_rtt = _half_rtt(numbers, shape, selection.report_interval)
    nothing = (np.empty(0, np.int64), np.empty(0), np.empty(0))
    return _with_failures(Coverage(start, half_rtt, *nothing), sorted(failures, key=_start_of))


def _half_rtt(numbers: Numbers, shape: tuple[int, int, int], interval: float) -> Floats:
    """Seconds, up to several report intervals; some infinite, but never all of a terminal's."""
    longest = _of(numbers, 0.02, 0.1, 4 * interval or 0.1)
    half_rtt = numbers.often_zero(int(np.prod(shape)), longest).reshape(shape)
    if interval > 0:
        half_rtt = np.minimum(half_rtt, KEPT_INTERVALS * interval)
    out = numbers.rng.random(shape) < numbers.rng.choice([0.0, 0.3, 0.6])
    spared = numbers.rng.integers(0, shape[2], shape[:2])
    np.put_along_axis(out, spared[..., None], False, axis=2)
    return np.where(out, np.inf, half_rtt)


def _failures(numbers: Numbers, window: float) -> list[tuple[float, float]]:
    """(start, end) of the failures of one edge, often none."""
    count = numbers.integer(1, 3) if numbers.chance(0.35) else 0
    times = np.cumsum(numbers.seconds(window / 3, 2 * count)).tolist()
    return list(zip(times[::2], times[1::2], strict=True))


def _start_of(failure: tuple[int, float, float]) -> float:
    return failure[1]


def _with_failures(coverage: Coverage, failures: list[tuple[int, float, float]]) -> Coverage:
    """Give it failures (edge, start, end) by start, but for those that touch an earlier one."""
    kept: list[tuple[int, float, float]] = []
    for edge, start, end in failures:
        if all(start > other_end for other, _, other_end in kept if other == edge):
            kept.append((edge, start, end))
    return replace(
        coverage,
        failure_edge=np.array([edge for edge, _, _ in kept], dtype=np.int64),
        failure_start=np.array([start for _, start, _ in kept], dtype=np.float64),
        failure_end=np.array([end for _, _, end in kept], dtype=np.float64),
    )


def instance_without_failures(instance: Instance) -> Instance:
    """The same draw in which no edge fails."""
    assert instance.coverage is not None
    return replace(instance, coverage=_with_failures(instance.coverage, []))
