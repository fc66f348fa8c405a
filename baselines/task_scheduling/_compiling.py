"""How the policies' loops are compiled: cached on disk, tied to all sources of this folder."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from tiergym.jit import files_digest, stamped

Function = TypeVar("Function", bound=Callable[..., Any])


def compiled(function: Function) -> Function:
    """Compile on the first call and keep the machine code."""
    return stamped(function, _source_digest(), error_model="numpy")


@cache
def _source_digest() -> str:
    folder = Path(__file__).resolve().parent
    return files_digest(folder, sorted(folder.glob("*.py")))
