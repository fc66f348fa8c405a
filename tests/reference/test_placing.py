"""`place` decisions in the reference, on instances worked out by hand.

Two blocks of 100 bytes unless said otherwise; a block takes one second on every node.
"""

from __future__ import annotations

import pytest

from tests.reference.clock import Kind
from tests.reference.hand import HandLink, hand_instance
from tests.reference.hand_placing import (
    HandTier,
    moving,
    placed_system,
    route_of,
    scripted_routes,
)
from tests.reference.placing import Place
from tests.reference.records import PlaceView, Result
from tests.reference.script import finishes, starts
from tests.reference.simulator import simulate
from tiergym.scenarios.system import CLOUD, TERMINAL, System

ON_TERMINAL, ON_EDGE, ON_CLOUD = (route_of(2, pair) for pair in ((2, 2), (0, 2), (0, 0)))
HEAD_ON_TERMINAL = route_of(2, (1, 2))
LINKS = (HandLink(0, 1, half_rtt=0.5), HandLink(1, 2, half_rtt=0.5))
PAYLOAD = (50.0, 50.0, 0.0)


def system_of(
    terminal: HandTier | None = None,
    edge: HandTier | None = None,
    interval: float = 10.0,
    links: tuple[HandLink, HandLink] = LINKS,
) -> System:
    """The usual system, some of its nodes changed."""
    tiers = [terminal or HandTier(), edge or HandTier(), HandTier()]
    return placed_system(tiers, links, PAYLOAD, [100.0, 100.0], interval)


def result_of(system: System, arrival: list[float], place: Place | None) -> Result:
    """What becomes of the usual links and of tasks without deadlines."""
    return simulate(system, hand_instance(system, arrival, links=LINKS), place=place)


def view_at(result: Result, time: float) -> PlaceView:
    """What was shown at a decision."""
    return next(d.view for d in result.placements if d.time == time)


def test_the_first_decision_precedes_all_events_and_its_parameters_are_there() -> None:
    system = system_of(HandTier(load_rate=1.0))
    result = result_of(system, [0.0], lambda view: ON_TERMINAL)
    assert starts(result) == [0.0]
    first = result.placements[0].view
    assert (first.time, first.in_force, first.held, first.past) == (0.0, -1, (0.0, 0.0, 0.0), None)
    assert result.held == [200.0, 0.0, 0.0]
    assert result.totals.loads == [0, 0, 0]


def test_decisions_fall_due_at_multiples_of_the_interval_within_the_window() -> None:
    system = system_of(interval=0.1)
    instance = hand_instance(system, [0.95], links=LINKS, window=0.9)
    result = simulate(system, instance, place=lambda view: ON_TERMINAL)
    assert [decision.time for decision in result.placements] == [k * 0.1 for k in range(9)]
    assert [kind for _, kind, _ in result.events][:9] == [Kind.INTERVAL] * 8 + [Kind.WINDOW_END]


def test_none_falls_due_at_the_moment_at_which_the_last_task_leaves() -> None:
    result = result_of(system_of(), [8.0], lambda view: ON_TERMINAL)
    assert finishes(result) == [10.0]
    assert [decision.time for decision in result.placements] == [0.0]


def test_a_load_takes_bytes_over_rate_and_watts_and_delays_who_needs_it() -> None:
    system = system_of(HandTier(load_rate=50.0, watts=(2.0, 5.0)))
    result = result_of(system, [10.0, 11.0, 20.5], moving(10.0, ON_CLOUD, ON_TERMINAL))
    # The first arrives before the decision of the same time: cloud. Then 200 bytes, 10 to 14.
    assert [task.tier for task in result.tasks] == [CLOUD, TERMINAL, TERMINAL]
    assert starts(result) == [11.0, 14.0, 20.5]
    assert finishes(result) == [14.0, 16.0, 22.5]
    assert (result.totals.loads, result.totals.batches) == ([1, 0, 0], [2, 0, 1])
    assert result.totals.joules == 2.0 * 22.5 + 3.0 * (4.0 + 2.0 + 2.0)


def test_bytes_are_held_from_the_decision_on_and_blocks_loaded_at_the_end_of_the_load() -> None:
    system = system_of(HandTier(load_rate=100.0), interval=1.0)
    result = result_of(system, [13.5], moving(10.0, ON_CLOUD, ON_TERMINAL))
    both = frozenset({0, 1})
    at_10, at_11, at_12 = (view_at(result, time) for time in (10.0, 11.0, 12.0))
    assert (at_10.held, at_10.kept[2]) == ((0.0, 0.0, 200.0), both)
    assert (at_11.held, at_11.kept[2]) == ((200.0, 0.0, 0.0), frozenset())
    assert (at_11.kept[0], at_11.loading[0], at_11.loaded[0]) == (both, both, frozenset())
    assert (at_12.kept[0], at_12.loading[0], at_12.loaded[0]) == (both, frozenset(), both)


def test_an_old_placement_is_kept_until_the_last_answer_is_at_its_origin() -> None:
    result = result_of(system_of(interval=1.0), [8.0, 12.5], moving(10.0, ON_CLOUD, ON_TERMINAL))
    # The first task runs on the cloud 9 to 11 and is back at 12.
    assert finishes(result) == [12.0, 14.5]
    cloud = {time: view_at(result, time).held[2] for time in (9.0, 10.0, 11.0, 12.0)}
    assert cloud == {9.0: 250.0, 10.0: 250.0, 11.0: 200.0, 12.0: 0.0}
    assert view_at(result, 11.0).loaded[2] == {0, 1}
    assert view_at(result, 12.0).loaded[2] == frozenset()


def test_a_refusal_in_a_package_frees_memory_for_the_next_task_of_the_package() -> None:
    # At 200 bit/s a payload of 50 bytes takes two seconds.
    links = (HandLink(0, 1, packing=True, pieces=[(0.0, 200.0)]), HandLink(1, 2))
    system = system_of(edge=HandTier(memory=240.0), links=links)
    instance = hand_instance(system, [9.0, 9.5, 10.5, 10.75], links=links)
    result = simulate(system, instance, place=moving(10.0, ON_EDGE, ON_CLOUD))
    # Beside 200 bytes of parameters nothing is admitted to the edge. The first task is sent 9 to
    # 11, the others together to 17: the second is refused, which frees the 200 bytes.
    assert [task.refused for task in result.tasks] == [True, True, False, False]
    assert [task.left for task in result.tasks] == [11.0, 17.0, 19.0, 19.0]


def test_a_load_of_no_seconds_is_a_job_that_ends_at_the_same_time() -> None:
    result = result_of(system_of(), [10.0, 10.5], moving(10.0, ON_CLOUD, ON_TERMINAL))
    assert [kind for time, kind, _ in result.events if time == 10.0][:5] == [
        Kind.ARRIVAL, Kind.INTERVAL, Kind.LINK_FREE, Kind.BATCH_DONE,
    ]  # fmt: skip
    assert starts(result) == [11.0, 10.5]
    assert result.totals.loads == [1, 0, 0]


def test_blocks_of_no_bytes_load_all_the_same() -> None:
    tiers = [HandTier(load_rate=1.0), HandTier(), HandTier()]
    system = placed_system(tiers, LINKS, PAYLOAD, [0.0, 0.0], 10.0)
    result = result_of(system, [10.5], moving(10.0, ON_CLOUD, ON_TERMINAL))
    assert starts(result) == [10.5]
    assert result.totals.loads == [1, 0, 0]


def test_a_load_waits_for_an_executor_and_goes_before_batches() -> None:
    place = moving(10.0, HEAD_ON_TERMINAL, ON_TERMINAL)
    arrival = [9.5, 9.875, 10.25]
    one = result_of(system_of(HandTier(load_rate=50.0)), arrival, place)
    # A batch 9.5 to 10.5, the load of the second block to 12.5, then the rest in order.
    assert starts(one) == [9.5, 12.5, 13.5]
    two = result_of(system_of(HandTier(load_rate=50.0, executors=2)), arrival, place)
    # The second executor is idle: it runs the second task 9.875 to 10.875. The load takes the
    # first at 10.5, and the third task is not ready before 12.5.
    assert starts(two) == [9.5, 9.875, 12.5]


def test_what_is_wanted_no_more_is_gone_at_the_end_of_its_load() -> None:
    system = system_of(HandTier(load_rate=50.0), interval=1.0)
    place = scripted_routes(ON_CLOUD, ON_TERMINAL, *[ON_CLOUD] * 4, *[ON_TERMINAL] * 6)
    result = result_of(system, [6.5], place)
    # Loading lasts from 1 to 5, although at 2 nobody wants the blocks any more; again 6 to 10.
    held = [view_at(result, float(time)).held[0] for time in range(1, 8)]
    assert held == [0.0, 200.0, 200.0, 200.0, 0.0, 0.0, 250.0]
    assert starts(result) == [10.0]
    assert result.totals.loads[0] == 2


def test_tasks_keep_the_thresholds_that_they_arrived_under() -> None:
    exits = [[(0.0, 0), (0.5, 1), (1.0, 1)]]
    levels = [(0.5, 0.5), (0.75, 0.75)]
    tiers = [HandTier(), HandTier(), HandTier()]
    system = placed_system(tiers, LINKS, PAYLOAD, [100.0, 100.0], 10.0, exits, levels)
    low, high = (route_of(2, (1, 2), level) for level in (0, 1))
    result = result_of(system, [9.5, 11.0], moving(10.0, low, high))
    # The first batch ends at 10.5; the second task goes on to the edge.
    assert [task.exit_block for task in result.tasks] == [1, 2]
    assert finishes(result) == [10.5, 14.0]
    # Level and pair differ, the blocks do not: nothing is loaded.
    assert result.totals.loads == [0, 0, 0]


def test_a_route_is_legal_if_its_parameters_fit_beside_all_that_is_held() -> None:
    system = system_of(edge=HandTier(memory=150.0), interval=1.0)
    result = result_of(system, [1.5, 9.5], moving(2.0, route_of(2, (0, 1)), ON_CLOUD))
    fit_alone = {1, 2, 3, 4, 5, 6} - {ON_EDGE}
    fit_beside = fit_alone - {HEAD_ON_TERMINAL}
    # Block 1 is at the edge from 0 on, so block 2 does not fit there until the first task, which
    # runs block 1 from 2 to 3, has its answer at 5.5.
    legal = [set(view_at(result, float(time)).legal) for time in range(7)]
    assert legal == [fit_alone, *[fit_beside] * 5, fit_alone]
    # At 3 its payload fills the edge; a route that needs nothing more there is legal still.
    assert view_at(result, 3.0).held[1] == 150.0


def test_the_interval_before_is_summed_up() -> None:
    pieces = [(0.0, 1e6), (12.5, 3e6)]
    links = (HandLink(0, 1, pieces=pieces), HandLink(1, 2))
    system = system_of(HandTier(load_rate=50.0, executors=2), links=links)
    instance = hand_instance(system, [0.0, 9.0, 10.0, 11.0, 19.0], links=links)
    result = simulate(system, instance, place=moving(10.0, HEAD_ON_TERMINAL, ON_TERMINAL))
    first, second = (view_at(result, time).past for time in (10.0, 20.0))
    assert first is not None
    assert second is not None
    assert (first.arrivals, second.arrivals) == (3, 2)
    assert (first.bandwidth[0], second.bandwidth[0]) == (1e6, 2.5e6)
    # Terminal: 0 to 1 and 9 to 10; then the third task 10 to 11 and a load of 100 bytes 10 to 12,
    # two tasks 12 to 14 and 19 to 21. The edge: block 2 of the first three.
    assert (first.busy[0], second.busy[0]) == (2 / 20, (1 + 2 + 2 + 1) / 20)
    assert (first.busy[1], second.busy[1]) == (1 / 10, 2 / 10)


def test_where_nobody_decides_the_own_route_holds_its_parameters_and_loads_nothing() -> None:
    tiers = [HandTier(load_rate=1.0), HandTier(load_rate=1.0), HandTier()]
    system = placed_system(tiers, LINKS, PAYLOAD, [100.0, 100.0], 10.0, own=(1, 2))
    result = result_of(system, [0.0], None)
    assert finishes(result) == [1.0 + 0.5 + 1.0 + 0.5]
    assert (result.held, result.totals.loads) == ([100.0, 100.0, 0.0], [0, 0, 0])
    assert result.placements == []


def test_a_route_that_is_not_legal_is_an_error() -> None:
    system = system_of(edge=HandTier(memory=150.0))
    with pytest.raises(ValueError, match="not legal at 0"):
        result_of(system, [0.0], lambda view: ON_EDGE)
