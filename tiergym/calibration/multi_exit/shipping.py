"""Writing a trained network as the files that tiergym.networks loads, with where they come from."""

from __future__ import annotations

import datetime
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from tiergym import __version__
from tiergym.calibration.multi_exit.coding import accuracy_costs, coded_table
from tiergym.calibration.multi_exit.counting import BlockCounts, count_blocks
from tiergym.calibration.multi_exit.families import MultiExitNetwork
from tiergym.calibration.multi_exit.images import ImageData, first_images
from tiergym.calibration.multi_exit.options import Options
from tiergym.calibration.multi_exit.schemes import phases
from tiergym.calibration.multi_exit.tables import (
    DividedTable,
    accuracy,
    divide,
    exit_table,
    save_table,
)
from tiergym.calibration.multi_exit.training import Run
from tiergym.calibration.multi_exit.weights import save_weights
from tiergym.calibration.records import versions, write_yaml
from tiergym.networks import ExitTable

HEADER = "Written by `python -m tiergym.calibration.networks`; change that, not this file."
USUAL_SIDE = 32
"""Pixels along a side of the images that an architecture's name says nothing of."""
COST_IMAGES = 2000
"""Test images on which a single cut's cost is measured."""
PACKAGES = ("torch", "numpy", "pillow")


def write_network(
    run: Run,
    data: ImageData,
    folder: Path,
    provenance: Mapping[str, object],
    feature_types: Sequence[str] = (),
) -> DividedTable:
    """Measure the exit table of a finished run; write it, the weights and the network's YAML.

    ``independent`` paths share no block, which a chain of blocks cannot say: of those the table
    is written and a record of where it comes from, but no network.

    Args:
        feature_types: types that features are coded to as well; a table of each is measured, and
            what the coding costs.
    """
    options = run.options
    plain = exit_table(run.network, data.test, options.blocks)
    table = divide(plain)
    save_table(folder / f"{options.name}.npz", table)
    save_weights(folder / f"{options.name}.weights.npz", run.network)
    source = {**provenance, **measured(run, data, table)}
    if isinstance(run.network, MultiExitNetwork):
        counts = count_blocks(run.network, image_shape(data))
        files, costs = _write_coded(run, run.network, data, folder, plain, feature_types)
        source = {**source, **({"feature_types": costs} if costs else {})}
        record = {**network_record(options, data, counts, source), "exits": files}
        write_yaml(folder / f"{options.name}.yaml", record, HEADER)
    else:
        write_yaml(folder / f"{options.name}.source.yaml", {"source": source}, HEADER)
    return table


def _write_coded(
    run: Run,
    chain: MultiExitNetwork,
    data: ImageData,
    folder: Path,
    plain: ExitTable,
    feature_types: Sequence[str],
) -> tuple[object, dict[str, object]]:
    """What `exits` names, and the cost of each feature type; writes their tables."""
    name = run.options.name
    if not feature_types:
        return f"{name}.npz", {}
    files, costs = {"float32": f"{name}.npz"}, dict[str, object]()
    few = first_images(data, None, COST_IMAGES).test
    for kind in feature_types:
        table = coded_table(chain, data.test, kind)
        files[kind] = f"{name}.{kind}.npz"
        save_table(folder / files[kind], divide(table))
        costs[kind] = {
            "table": "features coded after every block before the head, more often than any "
            "placement does",
            **accuracy_costs(chain, few, plain, table, kind),
        }
    return files, costs


def network_record(
    options: Options, data: ImageData, counts: Sequence[BlockCounts], source: Mapping[str, object]
) -> dict[str, object]:
    """The mapping that `tiergym.networks.load_network` takes."""
    heads = [count.head_param_bytes for count in counts]
    side = "x".join(str(n) for n in image_shape(data)[1:])
    return {
        "name": options.name,
        "description": (
            f"{options.family} chain of {options.blocks} blocks on {side} images, heads trained by "
            f"the {options.scheme} scheme; exits measured."
        ),
        "architecture": _architecture(options, data),
        "input_bytes": data.input_bytes,
        "blocks": [_block(count) for count in counts],
        "exits": f"{options.name}.npz",
        "source": {
            "input_bytes": f"measured: mean of the test images ({data.encoding})",
            "blocks": "macs counted by torch's FlopCounterMode, sizes on real float32 tensors; the "
            "last block's param_bytes include the last head's",
            "head_param_bytes": heads,
            **source,
        },
    }


def _architecture(options: Options, data: ImageData) -> str:
    side = image_shape(data)[1]
    return options.architecture + ("" if side == USUAL_SIDE else f"-{side}px")


def measured(run: Run, data: ImageData, table: DividedTable) -> dict[str, object]:
    """What a run's record says of its training and of its exits."""
    exits = run.network.exits
    plan = phases(run.options)
    return {
        "commit": ", then ".join(run.commits),
        "options": run.options.plain(),
        "training_seconds": {
            phase.name: round(seconds, 1) for phase, seconds in zip(plan, run.seconds, strict=True)
        },
        "images": {"train": len(data.train), "test": len(data.test), "sha256": data.digest()},
        "rows": (
            f"{len(table.validation_row)} test images for validation and {len(table.test_row)} for "
            "test, which is the part that scenarios draw from"
        ),
        "accuracy_validation": _rounded(accuracy(table.validation, exits)),
        "accuracy_test": _rounded(accuracy(table.test, exits)),
    }


def provenance(command: str, options: Options, about: str) -> dict[str, object]:
    """Command, seed, versions and date; ``about`` says what the images are."""
    return {
        "kind": "measured",
        "from": about,
        "command": command,
        "seed": options.seed,
        "versions": {**versions(PACKAGES), "tiergym": __version__},
        "threads": torch.get_num_threads(),
        "date": datetime.date.today().isoformat(),
    }


def commit() -> str:
    """The commit of the checkout this runs from, marked where the code has been changed since.

    Ask before training: the checkout may move on while it lasts.
    """
    folder = Path(__file__).parents[1]
    head = _git(folder, "rev-parse", "HEAD")
    if head is None:
        return "not run from a checkout"
    changed = _git(folder, "status", "--porcelain", "--", "multi_exit", "networks.py")
    return f"{head}, changed since" if changed else head


def image_shape(data: ImageData) -> tuple[int, int, int]:
    """Channels, height and width."""
    _, channels, height, width = data.train.pixels.shape
    return channels, height, width


def _git(folder: Path, *words: str) -> str | None:
    command = ["git", "-C", str(folder), *words]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()


def _block(count: BlockCounts) -> dict[str, Any]:
    record = {
        "macs": count.macs,
        "param_bytes": count.param_bytes,
        "out_elements": count.out_elements,
    }
    return record if count.head_macs is None else {**record, "head_macs": count.head_macs}


def _rounded(shares: Mapping[int, float]) -> dict[int, float]:
    return {block: round(share, 4) for block, share in shares.items()}
