"""What machine this is, and how quiet it is."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

LOUD_SPREAD = 0.10
LOUD_DRIFT = 0.05
LOUD_STEAL = 0.02
LOUD_OTHERS = 0.25
"""Shares above which a machine is called noisy: quartile range of a call over its median, drift
over the run, time stolen by other guests of the host, and load of others per core."""


@dataclass(frozen=True)
class Noise:
    """How disturbed a measurement was, as shares.

    Attributes:
        spread: quartile range over the median, median over calls.
        drift: how much longer calls took at the end than at the beginning.
        outliers: share of repeats far beyond their call's usual range.
        outliers_switched: share of those during which the process was taken off its core.
        steal: share of the time that the host gave to other guests; NaN where it is not told.
        others: share of all cores' time that other processes were busy; NaN likewise.
        outlier_ratio: how many times as long as usual the outliers took.
        outliers_in_bursts: share of them that came right after another.
        mean_ratio: mean of all repeats over the median, outliers too.
        load_average: of the minute before.
    """

    spread: float
    drift: float
    outliers: float
    outliers_switched: float
    steal: float
    others: float
    outlier_ratio: float = float("nan")
    outliers_in_bursts: float = float("nan")
    mean_ratio: float = float("nan")
    load_average: float = float("nan")

    def complaints(self) -> list[str]:
        """What was too loud, in words; empty on a quiet machine."""
        found = [
            (self.spread > LOUD_SPREAD, f"calls spread by {self.spread:.1%} (quartile range)"),
            (abs(self.drift) > LOUD_DRIFT, f"calls drifted by {self.drift:+.1%} over the run"),
            (
                self.steal > LOUD_STEAL,
                f"other guests of the host took {self.steal:.1%} of time",
            ),
            (
                self.others > LOUD_OTHERS,
                f"other processes took {self.others:.0%} of all cores",
            ),
        ]
        return [text for loud, text in found if loud]

    def record(self) -> dict[str, float]:
        """The figures, rounded."""
        return {name: round(value, 4) for name, value in vars(self).items() if value == value}


def describe_machine() -> dict[str, object]:
    """Processor, cores, memory and system, for the record."""
    return {
        "processor": _cpu_name(),
        "cores": os.cpu_count() or 0,
        "memory_gigabytes": round(_memory_bytes() / 1e9, 1),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
    }


def _memory_bytes() -> int:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError, AttributeError):
        return 0


def _cpu_name() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or "not told"
    told: dict[str, str] = {}
    for line in lines:
        key, _, value = line.partition(":")
        told.setdefault(key.strip(), value.strip())
    name = told.get("model name", platform.processor() or "not told")
    if "model" in told and "cpu family" in told:
        name += f" (family {told['cpu family']}, model {told['model']})"
    return name


class Watch:
    """Notes what the machine did besides, from its making to `steal` and `others`."""

    def __init__(self, read_stat: Callable[[], list[int]] | None = None) -> None:
        self._read = read_stat or _processor_ticks
        self._before = self._read()
        self._own = sum(os.times()[:2])
        self.load_average = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")

    def steal(self) -> float:
        """Share of the time stolen by other guests of the host; NaN where it is not told."""
        ticks = [after - before for after, before in zip(self._read(), self._before, strict=True)]
        return ticks[7] / sum(ticks) if len(ticks) > 7 and sum(ticks) else float("nan")

    def others(self) -> float:
        """Share of all cores' time that other processes were busy; NaN where it is not told."""
        ticks = [after - before for after, before in zip(self._read(), self._before, strict=True)]
        if len(ticks) < 8 or not sum(ticks):
            return float("nan")
        idle = ticks[3] + ticks[4] + ticks[7]
        own = (sum(os.times()[:2]) - self._own) * os.sysconf("SC_CLK_TCK")
        return max(sum(ticks) - idle - own, 0.0) / sum(ticks)


def _processor_ticks() -> list[int]:
    """Clock ticks of all cores: user, nice, system, idle, iowait, irq, softirq, steal."""
    try:
        first = Path("/proc/stat").read_text(encoding="utf-8").splitlines()[0]
    except OSError:
        return []
    return [int(word) for word in first.split()[1:9]]
