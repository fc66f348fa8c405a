"""Errors of forecasts on series never fitted to, as ratios to those of the last value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from baselines.edge_selection.forecasting.data import Series
from baselines.edge_selection.forecasting.windows import HORIZONS, Floats, Forecaster, cut
from tiergym.evaluation.statistics import LEVEL, Interval

BLOCK = 48
"""Steps in a block: four hours of the recorded loads."""
RESAMPLES = 1000
SEED = 20_250_601
_TINY = 1e-12


class Errors(NamedTuple):
    """Of one forecaster, by horizon; ratios are geometric means over groups."""

    rmse: Floats  # [4] utilisation, root of the mean over groups
    mae: Floats  # [4]
    rmse_ratio: list[Interval]  # to the reference
    mae_ratio: list[Interval]


def measure(
    forecasters: Mapping[str, Forecaster], series: Series, reference: str = "last"
) -> dict[str, Errors]:
    """Errors of each forecaster over the same windows.

    Ratios are taken machine by machine, or scenario by scenario (see `Series`), and their geometric
    mean is told. Intervals are of a block bootstrap: blocks of up to `BLOCK` windows of one series
    are drawn within each machine or scenario, the same for all forecasters.

    Args:
        forecasters: by name.
        series: by name, none of which they were fitted to.
        reference: the forecaster whose errors ratios are relative to.
    """
    draws, groups = np.random.default_rng(SEED), _groups(series)
    sums = {name: [_sums(one, group) for group in groups] for name, one in forecasters.items()}
    counts = [_drawn_counts(len(blocks), draws) for blocks in sums[reference]]
    return {name: _errors(own, sums[reference], counts) for name, own in sums.items()}


def _groups(series: Series) -> list[list[Floats]]:
    found: dict[str, list[Floats]] = {}
    for name, values in series.items():
        found.setdefault(name.partition("/")[0], []).append(values)
    return list(found.values())


def _sums(forecaster: Forecaster, group: Sequence[Floats]) -> Floats:
    """float64[blocks, 4, 3] of all series of a group, see `_block_sums`."""
    parts = [cut(values) for values in group]
    blocks = [_block_sums(forecaster.forecast(windows) - future) for windows, future in parts]
    return np.concatenate(blocks)


def _block_sums(errors: Floats) -> Floats:
    """float64[blocks, 4, 3]: sums of squares, of absolute values, and the number of windows."""
    starts = np.arange(0, len(errors), BLOCK)
    parts = np.stack([errors**2, np.abs(errors), np.ones_like(errors)], axis=2)
    return np.add.reduceat(parts, starts, axis=0)


def _drawn_counts(blocks: int, draws: np.random.Generator) -> Floats:
    """float64[1 + RESAMPLES, blocks], how often each block is drawn; the first row once each."""
    drawn = draws.multinomial(blocks, np.full(blocks, 1.0 / blocks), RESAMPLES)
    return np.concatenate([np.ones((1, blocks)), drawn.astype(np.float64)])


def _errors(own: list[Floats], last: list[Floats], counts: list[Floats]) -> Errors:
    mine, theirs = _means(own, counts), _means(last, counts)
    ratios = np.exp(np.log((mine + _TINY) / (theirs + _TINY)).mean(axis=0))
    rmse, mae = np.sqrt((mine[:, 0, :, 0] ** 2).mean(axis=0)), mine[:, 0, :, 1].mean(axis=0)
    intervals = [[_interval(ratios[:, h, kind]) for h in range(len(HORIZONS))] for kind in range(2)]
    return Errors(rmse, mae, *intervals)


def _means(sums: list[Floats], counts: list[Floats]) -> Floats:
    """float64[groups, 1 + RESAMPLES, 4, 2], RMSE and MAE of each group in each resample."""
    totals = [np.tensordot(c, s, axes=1) for c, s in zip(counts, sums, strict=True)]
    means = np.stack([total[:, :, :2] / total[:, :, 2:] for total in totals])
    means[..., 0] = np.sqrt(means[..., 0])
    return means


def _interval(values: Floats) -> Interval:
    tail = 0.5 * (1.0 - LEVEL)
    low, high = np.quantile(values[1:], [tail, 1.0 - tail])
    return Interval(float(low), float(values[0]), float(high))


def table(title: str, found: Mapping[str, Errors]) -> str:
    """Lines to print: RMSE and MAE by horizon, and their ratios with 95 % intervals."""
    lines = [title]
    for kind, values, ratios in (("RMSE", "rmse", "rmse_ratio"), ("MAE", "mae", "mae_ratio")):
        heads = [f"{'steps ahead: ' + str(steps):>30}" for steps in HORIZONS]
        lines.append(f"  {kind:<11}" + "".join(heads))
        for name, errors in found.items():
            cells = zip(getattr(errors, values), getattr(errors, ratios), strict=True)
            lines.append(f"  {name:<11}" + "".join(_cell(*cell) for cell in cells))
    return "\n".join(lines)


def _cell(value: float, ratio: Interval) -> str:
    told = f"{value:.4f}  {ratio.estimate:.3f} [{ratio.low:.3f}, {ratio.high:.3f}]"
    return f"{told:>30}"
