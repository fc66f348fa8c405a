"""Bandwidth whose logarithm is a first-order autoregressive process, AR(1)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tiergym.errors import InvalidInput
from tiergym.fields import mapping, number
from tiergym.jit import compiled
from tiergym.links.bandwidth import BITS_PER_MEGABIT, BandwidthProcess, Pieces, pieces_begun

_KEYS = ("median", "sigma", "rho", "step", "low", "high")


@dataclass(frozen=True)
class AutoregressiveBandwidth(BandwidthProcess):
    """``x[k+1] = log median + rho (x[k] - log median) + sigma sqrt(1 - rho^2) z[k]``, z normal.

    A draw starts in the stationary state; piece k begins at ``k * step`` seconds and has
    ``exp(x[k])`` clipped to low and high.

    Attributes:
        median: Mbit/s, stationary median before clipping.
        sigma: stationary standard deviation of the logarithm.
        rho: correlation of the logarithm from one step to the next, 0 to below 1.
        step: seconds.
        low, high: Mbit/s, the range that values are clipped to.
    """

    median: float
    sigma: float
    rho: float
    step: float
    low: float
    high: float

    @classmethod
    def parse(cls, field: str, value: object) -> AutoregressiveBandwidth:
        """From a mapping with ``median`` and any of the others.

        Without them: sigma 0.3, rho 0.9, step 1 s, and a range of four sigmas on both sides.
        """
        record = mapping(field, value, _KEYS)
        if "median" not in record:
            raise InvalidInput(f"{field}.median", None, "Mbit/s > 0")
        median = number(f"{field}.median", record["median"], "Mbit/s", above=0.0)
        sigma = number(
            f"{field}.sigma", record.get("sigma", 0.3), "log standard deviation", low=0.0, high=10.0
        )
        rho = number(f"{field}.rho", record.get("rho", 0.9), "correlation >= 0 and < 1", 0.0)
        if rho >= 1.0:
            raise InvalidInput(f"{field}.rho", rho, "correlation >= 0 and < 1")
        spread = math.exp(4.0 * sigma)
        low = number(f"{field}.low", record.get("low", median / spread), "Mbit/s", above=0.0)
        high = number(f"{field}.high", record.get("high", median * spread), "Mbit/s", low=median)
        if low > median:
            raise InvalidInput(f"{field}.low", low, f"Mbit/s > 0 and <= the median, {median:g}")
        step = number(f"{field}.step", record.get("step", 1.0), "seconds", above=0.0)
        return cls(median, sigma, rho, step, low, high)

    def draw(self, np_random: np.random.Generator, horizon_seconds: float) -> Pieces:
        """One piece a step until the horizon."""
        normals = np_random.standard_normal(self._pieces(horizon_seconds))
        first = math.log(self.median) + self.sigma * normals[0]
        return self._starts(len(normals)), self._values(normals, first)

    def redraw(
        self,
        np_random: np.random.Generator,
        past_start: NDArray[np.float64],
        past_bandwidth: NDArray[np.float64],
        now: float,
        horizon_seconds: float,
    ) -> Pieces:
        """The past, and a walk that goes on from its last value.

        Where that value was clipped, the walk starts at the limit, as the state behind it is lost.
        """
        kept = pieces_begun(past_start, now)
        pieces = max(kept, self._pieces(horizon_seconds))
        normals = np_random.standard_normal(pieces - kept + 1)
        last = past_bandwidth[kept - 1]
        future = self._values(normals, math.log(last / BITS_PER_MEGABIT))
        start = np.concatenate((past_start[:kept], self._starts(pieces)[kept:]))
        return start, np.concatenate((past_bandwidth[:kept], future[1:]))

    def mean(self) -> float:
        """Mean of the clipped log-normal, bit/s, in closed form."""
        if self.sigma == 0.0:
            return self.median * BITS_PER_MEGABIT
        centre = math.log(self.median)
        below = (math.log(self.low) - centre) / self.sigma
        above = (math.log(self.high) - centre) / self.sigma
        inner = _normal_cdf(above - self.sigma) - _normal_cdf(below - self.sigma)
        inside = math.exp(centre + 0.5 * self.sigma**2) * inner
        clipped = self.low * _normal_cdf(below) + self.high * _normal_cdf(-above)
        return (inside + clipped) * BITS_PER_MEGABIT

    def _pieces(self, horizon: float) -> int:
        return max(1, math.ceil(horizon / self.step))

    def _starts(self, pieces: int) -> NDArray[np.float64]:
        return np.arange(float(pieces)) * self.step

    def _values(self, normals: NDArray[np.float64], first: float) -> NDArray[np.float64]:
        limits = (self.low * BITS_PER_MEGABIT, self.high * BITS_PER_MEGABIT)
        noise = self.sigma * math.sqrt(1.0 - self.rho**2)
        return _walk(normals, first, math.log(self.median), self.rho, noise, *limits)


@compiled
def _walk(
    normals: NDArray[np.float64],
    first: float,
    centre: float,
    rho: float,
    noise: float,
    low: float,
    high: float,
) -> NDArray[np.float64]:
    """Bit/s of every piece; ``normals[0]`` belongs to the first and is not used here."""
    bandwidth = np.empty(len(normals))
    state = first
    for k in range(len(normals)):
        if k > 0:
            state = centre + rho * (state - centre) + noise * normals[k]
        bandwidth[k] = min(max(math.exp(state) * 1e6, low), high)
    return bandwidth


def _normal_cdf(value: float) -> float:
    return 0.5 * math.erfc(-value / math.sqrt(2.0))
