"""Plays one case in the SimPy reference, replays its decisions in the engine, compares the two.

The reference goes first, with random legal actions. The engine then has to ask at the same times,
offer the same legal actions and show the same state, and to end with the same tasks and totals.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Generic, Protocol, TypeVar

import numpy as np

from tests.reference.random_systems import Case
from tests.reference.records import RUN, UPLOAD, WAIT, Action, Decision, Result, View
from tests.reference.simulator import Decide, simulate
from tiergym import engine
from tiergym.engine import DECIDING, ENDED, NOBODY, Simulation
from tiergym.engine.compiling import compiled
from tiergym.engine.views import open_world
from tiergym.envs.task_scheduling.actions import action_count, write_mask

KINDS = {WAIT: engine.WAIT, RUN: engine.RUN, UPLOAD: engine.UPLOAD}


@compiled
def _write_mask(rows: Any, base: int, models: Any, mask: Any, slots: int, sizes: Any) -> None:
    write_mask(open_world(rows, base, models), mask, 0, slots, sizes)


def random_decider(rng: np.random.Generator) -> Decide:
    """Take a legal action at random: waiting, or else running or uploading, about as often."""

    def decide(view: View) -> Action:
        kinds = sorted({action.kind for action in view.legal})
        kind = kinds[rng.integers(len(kinds))]
        choices = [action for action in view.legal if action.kind == kind]
        return choices[rng.integers(len(choices))]

    return decide


def slots_of(case: Case) -> list[int]:
    """Groups that can queue at the claimed node, in their order."""
    if case.claimed is None:
        return []
    return np.flatnonzero(case.system.stage_row[case.claimed] >= 0).tolist()


def claimed_of(case: Case) -> int:
    """The claimed node as the engine writes it."""
    return NOBODY if case.claimed is None else case.claimed


def reference_of(case: Case, rng: np.random.Generator) -> Result:
    """Run the reference under random legal actions."""
    decide = random_decider(rng)
    slots = slots_of(case)
    return simulate(case.system, case.instance, case.claimed, decide, case.sizes, slots)


class Dated(Protocol):
    """A decision of either kind."""

    @property
    def time(self) -> float:
        """Seconds."""
        ...


Taken = TypeVar("Taken", bound=Dated)


class SideBySide(Generic[Taken]):
    """Leads one row of a simulation through the decisions of a reference run.

    Args:
        case: what is played.
        expected: what the reference made of it.
        simulation: the engine; one of a single row is made unless given.
        row: the row that is used.
        system: index of the case's system in ``simulation``.
    """

    def __init__(
        self,
        case: Case,
        expected: Result,
        simulation: Simulation | None = None,
        row: int = 0,
        system: int = 0,
    ) -> None:
        self.case, self.expected = case, expected
        self.simulation = simulation or self.simulation_of(case)
        self.row, self.system = row, system

    def simulation_of(self, case: Case) -> Simulation:
        """A simulation of one row in which the caller takes the same decisions."""
        raise NotImplementedError

    def decisions(self) -> Sequence[Taken]:
        """The decisions of the reference that are replayed."""
        raise NotImplementedError

    def take(self, decision: Taken) -> int:
        """Carry out what the reference took; returns the status."""
        raise NotImplementedError

    def compare_decision(self, number: int, decision: Taken) -> None:
        """Assert that what is shown at a decision is equal."""
        raise NotImplementedError

    def compare(self) -> None:
        """Play the whole case, asserting equality to the last bit at every step."""
        for _ in self.steps():
            pass

    def steps(self) -> Iterator[int]:
        """The same, pausing with the number of each decision before it is taken."""
        assert self.simulation.slots[self.system] == slots_of(self.case)
        status = self.simulation.start(self.row, self.case.instance, self.system)
        for number, decision in enumerate(self.decisions()):
            assert status == DECIDING, f"decision {number} at {decision.time} is not asked for"
            self.compare_decision(number, decision)
            yield number
            status = self.take(decision)
        assert status == ENDED, f"asks once more at {self.head['clock']}"
        self._compare_tasks()
        self._compare_totals()

    @property
    def head(self) -> Any:
        """The engine's record of its row."""
        return self.simulation.head(self.row)

    def _compare_tasks(self) -> None:
        log = self.simulation.log(self.row)
        for name, other in (
            ("arrival", "arrival"),
            ("first_start", "first_start"),
            ("finish", "left"),
            ("exit_block", "exit_block"),
            ("tier", "tier"),
            ("correct", "correct"),
            ("refused", "refused"),
            ("pre_uploaded", "pre_uploaded"),
        ):
            wanted = [getattr(task, other) for task in self.expected.tasks]
            np.testing.assert_array_equal(getattr(log, name), wanted, err_msg=name)

    def _compare_totals(self) -> None:
        head, totals = self.head, self.expected.totals
        assert head["clock"] == self.expected.end
        assert head["handled"] == len(self.expected.events)
        assert head["decisions"] == len(self.decisions())
        assert head["task_seconds"] == totals.task_seconds
        assert head["joules"] == totals.joules
        # The engine counts refusals once; the cost adds them to both (design: "a wrong answer and
        # a missed deadline").
        refused = int(head["refused"])
        assert refused == totals.refused
        assert head["late"] + refused == totals.late
        assert head["wrong"] + refused == totals.wrong
        node = self.simulation.view(self.row, "node")
        assert node["batches"].tolist() == totals.batches
        assert node["held"].tolist() == self.expected.held
        assert head["loads"] == sum(totals.loads)
        assert self.simulation.view(self.row, "link")["packages"].tolist() == totals.packages


class Replay(SideBySide[Decision]):
    """Of the decisions at a claimed node."""

    def simulation_of(self, case: Case) -> Simulation:
        """A simulation of one row in which the node is claimed."""
        return Simulation([case.system], claimed=claimed_of(case))

    def decisions(self) -> Sequence[Decision]:
        """Those at the claimed node."""
        return self.expected.decisions

    def legal(self) -> tuple[Action, ...]:
        """The engine's legal actions, from its mask."""
        simulation, sizes = self.simulation, np.array(self.case.sizes, dtype=np.int64)
        slots = len(slots_of(self.case)) + 2
        mask = np.full(action_count(slots, len(sizes)), 7, dtype=np.int8)
        base = int(simulation.base[self.row])
        _write_mask(simulation.buffer, base, simulation.models, mask, slots, sizes)
        assert set(mask.tolist()) <= {0, 1}
        actions = [Action(WAIT)] + [
            Action(kind, slot, size)
            for kind in (RUN, UPLOAD)
            for slot in range(slots)
            for size in range(len(sizes))
        ]
        return tuple(action for action, legal in zip(actions, mask, strict=True) if legal)

    def compare_decision(self, number: int, decision: Decision) -> None:
        """Time, legal actions, queues and what the node knows."""
        where = f"decision {number} at {decision.time}"
        assert self.head["clock"] == decision.time, where
        assert self.legal() == decision.legal, where
        node = self.simulation.view(self.row, "node")[self.case.claimed]
        lengths = self.simulation.view(self.row, "queue")["length"]
        first = int(self.case.claimed or 0) * self.case.system.groups
        queued = tuple(int(lengths[first + group]) for group in slots_of(self.case))
        assert queued == decision.view.queue_length, where
        assert node["held"] == decision.view.held, where
        assert node["idle"] == decision.view.idle_executors, where
        if decision.view.told is not None:
            assert (node["told_backlog"], node["told_at"]) == decision.view.told, where

    def take(self, decision: Decision) -> int:
        """Carry out what the reference took; returns the status."""
        action, view = decision.taken, decision.view
        if action.kind == WAIT:
            return self.simulation.decide(self.row, engine.WAIT)
        group = slots_of(self.case)[action.slot]
        count = min(view.queue_length[action.slot], self.case.sizes[action.size])
        if action.kind == RUN:
            count = min(count, int(self.case.system.node_batch_max[view.node]))
        return self.simulation.decide(self.row, KINDS[action.kind], group, count)
