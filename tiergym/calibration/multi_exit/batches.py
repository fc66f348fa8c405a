"""Batches of training images: their order and augmentation, drawn from one generator."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from tiergym.calibration.multi_exit.images import Images, Pixels
from tiergym.calibration.multi_exit.tensors import tensor_of

SHIFT = 8
"""Images are shifted by up to a SHIFT-th of their side."""


def batches(
    images: Images, size: int, augment: str, rng: np.random.Generator
) -> Iterator[tuple[Tensor, Tensor]]:
    """uint8[B, C, H, W] and int64[B], each image once; the last few that fill no batch are left.

    Fewer images than ``size`` make one batch.
    """
    order = rng.permutation(len(images))
    size = min(size, len(images))
    for start in range(0, len(order) - size + 1, size):
        rows = order[start : start + size]
        pixels = augmented(images.pixels[rows], augment, rng)
        yield tensor_of(pixels), tensor_of(images.labels[rows])


def steps_of(images: Images, size: int) -> int:
    """Batches in an epoch."""
    return max(len(images) // size, 1)


def augmented(pixels: Pixels, augment: str, rng: np.random.Generator) -> Pixels:
    """Shifted with zeros at the border, and for ``flip`` mirrored by a fair coin; each alone."""
    if augment == "none":
        return pixels
    count, _, height, width = pixels.shape
    rows = _shifted(count, height, rng)
    columns = _shifted(count, width, rng)
    if augment == "flip":
        mirrored = rng.random((count, 1)) < 0.5
        columns = np.where(mirrored, columns[:, ::-1], columns)
    by, bx = max(height // SHIFT, 1), max(width // SHIFT, 1)
    padded = np.pad(pixels, ((0, 0), (0, 0), (by, by), (bx, bx)))
    index = np.arange(count, dtype=np.int64).reshape(-1, 1, 1)
    chosen = padded.transpose(0, 2, 3, 1)[index, rows[:, :, None], columns[:, None, :]]
    return np.ascontiguousarray(chosen.transpose(0, 3, 1, 2))


def _shifted(count: int, side: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """int64[count, side], rows of a padded image."""
    most = max(side // SHIFT, 1)
    return rng.integers(0, 2 * most + 1, size=(count, 1)) + np.arange(side)
