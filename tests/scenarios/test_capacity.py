"""Capacities by hand."""

from __future__ import annotations

import pytest

from tests.scenarios.examples import PLAIN, THREE_TIERS, example
from tiergym.errors import InvalidInput
from tiergym.scenarios import load_scenario

EACH = 0.7 * 0.004 + 0.3 * 0.005
"""Seconds a task in the best batch: 4 ms at any batch, and 40 ms over 8."""
BITS = (0.7 * 20_000 + 0.3 * 40_000) * 8.0


def test_definition_of_total_capacity() -> None:
    capacity = load_scenario(PLAIN).capacity
    assert capacity.unbatched == pytest.approx(1.0 / (0.7 * 0.004 + 0.3 * 0.01))
    assert capacity.local == pytest.approx(1.0 / EACH)
    assert capacity.uplink == pytest.approx(30e6 / BITS)
    assert capacity.upper == pytest.approx(2.0 / (0.7 * 0.001 + 0.3 * 0.002))
    assert capacity.total == pytest.approx(capacity.local + capacity.uplink)


def test_the_smaller_of_uplink_and_upper() -> None:
    slow = {"networks": {"small": 0.1, "large": 0.1}}
    capacity = load_scenario(example(nodes__upper__profile=slow)).capacity
    assert capacity.upper == pytest.approx(20.0)
    assert capacity.total == pytest.approx(1.0 / EACH + 20.0)


def test_infinite_bandwidth() -> None:
    capacity = load_scenario(example(links__uplink__bandwidth={"constant": float("inf")})).capacity
    assert capacity.total == pytest.approx(1.0 / EACH + capacity.upper)


@pytest.mark.parametrize(("packing", "packages"), [(True, 0.26), (False, 1.0)])
def test_time_per_package(packing: bool, packages: float) -> None:
    """26 000 bytes a task on average, 100 000 a package."""
    changes = {
        "links__uplink__per_package": 0.01,
        "links__uplink__package_max": 100_000,
        "links__uplink__packing": packing,
    }
    capacity = load_scenario(example(**changes)).capacity
    assert capacity.uplink == pytest.approx(1.0 / (BITS / 30e6 + packages * 0.01))


def test_executors_multiply() -> None:
    capacity = load_scenario(example(nodes__device__executors=3)).capacity
    assert capacity.local == pytest.approx(3.0 / EACH)


def test_load_is_relative_to_total() -> None:
    given = example(arrivals={"process": "poisson", "load": 0.8}, window=..., tasks=500)
    scenario = load_scenario(given)
    assert scenario.rate == pytest.approx(0.8 * scenario.capacity.total)
    assert scenario.load == pytest.approx(0.8)
    assert scenario.rate * scenario.window == pytest.approx(500.0)


def test_background_takes_its_share() -> None:
    entry = {"node": "device", "network": "small", "process": "poisson", "rate": 50.0}
    capacity = load_scenario(example(background=[entry])).capacity
    assert capacity.local == pytest.approx((1.0 - 50.0 * 0.004) / EACH)
    full = {**entry, "rate": 250.0}
    with pytest.raises(InvalidInput, match=r"background\[0\]"):
        load_scenario(example(background=[full]))


def test_exits_thin_the_flow() -> None:
    """A third leaves at the phone, a third at the edge, a third at the cloud."""
    capacity = load_scenario(THREE_TIERS).capacity
    phone, edge_next, edge_raw, cloud = 0.011, 0.506, 0.507, 0.3
    assert capacity.local == pytest.approx(1.0 / phone)
    assert capacity.uplink == pytest.approx(8e6 / 8000.0)
    # raw inputs: the edge lets one in three through to the cloud, which is quicker
    assert capacity.upper == pytest.approx(1.0 / edge_raw)
    # the edge takes two thirds of what the phone ran; all of the phone's work beats raw input
    assert capacity.total == pytest.approx(1.0 / (edge_next * 2.0 / 3.0))
    assert capacity.total < 1.0 / (cloud / 3.0)


def test_a_network_that_cannot_go_up() -> None:
    """Only the small one can, and it is at most 0.7 of all tasks."""
    upper = {"networks": {"small": 0.00001}}
    changes = {"nodes__upper__profile": upper, "links__uplink__bandwidth": 1e6}
    capacity = load_scenario(example(**changes)).capacity
    # y tasks/s here in the usual mix and at most 0.7 (y + z) up
    assert capacity.total == pytest.approx(1.0 / EACH / 0.3)


def test_an_ample_upper_tier_bounds_nothing() -> None:
    scenario = load_scenario(example(links=..., nodes__upper=...))
    assert scenario.capacity.upper == 0.0
    assert scenario.summary().count("tasks/s") == 2
