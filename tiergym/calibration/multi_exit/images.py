"""Labelled images to train and test on: in memory, from arrays, an ``.npz`` or a folder."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tiergym.errors import InvalidInput

Pixels = NDArray[np.uint8]
Labels = NDArray[np.int64]
ENCODED = 1000
"""Images that are encoded to measure their size where they were given as arrays."""


@dataclass(frozen=True, eq=False)
class Images:
    """N images: ``pixels`` uint8[N, C, H, W], ``labels`` int64[N] from 0."""

    pixels: Pixels
    labels: Labels

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True, eq=False)
class ImageData:
    """What a network is trained and tested on.

    Attributes:
        train, test: the images.
        classes: their names, in the order of the labels.
        input_bytes: mean bytes of an encoded test image.
        encoding: how those were encoded.
    """

    train: Images
    test: Images
    classes: tuple[str, ...]
    input_bytes: float
    encoding: str

    def digest(self) -> str:
        """SHA-256 over shapes, pixels and labels (hex)."""
        state = hashlib.sha256()
        for part in (self.train, self.test):
            for array in (part.pixels, part.labels):
                state.update(f"{array.dtype.str}{array.shape}".encode())
                state.update(np.ascontiguousarray(array).tobytes())
        return state.hexdigest()

    def scale(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Mean and standard deviation of each channel of the training images, float32[C]."""
        pixels = self.train.pixels
        mean = pixels.mean(axis=(0, 2, 3))
        deviation = np.maximum(pixels.std(axis=(0, 2, 3)), 1.0)
        return mean.astype(np.float32), deviation.astype(np.float32)


def data_from_arrays(
    train_images: object,
    train_labels: object,
    test_images: object,
    test_labels: object,
    classes: tuple[str, ...] | None = None,
) -> ImageData:
    """Images given as uint8 arrays [N, H, W] or [N, H, W, C]; labels are whole numbers from 0.

    An input's size is measured by encoding test images as PNG.

    Raises:
        InvalidInput: naming the array.
    """
    train = _checked("train", train_images, train_labels)
    test = _checked("test", test_images, test_labels)
    size = float(np.mean([png_bytes(image) for image in test.pixels[:ENCODED]]))
    count = int(max(train.labels.max(), test.labels.max())) + 1
    names = classes or tuple(str(k) for k in range(count))
    return checked_data(ImageData(train, test, names, round(size, 1), "PNG, by Pillow"))


def checked_data(data: ImageData) -> ImageData:
    """``data`` if its parts fit each other.

    Raises:
        InvalidInput: if they do not.
    """
    shape = data.train.pixels.shape[1:]
    if data.test.pixels.shape[1:] != shape:
        raise InvalidInput("data.test", data.test.pixels.shape[1:], f"images of shape {shape}")
    if len(data.classes) < 2:
        raise InvalidInput("data.classes", data.classes, "at least two classes")
    for name, part in (("train", data.train), ("test", data.test)):
        top = int(part.labels.max())
        if part.labels.min() < 0 or top >= len(data.classes):
            raise InvalidInput(f"data.{name} labels", top, f"0 to {len(data.classes) - 1}")
    return data


def first_images(data: ImageData, train: int | None, test: int | None) -> ImageData:
    """The first images of each part, all where None."""
    parts = [
        Images(part.pixels[:count], part.labels[:count])
        for part, count in ((data.train, train), (data.test, test))
    ]
    return ImageData(parts[0], parts[1], data.classes, data.input_bytes, data.encoding)


def png_bytes(image: Pixels) -> int:
    """Bytes of an image uint8[C, H, W] as PNG."""
    rows = image[0] if len(image) == 1 else np.moveaxis(image, 0, -1)
    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(rows)).save(buffer, format="PNG")
    return buffer.tell()


def decode(field: str, encoded: bytes, side: int | None = None) -> Pixels:
    """uint8[3, H, W] of an encoded image, scaled to ``side`` pixels a side if that is given.

    Raises:
        InvalidInput: if it is damaged or no image.
    """
    try:
        with Image.open(io.BytesIO(encoded)) as opened:
            image = opened.convert("RGB")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        given = f"{len(encoded)} bytes"
        raise InvalidInput(field, given, f"an image that Pillow can read ({error})") from None
    if side is not None and image.size != (side, side):
        image = image.resize((side, side), Image.Resampling.BICUBIC)
    return np.moveaxis(np.array(image, dtype=np.uint8), -1, 0)


def stacked(field: str, images: list[Pixels]) -> Pixels:
    """Images of one shape as one array, uint8[N, C, H, W].

    Raises:
        InvalidInput: if one has another shape than the first.
    """
    for index, image in enumerate(images):
        if image.shape != images[0].shape:
            allowed = f"shape {images[0].shape} like the first; or give side=, and all are scaled"
            raise InvalidInput(f"{field}[{index}]", image.shape, allowed)
    return np.stack(images)


def _checked(part: str, images: object, labels: object) -> Images:
    pixels: NDArray[Any] = np.asarray(images)
    if pixels.dtype != np.uint8 or pixels.ndim not in (3, 4) or len(pixels) == 0:
        given = (pixels.dtype.name, pixels.shape)
        raise InvalidInput(f"data.{part}_images", given, "uint8[N, H, W] or uint8[N, H, W, C]")
    channels_first = pixels[:, None] if pixels.ndim == 3 else np.moveaxis(pixels, -1, 1)
    if channels_first.shape[1] not in (1, 3):
        raise InvalidInput(f"data.{part}_images", pixels.shape, "1 or 3 channels")
    numbers: NDArray[Any] = np.asarray(labels)
    if numbers.shape != (len(pixels),) or numbers.dtype.kind not in "iu":
        given = (numbers.dtype.name, numbers.shape)
        raise InvalidInput(f"data.{part}_labels", given, f"{len(pixels)} whole numbers")
    return Images(np.ascontiguousarray(channels_first), numbers.astype(np.int64))
