"""Features as they cross a link: coded to float16 or int8, decoded on the other side.

A feature that was coded is not the feature that was computed, so the answers after it may change;
`coded_table` measures by how much.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tiergym.calibration.multi_exit.families import MultiExitNetwork
from tiergym.calibration.multi_exit.images import Images
from tiergym.calibration.multi_exit.tables import BATCH, check_finite, confidence_of
from tiergym.calibration.multi_exit.tensors import tensor_of
from tiergym.errors import InvalidInput
from tiergym.networks import FEATURE_BYTES, ExitTable

LEVELS = 127
"""An int8 feature is a whole number from -127 to 127 times a scale, the task's own: its largest
magnitude over 127, sent along as four bytes."""


def encode(features: NDArray[np.float32], feature_type: str) -> bytes:
    """The bytes of one task's features.

    Args:
        features: float32 of any shape.

    Raises:
        InvalidInput: for an unknown type.
    """
    flat = np.ascontiguousarray(features, dtype="<f4").ravel()
    if feature_type == "float32":
        return flat.tobytes()
    if feature_type == "float16":
        return flat.astype("<f2").tobytes()
    if feature_type != "int8":
        raise InvalidInput("features", feature_type, f"one of {', '.join(FEATURE_BYTES)}")
    scale = np.float32(np.abs(flat).max(initial=0.0) / np.float32(LEVELS))
    levels = np.rint(flat / scale) if scale > 0.0 else np.zeros_like(flat)
    return np.array(scale, "<f4").tobytes() + levels.astype(np.int8).tobytes()


def decode(data: bytes, feature_type: str, shape: Sequence[int]) -> NDArray[np.float32]:
    """What `encode` was given, as far as the type holds it."""
    if feature_type == "int8":
        scale = np.frombuffer(data[:4], "<f4")[0]
        flat = np.frombuffer(data[4:], np.int8).astype(np.float32) * scale
    else:
        kind = {"float32": "<f4", "float16": "<f2"}[feature_type]
        flat = np.frombuffer(data, kind).astype(np.float32)
    return flat.reshape(shape)


def coded(features: Tensor, feature_type: str) -> Tensor:
    """A batch of features after coding and decoding each task's own: `decode` of `encode`."""
    if feature_type == "float32":
        return features
    if feature_type == "float16":
        return features.half().float()
    largest = features.abs().amax(dim=tuple(range(1, features.dim())), keepdim=True)
    scale = largest / LEVELS
    safe = torch.where(scale > 0.0, scale, torch.ones_like(scale))
    return torch.round(features / safe) * scale


def coded_table(
    chain: MultiExitNetwork,
    images: Images,
    feature_type: str,
    after: Callable[[int], bool] = lambda block: True,
) -> ExitTable:
    """What every head says where features are coded after some of the blocks before it.

    A head after block k sees the features of its own block as they are: it sits on the same tier.

    Args:
        after: whether features are coded after a block; by default after every one, which is more
            often than any placement does.
    """
    blocks = len(chain.blocks)
    confidence = np.zeros((len(images), blocks + 1), dtype=np.float32)
    correct = np.zeros((len(images), blocks + 1), dtype=np.int8)
    chain.eval()
    with torch.inference_mode():
        for start in range(0, len(images), BATCH):
            rows = slice(start, start + BATCH)
            features = chain.scaled(tensor_of(images.pixels[rows]))
            for block in range(1, blocks + 1):
                features = chain.between(features, block - 1, block)
                if block in chain.exits:
                    logits = chain.logits(features, block)
                    check_finite(logits, block, start)
                    confidence[rows, block] = confidence_of(logits)
                    correct[rows, block] = logits.argmax(dim=1).numpy() == images.labels[rows]
                if after(block):
                    features = coded(features, feature_type)
    return ExitTable(confidence, correct)


def accuracy_costs(
    chain: MultiExitNetwork, images: Images, plain: ExitTable, everywhere: ExitTable, kind: str
) -> dict[str, object]:
    """What coding costs, as shares of the images.

    Args:
        images: the first of those that the tables are of; single cuts are measured on them.
        plain: the table without coding; ``everywhere``: with coding after every block.
    """
    last = len(chain.blocks)
    cuts = {
        block: coded_table(chain, images, kind, lambda at, block=block: at == block)
        for block in range(1, last)
    }
    right = float(plain.correct[: len(images), last].mean())
    single = {block: right - float(table.correct[:, last].mean()) for block, table in cuts.items()}
    lost = plain.correct.mean(axis=0) - everywhere.correct.mean(axis=0)
    changed = (plain.correct != everywhere.correct).mean(axis=0)
    at_last = f"accuracy_lost_at_L_by_one_cut_on_{len(images)}_images"
    return {
        "accuracy_lost": {block: round(float(lost[block]), 4) for block in chain.exits},
        "answers_changed": {block: round(float(changed[block]), 4) for block in chain.exits},
        at_last: {block: round(value, 4) for block, value in single.items()},
    }
