"""Macs, parameter bytes and features of a chain, counted by torch and on real tensors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from tiergym.calibration.multi_exit.families import MultiExitNetwork


@dataclass(frozen=True)
class BlockCounts:
    """Of one block, for one input.

    Attributes:
        macs: of its convolutions and linear layers (batch normalisation, pooling and activations
            are not multiply-accumulates).
        param_bytes: bytes of its parameters and running statistics; the last block's includes
            the last head, which every network needs.
        out_elements: numbers that leave it.
        head_macs, head_param_bytes: of the head after it; None if it has none.
    """

    macs: int
    param_bytes: int
    out_elements: int
    head_macs: int | None
    head_param_bytes: int | None


def count_blocks(chain: MultiExitNetwork, shape: tuple[int, int, int]) -> list[BlockCounts]:
    """Counts of every block on an image of ``shape`` (channels, height, width)."""
    chain.eval()
    found: list[BlockCounts] = []
    with torch.inference_mode():
        features = chain.scaled(torch.zeros(1, *shape, dtype=torch.uint8))
        for number, block in enumerate(chain.blocks, start=1):
            macs, features = _macs(block, features)
            head = chain.heads[str(number)] if number in chain.exits else None
            found.append(_counts(block, macs, features, head, number == len(chain.blocks)))
    return found


def module_bytes(module: nn.Module) -> int:
    """Bytes of parameters and of running statistics, as float32 tensors hold them."""
    tensors = [*module.parameters(), *module.buffers()]
    return sum(t.numel() * t.element_size() for t in tensors if t.is_floating_point())


def _counts(
    block: nn.Module, macs: int, features: Tensor, head: nn.Module | None, last: bool
) -> BlockCounts:
    head_macs = None if head is None else _macs(head, features)[0]
    head_bytes = None if head is None else module_bytes(head)
    own = module_bytes(block) + (head_bytes or 0) * last
    return BlockCounts(macs, own, features.numel(), head_macs, head_bytes)


def _macs(module: Callable[[Tensor], Tensor], features: Tensor) -> tuple[int, Tensor]:
    with FlopCounterMode(display=False) as counter:
        result = module(features)
    return int(counter.get_total_flops()) // 2, result
