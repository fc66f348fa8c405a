"""`attach` and `move` in the reference, on instances worked out by hand."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from tests.reference.clock import Kind
from tests.reference.hand import HandNetwork, HandNode
from tests.reference.hand_selecting import (
    INSTANT,
    SECOND,
    UPLINK,
    HandField,
    asked,
    reach,
    scripted_edges,
    staying,
    views,
)
from tests.reference.records import ATTACH, MOVE, Report, Result
from tests.reference.script import finishes, starts
from tiergym.scenarios.system import EDGE, TERMINAL

TWO = (SECOND, SECOND)
EVERY_TASK = {"attach_every": 0.0}
OVERLOADED = {"moves": True, "overload_mark": 0.0, "report_interval": 1.0}
"""As soon as there is a report."""


# Uploads.


def test_a_package_goes_where_its_terminal_was_attached_when_it_started() -> None:
    coverage = reach([[0.25, 2.0]], [[5.0, math.inf]], starts=[0.0, 0.5])
    result = HandField(TWO).result(coverage, [0.0], scripted_edges(1))
    # On the wire 0-1, then 2 s each way, though the terminal is out of range from 0.5 on.
    assert (starts(result), finishes(result)) == ([3.0], [6.0])
    assert result.totals.batches == [0, 0, 1]


def test_the_first_package_to_another_edge_waits_for_the_new_connection() -> None:
    uplink = replace(UPLINK, watts=2.0, per_package=0.25)
    field = HandField(TWO, uplink=uplink, terms={**EVERY_TASK, "reconnect_seconds": 0.5})
    result = field.result(reach([[0.0, 0.0]]), [0.0] * 4, scripted_edges(0, 1, 1, 0))
    # 0-1.25, 1.75-3, 3-4.25 and 4.75-6; the wire is taken from 0 to 6.
    assert starts(result) == [1.25, 3.0, 4.25, 6.0]
    assert [decision.time for decision in result.selections] == [0.0, 1.25, 3.0, 4.25]
    assert result.totals.joules == 2.0 * 6.0


def test_bandwidth_is_that_after_the_new_connection() -> None:
    uplink = replace(UPLINK, pieces=[(0.0, 1e6), (2.0, 4e6)])
    field = HandField(TWO, uplink=uplink, terms={**EVERY_TASK, "reconnect_seconds": 1.0})
    result = field.result(reach([[0.0, 0.0]]), [0.0, 0.0], scripted_edges(0, 1))
    assert starts(result) == [1.0, 2.25]


def test_packages_to_several_edges_overtake_each_other() -> None:
    result = HandField(TWO, terms=EVERY_TASK).result(
        reach([[10.0, 0.5]]), [0.0] * 2, scripted_edges(0, 1)
    )
    assert (starts(result), finishes(result)) == ([11.0, 2.5], [22.0, 4.0])


def test_of_packages_delivered_together_that_with_the_lowest_first_task_is_first() -> None:
    coverage = reach([[0.5], [1.0]])
    arrival, origin = [0.0, 0.5, 0.5], [1, 0, 0]
    result = HandField(terminals=2).result(coverage, arrival, staying, origin=origin)
    # Task 0 leaves terminal 1 at 1, tasks 1 and 2 leave terminal 0 at 1.5 and 2.5.
    delivered = [(time, index) for time, kind, index in result.events if kind == Kind.DELIVERED]
    assert delivered == [(2.0, 2 + 0), (2.0, 2 + 1), (3.0, 2 + 2)]
    assert starts(result) == [2.0, 3.0, 4.0]


def test_a_decision_shows_what_waits_and_what_is_unanswered_where() -> None:
    uplink = replace(UPLINK, packing=True, package_max=300_000.0)
    field = HandField(TWO, uplink=uplink, terms=EVERY_TASK)
    result = field.result(reach([[0.25, 0.25]]), [0.0] * 3 + [4.25], scripted_edges(0, 1, 0))
    # Two tasks 0-2 to edge 0, one 2-3 to edge 1; their answers are here at 3.5, 4.5 and 4.5.
    assert [view.waiting for view in views(result)] == [3, 1, 1]
    assert [view.unanswered for view in views(result)] == [(0, 0), (2, 0), (1, 1)]


# Which decisions fall due.


@pytest.mark.parametrize(
    ("every", "times"),
    [(math.inf, [0.0]), (0.0, [0.0, 1.0, 2.0, 3.0, 4.0]), (2.0, [0.0, 2.0, 4.0])],
)
def test_a_terminal_attaches_anew_after_so_many_seconds(every: float, times: list[float]) -> None:
    result = HandField(terms={"attach_every": every}).result(reach([[0.0]]), [0.0] * 5, staying)
    assert asked(result) == [(time, 0, ATTACH) for time in times]


def test_a_terminal_attaches_anew_when_its_edge_is_out_of_range() -> None:
    coverage = reach([[0.0, 0.5]], [[math.inf, 0.5]], [[0.0, 0.5]], starts=[0.0, 1.0, 2.0])
    result = HandField(TWO).result(coverage, [0.0] * 3, scripted_edges(0, 1))
    assert [view.legal for view in views(result)] == [(0, 1), (1,)]
    assert [view.attached for view in views(result)] == [-1, 0]
    assert starts(result) == [1.0, 2.5, 3.5]


def test_who_runs_everything_alone_is_never_asked() -> None:
    terminal = HandNode(TERMINAL, {(0, 0): [1.0]})
    field = HandField(terminal=terminal, networks=[HandNetwork(placement=(1, 1))])
    result = field.result(reach([[0.0]]), [0.0], staying)
    assert (finishes(result), asked(result)) == ([1.0], [])


@pytest.mark.parametrize(("mark", "times"), [(0.5, [6.0]), (0.51, [])])
def test_a_move_is_due_from_the_mark_on(mark: float, times: list[float]) -> None:
    edge = HandNode(EDGE, {(0, 0): [1.0], (1, 0): [2.0]})
    terms = {"moves": True, "overload_mark": mark, "report_interval": 4.0}
    field = HandField([edge], networks=[HandNetwork(placement=(0, 1))] * 2, terms=terms)
    others = {"origin": [1, 0, 0], "network": [1, 0, 0], "charged": [False, True, True]}
    result = field.result(reach([[0.0]]), [0.0, 4.5, 6.0], staying, **others)
    # Another user's task runs until 2: at 4 the edge tells one half, at 8 more.
    assert moves(result) == times


def moves(result: Result) -> list[float]:
    """Times of the `move` decisions."""
    return [time for time, _, kind in asked(result) if kind == MOVE]


@pytest.mark.parametrize(
    ("hold", "times"),
    [(0.0, [1.0, 2.0, 3.0, 4.0, 5.0]), (3.0, [1.0, 4.0]), (3.5, [1.0, 5.0]), (math.inf, [1.0])],
)
def test_a_terminal_is_asked_to_move_once_in_so_many_seconds(hold: float, times: list) -> None:
    field = HandField(terms={**OVERLOADED, "hold_seconds": hold})
    assert moves(field.result(reach([[0.0]]), [0.0] * 6, staying)) == times


def test_a_move_changes_the_edge_and_not_the_time_of_attaching() -> None:
    field = HandField(TWO, terms={**OVERLOADED, "attach_every": 3.0})
    choices = scripted_edges(0, 1, 0, 1, 1)
    result = field.result(reach([[0.0, 0.0]]), [0.0] * 5, choices)
    kinds = [kind for _, _, kind in asked(result)]
    assert kinds == [ATTACH, MOVE, MOVE, ATTACH, MOVE]
    assert [view.attached for view in views(result)] == [-1, 0, 1, 0, 1]
    assert result.totals.batches[1:] == [2, 3]


def test_nobody_moves_where_moves_are_off() -> None:
    field = HandField(terms={**OVERLOADED, "moves": False})
    assert moves(field.result(reach([[0.0]]), [0.0] * 4, staying)) == []


def test_an_edge_that_is_silent_is_overloaded() -> None:
    terms = {**OVERLOADED, "overload_mark": 2.0, "hold_seconds": math.inf, "timeout_seconds": 50.0}
    coverage = reach([[0.0, 0.0]], failures=[(0, 1.5, 40.0)])
    result = HandField(TWO, terms=terms).result(coverage, [0.0] * 7, scripted_edges(0, 1))
    # The last report is of 1: at 4 it is three intervals old, which is not yet too old.
    assert asked(result) == [(0.0, 0, ATTACH), (5.0, 0, MOVE)]


def test_an_edge_of_which_nothing_has_been_heard_is_not_silent() -> None:
    result = HandField(terms=OVERLOADED).result(reach([[50.0]]), [0.0] * 6, staying)
    assert moves(result) == []


def test_decisions_of_one_time_are_taken_link_by_link() -> None:
    field = HandField(terminals=3, uplink=INSTANT, terms=EVERY_TASK)
    result = field.result(reach([[0.0]] * 3), [0.0] * 4, staying, origin=[2, 0, 0, 1])
    # Nothing that is sent leaves before every link has been looked at.
    assert [view.terminal for view in views(result)] == [0, 1, 2, 0]
    assert [view.waiting for view in views(result)] == [2, 1, 1, 1]
    told = [view.reports[0][0] for view in views(result)]
    assert [(report.queue, report.attached) for report in told] == [(0, 0), (0, 1), (0, 2), (3, 3)]


def test_where_nobody_decides_terminals_attach_to_the_nearest_and_stay() -> None:
    coverage = reach([[0.5, 0.25, 0.25]], [[0.0, 0.5, 0.5]], starts=[0.0, 0.5])
    field = HandField((SECOND,) * 3, terms={**OVERLOADED, "attach_every": 2.0})
    result = field.result(coverage, [0.0] * 4, None)
    # Edge 1 at 0 and at 1, edge 0 from 2 on.
    assert result.totals.batches[1:] == [2, 2, 0]
    assert result.selections == []


def test_an_edge_out_of_range_is_an_error() -> None:
    with pytest.raises(ValueError, match="not legal at 0"):
        HandField(TWO).result(reach([[0.0, math.inf]]), [0.0], lambda view: 1)


# Fetched parameters.


def test_no_batch_starts_before_its_parameters_are_there() -> None:
    edge = HandNode(EDGE, {(m, 0): [1.0, 1.0] for m in range(3)})
    networks = [HandNetwork(placement=(0, 1))] * 3
    lacking = {(0, 0): 2.0, (0, 1): 1.5}
    field = HandField([edge], uplink=INSTANT, networks=networks, lacking=lacking)
    arrival, network = [0.0, 0.5, 1.0, 1.0, 3.25], [0, 1, 2, 0, 1]
    result = field.result(reach([[0.0]]), arrival, staying, network=network)
    # Network 0 is there at 2, network 1 after it at 3.5, both asked for once; 2 need not wait.
    fetched = [(time, index) for time, kind, index in result.events if kind == Kind.FETCHED]
    assert fetched == [(2.0, 0), (3.5, 1)]
    assert starts(result) == [2.0, 3.5, 1.0, 2.0, 3.5]


def test_only_tasks_that_are_queued_fetch_and_what_is_fetched_survives_a_failure() -> None:
    edge = replace(SECOND, memory=125_000.0)
    field = HandField([edge], uplink=INSTANT, lacking={(0, 0): 2.0})
    coverage = reach([[0.0]], failures=[(0, 1.0, 1.5)])
    result = field.result(coverage, [0.5, 2.25, 5.0], staying)
    # Lost at 1 and uploaded again at 2; the second is refused at 2.25; there at 0.5 + 2.
    assert starts(result)[0] == 2.5
    assert [task.refused for task in result.tasks] == [False, True, False]
    assert starts(result)[2] == 5.0


def test_tasks_that_pass_through_fetch_nothing() -> None:
    networks = [HandNetwork(placement=(0, 0))]
    field = HandField(
        uplink=INSTANT, cloud=replace(SECOND, tier=2), networks=networks, lacking={(0, 0): 9.0}
    )
    assert finishes(field.result(reach([[0.0]]), [0.0], staying)) == [1.0]


# Reports.


def test_a_report_sums_up_the_time_since_the_one_before() -> None:
    edge = HandNode(EDGE, {(0, 0): [3.0]}, executors=2)
    field = HandField([edge], terms={**EVERY_TASK, "report_interval": 2.0})
    result = field.result(reach([[0.0]]), [0.0] * 4 + [5.0], staying)
    # Delivered at 1, 2, 3, 4; they run 1-4, 2-5, 4-7, 5-8. What comes at 2 and at 4 is counted
    # in, and does not run yet.
    first = Report(2.0, 1 / 4, 1, (3.0 + 2.0) / 2, 250_000.0, 2, 1)
    second = Report(4.0, 4 / 4, 2, (6.0 + 1.0) / 2, 375_000.0, 2, 1)
    assert views(result)[-1].reports == ((second, first),)


def test_a_report_is_seen_from_half_a_round_trip_on() -> None:
    field = HandField(uplink=INSTANT, terms={**EVERY_TASK, "report_interval": 1.0})
    result = field.result(reach([[0.25]]), [1.2, 1.25, 5.3, 12.5], staying)
    assert seen_at(result) == [[], [1.0], [5.0, 4.0, 3.0, 2.0, 1.0], list(range(12, 4, -1))]


def seen_at(result: Result, edge: int = 0) -> list[list[float]]:
    """Times of the reports that were seen at each decision."""
    return [[report.time for report in view.reports[edge]] for view in views(result)]


def test_the_round_trip_is_that_at_the_time_of_looking() -> None:
    pieces = [[[0.0, 0.0]], [[2.5, 0.0]], [[math.inf, 0.0]], [[0.0, 0.0]]]
    coverage = reach(*pieces, starts=[0.0, 3.0, 5.0, 6.0])
    field = HandField(TWO, uplink=INSTANT, terms={**EVERY_TASK, "report_interval": 1.0})
    result = field.result(coverage, [2.9, 3.1, 4.0, 5.0, 6.0], lambda view: 1)
    assert seen_at(result) == [[2, 1], [], [1], [], [6, 5, 4, 3, 2, 1]]


def test_fresh_reports_are_of_now_and_count_no_arrivals() -> None:
    edge = HandNode(EDGE, {(0, 0): [3.0]})
    field = HandField([edge], terms={"moves": True, "overload_mark": 1.0})
    result = field.result(reach([[0.0]]), [0.0] * 3, staying)
    # What is delivered at 1 does not run before links have settled.
    assert asked(result) == [(0.0, 0, ATTACH), (2.0, 0, MOVE)]
    assert views(result)[1].reports == ((Report(2.0, 1.0, 1, 5.0, 250_000.0, 0, 1),),)


def test_reports_go_on_until_the_last_task_has_left() -> None:
    edge = HandNode(EDGE, {(0, 0): [3.0]})
    field = HandField([edge], uplink=INSTANT, terms={"report_interval": 1.0})
    result = field.result(reach([[0.0]]), [1.0], staying, window=0.5)
    # The answer of 4 precedes the report of 4.
    times = [time for time, kind, _ in result.events if kind == Kind.REPORT]
    assert (times, finishes(result)) == ([1.0, 2.0, 3.0], [4.0])
