"""How the engine is compiled, and the message that is shown meanwhile."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager

from tiergym.jit import compiled_without_allocation as compiled
from tiergym.jit import sweep

_QUIET_SECONDS = 1.0
_READY: set[str] = set()


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
            sweep()


__all__ = ["announced", "compiled"]
