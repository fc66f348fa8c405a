"""Choosing among names, and asking for what has to be there."""

from __future__ import annotations

from collections.abc import Iterable

from tiergym.errors import InvalidInput
from tiergym.fields import closest

NETWORKS = "a mapping of network names"
ARRIVALS = "a mapping with a process"
"""What is allowed where a scenario names none."""


def required(record: dict[str, object], key: str, allowed: str) -> object:
    """``record[key]``.

    Raises:
        InvalidInput: if it is not there.
    """
    if record.get(key) is None:
        raise InvalidInput(key, None, allowed)
    return record[key]


def choice(field: str, value: object, allowed: Iterable[str]) -> str:
    """``value`` if it is one of the allowed words.

    Raises:
        InvalidInput: with the closest word.
    """
    words = list(allowed)
    if not isinstance(value, str) or value not in words:
        raise InvalidInput(field, value, f"one of {', '.join(words)}{closest(value, words)}")
    return value
