"""What every bandwidth process can do, and the simplest one."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tiergym.fields import number

Pieces = tuple[NDArray[np.float64], NDArray[np.float64]]
"""Starts in seconds (float64[P], the first 0, rising) and bandwidth in bit/s from there on
(float64[P]); the last piece lasts for ever."""

BITS_PER_MEGABIT = 1e6


class BandwidthProcess(ABC):
    """Bandwidth over time, piecewise constant. A draw is a pure function of the generator."""

    @abstractmethod
    def draw(self, np_random: np.random.Generator, horizon_seconds: float) -> Pieces:
        """Pieces that cover 0 to ``horizon_seconds``; the last one is above zero and lasts on."""

    @abstractmethod
    def redraw(
        self,
        np_random: np.random.Generator,
        past_start: NDArray[np.float64],
        past_bandwidth: NDArray[np.float64],
        now: float,
        horizon_seconds: float,
    ) -> Pieces:
        """Keep the pieces that began at or before ``now``; draw what follows, given the last.

        Args:
            past_start, past_bandwidth: pieces as `draw` gives them; those after ``now`` are not
                looked at.
        """

    @abstractmethod
    def mean(self) -> float:
        """The long-run mean, bit/s."""


@dataclass(frozen=True)
class ConstantBandwidth(BandwidthProcess):
    """The same bandwidth for ever. ``bits`` per second, may be infinite."""

    bits: float

    @classmethod
    def parse(cls, field: str, value: object) -> ConstantBandwidth:
        """From a number of Mbit/s above zero; infinity is legal."""
        mbps = number(field, value, "Mbit/s", above=0.0, infinite=True)
        return cls(mbps * BITS_PER_MEGABIT)

    def draw(self, np_random: np.random.Generator, horizon_seconds: float) -> Pieces:
        """One piece; nothing is drawn."""
        return np.zeros(1), np.full(1, self.bits)

    def redraw(
        self,
        np_random: np.random.Generator,
        past_start: NDArray[np.float64],
        past_bandwidth: NDArray[np.float64],
        now: float,
        horizon_seconds: float,
    ) -> Pieces:
        """The past; the last piece goes on."""
        kept = pieces_begun(past_start, now)
        return past_start[:kept].copy(), past_bandwidth[:kept].copy()

    def mean(self) -> float:
        """The bandwidth."""
        return self.bits


def pieces_begun(start: NDArray[np.float64], now: float) -> int:
    """How many pieces began at or before ``now``, at least one."""
    return max(1, int(np.searchsorted(start, now, side="right")))
