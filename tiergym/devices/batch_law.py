"""`BatchLaw`: seconds (or bytes) of a batch of b, from whatever is known of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tiergym.errors import InvalidInput
from tiergym.fields import integer, is_mapping, mapping, number, sequence

_KINDS = ("points", "hinge", "line", "single")
_ALLOWED = (
    "a number (of a batch of one), {points: [[b, value], ...]}, {hinge: {floor, d, k}}, "
    "{line: {a, k}} or {single: value}"
)


@dataclass(frozen=True)
class BatchLaw:
    """A value for every batch size: `table` gives them.

    Attributes:
        field: where it was given, for messages.
        kind: ``points`` (measured, joined linearly in between, exact where measured; nothing is
            known past the last one, and no order of the values is asked for: published tables
            are not always monotone), ``hinge`` (``max(floor, d + k b)``), ``line``
            (``a + k b``) or ``single`` (only a batch of one is known: b times that is assumed).
        values: the points as pairs, or the parameters in the order above.
        unit: ``seconds`` or ``bytes``.
    """

    field: str
    kind: str
    values: tuple[tuple[float, ...], ...]
    unit: str = "seconds"

    @property
    def assumed(self) -> bool:
        """Whether batches above one were never measured."""
        return self.kind == "single"

    @property
    def known(self) -> int | None:
        """The largest batch that something is known of; None: every batch."""
        return int(self.values[-1][0]) if self.kind == "points" else None

    @classmethod
    def parse(cls, field: str, value: object, unit: str = "seconds") -> BatchLaw:
        """Read what a user may write for a law: a bare number, or a mapping with one kind.

        Raises:
            InvalidInput: naming the field and what is allowed there.
        """
        if isinstance(value, BatchLaw):
            return value
        if isinstance(value, (int, float)):
            return cls(field, "single", ((number(field, value, unit, low=0.0),),), unit)
        if not is_mapping(value):
            raise InvalidInput(field, value, _ALLOWED)
        record = mapping(field, value, _KINDS)
        if len(record) != 1:
            raise InvalidInput(field, sorted(record), _ALLOWED)
        kind, given = next(iter(record.items()))
        return cls(field, kind, _values(f"{field}.{kind}", kind, given, unit), unit)

    def table(self, batch_max: int) -> NDArray[np.float64]:
        """float64[batch_max]: the value for b = 1 .. batch_max.

        Raises:
            InvalidInput: if the law is not known that far, or falls below zero.
        """
        if self.known is not None and batch_max > self.known:
            raise InvalidInput(self.field, f"batch_max {batch_max}", f"1 to {self.known}, as known")
        table = self._evaluate(np.arange(1.0, batch_max + 1.0))
        if (table < 0.0).any():
            at = int(np.argmax(table < 0.0))
            allowed = f"{self.unit} >= 0 at every batch size"
            raise InvalidInput(f"{self.field} at batch {at + 1}", float(table[at]), allowed)
        return table

    def _evaluate(self, batch: NDArray[np.float64]) -> NDArray[np.float64]:
        first = self.values[0]
        if self.kind == "points":
            points = np.array(self.values)
            return np.interp(batch, points[:, 0], points[:, 1])
        if self.kind == "hinge":
            return np.maximum(first[0], first[1] + first[2] * batch)
        if self.kind == "line":
            return first[0] + first[1] * batch
        return batch * first[0]


def _values(field: str, kind: str, given: object, unit: str) -> tuple[tuple[float, ...], ...]:
    if kind == "points":
        return _points(field, given, unit)
    if kind == "single":
        return ((number(field, given, unit, low=0.0),),)
    names = ("floor", "d", "k") if kind == "hinge" else ("a", "k")
    record = mapping(field, given, names)
    missing = [name for name in names if name not in record]
    if missing:
        raise InvalidInput(f"{field}.{missing[0]}", None, f"{unit}; all of {', '.join(names)}")
    return (tuple(number(f"{field}.{name}", record[name], unit) for name in names),)


def _points(field: str, given: object, unit: str) -> tuple[tuple[float, ...], ...]:
    points: list[tuple[float, float]] = []
    for index, item in enumerate(sequence(field, given, f"a list of [batch, {unit}]")):
        where = f"{field}[{index}]"
        pair = sequence(where, item, f"[batch, {unit}]")
        if len(pair) != 2:
            raise InvalidInput(where, item, f"[batch, {unit}]")
        batch = integer(f"{where}[0]", pair[0], "tasks", low=1)
        if points and batch <= points[-1][0]:
            raise InvalidInput(f"{where}[0]", batch, f"a batch above {points[-1][0]:g}")
        points.append((float(batch), number(f"{where}[1]", pair[1], unit, low=0.0)))
    if not points or points[0][0] != 1.0:
        raise InvalidInput(field, given, "points from a batch of 1 on")
    return tuple(points)
