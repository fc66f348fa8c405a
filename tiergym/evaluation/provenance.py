"""Where a scenario's figures come from: the source of every device, link, network and trace."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tiergym.devices import load_device
from tiergym.fields import mapping, read_yaml, sequence
from tiergym.links import load_link, site_names
from tiergym.links.sites import site_record
from tiergym.networks import load_network
from tiergym.shipped import data_folder, is_path, shipped_names
from tiergym.workload.series import series_names, series_record


def profile_name(node: Mapping[str, Any]) -> str:
    """Name of a node's device profile; ``inline`` where the scenario spells it out."""
    profile = node.get("profile")
    return profile if isinstance(profile, str) else "inline"


def sources_of(config: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """``{"device titan-x-pascal-nexus": {"from": ..., "licence": ...}, ...}`` of what is named.

    Figures that the scenario itself spells out have no entry.
    """
    found: dict[str, dict[str, Any]] = {}
    for node in _nodes(config):
        _add(found, "device", node.get("profile"), load_device)
    for name, network in _parts_by_name(config, "networks").items():
        _add(found, "network", network.get("network", name), load_network)
    for link in _link_profiles(config):
        _add(found, "link", link, load_link)
    places = mapping("sites", config.get("sites") or {}).get("places")
    if isinstance(places, str) and places in site_names():
        found[f"places {places}"] = mapping("source", site_record(places)["source"])
    for arrivals in [mapping("arrivals", config["arrivals"]), *_background(config)]:
        trace = arrivals.get("trace")
        if isinstance(trace, str) and trace in shipped_names("workload"):
            record = mapping("trace", read_yaml(data_folder("workload") / f"{trace}.yaml"))
            found[f"trace {trace}"] = mapping("source", record.get("source") or {})
        series = arrivals.get("series")
        if isinstance(series, str) and series in series_names():
            found[f"series {series}"] = mapping("source", series_record(series)["source"])
    return found


def _nodes(config: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """What has a device profile: named nodes, or terminals, edges and cloud."""
    edges = [mapping("edges", edge) for edge in sequence("edges", config.get("edges") or [])]
    single = [mapping(key, config.get(key) or {}) for key in ("terminals", "cloud")]
    return [*_parts(config, "nodes"), *edges, *single]


def _link_profiles(config: Mapping[str, Any]) -> list[object]:
    """What links are named after: their profiles, the terminals' radios, the edges' backhaul."""
    radios = mapping("terminals", config.get("terminals") or {}).get("radios")
    backhaul = mapping("backhaul", config.get("backhaul") or {})
    named = list(mapping("radios", radios or {}))
    return [
        *(link.get("profile") for link in _parts(config, "links")),
        *named,
        backhaul.get("profile"),
    ]


def _add(
    found: dict[str, dict[str, Any]], kind: str, name: object, load: Callable[[str], Any]
) -> None:
    if isinstance(name, str) and (name in shipped_names(f"{kind}s") or is_path(name)):
        found[f"{kind} {name}"] = dict(load(name).source)


def _parts_by_name(config: Mapping[str, Any], key: str) -> dict[str, Mapping[str, Any]]:
    parts = mapping(key, config.get(key) or {})
    return {name: mapping(name, part) for name, part in parts.items()}


def _parts(config: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    return list(_parts_by_name(config, key).values())


def _background(config: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    entries = sequence("background", config.get("background") or [])
    return [mapping("background", entry) for entry in entries]
