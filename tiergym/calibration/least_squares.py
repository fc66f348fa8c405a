"""Non-negative least squares of the relative error (SciPy's), with types."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from scipy import optimize  # pyright: ignore[reportMissingTypeStubs]

Floats = NDArray[np.float64]


def non_negative_fit(features: Floats, values: Floats) -> Floats:
    """Coefficients >= 0 for which ``features @ coefficients`` comes nearest to ``values``.

    Args:
        features: float64[n, k].
        values: float64[n], all above zero; errors are relative to them.

    Returns:
        float64[k].
    """
    found = cast(Any, optimize).nnls(features / values[:, None], np.ones(len(values)))
    return cast(Floats, found[0])
