"""How often greedy misses the best pair: ``python -m baselines.exit_placement.suboptimality``.

Thousands of conditions are drawn over the networks, devices and links of the shipped scenarios:
bandwidths over a hundredfold, round trips and stage times each up to three times shorter or longer,
and how much accuracy counts. In each the three variants of the search are compared with the least
overhead of all pairs, on the same expression. Printed with 95 % intervals (Wilson's for shares).
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import gymnasium as gym
import numpy as np

import tiergym
from baselines.exit_placement._observation import Floats, Layout, Rows
from baselines.exit_placement.greedy import VARIANTS, overhead, search
from tiergym.scenarios import split_scenarios
from tiergym.scenarios.system import pair_number

CONDITIONS = 500
"""Of each scenario."""
SEED = 3_100_000_000
BANDWIDTH = (5e5, 5e7)
STRETCH = 3.0
WEIGHTS = (0.1, 10.0)
Z = 1.959964
ROUNDING = 1e-9
"""Relative excess overhead above which the best pair counts as missed."""


def conditions(rows: Rows, count: int, rng: np.random.Generator) -> Rows:
    """``count`` rows with other bandwidths, round trips and stage times."""

    def times(*shape: int) -> Floats:
        return np.exp(rng.uniform(-np.log(STRETCH), np.log(STRETCH), (count, *shape)))

    many = Rows._make(np.repeat(field, count, axis=0) for field in rows)
    low, high = np.log(BANDWIDTH).tolist()
    bandwidth = np.exp(rng.uniform(low, high, (count, 2)))
    return many._replace(
        bandwidth=bandwidth,
        rtt=many.rtt * times(2),
        seconds=many.seconds * times(1, many.seconds.shape[2]),
    )


def examine(scenario: str, count: int, rng: np.random.Generator) -> dict[str, Floats]:
    """Relative excess overhead of each variant under drawn conditions of a scenario."""
    env: Any = gym.make("tiergym/ExitPlacement-v0", scenario=scenario).unwrapped
    observation, _ = env.reset(seed=0)
    layout = Layout.of(env)
    rows = conditions(layout.rows(observation)[0], count, rng)
    low, high = np.log(WEIGHTS).tolist()
    weights = np.exp(rng.uniform(low, high, count))
    found: dict[str, list[float]] = {variant: [] for variant in VARIANTS}
    for k in range(count):
        one = Rows._make(field[k : k + 1] for field in rows)
        costs = overhead(one, layout, float(weights[k]), False)[0][0]
        _compare(costs, int(one.blocks[0]), found)
    return {variant: np.array(values) for variant, values in found.items()}


def _compare(costs: Floats, blocks: int, found: dict[str, list[float]]) -> None:
    def cost(ends: tuple[int, int]) -> float:
        return float(costs[pair_number(*ends)])

    least = float(costs.min())
    for variant, values in found.items():
        values.append(cost(search(cost, blocks, variant)) / least - 1.0)


def wilson(share: float, count: int) -> tuple[float, float]:
    """95 % interval of a share (Wilson 1927)."""
    centre = (share + Z**2 / (2 * count)) / (1 + Z**2 / count)
    half = Z / (1 + Z**2 / count) * np.sqrt(share * (1 - share) / count + Z**2 / (4 * count**2))
    return float(centre - half), float(centre + half)


def main(words: Sequence[str] | None = None) -> int:
    """Print a line a variant."""
    given = list(sys.argv[1:] if words is None else words)
    count = int(given[0]) if given else CONDITIONS
    names = [
        name for split in ("train", "test") for name in split_scenarios("exit_placement", split)
    ]
    rng = np.random.default_rng(SEED)
    parts = [examine(name, count, rng) for name in names]
    total = count * len(names)
    print(f"tiergym {tiergym.__version__}: {total} conditions over {len(names)} scenarios")
    print(f"{'variant':<14}{'missed':>9}{'95 %':>18}{'mean gap':>11}{'95th':>9}{'worst':>9}")
    for variant in VARIANTS:
        excess = np.concatenate([part[variant] for part in parts])
        missed = float(np.mean(excess > ROUNDING))
        low, high = wilson(missed, total)
        print(
            f"{variant:<14}{missed:>9.1%}{f'[{low:.1%}, {high:.1%}]':>18}"
            f"{excess.mean():>11.2%}{np.quantile(excess, 0.95):>9.1%}"
            f"{excess.max():>9.1%}"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
