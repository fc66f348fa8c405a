"""Recorded arrival times: shipped traces, CSV files and plain lists."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import cast

import numpy as np

from tiergym.errors import InvalidInput
from tiergym.fields import closest, read_yaml, sequence
from tiergym.shipped import data_folder, resolve_file, shipped_names
from tiergym.workload.process import Floats

_TIME_COLUMNS = ("timestamp", "time", "arrival", "seconds")
"""Headers of the column of times among several, in any case."""
_ALLOWED = "a trace's name, the path of a CSV file, or a list of times in seconds"


@dataclass(frozen=True, eq=False)
class Trace:
    """Times of arrivals.

    Attributes:
        name: shipped name, file, or ``list``.
        times: float64[n] seconds, not decreasing, the first >= 0.
        period: seconds after which it may begin again; n / period is its rate.
    """

    name: str
    times: Floats
    period: float

    @property
    def rate(self) -> float:
        """Tasks per second over the whole trace."""
        return len(self.times) / self.period


def trace_names() -> list[str]:
    """Names of the shipped traces, sorted."""
    return shipped_names("workload")


def load_trace(given: object, *, field: str = "trace", folder: Path | None = None) -> Trace:
    """The trace that ``given`` stands for.

    Args:
        given: a shipped trace's name, the path of a CSV file with one time a row (seconds or
            dates, under a header or not), or the times. Of several columns one has to be named
            ``TIMESTAMP``, ``time``, ``arrival`` or ``seconds``, in any case.
        field: where it was given, for messages.
        folder: where a relative path starts.

    Raises:
        InvalidInput: naming the file and the row if a time is missing, negative or falls, and
            the columns if it is not plain which holds the times.
    """
    if isinstance(given, Trace):
        return given
    if isinstance(given, (str, Path)):
        name = str(given)
        if isinstance(given, str) and name in trace_names():
            return _load_shipped(name)
        return _load_file(name, field, folder)
    values = sequence(field, given, _ALLOWED)
    return _checked("list", values, field, [f"[{index}]" for index in range(len(values))])


@cache
def _load_shipped(name: str) -> Trace:
    record = cast(dict[str, object], read_yaml(data_folder("workload") / f"{name}.yaml"))
    with np.load(data_folder("workload") / f"{name}.npz", allow_pickle=False) as stored:
        microseconds = stored["microseconds"]
    return Trace(name, microseconds * 1e-6, cast(float, record["seconds"]))


def _load_file(name: str, field: str, folder: Path | None) -> Trace:
    if not name.endswith((".csv", ".txt")) and "/" not in name:
        names = trace_names()
        allowed = f"one of {', '.join(names)}, the path of a CSV file, or a list of seconds"
        raise InvalidInput(field, name, allowed + closest(name, names))
    rows = _read_rows(name, field, folder)
    rows = [(number, row) for number, row in rows if any(cell.strip() for cell in row)]
    column, body = _find_column(f"{field} ({name})", rows)
    cells = [row[column].strip() if column < len(row) else "" for _, row in body]
    return _checked(name, _seconds(cells), field, [f" row {number}" for number, _ in body], name)


def _read_rows(name: str, field: str, folder: Path | None) -> list[tuple[int, list[str]]]:
    try:
        with resolve_file(name, folder).open(newline="", encoding="utf-8-sig") as file:
            reader = csv.reader(file)
            return [(reader.line_num, row) for row in reader]
    except OSError as error:
        allowed = f"a file that can be read ({error.strerror})"
        raise InvalidInput(field, name, allowed) from None
    except (UnicodeDecodeError, csv.Error, ValueError) as error:
        raise InvalidInput(field, name, f"a CSV file ({error})") from None


def _find_column(
    field: str, rows: list[tuple[int, list[str]]]
) -> tuple[int, list[tuple[int, list[str]]]]:
    """Column of the times, and the rows below the header if there is one."""
    if not rows:
        return 0, rows
    header = [cell.strip() for cell in rows[0][1]]
    if max(len(row) for _, row in rows) == 1:
        is_header = isinstance(_seconds(header)[0], str)
        return 0, rows[1:] if is_header else rows
    named = [column for column, cell in enumerate(header) if cell.lower() in _TIME_COLUMNS]
    if len(named) != 1:
        allowed = f"one column, or exactly one named {', '.join(_TIME_COLUMNS)} (in any case)"
        raise InvalidInput(field, f"columns {', '.join(header)}", allowed)
    return named[0], rows[1:]


def _seconds(cells: list[str]) -> list[object]:
    """Numbers where cells are numbers; dates become seconds since the first date."""
    first: datetime | None = None
    result: list[object] = []
    for cell in cells:
        value: object = _number_or_date(cell)
        if isinstance(value, datetime):
            first = first or value
            value = _since(value, first)
        result.append(value)
    return result


def _number_or_date(cell: str) -> float | datetime | str:
    try:
        return float(cell)
    except ValueError:
        pass
    try:
        return datetime.fromisoformat(_six_digits(cell))
    except ValueError:
        return cell


def _six_digits(cell: str) -> str:
    """A date's fraction of a second cut to microseconds, which is all that `datetime` holds."""
    whole, dot, fraction = cell.partition(".")
    return f"{whole}.{fraction[:6].ljust(6, '0')}" if dot and fraction.isdigit() else cell


def _since(value: datetime, first: datetime) -> object:
    if (value.tzinfo is None) != (first.tzinfo is None):
        return str(value)
    return (value - first).total_seconds()


def _checked(name: str, values: list[object], field: str, rows: list[str], file: str = "") -> Trace:
    times = np.empty(len(values))
    for index, value in enumerate(values):
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise InvalidInput(_at(field, file, rows[index]), value, "a time in seconds")
        times[index] = _as_float(value)
    wrong = np.flatnonzero(~np.isfinite(times) | (times < 0.0))
    if len(wrong):
        at = int(wrong[0])
        raise InvalidInput(_at(field, file, rows[at]), values[at], "finite seconds >= 0")
    falls = np.flatnonzero(np.diff(times) < 0.0)
    if len(falls):
        at = int(falls[0]) + 1
        allowed = f"a time not before the one above it, {times[at - 1]:g}"
        raise InvalidInput(_at(field, file, rows[at]), values[at], allowed)
    if len(times) < 2 or not times[-1] > times[0]:
        allowed = "two arrival times or more, not all the same"
        raise InvalidInput(field, file or values, allowed)
    # the gap before the first arrival of the next round is an average one
    return Trace(name, times, float((times[-1] - times[0]) * len(times) / (len(times) - 1)))


def _as_float(value: float) -> float:
    try:
        return float(value)
    except OverflowError:
        return float("inf")


def _at(field: str, file: str, row: str) -> str:
    return f"{field} ({file}{row})" if file else f"{field}{row}"
