"""Where terminals and edges are drawn, how terminals walk, when edges fail, and redrawing it."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tests.envs import small_selection
from tests.scenarios.examples import example
from tiergym.errors import InvalidInput
from tiergym.links import load_link, load_sites, round_trip
from tiergym.scenarios import Instance, Scenario, check_instance, load_scenario
from tiergym.scenarios.covering import SHORTEST, Failing, draw_failures, nearest
from tiergym.scenarios.instance import Coverage
from tiergym.scenarios.walking import mean_leg_bound, walk

CITY: dict[str, Any] = example(
    small_selection.small(),
    terminals={"count": 6, "radios": {"lte": 2, "wifi-802.11ac": 1}},
    edges=[
        {"count": 3, "profile": small_selection.server(0.02)},
        {"count": 2, "profile": small_selection.server(0.01), "extra_rtt": 0.018},
    ],
    background=[],
    sites={"places": "eua-melbourne-west", "range_km": 0.15},
)
"""Standing terminals; two in three have round trips by distance, the others the profile's."""
WALKING = example(CITY, sites__speed_kmh=30.0, sites__step=0.5, sites__moving=0.5, window=40.0)
FAILING = example(CITY, failures={"mean_up": 2.0, "mean_down": 0.5, "edges": [0, 3]}, window=40.0)


def coverage_of(given: dict[str, Any], seed: int = 0) -> Coverage:
    coverage = load_scenario(given).draw(np.random.default_rng(seed)).coverage
    assert coverage is not None
    return coverage


def kilometres(coverage: Coverage) -> np.ndarray[Any, Any]:
    """float64[Q, K, E], distances that the positions give."""
    away = coverage.terminal_km[:, :, None, :] - coverage.site_km
    return np.hypot(away[..., 0], away[..., 1])


@pytest.mark.parametrize("given", [CITY, WALKING])
def test_half_round_trips_follow_from_positions(given: dict[str, Any]) -> None:
    beyond = 0
    for seed in range(5):
        coverage = coverage_of(given, seed)
        km = kilometres(coverage)
        rtt = np.array(round_trip("lte", km))
        rtt[:, [1, 4]] = load_link("wifi-802.11ac").rtt
        expected = (rtt + np.array([0.0, 0.0, 0.0, 0.018, 0.018])) / 2.0
        in_range = (km <= 0.15) | (km == km.min(axis=2, keepdims=True))
        assert np.array_equal(coverage.half_rtt, np.where(in_range, expected, np.inf))
        assert np.isfinite(coverage.half_rtt).any(axis=2).all()
        beyond += int((km.min(axis=2) > 0.15).sum())
    assert beyond > 0 or given is CITY


def test_an_rtt_of_ones_own_rules() -> None:
    given = example(CITY, terminals__radios={"lte": {"rtt": 0.3}}, sites__range_km=math.inf)
    coverage = coverage_of(given)
    assert set(coverage.half_rtt[0, :, 0].tolist()) == {0.15}
    assert set(coverage.half_rtt[0, :, 4].tolist()) == {(0.3 + 0.018) / 2.0}


def test_edges_stand_at_the_nearest_sites_in_random_order() -> None:
    places = load_sites("eua-melbourne-west")
    first: set[int] = set()
    for seed in range(40):
        coverage = coverage_of(CITY, seed)
        assert (coverage.centre_km == places.user_km).all(axis=1).any()
        order = nearest(places.site_km, coverage.centre_km, 5)
        rows = [row.tolist() for row in coverage.site_km]
        assert sorted(rows) == sorted(order.tolist())
        first.add(order.tolist().index(rows[0]))
    assert first == set(range(5))


def test_terminals_are_at_different_users_near_the_centre() -> None:
    places = load_sites("eua-melbourne-west")
    for seed in range(20):
        coverage = coverage_of(CITY, seed)
        near = nearest(places.user_km, coverage.centre_km, 50)
        where = [tuple(row) for row in coverage.terminal_km[0].tolist()]
        assert set(where) <= {tuple(row) for row in near.tolist()}
        assert len(set(where)) >= 5  # two users may share a position


def test_positions_repeat_where_users_are_few() -> None:
    places = {"site_km": [[0, k] for k in range(5)], "user_km": [[0, 0], [1, 0], [2, 0], [3, 0]]}
    where = coverage_of(example(CITY, sites={"places": places})).terminal_km[0, :, 0]
    assert sorted(np.bincount(where.astype(int), minlength=4).tolist()) == [1, 1, 2, 2]


def test_given_round_trips() -> None:
    coverage = coverage_of(small_selection.small())
    assert coverage.start.tolist() == [0.0]
    given = np.array(small_selection.NEAR) + np.array([0.0, 0.0, 0.02])
    assert np.array_equal(coverage.half_rtt[0], given / 2.0)
    assert not coverage.site_km.size
    assert not coverage.terminal_km.size
    same = coverage_of(example(small_selection.small(), sites={"rtt": 0.01}))
    assert same.half_rtt[0, :, 0].tolist() == [0.005] * 4


def test_half_of_the_terminals_walk_at_that_speed() -> None:
    coverage = coverage_of(WALKING)
    assert np.array_equal(coverage.start, 0.5 * np.arange(160))
    steps = np.diff(coverage.terminal_km, axis=0)
    walked = np.hypot(steps[..., 0], steps[..., 1])
    moved = walked.any(axis=0)
    assert int(moved.sum()) == 3
    full = 30.0 / 3600.0 * 0.5
    assert (walked <= full * (1.0 + 1e-9)).all()
    # shorter only where a corner was turned
    assert np.mean(np.isclose(walked[:, moved], full)) > 0.9


def test_another_set_walks_each_time() -> None:
    sets = set[tuple[bool, ...]]()
    for seed in range(12):
        km = coverage_of(WALKING, seed).terminal_km
        sets.add(tuple((km != km[0]).any(axis=(0, 2)).tolist()))
    assert len(sets) > 3
    assert all(sum(moved) == 3 for moved in sets)


def test_a_walk_goes_from_stop_to_stop() -> None:
    stops = np.array([[0.0, 0.0], [3.0, 4.0]])
    at = walk(np.random.default_rng(0), stops[:1], stops, np.arange(0.0, 400.0, 0.5))[:, 0]
    along = np.hypot(at[:, 0], at[:, 1])
    # to and fro, five kilometres each way; staying where one is takes no time
    expected = np.arange(0.0, 400.0, 0.5) % 10.0
    assert along == pytest.approx(np.where(expected > 5.0, 10.0 - expected, expected), abs=1e-9)
    assert np.allclose(at[:, 1] * 3.0, at[:, 0] * 4.0)
    assert mean_leg_bound(stops) == 2.5


def test_stops_are_drawn_uniformly() -> None:
    angles = np.arange(5) * 2.0 * math.pi / 5.0
    stops = np.stack((np.cos(angles), np.sin(angles)), axis=1)
    at = walk(np.random.default_rng(1), np.repeat(stops[:1], 500, axis=0), stops, np.array([0, 40]))
    # by symmetry nobody is drawn to any side
    assert np.abs(at[1].mean(axis=0)).max() < 4.0 / 500**0.5


def test_failures_are_exponential_and_do_not_touch() -> None:
    failing = Failing(np.array([0, 2]), 3.0, 0.5)
    edge, start, end = draw_failures(failing, np.random.default_rng(0), 0.0, np.zeros(0), 40_000.0)
    assert set(edge.tolist()) == {0, 2}
    assert (np.diff(start) >= 0.0).all()
    assert start[-1] < 40_000.0
    for one in (0, 2):
        own = edge == one
        up = start[own] - np.concatenate(([0.0], end[own][:-1]))
        down = end[own] - start[own]
        assert (up > 0.0).all()
        for spans, mean in ((up, 3.0), (down, 0.5)):
            error = mean / len(spans) ** 0.5
            assert abs(spans.mean() - mean) < 4.0 * error
            # an exponential's deviation is its mean; its estimate is off by sqrt(2) as much
            assert abs(spans.std() - mean) < 4.0 * 2.0**0.5 * error


def test_tiny_times_between_failures_are_raised() -> None:
    failing = Failing(np.array([0]), 1e-9, 1e-9)
    _, start, end = draw_failures(failing, np.random.default_rng(0), 0.0, np.zeros(0), 0.01)
    assert start[0] >= SHORTEST
    assert (end > start).all()
    assert (start[1:] > end[:-1]).all()


def test_failures_of_a_scenario() -> None:
    scenario = load_scenario(FAILING)
    for seed in range(5):
        instance = scenario.draw(np.random.default_rng(seed))
        check_instance(scenario.system, instance)
        assert instance.coverage is not None
        assert set(instance.coverage.failure_edge.tolist()) == {0, 3}
        assert instance.coverage.failure_start[-1] < 2.0 * scenario.window
    assert not coverage_of(CITY).failure_edge.size


def redrawn(scenario: Scenario, instance: Instance, now: float, seed: int = 1) -> Coverage:
    fixed = instance.arrival <= now
    again = scenario.redraw(np.random.default_rng(seed), instance, now, fixed)
    check_instance(scenario.system, again)
    assert again.coverage is not None
    return again.coverage


@pytest.mark.parametrize("now", [0.0, 0.3, 17.2, 40.0, 79.0, 200.0])
@pytest.mark.parametrize(
    "given", [WALKING, FAILING, example(WALKING, failures=FAILING["failures"])]
)
def test_redraw_keeps_what_has_begun(given: dict[str, Any], now: float) -> None:
    scenario = load_scenario(given)
    instance = scenario.draw(np.random.default_rng(0))
    old, new = instance.coverage, redrawn(scenario, instance, now)
    assert old is not None
    pieces = int(np.sum(old.start <= now))
    assert np.array_equal(new.start, old.start)
    for name in ("half_rtt", "terminal_km"):
        assert np.array_equal(getattr(new, name)[:pieces], getattr(old, name)[:pieces])
    assert np.array_equal(new.site_km, old.site_km)
    assert np.array_equal(new.centre_km, old.centre_km)
    begun = int(np.sum(old.failure_start <= now))
    assert np.array_equal(new.failure_edge[:begun], old.failure_edge[:begun])
    assert np.array_equal(new.failure_start[:begun], old.failure_start[:begun])
    assert (new.failure_start[begun:] > now).all()
    over = old.failure_end[:begun] <= now
    assert np.array_equal(new.failure_end[:begun][over], old.failure_end[:begun][over])
    assert (new.failure_end[:begun][~over] > now).all()
    if now < 79.0 and len(old.start) > 1:
        assert not np.array_equal(new.half_rtt, old.half_rtt) or now == 0.0
        assert not np.array_equal(new.terminal_km, old.terminal_km)


def test_redraw_has_no_foresight() -> None:
    """What comes after now may be anything: the same generator redraws the same from it."""
    scenario = load_scenario(example(WALKING, failures=FAILING["failures"]))
    instance = scenario.draw(np.random.default_rng(3))
    coverage = instance.coverage
    assert coverage is not None
    now = float(coverage.failure_start[4]) + 1e-4
    pieces = int(np.sum(coverage.start <= now))
    begun = coverage.failure_start <= now
    end = np.where(coverage.failure_end > now, now + 99.0, coverage.failure_end)
    assert (end != coverage.failure_end)[begun].any()
    other = replace(
        coverage,
        start=coverage.start[:pieces],
        half_rtt=coverage.half_rtt[:pieces],
        terminal_km=coverage.terminal_km[:pieces],
        failure_edge=coverage.failure_edge[begun],
        failure_start=coverage.failure_start[begun],
        failure_end=end[begun],
    )
    fixed = instance.arrival <= now
    first, second = (
        scenario.redraw(np.random.default_rng(5), each, now, fixed).digest()
        for each in (instance, replace(instance, coverage=other))
    )
    assert first == second


def test_walkers_go_on_from_where_they_are() -> None:
    scenario = load_scenario(WALKING)
    instance = scenario.draw(np.random.default_rng(0))
    coverage = instance.coverage
    assert coverage is not None
    walkers = (coverage.terminal_km != coverage.terminal_km[0]).any(axis=(0, 2))
    ends: list[np.ndarray[Any, Any]] = []
    for seed in range(4):
        km = redrawn(scenario, instance, 20.1, seed).terminal_km
        assert np.array_equal((km != km[0]).any(axis=(0, 2)), walkers)
        steps = np.hypot(*np.moveaxis(np.diff(km, axis=0), 2, 0))
        assert (steps <= 30.0 / 7200.0 * (1.0 + 1e-9)).all()
        ends.append(km[-1])
    assert len({end.tobytes() for end in ends}) == 4


def test_who_walks_is_not_known_before_anybody_moved() -> None:
    scenario = load_scenario(WALKING)
    instance = scenario.draw(np.random.default_rng(0))
    found = set[tuple[bool, ...]]()
    for seed in range(8):
        km = redrawn(scenario, instance, 0.2, seed).terminal_km
        found.add(tuple((km != km[0]).any(axis=(0, 2)).tolist()))
    assert len(found) > 2


def test_a_failure_under_way_ends_after_an_exponential_time() -> None:
    scenario = load_scenario(FAILING)
    instance = scenario.draw(np.random.default_rng(0))
    assert instance.coverage is not None
    now = float(instance.coverage.failure_start[2]) + 0.01
    ends = [redrawn(scenario, instance, now, seed).failure_end[2] for seed in range(300)]
    left = np.array(ends) - now
    assert abs(left.mean() - 0.5) < 4.0 * 0.5 / 300**0.5


def test_by_hand() -> None:
    scenario = load_scenario(FAILING)
    instance = scenario.instance(np.linspace(0.0, 1.0, 8))
    assert instance.origin.tolist() == [0, 1, 2, 3, 4, 5, 0, 1]
    assert instance.coverage is not None
    assert not instance.coverage.failure_edge.size
    assert instance.digest() == scenario.instance(np.linspace(0.0, 1.0, 8)).digest()
    near = Coverage(
        start=np.array([0.0, 1.0]),
        half_rtt=np.full((2, 6, 5), 0.01),
        failure_edge=np.array([1]),
        failure_start=np.array([0.5]),
        failure_end=np.array([0.7]),
    )
    own = scenario.instance([0.0], origin="terminal-3", coverage=near)
    assert own.coverage is near
    later = redrawn(scenario, own, 0.6)
    assert later.start.tolist() == [0.0]
    assert later.failure_edge[0] == 1
    with pytest.raises(InvalidInput, match="charged tasks arrive"):
        scenario.instance([0.0], origin="edge-0")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"site_km": np.zeros((4, 2))}, "instance.coverage.site_km"),
        ({"terminal_km": np.empty((0, 0, 2))}, "instance.coverage.terminal_km"),
        ({"centre_km": np.array([0.0, np.nan])}, "instance.coverage.centre_km"),
        ({"half_rtt": np.full((1, 6, 4), 0.01)}, "instance.coverage.half_rtt"),
        ({"half_rtt": np.full((1, 6, 5), np.inf)}, "instance.coverage.half_rtt"),
        ({"start": np.array([1.0])}, "instance.coverage.start"),
        ({"failure_edge": np.array([5])}, "instance.coverage.failure"),
    ],
)
def test_wrong_coverage(changes: dict[str, Any], field: str) -> None:
    scenario = load_scenario(CITY)
    instance = scenario.draw(np.random.default_rng(0))
    assert instance.coverage is not None
    wrong = replace(instance, coverage=replace(instance.coverage, **changes))
    with pytest.raises(InvalidInput) as caught:
        check_instance(scenario.system, wrong)
    assert caught.value.field == field


def test_coverage_counts_in_the_digest() -> None:
    instance = load_scenario(CITY).draw(np.random.default_rng(0))
    assert instance.coverage is not None
    moved = replace(instance.coverage, site_km=instance.coverage.site_km + 1.0)
    assert replace(instance, coverage=moved).digest() != instance.digest()
    without = replace(instance, coverage=None)
    assert without.digest() != instance.digest()
