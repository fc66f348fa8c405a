"""``python -m tests.bench`` (or ``make bench``): every benchmark, one thread, as tables."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Callable
from typing import Any

import gymnasium
import numba
import numpy as np

from tests.bench import environments, learning, placement, selection, simulator
from tiergym.scenarios import load_split

Row = dict[str, Any]


def vector_rows() -> list[Row]:
    """TaskScheduling-v0, split train, random legal actions, resets included."""
    rows: list[Row] = []
    for count, steps in ((1, 20_000), (64, 4_000), (1_024, 600)):
        rate = environments.vector_rate(count, steps)
        peer = environments.cartpole_vector_rate(count, steps)
        rows.append(rate_row("rows", count, rate, peer))
    return rows


def single_rows() -> list[Row]:
    """One step at a time through gym.make, resets included."""
    rate, peer = environments.single_rate(100), environments.cartpole_single_rate(40_000)
    return [rate_row("through", "gym.make", rate, peer)]


def rate_row(label: str, value: Any, rate: float, peer: float) -> Row:
    return {
        label: value,
        "decisions/s": f"{rate:,.0f}",
        "CartPole's steps/s": f"{peer:,.0f}",
        "ratio": f"{rate / peer:.2f}",
    }


def reset_rows() -> list[Row]:
    """Draws and resets: what one costs, and 1 024 rows together beside one of their steps."""
    step = 1_024 / environments.vector_rate(1_024, 200)
    reset = environments.reset_seconds(1_024)
    draws = [simulator.draw_seconds(s.name) for s in load_split("task_scheduling", "train")]
    return [
        {
            "draw, us (mean over train)": f"{np.mean(draws) * 1e6:.0f}",
            "reset of a row, us": f"{reset / 1_024 * 1e6:.0f}",
            "reset of 1 024 rows, ms": f"{reset * 1e3:.0f}",
            "steps of 1 024 rows in that time": f"{reset / step:.0f}",
        }
    ]


def episode_rows() -> list[Row]:
    """Microseconds a decision by the number of tasks an episode."""
    rows: list[Row] = []
    for tasks in (1_000, 10_000, 100_000, 1_000_000):
        scenario = simulator.networks_scenario(4, tasks)
        rate = environments.played_rate(4, 20_000, scenario=scenario)
        rows.append({"tasks an episode": f"{tasks:,}", "us a decision": f"{1e6 / rate:.2f}"})
    return rows


def network_rows() -> list[Row]:
    """Microseconds a decision by the number of networks (64 rows, max_networks to match)."""
    rows: list[Row] = []
    for networks in (2, 4, 8, 16, 32):
        scenario = simulator.networks_scenario(networks)
        rate = environments.vector_rate(64, 1_000, scenario=scenario, max_networks=networks)
        rows.append({"networks": networks, "us a decision": f"{1e6 / rate:.2f}"})
    return rows


SECTIONS: dict[str, Callable[[], list[Row]]] = {
    "Vector environment": vector_rows,
    "Single environment": single_rows,
    "Engine beside SimPy": simulator.rows_against_simpy,
    "Events by length of the episode": simulator.rows_by_size,
    "Draws and resets": reset_rows,
    "Decisions by length of the episode": episode_rows,
    "Decisions by number of networks": network_rows,
    "Placement, vector environment": placement.rows_by_rows,
    "Placement, engine beside SimPy": placement.rows_against_simpy,
    "Learning, adapter beside DummyVecEnv": learning.rows_beside_dummy,
    "Learning, by algorithm": learning.rows_by_algorithm,
    "Selection, vector environment": selection.rows_by_rows,
    "Selection, engine beside SimPy": selection.rows_against_simpy,
    "Selection, policies": selection.rows_of_policies,
}


def show(title: str, work: Callable[[], list[Row]]) -> None:
    """Print one section as a table."""
    print(f"\n{title}: {work.__doc__}", flush=True)
    rows = work()
    cells = [list(rows[0]), *([_text(v) for v in row.values()] for row in rows)]
    widths = [max(len(line[k]) for line in cells) for k in range(len(cells[0]))]
    for line in cells:
        print("  " + "  ".join(cell.rjust(w) for cell, w in zip(line, widths, strict=True)))


def _text(value: Any) -> str:
    return f"{value:.2f}" if isinstance(value, float) else str(value)


if __name__ == "__main__":
    chosen = sys.argv[1:]
    versions = {"numpy": np, "numba": numba, "gymnasium": gymnasium}
    print(platform.platform(), "; Python", platform.python_version(), end="")
    print("".join(f"; {name} {module.__version__}" for name, module in versions.items()))
    print(f"load average {os.getloadavg()[0]:.2f}: ratios mean little unless the cores are quiet")
    for title, work in SECTIONS.items():
        if not chosen or any(word.lower() in title.lower() for word in chosen):
            show(title, work)
