"""Choosing among names."""

from __future__ import annotations

from collections.abc import Iterable

from tiergym.errors import InvalidInput
from tiergym.fields import closest


def choice(field: str, value: object, allowed: Iterable[str]) -> str:
    """``value`` if it is one of the allowed words.

    Raises:
        InvalidInput: with the closest word.
    """
    words = list(allowed)
    if not isinstance(value, str) or value not in words:
        raise InvalidInput(field, value, f"one of {', '.join(words)}{closest(value, words)}")
    return value
