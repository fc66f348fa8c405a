"""Drawing and redrawing instances, and instances by hand."""

from __future__ import annotations

import copy
import pickle
from dataclasses import replace

import numpy as np
import pytest

from tests.scenarios.examples import PLAIN, THREE_TIERS, example
from tiergym.errors import InvalidInput
from tiergym.scenarios import Instance, Scenario, check_instance, load_scenario
from tiergym.scenarios.draw import draw_jitter
from tiergym.workload import Poisson

BACKGROUND = {"node": "upper", "network": "large", "process": "poisson", "rate": 20}
VARIED = example(
    nodes__device__profile__jitter_cv=0.5,
    links__uplink__bandwidth={"ar1": {"median": 30, "sigma": 0.5}},
    background=[BACKGROUND],
)
AZURE = {"process": "trace", "trace": "azure-conv-a", "rate": 50}
MMPP = {"process": "mmpp", "rates": [1, 5], "dwell": [1, 1], "rate": 50}
CASES = {
    "plain": PLAIN,
    "varied": VARIED,
    "three": THREE_TIERS,
    "trace": example(VARIED, arrivals=AZURE),
    "mmpp": example(VARIED, arrivals=MMPP),
}


@pytest.fixture(params=CASES)
def scenario(request: pytest.FixtureRequest) -> Scenario:
    return load_scenario(CASES[request.param])


def test_a_draw_is_a_pure_function_of_the_generator(scenario: Scenario) -> None:
    for seed in range(5):
        first = scenario.draw(np.random.default_rng(seed))
        check_instance(scenario.system, first)
        assert first.digest() == scenario.draw(np.random.default_rng(seed)).digest()
    assert first.digest() != scenario.draw(np.random.default_rng(99)).digest()


def test_copies_draw_the_same(scenario: Scenario) -> None:
    digest = scenario.draw(np.random.default_rng(3)).digest()
    again = load_scenario(scenario.config)
    for other in (pickle.loads(pickle.dumps(scenario)), copy.deepcopy(scenario), again):
        assert other.draw(np.random.default_rng(3)).digest() == digest
        assert other.digest() == scenario.digest()


def test_dtypes(scenario: Scenario) -> None:
    instance = scenario.draw(np.random.default_rng(0))
    for name in ("arrival", "deadline", "jitter", "piece_start", "piece_bandwidth"):
        assert getattr(instance, name).dtype == np.float64
    for name in ("origin", "network", "sample", "piece_offset"):
        assert getattr(instance, name).dtype == np.int64
    assert instance.charged.dtype == np.bool_
    assert instance.window == scenario.window


def test_deadline_and_mix() -> None:
    instance = load_scenario(PLAIN).draw(np.random.default_rng(0))
    small = instance.network == 0
    assert np.allclose(instance.deadline[small], instance.arrival[small] + 0.1)
    assert np.isinf(instance.deadline[~small]).all()
    assert abs(small.mean() - 0.7) < 4.0 * 0.46 / instance.tasks**0.5


def test_jitter_is_gamma_of_mean_one() -> None:
    jitter = draw_jitter(np.array([0.5, 0.0, 1.0]), 40_000, np.random.default_rng(0))
    assert jitter.shape == (3, 40_000)
    assert (jitter[1] == 1.0).all()
    for row, cv in ((0, 0.5), (2, 1.0)):
        assert jitter[row].mean() == pytest.approx(1.0, abs=4.0 * cv / 200.0)
        assert jitter[row].std() == pytest.approx(cv, rel=0.05)
    # a cv of one is the exponential distribution
    assert np.mean(jitter[2] > 2.0) == pytest.approx(np.exp(-2.0), abs=0.01)
    assert draw_jitter(np.zeros(2), 7, np.random.default_rng(0)).shape == (2, 1)


def test_samples_are_drawn_where_there_is_a_table() -> None:
    instance = load_scenario(THREE_TIERS).draw(np.random.default_rng(0))
    assert set(instance.sample.tolist()) == set(range(6))


def test_an_empty_draw_is_drawn_again() -> None:
    scenario = load_scenario(PLAIN)
    rare = replace(scenario.models.streams[0], rate=0.01)
    models = replace(scenario.models, streams=(rare,))
    rarely = replace(scenario, models=models)
    np_random = np.random.default_rng(0)
    assert all(rarely.draw(np_random).tasks >= 1 for _ in range(30))


def redrawn(scenario: Scenario, now: float) -> tuple[Instance, Instance, np.ndarray]:
    instance = scenario.draw(np.random.default_rng(0))
    fixed = instance.arrival <= now
    return instance, scenario.redraw(np.random.default_rng(1), instance, now, fixed), fixed


@pytest.mark.parametrize("share", [0.0, 0.4, 1.0, 1.5])
def test_redraw_keeps_the_past(scenario: Scenario, share: float) -> None:
    now = share * scenario.window
    old, new, fixed = redrawn(scenario, now)
    check_instance(scenario.system, new)
    kept = int(fixed.sum())
    for name in ("arrival", "origin", "network", "sample", "deadline", "charged"):
        assert np.array_equal(getattr(new, name)[:kept], getattr(old, name)[fixed])
    assert (new.arrival[kept:] >= now).all()
    if share < 1.0:
        assert new.tasks > kept
        assert not np.array_equal(new.arrival[kept:], old.arrival[kept:])
    else:
        assert new.tasks == kept
    for link in range(scenario.system.links):
        was, now_is = _pieces(old, link), _pieces(new, link)
        begun = int(np.sum(was[0] <= now))
        assert np.array_equal(was[0][:begun], now_is[0][:begun])
        assert np.array_equal(was[1][:begun], now_is[1][:begun])


def test_each_process_is_told_its_own_past() -> None:
    scenario = load_scenario(VARIED)
    told: list[np.ndarray] = []

    class Told(Poisson):
        def redraw(self, np_random, past, now, rate, window):  # type: ignore[no-untyped-def]
            told.append(past)
            return super().redraw(np_random, past, now, rate, window)

    streams = tuple(replace(stream, process=Told()) for stream in scenario.models.streams)
    scenario = replace(scenario, models=replace(scenario.models, streams=streams))
    instance, _, fixed = redrawn(scenario, 6.0)
    own = instance.charged
    assert np.array_equal(told[0], instance.arrival[fixed & own])
    assert np.array_equal(told[1], instance.arrival[fixed & ~own])
    assert len(told[0]) > 0
    assert len(told[1]) > 0


def test_redraw_is_a_pure_function(scenario: Scenario) -> None:
    instance, first, fixed = redrawn(scenario, 3.0)
    again = scenario.redraw(np.random.default_rng(1), instance, 3.0, fixed)
    assert first.digest() == again.digest()
    other = scenario.redraw(np.random.default_rng(2), instance, 3.0, fixed)
    assert first.digest() != other.digest()


def test_redraw_goes_on_from_the_bandwidth_in_force() -> None:
    links = {"links__uplink__bandwidth": {"ar1": {"median": 30, "sigma": 1.0, "rho": 0.999}}}
    scenario = load_scenario(example(**links))
    instance, new, _ = redrawn(scenario, 10.0)
    last = np.searchsorted(instance.piece_start, 10.0, side="right") - 1
    following = new.piece_bandwidth[last + 1]
    assert abs(np.log(following / instance.piece_bandwidth[last])) < 0.3


def _pieces(instance: Instance, link: int) -> tuple[np.ndarray, np.ndarray]:
    part = slice(*instance.piece_offset[link : link + 2])
    return instance.piece_start[part], instance.piece_bandwidth[part]


def test_by_hand() -> None:
    scenario = load_scenario(PLAIN)
    instance = scenario.instance([0.0, 0.5, 30.0], network=["small", "large", "small"])
    assert instance.network.tolist() == [0, 1, 0]
    assert instance.deadline.tolist() == [0.1, np.inf, 30.1]
    assert instance.window == 30.0
    assert instance.origin.tolist() == [0, 0, 0]
    assert instance.piece_bandwidth.tolist() == [30e6]
    assert instance.charged.all()
    pieces = [[0, 10], [1.5, 20]]
    other = scenario.instance(
        np.array([1.0]), network="large", deadline=3.0, bandwidth={"uplink": pieces}, window=9.0
    )
    assert other.piece_start.tolist() == [0.0, 1.5]
    assert other.piece_bandwidth.tolist() == [10e6, 20e6]
    assert other.deadline.tolist() == [3.0]


@pytest.mark.parametrize(
    ("changes", "inside"),
    [
        ({"arrival": [1.0, 0.5]}, r"arrival\[1\]"),
        ({"arrival": []}, "at least one task"),
        ({"arrival": [[1.0]]}, "one dimension"),
        ({"arrival": ["soon"]}, "list of seconds"),
        ({"network": "smal"}, "did you mean 'small'"),
        ({"network": [0, 0, 0]}, "one per task"),
        ({"network": 7}, "0 to 1"),
        ({"network": 0.5}, "network"),
        ({"sample": 1}, "0 to 0"),
        ({"deadline": [np.nan, 1.0]}, "deadline"),
        ({"bandwidth": {"downlink": 3}}, "uplink"),
        ({"bandwidth": {"uplink": "fast"}}, "Mbit/s"),
        ({"bandwidth": {"uplink": [[1.0, 3.0]]}}, "uplink"),
        ({"jitter": [[0.0], [1.0]]}, "multipliers > 0"),
        ({"jitter": "none"}, "jitter"),
        ({"window": "long"}, "window"),
        ({"charged": False}, "charged"),
    ],
)
def test_by_hand_refused(changes: dict[str, object], inside: str) -> None:
    arguments = {"arrival": [0.0, 1.0], **changes}
    with pytest.raises(InvalidInput, match=inside):
        load_scenario(PLAIN).instance(**arguments)  # type: ignore[arg-type]
