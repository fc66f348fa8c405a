"""The shipped evidence of the comparison is complete, and bears its verdict."""

from __future__ import annotations

from pathlib import Path

import pytest

from tiergym.calibration.comparison.__main__ import main
from tiergym.calibration.comparison.evidence import load_runs
from tiergym.calibration.comparison.findings import by_variant, exit_differences, verdict_of
from tiergym.calibration.comparison.variants import SEEDS, VARIANTS


def test_every_variant_has_every_seed() -> None:
    runs = by_variant(load_runs())
    assert {name: sorted(own) for name, own in runs.items()} == {
        variant.name: list(SEEDS) for variant in VARIANTS
    }
    for own in runs.values():
        for run in own.values():
            assert run.table.samples == 5000
            assert run.table.validation is not None
            assert run.training_seconds > 10.0
            assert run.accuracy(8) > run.accuracy(2) + 0.02


def test_the_verdict_is_the_one_that_the_readme_could_quote() -> None:
    verdict = verdict_of(exit_differences(by_variant(load_runs())), [])
    assert verdict.word == "partly"
    assert "less at none" in verdict.sentences[0]


def test_the_command_prints_tables_and_writes_rows(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tiergym.calibration.comparison.findings.SETTINGS", ())
    assert main([f"out={tmp_path}"]) == 0
    told = capsys.readouterr().out
    assert "Verdict: partly" in told
    assert "training seconds" in told
    rows = (tmp_path / "schemes.csv").read_text().splitlines()
    assert len(rows) == 1 + 6 * 8 + 3
