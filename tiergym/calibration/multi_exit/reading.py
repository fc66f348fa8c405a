"""Reading image data from files: an ``.npz`` of JPEG bytes or of arrays, or a folder by class."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tiergym.calibration.multi_exit.images import (
    ImageData,
    Images,
    Pixels,
    checked_data,
    data_from_arrays,
    decode,
    stacked,
)
from tiergym.errors import InvalidInput

SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".ppm", ".webp")
SPLIT_SEED = 0
"""Which images of an undivided folder are for tests does not change with the training seed."""

_JPEG = tuple(f"{p}_{k}" for p in ("train", "test") for k in ("jpeg", "offset", "label"))
_ARRAYS = ("train_images", "train_labels", "test_images", "test_labels")

Named = tuple[Path, int]


def load_images(path: str | Path, *, side: int | None = None, test_share: float = 0.2) -> ImageData:
    """Image data of a file or a folder.

    Args:
        path: an ``.npz`` with ``train_jpeg``, ``train_offset``, ``train_label``, the same for
            ``test`` and perhaps ``classes`` (image i is ``jpeg[offset[i]:offset[i + 1]]``), or
            with ``train_images``, ``train_labels``, ``test_images``, ``test_labels``; or a folder
            with a folder of images for each class, or with two of those, ``train`` and ``test``.
        side: scale all images to this many pixels a side.
        test_share: share of each class kept for tests where a folder is not divided.

    Raises:
        InvalidInput: naming the file, image or folder that cannot be used.
    """
    where = Path(path)
    if where.is_dir():
        return _from_folder(where, side, test_share)
    try:
        with np.load(where, allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
    except (OSError, ValueError, EOFError, AttributeError) as error:
        allowed = f"an .npz file or a folder of images ({error})"
        raise InvalidInput("data", str(path), allowed) from None
    return _from_arrays(arrays, side)


def _from_arrays(arrays: Mapping[str, NDArray[np.generic]], side: int | None) -> ImageData:
    classes = tuple(str(name) for name in arrays["classes"]) if "classes" in arrays else None
    if all(name in arrays for name in _ARRAYS):
        return data_from_arrays(*(arrays[name] for name in _ARRAYS), classes=classes)
    if not all(name in arrays for name in _JPEG):
        allowed = f"all of {', '.join(_JPEG)}, or all of {', '.join(_ARRAYS)}"
        raise InvalidInput("data", sorted(arrays), allowed)
    train, test = (_from_jpeg(part, arrays, side) for part in ("train", "test"))
    count = int(max(train.labels.max(), test.labels.max())) + 1
    names = classes or tuple(str(k) for k in range(count))
    size = float(np.diff(arrays["test_offset"].astype(np.int64)).mean())
    return checked_data(ImageData(train, test, names, round(size, 1), "JPEG, sizes as stored"))


def _from_jpeg(part: str, arrays: Mapping[str, NDArray[np.generic]], side: int | None) -> Images:
    stream = arrays[f"{part}_jpeg"].tobytes()
    offset = arrays[f"{part}_offset"].astype(np.int64)
    labels = arrays[f"{part}_label"].astype(np.int64)
    ordered = len(offset) > 1 and offset[0] >= 0 and bool((np.diff(offset) >= 0).all())
    if not ordered or offset[-1] > len(stream) or len(labels) != len(offset) - 1:
        allowed = f"rising offsets into {part}_jpeg, one more than labels"
        raise InvalidInput(f"data.{part}_offset", offset, allowed)
    field = f"data.{part}_jpeg"
    images = [
        decode(f"{field}[{k}]", stream[offset[k] : offset[k + 1]], side) for k in range(len(labels))
    ]
    return Images(stacked(field, images), labels)


def _from_folder(folder: Path, side: int | None, test_share: float) -> ImageData:
    if not 0.0 < test_share < 1.0:
        raise InvalidInput("test_share", test_share, "a share between 0 and 1")
    if (folder / "train").is_dir() and (folder / "test").is_dir():
        classes = _classes(folder / "train")
        if _classes(folder / "test") != classes:
            raise InvalidInput("data.test", str(folder / "test"), f"the classes {classes}")
        train, test = (_named(folder / part, classes) for part in ("train", "test"))
    else:
        classes = _classes(folder)
        train, test = _divided(_named(folder, classes), len(classes), test_share)
    size = float(np.mean([path.stat().st_size for path, _ in test]))
    parts = (_read("data.train", train, side), _read("data.test", test, side))
    return checked_data(ImageData(*parts, classes, round(size, 1), "files, sizes as stored"))


def _classes(folder: Path) -> tuple[str, ...]:
    names = tuple(sorted(path.name for path in folder.iterdir() if path.is_dir()))
    if len(names) < 2:
        allowed = "a folder with at least two folders of images, one for each class"
        raise InvalidInput("data", str(folder), allowed)
    return names


def _named(folder: Path, classes: tuple[str, ...]) -> list[Named]:
    found: list[Named] = []
    for label, name in enumerate(classes):
        paths = sorted(p for p in (folder / name).iterdir() if p.suffix.lower() in SUFFIXES)
        if not paths:
            allowed = f"at least one image ({', '.join(SUFFIXES)})"
            raise InvalidInput("data", str(folder / name), allowed)
        found += [(path, label) for path in paths]
    return found


def _divided(found: list[Named], classes: int, share: float) -> tuple[list[Named], list[Named]]:
    """The same share of each class for tests, at least one image."""
    rng = np.random.default_rng(SPLIT_SEED)
    train: list[Named] = []
    test: list[Named] = []
    for label in range(classes):
        own = [item for item in found if item[1] == label]
        if len(own) < 2:
            raise InvalidInput("data", str(own[0][0].parent), "at least two images of each class")
        kept = min(max(1, round(share * len(own))), len(own) - 1)
        chosen = set(rng.permutation(len(own))[:kept].tolist())
        for k, item in enumerate(own):
            (test if k in chosen else train).append(item)
    return train, test


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        allowed = f"an image file that can be read ({error.strerror})"
        raise InvalidInput("data", str(path), allowed) from None


def _read(field: str, found: list[Named], side: int | None) -> Images:
    pixels: list[Pixels] = [decode(str(path), _content(path), side) for path, _ in found]
    labels = np.array([label for _, label in found], dtype=np.int64)
    return Images(stacked(field, pixels), labels)
