"""Decisions at a claimed node in the reference, on instances worked out by hand."""

from __future__ import annotations

import math

import pytest

from tests.reference.hand import HandLink, HandNode, hand_instance, hand_system
from tests.reference.records import RUN, UPLOAD, WAIT, Action, View
from tests.reference.script import finishes, scripted, starts
from tests.reference.simulator import simulate
from tiergym.scenarios.system import CLOUD, EDGE, TERMINAL

WAIT_ACTION = Action(WAIT)


def device(link: HandLink = HandLink(0, 1, pieces=[(0.0, 1e6)])):  # noqa: B008
    """A terminal that may hand everything to a cloud, usually at one megabit a second."""
    nodes = [
        HandNode(TERMINAL, {(0, 0): [2.0] * 4}),
        HandNode(CLOUD, {(0, 0): [0.5] * 4}),
    ]
    return hand_system(nodes, links=[link]), [link]


def test_legal_actions_offer_each_batch_once() -> None:
    system, links = device()
    instance = hand_instance(system, [0.0] * 6, links=links)
    seen: list[View] = []

    def decide(view: View) -> Action:
        seen.append(view)
        return view.legal[1]

    simulate(system, instance, 0, decide, sizes=(1, 2, 4, 8, 16), slots=[0])
    # Six queued, four at most in a batch: 1, 2, 4 to run; 1, 2, 4, 8 (all six) to upload.
    runs = [Action(RUN, 0, j) for j in range(3)]
    uploads = [Action(UPLOAD, 0, j) for j in range(4)]
    assert seen[0].legal == (WAIT_ACTION, *runs, *uploads)
    # The executor is busy now: the start of the batch made the next decision due, uploads only.
    assert seen[1].time == 0.0
    assert seen[1].legal == (WAIT_ACTION, *uploads)
    assert seen[1].queue_length == (5,)


def test_waiting_lasts_until_an_arrival_or_the_end_of_the_window() -> None:
    system, links = device()
    instance = hand_instance(system, [1.0, 3.0], links=links, window=5.0)
    taken = scripted(WAIT_ACTION, WAIT_ACTION, Action(RUN, 0, 1))
    result = simulate(system, instance, 0, taken, slots=[0])
    assert [decision.time for decision in result.decisions] == [1.0, 3.0, 5.0]
    # Nothing is under way once the window has ended, so waiting would be for ever.
    assert WAIT_ACTION not in result.decisions[2].legal
    assert finishes(result) == [7.0, 7.0]


def test_while_the_executor_is_busy_decisions_fall_due_when_the_uplink_is_idle() -> None:
    system, links = device()
    instance = hand_instance(system, [0.0, 0.0, 0.0, 0.25, 1.5], links=links)
    run, upload = Action(RUN, 0, 0), Action(UPLOAD, 0, 0)
    taken = scripted(run, upload, upload, upload, run)
    result = simulate(system, instance, 0, taken, slots=[0])
    # The start of the batch (0), the uplink free (1), both free (2), and the arrivals while both
    # are busy ask nothing. Of the two tasks queued at 2 one is handed up, the other run.
    assert [decision.time for decision in result.decisions] == [0.0, 0.0, 1.0, 2.0, 2.0]
    assert [task.pre_uploaded for task in result.tasks] == [False, False, True, True, True]
    assert starts(result) == [0.0, 2.0, 1.0, 2.0, 3.0]


def test_pre_upload_takes_the_youngest_and_sends_the_oldest_of_them_first() -> None:
    system, links = device()
    instance = hand_instance(system, [0.0] * 4, links=links)
    taken = scripted(Action(UPLOAD, 0, 1), Action(RUN, 0, 1))
    result = simulate(system, instance, 0, taken, slots=[0])
    assert [task.pre_uploaded for task in result.tasks] == [False, False, True, True]
    # On the wire 0-1 and 1-2; the terminal runs the others 0-2.
    assert starts(result) == [0.0, 0.0, 1.0, 2.0]
    assert finishes(result) == [2.0, 2.0, 1.5, 2.5]


def test_a_device_without_uplink_asks_only_when_an_executor_is_idle() -> None:
    system = hand_system([HandNode(EDGE, {(0, 0): [2.0]})])
    instance = hand_instance(system, [0.0, 0.5, 1.0])
    result = simulate(system, instance, 0, lambda view: view.legal[-1], slots=[0])
    assert [decision.time for decision in result.decisions] == [0.0, 2.0, 4.0]
    assert all(len(decision.legal) == 2 for decision in result.decisions)


def test_an_answer_tells_the_backlog_of_the_node_above() -> None:
    system, links = device(HandLink(0, 1, 0.25))
    instance = hand_instance(system, [0.0] * 7 + [1.25, 2.0], links=links)
    seen: list[View] = []

    def decide(view: View) -> Action:
        seen.append(view)
        return Action(UPLOAD, 0, 3 if view.time == 0.0 else 0)

    simulate(system, instance, 0, decide, slots=[0])
    # Seven arrive above at 0.25. Four run until 0.75, and half a second of work is left; their
    # answers are here at 1. The other three run until 1.25 and tell nothing before 1.5.
    assert [view.time for view in seen] == [0.0, 1.25, 2.0]
    assert [view.told for view in seen] == [None, (0.5, 0.75), (0.0, 1.25)]


def test_the_run_ends_with_the_last_charged_task() -> None:
    system = hand_system([HandNode(TERMINAL, {(0, 0): [2.0]})])
    instance = hand_instance(system, [0.0, 1.0, 5.0], charged=[False, True, False])
    result = simulate(system, instance)
    assert finishes(result)[:2] == [2.0, 4.0]
    assert math.isnan(result.tasks[2].left)
    assert result.end == 4.0
    assert result.totals.task_seconds == 3.0


def test_an_illegal_action_is_an_error() -> None:
    system, links = device()
    instance = hand_instance(system, [0.0], links=links)
    with pytest.raises(ValueError, match="not legal"):
        simulate(system, instance, 0, lambda view: Action(RUN, 0, 1), slots=[0])
