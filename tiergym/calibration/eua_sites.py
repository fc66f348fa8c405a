"""Derive the shipped positions of sites and users from the EUA datasets.

``python -m tiergym.calibration.eua_sites --data ../shared/data`` writes the western half of
Melbourne's centre and the eastern one, so that what is tested on shares no site and no user with
what was trained on. They are divided at the median longitude of the sites; both are measured from
one centre, the middle of all sites, so that they fit together.
"""

from __future__ import annotations

import argparse
import csv
import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tiergym.calibration.records import write_yaml
from tiergym.links.sites import FOLDER, Sites

SITES, USERS = "eua-melbourne-sites.csv", "eua-melbourne-users.csv"
URL = "https://github.com/swinedge/eua-dataset"
COMMAND = "python -m tiergym.calibration.eua_sites"
EARTH_KM = 6371.0088
"""Mean radius of the Earth (IUGG)."""
NEAR_KM = 0.3

Pairs = NDArray[np.float64]
"""float64[n, 2]"""


def read(path: Path) -> Pairs:
    """Degrees of latitude and longitude."""
    with path.open(newline="", encoding="utf-8") as file:
        rows = [{key.lower(): cell for key, cell in row.items()} for row in csv.DictReader(file)]
    return np.array([(float(row["latitude"]), float(row["longitude"])) for row in rows])


def project(degrees: Pairs, centre: NDArray[np.float64]) -> Pairs:
    """Kilometres east and north of a centre (equirectangular): x = R cos(lat0) dlon, y = R dlat."""
    radians = np.radians(degrees - centre)
    east = EARTH_KM * math.cos(math.radians(float(centre[0]))) * radians[:, 1]
    return np.stack((east, EARTH_KM * radians[:, 0]), axis=1)


def great_circle(one: Pairs, other: Pairs) -> NDArray[np.float64]:
    """float64[n, m], kilometres between points in degrees on a sphere (haversine)."""
    here, there = np.radians(one)[:, None, :], np.radians(other)[None, :, :]
    half = np.sin((there - here) / 2.0) ** 2
    inner = half[..., 0] + np.cos(here[..., 0]) * np.cos(there[..., 0]) * half[..., 1]
    return 2.0 * EARTH_KM * np.arcsin(np.sqrt(inner))


def derive(data: Path, folder: Path) -> list[str]:
    """Write both halves into ``folder``; their names."""
    sites, users = read(data / SITES), read(data / USERS)
    centre, cut = sites.mean(axis=0), float(np.median(sites[:, 1]))
    names: list[str] = []
    for part in ("east", "west"):
        here, there = (
            points[(points[:, 1] >= cut) == (part == "east")] for points in (sites, users)
        )
        name = f"eua-melbourne-{part}"
        found = Sites(name, project(here, centre), project(there, centre))
        error = float(np.abs(found.kilometres() - great_circle(there, here)).max())
        np.savez_compressed(
            folder / f"{name}.npz",
            site_km=found.site_km.astype(np.float32),
            user_km=found.user_km.astype(np.float32),
        )
        record = _record(found, part, (*centre, cut), error)
        write_yaml(folder / f"{name}.yaml", record, f"Written by {COMMAND}")
        names.append(name)
    return names


def _record(
    found: Sites, part: str, degrees: tuple[float, float, float], error: float
) -> dict[str, object]:
    latitude, longitude, cut = (round(float(each), 6) for each in degrees)
    return {
        "name": found.name,
        "description": f"base stations (possible edge sites) and users in the {part} of "
        "Melbourne's centre, in kilometres east and north of its middle",
        "sites": len(found.site_km),
        "users": len(found.user_km),
        "centre": {"latitude": latitude, "longitude": longitude},
        "cut_longitude": cut,
        "coverage": _coverage(found),
        "source": {
            "kind": "published",
            "from": f"EUA datasets, {SITES} and {USERS}: positions only",
            "projection": "equirectangular, x = R cos(lat0) dlon, y = R dlat, R = "
            f"{EARTH_KM} km; distances from users to sites are at most {math.ceil(error * 1e5)} cm "
            "off the great circle on that sphere, which is 0.18 % long to the north and 0.24 % "
            "short to the east of the WGS84 ellipsoid here",
            "url": URL,
            "licence": "MIT",
            "derived_by": COMMAND,
        },
    }


def _coverage(found: Sites) -> dict[str, float]:
    """How near sites are to users."""
    distance = np.sort(found.kilometres(), axis=1)
    near = (distance <= NEAR_KM).sum(axis=1)
    return {
        "nearest_km_median": round(float(np.median(distance[:, 0])), 3),
        "nearest_km_largest": round(float(distance[:, 0].max()), 3),
        "farthest_km": round(float(distance.max()), 3),
        f"sites_within_{NEAR_KM * 1000:.0f}_m_median": float(np.median(near)),
        f"sites_within_{NEAR_KM * 1000:.0f}_m_fewest": float(near.min()),
    }


def main() -> None:
    """Write all shipped positions."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help=f"folder of {SITES}")
    parser.add_argument("--out", type=Path, default=FOLDER)
    given = parser.parse_args()
    given.out.mkdir(exist_ok=True)
    print("\n".join(derive(given.data, given.out)))


if __name__ == "__main__":
    main()
