from __future__ import annotations

from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import yaml

import tiergym
from baselines.learned.agent import Agent, load_agent, save_agent
from baselines.learned.algorithms import ALGORITHMS, Spaces, build_policy
from baselines.learned.flat import Flat
from baselines.policy import Policy
from tests.baselines.learned.tiny import SIZES, TASK_SCHEDULING
from tests.envs import small
from tiergym.errors import InvalidInput

NETWORKS = {
    "plain": {"kind": "plain", "layers": [16]},
    "row-features": {"kind": "row-features", "layers": [16], "hidden": 8},
    "rows": {"kind": "rows", "hidden": 8, "critic": False},
}
PAIRS = [
    (algo, kind)
    for algo, one in ALGORITHMS.items()
    for kind in NETWORKS
    if kind != "rows" or one.row_policy is not None
]


def envs(rows: int = 4) -> Any:
    return gym.make_vec(
        TASK_SCHEDULING, rows, "vector_entry_point", scenario=small.scenario(), **SIZES
    )


def made(algo: str, kind: str) -> tuple[Any, dict[str, Any]]:
    env = envs()
    flat = Flat(env.single_observation_space, masked=not ALGORITHMS[algo].masked)
    of = Spaces(TASK_SCHEDULING, flat.fields, int(env.single_action_space.n))
    record = {
        "algo": algo,
        "network": NETWORKS[kind],
        "env_id": TASK_SCHEDULING,
        "fields": flat.fields,
        "actions": of.actions,
    }
    return build_policy(algo, NETWORKS[kind], of), record


@pytest.mark.parametrize(("algo", "kind"), PAIRS)
def test_a_loaded_agent_does_the_same(algo: str, kind: str, tmp_path: Path) -> None:
    policy, record = made(algo, kind)
    save_agent(tmp_path / "agent", policy, {**record, "seed": 3})
    loaded, first = load_agent(tmp_path / "agent"), Agent(policy, record)
    assert loaded.record["seed"] == 3
    assert isinstance(loaded, Policy)
    for name, value in policy.state_dict().items():
        assert np.array_equal(value, loaded.policy.state_dict()[name]), name
    env = envs()
    observation, _ = env.reset(seed=0)
    for _ in range(30):
        actions, _ = loaded.predict(observation, deterministic=True)
        assert actions.dtype == np.int64
        assert np.array_equal(actions, first.predict(observation, deterministic=True)[0])
        assert np.take_along_axis(observation["action_mask"], actions[:, None], 1).all()
        one = {name: field[0] for name, field in observation.items()}
        assert loaded.predict(one, deterministic=True)[0] == actions[0]
        observation = env.step(actions)[0]


def test_an_agent_is_rolled_out_like_any_policy(tmp_path: Path) -> None:
    policy, record = made("dqn", "plain")
    save_agent(tmp_path / "agent", policy, record)
    logs = tiergym.rollout(envs(), load_agent(tmp_path / "agent"), seed=0)
    assert [len(log.finish) > 0 for log in logs] == [True] * 4


def test_no_code_is_run_from_an_agents_files(tmp_path: Path) -> None:
    policy, record = made("maskable_ppo", "plain")
    save_agent(tmp_path / "agent", policy, record)
    weights: dict[str, Any] = {"bad": np.array([object()], dtype=object)}
    np.savez(tmp_path / "agent.npz", allow_pickle=True, **weights)
    with pytest.raises(InvalidInput, match=r"an \.npz file of arrays"):
        load_agent(tmp_path / "agent")


def test_what_does_not_belong_together_is_refused(tmp_path: Path) -> None:
    policy, record = made("maskable_ppo", "rows")
    path = tmp_path / "agent"
    with pytest.raises(InvalidInput, match="a file that can be read"):
        load_agent(path)
    save_agent(path, policy, record)
    agent = load_agent(path)
    other = gym.make(TASK_SCHEDULING, scenario=small.scenario())
    with pytest.raises(InvalidInput, match="fields as in training"):
        agent.predict(other.reset(seed=0)[0])
    with pytest.raises(InvalidInput, match="action_mask"):
        agent.predict({})
    text = (tmp_path / "agent.yaml").read_text()
    for name, value, message in (
        ("network", {"kind": "rows", "hidden": 9}, "the weights of"),
        ("network", {"kind": "row"}, "did you mean 'rows'"),
        ("algo", "maskable-ppo", "did you mean 'maskable_ppo'"),
        ("format", 2, "allowed: 1"),
    ):
        (tmp_path / "agent.yaml").write_text(yaml.safe_dump({**yaml.safe_load(text), name: value}))
        with pytest.raises(InvalidInput, match=message):
            load_agent(path)
    (tmp_path / "agent.yaml").write_text("algo: dqn\n")
    with pytest.raises(InvalidInput, match="it has to be given"):
        load_agent(path)
