"""Reading where terminals and edges are, and how edges fail: what coverage is drawn from."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from tiergym.errors import InvalidInput
from tiergym.fields import mapping, number, sequence
from tiergym.links import load_sites
from tiergym.links.round_trips import EDGES_KM
from tiergym.scenarios.covering import Covering, Failing, Ground
from tiergym.scenarios.read_background import edge_indices
from tiergym.scenarios.words import required

_GROUND = ("places", "range_km", "speed_kmh", "moving", "step")
_FASTEST = 1000.0
_SECONDS_AN_HOUR = 3600.0


def read_covering(
    record: dict[str, object],
    radios: tuple[str, ...],
    radio_rtt: NDArray[np.float64],
    extra_rtt: NDArray[np.float64],
) -> Covering:
    """From ``sites`` and ``failures`` of a scenario's mapping.

    Args:
        radios, radio_rtt: of each terminal, see `Covering`.
        extra_rtt: float64[E], seconds.

    Raises:
        InvalidInput: naming the field.
    """
    given = required(record, "sites", "a mapping with places, or with rtt")
    sites = mapping("sites", given, (*_GROUND, "rtt"))
    edges = len(extra_rtt)
    ground = None
    rtt = np.zeros((len(radios), edges))
    if sites.get("rtt") is None:
        ground = _ground(sites, edges, radios)
    else:
        rtt = _given_rtt(sites, len(radios), edges)
    return Covering(
        radios=radios,
        radio_rtt=radio_rtt,
        extra_rtt=extra_rtt,
        ground=ground,
        given_rtt=rtt,
        failing=_failing(record.get("failures"), edges),
    )


def _ground(sites: dict[str, object], edges: int, radios: tuple[str, ...]) -> Ground:
    if sites.get("places") is None:
        raise InvalidInput("sites.places", None, "positions, or rtt beside it instead")
    places = load_sites(sites["places"], field="sites.places")
    if edges > len(places.site_km):
        allowed = f"places with at least {edges} sites, one for each edge"
        raise InvalidInput("sites.places", f"{len(places.site_km)} sites", allowed)
    _check_extent(np.concatenate((places.site_km, places.user_km)), radios)
    speed = number("sites.speed_kmh", sites.get("speed_kmh", 0.0), "km/h", low=0.0, high=_FASTEST)
    range_km = sites.get("range_km", math.inf)
    return Ground(
        places=places,
        range_km=number("sites.range_km", range_km, "kilometres", low=0.0, infinite=True),
        km_per_second=speed / _SECONDS_AN_HOUR,
        moving=number("sites.moving", sites.get("moving", 0.5), "share", low=0.0, high=1.0),
        step=number("sites.step", sites.get("step", 1.0), "seconds", above=0.0),
    )


def _check_extent(positions: NDArray[np.float64], radios: tuple[str, ...]) -> None:
    """Round trips by distance are known only so far."""
    across = float(np.hypot(*(positions.max(axis=0) - positions.min(axis=0))))
    if not across <= EDGES_KM[-1] and any(radios):
        allowed = f"at most {EDGES_KM[-1]:g} km across, as round trips were measured"
        raise InvalidInput("sites.places", f"{across:g} km across", allowed)


def _given_rtt(sites: dict[str, object], terminals: int, edges: int) -> NDArray[np.float64]:
    """float64[K, E], from one number or a row of edges for each terminal."""
    for key in _GROUND:
        if sites.get(key) is not None:
            raise InvalidInput(f"sites.{key}", sites[key], "nothing beside rtt")
    value = sites["rtt"]
    if isinstance(value, (int, float)):
        same = number("sites.rtt", value, "seconds", low=0.0)
        return np.full((terminals, edges), same)
    allowed = f"seconds, or {terminals} rows (one a terminal) of {edges} values"
    rows = sequence("sites.rtt", value, allowed)
    if len(rows) != terminals:
        raise InvalidInput("sites.rtt", f"{len(rows)} rows", allowed)
    return np.array([_rtt_row(f"sites.rtt[{k}]", row, edges) for k, row in enumerate(rows)])


def _rtt_row(field: str, value: object, edges: int) -> list[float]:
    allowed = f"{edges} values in seconds, one an edge, .inf where out of range"
    row = sequence(field, value, allowed)
    if len(row) != edges:
        raise InvalidInput(field, value, allowed)
    seconds = [
        number(f"{field}[{e}]", item, "seconds", low=0.0, infinite=True)
        for e, item in enumerate(row)
    ]
    if math.inf == min(seconds):
        raise InvalidInput(field, value, "some edge in range")
    return seconds


def _failing(value: object, edges: int) -> Failing | None:
    if value is None:
        return None
    record = mapping("failures", value, ("mean_up", "mean_down", "edges"))
    up, down = (
        number(f"failures.{key}", record.get(key), "seconds", above=0.0)
        for key in ("mean_up", "mean_down")
    )
    indices = edge_indices("failures.edges", record.get("edges"), edges)
    return Failing(np.array(sorted(indices), dtype=np.int64), up, down)
