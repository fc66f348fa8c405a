"""Image data from arrays, files and folders; damaged and missing images are named."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest

image_module = pytest.importorskip("PIL.Image")

from tiergym.calibration.multi_exit.batches import augmented  # noqa: E402
from tiergym.calibration.multi_exit.images import data_from_arrays, png_bytes  # noqa: E402
from tiergym.calibration.multi_exit.reading import load_images  # noqa: E402
from tiergym.errors import InvalidInput  # noqa: E402

RNG = np.random.default_rng(0)
COLOURS = RNG.integers(0, 256, size=(6, 8, 8, 3), dtype=np.uint8)
LABELS = np.array([0, 1, 0, 1, 0, 1])


def encoded(image: np.ndarray, kind: str) -> bytes:
    buffer = io.BytesIO()
    image_module.fromarray(image).save(buffer, format=kind)
    return buffer.getvalue()


def jpeg_arrays() -> dict[str, Any]:
    """CIFAR-10's layout with six images in each part."""
    files = [encoded(image, "JPEG") for image in COLOURS]
    stream = np.frombuffer(b"".join(files), dtype=np.uint8)
    offset = np.concatenate([[0], np.cumsum([len(file) for file in files])])
    part = {"jpeg": stream, "offset": offset, "label": LABELS.astype(np.uint8)}
    arrays = {f"{p}_{k}": v.copy() for p in ("train", "test") for k, v in part.items()}
    return {**arrays, "classes": np.array(["cat", "dog"])}


def folder_of(root: Path, names: tuple[str, ...] = ("cat", "dog"), count: int = 5) -> Path:
    for name in names:
        (root / name).mkdir(parents=True)
        for k in range(count):
            (root / name / f"{k}.png").write_bytes(encoded(COLOURS[k], "PNG"))
    return root


def test_arrays_are_taken_as_they_are():
    data = data_from_arrays(COLOURS, LABELS, COLOURS[:2], LABELS[:2])
    assert data.train.pixels.shape == (6, 3, 8, 8)
    np.testing.assert_array_equal(data.train.pixels[3, 1], COLOURS[3, :, :, 1])
    assert data.classes == ("0", "1")
    assert data.input_bytes == np.mean([len(encoded(image, "PNG")) for image in COLOURS[:2]])
    assert png_bytes(data.test.pixels[0]) == len(encoded(COLOURS[0], "PNG"))


def test_an_npz_of_jpeg_bytes(tmp_path: Path):
    np.savez(tmp_path / "data.npz", **jpeg_arrays())
    data = load_images(tmp_path / "data.npz")
    decoded = np.array(image_module.open(io.BytesIO(encoded(COLOURS[2], "JPEG"))))
    np.testing.assert_array_equal(data.test.pixels[2], np.moveaxis(decoded, -1, 0))
    assert data.classes == ("cat", "dog")
    sizes = [len(encoded(image, "JPEG")) for image in COLOURS]
    assert data.input_bytes == pytest.approx(np.mean(sizes), abs=0.05)


def test_an_npz_of_arrays(tmp_path: Path):
    arrays = {"train_images": COLOURS, "train_labels": LABELS}
    np.savez(tmp_path / "data.npz", test_images=COLOURS[:2], test_labels=LABELS[:2], **arrays)
    data = load_images(tmp_path / "data.npz")
    assert data.digest() == data_from_arrays(COLOURS, LABELS, COLOURS[:2], LABELS[:2]).digest()


def test_a_folder_is_divided_the_same_way_every_time(tmp_path: Path):
    folder_of(tmp_path)
    data = load_images(tmp_path, test_share=0.4)
    assert sorted(data.test.labels.tolist()) == [0, 0, 1, 1]
    assert len(data.train) == 6
    assert data.digest() == load_images(tmp_path, test_share=0.4).digest()
    assert load_images(tmp_path, test_share=0.01).test.labels.tolist() == [0, 1]


def test_a_folder_that_is_divided_already(tmp_path: Path):
    folder_of(tmp_path / "train")
    folder_of(tmp_path / "test", count=1)
    data = load_images(tmp_path, side=4)
    assert data.train.pixels.shape == (10, 3, 4, 4)
    assert len(data.test) == 2


@pytest.mark.parametrize("damage", [b"no image", b"", encoded(COLOURS[0], "PNG")[:60]])
def test_a_damaged_image_in_a_folder_is_named(tmp_path: Path, damage: bytes):
    folder_of(tmp_path)
    (tmp_path / "dog" / "3.png").write_bytes(damage)
    with pytest.raises(InvalidInput, match=r"dog/3\.png.*Pillow can read"):
        load_images(tmp_path)


def test_an_image_of_absurd_size_is_named(tmp_path: Path):
    folder_of(tmp_path)
    bomb = bytearray(encoded(COLOURS[0], "BMP"))
    bomb[18:26] = b"\xff\xff\x00\x00" * 2
    (tmp_path / "dog" / "3.png").write_bytes(bytes(bomb))
    with pytest.raises(InvalidInput, match=r"dog/3\.png.*Pillow can read"):
        load_images(tmp_path)


def test_what_is_no_file_is_named(tmp_path: Path):
    folder_of(tmp_path)
    (tmp_path / "dog" / "9.png").mkdir()
    with pytest.raises(InvalidInput, match=r"dog/9\.png.*can be read"):
        load_images(tmp_path)


def test_a_damaged_image_in_an_npz_is_named(tmp_path: Path):
    arrays = jpeg_arrays()
    start, end = arrays["train_offset"][4:6]
    arrays["train_jpeg"][start:end] = 0
    np.savez(tmp_path / "data.npz", **arrays)
    with pytest.raises(InvalidInput, match=r"data\.train_jpeg\[4\]"):
        load_images(tmp_path / "data.npz")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("train_offset", np.array([0, 5, 3])),
        ("train_offset", np.array([0])),
        ("test_offset", np.arange(7) * 10**6),
        ("train_label", np.zeros(4, dtype=np.uint8)),
        ("test_label", np.full(6, 9, dtype=np.uint8)),
        ("classes", np.array(["cat"])),
    ],
)
def test_an_npz_that_does_not_fit_is_refused(tmp_path: Path, name: str, value: np.ndarray):
    np.savez(tmp_path / "data.npz", **{**jpeg_arrays(), name: value})
    with pytest.raises(InvalidInput, match=r"data\."):
        load_images(tmp_path / "data.npz")


def test_empty_folders_and_classes_are_named(tmp_path: Path):
    with pytest.raises(InvalidInput, match="at least two folders"):
        load_images(tmp_path)
    folder_of(tmp_path)
    (tmp_path / "fox").mkdir()
    with pytest.raises(InvalidInput, match=r"fox'; allowed: at least one image"):
        load_images(tmp_path)
    (tmp_path / "fox" / "0.png").write_bytes(encoded(COLOURS[0], "PNG"))
    with pytest.raises(InvalidInput, match="at least two images of each class"):
        load_images(tmp_path)


def test_images_of_two_sizes_are_refused_unless_scaled(tmp_path: Path):
    folder_of(tmp_path)
    (tmp_path / "cat" / "0.png").write_bytes(encoded(COLOURS[0, :4], "PNG"))
    with pytest.raises(InvalidInput, match="give side="):
        load_images(tmp_path)
    assert load_images(tmp_path, side=8).train.pixels.shape[1:] == (3, 8, 8)


@pytest.mark.parametrize("content", [b"", b"text", None])
def test_a_file_that_is_no_npz_is_named(tmp_path: Path, content: bytes | None):
    path = tmp_path / "data.npz"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InvalidInput, match=r"data\.npz.*an \.npz file or a folder"):
        load_images(path)


@pytest.mark.parametrize(
    ("images", "labels", "field"),
    [
        (COLOURS.astype(float), LABELS, "train_images"),
        (COLOURS[0, 0], LABELS, "train_images"),
        (COLOURS[:, :, :, :2], LABELS, "train_images"),
        (COLOURS, LABELS[:3], "train_labels"),
        (COLOURS, LABELS / 2, "train_labels"),
        (COLOURS, LABELS - 1, "train labels"),
        (COLOURS[:, :4], LABELS, "test"),
    ],
)
def test_wrong_arrays_are_named(images: np.ndarray, labels: np.ndarray, field: str):
    with pytest.raises(InvalidInput, match=rf"data\.{field}"):
        data_from_arrays(images, labels, COLOURS, LABELS)


def test_augmentation_shifts_and_mirrors_each_image_alone():
    pixels = np.arange(1, 65, dtype=np.uint8).reshape(1, 1, 8, 8).repeat(200, axis=0)
    rng = np.random.default_rng(0)
    shifted = augmented(pixels, "shift", rng)
    kinds = {image.tobytes() for image in shifted}
    expected = set()
    padded = np.pad(pixels[0, 0], 1)
    for y in range(3):
        for x in range(3):
            expected.add(padded[y : y + 8, x : x + 8].tobytes())
    assert kinds == expected
    mirrored = {image.tobytes() for image in augmented(pixels, "flip", rng)}
    assert len(mirrored) == 18
    assert expected < mirrored
    assert augmented(pixels, "none", rng) is pixels
