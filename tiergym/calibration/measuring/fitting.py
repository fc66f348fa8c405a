"""From seconds of stages to base, blocks and heads; and how well these predict what was left out.

For one batch size, the seconds of a stage are taken to be ``base + sum of its blocks + head``
(`tiergym.devices.stage_seconds`). The parts are fitted to all stages that were timed, by least
squares of the relative error with no part below zero. Stages as tiers run them, with a head,
decide; those without one, and heads alone, weigh little: they only tell the parts from each other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tiergym.calibration.least_squares import non_negative_fit
from tiergym.calibration.measuring.subjects import Stage
from tiergym.errors import InvalidInput

Floats = NDArray[np.float64]

SLIGHT = 0.1
"""Weight of what no tier runs."""


@dataclass(frozen=True, eq=False)
class Parts:
    """Seconds of the parts of a network at one batch size.

    Attributes:
        base: of every stage run.
        blocks: float64[L].
        heads: by block.
    """

    base: float
    blocks: Floats
    heads: dict[int, float]

    def seconds(self, stage: Stage) -> float:
        """Of a stage."""
        run = float(self.blocks[stage.start : stage.end].sum())
        return self.base + run + (self.heads[stage.end] if stage.head else 0.0)


def fit_parts(stages: Sequence[Stage], seconds: Floats, blocks: int, heads: Sequence[int]) -> Parts:
    """The parts whose sums come nearest to the seconds of the stages.

    Args:
        stages: timed; every block and head has to be in some of them.
        seconds: float64, of each.
        blocks: L.
        heads: blocks with a head, rising.

    Raises:
        InvalidInput: if some block or head was never timed, or a time is not above zero.
    """
    if not (np.isfinite(seconds).all() and (seconds > 0.0).all()):
        raise InvalidInput("seconds", float(np.min(seconds)), "finite seconds > 0")
    design = np.zeros((len(stages), 1 + blocks + len(heads)))
    for row, stage in enumerate(stages):
        design[row, 0] = 1.0
        design[row, 1 + stage.start : 1 + stage.end] = 1.0
        if stage.head:
            design[row, 1 + blocks + list(heads).index(stage.end)] = 1.0
    if not design.any(axis=0).all():
        missing = np.flatnonzero(~design.any(axis=0)).tolist()
        raise InvalidInput("stages", missing, "stages with every block and every head")
    weight = np.array([1.0 if is_served(stage) else SLIGHT for stage in stages])
    found = non_negative_fit(design, seconds, weight)
    return Parts(
        base=float(found[0]),
        blocks=found[1 : 1 + blocks],
        heads={block: float(found[1 + blocks + k]) for k, block in enumerate(heads)},
    )


def is_served(stage: Stage) -> bool:
    """Whether a tier may run this: blocks with a head."""
    return stage.head and stage.end > stage.start


def mean_error(predicted: Floats, measured: Floats) -> float:
    """Mean absolute relative error (MAPE, as a share)."""
    return float(np.mean(np.abs(predicted / measured - 1.0)))


def errors_of(
    parts: Mapping[int, Parts],
    timed: Mapping[int, Mapping[Stage, float]],
    batches: Sequence[int],
    stages: Sequence[Stage],
) -> float:
    """Mean error over the given stages and batch sizes; NaN without any."""
    pairs = [
        (between(parts, batch, stage), timed[batch][stage]) for batch in batches for stage in stages
    ]
    if not pairs:
        return float("nan")
    predicted, measured = np.array(pairs).T
    return mean_error(predicted, measured)


def between(parts: Mapping[int, Parts], batch: int, stage: Stage) -> float:
    """Seconds of a stage at a batch size between fitted ones: joined linearly, as profiles do."""
    sizes = sorted(parts)
    return float(np.interp(batch, sizes, [parts[size].seconds(stage) for size in sizes]))
