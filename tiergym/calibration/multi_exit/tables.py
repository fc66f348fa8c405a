"""Exit tables of trained networks: measured, divided into validation and test rows, stored."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tiergym.calibration.multi_exit.families import AnyNetwork
from tiergym.calibration.multi_exit.images import Images
from tiergym.calibration.multi_exit.tensors import numbers_of, tensor_of
from tiergym.errors import InvalidInput
from tiergym.networks import ExitTable

VALIDATION_SHARE = 0.5
DIVISION_SEED = 0
"""The same images validate for every network and every training seed."""
BATCH = 256


@dataclass(frozen=True, eq=False)
class DividedTable:
    """An exit table on all S test images, in two parts.

    Thresholds and placements are chosen on ``validation`` and scored on ``test``, which is what
    `tiergym.networks.load_network` reads and scenarios draw from.

    Attributes:
        validation_row, test_row: int64, which of the test images each part's rows are.
    """

    validation: ExitTable
    test: ExitTable
    validation_row: NDArray[np.int64]
    test_row: NDArray[np.int64]


def confidence_of(logits: Tensor) -> NDArray[np.float32]:
    """float32[B]: one minus the entropy of the softmax over the log of the number of classes.

    Rounded to float16, as tables store it, so that a threshold meets the same number in a stored
    table and in a running network.
    """
    shares = torch.log_softmax(logits.double(), dim=1)
    entropy = -(shares.exp() * shares).sum(dim=1)
    confidence = 1.0 - entropy.numpy() / np.log(logits.shape[1])
    return np.clip(confidence, 0.0, 1.0).astype(np.float16).astype(np.float32)


def exit_table(network: AnyNetwork, images: Images, blocks: int) -> ExitTable:
    """What every head says about every image.

    A block without a head has confidence 0 and correct 0 throughout: nobody leaves there.

    Raises:
        InvalidInput: if the network has no head at ``blocks``, L, or a logit is not finite.
    """
    if not network.exits or network.exits[-1] != blocks:
        raise InvalidInput("network.exits", network.exits, f"heads, the last after block {blocks}")
    confidence = np.zeros((len(images), blocks + 1), dtype=np.float32)
    correct = np.zeros((len(images), blocks + 1), dtype=np.int8)
    network.eval()
    with torch.inference_mode():
        for start in range(0, len(images), BATCH):
            rows = slice(start, start + BATCH)
            for block, logits in network(tensor_of(images.pixels[rows])).items():
                check_finite(logits, block, start)
                confidence[rows, block] = confidence_of(logits)
                correct[rows, block] = logits.argmax(dim=1).numpy() == images.labels[rows]
    return ExitTable(confidence, correct)


def check_finite(logits: Tensor, block: int, first_row: int) -> None:
    """Raise `InvalidInput` naming the exit and the image if a logit is not finite."""
    wrong = ~torch.isfinite(logits).all(dim=1)
    if bool(wrong.any()):
        row = int(wrong.nonzero()[0, 0])
        given = f"{numbers_of(logits[row])} for image {first_row + row}"
        raise InvalidInput(f"logits at exit {block}", given, "finite numbers")


def divide(table: ExitTable, share: float = VALIDATION_SHARE) -> DividedTable:
    """Rows drawn for validation, the rest for test; both in their own order.

    Raises:
        InvalidInput: if a part would be empty.
    """
    kept = round(share * table.samples)
    if not 0 < kept < table.samples:
        raise InvalidInput("validation share", share, f"rows in both parts of {table.samples}")
    order = np.random.default_rng(DIVISION_SEED).permutation(table.samples)
    validation, test = np.sort(order[:kept]), np.sort(order[kept:])
    return DividedTable(_rows(table, validation), _rows(table, test), validation, test)


def accuracy(table: ExitTable, exits: Sequence[int]) -> dict[int, float]:
    """Share of right answers by exit."""
    return {block: float(table.correct[:, block].mean()) for block in exits}


def save_table(path: Path, table: DividedTable) -> None:
    """Store both parts: confidence as float16, correct as uint8, compressed.

    ``confidence`` and ``correct`` hold the test rows; the others are named ``validation_...``.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    with partial.open("wb") as file:
        np.savez_compressed(file, **cast(Any, _arrays(table)))
    partial.replace(path)


def load_table(path: Path) -> DividedTable:
    """What `save_table` stored.

    Raises:
        InvalidInput: if the file is not one of those.
    """
    try:
        with np.load(path, allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
        return DividedTable(
            validation=_table(arrays, "validation_"),
            test=_table(arrays, ""),
            validation_row=arrays["validation_row"].astype(np.int64),
            test_row=arrays["row"].astype(np.int64),
        )
    except (OSError, ValueError, KeyError, EOFError) as error:
        allowed = f"an exit table with both parts ({error})"
        raise InvalidInput("exit table", str(path), allowed) from None


def _rows(table: ExitTable, rows: NDArray[np.int64]) -> ExitTable:
    return ExitTable(table.confidence[rows], table.correct[rows])


def _table(arrays: Mapping[str, NDArray[np.generic]], prefix: str) -> ExitTable:
    confidence, correct = arrays[f"{prefix}confidence"], arrays[f"{prefix}correct"]
    return ExitTable(confidence.astype(np.float32), correct.astype(np.int8))


def _arrays(table: DividedTable) -> dict[str, NDArray[np.generic]]:
    return {
        "confidence": table.test.confidence.astype(np.float16),
        "correct": table.test.correct.astype(np.uint8),
        "row": table.test_row.astype(np.uint32),
        "validation_confidence": table.validation.confidence.astype(np.float16),
        "validation_correct": table.validation.correct.astype(np.uint8),
        "validation_row": table.validation_row.astype(np.uint32),
    }
