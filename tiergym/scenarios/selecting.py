"""What terminals select from, as constants of a `System`, and whether it can be held."""

from __future__ import annotations

import math

import numpy as np

from tiergym.errors import InvalidInput
from tiergym.scenarios.covering import Covering, Ground
from tiergym.scenarios.spec import NetworkSpec, ScenarioSpec, SelectingSpec
from tiergym.scenarios.system import Floats, Selection
from tiergym.scenarios.walking import mean_leg_bound

MOST_LEGS = 1e4
"""Most legs that a terminal may be expected to walk."""


def selection_of(spec: ScenarioSpec) -> Selection | None:
    """What `attach` and `move` decisions are about; None where every uplink has one target.

    Networks of other users are where they are used; nothing of them is ever fetched.
    """
    selecting = spec.selecting
    if selecting is None:
        return None
    others = np.ones((selecting.edges, len(spec.background)), dtype=np.bool_)
    return Selection(
        terminals=selecting.terminals,
        edges=selecting.edges,
        attach_every=selecting.attach_every,
        moves=selecting.moves,
        overload_mark=selecting.overload_mark,
        hold_seconds=selecting.hold_seconds,
        reconnect_seconds=selecting.reconnect_seconds,
        timeout_seconds=selecting.timeout_seconds,
        report_interval=selecting.report_interval,
        fetch_seconds=_fetch_seconds(spec, selecting),
        deployed=np.concatenate((selecting.deployed, others), axis=1),
    )


def _fetch_seconds(spec: ScenarioSpec, selecting: SelectingSpec) -> Floats:
    """float64[E, M]; zero where nothing can be fetched, since everything is there."""
    way = selecting.backhaul
    seconds = np.zeros((selecting.edges, len(spec.routes)))
    if way is not None:
        bandwidth = way.bandwidth.mean()
        for m, (network, _, _) in enumerate(spec.routes):
            seconds[:, m] = way.rtt + edge_bytes(network) * 8.0 / bandwidth
    return seconds


def edge_bytes(network: NetworkSpec) -> float:
    """Bytes of the parameters that an edge runs of a network."""
    p1, p2 = network.placement or (0, network.network.blocks)
    return math.fsum(network.network.param_bytes[p1:p2].tolist())


def check_selecting(selecting: SelectingSpec, horizon: float, most: float) -> None:
    """Refuse what draws, or reports, more than can be held in ``horizon`` seconds.

    Raises:
        InvalidInput: naming the field.
    """
    covering = selecting.covering
    allowed = f"at most {most:g} in {horizon:g} s"
    values = covering.pieces(horizon) * covering.terminals * covering.edges
    if not values <= most:
        raise InvalidInput("sites.step", f"{values:g} round trips", f"{allowed}: a longer step")
    interval = selecting.report_interval
    if interval and not horizon / interval * selecting.edges <= most:
        raise InvalidInput("selection.report_interval", interval, f"{allowed} reports, or 0")
    if covering.failing is not None:
        cycle = covering.failing.mean_up + covering.failing.mean_down
        count = horizon / cycle * len(covering.failing.edges)
        if not count <= most / 10.0:
            raise InvalidInput("failures.mean_up", f"{count:g} failures", f"{allowed}, or fewer")
    if covering.ground is not None and covering.ground.walked:
        _check_legs(covering, covering.ground, horizon)


def _check_legs(covering: Covering, ground: Ground, horizon: float) -> None:
    """Refuse walks to and fro that could not be held, in the closest neighbourhood of all."""
    users = ground.places.user_km
    least = min(mean_leg_bound(ground.near(user, covering.terminals)) for user in users)
    if not ground.km_per_second * horizon <= MOST_LEGS * least:
        allowed = f"a speed at which nobody turns more than {MOST_LEGS:g} times, or 0"
        raise InvalidInput("sites.speed_kmh", ground.km_per_second * 3600.0, allowed)
