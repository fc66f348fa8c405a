"""The comparison of training schemes: packing, serving, intervals and the verdict."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from tiergym.calibration.comparison.__main__ import main
from tiergym.calibration.comparison.evidence import TrainedRun, is_finished, load_runs, pack
from tiergym.calibration.comparison.findings import (
    Mean,
    Served,
    Verdict,
    by_variant,
    exit_differences,
    mean_of,
    verdict_of,
)
from tiergym.calibration.comparison.report import served_table, write_results
from tiergym.calibration.comparison.serving import (
    SETTINGS,
    Curve,
    best_within,
    curve,
    quickest_at,
    scenario_of,
)
from tiergym.calibration.comparison.variants import REFERENCE, THESIS, VARIANTS
from tiergym.calibration.multi_exit.tables import divide, save_table
from tiergym.calibration.records import write_yaml
from tiergym.errors import InvalidInput
from tiergym.networks import ExitTable

BLOCKS = 8


def table(seed: int, samples: int = 40, right: float = 0.5) -> ExitTable:
    rng = np.random.default_rng(seed)
    confidence = rng.random((samples, BLOCKS + 1)).astype(np.float32)
    confidence[:, 0] = 0.0
    correct = (rng.random((samples, BLOCKS + 1)) < right).astype(np.int8)
    correct[:, 0] = 0
    return ExitTable(confidence, correct)


def runs_of(shift: dict[str, float], seeds: int = 5) -> list[TrainedRun]:
    """Runs whose accuracies differ by variant, with noise that seeds share in part."""
    found: list[TrainedRun] = []
    for variant in (REFERENCE, THESIS):
        for seed in range(seeds):
            part = table(seed, 4000, 0.5 + 0.01 * seed + shift.get(variant, 0.0))
            found.append(TrainedRun(variant, seed, part, {"all": 1.0}))
    return found


def test_runs_are_packed_and_read_back(tmp_path: Path):
    written: dict[tuple[str, int], ExitTable] = {}
    for variant in VARIANTS[:2]:
        for seed in (0, 1):
            name = variant.run(seed).name
            divided = divide(table(seed))
            save_table(tmp_path / f"{name}.npz", divided)
            source = {"command": "c", "commit": "c", "versions": {}, "date": "d"}
            record = {"source": {**source, "training_seconds": {"all together": 3.5}}}
            write_yaml(tmp_path / f"{name}.yaml", record, "test")
            written[variant.name, seed] = divided.test
    assert pack(tmp_path, tmp_path) == 4
    found = load_runs(tmp_path)
    assert [(run.variant, run.seed) for run in found] == list(written)
    for run in found:
        expected = written[run.variant, run.seed]
        np.testing.assert_array_equal(run.table.correct, expected.correct)
        np.testing.assert_allclose(run.table.confidence, expected.confidence, atol=0.003)
        assert run.training_seconds == 3.5
        assert run.table.validation is not None
    with pytest.raises(InvalidInput, match="finished runs"):
        pack(tmp_path / "nothing")


def test_an_interval_is_students():
    values = [0.61, 0.64, 0.60, 0.63, 0.65]
    found = mean_of(values)
    expected = stats.ttest_1samp(values, 0.0).confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))
    assert Mean(1.0, 0.5, 1.5).sign == 1
    assert Mean(0.1, -0.5, 0.7).sign == 0
    assert mean_of([0.5]).sign == 0


@pytest.mark.parametrize(
    ("shift", "word"), [(0.1, "reproduced"), (-0.1, "not reproduced"), (0.0, "not reproduced")]
)
def test_the_verdict_follows_the_intervals(shift: float, word: str):
    differing = exit_differences(by_variant(runs_of({THESIS: shift})))
    assert verdict_of(differing, []).word == word


def test_the_verdict_is_partly_where_exits_disagree():
    better, worse, same = Mean(0.1, 0.05, 0.15), Mean(-0.1, -0.15, -0.05), Mean(0.0, -0.1, 0.1)
    own = {1: worse, 2: same, 3: better, 4: better}
    assert verdict_of({REFERENCE: {}, THESIS: own}, []).word == "partly"


def test_thresholds_are_chosen_on_one_half_and_scored_on_the_other():
    chosen = Curve(np.array([1.0, 2.0, 3.0]), np.array([0.5, 0.7, 0.8]))
    scored = Curve(np.array([1.1, 2.1, 3.1]), np.array([0.4, 0.6, 0.9]))
    assert best_within(chosen, scored, 2.5) == 0.6
    assert quickest_at(chosen, scored, 0.65) == 2.1
    assert np.isnan(best_within(chosen, scored, 0.5))
    assert np.isnan(quickest_at(chosen, scored, 0.95))


def test_what_is_served_leaves_and_is_right_as_the_table_says():
    setting = SETTINGS[0]
    scenario, exits = scenario_of(setting), table(3, 200)
    first, second = setting.placement
    found = curve(scenario, exits, (0.0, 0.6, 1.01))
    leaves = exits.confidence[:, first] >= 0.6
    later = ~leaves & (exits.confidence[:, second] >= 0.6)
    upper = np.where(later, exits.correct[:, second], exits.correct[:, 8])
    right = np.where(leaves, exits.correct[:, first], upper)
    assert found.accuracy == pytest.approx(
        [exits.correct[:, first].mean(), right.mean(), exits.correct[:, 8].mean()]
    )
    assert (np.diff(found.latency) > 0.0).all()


def test_the_rows_to_load_have_a_name_for_each_column(tmp_path: Path):
    paths = write_results(tmp_path, by_variant(runs_of({})), [], Verdict("partly", ()))
    names, *rows = [line.split(",") for line in paths[0].read_text().splitlines()]
    assert len(set(names)) == len(names) == 8
    assert rows
    assert all(len(row) == len(names) for row in rows)


def test_seeds_that_miss_the_accuracy_are_told():
    runs = by_variant(runs_of({}))
    some = (Mean(0.5, 0.4, 0.6), Mean(0.0, -0.1, 0.1))
    each = dict.fromkeys(runs, some)
    reached = {REFERENCE: 5, THESIS: 3}
    text = served_table(runs, [Served(SETTINGS[0], 0.1, 0.6, each, each, reached)])
    lines = text.splitlines()
    assert "of 5 seeds" not in lines[1]
    assert lines[2].startswith(f"  {THESIS}")
    assert lines[2].endswith("(of 3 of 5 seeds)")


def test_a_run_is_finished_once_its_record_is_written(tmp_path: Path):
    name = VARIANTS[0].run(0).name
    save_table(tmp_path / f"{name}.npz", divide(table(0)))
    assert not is_finished(tmp_path, name)
    write_yaml(tmp_path / f"{name}.yaml", {"source": {"command": "c"}}, "test")
    assert is_finished(tmp_path, name)


def test_wrong_words_are_named(capsys: pytest.CaptureFixture[str]):
    assert main(["trian=true"]) == 2
    assert "train" in capsys.readouterr().err
