"""Another future for an instance: what has happened is kept, the rest is drawn anew."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tiergym.scenarios.draw import (
    Models,
    TaskColumns,
    assembled,
    columns,
    draw_jitter,
    merged,
)
from tiergym.scenarios.instance import Coverage, Instance
from tiergym.scenarios.system import Floats


def redraw_instance(
    models: Models,
    np_random: np.random.Generator,
    instance: Instance,
    now: float,
    fixed: NDArray[np.bool_],
) -> Instance:
    """Draw everything that has not happened by ``now``, given what has.

    Args:
        fixed: bool[T], the tasks that have arrived. They come first in the result, unchanged and
            in their order; what arrives later follows.

    Returns:
        Jitter is drawn anew as a whole, and so are the pieces of bandwidth and of coverage that
        begin after ``now``, the failures that do, and the end of those that are not over.
    """
    kept = _kept(instance, fixed)
    while True:
        parts = [
            columns(models, k, _future(models, k, kept, now, np_random), np_random)
            for k in range(len(models.streams))
        ]
        future = merged(parts)
        if kept.charged.any() or future.charged.any() or now >= models.window:
            break
    tasks = _one_after_the_other(kept, future)
    jitter = draw_jitter(models.jitter_cv, len(tasks.arrival), np_random)
    pieces = _pieces(models, np_random, instance, now)
    coverage = _coverage(models, np_random, instance, now)
    return assembled(instance.window, tasks, jitter, pieces, coverage)


def _kept(instance: Instance, fixed: NDArray[np.bool_]) -> TaskColumns:
    return TaskColumns(
        arrival=instance.arrival[fixed],
        origin=instance.origin[fixed],
        network=instance.network[fixed],
        sample=instance.sample[fixed],
        deadline=instance.deadline[fixed],
        charged=instance.charged[fixed],
    )


def _future(
    models: Models, stream: int, kept: TaskColumns, now: float, np_random: np.random.Generator
) -> Floats:
    source = models.streams[stream]
    if now >= models.window:
        return np.empty(0)
    past = kept.arrival if len(models.streams) == 1 else kept.arrival[source.owns(kept.network)]
    return source.process.redraw(np_random, past, now, source.rate, models.window)


def _one_after_the_other(first: TaskColumns, second: TaskColumns) -> TaskColumns:
    return TaskColumns(
        arrival=np.concatenate((first.arrival, second.arrival)),
        origin=np.concatenate((first.origin, second.origin)),
        network=np.concatenate((first.network, second.network)),
        sample=np.concatenate((first.sample, second.sample)),
        deadline=np.concatenate((first.deadline, second.deadline)),
        charged=np.concatenate((first.charged, second.charged)),
    )


def _pieces(
    models: Models, np_random: np.random.Generator, instance: Instance, now: float
) -> list[tuple[Floats, Floats]]:
    offset = instance.piece_offset
    pieces: list[tuple[Floats, Floats]] = []
    for link, process in enumerate(models.bandwidth):
        part = slice(int(offset[link]), int(offset[link + 1]))
        start, bandwidth = instance.piece_start[part], instance.piece_bandwidth[part]
        horizon = max(models.horizon, now)
        pieces.append(process.redraw(np_random, start, bandwidth, now, horizon))
    return pieces


def _coverage(
    models: Models, np_random: np.random.Generator, instance: Instance, now: float
) -> Coverage | None:
    if models.covering is None or instance.coverage is None:
        return None
    horizon = max(models.horizon, now)
    return models.covering.redraw(np_random, instance.coverage, now, horizon)
