"""Positions of sites and users: the shipped ones against the raw files, and what is refused."""

from __future__ import annotations

import csv
import math
from pathlib import Path

import numpy as np
import pytest

from tiergym.calibration.eua_sites import SITES, USERS, derive, great_circle, project, read
from tiergym.errors import InvalidInput
from tiergym.fields import mapping
from tiergym.links.sites import FOLDER, Sites, load_sites, site_names, site_record

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"
NAMES = ["eua-melbourne-east", "eua-melbourne-west"]
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="the raw positions are not here")


def test_a_mapping_and_its_distances() -> None:
    sites = load_sites({"site_km": [[0, 0], [3, 4]], "user_km": np.array([[0.0, 0.0]])})
    assert sites.name == "sites"
    assert sites.site_km.dtype == sites.user_km.dtype == np.float64
    assert sites.kilometres().tolist() == [[0.0, 5.0]]
    assert load_sites(sites) is sites


@pytest.mark.parametrize(
    ("given", "field", "allowed"),
    [
        ("eua-melbourne-nort", "sites", "did you mean 'eua-melbourne-west'"),
        (3, "sites", "a mapping"),
        ({"site_km": [[0, 0]]}, "sites.user_km", "[kilometres east, kilometres north]"),
        ({"site_km": [], "user_km": [[0, 0]]}, "sites.site_km", "at least one"),
        ({"site_km": [[0, 0], [1]], "user_km": [[0, 0]]}, "sites.site_km[1]", "kilometres east"),
        ({"site_km": [[0, math.nan]], "user_km": [[0, 0]]}, "sites.site_km[0]", "kilometres"),
        ({"site_km": [[0, math.inf]], "user_km": [[0, 0]]}, "sites.site_km[0]", "finite"),
        ({"site_km": [[0, "1"]], "user_km": [[0, 0]]}, "sites.site_km[0]", "kilometres"),
        ({"site_km": [[0, 0]], "users": [[0, 0]]}, "sites.users", "did you mean 'user_km'"),
    ],
)
def test_wrong_positions_are_named(given: object, field: str, allowed: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        load_sites(given)
    assert caught.value.field == field
    assert allowed in caught.value.allowed


def test_great_circles_and_the_projection_against_known_distances() -> None:
    """A degree of latitude is 111.195 km on that sphere; one of longitude less by the cosine."""
    pole, equator = np.array([[90.0, 0.0]]), np.array([[0.0, 123.0]])
    assert great_circle(pole, equator)[0, 0] == pytest.approx(6371.0088 * math.pi / 2)
    centre = np.array([60.0, 10.0])
    found = project(np.array([[61.0, 10.0], [60.0, 11.0]]), centre)
    np.testing.assert_allclose(found, [[0.0, 111.1951], [55.5975, 0.0]], atol=1e-4)


def test_the_sphere_is_off_the_ellipsoid_by_what_the_record_says() -> None:
    """Radii of curvature of WGS84 (a = 6378.137 km, 1/f = 298.257223563) at the centre."""
    place = mapping("centre", site_record(NAMES[0])["centre"])
    sine = math.sin(math.radians(float(str(place["latitude"]))))
    squared = (2.0 - 1.0 / 298.257223563) / 298.257223563
    east = 6378.137 / math.sqrt(1.0 - squared * sine**2)
    north = east * (1.0 - squared) / (1.0 - squared * sine**2)
    assert round(100.0 * (6371.0088 / north - 1.0), 2) == 0.18
    assert round(100.0 * (6371.0088 / east - 1.0), 2) == -0.24


def test_shipped_halves_are_dense_and_disjoint() -> None:
    assert site_names() == NAMES
    east, west = (load_sites(name) for name in NAMES)
    assert (len(east.site_km) + len(west.site_km), len(east.user_km) + len(west.user_km)) == (
        125,
        816,
    )
    for half in (east, west):
        assert min(len(half.site_km), len(half.user_km) / 5) > 60
        assert half.kilometres().min(axis=1).max() < 0.2
    for positions in ("site_km", "user_km"):
        assert getattr(west, positions)[:, 0].max() < getattr(east, positions)[:, 0].min()


@pytest.mark.parametrize("name", NAMES)
def test_records_tell_sources_and_the_notice_names_the_files(name: str) -> None:
    record, sites = site_record(name), load_sites(name)
    assert (record["sites"], record["users"]) == (len(sites.site_km), len(sites.user_km))
    source = mapping("source", record["source"])
    assert source["licence"] == "MIT"
    assert {"from", "url", "projection", "derived_by"} <= set(source)
    notice = (FOLDER.parents[1] / "NOTICE.md").read_text(encoding="utf-8")
    assert "links/sites/eua-melbourne-*" in notice


@needs_data
def test_every_raw_position_is_there_once() -> None:
    halves: list[Sites] = [load_sites(name) for name in NAMES]
    with (DATA / SITES).open(newline="", encoding="utf-8") as file:
        raw = [(float(r["LATITUDE"]), float(r["LONGITUDE"])) for r in csv.DictReader(file)]
    centre = np.mean(raw, axis=0)
    for file_name, key in ((SITES, "site_km"), (USERS, "user_km")):
        degrees = read(DATA / file_name)
        shipped = np.concatenate([getattr(half, key) for half in halves])
        expected = project(degrees, centre)
        np.testing.assert_allclose(
            shipped[np.lexsort(shipped.T)], expected[np.lexsort(expected.T)], atol=1e-6
        )


@needs_data
def test_shipped_files_are_what_the_command_derives(tmp_path: Path) -> None:
    assert derive(DATA, tmp_path) == NAMES
    for name in NAMES:
        shipped = load_sites(name)
        with np.load(tmp_path / f"{name}.npz", allow_pickle=False) as stored:
            assert np.array_equal(stored["site_km"], shipped.site_km)
            assert np.array_equal(stored["user_km"], shipped.user_km)
        record = (tmp_path / f"{name}.yaml").read_text(encoding="utf-8")
        assert record == (FOLDER / f"{name}.yaml").read_text(encoding="utf-8")
