"""EdgeSelection in a few lines of text."""

from __future__ import annotations

from typing import Any

import numpy as np

from tiergym.engine.layout import SEEN_REPORTS
from tiergym.scenarios import Scenario


def as_text(observation: dict[str, Any], scenario: Scenario, clock: float) -> str:
    """One observation as text: whose turn it is, and what that terminal knows of each edge."""
    assert scenario.system.selection is not None
    k, terminals, stage, rate, waiting, _, _, unanswered = observation["terminal"]
    word = "may move" if stage else "attaches"
    lines = [
        f"{scenario.name}  t = {clock:.3f} s of a window of {scenario.window:.1f} s",
        f"terminal {k:.0f} of {terminals:.0f} {word}: {waiting:.0f} tasks wait, "
        f"{unanswered:.0f} unanswered, uplink {rate:.1f} Mbit/s",
    ]
    edges = observation["edge"].reshape(-1, 7)
    reports = observation["reports"].reshape(len(edges), SEEN_REPORTS, -1)[:, 0]
    for e in range(scenario.system.selection.edges):
        reach, rtt, attached, alone, *_ = edges[e]
        used, queue, backlog, *_, age = reports[e]
        mark = "*" if attached else " "
        where = f"{rtt * 1e3:5.1f} ms away" if reach else "out of range "
        lines.append(
            f"{mark} edge {e:<3} {where}, {alone * 1e3:6.1f} ms a task; {age:6.2f} s ago: busy "
            f"{used:.0%}, {queue:.0f} queued, {backlog * 1e3:.0f} ms of work"
        )
    lines.append(f"{int(np.sum(observation['action_mask']))} legal actions")
    return "\n".join(lines)
