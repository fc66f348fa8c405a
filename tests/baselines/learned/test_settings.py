from __future__ import annotations

from typing import Any

import pytest
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from baselines.configuration import as_overrides, conf_dir
from baselines.learned.algorithms import ALGORITHMS
from baselines.learned.settings import Settings, read_settings
from baselines.train import name_of, register
from tiergym.errors import InvalidInput
from tiergym.evaluation.suites import FIRST_SEED, FIRST_VALIDATION_SEED, TRAINING_STRIDE


def composed(*overrides: str) -> dict[str, Any]:
    register()
    with initialize_config_dir(str(conf_dir()), version_base="1.3"):
        config = compose("train", overrides=as_overrides(overrides))
    plain: Any = OmegaConf.to_container(config, resolve=True)
    return plain


def settings(*overrides: str) -> Settings:
    return read_settings(composed(*overrides))


@pytest.mark.parametrize("algo", ALGORITHMS)
def test_every_algorithm_has_settings(algo: str) -> None:
    network = "rows" if ALGORITHMS[algo].row_policy is not None else "row-features"
    found = settings(f"algo={algo}", f"network={network}")
    assert found.algo == algo
    assert found.network["kind"] == network
    assert found.scenario == "train"


@pytest.mark.parametrize("name", sorted(path.stem for path in conf_dir().glob("experiment/*.yaml")))
def test_every_experiment_has_settings(name: str) -> None:
    assert settings(f"experiment={name}").frames > 0


def test_names_differ_by_what_is_learned_and_nothing_else() -> None:
    name = name_of(settings())
    assert name.startswith("task_scheduling-maskable_ppo-s0-")
    assert name == name_of(settings("frames=5", "results=elsewhere"))
    other = ("seed=1", "algo.hyperparameters.gamma=0.7", "network=plain", "validation.seeds=3")
    assert len({name, *(name_of(settings(one)) for one in other)}) == 5


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["scenario=pi-5-conv-0.80"], "scenario: .*outside the split test"),
        (["scenario=test"], "Could not find"),
        (["algo.name=maskableppo"], "did you mean 'maskable_ppo'"),
        (["+algo.hyperparameters.gama=1"], "did you mean 'gamma'"),
        (["+algo.hyperparameters.env=1"], "algo.hyperparameters.env"),
        (["algo.num_envs=0"], "algo.num_envs"),
        (["frames=many"], "frames"),
        (["seed=1000"], "seed: got 1000; allowed: 0 to 999"),
        (["validation.metric=ratios"], "ratio or return"),
        (["validation.reference=fcfs-batch"], "did you mean 'fcfs-batched'"),
        (["env.id=tiergym/TaskSchedule-v0"], "did you mean 'tiergym/TaskScheduling-v0'"),
        (["algo=dqn", "+algo.timed=true"], "algo.timed"),
    ],
)
def test_what_is_wrong_is_named(overrides: list[str], message: str) -> None:
    with pytest.raises(Exception, match=message) as raised:
        settings(*overrides)
    assert isinstance(raised.value, InvalidInput) or message == "Could not find"


def test_seeds_of_training_validation_and_suites_never_meet() -> None:
    last = settings("seed=999")
    assert settings().first_seed == 0
    assert settings("seed=2").first_seed == 2 * TRAINING_STRIDE
    assert last.first_seed + TRAINING_STRIDE <= FIRST_VALIDATION_SEED
    assert FIRST_VALIDATION_SEED + last.validation_seeds < FIRST_SEED
