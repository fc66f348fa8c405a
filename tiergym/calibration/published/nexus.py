"""The TITAN X (Pascal) tables of the Nexus profiler: four networks at every batch size."""

from __future__ import annotations

import csv
from collections import defaultdict
from pathlib import Path

import numpy as np

from tiergym.calibration.chains import Counts, Layer, count, vgg16, vgg_s, yolo9000
from tiergym.calibration.published.common import DERIVED_BY, network_record, photograph_bytes

DEVICE = "titan-x-pascal-nexus"
RAW_NAMES = {
    "vgg-s": "caffe:vgg_s:1",
    "vgg16": "caffe:vgg16:1",
    "vgg-face": "caffe:vgg_face:1",
    "yolo9000": "darknet:yolo9000:1:480x480",
}
DENSE_TO = 64
"""Every measured batch size is shipped up to here, and every eighth and the last beyond."""
JITTER_TO = 32
"""Batch sizes whose spread gives the coefficient of variation."""

Row = dict[str, float]


def definitions() -> dict[str, tuple[list[Layer], int, str]]:
    """Layers, input side and source of the definition of each network."""
    return {
        "vgg-s": (vgg_s(), 224, "CNN-S, arXiv 1405.3531, Lasagne/Recipes modelzoo/vgg_cnn_s.py"),
        "vgg16": (vgg16(1000), 224, "configuration D, arXiv 1409.1556"),
        "vgg-face": (vgg16(2622), 224, "VGG16 with 2622 classes, Parkhi et al., BMVC 2015"),
        "yolo9000": (yolo9000(), 480, "pjreddie/darknet cfg/yolo9000.cfg at 480x480"),
    }


def counts() -> dict[str, Counts]:
    """Counts of the four networks."""
    return {name: count(layers, side) for name, (layers, side, _) in definitions().items()}


def networks() -> dict[str, dict[str, object]]:
    """Records of the four networks."""
    records: dict[str, dict[str, object]] = {}
    for name, (_, side, definition) in definitions().items():
        found = counts()[name]
        size, size_source = photograph_bytes(side)
        records[name] = network_record(
            name,
            f"{name} on {side}x{side} images, served whole.",
            (found.macs, found.parameters, found.out_elements),
            size,
            {
                "input_bytes": size_source,
                "blocks": f"computed from the definition: {definition}; "
                "convolutions and linear layers, float32 parameters",
            },
        )
    return records


def read(path: Path) -> dict[str, list[Row]]:
    """Rows (batch, seconds, std_seconds, memory_bytes) by network, in order of batch size."""
    rows: dict[str, list[Row]] = defaultdict(list)
    names = {raw: name for name, raw in RAW_NAMES.items()}
    with path.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            keys = ("batch", "seconds", "std_seconds", "memory_bytes")
            rows[names[row["network"]]].append({key: float(row[key]) for key in keys})
    return {name: sorted(found, key=lambda row: row["batch"]) for name, found in rows.items()}


def jitter_cv(rows: dict[str, list[Row]]) -> float:
    """Median of std / seconds over the networks and batch sizes up to `JITTER_TO`."""
    ratios = [
        row["std_seconds"] / row["seconds"]
        for found in rows.values()
        for row in found
        if row["batch"] <= JITTER_TO
    ]
    return round(float(np.median(ratios)), 4)


def laws(rows: list[Row], param_bytes: int) -> dict[str, object]:
    """Seconds, and workspace: memory in use less the parameters, at the sizes that are shipped."""
    last = rows[-1]["batch"]
    kept = [r for r in rows if r["batch"] <= DENSE_TO or r["batch"] % 8 == 0 or r["batch"] == last]
    seconds = [[int(row["batch"]), round(row["seconds"], 10)] for row in kept]
    workspace = [[int(row["batch"]), int(row["memory_bytes"]) - param_bytes] for row in kept]
    return {"whole": {"points": seconds}, "workspace": {"points": workspace}}


def devices(path: Path) -> dict[str, dict[str, object]]:
    """Record of the one device."""
    rows = read(path)
    found = counts()
    table = {name: laws(rows[name], 4 * found[name].parameters) for name in RAW_NAMES}
    memory = max(int(row["memory_bytes"]) for each in rows.values() for row in each)
    record: dict[str, object] = {
        "name": DEVICE,
        "device": "NVIDIA TITAN X (Pascal)",
        "runtime": "Caffe (VGG) and Darknet (YOLO9000) under the Nexus profiler",
        "jitter_cv": jitter_cv(rows),
        "memory_bytes": memory,
        "source": {
            "kind": "published",
            "from": "Nexus batch profiles (University of Washington)",
            "url": "https://github.com/uwsampl/nexus",
            "licence": "BSD-3-Clause, Copyright (c) 2018-2020 University of Washington",
            "networks": "measured means as published, not smoothed: they are not monotone in the "
            f"batch size; every size up to {DENSE_TO}, every eighth and the last beyond",
            "workspace": "memory in use while profiling less the network's parameters; holds the "
            "runtime's own share as well",
            "jitter_cv": f"median of the measured standard deviation over the mean, sizes up to "
            f"{JITTER_TO}; means of a profiling run, without other load",
            "memory_bytes": "the most memory that a profile had in use, so less than the card has",
            "unknown": "load_rate, watts",
            "derived_by": DERIVED_BY,
        },
        "networks": table,
    }
    return {DEVICE: record}
