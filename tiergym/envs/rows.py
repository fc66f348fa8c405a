"""Rows of episodes: what each plays, how it is drawn, copied and summed up. For every problem."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tiergym.engine import Simulation, TaskLog
from tiergym.engine import Snapshot as RowSnapshot
from tiergym.engine.metrics import metrics_of
from tiergym.engine.redrawing import redraw
from tiergym.engine.simulation import check_reports
from tiergym.errors import InvalidInput
from tiergym.scenarios import (
    Instance,
    Scenario,
    load_scenario,
    load_split,
    scenario_names,
    split_names,
)


@dataclass(frozen=True, eq=False)
class Snapshot:
    """An episode at one moment: its simulation, true future included, and its instance.

    Attributes:
        simulation: the state.
        instance: what is being played.
        scenario: name of its scenario.
    """

    simulation: RowSnapshot
    instance: Instance
    scenario: str


class Rows:
    """Episodes of one problem, a row each, over one `Simulation`.

    Args:
        problem: the problem that the scenarios must belong to.
        scenario: name of a split or of a scenario, a mapping, a `Scenario`, or several of those.
        rows: number of rows.
        claims: the kind of decision that the caller takes: ``schedule``, ``place`` or
            ``select``.

    Raises:
        InvalidInput: for an unknown name, a scenario of another problem, or a wrong field.
    """

    def __init__(self, problem: str, scenario: Any, rows: int, claims: str) -> None:
        self.scenarios = resolve(problem, scenario)
        systems = [s.system for s in self.scenarios]
        if claims != "schedule":
            own = {"places": claims == "place", "selects": claims == "select"}
            self.simulation = Simulation(systems, rows, **own)
        else:
            nodes = [s.schedule_node for s in self.scenarios]
            self.simulation = Simulation(systems, rows, nodes)
        self.instances: list[Instance | None] = [None] * rows

    def begin(self, row: int, np_random: np.random.Generator, options: Mapping[str, Any]) -> None:
        """Draw or take an instance and load it into ``row``; nothing of it has run yet.

        Raises:
            InvalidInput: for unknown options, or an instance that does not suit the scenario.
        """
        unknown = set(options) - {"instance", "scenario"}
        if unknown:
            raise InvalidInput("options", sorted(map(str, unknown)), "instance, scenario")
        given = options.get("instance")
        index = self._scenario_index(options.get("scenario"), np_random, given is not None)
        if given is None:
            instance = self.scenarios[index].draw(np_random)
            check_reports(self.scenarios[index].system, instance)
        elif isinstance(given, Instance):
            instance = given
            self.simulation.check(instance, index)
        else:
            raise InvalidInput("options.instance", given, "a tiergym.Instance")
        self.simulation.load(row, instance, index)
        self.instances[row] = instance

    def _scenario_index(self, name: Any, np_random: np.random.Generator, given: bool) -> int:
        names = [s.name for s in self.scenarios]
        if name is not None:
            if name not in names:
                raise InvalidInput("options.scenario", name, ", ".join(names))
            return names.index(name)
        if len(names) == 1:
            return 0
        if given:
            raise InvalidInput(
                "options.scenario", None, "the instance's one of " + ", ".join(names)
            )
        return int(np_random.integers(len(names)))

    def scenario_of(self, row: int) -> Scenario:
        """The scenario that ``row`` plays."""
        return self.scenarios[int(self.simulation.system_of[row])]

    def metrics(self, row: int) -> dict[str, float]:
        """`metrics_of` the row."""
        scenario = self.scenario_of(row)
        simulation = self.simulation
        base = int(simulation.base[row])
        return metrics_of(
            simulation.buffer,
            base,
            simulation.models,
            scenario.system,
            scenario.schedule_node,
            scenario.watts_known,
        )

    def log(self, row: int) -> TaskLog:
        """The tasks of ``row`` so far.

        Raises:
            InvalidInput: before the first reset.
        """
        self.begun(row)
        return self.simulation.log(row)

    def snapshot(self, row: int) -> Snapshot:
        """A copy of the episode in ``row``: bytes that can be kept and pickled.

        Raises:
            InvalidInput: before the first reset.
        """
        instance = self.begun(row)
        return Snapshot(self.simulation.snapshot(row), instance, self.scenario_of(row).name)

    def restore(
        self, row: int, snapshot: Snapshot, future: np.random.Generator | None = None
    ) -> None:
        """Continue ``snapshot`` in ``row``; with ``future``, under a newly drawn future.

        Raises:
            InvalidInput: for anything but a snapshot of a scenario that is played here, and a
                generator.
        """
        _check_kinds(snapshot, future)
        self.simulation.restore(row, snapshot.simulation)
        instance = snapshot.instance
        if future is not None:
            instance = redraw(self.simulation, row, instance, self.scenario_of(row), future)
        self.instances[row] = instance

    def begun(self, row: int) -> Instance:
        """The instance that ``row`` plays.

        Raises:
            InvalidInput: before the first reset.
        """
        instance = self.instances[row]
        if instance is None:
            raise InvalidInput("row", row, "a row that has been reset")
        return instance


def _check_kinds(snapshot: Any, future: Any) -> None:
    if not isinstance(snapshot, Snapshot):
        raise InvalidInput("snapshot", snapshot, "what snapshot() returned")
    if not (future is None or isinstance(future, np.random.Generator)):
        raise InvalidInput("future", future, "a numpy.random.Generator, or None")


def resolve(problem: str, scenario: Any) -> tuple[Scenario, ...]:
    """The scenarios that an environment's ``scenario`` argument names.

    Raises:
        InvalidInput: see `Rows`.
    """
    given = _several(scenario)
    if not given:
        raise InvalidInput("scenario", scenario, "at least one scenario")
    splits = split_names(problem)
    loaded: list[Scenario] = []
    for one in given:
        if isinstance(one, str) and one in splits:
            loaded += load_split(problem, one)
        else:
            loaded.append(_load(one, splits))
    for one in loaded:
        if one.problem != problem:
            raise InvalidInput("scenario", one.name, f"a scenario of the problem {problem}")
    return tuple(loaded)


def _several(scenario: Any) -> list[Any]:
    """The entries of any kind of sequence (a list, an array, a node of a configuration)."""
    if isinstance(scenario, str | Mapping | Scenario) or not hasattr(scenario, "__iter__"):
        return [scenario]
    return list(scenario)


def _load(one: Any, splits: Sequence[str]) -> Scenario:
    try:
        return load_scenario(one)
    except InvalidInput as error:
        if isinstance(one, Mapping | Scenario) or error.given != one:
            raise
        close = difflib.get_close_matches(str(one), [*splits, *scenario_names()], 1)
        hint = f" (did you mean {close[0]!r}?)" if close else ""
        allowed = f"a split ({', '.join(splits)}), the name or file of a scenario, a mapping{hint}"
        raise InvalidInput("scenario", one, allowed) from error
