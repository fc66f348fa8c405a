"""Instances that a user writes: plain arrays with defaults for what is left out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from tiergym.errors import InvalidInput
from tiergym.fields import number
from tiergym.links import parse_bandwidth
from tiergym.scenarios.draw import Models, TaskColumns, assembled
from tiergym.scenarios.instance import Coverage, Instance, check_instance
from tiergym.scenarios.system import Floats, System
from tiergym.scenarios.words import choice


def instance_by_hand(
    system: System, models: Models, arrival: object, given: Mapping[str, Any]
) -> Instance:
    """See `Scenario.instance`.

    Raises:
        InvalidInput: naming the array.
    """
    times = _column("arrival", arrival, np.float64, None)
    tasks = len(times)
    network = _column("network", _indices(system.network_names, "network", given), np.int64, tasks)
    columns = TaskColumns(
        arrival=times,
        origin=_column("origin", _origin(system, models, given, tasks), np.int64, tasks),
        network=network,
        sample=_column("sample", given["sample"], np.int64, tasks),
        deadline=_deadline(models, times, network, given["deadline"]),
        charged=_column("charged", given["charged"], np.bool_, tasks),
    )
    instance = assembled(
        _window(models, times, given["window"]),
        columns,
        _jitter(system, given["jitter"]),
        _pieces(system, models, given["bandwidth"]),
        _coverage(models, given["coverage"]),
    )
    check_instance(system, instance)
    return instance


def _column(name: str, value: Any, dtype: Any, tasks: int | None) -> NDArray[Any]:
    """``value`` as an array with one entry a task; one value stands for all."""
    try:
        column = np.array(value)
        column = column.astype(dtype, casting="same_kind" if column.size else "unsafe")
        if tasks is not None:
            column = np.array(np.broadcast_to(column, (tasks,)))
    except (TypeError, ValueError):
        kind = f"one value, or {tasks}, one per task" if tasks is not None else "a list of seconds"
        raise InvalidInput(f"instance.{name}", value, kind) from None
    if column.ndim != 1:
        raise InvalidInput(f"instance.{name}", column.shape, "one dimension")
    return column


def _indices(names: tuple[str, ...], key: str, given: Mapping[str, Any]) -> Any:
    """Indices as they are; names become indices."""
    value = given[key]
    if isinstance(value, str):
        return names.index(choice(f"instance.{key}", value, names))
    if isinstance(value, (list, tuple)):
        items = cast(list[object], value)
        return [
            names.index(choice(f"instance.{key}[{k}]", item, names))
            if isinstance(item, str)
            else item
            for k, item in enumerate(items)
        ]
    return value


def _origin(system: System, models: Models, given: Mapping[str, Any], tasks: int) -> Any:
    own = models.streams[0]
    if given["origin"] is None:
        return own.node + np.arange(tasks) % own.nodes if own.nodes > 1 else own.node
    return _indices(system.node_names, "origin", given)


def _deadline(models: Models, times: Floats, network: NDArray[np.int64], value: Any) -> Floats:
    if value is not None:
        return _column("deadline", value, np.float64, len(times))
    legal = np.clip(network, 0, len(models.allowed) - 1)
    return times + models.allowed[legal]


def _window(models: Models, times: Floats, value: float | None) -> float:
    if value is not None:
        return number("instance.window", value, "seconds", above=0.0)
    return max(models.window, float(times[-1]) if len(times) else 0.0)


def _jitter(system: System, value: Any) -> Floats:
    if value is None:
        return np.ones((system.nodes, 1))
    try:
        return np.array(value, dtype=np.float64)
    except (TypeError, ValueError):
        allowed = f"shape ({system.nodes}, K) of multipliers"
        raise InvalidInput("instance.jitter", value, allowed) from None


def _pieces(
    system: System, models: Models, given: Mapping[str, Any] | None
) -> list[tuple[Floats, Floats]]:
    for name in given or {}:
        choice("instance.bandwidth", name, system.link_names)
    pieces: list[tuple[Floats, Floats]] = []
    for name, process in zip(system.link_names, models.bandwidth, strict=True):
        value = (given or {}).get(name)
        if value is None:
            pieces.append((np.zeros(1), np.array([process.mean()])))
        else:
            pieces.append(_given_pieces(f"instance.bandwidth.{name}", value))
    return pieces


def _coverage(models: Models, value: Coverage | None) -> Coverage | None:
    """As given; else one draw, always the same, in which no edge fails."""
    if value is not None or models.covering is None:
        return value
    steady = replace(models.covering, failing=None)
    return steady.draw(np.random.default_rng(0), models.horizon)


def _given_pieces(field: str, value: Any) -> tuple[Floats, Floats]:
    if isinstance(value, (int, float)):
        mean = parse_bandwidth(field, value).mean()
        return np.zeros(1), np.array([mean])
    try:
        rows: NDArray[Any] = np.array(value, dtype=np.float64)
    except (TypeError, ValueError):
        rows = np.empty(0)
    if rows.ndim != 2 or rows.shape[1] != 2:
        raise InvalidInput(field, value, "Mbit/s, or [[seconds, Mbit/s], ...]")
    return rows[:, 0].copy(), rows[:, 1] * 1e6
