"""Walking: along straight lines from one stop to the next, on and on, at one speed."""

from __future__ import annotations

import numpy as np

from tiergym.scenarios.system import Floats

LEGS = 16
"""Legs that are drawn at first; then as many again as there are."""


def walk(np_random: np.random.Generator, from_km: Floats, stops: Floats, reach: Floats) -> Floats:
    """Where walkers are after so many kilometres; each next stop is drawn uniformly.

    Args:
        from_km: float64[n, 2], where they begin.
        stops: float64[S, 2], not all at one place.
        reach: float64[Q], kilometres walked, rising.

    Returns:
        float64[Q, n, 2].
    """
    corners: Floats = from_km[:, None, :]
    walked: Floats = np.zeros((len(from_km), 1))
    while walked[:, -1].min() < reach[-1]:
        count = max(LEGS, walked.shape[1])
        more = stops[np_random.integers(len(stops), size=(len(from_km), count))]
        legs = np.diff(np.concatenate((corners[:, -1:], more), axis=1), axis=1)
        lengths = np.cumsum(np.hypot(legs[..., 0], legs[..., 1]), axis=1)
        corners = np.concatenate((corners, more), axis=1)
        walked = np.concatenate((walked, walked[:, -1:] + lengths), axis=1)
    at = np.empty((len(reach), len(from_km), 2))
    for n, axis in np.ndindex(len(from_km), 2):
        at[:, n, axis] = np.interp(reach, walked[n], corners[n, :, axis])
    return at


def mean_leg_bound(stops: Floats) -> float:
    """Kilometres that a leg between two random stops is at least on average."""
    away = stops - stops.mean(axis=0)
    return float(np.hypot(away[:, 0], away[:, 1]).mean())
