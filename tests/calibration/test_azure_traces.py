"""The shipped arrival traces are what their command derives."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tiergym.calibration.azure_traces import FILES, derive, halves
from tiergym.shipped import data_folder
from tiergym.workload import load_trace

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"


def test_halves_keep_every_arrival() -> None:
    half, (first, second) = halves(np.array([0.0, 1.0, 4.0, 5.0, 8.0]))
    assert half == 4.0
    assert first.tolist() == [0.0, 1.0]
    assert second.tolist() == [0.0, 1.0, 4.0]


def test_derive_cuts_to_microseconds(tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text("0\n0.1234567\n3.0\n3.1\n3.5\n")
    derive("azure-code", tmp_path / "in.csv", tmp_path)
    with np.load(tmp_path / "azure-code-a.npz", allow_pickle=False) as stored:
        assert stored["microseconds"].tolist() == [0, 123456]
    assert "licence: CC-BY-4.0" in (tmp_path / "azure-code-b.yaml").read_text()


@pytest.mark.skipif(not DATA.is_dir(), reason="the public traces are not here")
@pytest.mark.parametrize("name", FILES)
def test_shipped_files_are_derived(name: str, tmp_path: Path) -> None:
    derive(name, DATA / FILES[name], tmp_path)
    for letter in "ab":
        shipped = load_trace(f"{name}-{letter}")
        with np.load(tmp_path / f"{name}-{letter}.npz", allow_pickle=False) as stored:
            assert np.array_equal(stored["microseconds"] * 1e-6, shipped.times)
        record = (tmp_path / f"{name}-{letter}.yaml").read_text()
        assert record == (data_folder("workload") / f"{name}-{letter}.yaml").read_text()
