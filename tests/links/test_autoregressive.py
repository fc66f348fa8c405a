"""The AR(1) process: its statistics, each within four standard errors of what the model says."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from tiergym.links import AutoregressiveBandwidth, BandwidthProcess, parse_bandwidth

MEDIAN, SIGMA, RHO = 30.0, 0.4, 0.9
STEPS = 200_000


def process(low: float = 1e-6, high: float = 1e6, step: float = 1.0) -> AutoregressiveBandwidth:
    return AutoregressiveBandwidth(MEDIAN, SIGMA, RHO, step, low, high)


@pytest.fixture(scope="module")
def states() -> NDArray[np.float64]:
    """Logarithm of Mbit/s over one long draw that is never clipped."""
    _, bandwidth = process().draw(np.random.default_rng(1), float(STEPS))
    return np.log(bandwidth / 1e6)


def test_median(states: NDArray[np.float64]):
    orthants = sum(math.asin(RHO**k) for k in range(1, 400)) / (2.0 * math.pi)
    error = SIGMA * math.sqrt(2.0 * math.pi / STEPS * (0.25 + 2.0 * orthants))
    assert abs(np.median(states) - math.log(MEDIAN)) < 4.0 * error


def test_spread(states: NDArray[np.float64]):
    error = SIGMA * math.sqrt((1 + RHO**2) / (1 - RHO**2) / (2 * STEPS))
    assert abs(np.std(states) - SIGMA) < 4.0 * error


def test_lag_one_autocorrelation(states: NDArray[np.float64]):
    found = np.corrcoef(states[:-1], states[1:])[0, 1]
    assert abs(found - RHO) < 4.0 * math.sqrt((1 - RHO**2) / STEPS)


def test_a_draw_starts_in_the_stationary_state():
    rng = np.random.default_rng(2)
    first = np.log([process().draw(rng, 3.0)[1][0] / 1e6 for _ in range(4000)])
    assert abs(first.mean() - math.log(MEDIAN)) < 4.0 * SIGMA / math.sqrt(4000)
    assert abs(first.std() - SIGMA) < 4.0 * SIGMA / math.sqrt(8000)


@pytest.mark.parametrize(("low", "high"), [(1e-6, 1e6), (20.0, 40.0), (29.0, 90.0)])
def test_the_mean_is_that_of_the_clipped_process(low: float, high: float):
    clipped = process(low, high)
    _, bandwidth = clipped.draw(np.random.default_rng(3), float(STEPS))
    batches = bandwidth.reshape(200, -1).mean(axis=1)
    error = batches.std(ddof=1) / math.sqrt(len(batches))
    assert abs(batches.mean() - clipped.mean()) < 4.0 * error
    assert bandwidth.min() >= low * 1e6
    assert bandwidth.max() <= high * 1e6


def test_pieces_cover_the_horizon_a_step_each():
    start, bandwidth = process(step=0.5).draw(np.random.default_rng(4), 2.2)
    assert start.tolist() == [0.0, 0.5, 1.0, 1.5, 2.0]
    assert bandwidth.shape == (5,)
    assert len(process().draw(np.random.default_rng(4), 0.0)[0]) == 1


def test_a_draw_is_a_function_of_the_generator():
    draws = [process().draw(np.random.default_rng(5), 50.0)[1] for _ in range(2)]
    assert (draws[0] == draws[1]).all()


def test_a_redraw_keeps_the_past_and_only_the_past():
    start, bandwidth = process().draw(np.random.default_rng(6), 30.0)
    again, redrawn = process().redraw(np.random.default_rng(7), start, bandwidth, 9.0, 40.0)
    assert again.tolist() == list(range(40))
    assert (redrawn[:10] == bandwidth[:10]).all()
    assert (redrawn[10:30] != bandwidth[10:]).all()


def test_a_redraw_does_not_look_at_the_future():
    start, bandwidth = process().draw(np.random.default_rng(6), 30.0)
    other = bandwidth.copy()
    other[10:] *= 7.0
    redraws = [
        process().redraw(np.random.default_rng(7), start, b, 9.5, 30.0)[1]
        for b in (bandwidth, other)
    ]
    assert (redraws[0] == redraws[1]).all()


def test_a_redraw_follows_the_last_value():
    rng = np.random.default_rng(8)
    start, last = np.array([0.0]), np.array([MEDIAN * math.exp(2.0 * SIGMA) * 1e6])
    future = [process().redraw(rng, start, last, 0.5, 3.0)[1] for _ in range(4000)]
    states = np.log(np.array(future) / 1e6) - math.log(MEDIAN)
    for k in (1, 2):
        spread = SIGMA * math.sqrt(1.0 - RHO ** (2 * k))
        expected = 2.0 * SIGMA * RHO**k
        assert abs(states[:, k].mean() - expected) < 4.0 * spread / math.sqrt(4000)
        assert abs(states[:, k].std() - spread) < 4.0 * spread / math.sqrt(8000)


def test_without_spread_it_is_constant():
    flat = parse_bandwidth("b", {"ar1": {"median": 5, "sigma": 0}})
    assert isinstance(flat, BandwidthProcess)
    assert flat.mean() == 5e6
    np.testing.assert_allclose(flat.draw(np.random.default_rng(0), 9.0)[1], 5e6, rtol=1e-12)
