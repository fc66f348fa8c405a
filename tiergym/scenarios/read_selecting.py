"""Reading a scenario of edge selection: terminals and edges in groups, expanded to nodes and links.

Terminals come first, then edges, then the cloud; the uplinks of the terminals first, then one
backhaul from each edge.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tiergym.devices import DeviceProfile
from tiergym.errors import InvalidInput
from tiergym.fields import flag, is_mapping, mapping, number, sequence
from tiergym.links import LinkProfile, radio_names
from tiergym.scenarios.read_background import read_edge_background
from tiergym.scenarios.read_networks import read_networks
from tiergym.scenarios.read_nodes import (
    LINK_PROFILE,
    NODE_KEYS,
    read_count,
    read_link_profile,
    read_names,
    read_node,
    read_packages,
)
from tiergym.scenarios.read_sites import read_covering
from tiergym.scenarios.spec import (
    BackgroundSpec,
    LinkSpec,
    NetworkSpec,
    NodeSpec,
    Parts,
    SelectingSpec,
)
from tiergym.scenarios.system import CLOUD, EDGE, TERMINAL
from tiergym.scenarios.words import ARRIVALS, NETWORKS, choice, required
from tiergym.workload import parse_arrivals

SELECTING = "edge_selection"
SELECTING_KEYS = (
    "terminals",
    "edges",
    "cloud",
    "backhaul",
    "sites",
    "selection",
    "failures",
)
MOST_EDGES = 64
"""Every edge has rows of its own in most tables."""
_PACKAGES = ("packing", "package_max")
_SENDER = DeviceProfile(
    name="terminal",
    device="any",
    runtime="none",
    networks={},
    load_rate=None,
    idle_watts=None,
    busy_watts=None,
    jitter_cv=0.0,
    memory_bytes=None,
    source={},
)
"""A terminal that runs nothing."""
_RULES = (
    "attach_every",
    "moves",
    "overload_mark",
    "hold_seconds",
    "reconnect_seconds",
    "timeout_seconds",
    "report_interval",
)


def read_selecting(record: dict[str, object]) -> Parts:
    """Nodes, links and what terminals select from.

    Raises:
        InvalidInput: naming the field as the user wrote it.
    """
    networks = _placed(read_networks(required(record, "networks", NETWORKS)))
    given = required(record, "terminals", "a mapping with count and radios")
    fields = mapping("terminals", given, ("count", "radios", *NODE_KEYS, *_PACKAGES))
    terminals = _terminals(fields, networks)
    radios = _radios(fields.get("radios"), len(terminals))
    edges = _edges(required(record, "edges", "a list of groups of edges"), networks)
    cloud = _cloud(record.get("cloud"))
    nodes = (*terminals, *(edge.node for edge in edges), *cloud)
    first = len(terminals)
    uplinks = _uplinks(fields, radios, first)
    backhauls = _backhauls(record.get("backhaul"), first, len(edges), bool(cloud))
    background = read_edge_background(
        record.get("background"), tuple(edge.node for edge in edges), first, networks
    )
    _check_deployed(edges, networks, background, first, bool(cloud))
    arrivals = mapping("arrivals", required(record, "arrivals", ARRIVALS))
    return Parts(
        nodes=nodes,
        links=(*uplinks, *backhauls),
        networks=networks,
        arrivals=parse_arrivals("arrivals", arrivals),
        origin=0,
        background=background,
        schedule=first,
        selecting=_selecting(record, radios, edges, backhauls),
    )


def _selecting(
    record: dict[str, object], radios: list[_Radio], edges: list[_Edge], backhauls: list[LinkSpec]
) -> SelectingSpec:
    rules = _rules(record.get("selection"))
    if record.get("failures") is not None and not rules["report_interval"] > 0.0:
        allowed = "seconds > 0 where edges fail, or every failure would be seen at once"
        raise InvalidInput("selection.report_interval", rules["report_interval"], allowed)
    covering = read_covering(
        record,
        tuple(radio.measured for radio in radios),
        np.array([radio.profile.rtt for radio in radios]),
        np.array([edge.extra_rtt for edge in edges]),
    )
    return SelectingSpec(
        terminals=len(radios),
        edges=len(edges),
        deployed=np.array([edge.deployed for edge in edges]),
        backhaul=backhauls[0].profile if backhauls else None,
        covering=covering,
        **rules,
    )


def _placed(networks: tuple[NetworkSpec, ...]) -> tuple[NetworkSpec, ...]:
    """All at an edge where no placement is given; some task has to come there."""
    placed = tuple(
        replace(each, placement=each.placement or (0, each.network.blocks)) for each in networks
    )
    for each in placed:
        p1, p2 = each.placement or (0, 0)
        if each.popularity > 0.0 and p1 == p2:
            allowed = "whole, or [p1, p2] with p1 < p2: a stage at the edges"
            raise InvalidInput(f"networks.{each.name}.placement", [p1, p2], allowed)
    return placed


def _terminals(
    fields: dict[str, object], networks: tuple[NetworkSpec, ...]
) -> tuple[NodeSpec, ...]:
    count = read_count("terminals.count", fields.get("count"))
    if fields.get("profile") is None:
        for network in networks:
            if network.placement and network.placement[0] > 0:
                allowed = f"a device profile: blocks of network {network.name!r} run on terminals"
                raise InvalidInput("terminals.profile", None, allowed)
        fields = fields | {"profile": _SENDER}
    node = read_node("terminals", "terminal", fields, TERMINAL)
    return tuple(replace(node, name=f"terminal-{n}") for n in range(count))


@dataclass(frozen=True)
class _Edge:
    """One edge of a group."""

    node: NodeSpec
    extra_rtt: float
    deployed: tuple[bool, ...]


def _edges(value: object, networks: tuple[NetworkSpec, ...]) -> list[_Edge]:
    edges: list[_Edge] = []
    for group, given in enumerate(sequence("edges", value, "a list of groups of edges")):
        field = f"edges[{group}]"
        fields = mapping(field, given, ("count", *NODE_KEYS, "extra_rtt", "deployed"))
        count = read_count(f"{field}.count", fields.get("count", 1))
        node = read_node(field, f"edge-{len(edges)}", fields, EDGE)
        extra = number(f"{field}.extra_rtt", fields.get("extra_rtt", 0.0), "seconds", low=0.0)
        deployed = _deployed(f"{field}.deployed", fields.get("deployed", "all"), networks)
        if len(edges) + count > MOST_EDGES:
            raise InvalidInput(f"{field}.count", count, f"at most {MOST_EDGES} edges in all")
        for _ in range(count):
            named = replace(node, name=f"edge-{len(edges)}")
            edges.append(_Edge(named, extra, deployed))
    if not edges:
        raise InvalidInput("edges", value, "at least one group of edges")
    return edges


def _deployed(field: str, value: object, networks: tuple[NetworkSpec, ...]) -> tuple[bool, ...]:
    names = [network.name for network in networks]
    if value in ("all", "none"):
        return (value == "all",) * len(names)
    if isinstance(value, str):
        raise InvalidInput(field, value, "all, none, or a list of network names")
    given = [choice(f"{field}[{k}]", n, names) for k, n in enumerate(read_names(field, value))]
    return tuple(name in given for name in names)


def _check_deployed(
    edges: list[_Edge],
    networks: tuple[NetworkSpec, ...],
    background: tuple[BackgroundSpec, ...],
    first: int,
    fetches: bool,
) -> None:
    """Without a cloud nothing can be fetched, and what other users use is there."""
    for e, edge in enumerate(edges):
        used = {entry.network for entry in background if entry.node == first + e}
        for m, network in enumerate(networks):
            field = f"{edge.node.field}.deployed"
            if not edge.deployed[m] and not fetches:
                allowed = f"all: without a cloud {network.name!r} cannot be fetched"
                raise InvalidInput(field, f"not {network.name!r}", allowed)
            if not edge.deployed[m] and m in used:
                allowed = f"{network.name!r} among them, which other users use there"
                raise InvalidInput(field, f"not {network.name!r}", allowed)


def _cloud(value: object) -> tuple[NodeSpec, ...]:
    if value is None:
        return ()
    return (read_node("cloud", "cloud", mapping("cloud", value, NODE_KEYS), CLOUD),)


@dataclass(frozen=True)
class _Radio:
    """What a terminal sends with; ``measured`` names its round trips by distance, or is empty."""

    profile: LinkProfile
    measured: str
    field: str


def _radios(value: object, count: int) -> list[_Radio]:
    """One for each terminal, in a rotation that keeps every share as closely as can be."""
    given = mapping("terminals.radios", value)
    if not given:
        raise InvalidInput("terminals.radios", given, "at least one link profile and its share")
    kinds = [_radio(f"terminals.radios.{name}", name, item) for name, item in given.items()]
    shares = np.array([share for _, share in kinds])
    return [kinds[k][0] for k in rotation(shares, count)]


def rotation(shares: NDArray[np.float64], count: int) -> list[int]:
    """Kinds in turn, each time the one farthest behind its share; the first one at a tie."""
    shares = shares / shares.sum()
    given = np.zeros(len(shares))
    order: list[int] = []
    for n in range(count):
        # rounded, so that shares such as 1/3 tie as they would on paper
        order.append(int(np.argmax(np.round(shares * (n + 1) - given, 9))))
        given[order[-1]] += 1.0
    return order


def _radio(field: str, name: str, value: object) -> tuple[_Radio, float]:
    """A link profile by its name, with a share, or a mapping with fields of its own too."""
    record: dict[str, object] = {"share": value}
    if is_mapping(value):
        record = mapping(field, value, ("share", *LINK_PROFILE))
    share = number(f"{field}.share", record.get("share", 1.0), "share", above=0.0, high=1e12)
    if record.get("profile") is None and record.get("bandwidth") is None:
        record["profile"] = name
    base = record.get("profile")
    profile = read_link_profile(field, name if base is None else None, record)
    measured = isinstance(base, str) and base in radio_names() and record.get("rtt") is None
    return _Radio(profile, str(base) if measured else "", field), share


def _uplinks(fields: dict[str, object], radios: list[_Radio], first: int) -> list[LinkSpec]:
    """Their round trips are the coverage's, so that none stays here."""
    packages = read_packages("terminals", fields)
    return [
        LinkSpec(
            name=f"uplink-{n}",
            source=n,
            target=first,
            profile=replace(radio.profile, rtt=0.0),
            field=radio.field,
            **packages,
        )
        for n, radio in enumerate(radios)
    ]


def _backhauls(value: object, first: int, edges: int, cloud: bool) -> list[LinkSpec]:
    if value is None and not cloud:
        return []
    if not cloud:
        raise InvalidInput("backhaul", value, "nothing, without a cloud")
    if value is None:
        raise InvalidInput("backhaul", None, "the link from every edge to the cloud")
    record = mapping("backhaul", value, (*LINK_PROFILE, *_PACKAGES))
    profile = read_link_profile("backhaul", "backhaul", record)
    packages = read_packages("backhaul", record)
    return [
        LinkSpec(
            name=f"backhaul-{e}",
            source=first + e,
            target=first + edges,
            profile=profile,
            field="backhaul",
            **packages,
        )
        for e in range(edges)
    ]


def _rules(value: object) -> dict[str, Any]:
    """The fields of `SelectingSpec` that the user writes below ``selection``."""
    record = mapping("selection", value or {}, _RULES)

    return {
        "attach_every": _attach_every(record.get("attach_every", "episode")),
        "moves": flag("selection.moves", record.get("moves", True)),
        "overload_mark": _rule(record, "overload_mark", 0.8, "utilisation"),
        "hold_seconds": _rule(record, "hold_seconds", 2.0),
        "reconnect_seconds": _rule(record, "reconnect_seconds", 0.1),
        "timeout_seconds": _rule(record, "timeout_seconds", 1.0, above=0.0),
        "report_interval": _rule(record, "report_interval", 1.0),
    }


def _rule(
    record: dict[str, object],
    key: str,
    default: float,
    unit: str = "seconds",
    above: float = -math.inf,
) -> float:
    given = record.get(key, default)
    return number(f"selection.{key}", given, unit, low=0.0, above=above)


def _attach_every(value: object) -> float:
    words = {"episode": math.inf, "task": 0.0}
    if isinstance(value, str):
        if value not in words:
            raise InvalidInput("selection.attach_every", value, "episode, task, or seconds > 0")
        return words[value]
    return number(
        "selection.attach_every", value, "episode, task, or seconds", above=0.0, infinite=True
    )
