"""Observations as one float32 vector a row: what the networks of learned policies take.

One array costs Stable-Baselines3 a tenth of what a dictionary of twenty fields does, in every
buffer and at every step.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from tiergym.errors import InvalidInput

MASK = "action_mask"


class Flat:
    """Puts the fields of an observation one after the other.

    Args:
        space: the observation space of one environment, a `Dict` of one-dimensional fields.
        masked: whether the mask of legal actions is among the fields, at the end. A policy whose
            actions are masked need not see it: every entry follows from the other fields, and it is
            applied to the outputs. One that is not masked has to learn from it what is legal.
    """

    def __init__(self, space: spaces.Dict, masked: bool) -> None:
        boxes: dict[str, Any] = {name: box for name, box in space.spaces.items() if name != MASK}
        if masked:
            boxes[MASK] = space[MASK]
        self.fields: dict[str, int] = {name: int(box.shape[0]) for name, box in boxes.items()}
        self.width = sum(self.fields.values())
        low = np.concatenate([_bound(box, "low") for box in boxes.values()])
        high = np.concatenate([_bound(box, "high") for box in boxes.values()])
        self.space = spaces.Box(low, high, dtype=np.float32)

    def of(self, observation: Mapping[str, NDArray[Any]]) -> NDArray[np.float32]:
        """float32[width] of one observation, float32[n, width] of n rows.

        Raises:
            InvalidInput: if a field is missing or of another width.
        """
        try:
            parts = [observation[name] for name in self.fields]
        except KeyError as error:
            raise InvalidInput("observation", list(observation), f"{error.args[0]} too") from None
        flat = np.concatenate(parts, axis=-1, dtype=np.float32)
        if flat.shape[-1] != self.width:
            found = {name: np.shape(observation[name])[-1] for name in self.fields}
            raise InvalidInput("observation", found, f"fields of the widths {self.fields}")
        return flat


def _bound(box: Any, name: str) -> NDArray[np.float32]:
    if isinstance(box, spaces.MultiBinary):
        return np.full(box.shape, float(name == "high"), np.float32)
    return np.asarray(getattr(box, name), np.float32)
