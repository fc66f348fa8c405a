"""The figures of a placement suite against simulations, replays and the policies' own search."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from rich.console import Console

import baselines.gallery
from baselines import leaderboard, make_policy
from baselines.exit_placement import gallery
from baselines.exit_placement._observation import Layout
from baselines.exit_placement.greedy import overhead, search
from baselines.gallery import figures_key, gallery_of, recorder
from tests.envs import small_placement
from tests.evaluation import synthetic
from tiergym import load_scenario
from tiergym.evaluation.report.figures import (
    Band,
    Dots,
    Figure,
    Gallery,
    Group,
    Rule,
    Steps,
    from_plain,
    to_plain,
)
from tiergym.evaluation.results import Results
from tiergym.evaluation.scenes import scenes_of
from tiergym.evaluation.suites import load_suite
from tiergym.scenarios.system import pair_number, pair_of

SEED = 2_000_000_000
ID = "tiergym/ExitPlacement-v0"
L = small_placement.BLOCKS
INTERVAL, WINDOW = 0.4, 3.0
SCENE = "small"


def busy() -> dict[str, Any]:
    """Enough arrivals that no pair is best all the time."""
    return small_placement.scenario(arrivals={"process": "poisson", "rate": 90})


def results(*policies: str, scenario: dict[str, Any] | None = None) -> Results:
    """A suite whose policies all finished its first episode."""
    names = policies or ("terminal-only", *gallery.TONES)
    suite = load_suite(
        {
            "name": "placed",
            "environment": ID,
            "reference": names[0],
            "policies": list(names),
            "scenarios": [scenario or busy()],
            "seeds": 3,
        }
    )
    records = [synthetic.record(name, SCENE, SEED, 1.0) for name in names]
    return Results(suite, scenes_of(suite), records)


@pytest.fixture(scope="module")
def group() -> Group:
    (made,) = gallery.figures(results())
    return made


def named(figure: Figure, kind: type[Any], strip: int = 0) -> dict[str, Any]:
    return {mark.name: mark for mark in figure.strips[strip].marks if isinstance(mark, kind)}


def points(dots: Dots) -> set[tuple[float, float]]:
    return set(zip(dots.xs, dots.ys, strict=True))


def instance() -> Any:
    env: Any = gym.make(ID, scenario=busy()).unwrapped
    env.reset(seed=SEED)
    return env.snapshot().instance


def simulated(pair: tuple[int, int]) -> tuple[float, float]:
    """Mean delay and per cent of right answers of a pair held throughout, in the environment."""
    env: Any = gym.make(ID, scenario=busy()).unwrapped
    env.reset(seed=SEED)
    over = False
    while not over:
        *_, over, _, info = env.step(pair_number(*pair))
    return info["metrics"]["mean_delay"], 100.0 * info["metrics"]["accuracy"]


def taken(policy: str) -> list[tuple[int, int]]:
    env: Any = gym.make(ID, scenario=busy()).unwrapped
    made = make_policy(policy, env)
    observation, _ = env.reset(seed=SEED)
    found: list[tuple[int, int]] = []
    over = False
    while not over:
        action = int(made.predict(observation)[0])
        found.append(pair_of(action))
        observation, _, over, _, _ = env.step(action)
    return found


def test_every_pair_is_a_dot_where_its_simulation_lies(group: Group) -> None:
    dots = named(group.figures[0], Dots)
    tiers = dots["single tier"]
    expected = {"cloud": (0, 0), "edge": (0, L), "terminal": (L, L)}
    assert set(tiers.labels) == set(expected)
    for label, x, y in zip(tiers.labels, tiers.xs, tiers.ys, strict=True):
        assert (x, y) == pytest.approx(simulated(expected[label]), rel=1e-9)
    # 15 pairs of 4 blocks: 3 of them pure, (1, 2), (1, 3), (2, 3) with two exits inside.
    assert [len(dots[kind].xs) for kind in gallery.KINDS] == [3, 9, 3]
    two = {simulated(pair) for pair in ((1, 2), (1, 3), (2, 3))}
    assert np.array(sorted(two)) == pytest.approx(np.array(sorted(points(dots[gallery.KINDS[2]]))))


def test_rings_are_the_pairs_that_a_policy_takes_and_larger_the_more_often(group: Group) -> None:
    dots = named(group.figures[0], Dots)
    assert "terminal-only" not in dots
    several = 0
    for place, policy in enumerate(gallery.TONES):
        pairs = taken(policy)
        expected = {simulated(pair): pairs.count(pair) / len(pairs) for pair in set(pairs)}
        ring = dots[policy]
        assert len(ring.xs) == len(expected)
        for x, y, radius in zip(ring.xs, ring.ys, ring.radii, strict=True):
            share = expected[min(expected, key=lambda at: abs(at[0] - x) + abs(at[1] - y))]
            assert radius == pytest.approx(4.0 + 7.0 * share**0.5 + 1.6 * place)
        several += len(expected) > 1
    assert several > 1


def test_steps_over_time_are_the_decisions_of_a_replay(group: Group) -> None:
    shown = {figure.title: figure for figure in group.figures}
    for policy in gallery.OVER_TIME:
        figure, pairs = shown[f"{policy} over time"], taken(policy)
        steps, bands = named(figure, Steps), named(figure, Band)
        assert list(zip(steps["p1"].ys, steps["p2"].ys, strict=True)) == pairs
        edges = np.minimum(np.arange(len(pairs) + 1) * INTERVAL, WINDOW)
        assert steps["p1"].edges == pytest.approx(tuple(edges))
        assert (bands["terminal"].high, bands["edge"].high) == (steps["p1"].ys, steps["p2"].ys)
        assert bands["edge"].low == bands["terminal"].high
        assert bands["cloud"].low == bands["edge"].high
        assert set(bands["cloud"].high) == {L}
    assert "greedy over time" not in shown


def test_bandwidth_and_arrivals_are_the_instances(group: Group) -> None:
    figure, drawn = group.figures[-1], instance()
    uplink = named(figure, Steps, 1)["uplink"]
    own = slice(0, int(drawn.piece_offset[1]))
    within = drawn.piece_start[own] < WINDOW
    assert uplink.edges == (*drawn.piece_start[own][within], WINDOW)
    assert uplink.ys == pytest.approx(drawn.piece_bandwidth[own][within] / 1e6)
    arrivals = named(figure, Steps, 2)["arrivals"]
    counted = float(np.dot(arrivals.ys, np.diff(arrivals.edges)))
    assert counted == pytest.approx(drawn.charged.sum())


def test_the_sweep_is_greedys_search_at_each_bandwidth() -> None:
    made = results()
    env = recorder(made.suite, made.scenes[0])
    observation, _ = env.reset(seed=SEED)
    for waiting in (False, True):
        found = gallery.sweep(env, observation, 8e6, waiting)
        assert (found.edges[0], found.edges[-1]) == pytest.approx((8e5, 8e7))
        assert len(found.greedy) == len(found.least) == len(found.bandwidth) == gallery.POINTS
        layout = Layout.of(env)
        for k in (0, gallery.POINTS // 2, gallery.POINTS - 1):
            told = {**observation, "link": observation["link"].astype(np.float64)}
            told["link"][3] = found.bandwidth[k] / 1e6
            costs = overhead(layout.rows(told)[0], layout, None, waiting)[0][0]

            def cost(ends: tuple[int, int], costs: Any = costs) -> float:
                return float(costs[pair_number(*ends)])

            assert found.greedy[k] == search(cost, L, "scan")
            assert found.least[k] == min(map(pair_of, range(15)), key=cost)


def test_the_sweep_moves_with_bandwidth_and_marks_the_scenarios_own(group: Group) -> None:
    figure = group.figures[1]
    assert figure.x.high / figure.x.low == pytest.approx(100.0)
    drawn = load_scenario(busy())
    instances = [drawn.draw(np.random.default_rng(seed)) for seed in (1, 2)]
    low, middle, high = gallery.quantiles(drawn, instances, (0.1, 0.5, 0.9))
    pieces = [gallery.uplink_pieces(drawn, one)[1] for one in instances]
    assert np.mean(np.concatenate(pieces) < middle) == pytest.approx(0.5, abs=0.05)
    assert low < middle < high
    rule = named(figure, Rule)["its median"]
    assert rule.x**2 == pytest.approx(figure.x.low * figure.x.high)
    p1 = named(figure, Band)["terminal"].high
    assert len(set(p1)) > 1
    assert len(p1) == gallery.POINTS


def test_quantiles_weigh_bandwidth_by_time() -> None:
    scenario = load_scenario(busy())
    drawn = scenario.draw(np.random.default_rng(0))
    first = slice(0, int(drawn.piece_offset[1]))
    start = np.append([0.0, 2.9], drawn.piece_start[first.stop :])
    bandwidth = np.append([1e6, 9e6], drawn.piece_bandwidth[first.stop :])
    offset = drawn.piece_offset + np.array([0, *[2 - first.stop] * (len(drawn.piece_offset) - 1)])
    short = replace(drawn, piece_start=start, piece_bandwidth=bandwidth, piece_offset=offset)
    assert gallery.quantiles(scenario, [short], (0.5, 0.9, 0.99)).tolist() == [1e6, 1e6, 9e6]


def test_policies_that_failed_or_are_not_played_are_left_out() -> None:
    made = results("exhaustive", "greedy", "greedy+waiting")
    del made.records["greedy+waiting", SCENE]
    (group,) = gallery.figures(made)
    assert set(named(group.figures[0], Dots)) == {*gallery.KINDS, "exhaustive", "greedy"}
    titles = [figure.title for figure in group.figures]
    assert titles[2:] == ["exhaustive over time"]
    (alone,) = gallery.figures(results("terminal-only"))
    assert len(alone.figures) == 1


def test_pairs_that_do_not_fit_are_left_out() -> None:
    given = small_placement.tight() | {"name": SCENE}
    env: Any = gym.make(ID, scenario=given).unwrapped
    env.reset(seed=SEED)
    held = gallery.pairs_held(env.scenarios[0], env.snapshot().instance, [0])
    legal = {pair_of(int(action)) for action in np.flatnonzero(env.action_masks())}
    assert {(one.p1, one.p2) for one in held} == legal
    assert 0 < len(legal) < 15
    (group,) = gallery.figures(results("exhaustive", scenario=given))
    dots = named(group.figures[0], Dots)
    assert sum(len(dots[kind].xs) for kind in gallery.KINDS if kind in dots) == len(legal)


def test_threshold_levels_are_told_apart() -> None:
    scenario = load_scenario(small_placement.decided())
    drawn = scenario.draw(np.random.default_rng(0))
    held = gallery.pairs_held(scenario, drawn, [0, 2])
    assert len(held) == 30
    by_level = {level: [one for one in held if one.level == level] for level in (0, 2)}
    # Nobody leaves before the last block at level 2, so all pairs are equally right there.
    assert len({one.accuracy for one in by_level[2]}) == 1
    assert len({one.accuracy for one in by_level[0]}) > 3


def test_a_group_survives_json(group: Group) -> None:
    whole = Gallery("Placements", "how to read it", (group,))
    assert from_plain(Gallery, json.loads(json.dumps(to_plain(whole)))) == whole


def small_module(monkeypatch: pytest.MonkeyPatch, group: Group) -> list[int]:
    """A stand-in that counts how often figures are computed."""
    calls: list[int] = []

    def figures(results: Results) -> list[Group]:
        calls.append(1)
        return [group]

    monkeypatch.setattr(gallery, "figures", figures)
    return calls


def test_figures_are_kept_until_something_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, group: Group
) -> None:
    calls, told, made = small_module(monkeypatch, group), list[str](), results()
    first = gallery_of(made, tmp_path, told.append)
    assert gallery_of(made, tmp_path, told.append) == first
    assert (len(calls), len(told)) == (1, 1)
    assert "1/1 scenarios" in told[0]
    assert SCENE in told[0]
    gallery_of(results("exhaustive", "greedy"), tmp_path, told.append)
    assert len(calls) == 2
    other = small_placement.scenario(arrivals={"process": "poisson", "rate": 91})
    for changed in (results(scenario=other), results()):
        gallery_of(changed, tmp_path, told.append)
    assert len(calls) == 4
    monkeypatch.setattr(baselines.gallery, "versions", lambda: {"tiergym": "9.9"})
    gallery_of(made, tmp_path, told.append)
    assert len(calls) == 5
    del made.records["greedy", SCENE]
    gallery_of(made, tmp_path, told.append)
    assert len(calls) == 6


@pytest.mark.parametrize("text", ["", "{", "[]", '{"key": 1}', '{"key": "KEY", "gallery": {}}'])
def test_a_torn_file_of_figures_is_written_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, group: Group, text: str
) -> None:
    calls, made = small_module(monkeypatch, group), results()
    path = tmp_path / "figures.json"
    path.write_text(text.replace("KEY", figures_key(made)))
    assert gallery_of(made, tmp_path, print) is not None
    assert len(calls) == 1
    assert json.loads(path.read_text())["key"] == figures_key(made)
    assert [p.name for p in tmp_path.iterdir()] == ["figures.json"]


def test_other_problems_and_suites_without_results_have_no_figures(tmp_path: Path) -> None:
    assert gallery_of(synthetic.results(), tmp_path, print) is None
    made = results()
    assert gallery_of(Results(made.suite, made.scenes, []), tmp_path, print) is None
    assert list(tmp_path.iterdir()) == []


def test_the_leaderboard_puts_figures_on_the_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, group: Group
) -> None:
    small_module(monkeypatch, group)
    told = io.StringIO()
    for made, folder in ((results(), "placed"), (synthetic.results(), "scheduled")):
        leaderboard.show(made, tmp_path / folder, "command", Console(file=told, width=120))
    placed, scheduled = (tmp_path / name for name in ("placed", "scheduled"))
    text = (placed / "index.html").read_text(encoding="utf-8")
    assert text.count("<figure") == len(group.figures)
    assert '<section id="gallery"' in text
    assert "1/1 scenarios drawn after 0 s, last: small" in told.getvalue()
    assert (placed / "figures.json").is_file()
    assert not (scheduled / "figures.json").exists()
    assert "<figure" not in (scheduled / "index.html").read_text(encoding="utf-8")
