"""Link profiles: names, mappings, overrides and what is refused."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from tiergym.errors import InvalidInput
from tiergym.links import ConstantBandwidth, link_names, load_link, parse_bandwidth


def test_a_mapping_needs_bandwidth_only():
    link = load_link({"bandwidth": 20}, name="wire")
    assert (link.name, link.rtt, link.per_package) == ("wire", 0.0, 0.0)
    assert link.bandwidth == ConstantBandwidth(20e6)
    assert (link.base_watts, link.watts_per_mbps) == (None, None)
    assert load_link(link) is link


def test_a_constant_draws_one_piece_and_keeps_the_past():
    constant = parse_bandwidth("b", {"constant": math.inf})
    start, bits = constant.draw(np.random.default_rng(0), 10.0)
    assert (start.tolist(), bits.tolist()) == ([0.0], [math.inf])
    assert constant.mean() == math.inf
    past = (np.array([0.0, 2.0, 5.0]), np.array([1.0, 2.0, 3.0]))
    start, bits = constant.redraw(np.random.default_rng(0), *past, 2.0, 10.0)
    assert (start.tolist(), bits.tolist()) == ([0.0, 2.0], [1.0, 2.0])


def test_a_profile_can_be_overridden():
    link = load_link({"profile": "lte", "rtt": 0.05, "bandwidth": {"constant": 10}})
    lte = load_link("lte")
    assert (link.name, link.rtt, link.per_package) == ("lte", 0.05, lte.per_package)
    assert link.bandwidth.mean() == 10e6
    assert link.base_watts == lte.base_watts
    assert link.source["overridden"] == ["bandwidth", "rtt"]
    assert load_link({"profile": "lte", "source": "mine"}).source == {"from": "mine"}


def test_a_users_file(tmp_path: Path):
    (tmp_path / "wifi.yaml").write_text("rtt: 5e-3\nbandwidth: {trace: w.csv}\n")
    (tmp_path / "w.csv").write_text("0,50\n1,60\n")
    link = load_link(str(tmp_path / "wifi.yaml"))
    assert (link.name, link.rtt) == ("wifi", 0.005)
    assert link.bandwidth.mean() == pytest.approx(55e6)


@pytest.mark.parametrize(
    ("change", "field", "allowed"),
    [
        ({"bandwidth": None}, "link.bandwidth", "ar1"),
        ({"bandwidth": "fast"}, "link.bandwidth", "ar1"),
        ({"bandwidth": {"ar2": {}}}, "link.bandwidth", "ar1"),
        ({"bandwidth": {"constant": 1, "ar1": {}}}, "link.bandwidth", "ar1"),
        ({"bandwidth": 0}, "link.bandwidth", "> 0"),
        ({"bandwidth": {"constant": "x"}}, "link.bandwidth.constant", "Mbit/s"),
        ({"bandwidth": {"ar1": {}}}, "link.bandwidth.ar1.median", "Mbit/s"),
        ({"bandwidth": {"ar1": {"median": 0}}}, "link.bandwidth.ar1.median", "> 0"),
        ({"bandwidth": {"ar1": {"median": 1, "rho": 1}}}, "link.bandwidth.ar1.rho", "< 1"),
        ({"bandwidth": {"ar1": {"median": 1, "rho": -0.1}}}, "link.bandwidth.ar1.rho", ">= 0"),
        ({"bandwidth": {"ar1": {"median": 1, "sigma": -1}}}, "link.bandwidth.ar1.sigma", ">= 0"),
        ({"bandwidth": {"ar1": {"median": 1, "step": 0}}}, "link.bandwidth.ar1.step", "> 0"),
        ({"bandwidth": {"ar1": {"median": 1, "low": 2}}}, "link.bandwidth.ar1.low", "median, 1"),
        ({"bandwidth": {"ar1": {"median": 1, "high": 0.5}}}, "link.bandwidth.ar1.high", ">= 1"),
        ({"bandwidth": {"ar1": {"median": 1, "sd": 1}}}, "link.bandwidth.ar1.sd", "sigma"),
        ({"rtt": -1}, "link.rtt", "seconds >= 0"),
        ({"rtt": math.inf}, "link.rtt", "finite"),
        ({"per_package": "4 ms"}, "link.per_package", "seconds"),
        ({"base_watts": -1}, "link.base_watts", ">= 0"),
        ({"profile": "lt"}, "link.profile", "did you mean 'lte'"),
        ({"bandwith": 1}, "link.bandwith", "did you mean 'bandwidth'"),
    ],
)
def test_wrong_fields_are_named(change: dict[str, object], field: str, allowed: str):
    with pytest.raises(InvalidInput) as caught:
        load_link({"bandwidth": 10, **change})
    assert caught.value.field == field
    assert allowed in caught.value.allowed


def test_missing_bandwidth_and_unknown_names():
    with pytest.raises(InvalidInput, match=r"link\.bandwidth"):
        load_link({"rtt": 0.1})
    with pytest.raises(InvalidInput, match="5g-sa-low"):
        load_link("6g")


@pytest.mark.parametrize("name", link_names())
def test_shipped_links_can_be_drawn_and_say_where_they_come_from(name: str):
    link = load_link(name)
    start, bits = link.bandwidth.draw(np.random.default_rng(0), 100.0)
    assert start[0] == 0.0
    assert (bits > 0).all()
    assert {"kind"} <= set(link.source)
    if name != "ideal":
        assert {"bandwidth", "rtt", "assumed", "watts"} <= set(link.source)
