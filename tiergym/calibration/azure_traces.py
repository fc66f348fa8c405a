"""Derive the shipped arrival traces from the public Azure inference traces.

``python -m tiergym.calibration.azure_traces --data ../shared/data`` writes, for each trace, its
first half in time as ``-a`` and its second as ``-b``, so that what is tested on lies after what
was trained on. Only arrival times are kept.
"""

from __future__ import annotations

import argparse
import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tiergym.calibration.records import write_yaml
from tiergym.shipped import data_folder
from tiergym.workload import load_trace

FILES = {"azure-code": "azure-llm-code.csv", "azure-conv": "azure-llm-conv.csv"}
KINDS = {"azure-code": "code completion", "azure-conv": "conversation"}
URL = "https://github.com/Azure/AzurePublicDataset"


def halves(times: NDArray[np.float64]) -> tuple[float, list[NDArray[np.float64]]]:
    """Seconds of one half, and both halves' times from the beginning of the half.

    Args:
        times: seconds from the first arrival, not decreasing.
    """
    half = float(times[-1]) / 2.0
    return half, [times[times < half], times[times >= half] - half]


def derive(name: str, source: Path, folder: Path) -> None:
    """Write both halves of a trace into ``folder``."""
    half, parts = halves(load_trace(source).times)
    for letter, times in zip("ab", parts, strict=True):
        title = f"{name}-{letter}"
        microseconds = np.floor(times * 1e6).astype(np.uint32)
        np.savez_compressed(folder / f"{title}.npz", microseconds=microseconds)
        header = "Written by python -m tiergym.calibration.azure_traces"
        write_yaml(folder / f"{title}.yaml", _record(title, source.name, half, times), header)


def _record(title: str, file: str, half: float, times: NDArray[np.float64]) -> dict[str, object]:
    gaps = np.diff(times)
    part = {"a": "first", "b": "second"}[title[-1]]
    return {
        "name": title,
        "description": f"requests for {KINDS[title[:-2]]}, the {part} half in time",
        "seconds": math.ceil(half * 1e6) / 1e6,
        "arrivals": len(times),
        "tasks_per_second": round(len(times) / half, 4),
        "gap_cv": round(float(gaps.std() / gaps.mean()), 3),
        "source": {
            "kind": "published",
            "from": f"Azure LLM inference trace 2023, {file}; times cut to microseconds",
            "url": URL,
            "licence": "CC-BY-4.0",
        },
    }


def main() -> None:
    """Write all shipped traces."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the Azure files")
    parser.add_argument("--out", type=Path, default=data_folder("workload"))
    given = parser.parse_args()
    for name, file in FILES.items():
        derive(name, given.data / file, given.out)


if __name__ == "__main__":
    main()
