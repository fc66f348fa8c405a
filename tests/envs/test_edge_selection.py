"""EdgeSelection: what is shown, what may be done, and copies in the middle of an episode."""

from __future__ import annotations

import pickle
from dataclasses import replace
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

from tests.envs import small_selection
from tiergym import InvalidInput
from tiergym.engine import ATTACH
from tiergym.envs.edge_selection.observation import AGE_BOUND
from tiergym.scenarios.instance import Coverage, Instance

ID = "tiergym/EdgeSelection-v0"
NAMES = list(small_selection.ALL)


def made(name: str, **given: Any) -> Any:
    return gym.make(ID, scenario=small_selection.ALL[name](), **given).unwrapped


def begun(name: str, decisions: int = 25, seed: int = 0) -> tuple[Any, dict[str, Any]]:
    env, rng = made(name), np.random.default_rng(seed)
    observation, _ = env.reset(seed=seed)
    for _ in range(decisions):
        action = int(rng.choice(np.flatnonzero(observation["action_mask"])))
        observation, _, over, _, _ = env.step(action)
        assert not over
    return env, observation


def to_the_end(env: Any) -> tuple[float, Any]:
    total, over = 0.0, False
    while not over:
        action = int(np.flatnonzero(env.action_masks())[-1])
        _, reward, over, _, _ = env.step(action)
        total += reward
    return total, env.task_log()


def few(name: str) -> int:
    """Decisions that every episode of a scenario has."""
    return 4 if name in ("small", "failing") else 12


@pytest.mark.parametrize("name", NAMES)
def test_a_restored_snapshot_goes_on_in_every_bit(name: str) -> None:
    env, _ = begun(name, few(name))
    snapshot = pickle.loads(pickle.dumps(env.snapshot()))
    first, log = to_the_end(env)
    other = made(name)
    other.reset(seed=99)
    for target in (env, other):
        target.restore(snapshot)
        again, same = to_the_end(target)
        assert first == again
        assert log.finish.tobytes() == same.finish.tobytes()


@pytest.mark.parametrize("name", NAMES)
def test_a_redrawn_future_keeps_what_is_seen_and_plays_to_its_end(name: str) -> None:
    env, _ = begun(name, few(name))
    snapshot, log = env.snapshot(), env.task_log()
    shown = env.restore(snapshot)
    now = float(env._episodes.rows.simulation.head(0)["clock"])
    past = int((log.arrival <= now).sum())
    ends: list[bytes] = []
    for seed in range(5):
        redrawn = env.restore(snapshot, future=np.random.default_rng(seed))
        assert all((shown[k] == redrawn[k]).all() for k in shown)
        _, played = to_the_end(env)
        assert np.isfinite(played.finish[played.charged]).all()
        assert (played.arrival[:past] == log.arrival[:past]).all()
        assert (played.arrival[past:] > now).all()
        ends.append(played.finish.tobytes())
    assert len(set(ends)) == len(ends)


@pytest.mark.parametrize("name", NAMES)
def test_the_return_is_minus_the_cost_and_every_task_ends_once(name: str) -> None:
    env, rng = made(name), np.random.default_rng(0)
    for seed in range(6):
        observation, _ = env.reset(seed=seed)
        total, over, info = 0.0, False, {}
        while not over:
            action = int(rng.choice(np.flatnonzero(observation["action_mask"])))
            observation, reward, over, _, info = env.step(action)
            total += reward
        log, metrics = env.task_log(), info["metrics"]
        assert total == pytest.approx(-metrics["cost"], rel=1e-9)
        assert np.isfinite(log.finish[log.charged]).all()
        assert (log.refused[log.charged] ^ (log.exit_block[log.charged] >= 0)).all()
        head = env._episodes.rows.simulation.head(0)
        assert head["switches"] <= head["decisions"]
        assert 1 <= head["attaches"] <= head["decisions"]
        unanswered = env._episodes.rows.simulation.view(0, "unanswered")["value"]
        assert unanswered.tolist() == [0] * len(unanswered)


@pytest.mark.parametrize("name", ["small", "mobile", "failing"])
def test_a_redrawn_clock_never_goes_back(name: str) -> None:
    """Also while packages wait for a connection, and with fewer failures than before."""
    full = small_selection.ALL[name]()
    full["selection"] = {**full["selection"], "reconnect_seconds": 0.3}
    env, rng = gym.make(ID, scenario=full).unwrapped, np.random.default_rng(0)
    for seed in range(4):
        observation, _ = env.reset(seed=seed)
        over = False
        while not over:
            snapshot = env.snapshot()  # type: ignore[attr-defined]
            env.restore(snapshot, future=rng)  # type: ignore[attr-defined]
            simulation = env._episodes.rows.simulation  # type: ignore[attr-defined]
            head = simulation.head(0)
            events = simulation.view(0, "event")["time"][: int(head["events"])]
            assert (events >= head["clock"]).all()
            env.restore(snapshot)  # type: ignore[attr-defined]
            action = int(rng.choice(np.flatnonzero(observation["action_mask"])))
            observation, reward, over, _, info = env.step(action)
            assert info["elapsed"] >= 0.0
            assert float(reward) <= 0.0


def test_reports_that_would_be_gone_are_refused_at_once() -> None:
    full = small_selection.small()
    full["selection"]["report_interval"] = 1e-4
    with pytest.raises(InvalidInput, match="report_interval"):
        gym.make(ID, scenario=full).reset(seed=0)


def test_some_episode_loses_tasks_and_uploads_them_again() -> None:
    env = made("failing")
    again = 0.0
    for seed in range(10):
        env.reset(seed=seed)
        over, info = False, {}
        while not over:
            _, _, over, _, info = env.step(int(np.flatnonzero(env.action_masks())[0]))
        again += info["metrics"]["uploaded_again"]
    assert again > 5


def test_only_edges_in_range_are_legal_and_a_failure_is_not_told() -> None:
    env = made("small")
    env.reset(seed=0)
    instance = env.snapshot().instance
    down = with_failures(instance, [(1, 1e-6, 100.0)])
    seen: list[tuple[int, list[bool]]] = []
    for each in (instance, down):
        observation, _ = env.reset(options={"instance": each})
        head = env._episodes.rows.simulation.head(0)
        assert head["due"] == ATTACH
        terminal = int(observation["terminal"][0])
        seen.append((terminal, env.action_masks()[:3].tolist()))
        assert observation["edge"].reshape(-1, 7)[:3, 0].tolist() == seen[-1][1]
    assert seen[0] == seen[1]
    assert seen[0][1] == np.isfinite(instance.coverage.half_rtt[0, seen[0][0]]).tolist()


def with_failures(instance: Instance, failures: list[tuple[int, float, float]]) -> Instance:
    edge, start, end = (np.array(column) for column in zip(*failures, strict=True))
    assert instance.coverage is not None
    coverage = replace(instance.coverage, failure_edge=edge, failure_start=start, failure_end=end)
    return replace(instance, coverage=coverage)


def test_what_is_hidden_changes_nothing_that_is_shown() -> None:
    """The queue of every edge is changed behind the reports: the observation stays as it was."""
    env, shown = begun("small", 6)
    simulation = env._episodes.rows.simulation
    node = simulation.view(0, "node")
    node["held"][4:7] += 1e6
    node["queued"][4:7] += 5
    simulation.view(0, "edge")["down"][:] = 1
    again = env._episodes.observe()
    assert all((shown[k] == again[k]).all() for k in shown)


@pytest.mark.parametrize("name", ["small", "mobile", "failing"])
def test_reports_are_never_fresher_than_their_way(name: str) -> None:
    env, rng = made(name), np.random.default_rng(1)
    looked = 0
    for seed in range(4):
        observation, _ = env.reset(seed=seed)
        over = False
        while not over:
            edge = observation["edge"].reshape(-1, 7)[:3]
            reports = observation["reports"].reshape(8, 8, 7)[: len(edge)]
            age, known = reports[:, :, 6], reports[:, :, 6] < AGE_BOUND
            assert (age[known] >= np.broadcast_to(edge[:, 1:2] / 2, age.shape)[known] - 1e-6).all()
            assert (np.diff(age, axis=1)[known[:, 1:]] > 0).all()
            assert not known[edge[:, 0] == 0].any()
            interval = observation["selection"][5]
            told = np.where(known, age, 0.0)[:, 0]
            clock = float(env._episodes.rows.simulation.head(0)["clock"])
            published = (clock - told[known[:, 0]]) / interval
            np.testing.assert_allclose(published, np.rint(published), atol=1e-3)
            looked += int(known.sum())
            action = int(rng.choice(np.flatnonzero(observation["action_mask"])))
            observation, _, over, _, _ = env.step(action)
    assert looked > 100


def test_the_nearest_of_a_hand_made_instance_answers_when_it_must() -> None:
    """One task: 5 ms on the wire, 2 ms there, 20 ms of work, 2 ms back."""
    full = small_selection.small(background=[])
    full["terminals"]["radios"] = {"plain": {"bandwidth": 8.0, "per_package": 0.001}}
    for edge in full["edges"]:
        edge["profile"] = {**edge["profile"], "jitter_cv": 0.0}
    env = gym.make(ID, scenario=full).unwrapped
    scenario: Any = env.scenarios[0]  # type: ignore[attr-defined]
    drawn: Instance = scenario.draw(np.random.default_rng(0))
    one = replace(
        drawn,
        arrival=np.array([0.1]),
        origin=np.array([0]),
        network=np.array([0]),
        sample=np.array([0]),
        deadline=np.array([1.0]),
        charged=np.array([True]),
        jitter=np.ones((scenario.system.nodes, 1)),
    )
    ends = []
    for action in (0, 1):
        env.reset(options={"instance": one})
        assert env.step(action)[2]
        ends.append(float(env.task_log().finish[0]))  # type: ignore[attr-defined]
    assert ends[0] == pytest.approx(0.1 + 0.001 + 0.004 + 0.004 + 0.02)
    assert ends[1] - ends[0] == pytest.approx(0.008)


def test_an_action_out_of_range_is_amended_or_refused() -> None:
    env = made("small", invalid_action="raise")
    env.reset(seed=0)
    illegal = int(np.flatnonzero(~env.action_masks())[0])
    with pytest.raises(InvalidInput, match="edge"):
        env.step(illegal)
    env = made("small")
    env.reset(seed=0)
    env.step(illegal)
    assert env._episodes.rows.simulation.head(0)["invalid_actions"] == 1
    with pytest.raises(InvalidInput, match="max_edges"):
        made("small", max_edges=2)


def test_positions_are_part_of_an_instance() -> None:
    env = made("mobile")
    env.reset(seed=0)
    coverage: Coverage = env.snapshot().instance.coverage
    assert coverage.site_km.shape == (3, 2)
    assert coverage.terminal_km.shape == (len(coverage.start), 4, 2)
