"""A small LSTM (Hochreiter and Schmidhuber, Neural Computation 9(8), 1997), without torch."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from baselines.edge_selection.forecasting.weights import load_weights
from baselines.edge_selection.forecasting.windows import HORIZONS, Floats
from tiergym.jit import files_digest, stamped

LEAST_SCALE = 0.005
"""Utilisation added to a window's mean step, so that a constant window has a scale."""


class Weights(NamedTuple):
    """Of one layer of U units and its output; gates in torch's order: in, forget, cell, out."""

    inputs: Floats  # [2, 4 U]
    hidden: Floats  # [U, 4 U]
    bias: Floats  # [4 U]
    output: Floats  # [U, 4]
    output_bias: Floats  # [4]


def scaled(windows: Floats) -> tuple[Floats, Floats]:
    """What the network sees of windows [m, H], float64[m, H, 2], and their scale float64[m, 1].

    The scale is the mean absolute step of the window. It sees each value less the last, over the
    scale, and the scale's logarithm; so it forecasts whatever level a load has.
    """
    apart = windows - windows[:, -1:]
    scale = np.abs(np.diff(windows, axis=1)).mean(axis=1, keepdims=True) + LEAST_SCALE
    return np.stack([apart / scale, np.broadcast_to(np.log(scale), apart.shape)], axis=2), scale


class Lstm:
    """The last value plus what the network says of its scaled window, times the scale.

    Args:
        weights: arrays by the names of `Weights`; the shipped ones by default.
    """

    def __init__(self, weights: dict[str, NDArray[Any]] | None = None) -> None:
        given = load_weights("lstm") if weights is None else weights
        arrays = [np.ascontiguousarray(given[name], np.float64) for name in Weights._fields]
        self._weights = Weights(*arrays)

    def forecast(self, windows: Floats) -> Floats:
        """float64[m, 4] from windows [m, H]; the number of windows changes no bit."""
        inputs, scale = scaled(windows)
        return windows[:, -1:] + scale * _network(np.ascontiguousarray(inputs), *self._weights)


def _compiled(function: Any) -> Any:
    source = Path(__file__)
    return stamped(function, files_digest(source.parent, [source]), error_model="numpy")


_OUTPUTS = len(HORIZONS)


@_compiled
def _network(
    inputs: Floats, first: Floats, hidden: Floats, bias: Floats, output: Floats, last: Floats
) -> Floats:
    """float64[m, 4] of inputs [m, H, 2], one window after the other."""
    units = len(hidden)
    found = np.empty((len(inputs), _OUTPUTS))
    gates = np.empty(4 * units)
    for k in range(len(inputs)):
        state, cell = np.zeros(units), np.zeros(units)
        for t in range(inputs.shape[1]):
            for j in range(4 * units):
                gates[j] = bias[j] + inputs[k, t, 0] * first[0, j] + inputs[k, t, 1] * first[1, j]
            for u in range(units):
                for j in range(4 * units):
                    gates[j] += state[u] * hidden[u, j]
            for u in range(units):
                kept = _sigmoid(gates[units + u]) * cell[u]
                cell[u] = kept + _sigmoid(gates[u]) * math.tanh(gates[2 * units + u])
                state[u] = _sigmoid(gates[3 * units + u]) * math.tanh(cell[u])
        for h in range(_OUTPUTS):
            total = last[h]
            for u in range(units):
                total += state[u] * output[u, h]
            found[k, h] = total
    return found


@_compiled
def _sigmoid(x: float) -> float:
    return 0.5 * (1.0 + math.tanh(0.5 * x))
