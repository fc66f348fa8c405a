"""Bandwidth replayed from a measured trace."""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tiergym.errors import InvalidInput
from tiergym.fields import flag, mapping, number, sequence
from tiergym.links.bandwidth import BITS_PER_MEGABIT, BandwidthProcess, Pieces, pieces_begun
from tiergym.shipped import resolve_file

_CANDIDATES = 16
_KEYS = ("trace", "loop", "random_start")


@dataclass(frozen=True, eq=False)
class TraceBandwidth(BandwidthProcess):
    """Measured pieces, from their beginning or from a random moment on.

    The last piece lasts as long as the one before it (one second if it is the only one).

    Attributes:
        start: float64[Q], seconds from the first row.
        bits: float64[Q], bit/s from there on; may be zero, but not everywhere.
        loop: whether the trace begins again at its end; else its last piece lasts on.
        random_start: whether a draw begins at a moment drawn uniformly over the trace.
    """

    start: NDArray[np.float64]
    bits: NDArray[np.float64]
    loop: bool = True
    random_start: bool = True

    @classmethod
    def parse(cls, field: str, value: object, folder: Path | None = None) -> TraceBandwidth:
        """From ``{trace: path or [[seconds, Mbit/s], ...], loop: bool, random_start: bool}``.

        A file is CSV, one ``seconds,mbps`` a row, with or without a header.
        """
        record = mapping(field, value, _KEYS)
        given = record["trace"]
        is_file = isinstance(given, (str, Path))
        name = f"{field}.trace"
        rows = _read_rows(name, given, folder) if is_file else sequence(name, given, "a list")
        start, bits = _columns(f"{name} ({given})" if is_file else name, rows)
        loop = flag(f"{field}.loop", record.get("loop", True))
        if not loop and bits[-1] == 0.0:
            raise InvalidInput(f"{name}, last row", 0.0, "Mbit/s > 0, since it lasts for ever")
        random_start = flag(f"{field}.random_start", record.get("random_start", True))
        return cls(start, bits, loop, random_start)

    @property
    def duration(self) -> float:
        """Seconds that the trace covers."""
        last = self.start[-1] - self.start[-2] if len(self.start) > 1 else 1.0
        return float(self.start[-1] + last)

    def draw(self, np_random: np.random.Generator, horizon_seconds: float) -> Pieces:
        """A stretch of the trace; one number is drawn if the start is random."""
        offset = self.duration * np_random.random() if self.random_start else 0.0
        return self._stretch(offset, 0.0, horizon_seconds, self.loop, 1)

    def redraw(
        self,
        np_random: np.random.Generator,
        past_start: NDArray[np.float64],
        past_bandwidth: NDArray[np.float64],
        now: float,
        horizon_seconds: float,
    ) -> Pieces:
        """The past, and another stretch of the trace spliced in.

        Of 16 moments drawn over the trace, the stretch follows that whose bandwidth is nearest
        to the last one; the piece in force lasts until the stretch first changes. The trace is
        taken as a loop here, since the true end must not be known.
        """
        kept = pieces_begun(past_start, now)
        offsets = self.duration * np_random.random(_CANDIDATES)
        values = self.bits[np.searchsorted(self.start, offsets, side="right") - 1]
        best = int(np.argmin(np.abs(values - past_bandwidth[kept - 1])))
        start, bits = self._stretch(float(offsets[best]), now, horizon_seconds, True, 2)
        joined = np.concatenate((past_bandwidth[:kept], bits[1:]))
        return np.concatenate((past_start[:kept], start[1:])), joined

    def mean(self) -> float:
        """Mean over the trace's duration, bit/s."""
        lengths = np.diff(np.append(self.start, self.duration))
        return float(np.sum(self.bits * lengths) / self.duration)

    def _stretch(
        self, offset: float, begin: float, horizon: float, loop: bool, least: int
    ) -> Pieces:
        """Pieces from ``begin`` on, as the trace goes on from ``offset``, at least ``least``."""
        rows = len(self.start)
        first = int(np.searchsorted(self.start, offset, side="right")) - 1
        laps = math.ceil((offset + max(0.0, horizon - begin)) / self.duration) + 2 if loop else 1
        index = np.arange(first, rows * laps)
        start = begin + (self.start[index % rows] + (index // rows) * self.duration - offset)
        bits = self.bits[index % rows]
        if len(start) > 1 and start[1] <= begin:
            start, bits = start[1:], bits[1:]
        start[0] = begin
        end = _pieces_needed(start, bits, horizon, least)
        return start[:end], bits[:end]


def _pieces_needed(
    start: NDArray[np.float64], bits: NDArray[np.float64], horizon: float, least: int
) -> int:
    """Pieces that begin before the horizon, and on to the first that may last for ever."""
    end = max(least, int(np.searchsorted(start, horizon, side="left")))
    end = min(end, len(start))
    while bits[end - 1] == 0.0:
        end += 1
    return end


def _columns(field: str, rows: list[object]) -> Pieces:
    """Seconds from the first row, and bit/s."""
    if not rows:
        raise InvalidInput(field, rows, "at least one row [seconds, Mbit/s]")
    start: list[float] = []
    bits: list[float] = []
    for index, row in enumerate(rows):
        where = f"{field}, row {index + 1}"
        pair = sequence(where, row, "[seconds, Mbit/s]")
        if len(pair) != 2:
            raise InvalidInput(where, row, "[seconds, Mbit/s]")
        seconds = number(where, pair[0], "seconds", low=0.0)
        if start and seconds <= start[-1]:
            raise InvalidInput(where, seconds, f"seconds above {start[-1]:g}, the row before")
        start.append(seconds)
        bits.append(number(where, pair[1], "Mbit/s", low=0.0) * BITS_PER_MEGABIT)
    if not any(bits):
        raise InvalidInput(field, "0 in every row", "Mbit/s > 0 in some row")
    return np.array(start) - start[0], np.array(bits)


def _read_rows(field: str, given: str | Path, folder: Path | None) -> list[object]:
    path = resolve_file(given, folder)
    try:
        with path.open(newline="", encoding="utf-8") as file:
            cells = [row for row in csv.reader(file) if row]
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(field, str(path), f"a CSV file that can be read ({error})") from None
    if cells and not all(_is_number(cell) for cell in cells[0]):
        cells = cells[1:]
    return [[_number_or_text(cell) for cell in row] for row in cells]


def _is_number(cell: str) -> bool:
    return isinstance(_number_or_text(cell), float)


def _number_or_text(cell: str) -> float | str:
    try:
        return float(cell)
    except ValueError:
        return cell
