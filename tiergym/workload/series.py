"""Recorded load series: shipped ones, CSV files and plain lists."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import cast

import numpy as np

from tiergym.errors import InvalidInput
from tiergym.fields import closest, is_mapping, mapping, number, read_yaml, sequence
from tiergym.shipped import resolve_file
from tiergym.workload.process import Floats

FOLDER = Path(__file__).parent / "series"
"""Where the shipped series lie, one ``.npz`` and one record of its source each."""
MOST_POINTS = 1_000_000
_ON_GRID = 1e-3
"""How far a time may be off the grid, in steps: files round their times."""
_ALLOWED = (
    "a series' name, the path of a CSV file, [[seconds, value], ...] or {values: [...], step: s}"
)


@dataclass(frozen=True, eq=False)
class Series:
    """A load over time, each value held for one step.

    Attributes:
        name: shipped name, file, or ``list``.
        values: float64[n] >= 0, in any unit, not all zero.
        step: seconds from one value to the next, as recorded.
    """

    name: str
    values: Floats
    step: float

    @property
    def duration(self) -> float:
        """Seconds that it covers, as recorded."""
        return len(self.values) * self.step


def series_names() -> list[str]:
    """Names of the shipped series, sorted."""
    return sorted(path.stem for path in FOLDER.glob("*.yaml"))


def series_record(name: str) -> dict[str, object]:
    """What a shipped series looks like and where it comes from (its ``source``)."""
    return mapping(name, read_yaml(FOLDER / f"{name}.yaml"))


def load_series(given: object, *, field: str = "series", folder: Path | None = None) -> Series:
    """The series that ``given`` stands for.

    Args:
        given: a shipped series' name; the path of a CSV file of two columns, time (seconds or
            dates; one without a zone is UTC) and value, under a header or not; rows
            ``[seconds, value]``; or ``{values: [...], step: seconds}``. Times lie on a grid of the
            smallest gap between them; where one is missing, the value before it holds on.
        field: where it was given, for messages.
        folder: where a relative path starts.

    Raises:
        InvalidInput: for a name or file that is not there, and naming the row for a value that is
            negative or no number, a time that does not rise or is off the grid, and where fewer
            than two values are given or none is above zero.
    """
    if isinstance(given, Series):
        return given
    if isinstance(given, (str, Path)):
        name = str(given)
        if isinstance(given, str) and name in series_names():
            return _load_shipped(name)
        return _load_file(name, field, folder)
    if is_mapping(given):
        return _from_values(field, mapping(field, given, ("values", "step")))
    rows = sequence(field, given, _ALLOWED)
    return _from_rows("list", field, [(f"{field}[{k}]", row) for k, row in enumerate(rows)])


def held(
    name: str, times: Sequence[float], values: Sequence[float], field: str, rows: Sequence[str]
) -> Series:
    """Values at rising times as a series, each held until the next; the last for one step.

    Args:
        times: seconds, on a grid of the smallest gap.
        values: as many, checked.
        rows: what to call each in a message.

    Raises:
        InvalidInput: see `load_series`.
    """
    if len(times) < 2:
        raise InvalidInput(field, f"{len(times)} values", "two or more")
    gaps = np.diff(times)
    if not (gaps > 0.0).all():
        at = int(np.argmin(gaps > 0.0)) + 1
        raise InvalidInput(rows[at], times[at], f"a time above the one before, {times[at - 1]:g}")
    steps = gaps / gaps.min()
    whole = np.rint(steps)
    off = np.abs(steps - whole) > _ON_GRID * whole
    if off.any():
        at = int(np.argmax(off)) + 1
        allowed = f"times on a grid of the smallest gap, {gaps.min():g} s"
        raise InvalidInput(rows[at], times[at], allowed)
    points = float(whole.sum()) + 1.0
    if points > MOST_POINTS:
        raise InvalidInput(field, f"{points:g} steps of {gaps.min():g} s", f"<= {MOST_POINTS}")
    step = float((times[-1] - times[0]) / whole.sum())
    return _series(name, np.repeat(values, np.append(whole, 1.0).astype(np.int64)), step, field)


def _series(name: str, values: Floats, step: float, field: str) -> Series:
    if len(values) < 2:
        raise InvalidInput(field, f"{len(values)} values", "two or more")
    if not values.any():
        raise InvalidInput(field, "0 everywhere", "some value above zero")
    return Series(name, values.astype(np.float64), step)


@cache
def _load_shipped(name: str) -> Series:
    with np.load(FOLDER / f"{name}.npz", allow_pickle=False) as stored:
        values = stored["values"].astype(np.float64)
    return Series(name, values, cast(float, series_record(name)["step_seconds"]))


def _from_values(field: str, record: dict[str, object]) -> Series:
    given = sequence(f"{field}.values", record.get("values"), "a list of numbers >= 0")
    step = number(f"{field}.step", record.get("step"), "seconds", above=0.0)
    values = [_value(f"{field}.values[{k}]", value) for k, value in enumerate(given)]
    return _series("list", np.array(values), step, f"{field}.values")


def _from_rows(name: str, field: str, rows: Sequence[tuple[str, object]]) -> Series:
    times: list[float] = []
    values: list[float] = []
    for where, row in rows:
        pair = sequence(where, row, "[seconds, value]")
        if len(pair) != 2:
            raise InvalidInput(where, row, "[seconds, value]")
        times.append(number(where, pair[0], "a time in seconds"))
        values.append(_value(where, pair[1]))
    return held(name, times, values, field, [where for where, _ in rows])


def _value(field: str, given: object) -> float:
    return number(field, given, "value", low=0.0)


def _load_file(name: str, field: str, folder: Path | None) -> Series:
    if not name.endswith((".csv", ".txt")) and "/" not in name:
        names = series_names()
        allowed = f"one of {', '.join(names)}, the path of a CSV file, or a list of rows"
        raise InvalidInput(field, name, allowed + closest(name, names))
    rows = _read_rows(name, field, folder)
    if rows and len(rows[0][1]) == 2 and isinstance(_cell(rows[0][1][1]), str):
        rows = rows[1:]
    named = [
        (f"{field} ({name} row {line})", [_time(row[0]), *map(_cell, row[1:])])
        for line, row in rows
    ]
    return _from_rows(name, f"{field} ({name})", named)


def _read_rows(name: str, field: str, folder: Path | None) -> list[tuple[int, list[str]]]:
    try:
        with resolve_file(name, folder).open(newline="", encoding="utf-8-sig") as file:
            reader = csv.reader(file)
            return [(reader.line_num, row) for row in reader if any(map(str.strip, row))]
    except OSError as error:
        allowed = f"a file that can be read ({error.strerror})"
        raise InvalidInput(field, name, allowed) from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise InvalidInput(field, name, f"a CSV file ({error})") from None


def _time(cell: str) -> float | str:
    """Seconds, or of a date the seconds since 1970."""
    try:
        date = datetime.fromisoformat(cell.strip())
    except ValueError:
        return _cell(cell)
    return (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp()


def _cell(cell: str) -> float | str:
    try:
        return float(cell)
    except ValueError:
        return cell
