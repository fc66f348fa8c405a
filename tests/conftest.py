"""What all tests share: the Hypothesis profile, one thread, code compiled before workers start."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import settings

for threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ.setdefault(threads, "1")

settings.register_profile("ci", derandomize=True, deadline=None, print_blob=True)
settings.register_profile("search", derandomize=False, deadline=None, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Compile before pytest-xdist starts its workers, each of which would do it again.

    That also makes them safe: Numba writes the index of its cache before the entry, so a worker
    that reads between the two could run machine code of an older source.
    """
    if not getattr(session.config.option, "numprocesses", None):
        return
    capture: Any = session.config.pluginmanager.get_plugin("capturemanager")
    with capture.global_and_fixture_disabled():
        subprocess.run([sys.executable, "-m", "tests.warm"], cwd=session.config.rootpath)
