"""Forecasters, their measured errors, and the command that trains them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from baselines.edge_selection import forecasting
from baselines.edge_selection.forecasting import FORECASTERS, HORIZONS, make_forecaster
from baselines.edge_selection.forecasting import __main__ as command
from baselines.edge_selection.forecasting.ar import Ar, ArOnline
from baselines.edge_selection.forecasting.data import SERIES_SEED, recorded
from baselines.edge_selection.forecasting.errors import measure
from baselines.edge_selection.forecasting.last import Last
from baselines.edge_selection.forecasting.lstm import Lstm, scaled
from baselines.edge_selection.forecasting.mean import Mean
from baselines.edge_selection.forecasting.weights import FOLDER, load_weights
from baselines.edge_selection.forecasting.windows import LENGTH, cut
from tiergym.errors import InvalidInput
from tiergym.evaluation.suites import FIRST_SEED, FIRST_VALIDATION_SEED

RAMP = np.arange(8.0)[None] / 10


def wave(count: int = 300, seed: int = 0) -> np.ndarray:
    """An AR(1) load around one half."""
    noise, values = np.random.default_rng(seed).normal(0.0, 0.05, count), np.zeros(count)
    for t in range(1, count):
        values[t] = 0.8 * values[t - 1] + noise[t]
    return 0.5 + values


def test_windows_and_what_follows_them() -> None:
    windows, future = cut(np.arange(30.0))
    assert windows.shape == (30 - LENGTH - HORIZONS[-1] + 1, LENGTH)
    assert windows[0].tolist() == list(range(8))
    assert future[0].tolist() == [8.0, 9.0, 11.0, 15.0]
    assert future[-1].tolist() == [22.0, 23.0, 25.0, 29.0]


def test_plain_forecasts() -> None:
    assert Last().forecast(RAMP)[0] == pytest.approx([0.7] * 4)
    assert Mean().forecast(RAMP)[0] == pytest.approx([0.35] * 4)
    swing = np.array([[0.5, 0.6, 0.5, 0.4, 0.5, 0.6, 0.5, 0.4]])
    assert ArOnline().forecast(swing)[0] == pytest.approx([0.5] * 4)
    assert ArOnline().forecast(np.full((1, 8), 0.3))[0] == pytest.approx([0.3] * 4)


def test_least_squares_finds_what_a_series_is_made_by() -> None:
    """x_t = 2 x_(t-1) - x_(t-2) makes straight lines, whatever their level."""
    ramps = [np.linspace(0.0, 1.0, 40), np.linspace(5.0, 3.0, 40) + 0.1 * np.sin(np.arange(40.0))]
    ar = Ar.fitted([ramps[0] + 1e-9 * np.random.default_rng(0).normal(size=40)])
    assert ar.forecast(RAMP)[0] == pytest.approx([0.8, 0.9, 1.1, 1.5], abs=1e-4)
    ar = Ar.fitted(ramps)
    assert ar.forecast(RAMP + 7.0) == pytest.approx(ar.forecast(RAMP) + 7.0)


@pytest.mark.parametrize("name", sorted(FORECASTERS))
def test_a_forecast_does_not_depend_on_the_other_windows(name: str) -> None:
    windows, _ = cut(wave())
    one = make_forecaster(name)
    together = one.forecast(windows)
    assert together.shape == (len(windows), len(HORIZONS))
    alone = np.concatenate([one.forecast(windows[k : k + 1]) for k in range(len(windows))])
    assert np.array_equal(together, alone)
    assert np.isfinite(together).all()


def test_unknown_forecaster() -> None:
    with pytest.raises(InvalidInput, match="did you mean 'lstm'"):
        make_forecaster("lsmt")


def test_the_lstm_computes_what_torch_computes() -> None:
    torch = pytest.importorskip("torch")
    from baselines.edge_selection.forecasting.training import make_module, weights_of

    torch.manual_seed(0)
    module = make_module().double()
    for parameter in module.parameters():
        parameter.data.normal_(0.0, 0.5)
    windows, _ = cut(wave())
    inputs, scale = scaled(windows)
    with torch.no_grad():
        expected = windows[:, -1:] + scale * module(torch.from_numpy(inputs)).numpy()
    assert np.abs(Lstm(weights_of(module)).forecast(windows) - expected).max() < 1e-12
    single = module.float()
    with torch.no_grad():
        expected = windows[:, -1:] + scale * single(torch.from_numpy(inputs).float()).numpy()
    assert np.abs(Lstm(weights_of(single)).forecast(windows) - expected).max() < 1e-6


def test_shipped_weights_are_small_plain_and_on_record() -> None:
    for name in ("ar", "lstm"):
        assert (FOLDER / f"{name}.npz").stat().st_size < 1_000_000
        assert all(array.dtype.kind == "f" for array in load_weights(name).values())
        record = yaml.safe_load((FOLDER / f"{name}.yaml").read_text(encoding="utf-8"))
        assert {"command", "date", "versions", "series", "held_out"} <= set(record)
        assert not [one for one in record["series"] if one.endswith("-b")]


def test_held_out_series_are_the_other_halves() -> None:
    train, test = recorded("train"), recorded("test")
    assert len(train) == len(test) == 6
    assert not set(train) & set(test)
    assert all(v.min() >= 0.0 and v.max() <= 1.0 for v in (*train.values(), *test.values()))
    assert FIRST_VALIDATION_SEED < SERIES_SEED["train"] < FIRST_SEED < SERIES_SEED["test"]


def test_errors_are_those_of_hand() -> None:
    series = {"one": wave(400, 1), "two": 2.0 * wave(300, 2)}
    found = measure({"last": Last(), "mean": Mean()}, series)
    ratios = []
    for values in series.values():
        windows, future = cut(values)
        errors = np.mean((windows.mean(axis=1) - future[:, 2]) ** 2)
        ratios.append(np.sqrt(errors / np.mean((windows[:, -1] - future[:, 2]) ** 2)))
    ratio = found["mean"].rmse_ratio[2]
    assert ratio.estimate == pytest.approx(np.sqrt(ratios[0] * ratios[1]))
    assert ratio.low < ratio.estimate < ratio.high
    assert {one.estimate for one in found["last"].mae_ratio} == {1.0}
    assert found["mean"].mae[0] > found["last"].mae[0]


def test_the_command_trains_and_measures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("torch")
    from baselines.edge_selection.forecasting import training

    def series(split: str) -> dict[str, Any]:
        return {f"{split}-{k}": wave(200, k + 10 * (split == "test")) for k in range(2)}

    monkeypatch.setattr(command, "SOURCES", {"waves": series})
    monkeypatch.setattr(training.train, "__defaults__", (2, 4))
    assert command.main(["train=true", "sources=waves", "seeds=1", f"out={tmp_path}"]) == 0
    assert "lstm" in capsys.readouterr().out
    record = yaml.safe_load((tmp_path / "lstm.yaml").read_text(encoding="utf-8"))
    assert record["runs"][0]["epochs"] == 2
    assert len(record["held_out"]["waves"]["rmse_over_last"]) == 4
    with np.load(tmp_path / "lstm.npz") as stored:
        assert Lstm(dict(stored)).forecast(RAMP).shape == (1, 4)


def test_training_is_reproducible_and_stops_early(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("torch")
    from baselines.edge_selection.forecasting import training

    monkeypatch.setattr(training, "PATIENCE", 1)
    monkeypatch.setattr(training, "LEARNING_RATE", 0.5)
    series, lines = {"wave": wave(200)}, list[str]()
    first, second = (training.train(series, 7, lines.append, 50, 4) for _ in range(2))
    assert first.curve == second.curve
    assert all(np.array_equal(first.weights[k], second.weights[k]) for k in first.weights)
    assert len(first.curve) < 50
    assert first.best == min(loss for _, loss in first.curve)


def test_wrong_words_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    for words, field in (
        (["tran=true"], "train"),
        (["sources=[nba]"], "nab"),
        (["x"], "key=value"),
    ):
        assert command.main(words) == 2
        assert field in capsys.readouterr().err
    assert command.main(["--help"]) == 0
    assert "sources" in capsys.readouterr().out
    assert forecasting.__doc__
