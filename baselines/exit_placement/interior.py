"""Is a placement scenario worth deciding? ``python -m baselines.exit_placement.interior NAME...``.

For every interval of some drawn instances each pair is judged by what the tasks that arrive in the
interval really cost when that pair is in force throughout (delay and wrong answers by the
scenario's weights). Printed per scenario: in what share of the intervals the best pair is interior
(an exit strictly inside the network, so no single tier), in what share it differs from the interval
before, and what the best single pair and the best pair of each interval cost beside the best single
tier. A change counts only where staying would cost at least `MARGIN` more, so that noise between
near equals does not pass for change. Names of splits stand for their scenarios (default: all).
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tiergym.engine import Simulation
from tiergym.errors import InvalidInput
from tiergym.scenarios import Scenario, load_scenario, load_split, split_names
from tiergym.scenarios.instance import Instance
from tiergym.scenarios.placing import interval_of, intervals_of
from tiergym.scenarios.system import pair_number, pair_of, pairs_of

PROBLEM = "exit_placement"
INSTANCES = 4
FIRST_SEED = 3_000_000_000
"""Seeds of the instances looked at; of no other use."""
MARGIN = 0.01
LEAST_INTERIOR, LEAST_CHANGE = 1.0 / 3.0, 1.0 / 5.0
"""Shares that a shipped scenario reaches."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Shares:
    """Of a scenario.

    Attributes:
        interior, change: shares of intervals.
        single, each: cost of the best single pair, and of the best pair of each interval, over
            that of the best single tier.
    """

    interior: float
    change: float
    single: float
    each: float

    @property
    def worth_deciding(self) -> bool:
        """Whether the scenario may ship."""
        return self.interior >= LEAST_INTERIOR and self.change >= LEAST_CHANGE


def interval_costs(scenario: Scenario, instance: Instance) -> Floats:
    """float64[K, P], cost of the tasks that arrive in an interval under a pair held throughout.

    Pairs that cannot be served or do not fit cost infinity.
    """
    placing = scenario.system.placing
    if placing is None:
        raise InvalidInput("scenario", scenario.name, f"a scenario of the problem {PROBLEM}")
    blocks = int(scenario.system.network_blocks[placing.network])
    count = intervals_of(placing, instance.window)
    costs = np.full((count, pairs_of(blocks)), np.inf)
    simulation = Simulation([scenario.system], places=True)
    for pair in range(pairs_of(blocks)):
        simulation.start(0, instance)
        try:
            while not simulation.ended(0):
                simulation.place(0, placing.first_route + pair)
        except InvalidInput:
            continue
        costs[:, pair] = _by_interval(simulation, scenario, instance.window)
    return costs


def _by_interval(simulation: Simulation, scenario: Scenario, window: float) -> Floats:
    log, cost, placing = simulation.log(0), scenario.system.cost, scenario.system.placing
    assert placing is not None
    own = log.charged
    interval = interval_of(placing, window, log.arrival[own])
    seconds = np.where(log.refused[own], cost.refusal_seconds, log.delay[own])
    wrong = np.where(log.refused[own], 1.0, 1.0 - log.correct[own])
    each = cost.delay_weight * seconds + cost.error_weight * wrong
    each += cost.late_weight * log.late[own]
    return np.bincount(interval, each, intervals_of(placing, window)).astype(np.float64)


def shares_of(costs: Sequence[Floats]) -> Shares:
    """Shares over the intervals of several instances, float64[K, P] each."""
    blocks = pair_of(costs[0].shape[1] - 1)[1]
    pure = [pair_number(0, 0), pair_number(0, blocks), pair_number(blocks, blocks)]
    interior, changed = list[bool](), list[bool]()
    for table in costs:
        best = _settled(table)
        interior += [int(pair) not in pure for pair in best]
        changed += [bool(a != b) for a, b in itertools.pairwise(best)]
    total = np.sum([table.sum(axis=0) for table in costs], axis=0)
    tier = float(total[pure].min())
    each = float(np.sum([table.min(axis=1).sum() for table in costs]))
    return Shares(
        interior=float(np.mean(interior)),
        change=float(np.mean(changed)) if changed else 0.0,
        single=float(total.min()) / tier,
        each=each / tier,
    )


def _settled(table: Floats) -> NDArray[np.int64]:
    """The best pair of each interval, or the one before where that is as good but for `MARGIN`."""
    best = np.argmin(table, axis=1).astype(np.int64)
    for k in range(1, len(best)):
        if table[k, best[k - 1]] <= (1.0 + MARGIN) * table[k, best[k]]:
            best[k] = best[k - 1]
    return best


def look(scenario: Scenario, instances: int = INSTANCES) -> Shares:
    """Shares of a scenario over drawn instances."""
    drawn = [scenario.draw(np.random.default_rng(FIRST_SEED + seed)) for seed in range(instances)]
    return shares_of([interval_costs(scenario, each) for each in drawn])


def main(words: Sequence[str] | None = None) -> int:
    """Print a line a scenario; 1 if one of them is not worth deciding."""
    names = list(sys.argv[1:] if words is None else words) or split_names(PROBLEM)
    scenarios: list[Scenario] = []
    for name in names:
        known = name in split_names(PROBLEM)
        scenarios += load_split(PROBLEM, name) if known else [load_scenario(name)]
    print(
        f"{'scenario':<32}{'interior':>10}{'changes':>9}{'best pair':>11}{'each':>8}  "
        "(cost over the best single tier's)"
    )
    worth = True
    for scenario in scenarios:
        shares = look(scenario)
        worth &= shares.worth_deciding
        note = "" if shares.worth_deciding else "  too easy to ship"
        print(
            f"{scenario.name:<32}{shares.interior:>10.0%}{shares.change:>9.0%}"
            f"{shares.single:>11.3f}{shares.each:>8.3f}{note}",
            flush=True,
        )
    return 0 if worth else 1


if __name__ == "__main__":
    sys.exit(main())
