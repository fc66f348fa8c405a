"""Reading the nodes and links of a scenario."""

from __future__ import annotations

import math
from typing import cast

from tiergym.devices import DeviceProfile, load_device
from tiergym.errors import InvalidInput
from tiergym.fields import closest, flag, integer, mapping, number, sequence, text
from tiergym.links import load_link
from tiergym.scenarios.spec import LinkSpec, NodeSpec
from tiergym.scenarios.system import DISCIPLINE_NAMES, FCFS_BATCHED, TIER_NAMES
from tiergym.scenarios.words import choice

_NODE_KEYS = (
    "tier",
    "profile",
    "executors",
    "batch_max",
    "memory_bytes",
    "discipline",
    "rank",
    "load_rate",
)
_LINK_OWN = ("source", "target", "packing", "package_max")
_LINK_PROFILE = ("profile", "bandwidth", "rtt", "per_package", "base_watts", "watts_per_mbps")
_LARGEST = 4096


def read_nodes(value: object) -> tuple[NodeSpec, ...]:
    """The nodes, in the order given.

    Raises:
        InvalidInput: naming the field.
    """
    given = mapping("nodes", value)
    if not given:
        raise InvalidInput("nodes", given, "at least one node")
    return tuple(_node(f"nodes.{name}", name, node) for name, node in given.items())


def _node(field: str, name: str, value: object) -> NodeSpec:
    record = mapping(field, value, _NODE_KEYS)
    if record.get("profile") is None:
        allowed = "the name of a device profile, the path of a YAML file, or a mapping"
        raise InvalidInput(f"{field}.profile", None, allowed)
    discipline = choice(
        f"{field}.discipline",
        record.get("discipline", DISCIPLINE_NAMES[FCFS_BATCHED]),
        DISCIPLINE_NAMES,
    )
    profile = load_device(record["profile"], name=name, field=f"{field}.profile")
    return NodeSpec(
        name=text(field, name),
        tier=TIER_NAMES.index(choice(f"{field}.tier", record.get("tier"), TIER_NAMES)),
        profile=profile,
        executors=_count(f"{field}.executors", record.get("executors", 1)),
        batch_max=_count(f"{field}.batch_max", record.get("batch_max", 1)),
        memory_bytes=_memory(f"{field}.memory_bytes", record.get("memory_bytes"), profile),
        discipline=DISCIPLINE_NAMES.index(discipline),
        rank=_names(f"{field}.rank", record.get("rank")),
        load_rate=_load_rate(f"{field}.load_rate", record.get("load_rate"), profile),
    )


def _count(field: str, value: object) -> int:
    count = integer(field, value, "number", low=1)
    if count > _LARGEST:
        raise InvalidInput(field, value, f"1 to {_LARGEST}")
    return count


def _memory(field: str, value: object, profile: DeviceProfile) -> float:
    """Bytes as given, the profile's where ``profile`` is given, else infinity."""
    if value is None:
        return math.inf
    if value != "profile":
        return number(field, value, "profile, or bytes", above=0.0, infinite=True)
    if profile.memory_bytes is None:
        allowed = f"bytes > 0: the device profile {profile.name!r} states no memory_bytes"
        raise InvalidInput(field, value, allowed)
    return profile.memory_bytes


def _load_rate(field: str, value: object, profile: DeviceProfile) -> float | None:
    """Bytes/s as given, else the profile's."""
    if value is None:
        return profile.load_rate
    return number(field, value, "bytes/s of parameters", above=0.0, infinite=True)


def _names(field: str, value: object) -> tuple[str, ...]:
    rows = [] if value is None else sequence(field, value, "a list of network names")
    return tuple(text(f"{field}[{k}]", row) for k, row in enumerate(rows))


def read_links(value: object, nodes: tuple[NodeSpec, ...]) -> tuple[LinkSpec, ...]:
    """The links, in the order given: upward, and at most one from each node.

    Raises:
        InvalidInput: naming the field.
    """
    given = {} if value is None else mapping("links", value)
    links = tuple(_link(f"links.{name}", name, link, nodes) for name, link in given.items())
    for index, link in enumerate(links):
        if any(link.source == other.source for other in links[:index]):
            allowed = "a node that no other link leaves"
            raise InvalidInput(f"links.{link.name}.source", nodes[link.source].name, allowed)
    return links


def _link(field: str, name: str, value: object, nodes: tuple[NodeSpec, ...]) -> LinkSpec:
    record = mapping(field, value, (*_LINK_OWN, *_LINK_PROFILE))
    names = [node.name for node in nodes]
    source = names.index(choice(f"{field}.source", record.get("source"), names))
    target = names.index(choice(f"{field}.target", record.get("target"), names))
    if nodes[target].tier <= nodes[source].tier:
        above = [node.name for node in nodes if node.tier > nodes[source].tier]
        allowed = f"a node of a higher tier than {names[source]!r}: {', '.join(above) or 'none'}"
        raise InvalidInput(f"{field}.target", names[target], allowed)
    profile = {key: record[key] for key in _LINK_PROFILE if record.get(key) is not None}
    package_max = record.get("package_max", math.inf)
    return LinkSpec(
        name=text(field, name),
        source=source,
        target=target,
        profile=load_link(cast(object, profile), name=name, field=field),
        packing=flag(f"{field}.packing", record.get("packing", True)),
        package_max=number(f"{field}.package_max", package_max, "bytes", above=0.0, infinite=True),
    )


def check_ranks(nodes: tuple[NodeSpec, ...], networks: list[str]) -> None:
    """Refuse a rank that names an unknown network, or one twice.

    Raises:
        InvalidInput: naming the field.
    """
    for node in nodes:
        for index, name in enumerate(node.rank):
            field = f"nodes.{node.name}.rank[{index}]"
            if name not in networks:
                allowed = f"one of {', '.join(networks)}{closest(name, networks)}"
                raise InvalidInput(field, name, allowed)
            if name in node.rank[:index]:
                raise InvalidInput(field, name, "each network once")
