"""Linear forecasts: coefficients fitted by least squares, beforehand or on the window itself."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from baselines.edge_selection.forecasting.weights import load_weights
from baselines.edge_selection.forecasting.windows import HORIZONS, Floats, cut, roughness


class Ar:
    """AR(8), one linear function of the window for each horizon (direct forecasts).

    It is fitted to what a series departs from its last value, without a constant, so it forecasts a
    level that it never saw as well; a series of any roughness counts the same.

    Args:
        coefficients: float64[H - 1, 4], of the values before the last, less the last; the shipped
            ones by default.
    """

    def __init__(self, coefficients: Floats | None = None) -> None:
        given = load_weights("ar")["coefficients"] if coefficients is None else coefficients
        self._coefficients: Floats = given

    @classmethod
    def fitted(cls, series: Sequence[Floats]) -> Ar:
        """By least squares on all windows of some series, each over its roughness."""
        inputs, targets = list[Floats](), list[Floats]()
        for values in series:
            windows, future = cut(values)
            last, scale = windows[:, -1:], max(roughness(values), 1e-9)
            inputs.append((windows[:, :-1] - last) / scale)
            targets.append((future - last) / scale)
        found = np.linalg.lstsq(np.concatenate(inputs), np.concatenate(targets), rcond=None)[0]
        return cls(found.astype(np.float64))

    @property
    def coefficients(self) -> Floats:
        """float64[H - 1, 4]."""
        return self._coefficients

    def forecast(self, windows: Floats) -> Floats:
        """float64[m, 4] from windows [m, H]."""
        last = windows[:, -1:]
        # A sum over the window, not a matrix product, whose rounding depends on the rows.
        moves = (windows[:, :-1] - last)[:, :, None] * self._coefficients
        return last + moves.sum(axis=1)


class ArOnline:
    """AR(1) around the window's mean, its coefficient fitted to the window alone.

    phi = sum x_t x_(t-1) / sum x_(t-1)^2 of the values less their mean, held within [0, 1];
    h steps on, phi^h of the last departure is left.
    """

    def forecast(self, windows: Floats) -> Floats:
        """float64[m, 4] from windows [m, H]."""
        mean = windows.mean(axis=1, keepdims=True)
        apart = windows - mean
        power = (apart[:, :-1] ** 2).sum(axis=1, keepdims=True)
        product = (apart[:, 1:] * apart[:, :-1]).sum(axis=1, keepdims=True)
        phi = np.clip(product / np.where(power > 0.0, power, 1.0), 0.0, 1.0)
        return mean + phi ** np.array(HORIZONS) * apart[:, -1:]
