"""Bandwidth from a trace: replay, loops, random starts, splices and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiergym.errors import InvalidInput
from tiergym.links import BandwidthProcess, parse_bandwidth

ROWS = [[10, 5], [11, 0], [13, 7], [14, 2]]


def trace(**options: object) -> BandwidthProcess:
    return parse_bandwidth("bandwidth", {"trace": ROWS, "random_start": False, **options})


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_times_count_from_the_first_row_and_the_trace_repeats():
    start, bits = trace().draw(rng(), 9.0)
    assert start.tolist() == [0.0, 1.0, 3.0, 4.0, 5.0, 6.0, 8.0]
    assert (bits / 1e6).tolist() == [5.0, 0.0, 7.0, 2.0, 5.0, 0.0, 7.0]


def test_the_last_piece_may_last_for_ever():
    start, bits = trace().draw(rng(), 7.0)
    assert start[-1] == 8.0
    assert bits[-1] == 7e6


def test_without_a_loop_the_last_value_stays():
    start, bits = trace(loop=False).draw(rng(), 100.0)
    assert start.tolist() == [0.0, 1.0, 3.0, 4.0]
    assert bits[-1] == 2e6


def test_the_mean_weighs_pieces_by_their_length():
    assert trace().mean() == pytest.approx((1 * 5 + 2 * 0 + 1 * 7 + 1 * 2) / 5 * 1e6)


def test_a_random_start_is_uniform_over_the_trace():
    values = [trace(random_start=True).draw(rng(seed), 1.0)[1][0] / 1e6 for seed in range(2000)]
    for value, share in ((5, 0.2), (0, 0.4), (7, 0.2), (2, 0.2)):
        error = (share * (1 - share) / 2000) ** 0.5
        assert abs(np.mean(np.array(values) == value) - share) < 4 * error


@given(st.integers(0, 10**6), st.floats(0.0, 30.0), st.floats(0.0, 40.0), st.booleans())
def test_pieces_are_always_legal(seed: int, now: float, horizon: float, loop: bool):
    process = trace(random_start=True, loop=loop)
    start, bits = process.draw(rng(seed), horizon)
    again, redrawn = process.redraw(rng(seed + 1), start, bits, now, horizon)
    for times, values in ((start, bits), (again, redrawn)):
        assert times[0] == 0.0
        assert (np.diff(times) > 0.0).all()
        assert (values >= 0.0).all()
        assert values[-1] > 0.0
    kept = int((start <= now).sum())
    assert (again[:kept] == start[:kept]).all()
    assert (redrawn[:kept] == bits[:kept]).all()
    assert (again[kept:] > now).all()


def test_a_splice_goes_on_from_a_like_moment():
    rows = [[k, 1 + k] for k in range(100)]
    process = parse_bandwidth("b", {"trace": rows})
    past_start, past = np.array([0.0]), np.array([50e6])
    nearest = [process.redraw(rng(s), past_start, past, 0.5, 9.0)[1][1] for s in range(50)]
    assert np.median(np.abs(np.array(nearest) / 1e6 - 51)) < 10
    assert len(set(nearest)) > 10


def test_a_redraw_does_not_look_at_the_future():
    start, bits = trace().draw(rng(), 20.0)
    kept = int((start <= 8.0).sum())
    whole = trace().redraw(rng(1), start, bits, 8.0, 20.0)
    past = trace().redraw(rng(1), start[:kept], bits[:kept], 8.0, 20.0)
    assert (whole[0] == past[0]).all()
    assert (whole[1] == past[1]).all()


@pytest.mark.parametrize("head", ["", "seconds,mbps\n"])
def test_a_file_with_or_without_a_header(tmp_path: Path, head: str):
    (tmp_path / "t.csv").write_text(head + "".join(f"{s},{m}\n" for s, m in ROWS))
    process = parse_bandwidth("b", {"trace": "t.csv", "random_start": False}, tmp_path)
    for found, expected in zip(process.draw(rng(), 9.0), trace().draw(rng(), 9.0), strict=True):
        assert (found == expected).all()


@pytest.mark.parametrize(
    ("rows", "field", "allowed"),
    [
        ([], "b.trace", "at least one row"),
        ([[0, 1], [0, 2]], "b.trace, row 2", "above 0"),
        ([[1, 1], [0, 2]], "b.trace, row 2", "above 1"),
        ([[0, -1]], "b.trace, row 1", ">= 0"),
        ([[0, float("nan")]], "b.trace, row 1", "Mbit/s"),
        ([[-1, 1]], "b.trace, row 1", "seconds"),
        ([[0, 1, 2]], "b.trace, row 1", "[seconds, Mbit/s]"),
        ([3], "b.trace, row 1", "[seconds, Mbit/s]"),
        ([[0, 0], [1, 0]], "b.trace", "> 0 in some row"),
        (7, "b.trace", "a list"),
    ],
)
def test_wrong_rows_are_named(rows: object, field: str, allowed: str):
    with pytest.raises(InvalidInput) as caught:
        parse_bandwidth("b", {"trace": rows})
    assert caught.value.field == field
    assert allowed in caught.value.allowed


def test_a_trace_that_ends_in_nothing_must_loop():
    rows = [[0, 1], [1, 0]]
    parse_bandwidth("b", {"trace": rows})
    with pytest.raises(InvalidInput, match="lasts for ever"):
        parse_bandwidth("b", {"trace": rows, "loop": False})


def test_wrong_files_and_options_are_named(tmp_path: Path):
    with pytest.raises(InvalidInput, match=r"absent\.csv"):
        parse_bandwidth("b", {"trace": str(tmp_path / "absent.csv")})
    (tmp_path / "bad.csv").write_text("0,1\n1,fast\n")
    with pytest.raises(InvalidInput, match=r"bad\.csv\), row 2: got 'fast'"):
        parse_bandwidth("b", {"trace": "bad.csv"}, tmp_path)
    with pytest.raises(InvalidInput, match="did you mean 'loop'"):
        parse_bandwidth("b", {"trace": ROWS, "lop": True})
    with pytest.raises(InvalidInput, match="true or false"):
        parse_bandwidth("b", {"trace": ROWS, "loop": "yes"})
