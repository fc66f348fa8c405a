"""Round trips by distance: the measured medians, what lies between, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from tiergym.errors import InvalidInput
from tiergym.links import load_link
from tiergym.links.round_trips import EDGES_KM, FIBRE, MEDIANS, radio_names, round_trip

CENTRES = [25.0, 275.0, 1000.0, 2250.0]


@pytest.mark.parametrize("radio", radio_names())
def test_medians_hold_at_the_centres_and_lines_join_them(radio: str) -> None:
    found = round_trip(radio, CENTRES)
    np.testing.assert_allclose(found, MEDIANS[radio], rtol=1e-15)
    for left, right in zip(range(3), range(1, 4), strict=True):
        middle = (CENTRES[left] + CENTRES[right]) / 2.0
        assert round_trip(radio, middle) == pytest.approx((found[left] + found[right]) / 2.0)


@pytest.mark.parametrize("radio", radio_names())
def test_within_a_city_only_fibre_makes_a_difference(radio: str) -> None:
    near, far = round_trip(radio, [0.0, 3.0])
    assert far - near == pytest.approx(3.0 * FIBRE)
    assert abs(near - MEDIANS[radio][0]) < 0.0003
    assert round_trip(radio, 3000.0) - MEDIANS[radio][3] == pytest.approx(750.0 * FIBRE)
    assert pytest.approx(2e3 / (2.0 / 3.0 * 299_792_458.0), rel=1e-3) == FIBRE


@pytest.mark.parametrize("radio", radio_names())
def test_the_nearest_median_is_the_shipped_links(radio: str) -> None:
    assert load_link(radio).rtt == MEDIANS[radio][0]


def test_shapes_are_kept() -> None:
    kilometres = np.arange(6.0).reshape(2, 3)
    found = round_trip("lte", kilometres)
    assert (found.shape, found.dtype) == ((2, 3), np.float64)
    assert round_trip("lte", 5).shape == ()
    assert found[1, 2] == round_trip("lte", 5)


def test_standalone_medians_are_not_monotone_and_stay_so() -> None:
    first, second, third, last = round_trip("5g-sa-low", CENTRES)
    assert first > second > third < last


def test_what_was_not_measured_is_refused() -> None:
    with pytest.raises(InvalidInput, match="did you mean '5g-sa-low'"):
        round_trip("5g-sa", 1.0)
    for wrong in (-1.0, float("nan"), EDGES_KM[-1] + 1.0, [1.0, -2.0]):
        with pytest.raises(InvalidInput, match="0 to 3000 km"):
            round_trip("lte", wrong)


def test_the_metro_backhaul_is_the_difference_of_two_medians() -> None:
    backhaul = load_link("backhaul-metro")
    assert backhaul.rtt == pytest.approx(MEDIANS["lte"][1] - MEDIANS["lte"][0])
    assert backhaul.bandwidth.mean() == 1e9


def test_the_deciles_of_wifi_are_those_assumed() -> None:
    link = load_link("wifi-802.11ac")
    _, bits = link.bandwidth.draw(np.random.default_rng(0), 200_000.0)
    tenth, median, ninetieth = np.percentile(bits / 1e6, [10, 50, 90])
    assert tenth == pytest.approx(50.0, rel=0.05)
    assert median == pytest.approx((50.0 * 300.0) ** 0.5, rel=0.05)
    assert ninetieth == pytest.approx(300.0, rel=0.05)
    assert link.rtt == 0.02
    assert "assumed" in str(link.source["bandwidth"])
