"""Where sites and users are: positions in a plane, shipped ones or a user's own."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tiergym.errors import InvalidInput
from tiergym.fields import closest, mapping, number, read_yaml, sequence, text

FOLDER = Path(__file__).parent / "sites"
"""Where the shipped positions lie, one ``.npz`` and one record of its source each."""
_KEYS = ("name", "site_km", "user_km")
_ALLOWED = "[kilometres east, kilometres north]"


@dataclass(frozen=True, eq=False)
class Sites:
    """Positions in kilometres east and north of a centre.

    Attributes:
        name: the name they go by.
        site_km: float64[S, 2], places where an edge server can stand.
        user_km: float64[U, 2], places where a terminal can be.
    """

    name: str
    site_km: NDArray[np.float64]
    user_km: NDArray[np.float64]

    def kilometres(self) -> NDArray[np.float64]:
        """float64[U, S], straight distance from every user to every site."""
        return np.hypot(*np.moveaxis(self.user_km[:, None, :] - self.site_km, 2, 0))


def site_names() -> list[str]:
    """Names of the shipped positions, sorted."""
    return sorted(path.stem for path in FOLDER.glob("*.yaml"))


def site_record(name: str) -> dict[str, object]:
    """What shipped positions look like and where they come from (their ``source``)."""
    return mapping(name, read_yaml(FOLDER / f"{name}.yaml"))


def load_sites(given: object, *, field: str = "sites") -> Sites:
    """The positions that ``given`` stands for.

    Args:
        given: a shipped name, or a mapping with ``site_km`` and ``user_km``, lists of pairs
            ``[kilometres east, kilometres north]``, and maybe a ``name``.
        field: where it was given, for messages.

    Raises:
        InvalidInput: for a name that is not known, a list that is missing or empty, and naming the
            row that is no pair of finite numbers.
    """
    if isinstance(given, Sites):
        return given
    if isinstance(given, str):
        names = site_names()
        if given not in names:
            allowed = f"one of {', '.join(names)}, or a mapping with site_km and user_km"
            raise InvalidInput(field, given, allowed + closest(given, names))
        return _load_shipped(given)
    record = mapping(field, given, _KEYS)
    name = text(f"{field}.name", record.get("name", "sites"))
    site_km, user_km = (_pairs(f"{field}.{key}", record.get(key)) for key in _KEYS[1:])
    return Sites(name, site_km, user_km)


@cache
def _load_shipped(name: str) -> Sites:
    with np.load(FOLDER / f"{name}.npz", allow_pickle=False) as stored:
        site_km, user_km = (stored[key].astype(np.float64) for key in _KEYS[1:])
    return Sites(name, site_km, user_km)


def _pairs(field: str, given: object) -> NDArray[np.float64]:
    rows = sequence(field, given, f"a list of {_ALLOWED}")
    if not rows:
        raise InvalidInput(field, rows, f"at least one {_ALLOWED}")
    return np.array([_pair(f"{field}[{k}]", row) for k, row in enumerate(rows)])


def _pair(field: str, given: object) -> tuple[float, float]:
    pair = sequence(field, given, _ALLOWED)
    if len(pair) != 2:
        raise InvalidInput(field, given, _ALLOWED)
    return number(field, pair[0], "kilometres"), number(field, pair[1], "kilometres")
