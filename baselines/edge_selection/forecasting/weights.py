"""Fitted weights: ``weights/NAME.npz`` (plain arrays, no pickle) and its record ``NAME.yaml``."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

FOLDER = Path(__file__).parent / "weights"


@cache
def load_weights(name: str) -> dict[str, NDArray[Any]]:
    """The shipped arrays of a forecaster, by name; not to be written."""
    with np.load(FOLDER / f"{name}.npz", allow_pickle=False) as stored:
        arrays = {key: stored[key] for key in stored.files}
    for array in arrays.values():
        array.setflags(write=False)
    return arrays
