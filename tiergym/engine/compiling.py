"""How the engine is compiled: one decorator, a cache that knows all sources, a message while it runs.

Functions are compiled without Numba's run time (`_nrt=False`): an allocation inside them is then a
compile error, and views of a row's buffer are passed about without reference counting, which made
a call four times faster.
"""

from __future__ import annotations

import hashlib
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar, cast

import numba  # pyright: ignore[reportMissingTypeStubs]

Function = TypeVar("Function", bound=Callable[..., Any])

_SOURCES = ("engine", "envs")
_QUIET_SECONDS = 1.0


def compiled(function: Function) -> Function:
    """Compile ``function`` for the engine: cached on disk, IEEE arithmetic, no allocation."""
    decorate = cast(Any, numba).njit(cache=True, _nrt=False, error_model="numpy")
    dispatcher = decorate(function)
    _stamp(dispatcher)
    return cast(Function, dispatcher)


def _stamp(dispatcher: Any) -> None:
    """Tie the cache entry to all engine sources.

    Numba looks only at the date of the file a function stands in, so a change in a function that
    it calls, in another file, would go unnoticed, as would an upgrade of a wheel (whose files all
    carry one date).
    """
    cache_file = getattr(getattr(dispatcher, "_cache", None), "_cache_file", None)
    if cache_file is not None:
        cache_file._source_stamp = source_digest()


@lru_cache(maxsize=1)
def source_digest() -> str:
    """SHA-256 of every Python file of the engine and the environments (hex)."""
    root = Path(__file__).resolve().parent.parent
    state = hashlib.sha256()
    for folder in _SOURCES:
        for path in sorted((root / folder).rglob("*.py")):
            state.update(path.relative_to(root).as_posix().encode())
            state.update(path.read_bytes())
    return state.hexdigest()


@contextmanager
def announced(what: str) -> Iterator[None]:
    """Say on standard error that ``what`` is being compiled, if that takes over a second."""
    began = time.perf_counter()
    said = threading.Event()

    def say() -> None:
        said.set()
        text = f"tiergym: compiling {what} (kept on disk, about half a minute the first time) ..."
        print(text, file=sys.stderr, flush=True)

    timer = threading.Timer(_QUIET_SECONDS, say)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        if said.is_set():
            seconds = time.perf_counter() - began
            print(f"tiergym: compiled {what} in {seconds:.0f} s", file=sys.stderr, flush=True)
