"""Timing calls one after the other, many times over, so that a drift of the machine hits all."""

from __future__ import annotations

import gc
import resource
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Clock = Callable[[], float]
Floats = NDArray[np.float64]

FENCE = 3.0
"""Quartile ranges above the upper quartile beyond which a repeat is an outlier (Tukey's outer
fence)."""


@dataclass(frozen=True, eq=False)
class Timings:
    """Seconds of N calls, R repeats each.

    Attributes:
        seconds: float64[N, R], in the order in which they were taken.
        switched: bool[N, R], whether the process was taken off its core meanwhile.
    """

    seconds: Floats
    switched: NDArray[np.bool_]

    def typical(self) -> Floats:
        """float64[N], the median: it does not follow the few repeats that were disturbed.

        Low quantiles fit their own held-out stages as well, but lie 3 to 10 % below what a stage
        usually takes; the mean moves with the bursts of a host's other guests.
        """
        return np.median(self.seconds, axis=1)

    def outliers(self) -> NDArray[np.bool_]:
        """bool[N, R], repeats beyond Tukey's outer fence of their call."""
        low, high = np.quantile(self.seconds, [0.25, 0.75], axis=1)
        return self.seconds > (high + FENCE * (high - low))[:, None]

    def spread(self) -> Floats:
        """float64[N], range between quartiles over the median."""
        low, high = np.quantile(self.seconds, [0.25, 0.75], axis=1)
        return (high - low) / self.typical()

    def variation(self, outliers: bool = False) -> float:
        """Coefficient of variation of a repeat about its call's median, with outliers or not."""
        ratio = self._ratio()
        kept = ratio if outliers else ratio[~self.outliers()]
        return float(np.std(kept) / np.mean(kept))

    def mean_ratio(self) -> float:
        """Mean of all repeats, outliers too, over their call's median."""
        return float(np.mean(self._ratio()))

    def outlier_ratio(self) -> float:
        """Median of the outliers over their call's median; NaN without outliers."""
        found = self._ratio()[self.outliers()]
        return float(np.median(found)) if found.size else float("nan")

    def bursts(self) -> float:
        """Share of the outliers that came right after another, in order of time; NaN without.

        Far above the share of outliers in all repeats, it tells of spells in which the whole
        machine was slow, not of single calls.
        """
        order = self.outliers().T.ravel()
        return float(order[:-1][order[1:]].mean()) if order[1:].any() else float("nan")

    def _ratio(self) -> Floats:
        return self.seconds / self.typical()[:, None]

    def drift(self) -> float:
        """Median over calls: how much longer the last third of the repeats took than the first."""
        third = max(self.seconds.shape[1] // 3, 1)
        first = np.median(self.seconds[:, :third], axis=1)
        last = np.median(self.seconds[:, -third:], axis=1)
        return float(np.median(last / first) - 1.0)


def time_calls(
    calls: Sequence[Callable[[], object]],
    repeats: int,
    warm_up: int = 2,
    clock: Clock = time.perf_counter,
    report: Callable[[int], None] | None = None,
) -> Timings:
    """Run all calls in turn, ``warm_up`` times untimed and ``repeats`` times timed.

    Each timed run follows an untimed one of the same call, as on a server that runs the same stage
    again and again: what it needs is in the caches.

    Args:
        clock: seconds; for tests.
        report: called with the number of timed passes done.
    """
    seconds = np.empty((len(calls), repeats))
    switched = np.zeros((len(calls), repeats), np.bool_)
    for _ in range(warm_up):
        for call in calls:
            call()
    collecting = gc.isenabled()
    gc.disable()
    try:
        for repeat in range(repeats):
            for k, call in enumerate(calls):
                call()
                before = _switches()
                began = clock()
                call()
                seconds[k, repeat] = clock() - began
                switched[k, repeat] = _switches() > before
            if report is not None:
                report(repeat + 1)
    finally:
        if collecting:
            gc.enable()
    return Timings(seconds, switched)


def _switches() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_nivcsw
