"""Round trips by radio and by the distance of the server."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tiergym.errors import InvalidInput
from tiergym.fields import closest

EDGES_KM = (0.0, 50.0, 500.0, 1500.0, 3000.0)
"""Edges of the bins of distance that medians were taken in."""
MEDIANS: dict[str, tuple[float, float, float, float]] = {
    "lte": (0.022, 0.040, 0.062, 0.095),
    "5g-nsa-low": (0.016, 0.030, 0.050, 0.071),
    "5g-nsa-mmwave": (0.007, 0.036, 0.050, 0.072),
    "5g-sa-low": (0.059, 0.055, 0.050, 0.071),
}
"""Median seconds there and back in each bin, by radio: Ookla tests of 2021 (11 024 over all radios)
in the SIGCOMM'21 5G measurement artefact, https://github.com/SIGCOMM21-5G/artifact. Medians of
standalone low-band fall up to 1 000 km; they are taken as they are."""
FIBRE = 1e-5
"""Seconds there and back per kilometre of fibre, where light goes at about 200 000 km/s."""


def radio_names() -> list[str]:
    """Radios whose round trips were measured by distance: names of link profiles."""
    return list(MEDIANS)


def round_trip(radio: str, kilometres: ArrayLike) -> NDArray[np.float64]:
    """Median seconds to a server and back, without waiting.

    Measured is one median per bin of distance (`EDGES_KM`). Assumed is what lies between: each
    median holds at its bin's centre (25, 275, 1000 and 2250 km), and lines join them. Before the
    first centre and after the last one only light in fibre is added or taken off, `FIBRE` a
    kilometre. So within a city all sites are practically one round trip away (3 km make 0.03 ms),
    because the tests tell nothing finer: routes, not distances, make the difference there.

    Args:
        radio: one of `radio_names`.
        kilometres: any shape, straight distance to the server, 0 to 3000.

    Returns:
        float64 of the shape of ``kilometres``.

    Raises:
        InvalidInput: for a radio that is not known, and for distances where nothing was measured.
    """
    if radio not in MEDIANS:
        allowed = f"one of {', '.join(MEDIANS)}{closest(radio, MEDIANS)}"
        raise InvalidInput("radio", radio, allowed)
    distance = np.asarray(kilometres, dtype=np.float64)
    wrong = ~((distance >= 0.0) & (distance <= EDGES_KM[-1]))
    if wrong.any():
        first = float(distance[wrong].flat[0])
        raise InvalidInput("kilometres", first, f"0 to {EDGES_KM[-1]:g} km, as measured")
    edges = np.array(EDGES_KM)
    centres = (edges[1:] + edges[:-1]) / 2.0
    beyond = distance - np.clip(distance, centres[0], centres[-1])
    return np.interp(distance, centres, MEDIANS[radio]) + FIBRE * beyond
