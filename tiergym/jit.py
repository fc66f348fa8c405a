"""Numba's compiler for this package: cached on disk under a digest of the sources, and typed.

Numba ties a cache entry to the date of the file that a function stands in. A change in what the
function calls, in another file, would go unnoticed, and so would an upgrade of a wheel (whose files
all carry one date). Entries are therefore named after a digest of every source that compiled code
is made of. The name rather than Numba's own stamp, because that is read by unpickling.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, cast

import numba

Function = TypeVar("Function", bound=Callable[..., Any])

_ROOT = Path(__file__).resolve().parent
_SOURCES = ("jit.py", "scenarios/system.py", "engine", "envs", "links", "workload")
_DIGITS = 16
_ENTRY = re.compile(r"-[0-9a-f]{16}\.([0-9]+\.)?nb[ic]$")
_FOLDERS: dict[Path, set[str]] = {}


def compiled(function: Function) -> Function:
    """Compile a function on its first call and keep the machine code on disk."""
    return stamped(function, source_digest(), error_model="numpy")


def compiled_without_allocation(function: Function) -> Function:
    """The same without Numba's run time (`_nrt=False`).

    An allocation inside is then a compile error, and arrays are passed about without reference
    counting, which made a call several times faster.
    """
    return stamped(function, source_digest(), error_model="numpy", _nrt=False)


def stamped(function: Function, digest: str, **options: Any) -> Function:
    """Compile with Numba's ``options``, the cache entry named after ``digest`` (hex)."""
    dispatcher = cast(Any, numba).njit(cache=True, **options)(function)
    entry = getattr(dispatcher, "_cache", None)
    if entry is not None and hasattr(entry, "_impl"):
        _FOLDERS.setdefault(Path(entry._cache_path), set()).add(digest[:_DIGITS])
        name = f"{entry._impl.filename_base}-{digest[:_DIGITS]}"
        stamp = entry._impl.locator.get_source_stamp()
        entry._cache_file = type(entry._cache_file)(entry._cache_path, name, stamp)
    return cast(Function, dispatcher)


@cache
def source_digest() -> str:
    """SHA-256 of every source of this package's compiled code (hex)."""
    paths = (path for name in _SOURCES for path in _python_files(_ROOT / name))
    return files_digest(_ROOT, paths)


def files_digest(root: Path, paths: Iterable[Path]) -> str:
    """SHA-256 over names, relative to ``root``, and contents of files (hex)."""
    state = hashlib.sha256()
    for path in paths:
        state.update(path.relative_to(root).as_posix().encode())
        state.update(path.read_bytes())
    return state.hexdigest()


def _python_files(path: Path) -> list[Path]:
    return sorted(path.rglob("*.py")) if path.is_dir() else [path]


def sweep() -> None:
    """Remove what earlier versions of the sources have left in the cache."""
    for folder, digests in _FOLDERS.items():
        for path in folder.glob("*.nb[ic]"):
            present = any(f"-{digest}." in path.name for digest in digests)
            if _ENTRY.search(path.name) and not present:
                path.unlink(missing_ok=True)
