"""Names and options of policies, and the errors that wrong ones get."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from baselines import make_policy, policy_names
from tiergym.errors import InvalidInput


@pytest.fixture
def env() -> Any:
    env = SimpleNamespace(max_networks=8, batch_sizes=(1, 2, 4), spec=None)
    env.spec = SimpleNamespace(id="tiergym/TaskScheduling-v0")
    env.unwrapped = env
    return env


def test_names_are_sorted_and_buildable(env: Any) -> None:
    names = policy_names()
    assert names == sorted(names)
    for name in set(names) - {"lookahead"}:
        assert callable(make_policy(name, env).predict)


def test_unknown_name_suggests_the_closest(env: Any) -> None:
    with pytest.raises(InvalidInput, match=r"policy.*'priorty\+upload'.*mean 'priority\+upload'"):
        make_policy("priorty+upload", env)


def test_unknown_environment() -> None:
    with pytest.raises(InvalidInput, match="env_id"):
        policy_names("CartPole-v1")


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"hihg": 1.0}, r"fcfs-batched\+upload\.hihg.*mean 'high'"),
        ({"ageing": 1.0}, r"fcfs-batched\+upload\.ageing"),
        ({"high": -1.0, "low": 0.0}, "high"),
        ({"high": float("nan"), "low": 0.0}, "high"),
        ({"high": 0.1, "low": 0.2}, "low.*at most high"),
        ({"high": "0.1"}, "high"),
        ({"batched": 1}, "batched"),
        ({"upload_max": 0}, "upload_max"),
        ({"upload_max": 1.5}, "upload_max"),
    ],
)
def test_wrong_options_are_named(options: dict[str, Any], field: str, env: Any) -> None:
    with pytest.raises(InvalidInput, match=field):
        make_policy("fcfs-batched+upload", env, **options)


def test_ageing_must_be_a_time(env: Any) -> None:
    with pytest.raises(InvalidInput, match="ageing"):
        make_policy("priority+ageing", env, ageing=0.0)


def test_observation_of_another_environment_is_refused(env: Any) -> None:
    with pytest.raises(InvalidInput, match="observation"):
        make_policy("fcfs", env).predict({"position": [0.0]})  # type: ignore[dict-item]
