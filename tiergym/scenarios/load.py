"""`load_scenario`: from a name, a YAML file or a mapping to a compiled `Scenario`."""

from __future__ import annotations

import copy
import hashlib
import json
import math
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, cast

import numpy as np

from tiergym.errors import InvalidInput
from tiergym.fields import closest, read_yaml, text
from tiergym.links import AutoregressiveBandwidth, TraceBandwidth
from tiergym.scenarios.build import build_system, watts_known
from tiergym.scenarios.capacity import background_rate, capacity_of, queueing_nodes
from tiergym.scenarios.draw import Models, Stream
from tiergym.scenarios.outlook import outlook_of
from tiergym.scenarios.plain import anchored, file_of, plain_mapping
from tiergym.scenarios.read import read_scenario
from tiergym.scenarios.scenario import Scenario
from tiergym.scenarios.selecting import check_selecting
from tiergym.scenarios.spec import ScenarioSpec
from tiergym.scenarios.system import System
from tiergym.shipped import data_folder, is_path, shipped_names
from tiergym.workload import Arrivals, Replay

FEWEST_TASKS = 20.0
"""Least expected number of tasks, where arrivals are random."""
MOST_TASKS = 2e7
MOST_STEPS = 2e8
"""Most numbers that one draw may work through."""
EMPTY_CHANCE = 0.01
"""Most probability of a window without a task; such a draw is drawn again."""
HORIZON_WINDOWS = 2.0
"""Bandwidth is drawn for this many windows, since queues drain after the last arrival."""


def scenario_names() -> list[str]:
    """Names of the shipped scenarios, sorted."""
    return shipped_names("scenarios")


def load_scenario(given: Scenario | str | Path | Mapping[str, Any] | object) -> Scenario:
    """The scenario that ``given`` stands for.

    Args:
        given: a shipped scenario's name, the path of a YAML file, a mapping of the same shape (of
            plain values, arrays or OmegaConf nodes), or a `Scenario`, which is returned as it is.
            Paths in a YAML file are relative to it, else to the working folder.

    Raises:
        InvalidInput: naming the dotted field, what was given and what is allowed.
    """
    if isinstance(given, Scenario):
        return given
    if isinstance(given, Mapping):
        return _from_mapping(cast(Mapping[object, object], given), Path.cwd(), None)
    if isinstance(given, Path) or (isinstance(given, str) and is_path(given)):
        return _from_file(Path(given))
    return _shipped(text("scenario", given))


@cache
def _shipped(name: str) -> Scenario:
    names = scenario_names()
    if name not in names:
        allowed = f"one of {', '.join(names)}, or the path of a YAML file{closest(name, names)}"
        raise InvalidInput("scenario", name, allowed)
    return _from_file(data_folder("scenarios") / f"{name}.yaml")


def _from_file(path: Path) -> Scenario:
    given = read_yaml(path, "scenario")
    if not isinstance(given, Mapping):
        raise InvalidInput("scenario", str(path), "a YAML file that holds a mapping")
    return _from_mapping(cast(Mapping[object, object], given), path.absolute().parent, path.stem)


def _from_mapping(given: Mapping[object, object], folder: Path, stem: str | None) -> Scenario:
    config = plain_mapping("", given)
    if stem is not None:
        config.setdefault("name", stem)
    fingerprint = _fingerprint(config, folder)
    config = cast(dict[str, object], anchored(config, folder))
    return _compiled(read_scenario(copy.deepcopy(config)), config, fingerprint)


def _fingerprint(config: dict[str, object], folder: Path) -> str:
    """Hash of the configuration with the contents of files in place of their paths."""

    def contents(value: object) -> object:
        if isinstance(value, dict):
            items = cast(dict[str, object], value).items()
            return {key: contents(item) for key, item in items}
        if isinstance(value, list):
            return [contents(item) for item in cast(list[object], value)]
        if isinstance(value, int) and not isinstance(value, bool):
            return float(value)
        file = file_of(value, folder) if isinstance(value, str) else None
        return value if file is None else hashlib.sha256(file.read_bytes()).hexdigest()

    content = json.dumps(contents(config), sort_keys=True)
    return hashlib.sha256(content.encode("utf-8", "surrogatepass")).hexdigest()


def _compiled(spec: ScenarioSpec, config: dict[str, object], fingerprint: str) -> Scenario:
    system = build_system(spec)
    _check_schedule(spec, system)
    capacity = capacity_of(spec, system)
    rate = spec.arrivals.tasks_per_second(capacity.total)
    window = _window(spec, rate)
    _check_arrivals(spec.arrivals, rate, window)
    _check_links(spec, window)
    if spec.selecting is not None:
        check_selecting(spec.selecting, HORIZON_WINDOWS * window, MOST_TASKS)
    return Scenario(
        name=spec.name,
        version=spec.version,
        description=spec.description,
        problem=spec.problem,
        window=window,
        rate=rate,
        system=system,
        schedule_node=spec.schedule,
        capacity=capacity,
        models=_models(spec, system, rate, window),
        watts_known=watts_known(spec),
        config=config,
        fingerprint=fingerprint,
        outlook=outlook_of(spec),
    )


def _check_schedule(spec: ScenarioSpec, system: System) -> None:
    reached = queueing_nodes(spec, system)
    if spec.schedule not in reached:
        names = ", ".join(spec.nodes[node].name for node in reached)
        allowed = f"a node whose queue some task reaches: {names}"
        raise InvalidInput("schedule", spec.nodes[spec.schedule].name, allowed)


def _window(spec: ScenarioSpec, rate: float) -> float:
    """As given, or from the expected number of tasks, or the whole of a trace."""
    if spec.window is not None:
        return spec.window
    if spec.tasks is not None:
        return spec.tasks / rate
    process = spec.arrivals.process
    assert isinstance(process, Replay)
    trace = process.trace
    after = trace.period / len(trace.times)
    return trace.period if process.random_start else float(trace.times[-1]) + after


def _check_arrivals(arrivals: Arrivals, rate: float, window: float) -> None:
    """Refuse a scenario that could draw no task, or too many to hold."""
    expected = rate * window
    once = isinstance(arrivals.process, Replay) and not arrivals.process.random_start
    if not (expected >= FEWEST_TASKS or once) or not expected <= MOST_TASKS:
        allowed = f"{FEWEST_TASKS:g} to {MOST_TASKS:g} expected tasks: rate times window"
        raise InvalidInput("arrivals", f"{expected:g} expected tasks", allowed)
    steps = arrivals.process.steps(rate, window)
    if not steps <= MOST_STEPS:
        allowed = f"at most {MOST_STEPS:g} arrivals and changes of state in a window"
        raise InvalidInput("arrivals", f"{steps:g}", allowed)
    chance = arrivals.process.empty_chance(rate, window)
    if not chance <= EMPTY_CHANCE:
        allowed = "a longer window: this one could pass without a task"
        raise InvalidInput("window", window, f"{allowed} (probability {chance:.2g})")


def _check_links(spec: ScenarioSpec, window: float) -> None:
    """Refuse a bandwidth that changes more often than can be held."""
    for link in spec.links:
        process = link.profile.bandwidth
        seconds = process.step if isinstance(process, AutoregressiveBandwidth) else math.inf
        if isinstance(process, TraceBandwidth):
            seconds = process.duration / len(process.start)
        if not HORIZON_WINDOWS * window / seconds <= MOST_TASKS:
            allowed = f"at most {MOST_TASKS:g} changes in {HORIZON_WINDOWS:g} windows"
            raise InvalidInput(f"{link.field}.bandwidth", f"{seconds:g} s a change", allowed)


def _models(spec: ScenarioSpec, system: System, rate: float, window: float) -> Models:
    selecting = spec.selecting
    own = Stream(
        process=spec.arrivals.process,
        rate=rate,
        node=spec.origin,
        first_network=0,
        popularity=spec.popularity(),
        charged=True,
        nodes=1 if selecting is None else selecting.terminals,
    )
    others = [
        Stream(
            process=entry.arrivals.process,
            rate=background_rate(spec, system, index),
            node=entry.node,
            first_network=len(spec.networks) + index,
            popularity=np.ones(1),
            charged=False,
        )
        for index, entry in enumerate(spec.background)
    ]
    return Models(
        window=window,
        horizon=HORIZON_WINDOWS * window,
        streams=(own, *others),
        allowed=np.array([network.deadline for network, _, _ in spec.routes]),
        samples=system.network_samples,
        jitter_cv=np.array([node.profile.jitter_cv for node in spec.nodes]),
        bandwidth=tuple(link.profile.bandwidth for link in spec.links),
        covering=None if selecting is None else selecting.covering,
    )
