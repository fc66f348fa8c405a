"""How the engine is compiled: one decorator, a cache that knows all sources, a message meanwhile.

Functions are compiled without Numba's run time (`_nrt=False`): an allocation inside them is then a
compile error, and views of a row's buffer are passed about without reference counting, which made
a call four times faster.
"""

from __future__ import annotations

import hashlib
import re
import sys
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar, cast

import numba  # pyright: ignore[reportMissingTypeStubs]

Function = TypeVar("Function", bound=Callable[..., Any])

_SOURCES = ("engine", "envs")
_DIGITS = 16
_ENTRY = re.compile(r"-[0-9a-f]{16}\.([0-9]+\.)?nb[ic]$")
_CACHE_FOLDERS: set[Path] = set()
_READY: set[str] = set()
_QUIET_SECONDS = 1.0


def compiled(function: Function) -> Function:
    """Compile ``function`` for the engine: cached on disk, IEEE arithmetic, no allocation."""
    decorate = cast(Any, numba).njit(cache=True, _nrt=False, error_model="numpy")
    dispatcher = decorate(function)
    _stamp(dispatcher)
    return cast(Function, dispatcher)


def _stamp(dispatcher: Any) -> None:
    """Name the cache entry after a digest of all engine sources.

    Numba looks only at the date of the file a function stands in, so a change in a function that
    it calls, in another file, would go unnoticed, as would an upgrade of a wheel (whose files all
    carry one date). The name rather than Numba's stamp, because that is read by unpickling.
    """
    cache = getattr(dispatcher, "_cache", None)
    if cache is None or not hasattr(cache, "_impl"):
        return
    _CACHE_FOLDERS.add(Path(cache._cache_path))
    name = f"{cache._impl.filename_base}-{source_digest()[:_DIGITS]}"
    stamp = cache._impl.locator.get_source_stamp()
    cache._cache_file = type(cache._cache_file)(cache._cache_path, name, stamp)


def _sweep() -> None:
    """Remove what earlier versions of the sources have left in the cache."""
    present = f"-{source_digest()[:_DIGITS]}."
    for folder in _CACHE_FOLDERS:
        for path in folder.glob("*.nb[ic]"):
            if _ENTRY.search(path.name) and present not in path.name:
                path.unlink(missing_ok=True)


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
def announced(what: str) -> Generator[None]:
    """Say on standard error that ``what`` is being compiled, if that takes over a second.

    Only the first use in a process can compile; later ones cost nothing.
    """
    if what in _READY:
        yield
        return
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
        _READY.add(what)
        if said.is_set():
            seconds = time.perf_counter() - began
            print(f"tiergym: compiled {what} in {seconds:.0f} s", file=sys.stderr, flush=True)
            _sweep()
