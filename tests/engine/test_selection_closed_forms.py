"""Selection among identical edges against queueing theory: fixed seeds, four standard errors."""

from __future__ import annotations

import itertools
from math import factorial

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.engine.identical_edges import Choose, in_system, instance, play, system
from tests.engine.queues import assert_near, mean_and_error
from tiergym.engine import Simulation

EDGES, LOAD, TASKS = 4, 0.7, 150_000


def delays(choose: Choose, edges: int = EDGES, tasks: int = TASKS, **given: int) -> NDArray:
    """float64[tasks], seconds in the system, at the same load of each edge."""
    model = system(edges, **given)
    return play(model, instance(model, LOAD * edges, tasks), choose).delay


def test_one_edge_is_m_m_1() -> None:
    assert_near(delays(lambda _: 0, edges=1), 1 / (1 - LOAD))


@pytest.mark.parametrize("terminals", [1, 7])
def test_random_splitting_is_m_m_1_at_each_edge(terminals: int) -> None:
    rng = np.random.default_rng(1)
    assert_near(delays(lambda _: int(rng.integers(EDGES)), terminals=terminals), 1 / (1 - LOAD))


@pytest.mark.parametrize("terminals", [1, 7])
def test_one_counter_over_all_terminals_makes_erlang_arrivals(terminals: int) -> None:
    """An edge gets every c-th task: E_c/M/1, whose delay follows from a root (Kleinrock 1975)."""
    counter = itertools.count()
    found = delays(lambda _: next(counter) % EDGES, terminals=terminals)
    root, rate = 0.5, LOAD * EDGES
    for _ in range(200):
        root = (rate / (rate + 1 - root)) ** EDGES
    assert_near(found, 1 / (1 - root))


def shortest(rng: np.random.Generator) -> Choose:
    """The edge with the fewest tasks, ties at random."""

    def choose(simulation: Simulation) -> int:
        length = in_system(simulation)
        return int(rng.choice(np.flatnonzero(length == length.min())))

    return choose


def test_the_shortest_queue_lies_between_one_queue_for_all_and_taking_turns() -> None:
    mean, error = mean_and_error(delays(shortest(np.random.default_rng(2))))
    rate = LOAD * EDGES
    full = rate**EDGES / factorial(EDGES) / (1 - LOAD)
    wait = full / (sum(rate**k / factorial(k) for k in range(EDGES)) + full)
    assert 1 + wait / (EDGES - rate) < mean - 4 * error
    root = 0.5
    for _ in range(200):
        root = (rate / (rate + 1 - root)) ** EDGES
    assert mean + 4 * error < 0.75 / (1 - root)


def test_the_better_of_two_is_near_the_mean_field() -> None:
    """Of many edges: sum over i of rho^(2^i - 2) (Mitzenmacher 2001, Vvedenskaya et al. 1996)."""
    rng = np.random.default_rng(3)

    def choose(simulation: Simulation) -> int:
        length, (a, b) = in_system(simulation), rng.choice(50, 2, replace=False)
        return int(a if length[a] < length[b] or (length[a] == length[b] and a < b) else b)

    mean, error = mean_and_error(delays(choose, edges=50), warm_up=20_000)
    exact = sum(LOAD ** (2**i - 2) for i in range(1, 8))
    assert error < 0.01 * exact
    assert abs(mean / exact - 1.0) < 0.05


def test_reports_that_never_come_send_all_to_one_edge() -> None:
    model = system(EDGES, interval=1e9)

    def least(simulation: Simulation) -> int:
        reported = simulation.view(0, "edge")["reports"]
        assert not reported.any()
        return int(np.argmin(reported))

    found = play(model, instance(model, LOAD, TASKS), least)
    assert_near(found.delay, 1 / (1 - LOAD))
