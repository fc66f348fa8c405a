"""Laws that price an operation on a device, fitted to published whole-network times.

A network's seconds are taken to be ``base + a * operations + v * macs (+ p * pools)``, an operation
being a convolution or a linear layer. Macs alone miss by about half: at the sizes that matter here
a device spends as long on starting an operation as on its arithmetic.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tiergym.calibration.least_squares import non_negative_fit
from tiergym.calibration.operations import Operations

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class OperationLaw:
    """Milliseconds: ``base`` a stage run, ``operation``, ``megamac`` and ``pool`` each."""

    base: float
    operation: float
    megamac: float
    pool: float = 0.0

    def milliseconds(self, ran: Operations) -> float:
        """Of operations that a stage runs, without its base."""
        macs = (ran.dense_macs + ran.depthwise_macs) / 1e6
        count = ran.dense + ran.depthwise
        return self.operation * count + self.megamac * macs + self.pool * ran.pools


def relative_errors(features: Floats, milliseconds: Floats, coefficients: Floats) -> Floats:
    """float64[n], absolute relative errors."""
    return np.abs(features @ coefficients / milliseconds - 1.0)


def held_out_errors(
    features: Floats,
    milliseconds: Floats,
    folds: Sequence[NDArray[np.bool_]],
    fit: Callable[[Floats, Floats], Floats] = non_negative_fit,
) -> Floats:
    """Absolute relative errors on rows that the fit did not see; ``folds`` marks those left out."""
    errors: list[Floats] = []
    for left_out in folds:
        found = fit(features[~left_out], milliseconds[~left_out])
        errors.append(relative_errors(features[left_out], milliseconds[left_out], found))
    return np.concatenate(errors)
