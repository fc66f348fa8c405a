"""Running a trained chain cut in three, with exits: what the simulator looks up, done for real."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tiergym.calibration.multi_exit.families import MultiExitNetwork
from tiergym.calibration.multi_exit.images import Pixels
from tiergym.calibration.multi_exit.tables import check_finite, confidence_of
from tiergym.calibration.multi_exit.tensors import tensor_of
from tiergym.errors import InvalidInput


@dataclass(frozen=True, eq=False)
class Answers:
    """Of N images: ``exit_block`` int64[N] where each left, ``label`` int64[N] its answer."""

    exit_block: NDArray[np.int64]
    label: NDArray[np.int64]


def run_tiers(
    chain: MultiExitNetwork,
    pixels: Pixels,
    placement: tuple[int, int],
    thresholds: tuple[float, float],
) -> Answers:
    """Run images through terminal, edge and cloud one after another.

    A tier with at least one block ends in one head; what is confident enough leaves there, the
    rest goes on as features. A tier without a block has no head. The head at L accepts all.

    Args:
        pixels: uint8[N, C, H, W].
        placement: (p1, p2), 0 <= p1 <= p2 <= L.
        thresholds: confidence to leave at the terminal's head and at the edge's.

    Raises:
        InvalidInput: if a head is missing where the placement needs one.
    """
    blocks = len(chain.blocks)
    _check(chain, placement, blocks)
    answers = Answers(np.full(len(pixels), -1), np.full(len(pixels), -1))
    left = np.arange(len(pixels))
    chain.eval()
    with torch.inference_mode():
        features, start = chain.scaled(tensor_of(pixels)), 0
        for end, least in zip((*placement, blocks), (*thresholds, 0.0), strict=True):
            if end > start and len(left):
                features = chain.between(features, start, end)
                stays = _leave(chain, features, end, 0.0 if end == blocks else least, left, answers)
                features, left, start = features[tensor_of(stays)], left[stays], end
    return answers


def _leave(
    chain: MultiExitNetwork,
    features: Tensor,
    block: int,
    threshold: float,
    rows: NDArray[np.int64],
    answers: Answers,
) -> NDArray[np.bool_]:
    """Note the answers of what leaves after ``block``; bool[len(rows)] of what stays."""
    logits = chain.logits(features, block)
    check_finite(logits, block, 0)
    leaves = confidence_of(logits) >= threshold
    answers.exit_block[rows[leaves]] = block
    answers.label[rows[leaves]] = logits.argmax(dim=1).numpy()[leaves]
    return ~leaves


def _check(chain: MultiExitNetwork, placement: tuple[int, int], blocks: int) -> None:
    first, second = placement
    if not 0 <= first <= second <= blocks:
        raise InvalidInput("placement", placement, f"0 <= p1 <= p2 <= {blocks}")
    ends = {end for end in (first, second, blocks) if end > 0}
    missing = sorted(ends - set(chain.exits))
    if missing:
        raise InvalidInput("placement", placement, f"heads after {chain.exits}, not {missing}")
