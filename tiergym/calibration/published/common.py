"""What the derivations share: input sizes, counts, and the shape of a network's record."""

from __future__ import annotations

from typing import cast

from tiergym.calibration import encoded_sizes, torchvision_counts
from tiergym.calibration.records import entry, read_record

QUALITY = 90
"""JPEG quality at which photographs are taken to be sent."""
DERIVED_BY = "python -m tiergym.calibration.published"


def photograph_bytes(side: int) -> tuple[int, str]:
    """Mean bytes of a photograph of ``side`` by ``side`` pixels, and where that comes from."""
    record = read_record(encoded_sizes.RECORD)
    mean = cast(float, entry(record, "sides", f"side_{side}", f"quality_{QUALITY}", "mean"))
    text = (
        f"measured: mean of photographs at {side}x{side}, JPEG quality {QUALITY}, Pillow "
        f"{entry(record, 'source', 'versions', 'pillow')}, {entry(record, 'source', 'date')}; "
        f"method and limits in tiergym/calibration/data/{encoded_sizes.RECORD}"
    )
    return round(mean), text


def cifar_bytes() -> tuple[int, str]:
    """Mean bytes of CIFAR-10's images as JPEG, and where that comes from."""
    record = read_record(encoded_sizes.RECORD)
    mean = cast(float, entry(record, "cifar10", "mean"))
    text = (
        f"measured: mean of the {entry(record, 'cifar10', 'images')} JPEG files of CIFAR-10 "
        f"(32x32), sizes as stored, {entry(record, 'source', 'date')}; see "
        f"tiergym/calibration/data/{encoded_sizes.RECORD}"
    )
    return round(mean), text


def torchvision_count(name: str) -> tuple[int, int, str]:
    """Macs, parameters, and where they come from."""
    record = read_record(torchvision_counts.RECORD)
    macs = cast(int, entry(record, "networks", name, "macs"))
    parameters = cast(int, entry(record, "networks", name, "parameters"))
    version = entry(record, "source", "versions", "torchvision")
    return macs, parameters, f"computed from torchvision {version}'s definition of {name}"


def network_record(
    name: str,
    description: str,
    counts: tuple[int, int, int],
    input_bytes: int,
    source: dict[str, object],
) -> dict[str, object]:
    """Record of a network that is served whole.

    Args:
        counts: macs of one input, parameters (of four bytes each), elements that leave it.
    """
    macs, parameters, out_elements = counts
    block = {"macs": macs, "param_bytes": 4 * parameters, "out_elements": out_elements}
    return {
        "name": name,
        "description": description,
        "input_bytes": input_bytes,
        "blocks": [block],
        "source": {**source, "derived_by": DERIVED_BY},
    }
