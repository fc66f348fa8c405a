"""Tuning: what it searches, what it may not look at, and what it writes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from baselines import policy_names
from baselines.registry import tuned_options
from baselines.task_scheduling import tune
from tests.envs import small
from tiergym import InvalidInput, load_scenario
from tiergym.scenarios import load_split, scenario_names


@pytest.fixture
def busy() -> Any:
    arrivals = {"process": "poisson", "rate": 400}
    return load_scenario(small.scenario(arrivals=arrivals, window=0.2))


def test_test_scenarios_are_refused() -> None:
    scored = load_split("task_scheduling", "test")[0].name
    with pytest.raises(InvalidInput, match=r"--scenarios.*none of the split test"):
        tune.training_scenarios([scored])


def test_unknown_policy_is_named() -> None:
    with pytest.raises(InvalidInput, match=r"--policies.*fcfs-batched"):
        tune.main(["--policies", "fcfs", "--seeds", "1", "--scenarios", "titan-x-code-0.50"])


def test_what_uploads_or_ages_is_tuned() -> None:
    names = tune.tunable_names()
    assert {"fcfs-batched+upload", "priority+ageing", "priority+upload+ageing"} <= set(names)
    assert not {"fcfs", "priority", "random", "lookahead"} & set(names)
    ages = tune.grids({"upload": True, "ageing": 1.0})
    assert [len(group) for group in ages] == [19, 6]
    assert all(mark["low"] <= mark["high"] for mark in ages[0])


def test_the_best_of_each_group_is_kept(busy: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tune, "HIGH_MARKS", (0.02, 5.0))
    monkeypatch.setattr(tune, "LOW_SHARES", (0.5,))
    monkeypatch.setattr(tune, "TAUS", (0.01, 100.0))
    tuner = tune.Tuner([busy], seeds=4)
    best, score = tuner.tune("priority+upload+ageing")
    assert best["high"] == 0.02
    assert best["low"] == 0.01
    assert best["ageing"] in (0.01, 100.0)
    built_in = tuner.log_costs("priority+upload+ageing", {})
    assert tuner.log_costs("priority+upload+ageing", best).mean() - built_in.mean() == (
        pytest.approx(float(tune.np.log(score)))
    )


def test_what_is_written_can_be_read(tmp_path: Path, busy: Any) -> None:
    file = tmp_path / "tuned.yaml"
    tune.write(file, {"fcfs+upload": ({"high": 0.5}, 0.98765)}, tune.provenance("x", [busy], 2))
    written = yaml.safe_load(file.read_text())
    assert written["policies"] == {"fcfs+upload": {"high": 0.5}}
    assert written["scores"] == {"fcfs+upload": 0.9877}
    assert written["provenance"]["scenarios"] == {"small": busy.digest()}
    assert written["provenance"]["seeds"] == "1000000000 to 1000000001"
    assert list(tmp_path.iterdir()) == [file]


def test_shipped_values_belong_to_registered_policies_and_known_scenarios() -> None:
    assert set(tuned_options("task_scheduling")) == set(tune.tunable_names())
    assert set(tuned_options("task_scheduling")) <= set(policy_names())
    source = yaml.safe_load(tune.FILE.read_text())["provenance"]
    assert set(source["scenarios"]) <= set(scenario_names())
