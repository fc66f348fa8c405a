"""Reading the nodes and links of a scenario."""

from __future__ import annotations

import math
from typing import Any, cast

from tiergym.devices import DeviceProfile, load_device
from tiergym.errors import InvalidInput
from tiergym.fields import closest, flag, integer, mapping, number, sequence, text
from tiergym.links import LinkProfile, load_link
from tiergym.scenarios.spec import LinkSpec, NodeSpec
from tiergym.scenarios.system import DISCIPLINE_NAMES, FCFS_BATCHED, TIER_NAMES
from tiergym.scenarios.words import choice

NODE_KEYS = ("profile", "executors", "batch_max", "memory_bytes", "discipline", "rank")
"""What every node may say of itself."""
_LINK_OWN = ("source", "target", "packing", "package_max")
LINK_PROFILE = ("profile", "bandwidth", "rtt", "per_package", "base_watts", "watts_per_mbps")
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
    record = mapping(field, value, ("tier", *NODE_KEYS, "load_rate"))
    tier = TIER_NAMES.index(choice(f"{field}.tier", record.get("tier"), TIER_NAMES))
    return read_node(field, name, record, tier)


def read_node(field: str, name: str, record: dict[str, object], tier: int) -> NodeSpec:
    """The node of a tier that ``record`` describes, whose other keys are not looked at.

    Raises:
        InvalidInput: naming the field.
    """
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
        tier=tier,
        profile=profile,
        executors=read_count(f"{field}.executors", record.get("executors", 1)),
        batch_max=read_count(f"{field}.batch_max", record.get("batch_max", 1)),
        memory_bytes=_memory(f"{field}.memory_bytes", record.get("memory_bytes"), profile),
        discipline=DISCIPLINE_NAMES.index(discipline),
        rank=read_names(f"{field}.rank", record.get("rank")),
        load_rate=_load_rate(f"{field}.load_rate", record.get("load_rate"), profile),
        field=field,
    )


def read_count(field: str, value: object) -> int:
    """A whole number of things that a scenario has, at least one.

    Raises:
        InvalidInput: naming the field.
    """
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


def read_names(field: str, value: object) -> tuple[str, ...]:
    """Names of networks; none where nothing is given.

    Raises:
        InvalidInput: naming the field.
    """
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
            raise InvalidInput(f"{link.field}.source", nodes[link.source].name, allowed)
    return links


def _link(field: str, name: str, value: object, nodes: tuple[NodeSpec, ...]) -> LinkSpec:
    record = mapping(field, value, (*_LINK_OWN, *LINK_PROFILE))
    names = [node.name for node in nodes]
    source = names.index(choice(f"{field}.source", record.get("source"), names))
    target = names.index(choice(f"{field}.target", record.get("target"), names))
    if nodes[target].tier <= nodes[source].tier:
        above = [node.name for node in nodes if node.tier > nodes[source].tier]
        allowed = f"a node of a higher tier than {names[source]!r}: {', '.join(above) or 'none'}"
        raise InvalidInput(f"{field}.target", names[target], allowed)
    return LinkSpec(
        name=text(field, name),
        source=source,
        target=target,
        profile=read_link_profile(field, name, record),
        field=field,
        **read_packages(field, record),
    )


def read_link_profile(field: str, name: str | None, record: dict[str, object]) -> LinkProfile:
    """The link profile in ``record``, whose other keys are not looked at.

    Args:
        name: the profile's, where it gives none; None for that of the profile it overrides.

    Raises:
        InvalidInput: naming the field.
    """
    profile = {key: record[key] for key in LINK_PROFILE if record.get(key) is not None}
    return load_link(cast(object, profile), name=name, field=field)


def read_packages(field: str, record: dict[str, object]) -> dict[str, Any]:
    """How payloads that wait share packages: ``packing`` and ``package_max`` of a `LinkSpec`.

    Raises:
        InvalidInput: naming the field.
    """
    most = record.get("package_max", math.inf)
    return {
        "packing": flag(f"{field}.packing", record.get("packing", True)),
        "package_max": number(f"{field}.package_max", most, "bytes", above=0.0, infinite=True),
    }


def check_ranks(nodes: tuple[NodeSpec, ...], networks: list[str]) -> None:
    """Refuse a rank that names an unknown network, or one twice.

    Raises:
        InvalidInput: naming the field.
    """
    for node in nodes:
        for index, name in enumerate(node.rank):
            field = f"{node.field}.rank[{index}]"
            if name not in networks:
                allowed = f"one of {', '.join(networks)}{closest(name, networks)}"
                raise InvalidInput(field, name, allowed)
            if name in node.rank[:index]:
                raise InvalidInput(field, name, "each network once")
