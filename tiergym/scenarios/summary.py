"""What a scenario is, in a few lines of text."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from tiergym.scenarios.covering import Covering, Failing
from tiergym.scenarios.system import DISCIPLINE_NAMES, ENTRIES, TIER_NAMES, Selection, System

if TYPE_CHECKING:
    from tiergym.scenarios.scenario import Scenario


def summary_text(scenario: Scenario) -> str:
    """Name, capacities, load, nodes, links and networks, one a line."""
    capacity = scenario.capacity
    lines = [
        f"{scenario.name} (version {scenario.version}, {scenario.problem})",
        f"  {scenario.description}" if scenario.description else "",
        f"  arrivals        {scenario.rate:.4g} tasks/s over {scenario.window:.4g} s, "
        f"{scenario.rate * scenario.window:.0f} tasks",
        f"  capacity        {capacity.total:.4g} tasks/s in all: {capacity.local:.4g} here "
        f"(unbatched {capacity.unbatched:.4g}), uplink {capacity.uplink:.4g}, "
        f"above {capacity.upper:.4g}",
        f"  load            {scenario.load:.3g} of total{_unbatched_load(scenario)}",
        f"  cost            {_cost(scenario)}",
        *_trace_lines(scenario),
        *_selection_lines(scenario),
        *_alike(scenario, "node", _node_lines(scenario)),
        *_alike(scenario, "link", _link_lines(scenario)),
        *_network_lines(scenario),
    ]
    return "\n".join(line for line in lines if line)


def _unbatched_load(scenario: Scenario) -> str:
    alone = scenario.capacity.unbatched
    return f", {scenario.rate / alone:.3g} of unbatched local" if alone > 0.0 else ""


def _cost(scenario: Scenario) -> str:
    cost = scenario.system.cost
    parts = (
        f"delay {cost.delay_weight:g}",
        f"error {cost.error_weight:g}",
        f"late {cost.late_weight:g}",
        f"energy {cost.energy_weight:g}",
        f"a refusal {cost.refusal_seconds:g} s",
    )
    return ", ".join(parts)


def _trace_lines(scenario: Scenario) -> list[str]:
    stream = scenario.models.streams[0]
    own = stream.process.own_rate
    if own is None:
        return []
    factor = own / stream.rate
    return [f"  trace           {own:.4g} tasks/s as recorded; its times and bursts x {factor:.4g}"]


def _alike(scenario: Scenario, kind: str, lines: list[tuple[str, str]]) -> list[str]:
    """One line each; where terminals select edges, one for all that are alike."""
    if scenario.system.selection is None:
        return [f"  {kind} {name:<10} {text}" for name, text in lines]
    names: dict[str, list[str]] = {}
    for name, text in lines:
        names.setdefault(text, []).append(name)
    return [f"  {kind} {_counted(found):<28} {text}" for text, found in names.items()]


def _counted(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} like it"


def _selection_lines(scenario: Scenario) -> list[str]:
    selection, covering = scenario.system.selection, scenario.models.covering
    if selection is None or covering is None:
        return []
    every = {0.0: "at every upload", math.inf: "once an episode"}
    moves = (
        f"move from utilisation {selection.overload_mark:g} on, every "
        f"{selection.hold_seconds:g} s at most"
        if selection.moves
        else "never move"
    )
    attach = every.get(selection.attach_every, f"every {selection.attach_every:g} s")
    return [
        f"  terminals       attach {attach}, {moves}; {selection.reconnect_seconds:g} s to "
        f"reconnect, {selection.timeout_seconds:g} s until a lost task is sent again",
        f"  reports         {_reports(selection.report_interval)}",
        f"  sites           {_sites(covering)}",
        *_failure_lines(covering.failing),
        *_fetch_lines(selection),
    ]


def _reports(interval: float) -> str:
    return f"every {interval:g} s" if interval > 0.0 else "always fresh"


def _sites(covering: Covering) -> str:
    ground = covering.ground
    if ground is None:
        rtt = covering.given_rtt + covering.extra_rtt
        near = rtt[np.isfinite(rtt)]
        return f"round trips as given, {near.min():g} to {near.max():g} s"
    speed = ground.km_per_second * 3600.0
    walk = f"{ground.moving:g} of the terminals walk at {speed:g} km/h" if ground.walked else ""
    radius = f"edges within {ground.range_km:g} km in range, the nearest always"
    return ", ".join(part for part in (ground.places.name, radius, walk) if part)


def _failure_lines(failing: Failing | None) -> list[str]:
    if failing is None:
        return []
    return [
        f"  failures        of {len(failing.edges)} edges, up {failing.mean_up:g} s and down "
        f"{failing.mean_down:g} s on average"
    ]


def _fetch_lines(selection: Selection) -> list[str]:
    lacking = selection.fetch_seconds[~selection.deployed]
    if not lacking.size:
        return []
    return [f"  parameters      fetched in {lacking.min():.4g} to {lacking.max():.4g} s"]


def _node_lines(scenario: Scenario) -> list[tuple[str, str]]:
    system = scenario.system
    lines: list[tuple[str, str]] = []
    for n, name in enumerate(system.node_names):
        scheduled = n == scenario.schedule_node and system.selection is None
        claimed = ", scheduled by the policy" if scheduled else ""
        text = (
            f"{TIER_NAMES[system.node_tier[n]]}, "
            f"{system.node_executors[n]} executors, batches to {system.node_batch_max[n]}, "
            f"{system.node_memory[n] / 1e6:.4g} MB free, "
            f"{DISCIPLINE_NAMES[system.node_discipline[n]]}{claimed}"
        )
        lines.append((name, text))
    return lines


def _link_lines(scenario: Scenario) -> list[tuple[str, str]]:
    system = scenario.system
    return [
        (
            name,
            f"{_ends(system, k)}, "
            f"{scenario.models.bandwidth[k].mean() / 1e6:.4g} Mbit/s on average, "
            f"{_rtt(system, k)}{system.link_per_package[k]:.4g} s a package",
        )
        for k, name in enumerate(system.link_names)
    ]


def _ends(system: System, link: int) -> str:
    if system.selection is not None:
        return "to the edge selected" if link < system.selection.terminals else "to the cloud"
    source, target = system.link_source[link], system.link_target[link]
    return f"{system.node_names[source]} to {system.node_names[target]}"


def _rtt(system: System, link: int) -> str:
    selected = system.selection is not None and link < system.selection.terminals
    return "" if selected else f"rtt {system.link_half_rtt[link] * 2.0:.4g} s, "


def _network_lines(scenario: Scenario) -> list[str]:
    system = scenario.system
    shares = scenario.models.streams[0].popularity
    lines: list[str] = []
    for m, share in enumerate(shares):
        route = system.network_route[m]
        lines.append(
            f"  network {system.network_names[m]:<14} share {share:.3g}, "
            f"{system.group_payload[ENTRIES * route]:.6g} B, "
            f"deadline {scenario.models.allowed[m]:g} s, placement "
            f"({system.route_p1[route]}, {system.route_p2[route]}) of {system.network_blocks[m]}"
        )
    return lines
