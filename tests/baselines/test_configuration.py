from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from baselines.configuration import as_overrides, conf_dir, register_groups, versions, worker_count
from baselines.evaluate import suite_of
from baselines.registry import FOLDERS, policy_names
from tiergym.errors import InvalidInput
from tiergym.evaluation.scenes import scenes_of
from tiergym.evaluation.suites import FIRST_SEED, Suite, load_suite
from tiergym.scenarios import split_scenarios

SUITES = sorted(path.stem for path in (conf_dir() / "suite").glob("*.yaml"))


def composed(*overrides: str) -> Any:
    register_groups()
    with initialize_config_dir(str(conf_dir()), version_base="1.3"):
        config = compose("config", overrides=as_overrides(overrides))
    return OmegaConf.to_container(config, resolve=True)


def test_every_group_named_by_the_main_configuration_exists() -> None:
    config = composed()
    assert {"env", "suite", "policy", "scenario", "results", "workers"} <= set(config)
    assert config["workers"] is None
    assert composed("launcher=inline")["workers"] == 1
    assert composed("workers=3")["workers"] == 3


@pytest.mark.parametrize("name", policy_names())
def test_every_registered_policy_can_be_chosen(name: str) -> None:
    assert composed(f"policy={name}")["policy"] == {"name": name, "label": name, "options": {}}


def test_a_scenario_can_be_a_file() -> None:
    assert composed("scenario=pi-5-conv-0.80")["scenario"]["given"] == "pi-5-conv-0.80"
    assert composed("scenario=mine/my.yaml")["scenario"]["given"] == "mine/my.yaml"


def test_options_of_ones_own() -> None:
    config = composed("policy=custom", "policy.name=priority", "+policy.options.ageing=2.0")
    (entry, reference) = suite_of(config).policies
    assert (entry.name, entry.options) == ("priority", {"ageing": 2.0})
    assert reference.label == "fcfs-batched+upload"


def test_evaluating_the_reference_plays_it_once() -> None:
    suite = suite_of(composed("policy=fcfs-batched+upload"))
    assert [entry.label for entry in suite.policies] == ["fcfs-batched+upload"]


def shipped(name: str) -> Suite:
    return load_suite(composed(f"suite={name}")["suite"])


@pytest.mark.parametrize("name", SUITES)
def test_shipped_suites_score_the_test_split_on_their_own_seeds(name: str) -> None:
    suite = shipped(name)
    assert suite.name == name
    assert list(suite.scenarios) == split_scenarios(FOLDERS[suite.environment], "test")
    assert suite.first_seed == FIRST_SEED
    assert {entry.name for entry in suite.policies} <= set(policy_names(suite.environment))


@pytest.mark.parametrize("name", SUITES)
def test_scenarios_and_ablations_of_shipped_suites_load(name: str) -> None:
    scenes = scenes_of(shipped(name))
    labels = [scene.label for scene in scenes]
    assert len(labels) == len(set(labels))
    unpacked = [scene for scene in scenes if scene.ablation == "unpacked"]
    assert bool(unpacked) == name.startswith("task-scheduling")
    for scene in unpacked:
        links = scene.facts["links"].values()
        assert all(link["packing"] is False for link in links)


def test_full_has_every_policy_and_quick_leaves_out_the_planner_only() -> None:
    quick, full = shipped("task-scheduling-quick"), shipped("task-scheduling-full")
    labels = [{entry.label for entry in suite.policies} for suite in (quick, full)]
    assert labels[1] == set(policy_names())
    assert labels[0] == labels[1] - {"lookahead"}


def test_versions_follow_the_code() -> None:
    told = versions()
    assert set(told) == {"tiergym", "numpy", "numba", "code"}
    assert told == versions()


def test_workers_default_to_cores() -> None:
    assert worker_count(3) == 3
    assert worker_count(None) >= 1
    for wrong in (0, -2, 1.5, "all"):
        with pytest.raises(InvalidInput, match="workers"):
            worker_count(wrong)


@pytest.mark.parametrize("module", ["baselines.leaderboard", "baselines.evaluate"])
def test_workers_that_import_the_command_do_not_import_hydra(module: str) -> None:
    code = f"import sys, {module}; print('hydra' in sys.modules, 'torch' in sys.modules)"
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["False", "False"]


@pytest.mark.parametrize("path", sorted((conf_dir() / "env").glob("*.yaml")), ids=lambda p: p.stem)
def test_every_environment_has_what_the_commands_read(path: Path) -> None:
    record = yaml.safe_load(path.read_text())
    assert set(record) == {"id", "arguments"}
    assert record["id"] in FOLDERS
