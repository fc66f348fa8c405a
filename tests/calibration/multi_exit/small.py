"""scikit-learn's digits and networks small enough to train on them in a second or two."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from sklearn.datasets import load_digits
from torch import nn

from tiergym.calibration.multi_exit.images import ImageData, data_from_arrays, first_images
from tiergym.calibration.multi_exit.options import Options
from tiergym.calibration.multi_exit.training import Report, Run, train

SMALL: dict[str, Any] = {
    "family": "vgg",
    "blocks": 8,
    "width": 8,
    "stem_stride": 1,
    "epochs": 2,
    "head_epochs": 2,
    "stage_epochs": 1,
    "batch": 64,
    "augment": "shift",
}


@cache
def digits() -> ImageData:
    """1 347 images of 8x8 to train on and 450 to test on."""
    bunch: Any = load_digits()
    pixels = np.round(bunch.images * (255.0 / 16.0)).astype(np.uint8)
    labels = bunch.target.astype(np.int64)
    return data_from_arrays(pixels[:1347], labels[:1347], pixels[1347:], labels[1347:])


def few() -> ImageData:
    """The first 192 digits to train on and 64 to test on."""
    return first_images(digits(), 192, 64)


def options(**changes: Any) -> Options:
    return Options(**{**SMALL, **changes})


def trained(data: ImageData | None = None, **changes: Any) -> Run:
    return train(options(**changes), data or few(), report=silent)


def silent(line: str) -> None:
    """Report nothing."""


def stop_after(epochs: int) -> Report:
    """A report that interrupts the training as a user would."""
    seen: list[str] = []

    def report(line: str) -> None:
        seen.append(line)
        if len(seen) > epochs:
            raise KeyboardInterrupt

    return report


def state(module: nn.Module) -> dict[str, np.ndarray]:
    """Copies of all weights and running statistics."""
    return {name: tensor.numpy().copy() for name, tensor in module.state_dict().items()}


def same(one: dict[str, np.ndarray], other: dict[str, np.ndarray]) -> bool:
    """Whether two states agree bit for bit."""
    assert one.keys() == other.keys()
    return all(one[name].tobytes() == other[name].tobytes() for name in one)


def spoil(network: Any, head: str, value: float) -> None:
    """Put ``value`` into the last layer of a head."""
    network.heads[head].layers[-1].bias.data[2] = value
