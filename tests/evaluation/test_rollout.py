from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
import pytest

import tiergym
from baselines import make_policy
from tests.envs.small import scenario
from tests.evaluation.policies import FirstRun
from tiergym.errors import InvalidInput
from tiergym.evaluation.rollout import Episode, play

ENV = "tiergym/TaskScheduling-v0"
MODES = ("NextStep", "Disabled")
SEEDS = [7, 3, 11]


def single(**options: Any) -> Any:
    return gym.make(ENV, scenario=scenario(), **options)


def vector(mode: str, kind: str = "vector_entry_point", **options: Any) -> Any:
    if kind == "sync":
        return gym.make_vec(
            ENV, 3, "sync", {"autoreset_mode": mode}, scenario=scenario(), **options
        )
    return gym.make_vec(ENV, 3, kind, scenario=scenario(), autoreset_mode=mode, **options)


def equal(a: Episode, b: Episode) -> bool:
    logs = all(
        np.array_equal(getattr(a.log, name), getattr(b.log, name), equal_nan=True)
        for name in ("arrival", "first_start", "finish", "tier", "deadline", "delay")
    )
    assert a.instance is not None
    assert b.instance is not None
    keys = a.metrics.keys()
    metrics = keys == b.metrics.keys() and all(
        np.array_equal(a.metrics[k], b.metrics[k], equal_nan=True) for k in keys
    )
    return logs and metrics and a.instance.digest() == b.instance.digest() and a.seed == b.seed


@pytest.mark.parametrize("kind", ["vector_entry_point", "sync"])
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", ["random", "priority+upload"])
def test_rows_play_what_single_environments_play(name: str, mode: str, kind: str) -> None:
    env, one = vector(mode, kind), single()
    rows = play(env, make_policy(name, single() if kind == "sync" else env), SEEDS)
    alone = [play(one, make_policy(name, one), seed)[0] for seed in SEEDS]
    assert len({e.metrics["decisions"] for e in alone}) > 1
    assert all(equal(a, b) for a, b in zip(rows, alone, strict=True))


def test_a_function_is_called_for_live_rows_only() -> None:
    calls = 0

    def waits(observation: Any) -> int:
        nonlocal calls
        calls += 1
        assert observation["action_mask"].ndim == 1
        mask = observation["action_mask"].copy()
        mask[0] = mask[1:].sum() == 0
        return int(mask.argmax())

    rows = play(vector("NextStep"), waits, SEEDS)
    assert calls == sum(episode.metrics["decisions"] for episode in rows)
    again = [play(single(), waits, seed)[0] for seed in SEEDS]
    assert all(equal(a, b) for a, b in zip(rows, again, strict=True))


def test_rollout_returns_logs_and_takes_consecutive_seeds() -> None:
    log = tiergym.rollout(single(), FirstRun(), 5)
    logs = tiergym.rollout(vector("Disabled"), FirstRun(), 4)
    assert len(logs) == 3
    assert np.array_equal(logs[1].finish, log.finish, equal_nan=True)


def test_finished_rows_look_ended_until_the_last_one_has() -> None:
    class Watches(FirstRun):
        rested = 0

        def predict(self, observation: Any, *args: Any, **kwargs: Any) -> Any:
            ended = observation["action_mask"][:, 1:].sum(1) == 0
            ended &= observation["queue_length"].sum(1) == 0
            self.rested = max(self.rested, int(ended.sum()))
            return super().predict(observation, *args, **kwargs)

    for mode in MODES:
        policy = Watches()
        play(vector(mode), policy, SEEDS)
        assert policy.rested == 2, mode


@pytest.mark.parametrize("setting", ["first_legal", "raise"])
@pytest.mark.parametrize("mode", MODES)
def test_an_illegal_action_raises_whatever_the_environment_would_do(
    mode: str, setting: str
) -> None:
    def uploads(observation: Any) -> int:
        return int(np.flatnonzero(observation["action_mask"] == 0)[0])

    env = vector(mode, invalid_action=setting)
    with pytest.raises(InvalidInput, match=r"action of row 0.*one of") as caught:
        tiergym.rollout(env, uploads, SEEDS)
    assert "at decision 0 of seeds 7 to 11" in caught.value.__notes__
    with pytest.raises(InvalidInput, match="one of") as caught:
        tiergym.rollout(single(invalid_action=setting), uploads, 8)
    assert "at decision 0 of seed 8" in caught.value.__notes__


@pytest.mark.parametrize(
    "answer", [np.zeros(2, np.int64), np.zeros(3), np.full(3, np.nan), [[0] * 3]]
)
def test_actions_of_wrong_type_or_shape_are_refused(answer: Any) -> None:
    class Wrong(FirstRun):
        def predict(self, *args: Any, **kwargs: Any) -> Any:
            return answer, None

    with pytest.raises(InvalidInput, match="whole number"):
        tiergym.rollout(vector("NextStep"), Wrong(), SEEDS)


def test_a_policys_own_error_says_where() -> None:
    with pytest.raises(ZeroDivisionError) as caught:
        tiergym.rollout(single(), FirstRun(0.5), 5)
    (note,) = caught.value.__notes__
    assert note.startswith("at decision ")
    assert int(note.split()[2]) > 0


def test_state_and_masks_and_starts_are_passed_on() -> None:
    class Counts(FirstRun):
        starts: int = 0
        last: Any = None

        def predict(
            self,
            observation: Any,
            state: Any = None,
            episode_start: Any = None,
            deterministic: bool = False,
            action_masks: Any = None,
        ) -> Any:
            assert deterministic
            assert action_masks.dtype == np.bool_
            assert (action_masks == observation["action_mask"]).all()
            assert (state is None) == episode_start.all()
            self.starts += int(episode_start.sum())
            count = np.zeros(3, np.int64) if state is None else state[0] + 1
            self.last = count
            return super().predict(observation)[0], (count,)

    policy = Counts()
    rows = play(vector("NextStep"), policy, SEEDS)
    assert policy.starts == 3
    assert policy.last[0] + 1 == max(episode.metrics["decisions"] for episode in rows)


def test_an_instance_can_be_given() -> None:
    env = single()
    instance = env.unwrapped.scenarios[0].instance([0.0, 0.1, 0.2], network="small")
    log = tiergym.rollout(env, FirstRun(), 0, options={"instance": instance})
    assert np.array_equal(log.arrival, [0.0, 0.1, 0.2])


@pytest.mark.parametrize("policy", ["fcfs", None, FirstRun])
def test_what_is_no_policy_is_refused(policy: Any) -> None:
    with pytest.raises(InvalidInput, match=r"policy: .*predict.*baselines\.make_policy"):
        tiergym.rollout(single(), policy, 0)


@pytest.mark.parametrize(
    "env",
    [
        "tiergym/TaskScheduling-v0",
        gym.make("CartPole-v1"),
        gym.make_vec("CartPole-v1", 2, "sync"),
    ],
    ids=["a name", "another", "others"],
)
def test_what_is_no_environment_of_tasks_is_refused(env: Any) -> None:
    with pytest.raises(InvalidInput, match="env: "):
        tiergym.rollout(env, FirstRun(), 0)


@pytest.mark.parametrize("seed", [None, 1.5, True, "1", -1, [0, None], [[1], [2]]])
def test_seeds_are_whole_numbers(seed: Any) -> None:
    for env in (single(), vector("Disabled")):
        with pytest.raises(InvalidInput, match=r"seed: .*whole number"):
            tiergym.rollout(env, FirstRun(), seed)


def test_an_illegal_action_tells_of_models_without_masks() -> None:
    with pytest.raises(InvalidInput, match="MaskablePPO of sb3-contrib"):
        tiergym.rollout(single(), lambda observation: 79, 0)


@pytest.mark.parametrize("seeds", [[1, 2], [1, 2, 3, 4]])
def test_as_many_seeds_as_rows(seeds: list[int]) -> None:
    with pytest.raises(InvalidInput, match="3 seeds"):
        tiergym.rollout(vector("NextStep"), FirstRun(), seeds)


def test_flattened_observations_ask_the_environment_for_its_mask() -> None:
    env: Any = gym.wrappers.FlattenObservation(single())

    def lowest(observation: Any) -> int:
        mask = env.unwrapped.action_masks()
        mask[0] = not mask[1:].any()
        return int(mask.argmax())

    with pytest.raises(InvalidInput, match="one of"):
        tiergym.rollout(env, lambda observation: 79, 1)
    log = tiergym.rollout(env, lowest, 1)
    assert np.array_equal(log.finish, tiergym.rollout(single(), FirstRun(), 1).finish)


def test_same_step_is_refused_since_it_loses_the_log() -> None:
    with pytest.raises(InvalidInput, match="SameStep"):
        tiergym.rollout(vector("SameStep"), FirstRun(), SEEDS)
