"""Benchmarks: each prints a ratio against a peer that runs in the same process. No test.

One thread, set here because Python imports a package before the ``__main__`` that loads NumPy.
"""

import os

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ.setdefault(_name, "1")
