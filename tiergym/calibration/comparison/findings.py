"""Intervals over seeds, and the verdict on separate training against the weighted sum."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from scipy import stats  # pyright: ignore[reportMissingTypeStubs]

from tiergym.calibration.comparison.evidence import TrainedRun
from tiergym.calibration.comparison.serving import (
    SETTINGS,
    Curve,
    Setting,
    best_within,
    curve,
    quickest_at,
    scenario_of,
)
from tiergym.calibration.comparison.variants import REFERENCE, THESIS, VARIANTS
from tiergym.evaluation.verdicts import NOT, PARTLY, REPRODUCED

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Mean:
    """A mean over seeds with its t-interval; NaN bounds from fewer than two seeds."""

    mean: float
    low: float
    high: float

    @property
    def sign(self) -> int:
        """1 or -1 if the interval lies above or below zero, else 0."""
        return int(self.low > 0.0) - int(self.high < 0.0)


def mean_of(values: Sequence[float]) -> Mean:
    """Student's interval of the mean of independent values."""
    mean = float(np.mean(values))
    if len(values) < 2:
        return Mean(mean, float("nan"), float("nan"))
    error = float(np.std(values, ddof=1)) / np.sqrt(len(values))
    t = float(cast(Any, stats).t.ppf(0.5 + CONFIDENCE / 2.0, len(values) - 1))
    return Mean(mean, mean - t * error, mean + t * error)


Runs = Mapping[str, Mapping[int, TrainedRun]]
"""By variant and seed."""


def by_variant(runs: Sequence[TrainedRun]) -> Runs:
    """The runs by variant and seed; only variants that have any."""
    found: dict[str, dict[int, TrainedRun]] = {}
    for variant in VARIANTS:
        own = {run.seed: run for run in runs if run.variant == variant.name}
        if own:
            found[variant.name] = own
    return found


def accuracies(runs: Runs) -> dict[str, dict[int, Mean]]:
    """Accuracy at each exit by variant."""
    exits = {variant.name: variant.exits for variant in VARIANTS}
    return {
        name: {b: mean_of([run.accuracy(b) for run in own.values()]) for b in exits[name]}
        for name, own in runs.items()
    }


def differences(runs: Runs, value: Callable[[TrainedRun], float]) -> dict[str, Mean]:
    """Paired difference to `REFERENCE` by variant, over the seeds that both have."""
    reference = runs[REFERENCE]
    found: dict[str, Mean] = {}
    for name, own in runs.items():
        seeds = sorted(set(own) & set(reference))
        pairs = [value(own[seed]) - value(reference[seed]) for seed in seeds]
        found[name] = mean_of([pair for pair in pairs if not np.isnan(pair)] or [float("nan")])
    return found


def exit_differences(runs: Runs) -> dict[str, dict[int, Mean]]:
    """`differences` of accuracy at each exit."""
    exits = {variant.name: variant.exits for variant in VARIANTS}
    found: dict[str, dict[int, Mean]] = {name: {} for name in runs}
    for block in exits[REFERENCE]:
        at = {name: own for name, own in runs.items() if block in exits[name]}
        for name, mean in differences(at, lambda run, block=block: run.accuracy(block)).items():
            found[name][block] = mean
    return found


@dataclass(frozen=True)
class Served:
    """What one setting shows.

    Attributes:
        latency, accuracy: the targets, seconds and share.
        at_latency: by variant, (accuracy at that mean latency, its paired difference).
        at_accuracy: by variant, (mean latency at that accuracy, its paired difference), seconds;
            over the seeds that reach it.
        reached: by variant, how many of its seeds reach that accuracy.
    """

    setting: Setting
    latency: float
    accuracy: float
    at_latency: dict[str, tuple[Mean, Mean]]
    at_accuracy: dict[str, tuple[Mean, Mean]]
    reached: dict[str, int]


def serve_all(runs: Runs, report: Callable[[str], None] = lambda line: None) -> list[Served]:
    """Every run through the simulator in every setting."""
    return [_serve(runs, setting, report) for setting in SETTINGS]


def _serve(runs: Runs, setting: Setting, report: Callable[[str], None]) -> Served:
    scenario = scenario_of(setting)
    curves: dict[tuple[str, int], tuple[Curve, Curve]] = {}
    for name, own in runs.items():
        report(f"{setting}: {name}, {len(own)} runs")
        for seed, run in own.items():
            assert run.table.validation is not None
            parts = (run.table.validation, run.table)
            first, second = (curve(scenario, part) for part in parts)
            curves[name, seed] = (first, second)
    latency, accuracy = _targets(curves)
    took = {key: quickest_at(*both, accuracy) for key, both in curves.items()}
    return Served(
        setting,
        latency,
        accuracy,
        _compare(runs, lambda key: best_within(*curves[key], latency)),
        _compare(runs, lambda key: took[key]),
        {name: sum(not np.isnan(took[name, seed]) for seed in own) for name, own in runs.items()},
    )


def _targets(curves: Mapping[tuple[str, int], tuple[Curve, Curve]]) -> tuple[float, float]:
    """A latency halfway over the range of the reference's runs, and an accuracy that all reach.

    Both are taken from the validation rows of `REFERENCE` alone; runs of other variants may miss
    the accuracy (`Served.reached`).
    """
    reference = [first for (name, _), (first, _) in curves.items() if name == REFERENCE]
    fastest = max(float(first.latency.min()) for first in reference)
    slowest = min(float(first.latency.max()) for first in reference)
    most = [float(first.accuracy.max()) for first in reference]
    return (fastest + slowest) / 2.0, min(most) - 0.01


def _compare(runs: Runs, value: Callable[[tuple[str, int]], float]) -> dict[str, tuple[Mean, Mean]]:
    differing = differences(runs, lambda run: value((run.variant, run.seed)))
    found: dict[str, tuple[Mean, Mean]] = {}
    for name, own in runs.items():
        values = [value((name, seed)) for seed in own]
        known = [each for each in values if not np.isnan(each)]
        found[name] = (mean_of(known or [float("nan")]), differing[name])
    return found


@dataclass(frozen=True)
class Verdict:
    """The thesis's claim, that heads trained separately serve better than a weighted sum."""

    word: str
    sentences: tuple[str, ...]


def verdict_of(exits: Mapping[str, Mapping[int, Mean]], served: Sequence[Served]) -> Verdict:
    """The verdict, from intervals of paired differences alone."""
    own = exits[THESIS]
    better, worse = _signs(own)
    faster = [each for each in served if each.at_accuracy[THESIS][1].sign < 0]
    slower = [each for each in served if each.at_accuracy[THESIS][1].sign > 0]
    if len(better) == len(own):
        word = REPRODUCED
    elif better and len(better) >= len(worse):
        word = PARTLY
    else:
        word = NOT
    return Verdict(
        word,
        (
            f"Against equally weighted losses, {THESIS} training is more accurate at exits "
            f"{_list(better)}, less at {_list(worse)}, and cannot be told apart at the others "
            f"(paired 95 % intervals over seeds).",
            f"Served to equal accuracy it is faster in {len(faster)} and slower in {len(slower)} "
            f"of {len(served)} settings.",
            *_others(exits),
        ),
    )


def _others(exits: Mapping[str, Mapping[int, Mean]]) -> list[str]:
    found: list[str] = []
    for name, own in exits.items():
        if name not in (REFERENCE, THESIS):
            better, worse = _signs(own)
            found.append(f"{name}: better at exits {_list(better)}, worse at {_list(worse)}.")
    return found


def _signs(means: Mapping[int, Mean]) -> tuple[list[int], list[int]]:
    """Exits whose interval lies above zero, and those whose lies below."""
    above = [block for block, mean in means.items() if mean.sign > 0]
    below = [block for block, mean in means.items() if mean.sign < 0]
    return above, below


def _list(blocks: Sequence[int]) -> str:
    return ", ".join(map(str, blocks)) if blocks else "none"
