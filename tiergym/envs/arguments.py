"""Checks of the arguments that all environments share."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any, cast

from tiergym.errors import InvalidInput


def whole(field: str, value: Any, low: int, high: int) -> int:
    """``value`` as an int, of any integer type.

    Raises:
        InvalidInput: if it is no whole number, or outside ``low`` to ``high``.
    """
    allowed = f"a whole number, {low} to {high}"
    if isinstance(value, bool):
        raise InvalidInput(field, value, allowed)
    try:
        number = operator.index(value)
    except TypeError as error:
        raise InvalidInput(field, value, allowed) from error
    if not low <= number <= high:
        raise InvalidInput(field, value, allowed)
    return number


def rising_sizes(field: str, value: Any, high: int) -> tuple[int, ...]:
    """Batch sizes as ints: rising, the first of them 1.

    Raises:
        InvalidInput: if they are anything else.
    """
    allowed = f"rising whole numbers up to {high}, the first of them 1"
    if isinstance(value, str) or not hasattr(value, "__iter__"):
        raise InvalidInput(field, value, allowed)
    given = list(cast(Sequence[Any], value))
    sizes = [whole(f"{field}[{k}]", size, 1, high) for k, size in enumerate(given)]
    if not sizes or sizes[0] != 1 or sorted(set(sizes)) != sizes:
        raise InvalidInput(field, given, allowed)
    return tuple(sizes)
