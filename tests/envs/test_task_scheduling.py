"""What TaskScheduling does: its decisions, masks, rewards, and a schedule known to be best."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from stable_baselines3.common.env_util import make_vec_env

from tests.envs import small
from tiergym import InvalidInput, load_scenario
from tiergym.envs.task_scheduling.env import TaskSchedulingEnv
from tiergym.envs.task_scheduling.vector_env import TaskSchedulingVectorEnv
from tiergym.testing import legal_actions

ID = "tiergym/TaskScheduling-v0"
SIZES = (1, 2, 4, 8, 16)


def make(scenario: Any, **given: Any) -> Any:
    return gym.make(ID, scenario=scenario, **given).unwrapped


def run(slot: int, size: int) -> int:
    return 1 + slot * 5 + SIZES.index(size)


def upload(slot: int, size: int) -> int:
    return 1 + 40 + slot * 5 + SIZES.index(size)


def toy(uplink: bool = False) -> dict[str, Any]:
    """Network a runs 1 or 2 tasks in 1 or 1.05 s, b runs one in 2 s; above, b takes 0.5 s."""
    device = {
        "networks": {"a": {"points": [[1, 1.0], [2, 1.05]]}, "b": {"points": [[1, 2.0], [2, 9]]}}
    }
    above = {"networks": {"a": 10.0, "b": 0.5}}
    return {
        "name": "toy",
        "nodes": {
            "device": {"tier": "edge", "profile": device, "batch_max": 2},
            **({"upper": {"tier": "cloud", "profile": above, "batch_max": 1}} if uplink else {}),
        },
        **(
            {
                "links": {
                    "uplink": {
                        "source": "device",
                        "target": "upper",
                        "bandwidth": {"constant": 1.0},
                        "rtt": 0.1,
                        "per_package": 0.1,
                    }
                }
            }
            if uplink
            else {}
        ),
        "networks": {"a": {"input_bytes": 12500}, "b": {"input_bytes": 12500}},
        "arrivals": {"process": "poisson", "rate": 30},
        "window": 1.0,
    }


def toy_episode(uplink: bool = False) -> Any:
    env = make(toy(uplink), invalid_action="raise")
    instance = env.scenarios[0].instance([0.0, 0.0, 0.5], network=[0, 1, 0])
    observation, _ = env.reset(options={"instance": instance})
    return env, observation


def best(env: Any, observation: Any, cost: float, bound: list[Any], played: list[int]) -> None:
    """Every sequence of legal actions, by snapshot and restore; the least cost is ``bound[0]``."""
    snapshot = env.snapshot()
    for action in np.flatnonzero(observation["action_mask"]).tolist():
        env.restore(snapshot)
        after, reward, terminated, _, _ = env.step(action)
        if terminated:
            bound[:] = min(bound, [cost - reward, [*played, action]], key=lambda b: b[0])
        else:
            best(env, after, cost - reward, bound, [*played, action])


def test_the_best_schedule_of_a_toy_waits_for_a_batch() -> None:
    """Waiting for the second task of a costs 6.15, against 6.5 for running at once (by hand)."""
    env, observation = toy_episode()
    bound: list[Any] = [np.inf, []]
    best(env, observation, 0.0, bound, [])
    assert bound[0] == pytest.approx(1.55 + 1.05 + 3.55, abs=1e-12)
    assert bound[1] == [0, run(0, 2), run(1, 1)]


def test_the_best_schedule_of_a_toy_with_an_uplink_hands_the_long_task_up() -> None:
    """Up goes b: 0.1 + 0.1 + 0.05 there, 0.5, 0.05 back; both tasks of a run at once, alone."""
    env, observation = toy_episode(uplink=True)
    bound: list[Any] = [np.inf, []]
    best(env, observation, 0.0, bound, [])
    assert bound[0] == pytest.approx(0.8 + 1.0 + 1.5, abs=1e-12)
    assert set(bound[1]) - {0} == {upload(1, 1), run(0, 1)}


def test_delays_of_the_toy_are_in_the_log() -> None:
    env, _ = toy_episode(uplink=True)
    for action in (upload(1, 1), run(0, 1), 0, run(0, 1)):
        _, _, terminated, _, info = env.step(action)
    assert terminated
    log = env.task_log()
    assert log.delay == pytest.approx([1.0, 0.8, 1.5])
    assert log.tier.tolist() == [1, 2, 1]
    assert log.pre_uploaded.tolist() == [False, True, False]
    assert log.first_start == pytest.approx([0.0, 0.25, 1.0])
    assert info["metrics"]["cost"] == pytest.approx(3.3)


def test_decisions_while_busy_fall_due_as_documented() -> None:
    """After a batch start, at an arrival, and when the uplink falls idle; not after waiting."""
    env = make(toy(uplink=True), invalid_action="raise")
    instance = env.scenarios[0].instance([0.0, 0.0, 0.1, 0.2], network=[1, 1, 1, 0])
    observation, _ = env.reset(options={"instance": instance})
    clock = lambda: float(env._episodes.rows.simulation.head(0)["clock"])  # noqa: E731
    observation, *_ = env.step(run(1, 1))
    assert clock() == 0.0, "a batch was started"
    assert not observation["action_mask"][1:41].any(), "a batch was started"
    observation, *_ = env.step(0)
    assert clock() == pytest.approx(0.1), "a task arrived"
    observation, *_ = env.step(upload(1, 1))
    assert clock() == pytest.approx(0.1 + 0.1 + 0.1), "the uplink fell idle; at 0.2 it was busy"
    assert observation["queue_length"][:2].tolist() == [1, 1]
    observation, *_ = env.step(0)
    assert clock() == pytest.approx(2.0), "the executor fell idle"
    assert observation["action_mask"][1], "the executor fell idle"


def test_waiting_ends_with_the_window_and_is_illegal_after_it() -> None:
    env = make(toy(), invalid_action="raise")
    instance = env.scenarios[0].instance([0.25], network=0, window=1.0)
    env.reset(options={"instance": instance})
    observation, reward, *_ = env.step(0)
    assert observation["time"].tolist() == [0.75, 1.0]
    assert reward == -0.75
    assert np.flatnonzero(observation["action_mask"]).tolist() == [run(0, 1)]
    with pytest.raises(InvalidInput, match=r"action of row 0.*wait.*legal now: \[1\]"):
        env.step(0)


def episodes(env: Any, seeds: range) -> Iterator[tuple[Any, np.random.Generator]]:
    for seed in seeds:
        observation, _ = env.reset(seed=seed)
        yield observation, np.random.default_rng(seed)


@pytest.mark.parametrize("name", small.ALL)
def test_the_mask_tells_the_truth(name: str) -> None:
    """Every legal action works, every illegal one raises and leaves the episode untouched."""
    env = make(small.ALL[name](), invalid_action="raise")
    seen = np.zeros(81, bool)
    for observation, np_random in episodes(env, range(2)):
        terminated, decision = False, 0
        while not terminated:
            mask = observation["action_mask"].astype(bool)
            seen |= mask
            if decision % 7 == 0:
                check_every_action(env, mask)
            action = int(np_random.choice(np.flatnonzero(mask)))
            observation, _, terminated, _, _ = env.step(action)
            decision += 1
    assert seen[0]
    assert seen[1:41].any()
    assert seen[41:].any() == (name != "lonely")


def check_every_action(env: Any, mask: np.ndarray) -> None:
    snapshot = env.snapshot()
    before = snapshot.simulation.row.tobytes()
    for action in range(81):
        if mask[action]:
            env.step(action)
            env.restore(snapshot)
        else:
            with pytest.raises(InvalidInput, match=f"got '{action} "):
                env.step(action)
        assert env.snapshot().simulation.row.tobytes() == before


@pytest.mark.parametrize("name", small.ALL)
def test_the_return_is_minus_the_cost(name: str) -> None:
    env = make(small.ALL[name]())
    for observation, np_random in episodes(env, range(3)):
        total, terminated, info = 0.0, False, {}
        while not terminated:
            action = int(np_random.choice(np.flatnonzero(observation["action_mask"])))
            observation, reward, terminated, _, info = env.step(action)
            total += reward
        metrics, log, cost = info["metrics"], env.task_log(), env.scenarios[0].system.cost
        assert total == pytest.approx(-metrics["cost"], rel=1e-9)
        assert recomputed(log, cost) == pytest.approx(metrics["cost"], rel=1e-9)
        assert metrics["invalid_actions"] == 0


def recomputed(log: Any, cost: Any) -> float:
    """The cost from the log alone (Little's law: the sum of delays)."""
    log_delay = log.delay[log.charged & ~log.refused].sum()
    refused = int((log.refused & log.charged).sum())
    wrong = int((log.correct[log.charged & ~log.refused] == 0).sum()) + refused
    return float(
        cost.delay_weight * (log_delay + cost.refusal_seconds * refused)
        + cost.error_weight * wrong
        + cost.late_weight * log.late[log.charged].sum()
    )


def test_tight_memory_refuses_some_and_masks_batches() -> None:
    """The scenario that the others rely on for refusals really has them."""
    env = gym.make_vec(ID, num_envs=8, scenario=small.tight(), autoreset_mode="Disabled")
    observation, _ = env.reset(seed=0)
    np_random, over = np.random.default_rng(0), np.zeros(8, bool)
    refused = 0.0
    while not over.all():
        observation, _, over, _, info = env.step(legal_actions(observation, np_random))
        if "metrics" in info:
            refused += float(info["metrics"]["refused"].sum())
    assert refused > 0


def test_an_illegal_action_is_replaced_by_the_lowest_legal_one_and_counted() -> None:
    env, twin = make(small.lonely()), make(small.lonely())
    env.reset(seed=0)
    observation, _ = twin.reset(seed=0)
    terminated = False
    while not terminated:
        lowest = int(np.flatnonzero(observation["action_mask"])[0])
        observation, reward, terminated, _, info = twin.step(lowest)
        other, same_reward, _, _, told = env.step(80)
        assert reward == same_reward
        assert all((observation[name] == other[name]).all() for name in observation)
    assert told["metrics"]["invalid_actions"] == info["metrics"]["decisions"] > 10


def test_what_is_hidden_changes_neither_mask_nor_observation() -> None:
    """Two worlds that part after a moment look alike until then."""
    env, twin = make(small.scenario()), make(small.scenario())
    scenario, moment = load_scenario(small.scenario()), 0.25
    instance = scenario.draw(np.random.default_rng(0))
    fixed = instance.arrival <= moment
    other = scenario.redraw(np.random.default_rng(1), instance, moment, fixed)
    size = min(instance.jitter.shape[1], other.jitter.shape[1])
    jitter = instance.jitter[:, :size]
    instance, other = (
        one.__class__(**{**vars(one), "jitter": jitter}) for one in (instance, other)
    )
    observation, _ = env.reset(options={"instance": instance})
    hidden, _ = twin.reset(options={"instance": other})
    np_random, clock = np.random.default_rng(0), observation["time"][0]
    compared = 0
    while clock < moment - 0.02:
        assert all((observation[name] == hidden[name]).all() for name in observation)
        action = int(np_random.choice(np.flatnonzero(observation["action_mask"])))
        observation, *_, info = env.step(action)
        hidden, *_ = twin.step(action)
        clock += info["elapsed"]
        compared += 1
    assert compared > 20
    assert not np.array_equal(instance.arrival, other.arrival)


def test_an_overdue_batch_still_shows_as_busy() -> None:
    env = make(toy(uplink=True), invalid_action="raise")
    jitter = np.full((2, 3), 10.0)
    instance = env.scenarios[0].instance([0.0, 5.0], network=[0, 0], jitter=jitter, window=6.0)
    env.reset(options={"instance": instance})
    observation, *_ = env.step(run(0, 1))
    assert observation["time"][0] == 5.0
    assert not observation["action_mask"][1:41].any()
    assert 0 < observation["executor_seconds"][0] <= 1.0
    assert observation["executor_seconds"][1:].tolist() == [-1, -1, -1]


def test_more_networks_than_slots_and_wrong_arguments_are_refused() -> None:
    for given, field in (
        ({"scenario": small.scenario(), "max_networks": 1}, "networks at the device"),
        ({"scenario": small.tight(), "max_executors": 1}, "executors of the device"),
        ({"batch_sizes": [2, 4]}, "batch_sizes"),
        ({"batch_sizes": [1, 4, 2]}, "batch_sizes"),
        ({"invalid_action": "ignore"}, "invalid_action"),
        ({"scenario": "trian"}, "scenario"),
        ({"scenario": []}, "scenario"),
    ):
        with pytest.raises(InvalidInput, match=field):
            make(**{"scenario": "train", **given})


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"num_envs": 0}, "num_envs"),
        ({"num_envs": 2.0}, "num_envs"),
        ({"max_episode_steps": -5}, "max_episode_steps"),
        ({"max_episode_steps": "a"}, "max_episode_steps"),
        ({"batch_sizes": 8}, "batch_sizes"),
        ({"batch_sizes": None}, "batch_sizes"),
        ({"batch_sizes": [1, 2.5]}, r"batch_sizes\[1\]"),
        ({"max_networks": 10**9}, "max_networks"),
        ({"autoreset_mode": "never"}, "autoreset_mode"),
        ({"scenario": "trian"}, "did you mean 'train'"),
        ({"scenario": None}, "scenario"),
        ({"scenario": ["train", "tset"]}, "did you mean 'test'"),
    ],
)
def test_wrong_vector_arguments_name_the_field(given: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInput, match=field):
        TaskSchedulingVectorEnv(**given)


def test_integers_of_any_type_and_sequences_of_names_are_taken() -> None:
    env = TaskSchedulingVectorEnv(
        np.int64(2),  # type: ignore[arg-type]
        scenario=np.array(["train", "pi-5-conv-0.80"]),
        batch_sizes=np.array([1, 2, 4, 8, 16]),  # type: ignore[arg-type]
    )
    env.reset(seed=np.int64(4))  # type: ignore[arg-type]
    names = {s.name for s in env.scenarios}
    assert {"pi-5-conv-0.80", "titan-x-code-0.80"} < names
    assert env.batch_sizes == (1, 2, 4, 8, 16)


def test_stable_baselines3_makes_it_by_its_id() -> None:
    """It asks for ``rgb_array`` by itself, which is not there and must not be refused."""
    with pytest.warns(UserWarning, match="rgb_array"):
        vector = make_vec_env(ID, 2, env_kwargs={"scenario": small.scenario()})
    observation: Any = vector.reset()
    assert observation["queue_length"].shape == (2, 8)


def test_joules_are_unknown_unless_every_part_has_its_watts() -> None:
    env = make(small.scenario())
    env.reset(seed=0)
    terminated, info = False, {}
    while not terminated:
        _, _, terminated, _, info = env.step(0)
    assert not env.scenarios[0].watts_known
    assert np.isnan(info["metrics"]["joules"])


def test_masks_and_rendering_before_the_first_reset_are_refused() -> None:
    env = TaskSchedulingEnv(small.scenario(), render_mode="ansi")
    vector = TaskSchedulingVectorEnv(2, small.scenario(), render_mode="ansi")
    for look in (env.action_masks, env.render, env.task_log, vector.action_masks, vector.render):
        with pytest.raises(InvalidInput, match="has been reset"):
            look()


def test_wrong_steps_and_options_are_refused() -> None:
    env = make(small.scenario())
    with pytest.raises(InvalidInput, match="after reset"):
        env.step(0)
    for options, field in (
        ({"instnace": 1}, "options"),
        ({"instance": 3}, r"options\.instance"),
        ({"scenario": "other"}, r"options\.scenario"),
    ):
        with pytest.raises(InvalidInput, match=field):
            env.reset(options=options)
    env.reset(seed=0)
    for action in (-1, 81, 1.5, None, "wait", np.nan):
        with pytest.raises(InvalidInput, match="action"):
            env.step(action)
    vector = gym.make_vec(ID, num_envs=2, scenario=small.scenario(), invalid_action="raise")
    vector.reset(seed=0)
    for actions in ([0], [0.0, 1.0], [0, 81], [[0, 0]]):
        with pytest.raises(InvalidInput, match="action"):
            vector.step(np.array(actions))


def test_no_row_moves_when_one_action_is_illegal() -> None:
    env: Any = gym.make_vec(ID, num_envs=2, scenario=small.scenario(), invalid_action="raise")
    observation, _ = env.reset(seed=0)
    before = [s.simulation.row.tobytes() for s in env.unwrapped.snapshot()]
    legal = int(np.flatnonzero(observation["action_mask"][0])[-1])
    with pytest.raises(InvalidInput, match="action of row 1"):
        env.step(np.array([legal, 80]))
    assert [s.simulation.row.tobytes() for s in env.unwrapped.snapshot()] == before


def test_rendering_as_text() -> None:
    env = gym.make(ID, scenario=small.scenario(), render_mode="ansi")
    env.reset(seed=0)
    text: Any = env.render()
    assert "small" in text
    assert "uplink" in text
    assert "legal actions" in text
    vector: Any = gym.make_vec(ID, num_envs=2, scenario=small.lonely(), render_mode="ansi")
    vector.reset(seed=0)
    assert [("uplink" in one) for one in vector.render()] == [False, False]
