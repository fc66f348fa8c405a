"""Reading the networks of a scenario: what is served, how often, by when and where it is cut."""

from __future__ import annotations

import math
from dataclasses import replace

from tiergym.errors import InvalidInput
from tiergym.fields import integer, is_mapping, mapping, number, sequence, text
from tiergym.networks import Network, load_network
from tiergym.scenarios.spec import NetworkSpec

_OWN = ("popularity", "deadline", "placement", "thresholds", "network")
_INLINE = ("input_bytes", "blocks", "exits", "architecture")
DECIDED_LEVELS = ((0.4, 0.4), (0.6, 0.6), (0.75, 0.75), (0.9, 0.9), (math.inf, math.inf))
"""Confidence thresholds that ``thresholds: decided`` lets a `place` decision choose from; under the
last no task leaves before block L."""


def read_networks(value: object) -> tuple[NetworkSpec, ...]:
    """The networks, in the order given.

    Raises:
        InvalidInput: naming the field.
    """
    given = mapping("networks", value)
    specs = tuple(_network(f"networks.{name}", name, entry) for name, entry in given.items())
    if not sum(spec.popularity for spec in specs) > 0.0:
        raise InvalidInput("networks", list(given), "at least one network of popularity > 0")
    return specs


def _network(field: str, name: str, value: object) -> NetworkSpec:
    record = mapping(field, {} if value is None else value, (*_OWN, *_INLINE))
    network = _load(field, name, record)
    popularity, deadline = record.get("popularity", 1.0), record.get("deadline", math.inf)
    levels = _levels(f"{field}.thresholds", record.get("thresholds"))
    return NetworkSpec(
        name=text(field, name),
        network=network,
        popularity=number(f"{field}.popularity", popularity, "share", low=0.0, high=1e12),
        deadline=number(f"{field}.deadline", deadline, "seconds", above=0.0, infinite=True),
        placement=_placement(f"{field}.placement", record.get("placement"), network.blocks),
        thresholds=levels[0] if levels else None,
        levels=levels,
    )


def _load(field: str, name: str, record: dict[str, object]) -> Network:
    """A network of its own fields, or a shipped one; ``input_bytes`` overrides a named one's."""
    inline = {key: record[key] for key in _INLINE if record.get(key) is not None}
    if record.get("network") is None:
        return load_network(inline or name, name=name, field=field)
    network = load_network(record["network"], name=name, field=f"{field}.network")
    for key in ("blocks", "exits", "architecture"):
        if key in inline:
            raise InvalidInput(f"{field}.{key}", inline[key], "nothing beside network")
    if "input_bytes" in inline:
        size = number(f"{field}.input_bytes", inline["input_bytes"], "bytes", low=0.0)
        return replace(network, input_bytes=size)
    return network


def _placement(field: str, value: object, blocks: int) -> tuple[int, int] | None:
    if value is None or value == "whole":
        return None
    allowed = f"whole, or [p1, p2] with 0 <= p1 <= p2 <= {blocks}"
    pair = sequence(field, value, allowed)
    if len(pair) != 2:
        raise InvalidInput(field, value, allowed)
    p1, p2 = (integer(f"{field}[{k}]", item, "blocks") for k, item in enumerate(pair))
    if not p1 <= p2 <= blocks:
        raise InvalidInput(field, value, allowed)
    return p1, p2


def _levels(field: str, value: object) -> tuple[tuple[float, float], ...]:
    """None, a pair, ``decided`` (the standard levels), or ``{decided: [pair, ...]}``."""
    if value is None:
        return ()
    if value == "decided":
        return DECIDED_LEVELS
    if is_mapping(value):
        record = mapping(field, value, ("decided",))
        rows = sequence(f"{field}.decided", record.get("decided"), "a list of [at p1, at p2]")
        levels = [_thresholds(f"{field}.decided[{k}]", row) for k, row in enumerate(rows)]
        if not levels:
            raise InvalidInput(f"{field}.decided", rows, "at least one pair")
        return tuple(levels)
    return (_thresholds(field, value),)


def _thresholds(field: str, value: object) -> tuple[float, float]:
    pair = sequence(field, value, "[at p1, at p2]")
    if len(pair) != 2:
        raise InvalidInput(field, value, "[at p1, at p2], a confidence each")
    first, second = (
        number(f"{field}[{k}]", item, "confidence", low=0.0, infinite=True)
        for k, item in enumerate(pair)
    )
    return first, second
