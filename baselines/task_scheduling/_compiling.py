"""How the policies' loops are compiled: cached on disk, tied to all sources of this folder."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, cast

import numba

Function = TypeVar("Function", bound=Callable[..., Any])


def compiled(function: Function) -> Function:
    """Compile on the first call and keep the machine code.

    Numba looks only at the date of the file that a function stands in; the stamp makes it notice
    a change of what the function calls in other files too.
    """
    dispatcher = cast(Any, numba).njit(cache=True, error_model="numpy")(function)
    cache_file = getattr(getattr(dispatcher, "_cache", None), "_cache_file", None)
    if cache_file is not None:
        cache_file._source_stamp = _source_digest()
    return cast(Function, dispatcher)


@cache
def _source_digest() -> str:
    state = hashlib.sha256()
    for path in sorted(Path(__file__).resolve().parent.glob("*.py")):
        state.update(path.name.encode() + path.read_bytes())
    return state.hexdigest()
