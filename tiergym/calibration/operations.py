"""What a module computes, as device laws price it: operations and macs, by kind.

Needs torch. An operation is a convolution or a linear layer; a convolution with as many groups as
channels is depthwise, everything else is dense (a few groups too).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode


@dataclass(frozen=True)
class Operations:
    """Of one input: numbers of operations and their multiply-accumulates; pooling layers."""

    dense: int
    depthwise: int
    dense_macs: int
    depthwise_macs: int
    pools: int = 0

    def __add__(self, other: Operations) -> Operations:
        return Operations(
            self.dense + other.dense,
            self.depthwise + other.depthwise,
            self.dense_macs + other.dense_macs,
            self.depthwise_macs + other.depthwise_macs,
            self.pools + other.pools,
        )


NOTHING = Operations(0, 0, 0, 0)


def operations_of(module: nn.Module, features: Tensor) -> tuple[Operations, Any]:
    """The operations that ``module`` runs on ``features``, and what it returns."""
    found: list[Operations] = []
    handles = [
        each.register_forward_hook(_recorder(found))
        for each in module.modules()
        if isinstance(each, (nn.Conv2d, nn.Linear, nn.AdaptiveAvgPool2d))
    ]
    with torch.inference_mode():
        result = module(features)
    for handle in handles:
        handle.remove()
    return sum(found, NOTHING), result


def _recorder(found: list[Operations]) -> Callable[..., None]:
    def record(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        if isinstance(module, nn.AdaptiveAvgPool2d):
            found.append(Operations(0, 0, 0, 0, 1))
            return
        macs = _macs(module, inputs[0])
        depthwise = isinstance(module, nn.Conv2d) and 1 < module.groups == module.in_channels
        both = (0, 1, 0, macs) if depthwise else (1, 0, macs, 0)
        found.append(Operations(*both))

    return record


def _macs(module: nn.Module, features: Tensor) -> int:
    with FlopCounterMode(display=False) as counter:
        if isinstance(module, nn.Conv2d):
            nn.functional.conv2d(
                features,
                module.weight,
                None,
                module.stride,
                module.padding,
                module.dilation,
                module.groups,
            )
        else:
            nn.functional.linear(features, module.weight)  # pyright: ignore[reportArgumentType]
    return int(counter.get_total_flops()) // 2
