from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import bootstrap

from tiergym.errors import InvalidInput
from tiergym.evaluation.statistics import (
    bootstrap_means,
    log_ratio,
    mean_interval,
    ratio_interval,
    share_intervals,
)


def test_agrees_with_scipy_on_one_scenario() -> None:
    values = np.random.default_rng(3).gamma(2.0, 1.0, 400)
    theirs = bootstrap(
        (values,), np.mean, n_resamples=20_000, method="percentile", rng=np.random.default_rng(0)
    ).confidence_interval
    ours = mean_interval([values], resamples=20_000)
    width = theirs.high - theirs.low
    assert ours.estimate == pytest.approx(values.mean())
    assert ours.low == pytest.approx(theirs.low, abs=0.03 * width)
    assert ours.high == pytest.approx(theirs.high, abs=0.03 * width)


def test_agrees_with_scipy_on_the_difference_of_two_scenarios() -> None:
    """Scipy resamples each sample by itself, as strata are."""
    generator = np.random.default_rng(4)
    a, b = generator.normal(0, 1, 300), generator.normal(1, 3, 500)

    def mean_of_means(x: np.ndarray, y: np.ndarray, axis: int = -1) -> np.ndarray:
        return (x.mean(axis) + y.mean(axis)) / 2

    theirs = bootstrap(
        (a, b), mean_of_means, n_resamples=20_000, method="percentile", rng=np.random.default_rng(0)
    ).confidence_interval
    ours = mean_interval([a, b], resamples=20_000)
    width = theirs.high - theirs.low
    assert ours.low == pytest.approx(theirs.low, abs=0.03 * width)
    assert ours.high == pytest.approx(theirs.high, abs=0.03 * width)


@pytest.mark.parametrize(("scenarios", "instances"), [(1, 32), (8, 6), (20, 3)])
def test_covers_the_truth_as_often_as_it_says(scenarios: int, instances: int) -> None:
    """Few instances in many scenarios is where drawing n of n would cover far too rarely."""
    generator = np.random.default_rng(11)
    trials, hits = 600, 0
    truth = np.linspace(-1, 1, scenarios)
    spread = np.linspace(0.2, 1.0, scenarios)
    for _ in range(trials):
        strata = [generator.normal(m, s, instances) for m, s in zip(truth, spread, strict=True)]
        interval = mean_interval(strata, resamples=400, seed=int(generator.integers(1 << 30)))
        hits += interval.low <= truth.mean() <= interval.high
    assert 0.915 <= hits / trials <= 0.975


def test_drawing_n_of_n_would_cover_too_rarely() -> None:
    """The reason for n - 1: the same trial with scipy's n of n misses the band."""
    generator = np.random.default_rng(11)
    hits = 0
    for _ in range(400):
        strata = generator.normal(0, 1, (20, 3))
        draws = generator.integers(0, 3, (400, 20, 3))
        means = np.take_along_axis(strata[None], draws, 2).mean((1, 2))
        low, high = np.quantile(means, [0.025, 0.975])
        hits += low <= 0 <= high
    assert hits / 400 < 0.91


def test_variance_is_unbiased() -> None:
    values = np.random.default_rng(0).normal(0, 2, 5)
    means = bootstrap_means([values], resamples=200_000)
    assert means.var() == pytest.approx(values.var(ddof=1) / 5, rel=0.02)


def test_scenarios_weigh_equally() -> None:
    strata = [np.full(100, 1.0), np.full(2, 3.0)]
    interval = mean_interval(strata)
    assert (interval.low, interval.estimate, interval.high) == (2.0, 2.0, 2.0)
    assert ratio_interval([np.log([2.0, 2.0]), np.log([8.0, 8.0])]).estimate == pytest.approx(4.0)


def test_the_same_draws_for_all_quantities() -> None:
    generator = np.random.default_rng(1)
    a, b = generator.normal(size=20), generator.normal(size=20)
    together = bootstrap_means([np.stack([a, b], 1)])
    assert np.allclose(together[:, 0], bootstrap_means([a]))
    assert np.allclose(together[:, 1] - together[:, 0], bootstrap_means([b - a]))


def test_seeded_and_repeatable() -> None:
    values = [np.random.default_rng(1).normal(size=20)]
    assert mean_interval(values) == mean_interval(values)
    assert mean_interval(values) != mean_interval(values, seed=1)


def test_shares_add_up_to_the_whole() -> None:
    strata = [np.random.default_rng(s).normal([-1.0, -3.0], 0.1, (16, 2)) for s in range(3)]
    first, second = share_intervals(strata)
    assert first.estimate + second.estimate == pytest.approx(1)
    assert first.estimate == pytest.approx(0.25, abs=0.02)
    assert first.low < first.estimate < first.high
    assert first.low == pytest.approx(1 - second.high, abs=1e-9)


def test_one_instance_has_no_interval() -> None:
    interval = ratio_interval([np.log([2.0])])
    assert interval.estimate == pytest.approx(2)
    assert np.isnan(interval.low)
    assert not interval.above_one
    with pytest.raises(InvalidInput, match="two or more"):
        mean_interval([np.ones(1)])


@pytest.mark.parametrize("bad", [0.0, -1.0, np.nan, np.inf])
def test_logarithms_need_positive_values(bad: float) -> None:
    with pytest.raises(InvalidInput, match="positive"):
        log_ratio(np.array([1.0, bad]), np.ones(2))
    with pytest.raises(InvalidInput, match="positive"):
        log_ratio(np.ones(2), np.array([bad, 1.0]))


def test_shapes_must_agree() -> None:
    with pytest.raises(InvalidInput, match="shape"):
        log_ratio(np.ones(2), np.ones(3))
