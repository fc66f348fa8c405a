"""The commands that look at placement scenarios, on small ones."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from scipy.stats import binomtest

from baselines.exit_placement import headroom, suboptimality
from baselines.exit_placement._expected import expected_seconds, present
from baselines.exit_placement.interior import interval_costs, look, main, shares_of
from tests.envs import small_placement
from tiergym import InvalidInput, load_scenario
from tiergym.scenarios.system import pair_number, pairs_of


def test_wilsons_interval_is_scipys() -> None:
    expected = binomtest(7, 50).proportion_ci(method="wilson")
    assert suboptimality.wilson(7 / 50, 50) == pytest.approx((expected.low, expected.high))


def test_the_scan_is_seldom_wrong_and_single_steps_often() -> None:
    rng = np.random.default_rng(0)
    found = suboptimality.examine(*suboptimality.drawn("pi-3b-lte-steady", 40, rng), None, rng)
    assert (found["scan"] >= 0.0).all()
    assert (found["scan"] > 1e-9).mean() < 0.1
    assert (found["hill-climb"] > 1e-9).mean() > (found["scan"] > 1e-9).mean()


@pytest.mark.parametrize("waiting", [False, True])
def test_greedys_pair_has_no_more_overhead_than_the_quickest_tier(waiting: bool) -> None:
    rng = np.random.default_rng(1)
    rows, layout = suboptimality.drawn("pi-3b-lte-steady", 60, rng)
    at = suboptimality.loads(rows, rng) if waiting else present(rows, layout)
    ratios, right = suboptimality.against_tiers(rows, layout, at if waiting else None)
    # The quickest tier has an overhead of 1 and loses no accuracy.
    weight = rows.weights[:, 1] / rows.weights[:, 0]
    seconds = expected_seconds(rows, layout, at, waiting)
    quickest = seconds[np.arange(60)[:, None], [[0, 36, 44]]].min(axis=1)
    overhead = ratios.max(axis=1) + weight / quickest * (right[:, 1] - right[:, 0])
    assert (overhead <= 1.0 + 1e-9).mean() > (0.6 if waiting else 0.95)
    assert (ratios.max(axis=1) < 1.0).any()


def test_costs_by_interval_add_up_to_the_episodes() -> None:
    scenario = load_scenario(small_placement.scenario(background=[]))
    instance = scenario.draw(np.random.default_rng(0))
    costs = interval_costs(scenario, instance)
    assert costs.shape == (8, pairs_of(small_placement.BLOCKS))
    env: Any = gym.make("tiergym/ExitPlacement-v0", scenario=scenario).unwrapped
    for pair in (0, 5, 12):
        env.reset(options={"instance": instance})
        total, over = 0.0, False
        while not over:
            _, reward, over, _, _ = env.step(pair)
            total -= reward
        assert costs[:, pair].sum() == pytest.approx(total, rel=1e-9)
    plain = load_scenario("titan-x-code-0.80")
    with pytest.raises(InvalidInput, match="exit_placement"):
        interval_costs(plain, plain.draw(np.random.default_rng(0)))


def test_headroom_brackets_every_policy() -> None:
    found = headroom.look(load_scenario(small_placement.scenario()), 2, 3, 1)
    assert set(found) == {*headroom.POLICIES, "best fixed", "best found", "bound"}
    assert (found["bound"] <= found["best found"]).all()
    for name in (*headroom.POLICIES, "best fixed"):
        assert (found["best found"] <= found[name] * (1.0 + 1e-9)).all(), name


def test_headroom_prints_a_line_a_scenario(capsys: pytest.CaptureFixture[str]) -> None:
    assert headroom.main(["samsung-s7-5g-low-steady", "instances=1", "width=1", "sweeps=1"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1].startswith("samsung-s7-5g-low-steady")
    ratios = [float(word) for word in lines[-1].split()[1:]]
    assert min(ratios) == ratios[-1] >= 1.0
    assert headroom.main(["instances=none"]) == 2
    assert headroom.main(["no-such-scenario"]) == 2


def test_shares_are_counted_as_they_are_told() -> None:
    pairs = pairs_of(4)
    table = np.full((4, pairs), 10.0)
    table[0, pair_number(0, 0)] = 1.0
    table[1, pair_number(1, 2)] = 1.0
    table[2, pair_number(1, 2)] = 1.0
    table[2, pair_number(2, 3)] = 0.995
    table[3, pair_number(2, 3)] = 1.0
    shares = shares_of([table])
    assert shares.interior == pytest.approx(3 / 4)
    # From the third to the fourth; not to the third, where staying costs within the margin.
    assert shares.change == pytest.approx(2 / 3)
    assert shares.each == pytest.approx(3.995 / 31.0)


def test_every_shipped_scenario_is_worth_deciding(capsys: pytest.CaptureFixture[str]) -> None:
    assert look(load_scenario("tx2-5g-low-abrupt"), 1).interior > 1 / 3
    assert main(["samsung-s7-5g-low-steady"]) == 0
    assert "samsung" in capsys.readouterr().out
