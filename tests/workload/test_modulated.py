"""Arrivals modulated by a load series, against the theory of inhomogeneous Poisson processes."""

from __future__ import annotations

import math
import re
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import integrate, stats

from tiergym.calibration.nab_series import FILE, correlation, derive, looks
from tiergym.errors import InvalidInput
from tiergym.scenarios import load_scenario
from tiergym.workload import Arrivals, parse_arrivals
from tiergym.workload.modulated import Modulated, Swing
from tiergym.workload.series import (
    FOLDER,
    Series,
    held,
    load_series,
    series_names,
    series_record,
)

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"
VALUES = [1.0, 4.0, 0.0, 2.0, 0.5]
SERIES = Series("list", np.array(VALUES), 300.0)
PLAIN = Modulated(SERIES, 10.0, floor=0.1, random_start=False)
SWUNG = Modulated(SERIES, 10.0, floor=0.1, swing=Swing(3.7, 0.8), random_start=False)
BOTH = pytest.mark.parametrize("process", [PLAIN, SWUNG], ids=["plain", "swung"])


def rng(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


def rate_at(process: Modulated, rate: float, start: float, phase: float, time: float) -> float:
    """The rate as the docstring of `Modulated` defines it."""
    index = int((time + start) % process.period / process.period * len(VALUES)) % len(VALUES)
    share = (VALUES[index] / np.mean(VALUES) + process.floor) / (1.0 + process.floor)
    wave = math.sin(2.0 * math.pi * time / process.swing.period + phase)
    return float(rate * share * (1.0 + process.swing.depth * wave))


def integral(
    process: Modulated, rate: float, times: np.ndarray, start: float, phase: float
) -> np.ndarray:
    """The rate's integral from 0 to each of the times (rising), by adaptive quadrature."""
    width = process.period / len(VALUES)
    last = float(times[-1])
    edges = np.arange(0, math.ceil((last + start) / width) + 1) * width - start
    ends = np.unique(np.concatenate(([0.0], edges[(edges > 0.0) & (edges < last)], times)))
    masses = [
        integrate.quad(partial(rate_at, process, rate, start, phase), a, b, epsabs=1e-13)[0]
        for a, b in pairwise(ends)
    ]
    return np.interp(times, ends, np.concatenate(([0.0], np.cumsum(masses))))


def same(one: list[int], other: list[int]) -> float:
    """The p-value of both being drawn from one distribution."""
    result: Any = stats.ks_2samp(one, other)
    return result.pvalue


def phase_of(process: Modulated, seed: int) -> float:
    """The first number that a draw without a random start takes."""
    return 2.0 * math.pi * rng(seed).random() if process.swing.depth else 0.0


@BOTH
def test_rescaled_gaps_are_unit_exponential(process: Modulated) -> None:
    gaps: list[float] = []
    for seed in range(20):
        times = process.draw(rng(seed), 8.0, 12.0)
        mass = integral(process, 8.0, times, 0.0, phase_of(process, seed))
        gaps.extend(np.diff(mass, prepend=0.0))
    # the gap that the window cut off is missing, which is one in a hundred
    assert len(gaps) > 1500
    assert stats.kstest(gaps, "expon").pvalue > 0.01
    assert abs(np.corrcoef(gaps[:-1], gaps[1:])[0, 1]) < 4.0 / math.sqrt(len(gaps))


@BOTH
def test_arrivals_are_the_inverse_of_the_integral_to_rounding(process: Modulated) -> None:
    """With the same exponential gaps, quadrature says where the integral reaches their sums."""
    generator = rng(7)
    phase = 2.0 * math.pi * generator.random() if process.swing.depth else 0.0
    sums = np.cumsum(generator.standard_exponential(60))
    times = process.draw(rng(7), 8.0, 6.0)
    assert 20 < len(times) < 60
    mass = integral(process, 8.0, times, 0.0, phase)
    np.testing.assert_allclose(mass, sums[: len(times)], rtol=1e-12, atol=1e-12)


def test_counts_of_each_piece_are_poisson() -> None:
    """Mean and variance of counts, 4 standard errors; pieces as wide as the series' values."""
    rate, draws = 30.0, 4000
    edges = np.arange(9) * 2.0
    counts = np.array(
        [np.histogram(PLAIN.draw(rng(s), rate, 16.0), edges)[0] for s in range(draws)]
    )
    shares = (np.array(VALUES) / np.mean(VALUES) + 0.1) / 1.1
    expected = rate * 2.0 * np.resize(shares, 8)
    error = np.sqrt(expected / draws)
    assert (np.abs(counts.mean(axis=0) - expected) < 4.0 * error).all()
    variance = np.sqrt((2.0 * expected**2 + expected) / draws)
    assert (np.abs(counts.var(axis=0, ddof=1) - expected) < 4.0 * variance).all()
    correlated = np.corrcoef(counts.T) - np.eye(8)
    assert np.abs(correlated).max() < 4.5 / math.sqrt(draws)


def test_counts_fit_a_poisson_distribution() -> None:
    counts = np.array([len(PLAIN.draw(rng(seed), 3.0, 4.0)) for seed in range(5000)])
    shares = (np.array(VALUES[:2]) / np.mean(VALUES) + 0.1) / 1.1
    law = stats.poisson(3.0 * 2.0 * shares.sum())
    found = np.bincount(np.clip(counts, 7, 28), minlength=29)[7:29]
    chances = np.diff(law.cdf(np.arange(7, 28)), prepend=0.0, append=1.0)
    assert stats.chisquare(found, 5000 * chances).pvalue > 0.01


@pytest.mark.parametrize("swing", [Swing(1.0, 0.0), Swing(7.0, 0.6)])
@pytest.mark.parametrize("window", [4.0, 10.0, 33.0])
def test_mean_rate(swing: Swing, window: float) -> None:
    process = Modulated(SERIES, 10.0, swing=swing)
    generator = rng(5)
    counts = [len(process.draw(generator, 40.0, window)) for _ in range(3000)]
    error = np.std(counts) / math.sqrt(len(counts))
    assert abs(np.mean(counts) - 40.0 * window) < 4.0 * error


def test_start_and_phase_are_uniform() -> None:
    """Without knowing either, arrivals are equally likely at all times of a window."""
    process = Modulated(SERIES, 10.0, swing=Swing(7.0, 0.9))
    first = [process.draw(rng(seed), 1.0, 30.0) for seed in range(2000)]
    counts = np.histogram(np.concatenate(first), 15, (0.0, 30.0))[0]
    # windows differ in their mean, so counts are over-dispersed: the spread between windows counts
    each = np.array([np.histogram(times, 15, (0.0, 30.0))[0] for times in first])
    error = each.std(axis=0) * math.sqrt(len(first))
    assert (np.abs(counts - 4000.0) < 4.0 * error).all()


def test_a_constant_series_is_poisson() -> None:
    process = Modulated(Series("flat", np.ones(7), 1.0), 3.0)
    gaps = np.diff(process.draw(rng(0), 50.0, 100.0))
    assert stats.kstest(gaps * 50.0, "expon").pvalue > 0.01


def test_no_arrivals_where_the_rate_is_zero() -> None:
    process = Modulated(SERIES, 10.0, floor=0.0, random_start=False)
    times = process.draw(rng(0), 200.0, 25.0) % 10.0
    assert len(times) > 4000
    assert not ((times > 4.0) & (times < 6.0)).any()


@BOTH
def test_draws_are_bitwise_the_same_sorted_and_in_the_window(process: Modulated) -> None:
    moving = Modulated(process.series, process.period, swing=process.swing)
    for seed in range(30):
        times = moving.draw(rng(seed), 30.0, 12.5)
        assert times.dtype == np.float64
        assert times.tobytes() == moving.draw(rng(seed), 30.0, 12.5).tobytes()
        assert (np.diff(times) >= 0.0).all()
        assert times[0] >= 0.0
        assert times[-1] < 12.5
        future = moving.redraw(rng(seed), times[times <= 5.0], 5.0, 30.0, 12.5)
        again = moving.redraw(rng(seed), times[times <= 5.0], 5.0, 30.0, 12.5)
        assert future.tobytes() == again.tobytes()
        assert (np.diff(future) >= 0.0).all()
        assert future[0] >= 5.0
        assert future[-1] < 12.5


def test_a_redraw_looks_at_the_past_only() -> None:
    """Neither what came later nor where the series began changes the answer."""
    fixed, moving = PLAIN, Modulated(SERIES, 10.0, floor=0.1)
    past = fixed.draw(rng(3), 20.0, 30.0)
    past = past[past <= 9.0]
    one = fixed.redraw(rng(1), past, 9.0, 20.0, 30.0)
    other = moving.redraw(rng(1), past, 9.0, 20.0, 30.0)
    assert one.tobytes() == other.tobytes()


def test_without_a_past_the_future_is_that_of_any_start() -> None:
    """Where nothing is known yet, a redraw is a draw with a random start."""
    process = Modulated(SERIES, 10.0, floor=0.1, random_start=False)
    moving = Modulated(SERIES, 10.0, floor=0.1)
    redrawn = [len(process.redraw(rng(s), np.empty(0), 0.0, 20.0, 2.0)) for s in range(3000)]
    drawn = [len(moving.draw(rng(10_000 + s), 20.0, 2.0)) for s in range(3000)]
    assert same(redrawn, drawn) > 0.01
    fixed = [len(process.draw(rng(20_000 + s), 20.0, 2.0)) for s in range(3000)]
    assert same(redrawn, fixed) < 1e-6


def test_a_redraw_follows_what_is_alike() -> None:
    values = np.concatenate((np.ones(100), 10.0 * np.ones(100)))
    process = Modulated(Series("two", values, 1.0), 400.0)
    busy = np.arange(0.0, 20.0, 0.1)
    generator = rng(1)
    after_busy = [len(process.redraw(generator, busy, 20.0, 5.5, 24.0)) for _ in range(50)]
    after_calm = [len(process.redraw(generator, busy[::10], 20.0, 5.5, 24.0)) for _ in range(50)]
    assert np.mean(after_busy) > 30.0
    assert np.mean(after_calm) < 10.0


def test_a_redraw_follows_the_swing() -> None:
    """On a constant series only the phase can tell busy from calm."""
    process = Modulated(Series("flat", np.ones(5), 1.0), 10.0, swing=Swing(200.0, 0.9))
    generator = rng(1)
    busy = np.arange(0.0, 20.0, 1.0 / 18.0)
    after_busy = [len(process.redraw(generator, busy, 20.0, 10.0, 24.0)) for _ in range(200)]
    after_calm = [len(process.redraw(generator, busy[::12], 20.0, 10.0, 24.0)) for _ in range(200)]
    assert np.mean(after_busy) > 60.0
    assert np.mean(after_calm) < 20.0


@pytest.mark.parametrize("window", [0.3, 3.0, 27.0])
def test_empty_chance_is_that_of_many_draws(window: float) -> None:
    process, generator, rate = Modulated(SERIES, 10.0, floor=0.05), rng(6), 1.5 / window
    empty = np.mean([len(process.draw(generator, rate, window)) == 0 for _ in range(20_000)])
    chance = process.empty_chance(rate, window)
    assert abs(empty - chance) < 4.0 * math.sqrt(chance * (1.0 - chance) / 20_000)


def test_empty_chance_with_a_fixed_start_or_a_swing() -> None:
    shares = (np.array(VALUES[:2]) / np.mean(VALUES) + 0.1) / 1.1
    assert PLAIN.empty_chance(1.0, 3.0) == pytest.approx(math.exp(-2.0 * shares[0] - shares[1]))
    swung = Modulated(SERIES, 10.0, swing=Swing(5.0, 0.5))
    generator = rng(8)
    empty = np.mean([len(swung.draw(generator, 0.5, 3.0)) == 0 for _ in range(4000)])
    assert empty - 4.0 * 0.5 / math.sqrt(4000) < swung.empty_chance(0.5, 3.0) < 1.0


def test_steps_are_those_of_the_busiest_stretch() -> None:
    share = (4.0 / np.mean(VALUES) + 0.1) / 1.1
    assert PLAIN.steps(7.0, 2.0) == pytest.approx(7.0 * 2.0 * share + 1.0)
    assert PLAIN.steps(7.0, 20.0) == pytest.approx(7.0 * 20.0 + 10.0)


def test_reading_and_a_scenario() -> None:
    given = {"process": "modulated", "series": "nab-ec2-6-a", "period": 120, "load": 0.5}
    arrivals = parse_arrivals("arrivals", {**given, "swing": {"period": 60, "depth": 0.4}})
    assert isinstance(arrivals, Arrivals)
    process = arrivals.process
    assert isinstance(process, Modulated)
    assert process.swing == Swing(60.0, 0.4)
    assert process.random_start
    assert arrivals.tasks_per_second(20.0) == 10.0
    device = {"tier": "terminal", "profile": {"networks": {"net": 0.02}}}
    server = {"tier": "edge", "profile": {"networks": {"net": 0.004}}}
    link = {"source": "device", "target": "server", "bandwidth": {"constant": 20}}
    scenario = load_scenario(
        {
            "nodes": {"device": device, "server": server},
            "links": {"link": link},
            "networks": {"net": {"network": {"input_bytes": 30_000}, "deadline": 0.1}},
            "arrivals": given,
            "tasks": 500,
        }
    )
    instance = scenario.draw(rng(0))
    assert len(instance.arrival) > 50
    assert (np.diff(instance.arrival) >= 0.0).all()


@pytest.mark.parametrize(
    ("change", "field", "inside"),
    [
        ({"series": "nab-ec2-6"}, "a.series", "did you mean 'nab-ec2-6-"),
        ({"series": None}, "a.series", "{values: [...], step: s}"),
        ({"series": "absent.csv"}, "a.series", "No such file"),
        ({"series": [[0, 1]]}, "a.series", "two or more"),
        ({"series": []}, "a.series", "two or more"),
        ({"series": [1, 2]}, "a.series[0]", "[seconds, value]"),
        ({"series": [[0, 1, 2], [1, 2]]}, "a.series[0]", "[seconds, value]"),
        ({"series": [[0, 1], [1, -2]]}, "a.series[1]", ">= 0"),
        ({"series": [[0, 1], [1, math.nan]]}, "a.series[1]", "value"),
        ({"series": [[0, 1], [1, math.inf]]}, "a.series[1]", "finite"),
        ({"series": [[0, 1], [0, 2]]}, "a.series[1]", "above the one before"),
        ({"series": [[0, 1], [1, 2], [2.5, 2]]}, "a.series[2]", "grid of the smallest gap, 1 s"),
        ({"series": [[0, 1], [1e-6, 1], [1e6, 1]]}, "a.series", "<= 1000000"),
        ({"series": [[0, 0], [1, 0]]}, "a.series", "above zero"),
        ({"series": {"values": [0, 0], "step": 1}}, "a.series.values", "above zero"),
        ({"series": {"values": [1], "step": 1}}, "a.series.values", "two or more"),
        ({"series": {"values": [1, "x"], "step": 1}}, "a.series.values[1]", ">= 0"),
        ({"series": {"values": [1, 2], "step": 0}}, "a.series.step", "> 0"),
        ({"series": {"values": [1, 2]}}, "a.series.step", "seconds"),
        ({"series": {"value": [1, 2]}}, "a.series.value", "did you mean 'values'"),
        ({"period": None}, "a.period", "seconds of the whole series"),
        ({"period": 0}, "a.period", "> 0"),
        ({"floor": -0.1}, "a.floor", ">= 0"),
        ({"swing": 3}, "a.swing", "a mapping"),
        ({"swing": {"period": 3}}, "a.swing.depth", "share of the rate"),
        ({"swing": {"period": 3, "depth": 1}}, "a.swing.depth", "< 1"),
        ({"swing": {"period": 0, "depth": 0.5}}, "a.swing.period", "> 0"),
        ({"random_start": 1}, "a.random_start", "true or false"),
        ({"rate": None}, "a.rate", "load of total capacity"),
        ({"perod": 1}, "a.perod", "did you mean 'period'"),
    ],
)
def test_wrong_fields_are_named(change: dict[str, object], field: str, inside: str) -> None:
    given = {"process": "modulated", "series": "nab-ec2-6-a", "period": 60, "rate": 5}
    with pytest.raises(InvalidInput, match=re.escape(inside)) as caught:
        parse_arrivals("a", {**given, **change})
    assert caught.value.field == field


def test_lists_files_and_mappings_agree(tmp_path: Path) -> None:
    rows = [[0, 1], [300, 4], [600, 0], [900, 2]]
    plain, dated = tmp_path / "a.csv", tmp_path / "b.csv"
    plain.write_text("\n".join(f"{t},{v}" for t, v in rows))
    dates = [f"2014-02-14 14:{30 + t // 60}:00,{v}" for t, v in rows]
    dated.write_text("timestamp,value\n" + "\n".join(dates) + "\n\n")
    for given in (rows, np.array(rows), plain, str(dated), {"values": [1, 4, 0, 2], "step": 300}):
        series = load_series(given)
        assert series.values.tolist() == [1.0, 4.0, 0.0, 2.0]
        assert (series.step, series.duration) == (300.0, 1200.0)
        assert load_series(series) is series


def test_a_missing_point_holds_the_one_before() -> None:
    series = held("s", [0.0, 1.0, 4.0, 5.0], [3.0, 7.0, 1.0, 2.0], "s", list("abcd"))
    assert series.values.tolist() == [3.0, 7.0, 7.0, 7.0, 1.0, 2.0]
    assert series.step == 1.0


@pytest.mark.parametrize(
    ("text", "inside"),
    [
        ("seconds,value\n0,1\n1,fast\n", "row 3"),
        ("0,1\n1,-1\n", "row 2"),
        ("0,1\nlater,1\n", "row 2"),
        ("host,seconds,value\na,0,1\n", "row 1"),
        ("", "bad.csv"),
    ],
)
def test_wrong_files(tmp_path: Path, text: str, inside: str) -> None:
    path = tmp_path / "bad.csv"
    path.write_text(text)
    with pytest.raises(InvalidInput, match=inside):
        load_series(path)


def test_the_scale_of_values_does_not_matter() -> None:
    vast = Modulated(Series("v", np.array(VALUES) * 1e307, 1.0), 10.0)
    small = Modulated(Series("v", np.array(VALUES) * 1e-300, 1.0), 10.0)
    np.testing.assert_allclose(vast.relative, small.relative)
    assert vast.relative.mean() == pytest.approx(1.0)


def test_shipped_series_and_their_records() -> None:
    halves = [f"nab-ec2-{number}-{letter}" for number in range(1, 9) for letter in "ab"]
    assert series_names() == halves
    notice = (FOLDER.parents[1] / "NOTICE.md").read_text(encoding="utf-8")
    assert "workload/series/nab-ec2-*" in notice
    for name in halves:
        series, record = load_series(name), series_record(name)
        assert len(series.values) == record["points"]
        assert series.step == record["step_seconds"] == 300.0
        assert (series.values >= 0.0).all()
        assert float(series.values.mean()) == pytest.approx(record["mean"], abs=6e-4)
        assert correlation(series.values, 1) == pytest.approx(record["lag_1"], abs=6e-4)
        assert looks(series.values) in str(record["description"])
        source = record["source"]
        assert isinstance(source, dict)
        assert source["licence"] == "MIT"
        assert {"from", "url", "date", "derived_by"} <= set(source)


@pytest.mark.skipif(not DATA.is_dir(), reason="the public series are not here")
def test_shipped_files_are_what_the_command_derives(tmp_path: Path) -> None:
    assert derive(DATA / FILE, tmp_path) == series_names()
    for name in series_names():
        with np.load(tmp_path / f"{name}.npz", allow_pickle=False) as stored:
            assert np.array_equal(stored["values"], load_series(name).values)
        record = (tmp_path / f"{name}.yaml").read_text(encoding="utf-8")
        assert record == (FOLDER / f"{name}.yaml").read_text(encoding="utf-8")
    whole = sum(len(load_series(name).values) for name in series_names())
    assert whole == 8 * 4032 + 2 + 5
