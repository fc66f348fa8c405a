"""What a scenario is, in a few lines of text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tiergym.scenarios.system import DISCIPLINE_NAMES, ENTRIES, TIER_NAMES

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
        *_node_lines(scenario),
        *_link_lines(scenario),
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


def _node_lines(scenario: Scenario) -> list[str]:
    system = scenario.system
    lines: list[str] = []
    for n, name in enumerate(system.node_names):
        claimed = ", scheduled by the policy" if n == scenario.schedule_node else ""
        lines.append(
            f"  node {name:<10} {TIER_NAMES[system.node_tier[n]]}, "
            f"{system.node_executors[n]} executors, batches to {system.node_batch_max[n]}, "
            f"{system.node_memory[n] / 1e6:.4g} MB free, "
            f"{DISCIPLINE_NAMES[system.node_discipline[n]]}{claimed}"
        )
    return lines


def _link_lines(scenario: Scenario) -> list[str]:
    system = scenario.system
    return [
        f"  link {name:<10} {system.node_names[system.link_source[k]]} to "
        f"{system.node_names[system.link_target[k]]}, "
        f"{scenario.models.bandwidth[k].mean() / 1e6:.4g} Mbit/s on average, "
        f"rtt {system.link_half_rtt[k] * 2.0:.4g} s, "
        f"{system.link_per_package[k]:.4g} s a package"
        for k, name in enumerate(system.link_names)
    ]


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
