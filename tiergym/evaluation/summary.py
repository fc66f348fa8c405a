"""The columns of a leaderboard, in the terminal and on the page, and how numbers are written."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tiergym.evaluation.jobs import job_path
from tiergym.evaluation.results import Results

UNKNOWN_TEXT = "-"


def seconds_text(value: float) -> str:
    """Seconds with a unit that suits: ``12.3 ms``, ``4.56 s``, ``7.8 min``."""
    if math.isnan(value):
        return UNKNOWN_TEXT
    if abs(value) < 1e-3:
        return f"{value * 1e6:.3g} µs"
    if abs(value) < 1:
        return f"{value * 1e3:.3g} ms"
    return f"{value:.3g} s" if abs(value) < 600 else f"{value / 60:.3g} min"


def number_text(value: float) -> str:
    """Three significant digits."""
    if math.isnan(value):
        return UNKNOWN_TEXT
    return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def percent_text(value: float) -> str:
    """A share in per cent."""
    return UNKNOWN_TEXT if math.isnan(value) else f"{100 * value:.1f} %"


@dataclass(frozen=True)
class Column:
    """A column: a metric, averaged over instances and then over scenarios.

    Attributes:
        metric: its name in the records.
        title, help: heading, and what it means.
        text: how a value is written.
    """

    metric: str
    title: str
    help: str
    text: Callable[[float], str]


COLUMNS = (
    Column(
        "mean_delay",
        "mean delay",
        "seconds from arrival to answer, of an average task",
        seconds_text,
    ),
    Column("p50_delay", "p50", "half of the tasks wait less", seconds_text),
    Column("p95_delay", "p95", "19 of 20 tasks wait less", seconds_text),
    Column("p99_delay", "p99", "99 of 100 tasks wait less", seconds_text),
    Column("late_share", "late", "share of tasks that missed their deadline", percent_text),
    Column("throughput", "tasks/s", "answered within the arrival window, a second", number_text),
    Column("refused", "refused", "tasks turned away for want of memory, an episode", number_text),
    Column("mean_batch", "batch", "tasks in an average batch on the device", number_text),
    Column(
        "pre_uploaded_share",
        "handed up",
        "share of tasks sent up before they were run",
        percent_text,
    ),
    Column("accuracy", "accuracy", "share of right answers, where exit tables tell", percent_text),
    Column("joules", "energy (J)", "joules an episode, where watts are known", number_text),
    Column("decisions", "decisions", "decisions an episode", number_text),
)


@dataclass(frozen=True)
class Row:
    """A policy's values, one a column, NaN where unknown."""

    policy: str
    values: tuple[float, ...]


def columns_of(results: Results) -> tuple[Column, ...]:
    """Those columns in which some policy has a known value that is not zero everywhere."""

    def told(column: Column) -> bool:
        means = [results.mean(policy, column.metric) for policy in results.policies]
        return any(not math.isnan(mean) and mean != 0 for mean in means)

    return tuple(column for column in COLUMNS if told(column))


def row_of(results: Results, policy: str, columns: tuple[Column, ...]) -> Row:
    """A policy's row."""
    return Row(policy, tuple(results.mean(policy, column.metric) for column in columns))


def decision_seconds(results: Results, folder: Path, policy: str) -> float:
    """Wall seconds a decision took, environment and policy together; NaN if nobody timed it."""
    seconds = decisions = 0.0
    for scene in results.scenes:
        for seeds in results.suite.blocks(policy):
            path = job_path(folder, scene.label, policy, seeds[0], results.suite.block)
            timing = folder / "timings" / path.relative_to(folder / "records")
            try:
                told = json.loads(timing.with_suffix(".json").read_text(encoding="utf-8"))
                seconds += float(told["seconds"])
                decisions += float(told["decisions"])
            except (OSError, ValueError, KeyError):
                continue
    return seconds / decisions if decisions else math.nan
