"""Reading other users' tasks: which network of theirs arrives where, and how often."""

from __future__ import annotations

import math
from dataclasses import replace

from tiergym.errors import InvalidInput
from tiergym.fields import integer, mapping, number, sequence
from tiergym.scenarios.spec import BackgroundSpec, NetworkSpec, NodeSpec
from tiergym.scenarios.words import choice
from tiergym.workload import Arrivals, parse_arrivals


def node_index(field: str, value: object, nodes: tuple[NodeSpec, ...]) -> int:
    """Index of the node of that name."""
    names = [node.name for node in nodes]
    return names.index(choice(field, value, names))


def read_background(
    value: object, nodes: tuple[NodeSpec, ...], networks: tuple[NetworkSpec, ...]
) -> tuple[BackgroundSpec, ...]:
    """Entries ``{node, network, process, ...}``.

    Raises:
        InvalidInput: naming the field.
    """
    return tuple(_entry(field, row, nodes, networks) for field, row in _rows(value))


def read_edge_background(
    value: object, edges: tuple[NodeSpec, ...], first: int, networks: tuple[NetworkSpec, ...]
) -> tuple[BackgroundSpec, ...]:
    """Entries ``{edges, network, process, ...}``: a stream of its own for each edge named.

    Args:
        first: node of the first edge.

    Raises:
        InvalidInput: naming the field.
    """
    return tuple(
        each for field, row in _rows(value) for each in _streams(field, row, edges, first, networks)
    )


def edge_indices(field: str, value: object, edges: int) -> list[int]:
    """What ``all`` or a list of edges stands for, each once.

    Raises:
        InvalidInput: naming the item.
    """
    if value is None or value == "all":
        return list(range(edges))
    allowed = f"all, or a list of edges, 0 to {edges - 1}"
    given = sequence(field, value, allowed)
    indices = [integer(f"{field}[{k}]", item, "edges") for k, item in enumerate(given)]
    for k, index in enumerate(indices):
        if index >= edges or index in indices[:k]:
            raise InvalidInput(f"{field}[{k}]", index, f"0 to {edges - 1}, each once")
    if not indices:
        raise InvalidInput(field, value, allowed)
    return indices


def _rows(value: object) -> list[tuple[str, object]]:
    rows = sequence("background", value or [], "a list of mappings")
    return [(f"background[{k}]", row) for k, row in enumerate(rows)]


def _entry(
    field: str, value: object, nodes: tuple[NodeSpec, ...], networks: tuple[NetworkSpec, ...]
) -> BackgroundSpec:
    record = mapping(field, value)
    node = node_index(f"{field}.node", record.pop("node", None), nodes)
    network = _network(field, record, networks)
    arrivals = _finite(f"{field}.load", parse_arrivals(field, record))
    title = f"background:{networks[network].name}@{nodes[node].name}"
    return BackgroundSpec(title, node, network, arrivals, field)


def _streams(
    field: str,
    value: object,
    edges: tuple[NodeSpec, ...],
    first: int,
    networks: tuple[NetworkSpec, ...],
) -> list[BackgroundSpec]:
    record = mapping(field, value)
    where = edge_indices(f"{field}.edges", record.pop("edges", None), len(edges))
    network = _network(field, record, networks)
    name = networks[network].name
    return [
        BackgroundSpec(f"background:{name}@{edges[e].name}", first + e, network, arrivals, field)
        for e, arrivals in zip(where, _arrivals(field, record, len(where)), strict=True)
    ]


def _network(field: str, record: dict[str, object], networks: tuple[NetworkSpec, ...]) -> int:
    """Index of the network that the record names, which is taken out of it."""
    names = [network.name for network in networks]
    return names.index(choice(f"{field}.network", record.pop("network", None), names))


def _arrivals(field: str, record: dict[str, object], edges: int) -> list[Arrivals]:
    """One for each edge: the same, or each with a load of its own."""
    load = record.get("load")
    if load is None or isinstance(load, (int, float)):
        return [_finite(f"{field}.load", parse_arrivals(field, record))] * edges
    allowed = f"a share of the edge's own capacity, or a list of {edges}"
    given = sequence(f"{field}.load", load, allowed)
    if len(given) != edges:
        raise InvalidInput(f"{field}.load", load, allowed)
    loads = [
        number(f"{field}.load[{k}]", item, "share of capacity", above=0.0)
        for k, item in enumerate(given)
    ]
    arrivals = parse_arrivals(field, record | {"load": loads[0]})
    return [replace(arrivals, load=load) for load in loads]


def _finite(field: str, arrivals: Arrivals) -> Arrivals:
    if arrivals.load is not None and not arrivals.load < math.inf:
        raise InvalidInput(field, arrivals.load, "a finite load")
    return arrivals
