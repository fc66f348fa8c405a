"""TaskScheduling in a few lines of text."""

from __future__ import annotations

from typing import Any

import numpy as np

from tiergym.engine.packing import slot_groups
from tiergym.envs.task_scheduling.observation import Sizes
from tiergym.scenarios import Scenario
from tiergym.scenarios.system import ENTRIES

_BAR = 30


def as_text(observation: dict[str, Any], scenario: Scenario, sizes: Sizes, clock: float) -> str:
    """One observation as text: time, executors, uplink, and a bar of queue length a group."""
    lines = [f"{scenario.name}  t = {clock:.3f} s of a window of {scenario.window:.1f} s"]
    lines.append("executors  " + "  ".join(map(_executor, observation["executor_seconds"])))
    uplink, upper = observation["uplink"], observation["upper"]
    if uplink[0] >= 0:
        lines.append(
            f"uplink     {uplink[1] * 1e3:.0f} kB under way, {uplink[2]:.1f} Mbit/s;"
            f" upper tier told {upper[0] * 1e3:.0f} ms of work {upper[1]:.2f} s ago"
        )
    for slot, name in enumerate(_names(scenario, sizes)):
        length = int(observation["queue_length"][slot])
        bar = "#" * min(length, _BAR) + ("+" if length > _BAR else "")
        age = float(observation["oldest_age"][slot]) * 1e3
        lines.append(f"{name:<16.16} {length:>4}  oldest {age:>7.0f} ms  {bar}")
    lines.append(f"legal actions {np.flatnonzero(observation['action_mask']).tolist()}")
    return "\n".join(lines)


def _executor(seconds: float) -> str:
    if seconds < 0:
        return "-"
    return "idle" if seconds == 0 else f"{seconds * 1e3:.0f} ms"


def _names(scenario: Scenario, sizes: Sizes) -> list[str]:
    system = scenario.system
    groups = slot_groups(system, scenario.schedule_node)
    names = [system.network_names[int(system.route_network[g // ENTRIES])] for g in groups]
    return names[: sizes.max_networks]
