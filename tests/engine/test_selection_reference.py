"""The compiled engine's `attach` and `move` decisions agree with the SimPy reference.

Equal to the last bit are the times, terminals and kinds of all decisions, the edges that are legal
at each, what the terminal knows of its own tasks, the reports that it sees, what became of every
task, the number of events, and all totals.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tests.engine.side_by_side import Replay, SideBySide
from tests.reference.clock import Kind
from tests.reference.hand_selecting import INSTANT, SECOND, HandField, reach, staying
from tests.reference.random_numbers import grid_or_continuous
from tests.reference.random_selection import (
    failing_at,
    instance_without_failures,
    random_selection_case,
)
from tests.reference.random_systems import Case
from tests.reference.records import (
    ATTACH,
    MOVE,
    NO_EDGE,
    Report,
    Result,
    SelectDecision,
    SelectView,
)
from tests.reference.selecting import Select
from tests.reference.simulator import simulate
from tiergym import engine
from tiergym.engine import DECIDING, Simulation
from tiergym.engine.compiling import compiled
from tiergym.engine.layout import KEPT_REPORTS, NONE, SEEN_REPORTS
from tiergym.engine.nodes import backlog_seconds
from tiergym.engine.selecting import busy_share, in_range, kept_report, visible
from tiergym.engine.views import edge_at, head, model, node_at, open_world
from tiergym.scenarios.instance import Coverage

CASES = 300
FIELDS = 7
"""Of a `Report`."""


@compiled
def _write_legal(rows: Any, base: int, models: Any, legal: Any) -> None:
    w = open_world(rows, base, models)
    for e in range(len(legal)):
        legal[e] = in_range(w, head(w).turn, e)


@compiled
def _write_seen(rows: Any, base: int, models: Any, e: int, out: Any) -> int:
    """Write the reports of edge ``e`` that this terminal sees, newest first; returns how many."""
    w = open_world(rows, base, models)
    if not in_range(w, head(w).turn, e):
        return 0
    if model(w).report_interval == 0.0:
        n = model(w).terminals + e
        out[0, 0], out[0, 1], out[0, 2] = head(w).clock, busy_share(w, n), node_at(w, n).queued
        out[0, 3], out[0, 4], out[0, 5] = backlog_seconds(w, n), node_at(w, n).held, 0.0
        out[0, 6] = edge_at(w, e).attached
        return 1
    back = visible(w, head(w).turn, e)
    if back == NONE:
        return 0
    seen = min(len(out), min(edge_at(w, e).reports, KEPT_REPORTS) - back)
    for j in range(seen):
        report = kept_report(w, e, back + j)
        out[j, 0], out[j, 1], out[j, 2] = report.time, report.utilisation, report.queue
        out[j, 3], out[j, 4], out[j, 5] = report.backlog, report.memory, report.arrivals
        out[j, 6] = report.attached
    return seen


def random_selector(rng: np.random.Generator) -> Select:
    """Take an edge in range at random, or stay, more or less often."""
    staying = rng.choice([0.0, 0.2, 0.7])

    def select(view: SelectView) -> int:
        if view.attached in view.legal and rng.random() < staying:
            return view.attached
        return view.legal[rng.integers(len(view.legal))]

    return select


def played(seed: int, grid: bool, tasks_max: int = 60) -> tuple[Case, Result]:
    """A random case, and what the reference made of it under random choices.

    In every third case edges fail exactly when something else happens, or just before.
    """
    seeds = [seed, grid, tasks_max]
    rng = np.random.default_rng(seeds)
    case = random_selection_case(rng, grid, tasks_max)
    if seed % 3 == 0:
        case = aimed(case, seeds)
    select = random_selector(np.random.default_rng([*seeds, 1]))
    return case, simulate(case.system, case.instance, select=select)


def aimed(case: Case, seeds: Sequence[int]) -> Case:
    """The same case with failures at the times of deliveries, answers and ends of packages."""
    calm = instance_without_failures(case.instance)
    select = random_selector(np.random.default_rng([*seeds, 1]))
    numbers = grid_or_continuous(np.random.default_rng([*seeds, 2]), bool(seeds[1]))
    wanted = (Kind.DELIVERED, Kind.BATCH_DONE, Kind.LINK_FREE)
    events = simulate(case.system, calm, select=select).events
    before = 1 / 64 * numbers.integer(0, 1)
    times = {time - before for time, kind, _ in events if kind in wanted if time > before}
    return failing_at(case, numbers, sorted(times)) if times else case


class SelectReplay(SideBySide[SelectDecision]):
    """Of the `attach` and `move` decisions."""

    def simulation_of(self, case: Case) -> Simulation:
        """A simulation of one row in which the caller selects."""
        return Simulation([case.system], selects=True)

    def decisions(self) -> Sequence[SelectDecision]:
        """Those of `attach` and `move`."""
        return self.expected.selections

    def take(self, decision: SelectDecision) -> int:
        """Choose the same edge; returns the status."""
        return self.simulation.select(self.row, decision.taken)

    def compare_decision(self, number: int, decision: SelectDecision) -> None:
        """Time, terminal, kind, legal edges, own tasks and reports."""
        view = decision.view
        where = f"decision {number} of terminal {view.terminal} at {view.time}"
        assert self.head["clock"] == view.time, where
        assert self.head["turn"] == view.terminal, where
        kind = engine.MOVE if view.kind == MOVE else engine.ATTACH
        assert self.simulation.due(self.row, kind), f"{where}: no {view.kind}"
        assert self.legal() == view.legal, where
        terminal = self.simulation.view(self.row, "terminal")[view.terminal]
        assert terminal["attached"] == view.attached, where
        edges = len(view.reports)
        sent = self.simulation.view(self.row, "unanswered")["value"][view.terminal * edges :]
        assert tuple(sent[:edges].tolist()) == view.unanswered, where
        link = self.simulation.view(self.row, "link")[view.terminal]
        assert link["waiting"] == view.waiting, where
        for edge, reports in enumerate(view.reports):
            self._compare_reports(f"{where}, edge {edge}", edge, reports)

    def _compare_reports(self, where: str, edge: int, wanted: Sequence[Report]) -> None:
        out = np.zeros((SEEN_REPORTS, FIELDS))
        seen = _write_seen(*self._at, edge, out)
        assert seen == len(wanted), where
        for j, report in enumerate(wanted):
            found = Report(*out[j].tolist())
            assert found == report, where

    def legal(self) -> tuple[int, ...]:
        selection = self.case.system.selection
        assert selection is not None
        legal = np.zeros(selection.edges, dtype=np.bool_)
        _write_legal(*self._at, legal)
        return tuple(np.flatnonzero(legal).tolist())

    @property
    def _at(self) -> tuple[Any, int, Any]:
        simulation = self.simulation
        return simulation.buffer, int(simulation.base[self.row]), simulation.models


@pytest.mark.parametrize("part", range(2))
@pytest.mark.parametrize("grid", [True, False])
def test_selections_tasks_and_totals_are_equal(grid: bool, part: int) -> None:
    for seed in range(part * CASES, (part + 1) * CASES):
        try:
            SelectReplay(*played(seed, grid)).compare()
        except AssertionError as error:
            raise AssertionError(f"seed {seed}: {error}") from error


@pytest.mark.parametrize("grid", [True, False])
def test_terminals_attach_to_the_nearest_edge_where_nobody_decides(grid: bool) -> None:
    for seed in range(CASES // 2):
        case = random_selection_case(np.random.default_rng([seed, grid, 7]), grid)
        try:
            Replay(case, simulate(case.system, case.instance)).compare()
        except AssertionError as error:
            raise AssertionError(f"seed {seed}: {error}") from error


def test_many_tasks_are_equal() -> None:
    for seed in range(20):
        SelectReplay(*played(seed, grid=False, tasks_max=600)).compare()


def test_a_restored_snapshot_goes_on_as_if_nothing_had_been_tried() -> None:
    for seed in range(1000, 1020):
        replay = SelectReplay(*played(seed, grid=seed % 2 == 0))
        for number in replay.steps():
            before = replay.simulation.snapshot(0)
            legal = replay.decisions()[number].view.legal
            status = replay.simulation.select(0, legal[-1])
            if status == DECIDING:
                replay.simulation.select(0, replay.legal()[0])
            replay.simulation.restore(0, before)


def reached(case: Case, result: Result) -> Counter[str]:
    """How often a run comes to what the cases are drawn for."""
    views = [decision.view for decision in result.selections]
    selection, kinds = case.system.selection, Counter(kind for _, kind, _ in result.events)
    assert selection is not None
    mark, interval = selection.overload_mark, selection.report_interval
    moves = [v.reports[v.attached][0] for v in views if v.kind == MOVE]
    newest = [r[0] for v in views for r in v.reports if r]
    ages = [v.time - r[0].time for v in views for r in v.reports if r]
    return Counter(
        attaches=sum(view.kind == ATTACH for view in views),
        moves=len(moves),
        silent=sum(report.utilisation < mark for report in moves),
        switches=sum(d.taken != d.view.attached >= 0 for d in result.selections),
        left_range=sum(0 <= v.attached not in v.legal for v in views),
        freed=sum(v.attached == NO_EDGE and v.time > 0 for v in views[selection.terminals :]),
        out_of_range=sum(len(v.legal) < selection.edges for v in views),
        unseen=sum(not v.reports[e] for v in views for e in v.legal),
        fresh=sum(interval == 0 and report.queue > 0 for report in newest),
        late=sum(0 < 2 * interval < age for age in ages),
        lost=kinds[Kind.TIMEOUT],
        fetched=kinds[Kind.FETCHED],
        refused=sum(task.refused and task.charged for task in result.tasks),
        others_refused=sum(task.refused and not task.charged for task in result.tasks),
        overtaken=overtaken(case, result),
    )


def overtaken(case: Case, result: Result) -> int:
    """Packages delivered after later ones of their terminal, where that shows from the events."""
    coverage, links = case.instance.coverage, case.system.links
    assert coverage is not None
    if coverage.failure_edge.size or case.system.route_p1.any():
        return 0
    count, last = 0, Counter[int]()
    for _, kind, index in result.events:
        if kind == Kind.DELIVERED and index >= links:
            origin = result.tasks[index - links].origin
            count += index < last[origin]
            last[origin] = max(last[origin], index)
    return count


@pytest.mark.parametrize("grid", [True, False])
def test_the_cases_reach_what_they_are_drawn_for(grid: bool) -> None:
    total = sum((reached(*played(seed, grid)) for seed in range(200)), Counter[str]())
    assert len(total) == 15
    assert min(total.values()) >= 5, total


def compare_hand(field: HandField, coverage: Coverage, arrival: list[float], **given: Any) -> None:
    """Compare a small case."""
    case = Case(field.system(), field.instance(coverage, arrival, **given), None, (1,))
    SelectReplay(case, simulate(case.system, case.instance, select=staying)).compare()


def test_a_down_edge_counts_what_came_to_it() -> None:
    field = HandField(uplink=INSTANT, terms={"attach_every": 0.0, "report_interval": 2.0})
    compare_hand(field, reach([[0.0]], failures=[(0, 0.5, 1.5)]), [1.0, 3.0])


def test_reports_go_on_until_the_last_task_has_left() -> None:
    field = HandField([replace(SECOND, laws={(0, 0): [3.0]})], uplink=INSTANT)
    field = replace(field, terms={"report_interval": 1.0})
    compare_hand(field, reach([[0.0]]), [1.0], window=0.5)


def test_decisions_of_one_time_are_taken_before_anything_that_is_sent_leaves() -> None:
    field = HandField(terminals=3, uplink=INSTANT, terms={"attach_every": 0.0})
    compare_hand(field, reach([[0.0]] * 3), [0.0] * 4, origin=[2, 0, 0, 1])
