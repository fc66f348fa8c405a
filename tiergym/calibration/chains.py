"""Macs and parameters of networks that are plain chains, computed from their definitions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Counts:
    """Of one input: multiply-accumulates of convolutions and linear layers, parameters, outputs."""

    macs: int
    parameters: int
    out_elements: int


@dataclass(frozen=True)
class Conv:
    """A convolution with a bias; ``norm`` more parameters a channel for batch normalisation."""

    channels: int
    size: int
    stride: int = 1
    pad: int = 0
    norm: int = 0


@dataclass(frozen=True)
class Pool:
    """A pooling layer whose last window may hang over the border, as in Caffe."""

    size: int
    stride: int


@dataclass(frozen=True)
class Linear:
    """A fully connected layer with a bias."""

    units: int


Layer = Conv | Pool | Linear


def count(layers: Sequence[Layer], side: int) -> Counts:
    """Counts of a chain on square RGB inputs of ``side`` pixels."""
    macs = parameters = 0
    channels = 3
    for layer in layers:
        if isinstance(layer, Pool):
            side = math.ceil((side - layer.size) / layer.stride) + 1
        elif isinstance(layer, Conv):
            weights = channels * layer.size**2 * layer.channels
            side = (side + 2 * layer.pad - layer.size) // layer.stride + 1
            macs += weights * side**2
            parameters += weights + (1 + layer.norm) * layer.channels
            channels = layer.channels
        else:
            weights = channels * side**2 * layer.units
            macs += weights
            parameters += weights + layer.units
            channels, side = layer.units, 1
    return Counts(macs, parameters, channels * side**2)


def vgg16(classes: int) -> list[Layer]:
    """VGG configuration D (Simonyan and Zisserman, arXiv 1409.1556, table 1)."""
    layers: list[Layer] = []
    for channels, depth in ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3)):
        layers += [Conv(channels, 3, pad=1)] * depth + [Pool(2, 2)]
    return [*layers, Linear(4096), Linear(4096), Linear(classes)]


def vgg_s() -> list[Layer]:
    """CNN-S of Chatfield et al. (arXiv 1405.3531), as in Lasagne/Recipes modelzoo/vgg_cnn_s.py."""
    convolutions = [Conv(96, 7, 2), Pool(3, 3), Conv(256, 5), Pool(2, 2)]
    deep = [Conv(512, 3, pad=1)] * 3
    return [*convolutions, *deep, Pool(3, 3), Linear(4096), Linear(4096), Linear(1000)]


def yolo9000() -> list[Layer]:
    """pjreddie/darknet cfg/yolo9000.cfg: batch normalisation in all layers but the last."""
    layers: list[Layer] = []
    for channels, depth in ((32, 1), (64, 1), (128, 3), (256, 3), (512, 5), (1024, 5)):
        wide, narrow = Conv(channels, 3, pad=1, norm=3), Conv(channels // 2, 1, norm=3)
        layers += [narrow if k % 2 else wide for k in range(depth)]
        layers += [] if channels == 1024 else [Pool(2, 2)]
    return [*layers, Conv(28269, 1)]


def nasbench201_parameters(conv3x3: int, conv1x1: int) -> int:
    """Parameters of a NAS-Bench-201 network (Dong and Yang, arXiv 2001.00326) for 10 classes.

    Stem, three stages of five cells with 16, 32 and 64 channels, two residual blocks between
    them and the classifier; convolutions have no bias, normalisations two numbers a channel.

    Args:
        conv3x3, conv1x1: how many of a cell's six edges hold each.
    """
    total = 3 * 16 * 9 + 2 * 16
    for c in (16, 32, 64):
        total += 5 * (conv3x3 * (9 * c * c + 2 * c) + conv1x1 * (c * c + 2 * c))
    for c in (32, 64):
        total += (9 * c * c // 2 + 2 * c) + (9 * c * c + 2 * c) + c * c // 2
    return total + 2 * 64 + 65 * 10
