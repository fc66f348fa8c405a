"""Batches of training images: their order and augmentation, drawn from one generator."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
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
    by, bx = max(height // SHIFT, 1), max(width // SHIFT, 1)
    top = rng.integers(0, 2 * by + 1, size=(count, 1)).ravel().tolist()
    left = rng.integers(0, 2 * bx + 1, size=(count, 1)).ravel().tolist()
    mirrored = rng.random((count, 1)).ravel() < 0.5 if augment == "flip" else np.zeros(count)
    padded = np.pad(pixels, ((0, 0), (0, 0), (by, by), (bx, bx)))
    out = np.empty_like(pixels)
    # Cutting image by image is some ten times as fast as one gather of single pixels.
    for image in range(count):
        y, x = top[image], left[image]
        cut = padded[image, :, y : y + height, x : x + width]
        out[image] = cut[:, :, ::-1] if mirrored[image] else cut
    return out
