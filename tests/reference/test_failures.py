"""Edges that fail and uploads that are repeated in the reference, worked out by hand."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from tests.reference.clock import Kind
from tests.reference.hand import HandLink, HandNetwork, HandNode
from tests.reference.hand_selecting import (
    INSTANT,
    UPLINK,
    HandField,
    asked,
    reach,
    scripted_edges,
    staying,
    views,
)
from tests.reference.records import ATTACH
from tests.reference.script import finishes, starts
from tiergym.scenarios.system import CLOUD, EDGE, TERMINAL

SPLIT = HandNetwork([125_000.0, 125_000.0, 0.0], placement=(0, 1))
"""A block at the edge, then one in the cloud."""
LONG = HandNode(EDGE, {(0, 0): [2.0]})


def split_field() -> HandField:
    """Two executors at the edge, a second a batch everywhere, a second on the way to the cloud."""
    return HandField(
        [HandNode(EDGE, {(0, 0): [1.0]}, executors=2, watts=(0.0, 4.0))],
        uplink=INSTANT,
        cloud=HandNode(CLOUD, {(0, 2): [1.0]}),
        backhaul=HandLink(0, 0, half_rtt=0.5, watts=3.0, pieces=[(0.0, 1e6)]),
        networks=[SPLIT],
        terms={"report_interval": 0.5},
    )


def test_what_is_at_a_failing_edge_or_comes_to_it_is_uploaded_again() -> None:
    # At 2.5 task 0 is in flight to the cloud, task 1 on the wire of the edge's uplink, which 2
    # waits for, 3 and 4 run, 5 is queued, 6 comes at 2.625. They return at 3.5 and at 3.625.
    arrival = [0.0, 1.0, 1.0, 2.0, 2.0, 2.125, 2.375]
    coverage = reach([[0.25]], failures=[(0, 2.5, 3.0)])
    result = split_field().result(coverage, arrival, staying)
    timeouts = [(time, task) for time, kind, task in result.events if kind == Kind.TIMEOUT]
    assert timeouts == [(3.5, 1), (3.5, 2), (3.5, 3), (3.5, 4), (3.5, 5), (3.625, 6)]
    # Twice the terminal finds itself attached to the edge that lost a task.
    assert asked(result) == [(0.0, 0, ATTACH), (3.5, 0, ATTACH), (3.625, 0, ATTACH)]
    # Two a second from 3.75 on, one a second to the cloud from 4.75 on, 2.25 s more to the answer.
    assert starts(result) == [0.25, 1.25, 1.25, 2.25, 2.25, 5.75, 5.75]
    assert finishes(result) == [4.5, 8.0, 9.0, 10.0, 11.0, 12.0, 13.0]
    assert result.totals.batches == [0, 11, 7]
    assert result.totals.packages == [13, 7]
    assert result.held == [0.0, 0.0, 0.0]
    assert result.totals.task_seconds == sum(finishes(result)) - sum(arrival)
    # Nine batches end; what was cancelled costs nothing.
    assert result.totals.joules == 2.0 * 9 + 3.0 * 7


def test_a_lost_task_begins_anew_but_for_its_first_start() -> None:
    coverage = reach([[0.25, 1.0]], failures=[(0, 1.0, 9.0)])
    result = HandField([LONG, LONG], uplink=INSTANT).result(coverage, [0.0], scripted_edges(0, 1))
    # Edge 0 from 0.25 to 1. From 2 on edge 1: there at 3, done at 5, a second back.
    assert (starts(result), finishes(result)) == ([0.25], [6.0])
    assert [view.unanswered for view in views(result)] == [(0, 0), (0, 0)]


def test_a_batch_that_ends_and_a_package_that_leaves_at_the_failure_are_not_lost() -> None:
    coverage = reach([[0.25]], failures=[(0, 1.25, 9.0)])
    assert finishes(HandField(uplink=INSTANT).result(coverage, [0.0], staying)) == [1.5]
    coverage = reach([[0.25]], failures=[(0, 2.25, 9.0)])
    assert finishes(split_field().result(coverage, [0.0], staying)) == [4.5]


@pytest.mark.parametrize(("end", "start"), [(0.24, 0.25), (0.25, 1.5), (0.26, 1.5)])
def test_what_is_delivered_when_an_edge_comes_up_is_lost(end: float, start: float) -> None:
    coverage = reach([[0.25]], failures=[(0, 0.125, end)])
    result = HandField(uplink=INSTANT).result(coverage, [0.0], staying)
    assert starts(result) == [start]


@pytest.mark.parametrize(("chosen", "times"), [(1, [0.0, 3.0]), (0, [0.0, 3.0, 4.0])])
def test_a_terminal_is_attached_to_nobody_if_it_still_is_where_the_task_was_lost(
    chosen: int, times: list[float]
) -> None:
    terms = {"attach_every": 3.0, "timeout_seconds": 3.0}
    field = HandField([LONG, LONG], uplink=INSTANT, terms=terms)
    coverage = reach([[0.0, 0.0]], failures=[(0, 1.0, 2.0)])
    result = field.result(coverage, [0.0, 3.0], scripted_edges(0, chosen, chosen))
    assert [time for time, _, _ in asked(result)] == times
    assert views(result)[-1].attached == (-1 if chosen == 0 else 0)
    assert finishes(result) == [7.0, 5.0]


def test_a_lost_task_is_unanswered_until_its_timeout() -> None:
    field = HandField([LONG, LONG], uplink=INSTANT, terms={"attach_every": 0.0})
    coverage = reach([[0.0, 0.0]], failures=[(0, 1.0, 9.0)])
    arrival = [0.0, 1.5, 2.0]
    result = field.result(coverage, arrival, scripted_edges(0, 1, 1, 1))
    assert [view.unanswered for view in views(result)] == [(0, 0), (1, 0), (0, 1), (0, 2)]
    assert [view.waiting for view in views(result)] == [1, 1, 2, 1]


def test_a_refused_task_is_not_unanswered() -> None:
    field = HandField([replace(LONG, memory=125_000.0)], uplink=INSTANT)
    field = replace(field, terms={"attach_every": 0.0})
    result = field.result(reach([[0.0]]), [0.0, 0.5, 1.0], staying)
    assert [task.refused for task in result.tasks] == [False, True, True]
    assert [view.unanswered for view in views(result)] == [(0,), (1,), (1,)]


def test_lost_tasks_are_held_by_their_terminal_again_without_admission() -> None:
    terminal = HandNode(TERMINAL, {}, memory=125_000.0)
    coverage = reach([[0.0]], failures=[(0, 1.5, 2.0)])
    result = HandField(terminal=terminal).result(coverage, [0.0, 2.0, 2.75], staying)
    # Task 1 is on the wire 2-3 when task 0 joins it at 2.5; the third finds no room.
    assert [task.refused for task in result.tasks] == [False, False, True]
    assert finishes(result)[:2] == [5.0, 4.0]
    assert result.held == [0.0, 0.0]


def test_a_task_returns_to_where_it_left_its_terminal_and_is_not_run_there_again() -> None:
    terminal = HandNode(TERMINAL, {(0, 0): [1.0]})
    edge = HandNode(EDGE, {(0, 1): [1.0]})
    networks = [HandNetwork([125_000.0, 250_000.0, 0.0], placement=(1, 2))]
    field = HandField([edge], terminal=terminal, networks=networks)
    result = field.result(reach([[0.0]], failures=[(0, 3.5, 4.0)]), [0.0], staying)
    # Terminal 0-1, wire 1-3, edge 3-3.5; wire 4.5-6.5, edge 6.5-7.5.
    assert finishes(result) == [7.5]
    assert result.totals.batches == [1, 2]


def test_other_users_tasks_are_refused_and_cost_nothing() -> None:
    field = replace(split_field(), terms={})
    coverage = reach([[0.0]], failures=[(0, 3.0, 4.0)])
    arrival = [0.0, 1.0, 1.0, 2.5, 2.75, 2.75, 3.0, 3.5, 3.75]
    others = [True] * (len(arrival) - 1) + [False]
    given = {
        "origin": [int(other) for other in others],
        "charged": [not other for other in others],
        "deadline": [math.inf if not other else 0.0 for other in others],
    }
    result = field.result(coverage, arrival, staying, **given)
    # In flight to the cloud 2-2.5, on the wire 2-3 when it leaves, waiting for it, two run, one
    # is queued, one arrives just before the failure, one while the edge is down.
    left = [task.left for task in result.tasks]
    assert left == [4.0, 5.0, 3.0, 3.0, 3.0, 3.0, 3.0, 3.5, 8.75]
    refused = [task.refused for task in result.tasks]
    assert refused == [False, False, True, True, True, True, True, True, False]
    assert (result.totals.refused, result.totals.late) == (0, 0)
    assert result.totals.task_seconds == 8.75 - 3.75


def test_a_failing_edge_forgets_what_it_held() -> None:
    edge = replace(LONG, memory=125_000.0)
    coverage = reach([[0.0]], failures=[(0, 1.0, 1.5)])
    result = HandField([edge], uplink=INSTANT).result(coverage, [0.0], staying)
    assert finishes(result) == [4.0]


def test_a_down_edge_publishes_nothing_and_counts_nothing() -> None:
    terms = {"attach_every": 0.0, "report_interval": 1.0, "timeout_seconds": 10.0}
    edge = HandNode(EDGE, {(0, 0): [1.5]})
    field = HandField([edge], terminals=2, uplink=INSTANT, terms=terms)
    coverage = reach([[0.0], [0.0]], failures=[(0, 2.25, 4.0), (0, 7.0, 8.0)])
    result = field.result(coverage, [1.5, 3.0, 5.5, 9.0], staying, origin=[0, 1, 0, 0])
    reports = views(result)[3].reports[0]
    # A failure at 7 is after the report of 7, the end at 8 after that of 8.
    assert [report.time for report in reports] == [9.0, 7.0, 6.0, 5.0, 2.0, 1.0]
    # Busy 1.5 to 2.25 and 5.5 to 7; what came at 3 was lost at once, and nobody counted it.
    assert [report.utilisation for report in reports] == [0.0, 1.0, 0.5, 0.25 / 3, 0.5, 0.0]
    assert [report.arrivals for report in reports] == [0, 0, 1, 0, 1, 0]
    assert [report.memory for report in reports] == [0.0, 0.0, 125e3, 0.0, 125e3, 0.0]
    assert [report.attached for report in reports] == [2, 2, 2, 2, 1, 0]


def test_a_task_that_waits_for_parameters_is_lost_and_they_come_all_the_same() -> None:
    field = HandField(uplink=INSTANT, lacking={(0, 0): 3.0})
    result = field.result(reach([[0.0]], failures=[(0, 1.0, 5.0)]), [0.5], staying)
    fetched = [time for time, kind, _ in result.events if kind == Kind.FETCHED]
    assert (fetched, starts(result)) == ([3.5], [5.0])


def test_a_package_that_is_cut_leaves_the_wire_to_the_next() -> None:
    field = replace(split_field(), terms={"timeout_seconds": 0.25})
    result = field.result(reach([[0.0]], failures=[(0, 1.5, 1.625)]), [0.0], staying)
    # On the wire from 1, cut at 1.5; again 1.75-2.75 at the edge and 2.75-3.75 on the wire.
    assert finishes(result) == [3.75 + 0.5 + 1.0 + 0.5]
    free = [time for time, kind, link in result.events if (kind, link) == (Kind.LINK_FREE, 1)]
    assert free == [3.75]


def test_a_re_upload_goes_to_the_end_of_what_waits() -> None:
    coverage = reach([[0.0]], failures=[(0, 1.25, 1.5)])
    result = HandField(uplink=UPLINK).result(coverage, [0.0, 1.0, 2.0, 2.0], staying)
    # Lost at 1.25, back at 2.25 while task 1 has left and task 2 is on the wire 2-3.
    assert starts(result) == [1.0, 2.0, 3.0, 4.0]
    assert finishes(result) == [6.0, 3.0, 4.0, 5.0]
