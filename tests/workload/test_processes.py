"""Arrival processes against what is known of them in closed form."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tiergym.workload import (
    Deterministic,
    Mmpp,
    Modulated,
    Poisson,
    Replay,
    load_series,
    load_trace,
)

RATES, DWELL = (1.0, 9.0), (2.0, 0.5)
MMPP = Mmpp(RATES, DWELL)
PROCESSES = {
    "poisson": Poisson(),
    "deterministic": Deterministic(),
    "mmpp": MMPP,
    "trace": Replay(load_trace("azure-conv-a")),
    "modulated": Modulated(load_series("nab-ec2-6-a"), period=120.0),
}


@pytest.mark.parametrize("name", PROCESSES)
def test_draw_is_sorted_within_the_window_and_a_pure_function(name: str) -> None:
    process = PROCESSES[name]
    for seed in range(20):
        times = process.draw(np.random.default_rng(seed), 30.0, 12.5)
        again = process.draw(np.random.default_rng(seed), 30.0, 12.5)
        assert np.array_equal(times, again)
        assert (np.diff(times) >= 0).all()
        assert times[0] >= 0
        assert times[-1] < 12.5


@pytest.mark.parametrize("name", PROCESSES)
def test_redraw_is_after_now_and_a_pure_function(name: str) -> None:
    process = PROCESSES[name]
    past = process.draw(np.random.default_rng(0), 30.0, 12.5)
    past = past[past <= 5.0]
    future = process.redraw(np.random.default_rng(1), past, 5.0, 30.0, 12.5)
    again = process.redraw(np.random.default_rng(1), past, 5.0, 30.0, 12.5)
    assert np.array_equal(future, again)
    assert (np.diff(future) >= 0).all()
    assert future[0] >= 5.0
    assert future[-1] < 12.5


@pytest.mark.parametrize("name", PROCESSES)
def test_mean_rate(name: str) -> None:
    np_random = np.random.default_rng(5)
    counts = [len(PROCESSES[name].draw(np_random, 40.0, 50.0)) for _ in range(400)]
    error = np.std(counts) / math.sqrt(len(counts))
    assert abs(np.mean(counts) - 2000.0) <= 4.0 * error + 1.0


def test_poisson_gaps_and_counts() -> None:
    times = Poisson().draw(np.random.default_rng(1), 8.0, 25_000.0)
    gaps = np.diff(times)
    assert abs(gaps.mean() * 8.0 - 1.0) < 4.0 / math.sqrt(len(gaps))
    assert abs(gaps.std() / gaps.mean() - 1.0) < 0.01
    assert abs(np.mean(gaps > 2.0 / 8.0) - math.exp(-2.0)) < 4.0 * 0.35 / math.sqrt(len(gaps))
    counts = np.bincount(times.astype(np.int64), minlength=25_000)
    assert abs(counts.var() / counts.mean() - 1.0) < 4.0 * math.sqrt(2.0 / 25_000)


def test_poisson_goes_on_when_the_first_chunk_is_short() -> None:
    class Short:
        """Gaps a third as long as they should be, so that three chunks are needed."""

        def standard_exponential(self, size: int) -> np.ndarray:
            return np.full(size, 1.0 / 3.0)

    times = Poisson().draw(Short(), 10.0, 10.0)  # type: ignore[arg-type]
    assert len(times) == 299
    assert np.allclose(np.diff(times), 1.0 / 30.0)


def test_deterministic_times() -> None:
    times = Deterministic().draw(np.random.default_rng(0), 4.0, 2.0)
    assert np.array_equal(times, np.arange(8) / 4.0)
    future = Deterministic().redraw(np.random.default_rng(0), times[:3], 0.5, 4.0, 2.0)
    assert np.array_equal(future, times[3:])


def dispersion(rate: float, seconds: float) -> float:
    """Index of dispersion of counts of a two-state MMPP (Heffes and Lucantoni 1986, eq. 6)."""
    first, second = MMPP.state_rates(rate)
    leave_first, leave_second = 1.0 / DWELL[0], 1.0 / DWELL[1]
    both = leave_first + leave_second
    mean = first * leave_second + second * leave_first
    scale = 2.0 * (first - second) ** 2 * leave_first * leave_second / (both**2 * mean)
    return 1.0 + scale * (1.0 - (1.0 - math.exp(-both * seconds)) / (both * seconds))


def test_mmpp_state_rates_have_the_mean_asked_for() -> None:
    assert MMPP.shares() @ MMPP.state_rates(20.0) == pytest.approx(20.0)
    assert MMPP.state_rates(20.0)[1] / MMPP.state_rates(20.0)[0] == pytest.approx(9.0)


@pytest.mark.parametrize("seconds", [0.25, 2.0, 10.0])
def test_mmpp_index_of_dispersion(seconds: float) -> None:
    horizon = 20_000.0
    times = MMPP.draw(np.random.default_rng(2), 20.0, horizon)
    counts = np.histogram(times, bins=int(horizon / seconds), range=(0.0, horizon))[0]
    blocks = counts[: len(counts) // 20 * 20].reshape(20, -1)
    indices = blocks.var(axis=1) / blocks.mean(axis=1)
    error = indices.std(ddof=1) / math.sqrt(20)
    assert abs(indices.mean() - dispersion(20.0, seconds)) < 4.0 * error + 0.02


def test_mmpp_starts_in_the_stationary_distribution() -> None:
    np_random = np.random.default_rng(3)
    counts = [len(MMPP.draw(np_random, 2000.0, 0.01)) for _ in range(4000)]
    slow, fast = MMPP.state_rates(2000.0) * 0.01
    share = np.mean(np.array(counts) > (slow + fast) / 2.0)
    assert abs(share - MMPP.shares()[1]) < 4.0 * 0.4 / math.sqrt(4000) + 0.005


def brute_posterior(past: np.ndarray, now: float, rate: float, steps: int) -> np.ndarray:
    """The forward filter in small time steps."""
    rates, leave = MMPP.state_rates(rate), 1.0 / np.array(DWELL)
    belief = MMPP.shares()
    width = now / steps
    counts = np.histogram(past, bins=steps, range=(0.0, now))[0]
    move = np.array([[-leave[0], leave[0]], [leave[1], -leave[1]]])
    for count in counts:
        belief = belief + belief @ move * width
        belief = belief * np.exp(-rates * width) * rates**count
        belief /= belief.sum()
    return belief


@pytest.mark.parametrize("seed", range(4))
def test_mmpp_posterior_is_the_forward_filter(seed: int) -> None:
    past = MMPP.draw(np.random.default_rng(seed), 6.0, 4.0)
    exact = MMPP.posterior(past, 4.0, 6.0)
    assert exact.sum() == pytest.approx(1.0)
    assert np.allclose(exact, brute_posterior(past, 4.0, 6.0, 80_000), atol=2e-3)


def test_mmpp_posterior_of_silence_in_closed_form() -> None:
    process = Mmpp((0.0, 1.0), (1e9, 1e9))
    belief = process.posterior(np.empty(0), 3.0, 0.5)
    assert belief[1] == pytest.approx(math.exp(-3.0) / (1.0 + math.exp(-3.0)), rel=1e-6)


def test_mmpp_redraw_uses_the_past() -> None:
    burst = np.arange(0.0, 1.0, 0.01)
    np_random = np.random.default_rng(4)
    after_burst = [len(MMPP.redraw(np_random, burst, 1.0, 20.0, 1.2)) for _ in range(300)]
    quiet = [len(MMPP.redraw(np_random, burst[:1], 1.0, 20.0, 1.2)) for _ in range(300)]
    assert np.mean(after_burst) > 2.0 * np.mean(quiet)


def test_mmpp_with_an_impossible_past() -> None:
    process = Mmpp((0.0, 1.0), (1.0, 1.0))
    belief = process.posterior(np.array([1.0, 1.0, 1.0]), 1.0, 1.0)
    assert np.allclose(belief, [0.0, 1.0])


@pytest.mark.parametrize("window", [0.5, 20.0])
def test_mmpp_empty_chance(window: float) -> None:
    np_random = np.random.default_rng(6)
    rate = 1.0 / window
    empty = np.mean([len(MMPP.draw(np_random, rate, window)) == 0 for _ in range(4000)])
    assert abs(empty - MMPP.empty_chance(rate, window)) < 4.0 * 0.5 / math.sqrt(4000)


def test_three_states_follow_each_other() -> None:
    process = Mmpp((0.0, 1.0, 0.0), (1.0, 2.0, 3.0))
    times = process.draw(np.random.default_rng(7), 50.0, 30_000.0)
    gaps = np.diff(times)
    pauses = gaps[gaps > 0.15]
    # a pause is the third state, then the first; hardly a gap inside the second is as long
    assert len(pauses) == pytest.approx(30_000.0 / 6.0, rel=0.06)
    assert pauses.mean() == pytest.approx(4.0, rel=0.06)
