"""ExitPlacement in a few lines of text."""

from __future__ import annotations

from typing import Any

import numpy as np

from tiergym.scenarios import Scenario
from tiergym.scenarios.system import TIER_NAMES


def as_text(observation: dict[str, Any], scenario: Scenario, clock: float) -> str:
    """One observation as text: time, placement in force, links, and what each tier is busy with."""
    p1, p2, level, known = observation["placement"]
    placed = f"exits after blocks {p1:.0f} and {p2:.0f}, level {level:.0f}" if known else "nothing"
    links, past = observation["link"], observation["utilisation_past"]
    lines = [
        f"{scenario.name}  t = {clock:.3f} s of a window of {scenario.window:.1f} s",
        f"in force   {placed} of {observation['network'][0]:.0f} blocks; "
        f"{observation['in_system'][0]:.0f} tasks under way, "
        f"{observation['arrivals_past'][0]:.1f} a second arrived lately",
        f"links      {links[3]:.1f} Mbit/s up, {links[2] * 1e3:.0f} ms waiting; "
        f"{links[7]:.1f} Mbit/s beyond, {links[6] * 1e3:.0f} ms waiting",
    ]
    for tier, name in enumerate(TIER_NAMES):
        lines.append(
            f"{name:<10} {observation['queue_length'][tier]:>5.0f} queued, "
            f"{observation['backlog_seconds'][tier] * 1e3:>8.0f} ms of work, "
            f"busy {past[tier]:.0%} of the last interval"
        )
    lines.append(f"{int(np.sum(observation['action_mask']))} legal actions")
    return "\n".join(lines)
