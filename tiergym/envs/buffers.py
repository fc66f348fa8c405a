"""Observed fields in one float32 buffer: their names, bounds and places.

Fields lie one after the other, each with all rows together, so that a row's share of a field is
contiguous and one allocation serves a whole step.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

COUNT_BOUND = 10_000.0
SECONDS_BOUND = 10_000.0
AMOUNT_BOUND = 1_000_000.0


class Field(NamedTuple):
    """One observed field: its name, width and bounds."""

    name: str
    width: int
    low: float
    high: float


Layout = tuple[tuple[str, slice], ...]
"""Name and place of each field in the buffer of a number of rows."""


def space_of(fields: Sequence[Field], actions: int) -> spaces.Dict:
    """The observation space of one environment: the fields, and the mask of its actions."""
    boxes: dict[str, spaces.Space[Any]] = {
        f.name: spaces.Box(f.low, f.high, (f.width,), np.float32) for f in fields
    }
    return spaces.Dict({**boxes, "action_mask": spaces.MultiBinary(actions)})


def layout_of(fields: Sequence[Field], rows: int) -> Layout:
    """Where the fields lie in a buffer of ``rows`` rows."""
    ends = np.cumsum([f.width * rows for f in fields]).tolist()
    begins = [0, *ends[:-1]]
    return tuple((f.name, slice(b, e)) for f, b, e in zip(fields, begins, ends, strict=True))


def cut_one(
    buffer: NDArray[np.float32], mask: NDArray[np.int8], layout: Layout
) -> dict[str, NDArray[Any]]:
    """Name the parts of a filled buffer of one row, as one-dimensional arrays."""
    parts: dict[str, NDArray[Any]] = {name: buffer[place] for name, place in layout}
    parts["action_mask"] = mask
    return parts


def cut_rows(
    buffer: NDArray[np.float32], mask: NDArray[np.int8], layout: Layout, rows: int
) -> dict[str, NDArray[Any]]:
    """Name the parts of a filled buffer of n rows, as (n, width) arrays."""
    parts = {name: buffer[place].reshape(rows, -1) for name, place in layout}
    return {**parts, "action_mask": mask.reshape(rows, -1)}


def clipped(
    fields: Sequence[Field], names: Sequence[str], values: Sequence[NDArray[np.float64]]
) -> NDArray[np.float32]:
    """Values of some fields one after the other, clipped to their bounds.

    Raises:
        AssertionError: if a field has another width than its values.
    """
    bounds = {f.name: f for f in fields}
    parts: list[NDArray[np.float64]] = []
    for name, value in zip(names, values, strict=True):
        assert value.size == bounds[name].width, (name, value.size, bounds[name].width)
        parts.append(np.clip(value.ravel(), bounds[name].low, bounds[name].high))
    return np.concatenate(parts).astype(np.float32)
