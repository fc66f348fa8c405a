"""Device profiles that price the trained architectures: HELP's devices and ncnn's boards."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from tiergym.calibration.published import nasbench, ncnn
from tiergym.calibration.published.architectures import ARCHITECTURES, parts_of
from tiergym.calibration.published.operation_prices import (
    DENSE,
    Fitted,
    board_law,
    cell_laws,
    entries,
)

HELP_DEVICES = {
    "essential-ph-1-help": ("essential_ph_1", "Essential PH-1 phone (Snapdragon 835)"),
    "pixel-2-help": ("pixel2", "Google Pixel 2 phone (Snapdragon 835)"),
    "samsung-a50-help": ("samsung_a50", "Samsung Galaxy A50 phone (Exynos 9610)"),
    "samsung-s7-help": ("samsung_s7", "Samsung Galaxy S7 phone"),
    "xeon-gold-6226-help": ("gold_6226", "Intel Xeon Gold 6226"),
    "xeon-gold-6240-help": ("gold_6240", "Intel Xeon Gold 6240"),
    "xeon-silver-4114-help": ("silver_4114", "Intel Xeon Silver 4114"),
    "xeon-silver-4210r-help": ("silver_4210r", "Intel Xeon Silver 4210R"),
}
"""Profile: (HELP's name of the device, what it is). Its ``raspi4`` and ``pixel3`` are left out:
some 280 rows of either are near zero and the rest scatter by 40 % about any law."""
BOARDS = {
    "raspberry-pi-3b-plus-ncnn": ncnn.Board(
        "Raspberry Pi 3 Model B+, BCM2837B0, Cortex-A53 x 4",
        "ncnn, 4 threads on the CPU",
        ncnn.Run("Raspberry Pi 3 Model B+ Broadcom BCM2837B0, Cortex-A53 (ARMv8)", "4 4 0 -1 1"),
        {},
        1.9,
        5.1,
        "whole board idle and at most, pidramble.com as quoted by others",
    ),
    "jetson-tx2-nx-ncnn": ncnn.Board(
        "NVIDIA Jetson TX2 NX, Pascal GPU",
        "ncnn, Vulkan on the GPU",
        ncnn.Run("NVIDIA Jetson TX2 NX", "10 1 0 0"),
        {},
    ),
    "jetson-orin-nano-ncnn": ncnn.Board(
        "NVIDIA Jetson Orin Nano, Ampere GPU",
        "ncnn, Vulkan on the GPU",
        ncnn.Run("NVIDIA Jetson Orin Nano", "8 1 0 0 1"),
        {},
    ),
    "snapdragon-410-ncnn": ncnn.Board(
        "Qualcomm MSM8916 Snapdragon 410, Cortex-A53 at 1.2 GHz x 4",
        "ncnn, 4 threads on the CPU",
        ncnn.Run("Qualcomm MSM8916 Snapdragon 410", "8 4 0 -1 1"),
        {},
    ),
    "kirin-970-ncnn": ncnn.Board(
        "HiSilicon Kirin 970, Cortex-A73 at 2.4 GHz x 4",
        "ncnn, 4 threads on the CPU",
        ncnn.Run("Kirin 970", "8 4 2 -1 1"),
        {},
    ),
    "snapdragon-855-plus-ncnn": ncnn.Board(
        "Qualcomm SM8150-AC Snapdragon 855+",
        "ncnn, 4 threads on the CPU",
        ncnn.Run("Qualcomm SM8150-AC Snapdragon 855+", "8 4 2 -1 1"),
        {},
    ),
    "epyc-7742-ncnn": ncnn.Board(
        "AMD EPYC 7742 at 2.25 GHz",
        "ncnn, 1 thread",
        ncnn.Run("AMD EPYC 7742", "100 1 0 -1 0"),
        {},
    ),
}
_CELLS_TEXT = (
    "seconds = base + a operations + v macs + p pools, fitted to HELP's 15 625 networks; the base "
    "is what the law's constant leaves after the stem, the two halving blocks and the classifier. "
    "Ours have sides half as long at the same widths, which the law extrapolates to"
)
_NETWORKS_TEXT = (
    "seconds = a operations + v macs, fitted to the benchmark's networks that torchvision defines "
    "as well; nothing is known of a base. Ours are ten to a thousand times smaller, which the law "
    "extrapolates to: spread over blocks by operations and macs"
)

Records = dict[str, dict[str, object]]


def devices(table: nasbench.LatencyTable, path: Path) -> Records:
    """Records of all devices of the two sources, with prices of the trained architectures."""
    found: Records = {}
    for name, record in nasbench.devices(table).items():
        laws = cell_laws(table, nasbench.GPUS[name][0])
        found[name] = _with_prices(record, laws, DENSE, _CELLS_TEXT)
    for name, (column, device) in HELP_DEVICES.items():
        laws = cell_laws(table, column)
        found[name] = _with_prices(_help_device(name, device), laws, DENSE, _CELLS_TEXT)
    for name, board in _all_boards().items():
        record = ncnn.device(name, board, ncnn.read_run(path, board.run))
        laws = {1: board_law(path, board)}
        found[name] = _with_prices(record, laws, list(ARCHITECTURES), _NETWORKS_TEXT)
    return found


def _all_boards() -> dict[str, ncnn.Board]:
    return {**ncnn.BOARDS, **BOARDS}


def _help_device(name: str, device: str) -> dict[str, object]:
    runtime = "as measured for HELP at batch 1 (framework and version not stated)"
    method = "batches of b are assumed to take b times as long as one image"
    return nasbench.help_device(name, device, runtime, method, {})


def _with_prices(
    record: Mapping[str, object], laws: Mapping[int, Fitted], names: list[str], method: str
) -> dict[str, object]:
    source = cast(dict[str, Any], record["source"])
    networks = cast(dict[str, Any], record["networks"])
    errors = {f"batch {b}" if len(laws) > 1 else "errors": law.text() for b, law in laws.items()}
    prices = entries({b: law.law for b, law in laws.items()}, names)
    architectures = {"method": method, "law_milliseconds": _laws(laws), **errors}
    return {
        **record,
        "source": {**source, "architectures": architectures},
        "networks": {**networks, **prices},
    }


def _laws(laws: Mapping[int, Fitted]) -> dict[str, dict[str, float]]:
    return {
        f"batch {b}": {
            "base": round(found.law.base, 6),
            "operation": round(found.law.operation, 6),
            "megamac": round(found.law.megamac, 6),
            "pool": round(found.law.pool, 6),
        }
        for b, found in laws.items()
    }


def report(data: Path) -> str:
    """A table: per device and batch the law, its errors, and milliseconds of each architecture."""
    table, path = nasbench.read(data / "nasbench201-latency.npz"), data / "ncnn-latency.csv"
    columns = {name: gpu for name, (gpu, _) in {**nasbench.GPUS, **HELP_DEVICES}.items()}
    lines = [
        f"{'device':<28}{'batch':>6}{'base':>8}{'op':>8}{'Mmac':>8}  ms; "
        f"{'fitted':>7}{'held out':>9}{'90 %':>7}{'macs alone':>11}  ms of "
        + ", ".join(ARCHITECTURES)
    ]
    for name, column in columns.items():
        laws = cell_laws(table, column)
        lines += [_line(name, batch, found, DENSE) for batch, found in laws.items()]
    for name, board in _all_boards().items():
        lines.append(_line(name, 1, board_law(path, board), list(ARCHITECTURES)))
    return "\n".join(lines)


def _line(name: str, batch: int, found: Fitted, names: list[str]) -> str:
    law = found.law
    whole = [
        f"{law.base + _whole(found, each):.2f}" if each in names else "-" for each in ARCHITECTURES
    ]
    return (
        f"{name:<28}{batch:>6}{law.base:>8.3f}{law.operation:>8.4f}{law.megamac:>8.4f}      "
        f"{found.fit:>7.1%}{found.held_out:>9.1%}{found.worst:>7.1%}{found.macs_alone:>11.1%}  "
        + ", ".join(whole)
    )


def _whole(found: Fitted, name: str) -> float:
    parts = parts_of(name)
    ran = [*parts.blocks, parts.heads[-1]]
    return sum(found.law.milliseconds(each) for each in ran)
