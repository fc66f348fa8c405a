"""What a task is besides its arrival: which network it asks for, which input, by when."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tiergym.workload.process import Floats

Ints = NDArray[np.int64]


def draw_networks(np_random: np.random.Generator, popularity: Floats, tasks: int) -> Ints:
    """int64[tasks], networks drawn independently.

    Args:
        popularity: float64[M], shares that add up to one.
    """
    if len(popularity) == 1:
        return np.zeros(tasks, dtype=np.int64)
    edges = np.cumsum(popularity)[:-1]
    return np.searchsorted(edges, np_random.random(tasks), side="right")


def draw_samples(np_random: np.random.Generator, network: Ints, samples: Ints) -> Ints:
    """int64[tasks], rows of the exit tables, drawn independently with replacement.

    Args:
        network: int64[tasks].
        samples: int64[M], rows of each network's exit table.
    """
    if samples.max() == 1:
        return np.zeros(len(network), dtype=np.int64)
    rows = samples[network]
    return np.minimum((np_random.random(len(network)) * rows).astype(np.int64), rows - 1)


def deadlines(arrival: Floats, network: Ints, allowed: Floats) -> Floats:
    """float64[tasks], absolute seconds.

    Args:
        allowed: float64[M], seconds from the arrival, may be infinite.
    """
    return arrival + allowed[network]
