"""The trained architectures as laws price them: operations of every block and head."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import torch

from tiergym.calibration.multi_exit.families import MultiExitNetwork, build_network
from tiergym.calibration.multi_exit.options import Options, parse_options
from tiergym.calibration.operations import Operations, operations_of
from tiergym.calibration.published.laws import OperationLaw

ARCHITECTURES: Mapping[str, Mapping[str, object]] = {
    "vgg8-w8": {"family": "vgg", "width": 8},
    "vgg8-w16": {"family": "vgg"},
    "residual8-w16": {"family": "residual"},
    "depthwise12-w16": {"family": "depthwise", "blocks": 12},
}
"""Options of every architecture that device profiles price."""
SHAPE = (3, 32, 32)
CLASSES = 10


@dataclass(frozen=True)
class Parts:
    """Operations of each block and of the head after it, in order."""

    blocks: tuple[Operations, ...]
    heads: tuple[Operations, ...]


def options_of(name: str) -> Options:
    """Training options that give an architecture."""
    return parse_options(ARCHITECTURES[name])


@cache
def parts_of(name: str) -> Parts:
    """Operations of an architecture on 32x32 images with ten classes."""
    chain = build_network(options_of(name), SHAPE[0], CLASSES)
    assert isinstance(chain, MultiExitNetwork)
    chain.eval()
    blocks: list[Operations] = []
    heads: list[Operations] = []
    with torch.inference_mode():
        features = chain.scaled(torch.zeros(1, *SHAPE, dtype=torch.uint8))
        for number, block in enumerate(chain.blocks, start=1):
            ran, features = operations_of(block, features)
            blocks.append(ran)
            heads.append(operations_of(chain.heads[str(number)], features)[0])
    return Parts(tuple(blocks), tuple(heads))


def priced(name: str, laws: Mapping[int, OperationLaw]) -> dict[str, object]:
    """Entry of a device profile for an architecture, from one law per measured batch size.

    A device that was measured at one image only gets ``single`` laws: b times that is assumed.
    """
    parts = parts_of(name)
    return {
        "base": _law({b: law.base for b, law in laws.items()}),
        "blocks": [_operations(laws, ran) for ran in parts.blocks],
        "heads": {k: _operations(laws, ran) for k, ran in enumerate(parts.heads, start=1)},
    }


def _operations(laws: Mapping[int, OperationLaw], ran: Operations) -> object:
    return _law({b: law.milliseconds(ran) for b, law in laws.items()})


def _law(milliseconds: Mapping[int, float]) -> object:
    points = [[b, round(ms / 1e3, 9)] for b, ms in sorted(milliseconds.items())]
    return {"single": points[0][1]} if len(points) == 1 else {"points": points}
