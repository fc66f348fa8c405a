"""Batch laws: tables from points, hinges, lines and single values."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiergym.devices import BatchLaw
from tiergym.errors import InvalidInput


def table(value: object, batch_max: int) -> list[float]:
    return BatchLaw.parse("law", value).table(batch_max).tolist()


def test_points_are_joined_linearly():
    assert table({"points": [[1, 2.0], [3, 6.0], [4, 5.0]]}, 4) == [2.0, 4.0, 6.0, 5.0]


def test_hinge_line_and_single():
    assert table({"hinge": {"floor": 3.0, "d": 1.0, "k": 1.0}}, 4) == [3.0, 3.0, 4.0, 5.0]
    assert table({"line": {"a": 1.0, "k": 0.5}}, 3) == [1.5, 2.0, 2.5]
    assert table({"single": 2.0}, 3) == [2.0, 4.0, 6.0]
    assert table(2, 3) == [2.0, 4.0, 6.0]


def test_only_a_single_value_is_assumed():
    assert BatchLaw.parse("law", 0.1).assumed
    assert not BatchLaw.parse("law", {"points": [[1, 0.1]]}).assumed
    assert not BatchLaw.parse("law", {"line": {"a": 1, "k": 1}}).assumed


@given(
    st.lists(st.integers(2, 300), min_size=0, max_size=20, unique=True),
    st.randoms(use_true_random=False),
)
def test_measured_points_are_exact_and_others_lie_between(sizes: list[int], random: object):
    batches = [1, *sorted(sizes)]
    seconds = [random.uniform(1e-4, 1.0) for _ in batches]  # type: ignore[attr-defined]
    law = BatchLaw.parse("law", {"points": [list(p) for p in zip(batches, seconds, strict=True)]})
    values = law.table(batches[-1])
    assert values[np.array(batches) - 1].tolist() == seconds
    for k in range(len(batches) - 1):
        inner = values[batches[k] : batches[k + 1] - 1]
        low, high = sorted(seconds[k : k + 2])
        assert ((inner >= low - 1e-15) & (inner <= high + 1e-15)).all()


def test_nothing_is_known_past_the_last_point():
    law = BatchLaw.parse("devices.x.networks.y", {"points": [[1, 1.0], [8, 2.0]]})
    assert law.known == 8
    with pytest.raises(InvalidInput, match="1 to 8") as caught:
        law.table(9)
    assert caught.value.field == "devices.x.networks.y"
    assert caught.value.given == "batch_max 9"


@pytest.mark.parametrize(
    ("value", "field", "allowed"),
    [
        ("fast", "law", "points"),
        (None, "law", "points"),
        (True, "law", "seconds"),
        (-1.0, "law", ">= 0"),
        (float("inf"), "law", "finite"),
        ({}, "law", "points"),
        ({"point": []}, "law.point", "did you mean 'points'"),
        ({"single": 1, "line": {"a": 1, "k": 1}}, "law", "points"),
        ({"points": []}, "law.points", "batch of 1"),
        ({"points": 3}, "law.points", "a list"),
        ({"points": [[2, 1.0]]}, "law.points", "batch of 1"),
        ({"points": [[1, 1.0], [1, 2.0]]}, "law.points[1][0]", "above 1"),
        ({"points": [[1, 1.0], [2.5, 2.0]]}, "law.points[1][0]", "whole number"),
        ({"points": [[1, 1.0, 2.0]]}, "law.points[0]", "[batch, seconds]"),
        ({"points": [[1, "x"]]}, "law.points[0][1]", "seconds"),
        ({"points": [[0, 1.0]]}, "law.points[0][0]", ">= 1"),
        ({"hinge": {"floor": 1, "d": 1}}, "law.hinge.k", "floor, d, k"),
        ({"line": {"a": 1, "k": 1, "c": 1}}, "law.line.c", "one of a, k"),
        ({"single": "x"}, "law.single", "seconds"),
    ],
)
def test_wrong_laws_are_named(value: object, field: str, allowed: str):
    with pytest.raises(InvalidInput) as caught:
        BatchLaw.parse("law", value)
    assert caught.value.field == field
    assert allowed in caught.value.allowed


def test_a_line_that_falls_below_zero_is_refused():
    law = BatchLaw.parse("law", {"line": {"a": 1.0, "k": -0.4}})
    assert law.table(2)[1] == pytest.approx(0.2)
    with pytest.raises(InvalidInput, match="at batch 3"):
        law.table(3)
