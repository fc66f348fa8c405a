"""The comparison as text, and as rows to load."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from tiergym.calibration.comparison.evidence import TrainedRun
from tiergym.calibration.comparison.findings import (
    Mean,
    Runs,
    Served,
    Verdict,
    accuracies,
    exit_differences,
    mean_of,
)
from tiergym.calibration.comparison.variants import REFERENCE
from tiergym.networks import load_network

LARGER = ("vgg8-w16-joint-equal-s0", "vgg8-w16-separate-s0")
"""The same two schemes on a network of twice the width, from one seed each."""
_NUMBERS = ("mean", "low", "high")
COLUMNS = ("variant", "exit", *_NUMBERS, *(f"difference_{name}" for name in _NUMBERS))
"""Of ``schemes.csv``."""


def accuracy_table(runs: Runs) -> str:
    """Accuracy at each exit by variant, with 95 % intervals, and differences to the reference."""
    means, differing = accuracies(runs), exit_differences(runs)
    exits = sorted({block for own in means.values() for block in own})
    lines = [f"{'accuracy at exit':<20}" + "".join(f"{block:>15}" for block in exits)]
    for name, own in means.items():
        lines.append(f"{name:<20}" + "".join(_cell(own.get(block)) for block in exits))
    lines.append(f"{'difference to ' + REFERENCE + ' (paired over seeds)'}")
    for name, own in differing.items():
        if name != REFERENCE:
            lines.append(f"{name:<20}" + "".join(_cell(own.get(b), signed=True) for b in exits))
    seeds = {name: len(own) for name, own in runs.items()}
    lines.append(f"seeds: {', '.join(f'{name} {count}' for name, count in seeds.items())}")
    return "\n".join(lines)


def _cell(mean: Mean | None, signed: bool = False) -> str:
    if mean is None:
        return f"{'-':>15}"
    half = (mean.high - mean.low) / 2.0
    text = f"{mean.mean:+.3f}" if signed else f"{mean.mean:.3f}"
    mark = "*" if signed and mean.sign else " "
    return f"{text + ' ±' + (f'{half:.3f}' if half == half else '?') + mark:>15}"


def served_table(runs: Runs, served: Sequence[Served]) -> str:
    """Accuracy at equal mean latency and mean latency at equal accuracy, by setting."""
    lines: list[str] = []
    seeds = {name: len(own) for name, own in runs.items()}
    for each in served:
        lines.append(
            f"{each.setting}: accuracy at a mean of {each.latency * 1e3:.2f} ms; "
            f"mean ms at an accuracy of {each.accuracy:.3f}"
        )
        for name, (mean, difference) in each.at_latency.items():
            took, longer = each.at_accuracy[name]
            lines.append(
                f"  {name:<20}{_cell(mean)}{_cell(difference, signed=True)}"
                f"{_milliseconds(took)}{_milliseconds(longer, signed=True)}"
                f"{_reached(each.reached[name], seeds[name])}"
            )
    return "\n".join(lines)


def _reached(count: int, seeds: int) -> str:
    """Nothing where all do or none does (then the cells say so)."""
    return f"  (of {count} of {seeds} seeds)" if 0 < count < seeds else ""


def _milliseconds(mean: Mean, signed: bool = False) -> str:
    if math.isnan(mean.mean):
        return f"{'not reached':>18}"
    half = (mean.high - mean.low) / 2.0 * 1e3
    value = f"{mean.mean * 1e3:+.2f}" if signed else f"{mean.mean * 1e3:.2f}"
    mark = "*" if signed and mean.sign else " "
    return f"{value + ' ±' + (f'{half:.2f}' if half == half else '?') + mark:>18}"


def cost_table(runs: Runs) -> str:
    """Training seconds by variant, for one placement and for ten."""
    lines = [f"{'training seconds':<20}{'one placement':>15}{'ten':>10}  "]
    for name, own in runs.items():
        one = mean_of([run.training_seconds for run in own.values()]).mean
        again = _again(name, own)
        lines.append(f"{name:<20}{one:>15.0f}{one + 9 * again:>10.0f}  {_why(name)}")
    return "\n".join(lines)


def _again(name: str, own: Mapping[int, TrainedRun]) -> float:
    """Seconds that another placement costs: all of a sum of losses, nothing of separate heads."""
    total = float(np.mean([run.training_seconds for run in own.values()]))
    if name.startswith(("joint", "independent")):
        return total
    if name.startswith("mixed"):
        return float(np.mean([run.seconds["all together"] for run in own.values()]))
    return 0.0


def _why(name: str) -> str:
    if name.startswith("joint"):
        return "exits are fixed before training"
    if name.startswith("mixed"):
        return "the backbone is kept"
    if name.startswith("independent"):
        return "a path of its own to each of three exits"
    return "a head for every block is there"


def larger_table() -> str:
    """The two schemes on the larger shipped network; one seed, so without intervals."""
    lines = ["twice the width (vgg8-w16), 12 epochs, one seed each: accuracy at exit"]
    for name in LARGER:
        exits = load_network(name).exits
        assert exits is not None
        right = exits.correct.mean(axis=0)[1:]
        lines.append(f"  {name:<26}" + "".join(f"{share:>8.3f}" for share in right))
    return "\n".join(lines)


def seed_noise(runs: Runs) -> str:
    """Standard deviation over seeds of the accuracy at each exit, the largest of any variant."""
    own_exits = {name: set(means) for name, means in accuracies(runs).items()}
    exits = sorted(own_exits[REFERENCE])
    worst = {
        block: max(
            float(np.std([run.accuracy(block) for run in own.values()], ddof=1))
            for name, own in runs.items()
            if len(own) > 1 and block in own_exits[name]
        )
        for block in exits
    }
    told = ", ".join(f"{block}: {value:.4f}" for block, value in worst.items())
    return f"seed noise (largest standard deviation of accuracy of any variant) by exit: {told}"


def write_results(
    folder: Path, runs: Runs, served: Sequence[Served], verdict: Verdict
) -> list[Path]:
    """Write ``schemes.csv`` and ``schemes.json``."""
    from tiergym.evaluation.records import write_text

    rows: list[tuple[str, ...]] = [COLUMNS]
    differing = exit_differences(runs)
    for name, own in accuracies(runs).items():
        for block, mean in own.items():
            other = differing[name][block]
            rows.append(
                (name, str(block), *_numbers(mean), *_numbers(other)),
            )
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    record = {
        "verdict": verdict.word,
        "sentences": verdict.sentences,
        "settings": [
            {
                "setting": str(each.setting),
                "latency_seconds": each.latency,
                "accuracy": each.accuracy,
                "accuracy_at_latency": _plain(each.at_latency),
                "seconds_at_accuracy": _plain(each.at_accuracy),
                "seeds_that_reach_it": each.reached,
            }
            for each in served
        ],
    }
    paths = [folder / "schemes.csv", folder / "schemes.json"]
    write_text(paths[0], text.getvalue())
    write_text(paths[1], json.dumps(record, indent=1))
    return paths


def _numbers(mean: Mean) -> tuple[str, str, str]:
    return (f"{mean.mean:.5f}", f"{mean.low:.5f}", f"{mean.high:.5f}")


def _plain(values: Mapping[str, tuple[Mean, Mean]]) -> dict[str, dict[str, list[float | None]]]:
    def known(mean: Mean) -> list[float | None]:
        return [None if math.isnan(x) else x for x in (mean.mean, mean.low, mean.high)]

    return {
        name: {"mean": known(mean), "difference": known(difference)}
        for name, (mean, difference) in values.items()
    }
