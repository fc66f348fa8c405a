"""Brings the fields of an observation to a like size, the same for every scenario.

``log1p(unit * |x|)`` with the sign of x, over `SPREAD`. Fixed rather than running means and
deviations: nothing to keep beside the weights, nothing that drifts while an agent learns, and a
device of the test split that is ten times faster than all in training is one step away on a
logarithm and not a hundred deviations.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from gymnasium import spaces
from stable_baselines3.common.torch_layers import BaseFeaturesExtractor
from torch import Tensor

SPREAD = 2.0
HUNDREDTHS = 100.0
"""Seconds and megabytes are counted in hundredths, since most services take some of them."""
_SMALL = ("seconds", "age", "slack", "megabytes", "elapsed")
_PARTS: dict[str, tuple[float, ...]] = {
    # seconds, MB, Mbit/s, seconds, seconds
    "uplink": (HUNDREDTHS, HUNDREDTHS, 1.0, HUNDREDTHS, HUNDREDTHS),
    # seconds, seconds, executors
    "upper": (HUNDREDTHS, HUNDREDTHS, 1.0),
    # seconds, share
    "time": (HUNDREDTHS, 10.0),
    # round trip, per package, seconds until free (s), Mbit/s
    "link": (HUNDREDTHS, HUNDREDTHS, HUNDREDTHS, 1.0),
    # utilisation, tasks, seconds, MB, arrivals a second, terminals, seconds
    "reports": (10.0, 1.0, HUNDREDTHS, 1.0, 1.0, 1.0, 10.0),
    # in range, round trip, attached, seconds alone and in a batch, executors, own tasks
    "edge": (10.0, HUNDREDTHS, 10.0, HUNDREDTHS, HUNDREDTHS, 1.0, 1.0),
    "network": (1.0, HUNDREDTHS, HUNDREDTHS),
}
"""Units of fields whose entries differ, repeated over the field."""
_SHARES = ("utilisation", "share", "accuracy", "rate", "held", "thresholds", "gain", "mask")


def units_of(fields: Mapping[str, int]) -> list[float]:
    """The unit of every entry of the fields, one after the other."""
    units: list[float] = []
    for name, width in fields.items():
        part = _unit(name)
        units += (list(part) * (width // len(part) + 1))[:width]
    return units


def _unit(name: str) -> tuple[float, ...]:
    if name in _PARTS:
        return _PARTS[name]
    if any(word in name for word in _SMALL):
        return (HUNDREDTHS,)
    if any(word in name for word in _SHARES):
        return (10.0,)
    return (1.0,)


class Scaled(BaseFeaturesExtractor):
    """A flat observation, float32[n, width], each entry scaled.

    Args:
        observation_space: of a `Flat`.
        fields: its fields, name -> width.
    """

    units: Tensor

    def __init__(self, observation_space: spaces.Box, fields: Mapping[str, int]) -> None:
        super().__init__(observation_space, int(observation_space.shape[0]))
        self.register_buffer("units", torch.tensor(units_of(fields)), persistent=False)

    def forward(self, observations: Tensor) -> Tensor:
        """Scale them."""
        return scaled(observations, self.units)


def scaled(values: Tensor, units: Tensor) -> Tensor:
    """Logarithms of some values, which keep their sign."""
    return torch.log1p(values.abs() * units) * values.sign() / SPREAD
