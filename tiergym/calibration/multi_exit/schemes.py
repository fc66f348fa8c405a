"""The five training schemes: which blocks and heads are trained, when, and on which losses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tiergym.calibration.multi_exit.options import Options


@dataclass(frozen=True)
class Phase:
    """A part of training, with an optimiser of its own.

    Attributes:
        name: what it trains, for people.
        epochs: passes over the training images.
        weights: of each trained head's loss, by its block.
        frozen: blocks 1 to this one keep their weights and their running statistics.
        last: the last block trained; equal to ``frozen`` where heads alone are.
        path: index into `IndependentPaths`, or None for a network that is one chain.
    """

    name: str
    epochs: int
    weights: dict[int, float]
    frozen: int
    last: int
    path: int | None = None

    @property
    def heads_only(self) -> bool:
        """Whether no block is trained."""
        return self.frozen >= self.last


def loss_weights(kind: str, exits: Sequence[int]) -> dict[int, float]:
    """Weights by exit, of mean one: equal, falling linearly, or rising linearly, with depth."""
    count = len(exits)
    rising = [2.0 * (k + 1) / (count + 1) for k in range(count)]
    amounts = {"equal": [1.0] * count, "early-heavy": rising[::-1], "late-heavy": rising}[kind]
    return dict(zip(exits, amounts, strict=True))


def phases(options: Options) -> list[Phase]:
    """What the scheme trains, in order."""
    return {
        "joint": _joint,
        "separate": _separate,
        "progressive": _progressive,
        "independent": _independent,
        "mixed": _mixed,
    }[options.scheme](options)


def _together(options: Options) -> Phase:
    weights = loss_weights(options.weights, options.all_exits)
    return Phase("all together", options.epochs, weights, 0, options.blocks)


def _backbone(options: Options) -> Phase:
    return Phase("backbone", options.epochs, {options.blocks: 1.0}, 0, options.blocks)


def _joint(options: Options) -> list[Phase]:
    return [_together(options)]


def _separate(options: Options) -> list[Phase]:
    """Heads on a frozen backbone share no weight, so one pass trains each as if alone."""
    early = dict.fromkeys(options.all_exits[:-1], 1.0)
    last = max(early)
    return [_backbone(options), Phase("heads alone", options.head_epochs, early, last, last)]


def _progressive(options: Options) -> list[Phase]:
    steps = zip((0, *options.all_exits), options.all_exits, strict=False)
    return [
        Phase(f"blocks {before + 1} to {block}", options.stage_epochs, {block: 1.0}, before, block)
        for before, block in steps
    ]


def _independent(options: Options) -> list[Phase]:
    return [
        Phase(f"path to {block}", options.epochs, {block: 1.0}, 0, block, path)
        for path, block in enumerate(options.all_exits)
    ]


def _mixed(options: Options) -> list[Phase]:
    return [_backbone(options), _together(options)]
