"""Reading YAML and numbers: what is taken, and what is refused by name."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from tiergym.errors import InvalidInput
from tiergym.fields import flag, integer, mapping, number, read_yaml, sequence


def test_yaml_takes_numbers_as_people_write_them(tmp_path: Path):
    (tmp_path / "f.yaml").write_text("[1e9, 12.0e9, 2e-3, .5, -.inf, .nan, 7, '1e9', 1e, e9]")
    found = sequence("f", read_yaml(tmp_path / "f.yaml"))
    assert found[:5] == [1e9, 12e9, 2e-3, 0.5, -math.inf]
    assert isinstance(found[5], float)
    assert math.isnan(found[5])
    assert found[6:] == [7, "1e9", "1e", "e9"]


def test_a_key_given_twice_is_refused_with_its_line(tmp_path: Path):
    (tmp_path / "f.yaml").write_text("a: 1\nb:\n  c: 1\n  c: 2\n")
    with pytest.raises(InvalidInput, match=r"f\.yaml\), line 4: got 'c'"):
        read_yaml(tmp_path / "f.yaml")


@pytest.mark.parametrize("value", [3, 3.0, np.int64(3), np.float32(3), np.array(3)])
def test_numbers_of_any_kind_become_floats(value: object):
    found = number("f", value)
    assert found == 3.0
    assert type(found) is float


@pytest.mark.parametrize("value", ["3", True, None, [3], np.array([3]), math.nan, math.inf, 4, 0])
def test_what_is_no_number_in_the_range_is_refused(value: object):
    with pytest.raises(InvalidInput, match=r"f: got .* allowed: seconds > 0 <= 3\.5, finite"):
        number("f", value, "seconds", above=0.0, high=3.5)


def test_integers_have_no_fraction():
    assert integer("f", 4.0) == 4
    with pytest.raises(InvalidInput, match="a whole number"):
        integer("f", 4.5)
    with pytest.raises(InvalidInput, match=r"allowed: a whole number$"):
        integer("f", 4.5)
    with pytest.raises(InvalidInput, match=">= 1"):
        integer("f", 0, low=1)


def test_mappings_sequences_and_flags():
    assert mapping("f", {1: 2}) == {"1": 2}
    assert sequence("f", np.array([1, 2])) == [1, 2]
    assert sequence("f", (1, 2)) == [1, 2]
    for wrong in ("ab", 3, None, {"a": 1}):
        with pytest.raises(InvalidInput):
            sequence("f", wrong)
    with pytest.raises(InvalidInput, match="did you mean 'rate'"):
        mapping("f", {"rat": 1}, ["rate", "load"])
    with pytest.raises(InvalidInput, match="true or false"):
        flag("f", 1)
