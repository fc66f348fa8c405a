"""NAS-Bench-201 networks on five GPUs at batch 1, 32 and 256, as measured for HELP."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tiergym.calibration.chains import nasbench201_parameters
from tiergym.calibration.published.common import DERIVED_BY, cifar_bytes, network_record

BATCHES = (1, 32, 256)
GPUS = {
    "gtx-1080-ti-help": ("1080ti", "NVIDIA GeForce GTX 1080 Ti"),
    "rtx-2080-ti-help": ("2080ti", "NVIDIA GeForce RTX 2080 Ti"),
    "titan-rtx-help": ("titan_rtx", "NVIDIA TITAN RTX"),
    "titan-x-help": ("titanx", "NVIDIA TITAN X (generation not stated)"),
    "titan-xp-help": ("titanxp", "NVIDIA TITAN Xp"),
}
CHOSEN = 8
"""Networks that are shipped: even ones for training scenarios, odd ones for test scenarios."""


@dataclass(frozen=True)
class LatencyTable:
    """Of 15 625 networks: milliseconds by column, cells, operations in a cell, and macs.

    A column is ``gpu_batch``, or a device's name alone at batch 1.
    """

    columns: list[str]
    milliseconds: NDArray[np.float64]
    cells: list[str]
    conv1x1: NDArray[np.int64]
    conv3x3: NDArray[np.int64]
    pools: NDArray[np.int64]
    macs: NDArray[np.int64]

    def column(self, gpu: str, batch: int) -> NDArray[np.float64]:
        """Milliseconds of every network."""
        return self.milliseconds[:, self.columns.index(f"{gpu}_{batch}")]


def read(path: Path) -> LatencyTable:
    """The table in HELP's order of networks, which the shipped names carry."""
    with np.load(path, allow_pickle=False) as stored:
        operations = [str(name) for name in stored["op"]]
        counts = stored["op_count"].astype(np.int64)
        return LatencyTable(
            columns=[str(name) for name in stored["device"]],
            milliseconds=stored["latency_ms"].astype(np.float64),
            cells=[str(cell) for cell in stored["arch"]],
            conv1x1=counts[:, operations.index("nor_conv_1x1")],
            conv3x3=counts[:, operations.index("nor_conv_3x3")],
            pools=counts[:, operations.index("avg_pool_3x3")],
            macs=stored["macs"],
        )


def is_connected(cell: str) -> bool:
    """Whether the cell's input reaches its output over edges that are not ``none``."""
    reached = {0}
    for node, edges in enumerate(cell.split("+"), start=1):
        sources = re.findall(r"(\w+)~(\d)", edges)
        if any(name != "none" and int(source) in reached for name, source in sources):
            reached.add(node)
    return 3 in reached


def choose(table: LatencyTable) -> list[int]:
    """`CHOSEN` rows, from fast to slow.

    Of the networks that are connected and hold a convolution, ordered by the geometric mean of
    their 15 GPU times, those at equal steps from 1 % to 99 % of the way.
    """
    columns = [table.column(gpu, batch) for gpu, _ in GPUS.values() for batch in BATCHES]
    size = np.mean(np.log(columns), axis=0)
    connected = np.array([is_connected(cell) for cell in table.cells])
    usable = np.flatnonzero(connected & (table.conv1x1 + table.conv3x3 > 0))
    order = usable[np.argsort(size[usable], kind="stable")]
    return [int(order[int(share * len(order))]) for share in np.linspace(0.01, 0.99, CHOSEN)]


def network_name(row: int) -> str:
    """Name of the network in a row of HELP's table."""
    return f"nb201-{row:05d}"


def networks(table: LatencyTable) -> dict[str, dict[str, object]]:
    """Records of the chosen networks."""
    size, size_source = cifar_bytes()
    records: dict[str, dict[str, object]] = {}
    for row in choose(table):
        parameters = nasbench201_parameters(int(table.conv3x3[row]), int(table.conv1x1[row]))
        name = network_name(row)
        records[name] = network_record(
            name,
            f"NAS-Bench-201 cell {table.cells[row]} on 32x32 images, served whole.",
            (int(table.macs[row]), parameters, 10),
            size,
            {
                "input_bytes": size_source,
                "cell": table.cells[row],
                "row": f"{row} of HELP's table (counted from 0)",
                "blocks": "macs of convolutions and classifier and float32 parameters, computed "
                "from the cell's definition (arXiv 2001.00326, 16/32/64 channels, 10 classes)",
            },
        )
    return records


def devices(table: LatencyTable) -> dict[str, dict[str, object]]:
    """Records of the five GPUs, each with all chosen networks."""
    rows = choose(table)
    return {name: _device(table, name, *gpu, rows) for name, gpu in GPUS.items()}


def _device(
    table: LatencyTable, name: str, gpu: str, device: str, rows: list[int]
) -> dict[str, object]:
    def points(row: int) -> list[list[float]]:
        column = [float(table.column(gpu, batch)[row]) for batch in BATCHES]
        return [[b, round(ms / 1e3, 9)] for b, ms in zip(BATCHES, column, strict=True)]

    runtime = "PyTorch, as measured for HELP (version not stated)"
    method = (
        f"measured at batch {', '.join(map(str, BATCHES))} and joined linearly, "
        "which is an assumption; 32x32 inputs are assumed, the source does not state them"
    )
    networks = {network_name(row): {"whole": {"points": points(row)}} for row in rows}
    return help_device(name, device, runtime, method, networks)


def help_device(
    name: str, device: str, runtime: str, method: str, networks: Mapping[str, object]
) -> dict[str, object]:
    """The record of a device that was measured for HELP.

    Args:
        method: how the seconds of ``networks`` come about.
    """
    return {
        "name": name,
        "device": device,
        "runtime": runtime,
        "jitter_cv": 0.0,
        "source": {
            "kind": "published",
            "from": "HELP (Lee et al., NeurIPS 2021), latency of NAS-Bench-201 networks",
            "url": "https://github.com/HayeonLee/HELP",
            "licence": "MIT",
            "networks": method,
            "jitter_cv": "not published, taken as 0",
            "unknown": "load_rate, watts, memory, workspace",
            "derived_by": DERIVED_BY,
        },
        "networks": dict(networks),
    }
