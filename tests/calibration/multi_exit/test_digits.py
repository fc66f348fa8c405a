"""A network trained here, end to end: files, scenario, engine, and the same tasks run for real."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("sklearn")
pytest.importorskip("PIL")

import baselines
import tiergym
from tests.calibration.multi_exit.small import digits, spoil, trained
from tiergym.calibration.multi_exit.families import MultiExitNetwork
from tiergym.calibration.multi_exit.running import run_tiers
from tiergym.calibration.multi_exit.shipping import provenance, write_network
from tiergym.calibration.multi_exit.tables import DividedTable
from tiergym.calibration.multi_exit.training import Run
from tiergym.engine import TaskLog, simulate
from tiergym.errors import InvalidInput
from tiergym.networks import load_network
from tiergym.scenarios import load_scenario

PLACEMENTS = [(2, 5), (0, 4), (3, 3), (1, 8), (0, 0), (8, 8)]

Trained = tuple[Run, DividedTable, Path]


@pytest.fixture(scope="module", params=["joint", "separate"])
def network(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    run = trained(digits(), scheme=request.param, epochs=8, head_epochs=5)
    folder = tmp_path_factory.mktemp(request.param)
    table = write_network(run, digits(), folder, provenance("test", run.options, "digits"))
    return run, table, folder / f"{run.options.name}.yaml"


def chosen(table: DividedTable, placement: tuple[int, int]) -> tuple[float, float]:
    """Thresholds that 40 % of the validation rows reach at p1 and 60 % at p2."""
    sure = table.validation.confidence
    first, second = (
        float(np.quantile(sure[:, block], share))
        for block, share in zip(placement, (0.6, 0.4), strict=True)
    )
    return first, second


def config_of(
    path: Path, placement: tuple[int, int], thresholds: tuple[float, float]
) -> dict[str, Any]:
    name = load_network(path).name
    heads = dict.fromkeys(range(1, 9), 0.0001)
    laws = {"base": 0.001, "blocks": [0.0005] * 8, "heads": heads}
    profile = {"networks": {name: laws}}
    nodes = {tier: {"tier": tier, "profile": profile} for tier in ("terminal", "edge", "cloud")}
    links = {
        "up": {"source": "terminal", "target": "edge", "bandwidth": 20, "rtt": 0.01},
        "wire": {"source": "edge", "target": "cloud", "bandwidth": 100, "rtt": 0.03},
    }
    served = {
        "network": str(path),
        "placement": list(placement),
        "thresholds": list(thresholds),
    }
    return {
        "name": "digits",
        "nodes": nodes,
        "links": links,
        "networks": {name: served},
        "arrivals": {"process": "poisson", "rate": 20},
        "tasks": 100,
        "schedule": "terminal" if placement[0] else "edge" if placement[1] else "cloud",
    }


def simulated(path: Path, placement: Any, thresholds: Any, samples: np.ndarray) -> TaskLog:
    scenario = load_scenario(config_of(path, placement, thresholds))
    arrival = np.linspace(0.0, 30.0, len(samples))
    return simulate(scenario.system, scenario.instance(arrival, sample=samples))


@pytest.mark.parametrize("placement", PLACEMENTS)
def test_the_simulator_answers_what_the_network_answers(
    network: Trained, placement: tuple[int, int]
):
    run, table, path = network
    assert isinstance(run.network, MultiExitNetwork)
    thresholds = chosen(table, placement)
    samples = np.random.default_rng(1).integers(0, len(table.test_row), size=300)
    images = table.test_row[samples]
    answers = run_tiers(run.network, digits().test.pixels[images], placement, thresholds)
    log = simulated(path, placement, thresholds, samples)
    np.testing.assert_array_equal(log.exit_block, answers.exit_block)
    right = answers.label == digits().test.labels[images]
    np.testing.assert_array_equal(log.correct, right)
    assert log.correct.mean() == right.mean()


def test_tasks_leave_at_all_three_exits(network: Trained):
    _, table, path = network
    log = simulated(path, (2, 5), chosen(table, (2, 5)), np.arange(len(table.test_row)))
    counts = {block: int((log.exit_block == block).sum()) for block in (2, 5, 8)}
    assert sum(counts.values()) == len(log)
    assert min(counts.values()) > 20
    assert set(log.tier) == {0, 1, 2}
    delays = [log.delay[log.exit_block == block].min() for block in (2, 5, 8)]
    assert delays == sorted(delays)


def test_it_has_learnt_to_read(network: Trained):
    _, table, _ = network
    assert table.test.correct[:, 8].mean() > 0.8
    assert table.test.correct[:, 5].mean() > table.test.correct[:, 1].mean() - 0.05


def test_the_scenario_draws_rows_of_the_test_part(network: Trained):
    _, table, path = network
    scenario = load_scenario(config_of(path, (2, 5), (0.5, 0.7)))
    instance = scenario.draw(np.random.default_rng(0))
    assert instance.sample.max() < len(table.test_row)
    assert set(simulate(scenario.system, instance).exit_block) <= {2, 5, 8}


def test_a_policy_schedules_its_stages_and_the_accuracy_is_counted(network: Trained):
    _, table, path = network
    env = gym.make(
        "tiergym/TaskScheduling-v0", scenario=config_of(path, (2, 5), chosen(table, (2, 5)))
    )
    log = tiergym.rollout(env, baselines.make_policy("fcfs-batched", env), seed=0)
    assert set(log.exit_block) == {2, 5, 8}
    assert not np.isnan(log.correct).any()
    assert 0.5 < log.correct.mean() < 1.0


def test_the_record_says_where_it_comes_from(network: Trained):
    run, table, path = network
    source = load_network(path).source
    assert source["from"] == "digits"
    assert {"command", "seed", "commit", "versions", "date", "threads"} <= source.keys()
    assert source["accuracy_test"][8] == pytest.approx(table.test.correct[:, 8].mean(), abs=1e-4)
    assert source["options"]["scheme"] == run.options.scheme
    assert source["images"]["sha256"] == digits().digest()
    assert {"torch", "numpy", "pillow", "tiergym"} <= source["versions"].keys()


def test_running_refuses_what_cannot_be_run():
    run = trained(exits=(2,), epochs=1)
    assert isinstance(run.network, MultiExitNetwork)
    pixels = digits().test.pixels[:4]
    with pytest.raises(InvalidInput, match=r"heads after \(2, 8\), not \[3\]"):
        run_tiers(run.network, pixels, (2, 3), (0.5, 0.5))
    with pytest.raises(InvalidInput, match="p1 <= p2"):
        run_tiers(run.network, pixels, (3, 2), (0.5, 0.5))
    spoil(run.network, "2", float("inf"))
    with pytest.raises(InvalidInput, match="logits at exit 2"):
        run_tiers(run.network, pixels, (2, 8), (0.5, 0.5))
