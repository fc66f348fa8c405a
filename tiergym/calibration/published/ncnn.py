"""Single-image latency of boards and servers under ncnn: floor scenarios without batching."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tiergym.calibration.published.common import (
    DERIVED_BY,
    network_record,
    photograph_bytes,
    torchvision_count,
)
from tiergym.errors import InvalidInput

TRAIN = {
    "squeezenet": ("squeezenet", "squeezenet1_1", 227),
    "mobilenet-v2": ("mobilenet_v2", "mobilenet_v2", 224),
    "shufflenet-v2": ("shufflenet_v2", "shufflenet_v2_x1_0", 224),
    "resnet18": ("resnet18", "resnet18", 224),
}
TEST = {
    "mobilenet-v3": ("mobilenet_v3", "mobilenet_v3_large", 224),
    "efficientnet-b0": ("efficientnet_b0", "efficientnet_b0", 224),
    "regnety-400m": ("regnety_400m", "regnet_y_400mf", 224),
    "resnet50": ("resnet50", "resnet50", 224),
}
"""Shipped name: (ncnn's name, torchvision's name, pixels along a side of the input)."""
SHORT_RUN = 10
"""Loops of a run whose range still says something of the spread: see `jitter_cv`."""
RANGE_TO_STD = 3.078
"""Expected range of ten normal values in standard deviations (Tippett 1925, d2 of charts)."""


@dataclass(frozen=True)
class Run:
    """One run of the benchmark: rows of a device, named or begun so, with these arguments.

    ``repeat`` counts from 0 where a device was run more than once with the same arguments.
    """

    device: str
    args: str
    repeat: int = 0

    @property
    def loops(self) -> int:
        """How often each network was run: the first argument."""
        return int(self.args.split()[0])


@dataclass(frozen=True)
class Board:
    """A shipped device, its run, the networks it gets and what is known beside the times."""

    device: str
    runtime: str
    run: Run
    networks: dict[str, tuple[str, str, int]]
    idle_watts: float | None = None
    busy_watts: float | None = None
    watts_source: str = "unknown"


BOARDS = {
    "raspberry-pi-4b-ncnn": Board(
        "Raspberry Pi 4 Model B, BCM2711B0, Cortex-A72 at 1.8 GHz x 4",
        "ncnn, 4 threads on the CPU",
        Run(
            "Raspberry Pi 4 Model B Broadcom BCM2711B0, Cortex-A72 (ARMv8) (1.8GHz x 4)",
            "10 4 0 -1 1",
        ),
        TRAIN,
        2.7,
        6.4,
        "whole board idle and with all four cores busy, pidramble.com as quoted by others; "
        "chipwired.com gives 2.2 to 2.3 and 5.1 to 5.4",
    ),
    "jetson-agx-orin-ncnn": Board(
        "NVIDIA Jetson AGX Orin, Ampere GPU at 1.3 GHz",
        "ncnn, Vulkan on the GPU",
        Run(
            "NVIDIA Jetson AGX Orin (Cortex-A78AE 2.2 GHz x 12 + Ampere@1.3 GHz Tensor Cores 64)",
            "128 1 0 0 0",
        ),
        TRAIN,
    ),
    "raspberry-pi-5-ncnn": Board(
        "Raspberry Pi 5, BCM2712, Cortex-A76 at 2.4 GHz x 4",
        "ncnn, 4 threads on the CPU",
        Run("Raspberry Pi 5 Broadcom BCM2712, Cortex-A76 (ARMv8) (2.4GHz x 4)", "10 4 0 -1 -1"),
        TEST,
    ),
    "azure-d64as-v7-ncnn": Board(
        "Microsoft Azure Standard D64as v7",
        "ncnn, 16 threads on the CPU",
        Run("Microsoft Azure Standard D64as v7 Instance", "512 16 0 -1 0", repeat=1),
        TEST,
    ),
}

Times = tuple[float, float, float]
"""Least, mean and greatest milliseconds of a run's loops."""


def networks() -> dict[str, dict[str, object]]:
    """Records of the networks of both splits."""
    records: dict[str, dict[str, object]] = {}
    for name, (_, torchvision_name, side) in {**TRAIN, **TEST}.items():
        macs, parameters, count_source = torchvision_count(torchvision_name)
        size, size_source = photograph_bytes(side)
        records[name] = network_record(
            name,
            f"{name} on {side}x{side} images, served whole.",
            (macs, parameters, 1000),
            size,
            {
                "input_bytes": size_source,
                "blocks": f"{count_source}, float32; ncnn's graph of the same architecture folds "
                "batch normalisation and may pad otherwise",
            },
        )
    return records


def read_run(path: Path, run: Run) -> dict[str, Times]:
    """Times of one run by ncnn's name of the network.

    Raises:
        InvalidInput: if the file does not hold that run.
    """
    seen: dict[str, list[Times]] = {}
    with path.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if row["device"].startswith(run.device) and row["args"] == run.args:
                times = (float(row["min_ms"]), float(row["avg_ms"]), float(row["max_ms"]))
                seen.setdefault(row["model"], []).append(times)
    if not seen or min(map(len, seen.values())) <= run.repeat:
        raise InvalidInput(str(path), run, "a run that the file holds")
    return {model: times[run.repeat] for model, times in seen.items()}


def jitter_cv(times: Sequence[Times], loops: int) -> float:
    """Coefficient of variation by the range of ten loops, median over networks.

    In longer runs the range is set by a few outliers, so nothing is made of it: zero.
    """
    if loops != SHORT_RUN:
        return 0.0
    return round(float(np.median([(hi - lo) / RANGE_TO_STD / mean for lo, mean, hi in times])), 4)


def devices(path: Path) -> dict[str, dict[str, object]]:
    """Records of the four devices."""
    return {name: device(name, board, read_run(path, board.run)) for name, board in BOARDS.items()}


def device(name: str, board: Board, times: dict[str, Times]) -> dict[str, object]:
    """Record of one board with the networks it names."""
    used = {mine: times[theirs] for mine, (theirs, _, _) in board.networks.items()}
    watts = {"idle_watts": board.idle_watts, "busy_watts": board.busy_watts}
    known = {key: value for key, value in watts.items() if value is not None}
    return {
        "name": name,
        "device": board.device,
        "runtime": board.runtime,
        "jitter_cv": jitter_cv(list((used or times).values()), board.run.loops),
        **known,
        "source": {
            "kind": "published",
            "from": "ncnn benchmark/README.md at a4d2ea1",
            "url": "https://github.com/Tencent/ncnn/tree/master/benchmark",
            "licence": "BSD-3-Clause, Copyright (C) 2017 Tencent",
            "run": f"device '{board.run.device}', arguments '{board.run.args}' (loops, threads, "
            f"powersave, GPU, cooling down), number {board.run.repeat + 1} of that kind",
            "networks": "mean of the loops at batch 1; batches of b are assumed to take b times it",
            "jitter_cv": _jitter_source(board.run.loops),
            "watts": board.watts_source,
            "unknown": "load_rate, memory, workspace",
            "derived_by": DERIVED_BY,
        },
        "networks": {
            mine: {"whole": {"single": round(mean / 1e3, 9)}} for mine, (_, mean, _) in used.items()
        },
    }


def _jitter_source(loops: int) -> str:
    if loops == SHORT_RUN:
        return (
            f"range of {loops} loops over {RANGE_TO_STD} (normal values assumed), median over "
            "the networks"
        )
    return f"not known: the range of {loops} loops is set by outliers; taken as 0"
