"""`LinkProfile`: one direction of a radio or a wire."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tiergym.errors import InvalidInput
from tiergym.fields import is_mapping, mapping, number, source_record, text
from tiergym.links.autoregressive import AutoregressiveBandwidth
from tiergym.links.bandwidth import BandwidthProcess, ConstantBandwidth
from tiergym.links.trace import TraceBandwidth
from tiergym.shipped import open_record, shipped_names

_KEYS = (
    "name",
    "description",
    "profile",
    "rtt",
    "per_package",
    "bandwidth",
    "base_watts",
    "watts_per_mbps",
    "source",
)
_PROCESSES = (
    "Mbit/s, {constant: Mbit/s}, {ar1: {median, sigma, rho, step, low, high}} or "
    "{trace: file or [[seconds, Mbit/s], ...], loop, random_start}"
)


@dataclass(frozen=True, eq=False)
class LinkProfile:
    """What a directed link is drawn from.

    Attributes:
        name: the name it goes by.
        rtt: seconds to the other end and back, without waiting.
        per_package: seconds on the wire before the first byte of a package.
        bandwidth: the process that its bandwidth is drawn from.
        base_watts: while a package is on the wire; None unknown.
        watts_per_mbps: on top, per Mbit/s; None unknown.
        source: where the figures come from.
    """

    name: str
    rtt: float
    per_package: float
    bandwidth: BandwidthProcess
    base_watts: float | None
    watts_per_mbps: float | None
    source: dict[str, Any]


def link_names() -> list[str]:
    """Names of the shipped link profiles, sorted."""
    return shipped_names("links")


def load_link(
    given: object, *, name: str | None = None, field: str = "link", folder: Path | None = None
) -> LinkProfile:
    """The link profile that ``given`` stands for.

    Args:
        given: a shipped profile's name, the path of a YAML file, a mapping of the same shape, or
            a `LinkProfile`, which is returned as it is. A mapping needs ``bandwidth`` only (rtt
            and per_package are 0), or a ``profile`` whose fields it overrides.
        name: the name of a mapping that gives none.
        field: where it was given, for messages.
        folder: where relative paths start.

    Raises:
        InvalidInput: for a name that is not known, or a field that is missing, unknown or wrong.
    """
    if isinstance(given, LinkProfile):
        return given
    record, stem, folder = open_record("links", given, field, folder)
    record = mapping(field, record, _KEYS)
    base = record.get("profile")
    if base is None:
        return _build(field, record, name or stem or "link", None, folder)
    parent = load_link(base, field=f"{field}.profile", folder=folder)
    return _build(field, record, name or stem or parent.name, parent, folder)


def parse_bandwidth(field: str, value: object, folder: Path | None = None) -> BandwidthProcess:
    """Read what a user may write for a bandwidth: Mbit/s, or a mapping that names a process.

    Raises:
        InvalidInput: naming the field and what is allowed there.
    """
    if isinstance(value, BandwidthProcess):
        return value
    if isinstance(value, (int, float)):
        return ConstantBandwidth.parse(field, value)
    if not is_mapping(value):
        raise InvalidInput(field, value, _PROCESSES)
    record = mapping(field, value)
    if "trace" in record:
        return TraceBandwidth.parse(field, record, folder)
    if list(record) == ["constant"]:
        return ConstantBandwidth.parse(f"{field}.constant", record["constant"])
    if list(record) == ["ar1"]:
        return AutoregressiveBandwidth.parse(f"{field}.ar1", record["ar1"])
    raise InvalidInput(field, sorted(record), _PROCESSES)


def _build(
    field: str,
    record: dict[str, object],
    name: str,
    parent: LinkProfile | None,
    folder: Path | None,
) -> LinkProfile:
    if "bandwidth" in record:
        bandwidth = parse_bandwidth(f"{field}.bandwidth", record["bandwidth"], folder)
    elif parent is not None:
        bandwidth = parent.bandwidth
    else:
        raise InvalidInput(f"{field}.bandwidth", None, _PROCESSES)
    return LinkProfile(
        name=text(f"{field}.name", record.get("name", name)),
        rtt=_seconds(field, record, "rtt", parent.rtt if parent else 0.0),
        per_package=_seconds(field, record, "per_package", parent.per_package if parent else 0.0),
        bandwidth=bandwidth,
        base_watts=_watts(field, record, "base_watts", parent.base_watts if parent else None),
        watts_per_mbps=_watts(
            field, record, "watts_per_mbps", parent.watts_per_mbps if parent else None
        ),
        source=_source(field, record, parent),
    )


def _seconds(field: str, record: dict[str, object], key: str, default: float) -> float:
    return number(f"{field}.{key}", record.get(key, default), "seconds", low=0.0)


def _watts(field: str, record: dict[str, object], key: str, default: float | None) -> float | None:
    value = record.get(key, default)
    return None if value is None else number(f"{field}.{key}", value, "watts", low=0.0)


def _source(field: str, record: dict[str, object], parent: LinkProfile | None) -> dict[str, Any]:
    """A parent's record still holds for what was not overridden."""
    own = source_record(f"{field}.source", record.get("source"))
    if parent is None or own:
        return own
    return {**parent.source, "overridden": sorted(set(record) - {"profile", "name", "source"})}
