"""Three families of multi-exit networks: chains of blocks with a head after each chosen block."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import torch
from torch import Tensor, nn

from tiergym.calibration.multi_exit.options import Options
from tiergym.calibration.multi_exit.tensors import seeded
from tiergym.errors import InvalidInput

STAGES = 3
"""Parts of a chain; at each but the first, channels double and the side halves."""


def _normalised(inputs: int, outputs: int, size: int, stride: int, groups: int = 1) -> nn.Module:
    padding = size // 2
    convolution = nn.Conv2d(inputs, outputs, size, stride, padding, groups=groups, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(outputs))


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions beside a shortcut (He et al., arXiv 1512.03385, basic block)."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        first = _normalised(inputs, outputs, 3, stride)
        self.path = nn.Sequential(first, nn.ReLU(), _normalised(outputs, outputs, 3, 1))
        same = inputs == outputs and stride == 1
        self.shortcut = nn.Identity() if same else _normalised(inputs, outputs, 1, stride)

    def forward(self, features: Tensor) -> Tensor:
        """float32[B, outputs, H / stride, W / stride]."""
        return torch.relu(self.path(features) + self.shortcut(features))


def _plain(inputs: int, outputs: int, stride: int) -> nn.Module:
    return nn.Sequential(_normalised(inputs, outputs, 3, stride), nn.ReLU())


def _depthwise(inputs: int, outputs: int, stride: int) -> nn.Module:
    """A 3x3 convolution per channel, then 1x1 (Howard et al., arXiv 1704.04861)."""
    spatial = _normalised(inputs, inputs, 3, stride, groups=inputs)
    return nn.Sequential(spatial, nn.ReLU(), _normalised(inputs, outputs, 1, 1), nn.ReLU())


_BLOCKS = {"residual": ResidualBlock, "vgg": _plain, "depthwise": _depthwise}


class Head(nn.Module):
    """Pools features to ``pool`` pixels a side, then one linear layer, or two with ``hidden``."""

    def __init__(self, channels: int, pool: int, hidden: int, classes: int) -> None:
        super().__init__()
        units = channels * pool * pool
        layers: list[nn.Module] = [nn.AdaptiveAvgPool2d(pool), nn.Flatten()]
        if hidden:
            layers += [nn.Linear(units, hidden), nn.ReLU()]
        self.layers = nn.Sequential(*layers, nn.Linear(hidden or units, classes))

    def forward(self, features: Tensor) -> Tensor:
        """Logits, float32[B, classes]."""
        return self.layers(features)


class MultiExitNetwork(nn.Module):
    """A chain of L blocks with heads after the blocks in ``exits``.

    Images are uint8[B, C, H, W]; the first block takes them scaled by the mean and standard
    deviation of the training images, which the network keeps.

    Attributes:
        blocks: L modules.
        heads: a module per exit, by the number of its block as text.
        exits: blocks with a head, rising.
    """

    def __init__(self, blocks: Sequence[nn.Module], heads: dict[int, nn.Module], channels: int):
        super().__init__()
        self.blocks = nn.ModuleList(blocks)
        self.heads = nn.ModuleDict({str(block): head for block, head in heads.items()})
        self.exits = tuple(sorted(heads))
        self.register_buffer("mean", torch.zeros(1, channels, 1, 1))
        self.register_buffer("deviation", torch.ones(1, channels, 1, 1))

    def scaled(self, images: Tensor) -> Tensor:
        """Images as the first block takes them, float32[B, C, H, W]."""
        scaled = (images.float() - self.get_buffer("mean")) / self.get_buffer("deviation")
        return scaled.contiguous(memory_format=torch.channels_last)

    def between(self, features: Tensor, start: int, end: int) -> Tensor:
        """Features after block ``end``, from those after block ``start``."""
        for block in self.blocks[start:end]:
            features = block(features)
        return features

    def logits(self, features: Tensor, block: int) -> Tensor:
        """What the head after ``block`` says, float32[B, classes]."""
        return self.heads[str(block)](features)

    def forward(self, images: Tensor, exits: Sequence[int] | None = None) -> dict[int, Tensor]:
        """Logits by exit.

        Args:
            images: uint8[B, C, H, W].
            exits: the exits wanted, rising; all if None. No block after the last of them is run.
        """
        features, at, found = self.scaled(images), 0, dict[int, Tensor]()
        for block in self.exits if exits is None else exits:
            features = self.between(features, at, block)
            found[block] = self.logits(features, block)
            at = block
        return found


class IndependentPaths(nn.Module):
    """A copy of its own of the path to each exit: nothing is shared (scheme ``independent``)."""

    def __init__(self, paths: Sequence[MultiExitNetwork]) -> None:
        super().__init__()
        self.paths = nn.ModuleList(paths)
        self.exits = tuple(path.exits[-1] for path in paths)

    def forward(self, images: Tensor) -> dict[int, Tensor]:
        """Logits by exit."""
        found: dict[int, Tensor] = {}
        for path in self.paths:
            found |= path(images)
        return found


AnyNetwork = MultiExitNetwork | IndependentPaths


def stage_of(block: int, blocks: int) -> int:
    """Part of the chain, 0 to 2, that a block (1 to L) belongs to."""
    return (block - 1) * STAGES // blocks


def build_chain(
    options: Options, channels: int, classes: int, exits: Sequence[int]
) -> MultiExitNetwork:
    """A chain that ends at the last exit, with weights from torch's own generator.

    Raises:
        InvalidInput: if there are no exits.
    """
    if not exits:
        raise InvalidInput("exits", list(exits), "at least one block with a head")
    blocks: list[nn.Module] = []
    heads: dict[int, nn.Module] = {}
    inputs = channels
    for block in range(1, max(exits) + 1):
        outputs = options.width * 2 ** stage_of(block, options.blocks)
        kind = _plain if block == 1 and options.family == "depthwise" else _BLOCKS[options.family]
        blocks.append(kind(inputs, outputs, _stride(options, block)))
        if block in exits:
            heads[block] = Head(outputs, options.head_pool, options.head_hidden, classes)
        inputs = outputs
    return MultiExitNetwork(blocks, heads, channels)


def build_network(options: Options, channels: int, classes: int) -> AnyNetwork:
    """The network of a scheme, weights drawn from ``options.seed`` and from nothing else."""
    with seeded(options.seed):
        return _in_channels_last(_drawn(options, channels, classes))


def _drawn(options: Options, channels: int, classes: int) -> AnyNetwork:
    exits = options.all_exits
    if options.scheme != "independent":
        return build_chain(options, channels, classes, exits)
    return IndependentPaths([build_chain(options, channels, classes, (block,)) for block in exits])


def _in_channels_last(network: AnyNetwork) -> AnyNetwork:
    """Channels innermost in memory: the same numbers, and up to a third faster on a CPU."""
    return cast(AnyNetwork, cast(Any, network).to(memory_format=torch.channels_last))


def set_scale(network: AnyNetwork, mean: Tensor, deviation: Tensor) -> None:
    """Give the network the scale of its images: float32[C] each, in units of a pixel's value."""
    chains = network.paths if isinstance(network, IndependentPaths) else [network]
    for chain in chains:
        chain.get_buffer("mean").copy_(mean.reshape(1, -1, 1, 1))
        chain.get_buffer("deviation").copy_(deviation.reshape(1, -1, 1, 1))


def _stride(options: Options, block: int) -> int:
    if block == 1:
        return options.stem_stride
    before, here = stage_of(block - 1, options.blocks), stage_of(block, options.blocks)
    return 2 if here > before else 1
