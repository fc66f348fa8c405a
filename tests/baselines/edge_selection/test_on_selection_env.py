"""Every selection policy on the environment itself: rows, hidden state, privilege."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

from baselines import make_policy, policy_names
from baselines.edge_selection._hidden import Hidden, selection_of, work_of
from baselines.edge_selection._observation import Layout
from baselines.edge_selection.forecasting.data import SHORTEST, play_reports, simulated
from tests.baselines.edge_selection.observations import ID
from tests.envs.small_selection import ALL, failing, fresh, small
from tiergym.evaluation.rollout import rollout

NAMES = policy_names(ID)
PRIVILEGED = {"power-of-two", "join-shortest-queue", "least-work", "two-stage-oracle"}
ROWS = 3


def make(scenario: Any, rows: int = 0) -> Any:
    if not rows:
        return gym.make(ID, scenario=scenario)
    how = {"num_envs": rows, "vectorization_mode": "vector_entry_point"}
    return gym.make_vec(ID, scenario=scenario, **how)


class Recorded:
    """A policy, with what it did."""

    def __init__(self, policy: Any) -> None:
        self.policy, self.actions = policy, list[Any]()
        if hasattr(policy, "seed"):
            self.seed = policy.seed

    def predict(self, *given: Any, **named: Any) -> Any:
        actions, state = self.policy.predict(*given, **named)
        self.actions.append(np.atleast_1d(actions))
        return actions, state


WANTED = """
    random round-robin round-robin-overall nearest least-load least-load-randomised two-stage
    two-stage-last two-stage-mean two-stage-ar two-stage-oracle two-stage+hold stage-one stage-two
    power-of-two power-of-two-stale join-shortest-queue least-work earliest-finish
"""


def test_all_names_are_there() -> None:
    assert set(WANTED.split()) <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_privilege_is_declared(name: str) -> None:
    assert make_policy(name, make(small())).privileged == (name in PRIVILEGED)


@pytest.mark.parametrize("kind", sorted(ALL))
@pytest.mark.parametrize("name", NAMES)
def test_rows_play_as_the_single_environment(name: str, kind: str) -> None:
    many, one = make(ALL[kind](), ROWS), make(ALL[kind]())
    together = Recorded(make_policy(name, many))
    logs = rollout(many, together, 5)
    for row in range(ROWS):
        alone = Recorded(make_policy(name, one))
        log = rollout(one, alone, 5 + row)
        steps = len(alone.actions)
        acted = [actions[row] for actions in together.actions[:steps]]
        assert acted == [actions[0] for actions in alone.actions]
        assert np.array_equal(log.finish, logs[row].finish, equal_nan=True)


def halfway(scenario: Any, rows: int, name: str) -> tuple[Any, Any, Any, Any]:
    """An environment some decisions on, what it shows, a seeded policy and its state."""
    env = make(scenario, rows)
    policy: Any = make_policy(name, env)
    if hasattr(policy, "seed"):
        policy.seed(range(rows))
    observation, _ = env.reset(seed=2)
    state, start = None, np.ones(rows, bool)
    for _ in range(25):
        actions, state = policy.predict(observation, state, start)
        start = np.zeros(rows, bool)
        observation, *_ = env.step(actions)
    return env, observation, policy, state


def scramble(rows: Any, row: int) -> None:
    """Other queues at the three edges, nodes 4 to 6, and other edges for other users' tasks."""
    rows.simulation.view(row, "node")["queued"][4:7] = np.roll(np.arange(3) * 7, row)
    groups = rows.scenarios[0].system.groups
    length = rows.simulation.view(row, "queue")["length"].reshape(-1, groups)
    length[4:7, :1] = np.roll(np.arange(3) * 7, row)[:, None]
    origin = rows.instances[row].origin
    other = np.where(origin >= 4, 4 + (origin - 3) % 3, origin)
    rows.instances[row] = replace(rows.instances[row], origin=other)


@pytest.mark.parametrize("name", NAMES)
def test_only_privileged_policies_see_what_is_hidden(name: str) -> None:
    """Between two equal runs, queues are changed behind the policy's back, and the future too."""
    found: list[Any] = []
    for change in (False, True):
        env, observation, policy, state = halfway(small(), 16, name)
        for row in range(16 if change else 0):
            scramble(env.unwrapped._episodes.rows, row)
        observation["terminal"][:, 2] = 1.0
        found.append(policy.predict(observation, state, np.zeros(16, bool))[0].tolist())
    assert (found[0] == found[1]) == (name not in PRIVILEGED)


def test_true_queues_are_those_of_the_simulation() -> None:
    env = make(fresh())
    observation, _ = env.reset(seed=3)
    hidden, layout = Hidden(env, 8), Layout.of(env)
    draws = np.random.default_rng(0)
    seen = 0.0
    for _ in range(60):
        rows = layout.rows(observation)[0]
        there = rows.in_range[0]
        backlog, tasks = hidden.queued("backlog")[0], hidden.queued("tasks")[0]
        assert backlog[there] == pytest.approx(rows.backlog[0, there, 0], abs=1e-6)
        node = env.unwrapped._episodes.rows.simulation.view(0, "node")
        assert (tasks[:3] >= node["queued"][4:7]).all()
        assert (tasks[:3] > 0)[backlog[:3] > 0].all()
        seen = max(seen, float(backlog.max()))
        observation, _, over, _, _ = env.step(draws.choice(np.flatnonzero(there)))
        if over:
            break
    assert seen > 0.0


def test_the_shortest_queue_is_joined_and_a_down_edge_avoided() -> None:
    env = make(failing())
    policy, hidden = make_policy("join-shortest-queue", env), Hidden(env, 8)
    avoided = 0
    for seed in range(4):
        observation, _ = env.reset(seed=seed)
        over = False
        while not over:
            queued = hidden.queued("tasks")[0]
            action = int(policy.predict(observation)[0])
            legal = observation["action_mask"] > 0
            assert queued[action] == queued[legal].min() or len(np.flatnonzero(legal)) == 1
            avoided += bool(np.isinf(queued[legal]).any() and np.isfinite(queued[action]))
            observation, _, over, _, _ = env.step(action)
    assert avoided > 0


def test_other_users_work_to_come_is_that_of_the_instance() -> None:
    env = make(small())
    env.reset(seed=1)
    rows = env.unwrapped._episodes.rows
    instance, system = rows.begun(0), rows.scenario_of(0).system
    clock = float(rows.simulation.head(0)["clock"])
    expected, work = np.zeros(8), work_of(system)
    for k in range(instance.tasks):
        edge = int(instance.origin[k]) - selection_of(system).terminals
        if not instance.charged[k] and clock + 0.5 <= instance.arrival[k] < clock + 1.5:
            expected[edge] += work.each[edge, instance.network[k]] / work.executors[edge]
    found = Hidden(env, 8).offered(np.array([0.5]), np.array([1.5]))[0]
    assert found == pytest.approx(expected)
    assert found.max() > 0.1


def test_simulated_series_are_of_the_scenarios_of_a_split() -> None:
    scenarios = [one.name for one in make("train").unwrapped.scenarios]
    found = simulated("train", episodes=1)
    assert {name.partition("/")[0] for name in found} <= set(scenarios)
    assert len(found) > 0
    assert all(len(one) >= SHORTEST and 0 <= one.min() <= one.max() <= 1 for one in found.values())


def test_reports_are_recorded_as_terminals_see_them() -> None:
    env: Any = make(small()).unwrapped
    found = play_reports(env, 4)
    assert len(found) == 3
    for reports in found:
        assert len(reports) >= 6
        assert reports[:, 0] == pytest.approx(0.5 * np.arange(1, len(reports) + 1))
        assert ((reports[:, 1] >= 0) & (reports[:, 1] <= 1 + 1e-9)).all()
