"""The reference itself, against instances whose every time was worked out by hand."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from tests.reference.clock import Clock, Kind
from tests.reference.hand import HandLink, HandNetwork, HandNode, hand_instance, hand_system
from tests.reference.random_systems import ANY, ONE_DEVICE, random_case
from tests.reference.records import UPLOAD, Action, Result
from tests.reference.script import finishes, scripted, starts
from tests.reference.simulator import simulate
from tests.reference.tables import Tables
from tiergym.scenarios.system import (
    CLOUD,
    EDGE,
    FCFS,
    PRIORITY,
    STATIC_PRIORITY,
    TERMINAL,
)

MEGABIT = 125_000.0


# One node.


def test_fcfs_serves_one_at_a_time_in_order_of_arrival() -> None:
    system = hand_system([HandNode(TERMINAL, {(0, 0): [2.0, 2.5]}, FCFS)])
    instance = hand_instance(system, [0.0, 1.0, 10.0], deadline=[2.0, 3.5, 50.0])
    result = simulate(system, instance)
    assert starts(result) == [0.0, 2.0, 10.0]
    assert finishes(result) == [2.0, 4.0, 12.0]
    assert result.totals.task_seconds == 2.0 + 3.0 + 2.0
    assert (result.totals.late, result.totals.batches) == (1, [3])
    assert result.end == 12.0


def test_fcfs_batched_takes_the_group_of_the_oldest_up_to_batch_max() -> None:
    networks = [HandNetwork(), HandNetwork()]
    laws = {(0, 0): [2.0, 3.0], (1, 0): [1.0, 1.5]}
    system = hand_system([HandNode(TERMINAL, laws)], networks)
    instance = hand_instance(system, [0.0, 0.1, 0.2, 0.3, 0.4, 0.5], network=[0, 0, 1, 0, 1, 0])
    result = simulate(system, instance)
    # 0-2 task 0; 2-5 tasks 1, 3 (network 0, at most two); 5-6.5 tasks 2, 4; 6.5-8.5 task 5.
    assert finishes(result) == [2.0, 5.0, 6.5, 5.0, 6.5, 8.5]


def test_an_arrival_at_the_end_of_a_batch_joins_the_next() -> None:
    system = hand_system([HandNode(TERMINAL, {(0, 0): [2.0, 3.0]})])
    result = simulate(system, hand_instance(system, [0.0, 1.0, 2.0]))
    assert finishes(result) == [2.0, 5.0, 5.0]
    at_two = [kind for time, kind, _ in result.events if time == 2.0]
    assert at_two == [Kind.BATCH_DONE, Kind.ARRIVAL]


def test_priority_prefers_many_short_tasks_and_static_priority_the_rank() -> None:
    networks = [HandNetwork(), HandNetwork()]
    laws = {(0, 0): [4.0, 4.0], (1, 0): [1.0, 2.0]}
    arrival, network = [0.0, 0.1, 0.2, 0.3], [0, 0, 1, 0]
    node = HandNode(TERMINAL, laws, PRIORITY, rank=[0, 1])
    system = hand_system([node], networks)
    result = simulate(system, hand_instance(system, arrival, network=network))
    # At 4: network 0 has 2 / 4, network 1 has 1 / 1.
    assert finishes(result) == [4.0, 9.0, 5.0, 9.0]
    system = hand_system([replace(node, discipline=STATIC_PRIORITY)], networks)
    result = simulate(system, hand_instance(system, arrival, network=network))
    assert finishes(result) == [4.0, 8.0, 9.0, 8.0]


def test_two_executors_share_a_node_and_jitter_follows_the_order_of_starts() -> None:
    system = hand_system([HandNode(TERMINAL, {(0, 0): [2.0]}, executors=2)])
    instance = hand_instance(system, [0.0, 0.0, 0.5, 0.5], jitter=[[1.0, 0.5, 2.0]])
    result = simulate(system, instance)
    # Multipliers in order of starts: 1, 0.5, 2, then 1 again.
    assert starts(result) == [0.0, 0.0, 1.0, 2.0]
    assert finishes(result) == [2.0, 1.0, 5.0, 4.0]
    done = [index for _, kind, index in result.events if kind == Kind.BATCH_DONE]
    assert done == [1, 0, 0, 1]


def test_energy_is_idle_watts_all_along_and_busy_watts_by_executor() -> None:
    node = HandNode(TERMINAL, {(0, 0): [2.0]}, executors=2, watts=(3.0, 11.0))
    system = hand_system([node])
    result = simulate(system, hand_instance(system, [1.0, 4.0]))
    assert result.totals.joules == 3.0 * 6.0 + (11.0 - 3.0) / 2 * (2.0 + 2.0)


# Memory.


def test_a_task_that_does_not_fit_is_refused_and_others_leave_room() -> None:
    node = HandNode(TERMINAL, {(0, 0): [2.0, 2.0]}, memory=3 * MEGABIT, reserve=MEGABIT)
    system = hand_system([node])
    result = simulate(system, hand_instance(system, [0.0, 0.5, 1.0, 2.0]))
    # Two payloads fill what is left beside the reserve; the first is gone at 2.
    assert [task.refused for task in result.tasks] == [False, False, True, False]
    assert finishes(result)[:2] == [2.0, 4.0]
    assert math.isnan(result.tasks[2].finish)
    assert result.tasks[2].left == 1.0
    totals = result.totals
    assert (totals.refused, totals.late, totals.wrong) == (1, 1, 1)
    assert totals.task_seconds == 2.0 + 3.5 + 2.0


def test_a_batch_shrinks_until_its_workspace_fits() -> None:
    laws, workspace = {(0, 0): [1.0, 1.0, 1.0]}, {(0, 0): [MEGABIT, 3 * MEGABIT, 9 * MEGABIT]}
    node = HandNode(TERMINAL, laws, memory=6 * MEGABIT, reserve=MEGABIT, workspace=workspace)
    system = hand_system([node])
    result = simulate(system, hand_instance(system, [0.0, 0.0, 0.0]))
    assert finishes(result) == [1.0, 1.0, 2.0]
    assert result.totals.batches == [2]


def test_growth_is_reserved_and_bytes_stay_until_the_wire_is_free() -> None:
    # The stage turns one megabit into three; a second task fits only once the first has left.
    network = HandNetwork(
        (MEGABIT, 3 * MEGABIT, 0.0), (1, 1), [[(0.0, 0), (0.0, 0), (1.0, 1)]], (0.5, 0.5)
    )
    memory, reserve = 4 * MEGABIT, 2 * MEGABIT
    nodes = [
        HandNode(TERMINAL, {(0, 0): [1.0, 1.0]}, memory=memory, reserve=reserve),
        HandNode(CLOUD, {(0, 1): [1.0]}),
    ]
    links = [HandLink(0, 1, pieces=[(0.0, 3e6)])]
    system = hand_system(nodes, [network], links)
    instance = hand_instance(system, [0.0, 0.5, 1.0, 2.0, 2.1], links=links)
    result = simulate(system, instance)
    # Task 0 runs 0-1 and is on the wire 1-2, with three of four megabits held all the while: what
    # it will grow by is reserved when its batch starts. At 2 the wire is free before the arrival.
    assert [task.refused for task in result.tasks] == [False, True, True, False, True]
    assert finishes(result)[0] == 3.0
    assert finishes(result)[3] == 2.0 + 1.0 + 1.0 + 1.0
    assert result.held == [0.0, 0.0]


# Links and tiers.


def pipeline():
    network = HandNetwork(
        payload=(2 * MEGABIT, 4 * MEGABIT, 8 * MEGABIT, 0.0),
        placement=(1, 2),
        exits=[
            [(0.0, 0), (0.75, 1), (0.0, 0), (0.0, 0)],
            [(0.0, 0), (0.25, 1), (0.5, 0), (0.0, 1)],
            [(0.0, 0), (0.25, 1), (0.25, 0), (0.0, 1)],
        ],
        threshold=(0.5, 0.5),
    )
    nodes = [
        HandNode(TERMINAL, {(0, 0): [0.5]}, watts=(1.0, 1.0)),
        HandNode(EDGE, {(0, 0): [0.375], (0, 1): [0.25]}),
        HandNode(CLOUD, {(0, 2): [0.125]}),
    ]
    links = [
        HandLink(0, 1, 0.0625, 0.5, pieces=[(0.0, 8e6)], watts=2.0, joules_per_megabit=0.5),
        HandLink(1, 2, 0.03125, 0.25, pieces=[(0.0, 16e6)]),
    ]
    return hand_system(nodes, [network], links), links


def test_an_unloaded_pipeline_has_its_exact_latency_at_each_exit() -> None:
    system, links = pipeline()
    result = simulate(system, hand_instance(system, [0, 10, 20], sample=[0, 1, 2], links=links))
    edge = 0.5 + (0.5 + 4 / 8) + 0.0625 + 0.25
    cloud = edge + (0.25 + 8 / 16) + 0.03125 + 0.125
    assert finishes(result) == [0.5, 10 + edge + 0.0625, 20 + cloud + 0.09375]
    assert [task.exit_block for task in result.tasks] == [1, 2, 3]
    assert [task.tier for task in result.tasks] == [TERMINAL, EDGE, CLOUD]
    assert [task.correct for task in result.tasks] == [1.0, 0.0, 1.0]
    assert (result.totals.wrong, result.totals.packages) == (1, [2, 1])
    assert result.totals.joules == result.end + 2 * (2.0 * 1.0 + 0.5 * 4)


def test_a_pre_upload_carries_the_raw_input_past_the_first_head() -> None:
    system, links = pipeline()
    instance = hand_instance(system, [0.0], sample=[0], links=links)
    taken = scripted(Action(UPLOAD, 0, 0))
    result = simulate(system, instance, 0, taken, slots=[0])
    # Sample 0 would have left at the terminal; at p2 its confidence is 0: on to the cloud.
    edge = (0.5 + 2 / 8) + 0.0625 + 0.375
    assert starts(result) == [(0.5 + 2 / 8) + 0.0625]
    assert finishes(result) == [edge + (0.25 + 8 / 16) + 0.03125 + 0.125 + 0.09375]
    assert result.tasks[0].pre_uploaded
    assert result.tasks[0].exit_block == 3


def test_an_empty_stage_is_passed_through_without_scheduling() -> None:
    network = HandNetwork((MEGABIT, MEGABIT), (0, 0))
    nodes = [HandNode(TERMINAL, {}), HandNode(EDGE, {}), HandNode(CLOUD, {(0, 0): [1.0]})]
    links = [HandLink(0, 1, 0.25, pieces=[(0, 1e6)]), HandLink(1, 2, 0.5, pieces=[(0, 2e6)])]
    system = hand_system(nodes, [network], links)
    result = simulate(system, hand_instance(system, [0.0], links=links))
    assert starts(result) == [1.0 + 0.25 + 0.5 + 0.5]
    assert finishes(result) == [2.25 + 1.0 + 0.75]
    kinds = [Kind.LINK_FREE, Kind.DELIVERED] * 2
    assert [kind for _, kind, _ in result.events] == [
        Kind.ARRIVAL, *kinds, Kind.BATCH_DONE, Kind.ANSWERED,
    ]  # fmt: skip


def cloud_only(link: HandLink, arrival: list[float], law: list[float]) -> Result:
    network = HandNetwork((MEGABIT, MEGABIT), (0, 0))
    nodes = [HandNode(TERMINAL, {}), HandNode(CLOUD, {(0, 0): law})]
    system = hand_system(nodes, [network], [link])
    return simulate(system, hand_instance(system, arrival, links=[link]))


def test_packing_sends_what_waits_together_up_to_package_max() -> None:
    link = HandLink(0, 1, 0.0, 1.0, pieces=[(0.0, 1e6)])
    alone = cloud_only(link, [0.0, 0.5, 0.6, 0.7], [1.0])
    # Packages of one: 0-2, 2-4, 4-6, 6-8.
    assert starts(alone) == [2.0, 4.0, 6.0, 8.0]
    packed = cloud_only(replace(link, packing=True), [0.0, 0.5, 0.6, 0.7], [1.0, 1.0, 1.0])
    # The first alone 0-2, the other three 2-6.
    assert starts(packed) == [2.0, 6.0, 6.0, 6.0]
    assert packed.totals.packages == [2]
    bounded = replace(link, packing=True, package_max=2 * MEGABIT)
    assert cloud_only(bounded, [0.0, 0.5, 0.6, 0.7], [1.0, 1.0]).totals.packages == [3]
    tiny = replace(link, packing=True, package_max=1.0)
    assert starts(cloud_only(tiny, [0.0, 0.5], [1.0])) == [2.0, 4.0]


@pytest.mark.parametrize(
    ("pieces", "start", "end"),
    [
        ([(0.0, 1e6)], 0.0, 4.5),
        ([(0.0, 1e6), (2.5, 4e6)], 0.0, 3.0),
        ([(0.0, 1e6), (4.5, 0.0), (9.0, 1e6)], 0.0, 4.5),
        ([(0.0, 1e6), (2.5, 0.0), (9.0, 1e6)], 0.0, 11.0),
        ([(0.0, 0.0), (1.5, np.inf)], 0.0, 1.5),
        ([(0.0, 1.0), (0.5, np.inf), (0.75, 1.0)], 0.0, 0.5),
        ([(0.0, 1.0), (3.0, 2e6)], 2.75, 5.25),
    ],
)
def test_bits_are_integrated_across_the_pieces(pieces, start: float, end: float) -> None:
    link = HandLink(0, 1, per_package=0.5, pieces=pieces)
    system = hand_system([HandNode(TERMINAL, {(0, 0): [1.0]}), HandNode(CLOUD, {})], links=[link])
    tables = Tables(system, hand_instance(system, [0.0], links=[link]))
    assert tables.wire_end(0, start, 4 * MEGABIT) == end


def test_packages_follow_each_other_while_the_first_still_propagates() -> None:
    link = HandLink(0, 1, 10.0, pieces=[(0.0, 1e6)])
    result = cloud_only(link, [0.0, 0.0], [1.0])
    assert starts(result) == [11.0, 12.0]
    assert finishes(result) == [22.0, 23.0]


# The clock, and random cases.


def test_events_at_one_time_are_ordered_by_kind_then_index() -> None:
    clock, order = Clock(), []

    def note(name: str) -> Callable[[object], None]:
        return lambda _: order.append(name)

    for kind, index in [
        (Kind.NODES, 0),
        (Kind.ARRIVAL, 7),
        (Kind.ARRIVAL, 2),
        (Kind.BATCH_DONE, 9),
        (Kind.LINK_FREE, 0),
    ]:
        event = clock.at(0.1 + 0.2, kind, index)
        assert event.callbacks is not None
        event.callbacks.append(note(f"{kind.name} {index}"))
    clock.run()
    assert clock.now == 0.1 + 0.2
    assert order == ["BATCH_DONE 9", "LINK_FREE 0", "ARRIVAL 2", "ARRIVAL 7", "NODES 0"]
    with pytest.raises(ValueError, match="before the present"):
        clock.at(0.25, Kind.ARRIVAL, 0)


@pytest.mark.parametrize("grid", [False, True])
@pytest.mark.parametrize("shape", [ANY, ONE_DEVICE])
def test_random_cases_run_to_their_end_and_conserve_tasks(shape: str, grid: bool) -> None:
    for seed in range(40):
        rng = np.random.default_rng([seed, 77])
        case = random_case(rng, shape, grid)
        result = simulate(
            case.system,
            case.instance,
            case.claimed,
            lambda view, rng=rng: view.legal[rng.integers(len(view.legal))],
            case.sizes,
        )
        left = [task.left for task in result.tasks if task.charged]
        assert max(left) == result.end
        assert sum(task.left >= task.arrival for task in result.tasks if task.charged) == len(left)
        times = [time for time, _, _ in result.events]
        assert times == sorted(times)
        if case.instance.charged.all():
            assert result.held == [0.0] * case.system.nodes
        area = sum(task.left - task.arrival for task in result.tasks if task.charged)
        assert result.totals.task_seconds == pytest.approx(area, rel=1e-9, abs=1e-9)
