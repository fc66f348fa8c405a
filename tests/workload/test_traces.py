"""Recorded traces: reading them, scaling them, replaying them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tiergym.errors import InvalidInput
from tiergym.workload import Replay, load_trace, parse_arrivals, trace_names

TIMES = [0.5, 0.6, 0.6, 3.0, 3.1, 7.0]


def test_list_array_and_files_agree(tmp_path: Path) -> None:
    plain, header, dated = (tmp_path / name for name in ("a.csv", "b.csv", "c.csv"))
    plain.write_text("\n".join(str(t) for t in TIMES))
    header.write_text("seconds,other\n" + "\n".join(f"{t},x" for t in TIMES) + "\n\n")
    rows = "\n".join(f"4,2023-11-16 23:59:5{t + 1:.7f}" for t in TIMES[:5])
    dated.write_text(f"Tokens,TIMESTAMP\n{rows}\n")
    for given in (TIMES, np.array(TIMES), plain, str(header)):
        trace = load_trace(given)
        assert trace.times.tolist() == TIMES
        assert trace.period == pytest.approx(6.5 * 6 / 5)
    assert np.allclose(load_trace(dated).times, np.array(TIMES[:5]) - 0.5)


@pytest.mark.parametrize("title", ["TIMESTAMP", "timestamp", "Time", "arrival", " Seconds "])
def test_one_of_several_columns_is_named(tmp_path: Path, title: str) -> None:
    path = tmp_path / "a.csv"
    path.write_text(f"user,{title},size\n" + "\n".join(f"{9 - t},{t},7" for t in TIMES))
    assert load_trace(path).times.tolist() == TIMES


@pytest.mark.parametrize(
    ("text", "given"),
    [
        ("id,start\n1,0.5\n2,0.7\n", "columns id, start"),
        ("1,0.5\n2,0.7\n", "columns 1, 0.5"),
        ("start\n1,0.5\n2,0.7\n", "columns start"),
        ("time,seconds\n1,0.5\n2,0.7\n", "columns time, seconds"),
        ("times,value\n1,0.5\n2,0.7\n", "columns times, value"),
    ],
)
def test_several_columns_are_not_guessed_among(tmp_path: Path, text: str, given: str) -> None:
    path = tmp_path / "several.csv"
    path.write_text(text)
    with pytest.raises(InvalidInput, match="exactly one named timestamp, time") as caught:
        load_trace(path)
    assert "several.csv" in caught.value.field
    assert caught.value.given == given


def test_shipped_traces() -> None:
    assert trace_names() == ["azure-code-a", "azure-code-b", "azure-conv-a", "azure-conv-b"]
    code = [load_trace(f"azure-code-{half}") for half in "ab"]
    conv = [load_trace(f"azure-conv-{half}") for half in "ab"]
    assert sum(len(t.times) for t in code) == 8819
    assert sum(len(t.times) for t in conv) == 19366
    for trace in code + conv:
        assert trace.times[0] >= 0.0
        assert trace.times[-1] <= trace.period
        assert (np.diff(trace.times) >= 0).all()
    for trace in code:
        gaps = np.diff(trace.times)
        assert gaps.std() / gaps.mean() > 12
    for trace in conv:
        gaps = np.diff(trace.times)
        assert 1.0 < gaps.std() / gaps.mean() < 1.2


def test_scaling_is_one_factor_for_all_segments() -> None:
    trace = load_trace("azure-code-a")
    replay = Replay(trace)
    factor = 0.01
    for start in (0.0, 400.0, 900.0, 1600.0):
        scaled = replay.stretch(start, factor, 100.0 * factor)
        around = np.concatenate((trace.times, trace.times + trace.period))
        segment = around[(around >= start) & (around < start + 100.0)] - start
        assert np.allclose(scaled, segment * factor, atol=1e-9)


def test_a_stretch_goes_round() -> None:
    replay = Replay(load_trace(TIMES))
    period = replay.trace.period
    times = replay.stretch(6.9, 2.0, 2.0 * 2.5 * period)
    gaps = np.diff(times) / 2.0
    around = 0.5 + period - 7.0
    expected = [around, 0.1, 0.0, 2.4, 0.1, 3.9] * 3
    assert len(times) == 16
    assert times[0] == pytest.approx(0.2)
    assert np.allclose(gaps, expected[: len(gaps)])


def test_random_start_is_uniform_over_the_trace() -> None:
    replay = Replay(load_trace(TIMES))
    np_random = np.random.default_rng(0)
    first = [replay.draw(np_random, replay.own_rate, 7.8)[0] for _ in range(3000)]
    lengths = np.array([0.1, 0.0, 2.4, 0.1, 3.9, 1.3])
    mean = float((lengths**2).sum() / 2.0 / lengths.sum())
    assert np.mean(first) == pytest.approx(mean, abs=4.0 * np.std(first) / 3000**0.5)


def test_exact_replay() -> None:
    for extra in ({}, {"scale": False}):
        arrivals = parse_arrivals("arrivals", {"process": "trace", "trace": TIMES, **extra})
        times = arrivals.process.draw(np.random.default_rng(0), arrivals.tasks_per_second(9.0), 8.0)
        assert times.tolist() == TIMES
        assert arrivals.process.draw(np.random.default_rng(0), 1.0, 1.0)[0] != 0.5


def test_redraw_follows_what_is_alike() -> None:
    """A trace of two halves, 1 and 10 arrivals a second: the past tells which one it is."""
    slow, fast = np.arange(0.0, 100.0, 1.0), np.arange(100.0, 200.0, 0.1)
    replay = Replay(load_trace(np.concatenate((slow, fast))))
    np_random = np.random.default_rng(1)
    busy = np.arange(0.0, 20.0, 0.1)
    after_busy = [len(replay.redraw(np_random, busy, 20.0, 5.5, 24.0)) for _ in range(50)]
    after_calm = [len(replay.redraw(np_random, busy[::10], 20.0, 5.5, 24.0)) for _ in range(50)]
    assert np.mean(after_busy) > 30.0
    assert np.mean(after_calm) < 10.0


@pytest.mark.parametrize(
    ("text", "inside"),
    [
        ("1.0\n0.5\n2\n", "row 2"),
        ("t\n1.0\n-1\n", "row 3"),
        ("1.0\nnan\n", "row 2"),
        ("1.0\n\nfast\n", "row 3"),
        ("", "bad.csv"),
        ("5\n", "bad.csv"),
        ("5\n5\n", "bad.csv"),
    ],
)
def test_wrong_files(tmp_path: Path, text: str, inside: str) -> None:
    path = tmp_path / "bad.csv"
    path.write_text(text)
    with pytest.raises(InvalidInput, match=inside):
        load_trace(path)


@pytest.mark.parametrize(
    ("given", "inside"),
    [
        ([1.0, 0.5], r"trace\[1\]"),
        ([0.0, -1.0], r"trace\[1\]"),
        ([0.0, float("nan")], r"trace\[1\]"),
        ([0.0, "1 s"], r"trace\[1\]"),
        ([], "two arrival times"),
        ("azure-cod-a", "did you mean 'azure-code-a'"),
        ("nowhere.csv", "nowhere.csv"),
        (3.0, "list of times"),
    ],
)
def test_wrong_values(given: object, inside: str) -> None:
    with pytest.raises(InvalidInput, match=inside):
        load_trace(given)
