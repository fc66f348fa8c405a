"""Paired comparisons over instances: geometric mean ratios with bootstrap intervals.

Everything is computed on *log ratios*, arrays of shape [I_s] per scenario s: the logarithm of a
policy's value over the reference's on the same instance. Scenarios weigh equally, however many
instances each has.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from tiergym.errors import InvalidInput

Floats = NDArray[np.float64]

RESAMPLES = 10_000
BOOTSTRAP_SEED = 20_250_101
LEVEL = 0.95


@dataclass(frozen=True)
class Interval:
    """An estimate between two bounds; NaN where it cannot be computed."""

    low: float
    estimate: float
    high: float

    def __str__(self) -> str:
        return f"{self.estimate:.3g} [{self.low:.3g}, {self.high:.3g}]"

    @property
    def below_one(self) -> bool:
        """Whether the whole interval lies below one."""
        return self.high < 1.0

    @property
    def above_one(self) -> bool:
        """Whether the whole interval lies above one."""
        return self.low > 1.0


UNKNOWN = Interval(np.nan, np.nan, np.nan)


def log_ratio(values: Floats, reference: Floats) -> Floats:
    """Log of ``values / reference``, instance by instance.

    Args:
        values: float[I], one a instance, positive.
        reference: float[I], on the same instances in the same order, positive.

    Raises:
        InvalidInput: if the shapes differ, or a value is not positive and finite (its logarithm
            would not exist).
    """
    if values.shape != reference.shape or values.ndim != 1 or not len(values):
        raise InvalidInput("values", values.shape, f"shape {reference.shape}, at least one")
    for name, array in (("values", values), ("reference", reference)):
        if not (np.isfinite(array).all() and (array > 0).all()):
            raise InvalidInput(name, float(np.min(array)), "positive finite values")
    return np.log(values) - np.log(reference)


def mean_of_strata(strata: Sequence[Floats]) -> float:
    """Mean over scenarios of the mean over their instances."""
    return float(np.mean([stratum.mean() for stratum in strata]))


def bootstrap_means(
    strata: Sequence[Floats], resamples: int = RESAMPLES, seed: int = BOOTSTRAP_SEED
) -> Floats:
    """Bootstrap distribution of `mean_of_strata`, resampling instances within each scenario.

    A scenario of n instances is resampled n - 1 at a time: its resampled mean then has the
    unbiased variance s^2 / n (McCarthy and Snowden 1985), where drawing n would make every
    interval too short by sqrt((n - 1) / n), however many scenarios there are. The draws depend on
    ``seed`` and on the sizes only, so quantities over the same instances are resampled together
    and their differences are paired.

    Args:
        strata: S arrays, each [I_s] or [I_s, Q] (Q quantities side by side).

    Returns:
        float[resamples], or [resamples, Q].

    Raises:
        InvalidInput: if a scenario has fewer than two instances.
    """
    total: Floats | float = 0.0
    for place, stratum in enumerate(strata):
        if len(stratum) < 2:
            raise InvalidInput("instances", len(stratum), "two or more a scenario, for an interval")
        counts = _counts(len(stratum), resamples, seed, place).astype(np.float64)
        total = total + counts @ stratum / (len(stratum) - 1)
    return np.asarray(total / len(strata), np.float64)


@lru_cache(maxsize=64)
def _counts(size: int, resamples: int, seed: int, place: int) -> NDArray[np.int16]:
    """int16[resamples, size]: how often each instance of the place-th scenario is drawn."""
    generator = np.random.default_rng([seed, place])
    drawn = generator.multinomial(size - 1, np.full(size, 1 / size), resamples)
    return drawn.astype(np.int16)


def mean_interval(strata: Sequence[Floats], level: float = LEVEL, **how: int) -> Interval:
    """Percentile interval of `mean_of_strata`; ``how`` is passed on to `bootstrap_means`."""
    means = bootstrap_means(strata, **how)
    tail = (1 - level) / 2
    low, high = np.quantile(means, [tail, 1 - tail])
    return Interval(float(low), mean_of_strata(strata), float(high))


def ratio_interval(strata: Sequence[Floats], level: float = LEVEL, **how: int) -> Interval:
    """Geometric mean ratio, exp of the mean log ratio, with its interval.

    Where a scenario has one instance only there is no interval, and the bounds are NaN.
    """
    if any(len(stratum) < 2 for stratum in strata):
        return Interval(np.nan, float(np.exp(mean_of_strata(strata))), np.nan)
    mean = mean_interval(strata, level, **how)
    low, estimate, high = np.exp([mean.low, mean.estimate, mean.high])
    return Interval(float(low), float(estimate), float(high))


def share_intervals(
    strata: Sequence[Floats], level: float = LEVEL, **how: int
) -> tuple[Interval, ...]:
    """Shares of the steps of a chain in its whole: mean of each over the mean of their sum.

    Args:
        strata: S arrays [I_s, Q], the log ratios of Q consecutive steps, which add up to that of
            the whole chain.

    Returns:
        Q intervals; they may leave [0, 1] where some step makes things worse.
    """
    centre = np.mean([stratum.mean(0) for stratum in strata], 0)
    means = bootstrap_means(strata, **how)
    shares = means / means.sum(1, keepdims=True)
    tail = (1 - level) / 2
    low, high = np.quantile(shares, [tail, 1 - tail], axis=0)
    estimate = centre / centre.sum()
    rows = zip(low.tolist(), estimate.tolist(), high.tolist(), strict=True)
    return tuple(Interval(*row) for row in rows)
