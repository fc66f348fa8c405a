"""Numba's compiler with a type that checkers understand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar, cast

import numba

P = ParamSpec("P")
R = TypeVar("R")


def compiled(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a function on its first call and keep the machine code on disk."""
    decorate = cast(Callable[[Any], Any], numba.njit(cache=True))  # pyright: ignore[reportUnknownMemberType]
    return cast(Callable[P, R], decorate(function))
