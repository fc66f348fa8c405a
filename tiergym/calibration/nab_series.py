"""Derive the shipped load series from the CPU utilisation of servers in the NAB corpus.

``python -m tiergym.calibration.nab_series --data ../shared/data`` writes, for each of the eight
servers, its first half in time as ``-a`` and its second as ``-b``, so that what is tested on lies
after what was trained on. A point that is missing repeats the one before it.
"""

from __future__ import annotations

import argparse
import csv
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tiergym.calibration.records import write_yaml
from tiergym.workload.series import FOLDER, Series, held

FILE = "nab-ec2-cpu.csv"
URL = "https://github.com/numenta/NAB"
COMMAND = "python -m tiergym.calibration.nab_series"
HOUR = 12
"""Points in an hour."""


@dataclass(frozen=True)
class Server:
    """One server's series from its first point on, and how many points were missing."""

    host: str
    begin: datetime
    series: Series
    missing: int


def read(path: Path) -> list[Server]:
    """The servers of the file, in its order."""
    rows: dict[str, list[tuple[datetime, float]]] = {}
    with path.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            time = datetime.fromisoformat(row["timestamp"]).replace(tzinfo=UTC)
            rows.setdefault(row["host"], []).append((time, float(row["cpu_percent"])))
    return [_server(host, points) for host, points in rows.items()]


def _server(host: str, points: list[tuple[datetime, float]]) -> Server:
    times = [time.timestamp() for time, _ in points]
    names = [f"{FILE} {host} {time}" for time, _ in points]
    series = held(host, times, [value for _, value in points], FILE, names)
    return Server(host, points[0][0], series, len(series.values) - len(points))


def correlation(values: NDArray[np.float64], lag: int) -> float:
    """Autocorrelation at a lag of some points."""
    centred = values - values.mean()
    return float(centred[lag:] @ centred[:-lag] / (centred @ centred))


def looks(values: NDArray[np.float64]) -> str:
    """What a series is like, by its autocorrelations and its coefficient of variation."""
    if correlation(values, 1) >= 0.5:
        over_hours = correlation(values, HOUR) >= 0.5
        return "drifts over hours" if over_hours else "bursts that last some points"
    if max(correlation(values, lag) for lag in range(2, 2 * HOUR + 1)) >= 0.5:
        return "a pattern that repeats within two hours"
    if values.std() < 0.2 * values.mean():
        return "nearly constant, noise"
    return "nearly constant but for single spikes"


def derive(source: Path, folder: Path) -> list[str]:
    """Write both halves of every server into ``folder``; their names."""
    names: list[str] = []
    for number, server in enumerate(read(source), start=1):
        half = len(server.series.values) // 2
        for letter, begin, end in (("a", 0, half), ("b", half, len(server.series.values))):
            name = f"nab-ec2-{number}-{letter}"
            values = server.series.values[begin:end].astype(np.float32)
            np.savez_compressed(folder / f"{name}.npz", values=values)
            record = _record(name, server, begin, values.astype(np.float64))
            write_yaml(folder / f"{name}.yaml", record, f"Written by {COMMAND}")
            names.append(name)
    return names


def _record(
    name: str, server: Server, begin: int, values: NDArray[np.float64]
) -> dict[str, object]:
    part = {"a": "first", "b": "second"}[name[-1]]
    step = server.series.step
    first = server.begin + timedelta(seconds=begin * step)
    last = first + timedelta(seconds=(len(values) - 1) * step)
    figures = _figures(values)
    return {
        "name": name,
        "description": f"CPU utilisation (%) of EC2 server {server.host}, the {part} half in time: "
        f"{looks(values)}; mean {figures['mean']:g}, CV {figures['cv']:g}, "
        f"lag-1 autocorrelation {figures['lag_1']:g}",
        "points": len(values),
        "step_seconds": step,
        **figures,
        "source": {
            "kind": "published",
            "from": f"Numenta Anomaly Benchmark, ec2_cpu_utilization_{server.host}.csv ({FILE}); "
            f"of the whole series {server.missing} points were missing and repeat the one before",
            "url": URL,
            "licence": "MIT",
            "date": f"recorded {first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M}",
            "derived_by": COMMAND,
        },
    }


def _figures(values: NDArray[np.float64]) -> dict[str, float]:
    figures = {
        "mean": values.mean(),
        "cv": values.std() / values.mean(),
        "lag_1": correlation(values, 1),
        "lag_12": correlation(values, HOUR),
        "median": np.median(values),
        "smallest": values.min(),
        "largest": values.max(),
    }
    return {key: round(float(value), 3) for key, value in figures.items()}


def main() -> None:
    """Write all shipped series."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help=f"folder of {FILE}")
    parser.add_argument("--out", type=Path, default=FOLDER)
    given = parser.parse_args()
    given.out.mkdir(exist_ok=True)
    print("\n".join(derive(given.data / FILE, given.out)))


if __name__ == "__main__":
    main()
