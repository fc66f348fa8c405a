"""Reading an arrival process, and what tasks ask for."""

from __future__ import annotations

import numpy as np
import pytest

from tiergym.errors import InvalidInput
from tiergym.workload import deadlines, draw_networks, draw_samples, parse_arrivals


def test_rate_and_load() -> None:
    assert parse_arrivals("a", {"process": "poisson", "rate": 3}).tasks_per_second(7.0) == 3.0
    assert parse_arrivals("a", {"process": "poisson", "load": 0.5}).tasks_per_second(8.0) == 4.0
    assert parse_arrivals("a", {"trace": [0, 1, 2, 3]}).tasks_per_second(8.0) == 1.0


@pytest.mark.parametrize(
    ("given", "field", "inside"),
    [
        ({"process": "poison", "rate": 1}, "a.process", "did you mean 'poisson'"),
        ({"process": "poisson"}, "a.rate", "load of total capacity"),
        ({"process": "poisson", "rate": -1}, "a.rate", "> 0"),
        ({"process": "poisson", "rate": "5/s"}, "a.rate", "'5/s'"),
        ({"process": "poisson", "rate": float("inf")}, "a.rate", "finite"),
        ({"process": "poisson", "rate": True}, "a.rate", "True"),
        ({"process": "poisson", "rate": 1, "load": 1}, "a.load", "only one"),
        ({"process": "poisson", "rate": 1, "dwel": [1]}, "a.dwel", "one of"),
        ({"process": "mmpp", "rate": 1, "rates": [1], "dwell": [1]}, "a.rates", "two or more"),
        ({"process": "mmpp", "rate": 1, "rates": [0, 0], "dwell": [1, 1]}, "a.rates", "above zero"),
        ({"process": "mmpp", "rate": 1, "rates": [1, 2], "dwell": [1]}, "a.dwell", "one per state"),
        ({"process": "mmpp", "rate": 1, "rates": [1, -2], "dwell": [1, 1]}, "a.rates[1]", ">= 0"),
        ({"process": "mmpp", "rate": 1, "rates": [1, 2], "dwell": [1, 0]}, "a.dwell[1]", "> 0"),
        ({"process": "trace", "rate": 1}, "a.trace", "name"),
        ({"process": "trace", "trace": [0, 1], "rate": 1, "scale": False}, "a.scale", "without"),
    ],
)
def test_refused(given: dict[str, object], field: str, inside: str) -> None:
    with pytest.raises(InvalidInput, match=inside.replace("(", r"\(")) as caught:
        parse_arrivals("a", given)
    assert caught.value.field == field


def test_networks_follow_popularity() -> None:
    shares = np.array([0.4, 0.3, 0.0, 0.3])
    network = draw_networks(np.random.default_rng(0), shares, 40_000)
    counts = np.bincount(network, minlength=4) / 40_000
    assert network.dtype == np.int64
    assert counts[2] == 0.0
    assert np.allclose(counts, shares, atol=4.0 * 0.5 / 200)


def test_samples_are_rows_of_the_network() -> None:
    network = np.repeat(np.arange(3), 3000)
    sample = draw_samples(np.random.default_rng(0), network, np.array([1, 5, 3]))
    assert sample.dtype == np.int64
    for m, rows in enumerate((1, 5, 3)):
        counts = np.bincount(sample[network == m], minlength=rows)
        assert len(counts) == rows
        assert np.allclose(counts / 3000.0, 1.0 / rows, atol=0.04)


def test_deadlines() -> None:
    arrival, network = np.array([1.0, 2.0]), np.array([1, 0])
    assert deadlines(arrival, network, np.array([0.5, np.inf])).tolist() == [np.inf, 2.5]
