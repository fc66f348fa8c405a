"""What each selection policy picks, on observations built by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from baselines.edge_selection import blind, earliest_finish, least_load, randomised, two_stage
from baselines.edge_selection._drawing import Draws
from baselines.edge_selection._load import entropy_weights
from baselines.edge_selection._observation import Layout
from baselines.edge_selection.power_of_two import PowerOfTwoStale
from baselines.edge_selection.randomised import level_shares
from baselines.policy import Policy
from tests.baselines.edge_selection.observations import (
    drawn,
    edge,
    environment,
    observe,
    over,
    reported,
    stacked,
)
from tiergym.errors import InvalidInput

UNPRIVILEGED = {
    **blind.POLICIES,
    **least_load.POLICIES,
    **randomised.POLICIES,
    **earliest_finish.POLICIES,
    **{k: v for k, v in two_stage.POLICIES.items() if "oracle" not in k},
    "power-of-two-stale": None,
}


def make(name: str, **options: Any) -> Any:
    entry = UNPRIVILEGED[name]
    if entry is None:
        return PowerOfTwoStale(environment(), **options)
    return entry.build(environment(), **{**entry.options, **options})


def pick(name: str, *edges: Any, options: Any = None, **terminal: Any) -> int:
    policy = make(name, **(options or {}))
    policy.seed([1]) if hasattr(policy, "seed") else None
    return int(policy.predict(observe(edges, **terminal))[0])


@pytest.mark.parametrize("name", sorted(UNPRIVILEGED))
def test_rows_are_decided_as_each_alone_and_the_mask_is_obeyed(name: str) -> None:
    rng = np.random.default_rng(3)
    together, alone = make(name), [make(name) for _ in range(6)]
    assert isinstance(make(name), Policy)
    assert not together.privileged
    for one, policy in enumerate([*alone, together]):
        if hasattr(policy, "seed"):
            policy.seed([one] if one < 6 else list(range(6)))
    state, states = None, [None] * 6
    for step in range(60):
        seen = [over() if row == 5 and step > 30 else drawn(rng) for row in range(6)]
        start = np.full(6, step in (0, 20))
        actions, state = together.predict(stacked(seen), state, start)
        assert actions.dtype == np.int64
        for row, policy in enumerate(alone):
            action, states[row] = policy.predict(seen[row], states[row], start[:1])
            assert int(action) == actions[row], (step, row)
            assert seen[row]["action_mask"][actions[row]] == 1


@pytest.mark.parametrize("name", sorted(UNPRIVILEGED))
def test_state_that_was_returned_is_not_written_again(name: str) -> None:
    rng = np.random.default_rng(4)
    policy = make(name)
    state = policy.predict(drawn(rng), None, np.ones(1, bool))[1]
    kept = [part.copy() for part in state or ()]
    policy.predict(drawn(rng), state, np.zeros(1, bool))
    for before, after in zip(kept, state or (), strict=True):
        assert np.array_equal(before, after)


def test_random_is_even_over_the_edges_in_range() -> None:
    many = stacked([observe([edge(), edge(in_range=0), edge(), edge()])] * 3000)
    policy = make("random")
    policy.seed(range(3000))
    count = np.bincount(policy.predict(many)[0], minlength=8)
    assert count[[0, 2, 3]].sum() == 3000
    assert np.abs(count[[0, 2, 3]] - 1000).max() < 4 * np.sqrt(3000 * 2 / 9)


def test_draws_are_those_of_the_shared_generator() -> None:
    """One at a time or several at once, and the same SplitMix64 as `RowDraws`."""
    several, single = Draws(), Draws()
    several.seed([5, 6])
    single.seed([5, 6])
    both = np.concatenate([single.uniforms(2, 1) for _ in range(4)], axis=1)
    assert np.array_equal(several.uniforms(2, 4), both)
    fresh = Draws()
    fresh.seed([5, 6])
    actions = fresh.actions(np.ones((2, 1000), np.int8))
    assert actions.tolist() == (both[:, 0] * 1000).astype(int).tolist()
    with pytest.raises(InvalidInput, match="seeds"):
        several.uniforms(3, 1)


def test_round_robin_counts_for_each_terminal_or_over_all() -> None:
    turns = [0, 0, 1, 1, 0, 2]
    three = [edge(), edge(), edge()]
    for name, staggered, expected in (
        ("round-robin", False, [0, 1, 0, 1, 2, 0]),
        ("round-robin", True, [0, 1, 1, 2, 2, 2]),
        ("round-robin-overall", True, [0, 1, 2, 0, 1, 2]),
    ):
        policy, state, found = make(name, staggered=staggered), None, []
        for step, index in enumerate(turns):
            action, state = policy.predict(observe(three, index=index), state, [step == 0])
            found.append(int(action))
        assert found == expected


def test_round_robin_skips_edges_out_of_range_and_begins_anew() -> None:
    policy, gap = make("round-robin"), [edge(), edge(in_range=0), edge()]
    action, state = policy.predict(observe(gap), None, [True])
    assert action == 0
    action, state = policy.predict(observe(gap), state, [False])
    assert action == 2
    assert policy.predict(observe(gap), state, [False])[0] == 0
    assert policy.predict(observe(gap), state, [True])[0] == 0


def test_round_robin_meets_more_terminals_than_before() -> None:
    policy = make("round-robin", staggered=False)
    state = policy.predict(observe([edge(), edge()], terminals=1))[1]
    later = observe([edge(), edge()], terminals=9, index=8)
    assert policy.predict(later, state, [False])[0] == 0


def test_nearest() -> None:
    assert pick("nearest", edge(rtt=0.03), edge(rtt=0.01), edge(rtt=0.0, in_range=0)) == 1


def test_least_load_weighs_its_criteria() -> None:
    busy = edge(reported(0.9, 0.9), rtt=0.001)
    idle = edge(reported(0.2, 0.2), rtt=0.1)
    assert pick("least-load", busy, idle, payload=0.0) == 1
    near = {"weights": {"link": 1.0}}
    assert pick("least-load", busy, idle, payload=0.0, options=near) == 0


def test_least_load_averages_the_window() -> None:
    rising = edge(reported(0.9, 0.1, 0.1, 0.1))
    steady = edge(reported(0.4, 0.4, 0.4, 0.4))
    only = {"weights": {"utilisation": 1}}
    assert pick("least-load", rising, steady, options=only) == 0
    assert pick("least-load", rising, steady, options={**only, "window": 1}) == 1


def test_an_edge_without_reports_is_supposed_to_be_like_the_others() -> None:
    """Neither first, as zeros would be, nor last."""
    told = [edge(reported(0.2)), edge(reported(0.8)), edge()]
    assert pick("least-load", *told) == 0
    assert pick("least-load", told[1], edge(reported(0.6)), edge(reported(0.9)), edge()) == 1
    assert pick("least-load", edge(), edge()) == 0


@pytest.mark.parametrize("name", ["least-load", "earliest-finish", "least-load-randomised"])
def test_a_silent_edge_is_avoided(name: str) -> None:
    silent = edge([{"utilisation": 0.1, "age": 3.5}])
    assert pick(name, silent, edge(reported(0.9))) == 1
    assert pick(name, silent) == 0


def test_entropy_weights_are_those_of_the_formula() -> None:
    """Two reports with utilisation 0.25 and 0.75 and equal backlogs; links alike, nothing held."""
    two = [
        edge([{"utilisation": 0.25, "backlog": 1.0, "age": 0.1}]),
        edge([{"utilisation": 0.75, "backlog": 1.0, "age": 0.1}]),
    ]
    rows = Layout.of(environment()).rows(observe(two))[0]
    assert entropy_weights(rows)[0] == pytest.approx([1.0, 0.0, 0.0, 0.0], abs=1e-9)
    two[1]["reports"][0]["backlog"] = 3.0
    rows = Layout.of(environment()).rows(observe(two))[0]
    assert entropy_weights(rows)[0] == pytest.approx([0.5, 0.0, 0.0, 0.5], abs=1e-6)
    rows = Layout.of(environment()).rows(observe([edge(), edge()]))[0]
    assert entropy_weights(rows)[0] == pytest.approx([0.25] * 4)


def test_weights_are_checked() -> None:
    for wrong in ("other", {}, {"cpu": 1.0}, {"queue": -1.0}, {"queue": 0.0}):
        with pytest.raises(InvalidInput, match="weights"):
            make("least-load", weights=wrong)
    assert pick("least-load", edge(reported(0.9)), edge(), options={"weights": "entropy"}) == 0
    with pytest.raises(InvalidInput, match="window"):
        make("least-load", window=9)


def test_levels_fill_like_water() -> None:
    backlog = np.array([[1.0, 3.0, 10.0, 0.0]])
    there = np.array([[True, True, True, False]])
    pace = np.array([[1.0, 2.0, 1.0, 1.0]])
    # 8 tasks: level 5 = 1 + 4 = 3 + 2, the third stays above it.
    shares = level_shares(backlog, pace, np.array([8.0]), there)
    assert shares[0] == pytest.approx([0.5, 0.5, 0.0, 0.0])
    shares = level_shares(backlog, pace, np.array([0.0]), there)
    assert shares[0] == pytest.approx([1.0, 0.0, 0.0, 0.0])


def test_randomised_least_load_draws_by_the_levels() -> None:
    reports = [{"backlog": 0.0, "arrivals": 10.0, "age": 0.1}]
    longer = [{"backlog": 0.5, "arrivals": 10.0, "age": 0.1}]
    seen = observe([edge(reports), edge(longer), edge(reports, in_range=0)])
    policy = make("least-load-randomised")
    policy.seed(range(4000))
    found = policy.predict(stacked([seen] * 4000))[0]
    # 20 tasks of 0.05 s: level 0.75, shares 0.75 and 0.25.
    assert abs(np.mean(found == 0) - 0.75) < 4 * np.sqrt(0.75 * 0.25 / 4000)
    fresh = stacked([observe([edge(reports), edge(longer)], interval=0.0)] * 4000)
    assert (policy.predict(fresh)[0] == 0).all()


def test_the_better_of_two_by_the_newest_reports() -> None:
    loads = [edge(reported(q, field="queued")) for q in (9.0, 0.0, 5.0)]
    policy = make("power-of-two-stale")
    policy.seed(range(3000))
    found = policy.predict(stacked([observe(loads)] * 3000))[0]
    # Edge 1 is drawn in two of three pairs, 2 wins the third one.
    assert not (found == 0).any()
    assert abs(np.mean(found == 1) - 2 / 3) < 4 * np.sqrt(2 / 9 / 3000)
    equal = stacked([observe([edge(reported(0.5)), edge(reported(0.5))])] * 3000)
    assert abs(np.mean(policy.predict(equal)[0]) - 0.5) < 4 * 0.5 / np.sqrt(3000)
    assert policy.predict(stacked([observe([edge(in_range=0), edge()])] * 3000))[0].all()


def test_earliest_finish_adds_up_what_a_task_waits_for() -> None:
    near = edge([{"backlog": 0.5, "utilisation": 1.0, "age": 0.1}], rtt=0.01, seconds=0.1)
    far = edge([{"backlog": 0.0, "utilisation": 1.0, "age": 0.1}], rtt=0.4, seconds=0.1)
    assert pick("earliest-finish", near, far) == 1
    assert pick("earliest-finish", near, {**far, "rtt": 0.6}) == 0
    assert pick("earliest-finish", near, {**far, "seconds": 0.3}) == 0
    # Idle since: half of what was there drains at utilisation 0.5 over age and wire.
    near["reports"][0] |= {"utilisation": 0.5, "age": 0.9}
    assert pick("earliest-finish", near, far) == 0
    # What it sent itself is still there.
    assert pick("earliest-finish", {**near, "own": 20}, far) == 1


def test_earliest_finish_counts_reconnecting() -> None:
    here = edge(reported(0.0), rtt=0.05, attached=1)
    there = edge(reported(0.0), rtt=0.01)
    assert pick("earliest-finish", here, there, reconnect=0.0) == 1
    assert pick("earliest-finish", here, there, reconnect=0.1) == 0


def test_a_move_goes_to_the_lightest_forecast_and_stays_at_equal_ones() -> None:
    full = edge(reported(0.9, 0.9), attached=1)
    falling, low = edge(reported(0.2, 0.8, 0.8, 0.8)), edge(reported(0.4, 0.4, 0.4, 0.4))
    assert pick("two-stage-last", full, falling, low, stage=1) == 1
    assert pick("two-stage-mean", full, falling, low, stage=1) == 2
    same = edge(reported(0.9, 0.9))
    assert pick("two-stage-last", same, full, same, stage=1) == 1
    for name in ("two-stage", "two-stage-ar"):
        assert pick(name, full, edge(reported(*[0.1] * 8)), stage=1) == 1


def test_a_silent_edge_is_left() -> None:
    silent = edge([{"utilisation": 0.1, "age": 4.0}], attached=1)
    assert pick("two-stage-last", silent, edge(reported(0.95)), stage=1) == 1
    hold = {"hold": 50.0}
    assert pick("two-stage+hold", silent, edge(reported(0.95)), stage=1, options=hold) == 1


def test_stages_are_told_apart() -> None:
    full, low = edge(reported(0.9), attached=1, rtt=0.0), edge(reported(0.1), rtt=0.02)
    assert pick("stage-one", full, low, stage=0) == 1
    assert pick("stage-one", full, low, stage=1) == 0
    assert pick("stage-two", full, low, stage=1) == 1
    policy = make("stage-two")
    policy.seed(range(1000))
    found = policy.predict(stacked([observe([full, low])] * 1000))[0]
    assert 400 < found.sum() < 600


def test_hold_keeps_a_terminal_after_it_went_elsewhere() -> None:
    policy = make("two-stage+hold", forecaster="last", hold=2.0)

    def pair(attached: int) -> list[Any]:
        loads = (0.9, 0.1) if attached == 0 else (0.1, 0.9)
        return [edge(reported(u), attached=float(k == attached)) for k, u in enumerate(loads)]

    action, state = policy.predict(observe(pair(0), stage=1), None, [True])
    assert action == 1
    action, state = policy.predict(observe(pair(1), stage=1, elapsed=1.5), state, [False])
    assert action == 1
    other, _ = policy.predict(observe(pair(1), stage=1, index=2), state, [False])
    assert other == 0
    action, _ = policy.predict(observe(pair(1), stage=1, elapsed=0.6), state, [False])
    assert action == 0


def test_windows_repeat_the_oldest_report() -> None:
    layout = Layout.of(environment())
    rows = layout.rows(observe([edge(reported(0.3, 0.2, 0.1)), edge()]))[0]
    windows = two_stage.windows_of(rows)[0]
    assert windows[0] == pytest.approx([0.1] * 6 + [0.2, 0.3])
    assert np.isnan(windows[1]).all()


def test_forecasts_between_steps_are_joined_linearly() -> None:
    newest, forecasts = np.array([[0.0]]), np.array([[[1.0, 2.0, 6.0, 8.0]]])
    for steps, expected in ((0.0, 0.0), (0.5, 0.5), (1.0, 1.0), (3.0, 4.0), (8.0, 8.0), (20.0, 8)):
        found = two_stage.between_steps(newest, forecasts, np.array([[steps]]))
        assert found[0, 0] == pytest.approx(expected)
    rows = Layout.of(environment()).rows(observe([edge(reported(0.5), rtt=0.2)]))[0]
    # Age 0.1, a wire of 0.1 s (0.8 Mbit at 8 Mbit/s), half a round trip of 0.1 s.
    assert two_stage.steps_to_arrival(rows)[0, 0] == pytest.approx(0.3, abs=1e-6)
    assert pick("two-stage-mean", edge(reported(0.4)), stage=1, options={"ahead": "arrival"}) == 0


@pytest.mark.parametrize(
    "options",
    [{"forecaster": "lst"}, {"ahead": 3}, {"ahead": True}, {"attach": "all"}, {"hold": -1.0}],
)
def test_wrong_options_are_named(options: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput, match=next(iter(options))):
        make("two-stage", **options)


def test_privileged_policies_refuse_other_environments() -> None:
    with pytest.raises(InvalidInput, match="env"):
        two_stage.TwoStage(environment(), forecaster="oracle")
