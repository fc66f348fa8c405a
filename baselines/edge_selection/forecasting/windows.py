"""What a forecaster is given and gives: windows of the last H values, and values some steps on."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

LENGTH = 8
"""H, values in a window: as many reports of an edge are observed."""
HORIZONS = (1, 2, 4, 8)
"""Steps, report intervals, that are forecast."""


class Forecaster(Protocol):
    """Forecasts a load from its last values, whatever its level."""

    def forecast(self, windows: Floats) -> Floats:
        """float64[m, 4], the load `HORIZONS` steps on.

        Args:
            windows: float64[m, H], utilisation (0 to 1), the oldest first.
        """
        ...


def cut(values: Floats) -> tuple[Floats, Floats]:
    """All windows [m, H] of a series, and the values [m, 4] `HORIZONS` steps after each."""
    ends = np.arange(LENGTH - 1, len(values) - HORIZONS[-1])
    windows = values[ends[:, None] + np.arange(1 - LENGTH, 1)]
    return windows, values[ends[:, None] + np.array(HORIZONS)]


def roughness(values: Floats) -> float:
    """Standard deviation of the steps of a series, its own scale; 0 for a constant."""
    return float(np.std(np.diff(values)))
