"""Repeats, outliers and noise, with clocks and counters of the test's own."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest

from tiergym.calibration.measuring.machine import Noise, Watch, describe_machine
from tiergym.calibration.measuring.measure import noise_of
from tiergym.calibration.measuring.timing import Timings, time_calls


def clock_of(durations: Iterator[float]) -> Callable[[], float]:
    """A clock that is read before and after each call, which took the next duration."""
    state = {"now": 0.0, "reads": 0}

    def read() -> float:
        state["reads"] += 1
        if state["reads"] % 2 == 0:
            state["now"] += next(durations)
        return state["now"]

    return read


def timings(seconds: np.ndarray) -> Timings:
    return Timings(seconds, np.zeros(seconds.shape, np.bool_))


def test_calls_take_turns_after_a_warm_up():
    ran: list[str] = []
    calls = [lambda: ran.append("a"), lambda: ran.append("b")]
    found = time_calls(calls, 3, warm_up=1, clock=clock_of(iter([1.0, 2.0] * 3)))
    assert "".join(ran) == "ab" + "aabb" * 3
    assert found.seconds.tolist() == [[1.0] * 3, [2.0] * 3]


def test_the_typical_time_does_not_follow_an_outlier_and_the_outlier_is_counted():
    seconds = np.full((2, 20), 1.0) + np.linspace(0.0, 0.02, 20)
    seconds[0, 7] = 50.0
    found = timings(seconds)
    assert found.typical()[0] == pytest.approx(1.01, abs=2e-3)
    assert found.outliers().sum() == 1
    assert found.variation() < 0.01


def test_outliers_in_a_spell_are_told_from_single_ones():
    seconds = np.full((10, 20), 1.0) + np.linspace(0.0, 0.02, 20)
    single, spell = seconds.copy(), seconds.copy()
    single[::2, 7] = 1.5
    spell[2:7, 7] = 1.5
    assert timings(single).bursts() == 0.0
    assert timings(spell).bursts() == pytest.approx(4 / 5)
    assert timings(spell).outlier_ratio() == pytest.approx(1.5, rel=0.02)
    assert timings(spell).mean_ratio() == pytest.approx(1.0 + 0.5 * 5 / 200, abs=2e-3)
    assert timings(spell).variation(outliers=True) > 4.0 * timings(spell).variation()
    assert np.isnan(timings(seconds).bursts())


def test_the_variation_is_that_of_the_noise():
    rng = np.random.default_rng(0)
    ratio = rng.gamma(1.0 / 0.2**2, 0.2**2, (50, 200))
    assert timings(ratio * 1e-3).variation() == pytest.approx(0.2, rel=0.05)


def test_a_drift_is_seen():
    seconds = np.ones((4, 30)) * np.linspace(1.0, 1.2, 30)
    assert timings(seconds).drift() == pytest.approx(0.14, abs=0.02)


def test_a_noisy_machine_is_told_with_figures_and_a_quiet_one_not():
    ticks = iter([[0] * 8, [50, 0, 0, 40, 0, 0, 0, 10], [50, 0, 0, 40, 0, 0, 0, 10]])
    watch = Watch(lambda: next(ticks))
    rng = np.random.default_rng(1)
    noise = noise_of(timings(1e-3 * rng.lognormal(0.0, 0.5, (10, 50))), watch)
    words = " ".join(noise.complaints())
    assert "quartile range" in words
    assert "other guests of the host took 10.0%" in words
    quiet = Noise(0.01, 0.0, 0.0, float("nan"), 0.0, 0.02)
    assert quiet.complaints() == []
    assert "outliers_switched" not in quiet.record()


def test_this_machine_is_described():
    told = describe_machine()
    assert told["processor"]
    assert int(str(told["cores"])) >= 1
