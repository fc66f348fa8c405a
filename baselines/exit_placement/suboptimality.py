"""Greedy over thousands of conditions: ``python -m baselines.exit_placement.suboptimality``.

Conditions are drawn over the networks, devices and links of the shipped scenarios: bandwidths over
a hundredfold, round trips and stage times each up to three times shorter or longer, and how much
accuracy counts. Two questions, with 95 % intervals (Wilson's for shares):

- How often does each variant of the search miss the pair of the least overhead, and by how much?
- In what share of the conditions does the pair that greedy finds, under the scenario's own trade of
  delay against accuracy, answer sooner on average than each single tier, and at which accuracy?

Both once for tasks that are alone, as the thesis judges a pair, and once with the waiting expected
at drawn loads: arrivals up to what the terminal alone can take and a fifth more, other users' share
of edge and cloud up to four fifths.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

import tiergym
from baselines.exit_placement._expected import Conditions, expected_seconds, present
from baselines.exit_placement._observation import Floats, Layout, Rows
from baselines.exit_placement.greedy import VARIANTS, overhead, search
from tiergym.scenarios import split_scenarios
from tiergym.scenarios.system import TIER_NAMES, pair_number

CONDITIONS = 500
"""Of each scenario."""
SEED = 3_100_000_000
BANDWIDTH = (5e5, 5e7)
STRETCH = 3.0
WEIGHTS = (0.1, 10.0)
MOST_LOAD, MOST_OTHERS = 1.2, 0.8
"""Of what the terminal can take by itself; share of edge and cloud that other users take."""
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


def drawn(scenario: str, count: int, rng: np.random.Generator) -> tuple[Rows, Layout]:
    """Conditions of a scenario, a row each."""
    env: Any = gym.make("tiergym/ExitPlacement-v0", scenario=scenario).unwrapped
    observation, _ = env.reset(seed=0)
    layout = Layout.of(env)
    return conditions(layout.rows(observation)[0], count, rng), layout


def examine(
    rows: Rows, layout: Layout, at: Conditions | None, rng: np.random.Generator
) -> dict[str, Floats]:
    """Relative excess overhead of each variant, with a drawn weight of accuracy a row.

    Args:
        at: conditions under which tasks wait; None for tasks that are alone.
    """
    low, high = np.log(WEIGHTS).tolist()
    weights = np.exp(rng.uniform(low, high, len(rows.blocks)))
    found: dict[str, list[float]] = {variant: [] for variant in VARIANTS}
    for k, weight in enumerate(weights.tolist()):
        one = Rows._make(field[k : k + 1] for field in rows)
        under = at and Conditions._make(field[k : k + 1] for field in at)
        costs = overhead(one, layout, weight, at is not None, under)[0][0]
        _compare(costs, int(one.blocks[0]), found)
    return {variant: np.array(values) for variant, values in found.items()}


def _compare(costs: Floats, blocks: int, found: dict[str, list[float]]) -> None:
    least = float(costs.min())
    for variant, values in found.items():
        pair = search(lambda ends: float(costs[pair_number(*ends)]), blocks, variant)
        values.append(float(costs[pair_number(*pair)]) / least - 1.0)


def loads(rows: Rows, rng: np.random.Generator) -> Conditions:
    """Arrivals and others' use drawn for each row, at its own bandwidth."""
    count = len(rows.blocks)
    whole = pair_number(rows.blocks, rows.blocks)
    alone = rows.seconds[np.arange(count), whole, 0] * rows.gain[:, 0]
    others = rng.uniform(0.0, MOST_OTHERS, (count, len(TIER_NAMES)))
    others[:, 0] = 0.0
    return Conditions(rows.bandwidth, rng.uniform(0.0, MOST_LOAD, count) / alone, others)


def against_tiers(rows: Rows, layout: Layout, at: Conditions | None) -> tuple[Floats, Floats]:
    """Greedy under each row's own weights: latency over each tier's, and accuracy beside the last.

    Args:
        at: conditions under which tasks wait; None for tasks that are alone.

    Returns:
        float64[n, 3], expected seconds over those of terminal, edge and cloud alone; float64[n, 2],
        share of right answers of greedy's pair and of the last head.
    """
    under = at or present(rows, layout)
    costs, levels = overhead(rows, layout, None, at is not None, under)
    seconds = expected_seconds(rows, layout, under, at is not None)
    ratios, right = np.empty((len(costs), len(TIER_NAMES))), np.empty((len(costs), 2))
    for k, own in enumerate(costs):
        blocks = int(rows.blocks[k])
        found = search(lambda ends, own=own: float(own[pair_number(*ends)]), blocks, "scan")
        pair = pair_number(*found)
        action = int(levels[k, pair]) * rows.pairs + pair
        pure = [pair_number(*ends) for ends in ((blocks, blocks), (0, blocks), (0, 0))]
        ratios[k] = seconds[k, action] / seconds[k, pure]
        right[k] = rows.accuracy[k, action], rows.accuracy[k, 0]
    return ratios, right


def wilson(share: float, count: int) -> tuple[float, float]:
    """95 % interval of a share (Wilson 1927)."""
    centre = (share + Z**2 / (2 * count)) / (1 + Z**2 / count)
    half = Z / (1 + Z**2 / count) * np.sqrt(share * (1 - share) / count + Z**2 / (4 * count**2))
    return float(centre - half), float(centre + half)


def _share(values: NDArray[np.bool_]) -> str:
    share = float(np.mean(values))
    low, high = wilson(share, len(values))
    return f"{share:>9.1%}{f'[{low:.1%}, {high:.1%}]':>18}"


def show_variants(parts: Sequence[Mapping[str, Floats]]) -> None:
    """Print how often, and by how much, each variant misses the least overhead."""
    print(f"{'variant':<14}{'missed':>9}{'95 %':>18}{'mean gap':>11}{'95th':>9}{'worst':>9}")
    for variant in VARIANTS:
        excess = np.concatenate([part[variant] for part in parts])
        print(
            f"{variant:<14}{_share(excess > ROUNDING)}"
            f"{excess.mean():>11.2%}{np.quantile(excess, 0.95):>9.1%}{excess.max():>9.1%}"
        )


def show_tiers(ratios: Floats, right: Floats) -> None:
    """Print in what share of the conditions greedy is quicker than each tier, and all three."""
    print(f"{'quicker than':<14}{'share':>9}{'95 %':>18}{'latency (geometric mean)':>27}")
    for tier, name in enumerate(TIER_NAMES):
        mean = float(np.exp(np.log(ratios[:, tier]).mean()))
        print(f"{name + ' only':<14}{_share(ratios[:, tier] < 1.0)}{mean:>20.3f} times")
    best = float(np.exp(np.log(ratios.max(axis=1)).mean()))
    every = np.asarray(np.max(ratios, axis=1) < 1.0)
    print(f"{'all three':<14}{_share(every)}{best:>20.3f} times the quickest")
    mean, last = right.mean(axis=0).tolist()
    print(f"right answers: {mean:.1%}; of the last head, which single tiers use: {last:.1%}")


def main(words: Sequence[str] | None = None) -> int:
    """Print two tables, twice; the only word is the number of conditions of each scenario."""
    given = list(sys.argv[1:] if words is None else words)
    count = int(given[0]) if given else CONDITIONS
    names = [
        name for split in ("train", "test") for name in split_scenarios("exit_placement", split)
    ]
    print(
        f"tiergym {tiergym.__version__}: greedy under {count * len(names)} conditions "
        f"over {len(names)} scenarios"
    )
    for title, waiting in (("tasks that are alone", False), ("tasks that wait", True)):
        rng = np.random.default_rng(SEED)
        parts: list[Mapping[str, Floats]] = []
        tiers: list[tuple[Floats, Floats]] = []
        for name in names:
            rows, layout = drawn(name, count, rng)
            at = loads(rows, rng) if waiting else None
            parts.append(examine(rows, layout, at, rng))
            tiers.append(against_tiers(rows, layout, at))
        print(f"\n{title}")
        show_variants(parts)
        show_tiers(*(np.concatenate(table) for table in zip(*tiers, strict=True)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
