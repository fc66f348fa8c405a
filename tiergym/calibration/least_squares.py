"""Non-negative least squares of the relative error (SciPy's), with types."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from scipy import optimize  # pyright: ignore[reportMissingTypeStubs]

Floats = NDArray[np.float64]


def non_negative_fit(features: Floats, values: Floats, weight: Floats | None = None) -> Floats:
    """Coefficients >= 0 for which ``features @ coefficients`` comes nearest to ``values``.

    Args:
        features: float64[n, k].
        values: float64[n], all above zero; errors are relative to them.
        weight: float64[n] of each relative error; one if None.

    Returns:
        float64[k].
    """
    own = np.ones(len(values)) if weight is None else weight
    found = cast(Any, optimize).nnls(features * (own / values)[:, None], own)
    return cast(Floats, found[0])
