"""The compiled engine agrees with the SimPy reference, event for event and to the last bit.

Equal are: the times of all decisions, the legal actions and the state at each, what became of every
task, the number of events, and all totals. No tolerance is needed anywhere: where the order of a
sum matters, both sum in the order of events.
"""

from __future__ import annotations

import numpy as np
import pytest

from tests.engine.side_by_side import Replay, claimed_of, reference_of
from tests.reference import records
from tests.reference.random_systems import ANY, ONE_DEVICE, Case, random_case
from tests.reference.records import Result
from tiergym.engine import WAIT, Simulation

SHAPES = (ANY, ONE_DEVICE)


def played(
    seed: int, shape: str, grid: bool, small: bool = False, tasks_max: int = 60
) -> tuple[Case, Result]:
    """A random case, and what the reference made of it."""
    rng = np.random.default_rng([seed, SHAPES.index(shape), grid, small, tasks_max])
    case = random_case(rng, shape, grid, small, tasks_max)
    return case, reference_of(case, rng)


@pytest.mark.parametrize("small", [True, False])
@pytest.mark.parametrize("grid", [True, False])
@pytest.mark.parametrize("shape", SHAPES)
def test_decisions_tasks_and_totals_are_equal(shape: str, grid: bool, small: bool) -> None:
    for seed in range(250):
        try:
            Replay(*played(seed, shape, grid, small)).compare()
        except AssertionError as error:
            raise AssertionError(f"seed {seed}: {error}") from error


@pytest.mark.parametrize("shape", SHAPES)
def test_a_thousand_tasks_are_equal(shape: str) -> None:
    for seed in range(4):
        Replay(*played(seed, shape, grid=False, tasks_max=1000)).compare()


def test_rows_of_different_systems_do_not_touch_each_other() -> None:
    cases = [played(seed, SHAPES[seed % 2], grid=seed % 3 == 0) for seed in range(200, 216)]
    systems, claimed = [case.system for case, _ in cases], [claimed_of(case) for case, _ in cases]
    simulation = Simulation(systems, rows=len(cases), claimed=claimed)
    rows = np.random.default_rng(0).permutation(len(cases)).tolist()
    running = [
        Replay(case, expected, simulation, row, system).steps()
        for system, (row, (case, expected)) in enumerate(zip(rows, cases, strict=True))
    ]
    while running:
        running = [steps for steps in running if next(steps, None) is not None]


def test_a_restored_snapshot_goes_on_as_if_nothing_had_been_tried() -> None:
    for seed in range(300, 330):
        replay = Replay(*played(seed, ONE_DEVICE, grid=seed % 2 == 0))
        for number in replay.steps():
            before = replay.simulation.snapshot(0)
            if number % 3 == 0:
                replay.take(replay.expected.decisions[number])
            elif replay.legal()[0].kind == records.WAIT:
                replay.simulation.decide(0, WAIT)
            replay.simulation.restore(0, before)
