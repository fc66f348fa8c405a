"""How far policies are from the best possible: ``python -m baselines.exit_placement.headroom``.

On some instances of each scenario (default: the split ``test``), the cost of policies, of the best
placement that never moves, and of the best sequence of placements that a search with the whole
future known has found, over the lower bound that holds for every policy. The best sequence is a
good solution and no bound; the optimum lies between it and the bound. The last column is that gap.

    NAME...: scenarios or splits; instances=N of each (default 4); width=N placements that the
    search tries in an interval (default 12); sweeps=N
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any

import gymnasium as gym
import numpy as np

import tiergym
from baselines.registry import make_policy
from tiergym.errors import InvalidInput
from tiergym.evaluation import play
from tiergym.evaluation.bounds import best_fixed, best_switching, lower_bound
from tiergym.evaluation.statistics import Floats, log_ratio, ratio_interval
from tiergym.fields import integer
from tiergym.scenarios import Scenario, load_scenario, load_split, split_names
from tiergym.scenarios.instance import Instance
from tiergym.scenarios.system import pairs_of

ENVIRONMENT = "tiergym/ExitPlacement-v0"
PROBLEM = "exit_placement"
FIRST_SEED = 2_000_000_000
"""Instances of the suites: what is found here is never learnt from."""
POLICIES = (
    "terminal-only",
    "edge-only",
    "cloud-only",
    "greedy",
    "greedy+waiting",
    "exhaustive",
    "switching-aware",
)
FIXED, MOVING, BOUND = "best fixed", "best found", "bound"
OPTIONS = {"instances": 4, "width": 12, "sweeps": 4}


def played(env: Any, name: str, instance: Instance) -> tuple[float, list[int]]:
    """Cost of a policy's episode, and the routes it took, counted from `Placing.first_route`."""
    policy = make_policy(name, env)
    actions: list[int] = []

    class Noted:
        """The policy, its actions noted."""

        def predict(self, *given: Any, **named: Any) -> tuple[Any, Any]:
            """What the policy does."""
            action, state = policy.predict(*given, **named)
            actions.append(int(action))
            return action, state

    (episode,) = play(env, Noted(), 0, {"instance": instance})
    own = pairs_of(int(env.unwrapped.scenarios[0].outlook.blocks))
    pairs = pairs_of(int(env.unwrapped.max_blocks))
    routes = [action // pairs * own + action % pairs for action in actions]
    return float(episode.metrics["cost"]), routes


def costs_of(scenario: Scenario, instance: Instance, width: int, sweeps: int) -> dict[str, float]:
    """Cost of each policy and solution on one instance, and the bound."""
    levels = len(scenario.system.placing.thresholds) if scenario.system.placing else 0
    env = gym.make(ENVIRONMENT, scenario=scenario, max_thresholds=max(levels, 1))
    found: dict[str, float] = {}
    sequences: list[list[int]] = []
    for name in POLICIES:
        found[name], routes = played(env, name, instance)
        sequences.append(routes)
    found[FIXED] = best_fixed(scenario.system, instance).cost
    found[MOVING] = best_switching(scenario.system, instance, sequences, width, sweeps).cost
    found[BOUND] = lower_bound(scenario.system, instance)
    return found


def look(scenario: Scenario, instances: int, width: int, sweeps: int) -> dict[str, Floats]:
    """float64[instances] by name, over drawn instances."""
    each = [
        costs_of(scenario, scenario.draw(np.random.default_rng(FIRST_SEED + k)), width, sweeps)
        for k in range(instances)
    ]
    return {name: np.array([costs[name] for costs in each]) for name in each[0]}


def _line(title: str, tables: Sequence[Mapping[str, Floats]]) -> str:
    cells = [f"{title:<28}"]
    for name in (*POLICIES, FIXED, MOVING):
        ratio = ratio_interval([log_ratio(table[name], table[BOUND]) for table in tables])
        cells.append(f"{ratio.estimate:>16.3f}")
    return "".join(cells)


def _read(words: Sequence[str]) -> tuple[list[Scenario], dict[str, int]]:
    options, scenarios = dict(OPTIONS), list[Scenario]()
    for word in words:
        key, equals, value = word.partition("=")
        if not equals:
            known = word in split_names(PROBLEM)
            scenarios += load_split(PROBLEM, word) if known else [load_scenario(word)]
        elif key in options and value.isdigit():
            options[key] = integer(key, int(value), low=1)
        else:
            allowed = f"{', '.join(options)}, each a whole number from 1 on"
            raise InvalidInput("option", word, allowed)
    return scenarios or list(load_split(PROBLEM, "test")), options


def main(words: Sequence[str] | None = None) -> int:
    """Print a line a scenario; 0 if nothing lies below the bound."""
    try:
        scenarios, options = _read(list(sys.argv[1:] if words is None else words))
    except InvalidInput as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(
        f"tiergym {tiergym.__version__}: cost over the lower bound, "
        f"geometric mean of {options['instances']} instances"
    )
    columns = (*POLICIES, FIXED, MOVING)
    print(" " * 28 + "".join(f"{name:>16}" for name in columns))
    tables: list[Mapping[str, Floats]] = []
    for scenario in scenarios:
        tables.append(look(scenario, **options))
        print(_line(scenario.name, tables[-1:]), flush=True)
    if len(tables) > 1:
        print(_line("all, weighted equally", tables))
    below = [
        f"{scenario.name}: {name}"
        for scenario, table in zip(scenarios, tables, strict=True)
        for name in columns
        if (table[name] < table[BOUND] * (1.0 - 1e-9)).any()
    ]
    for what in below:
        print(f"below the bound, so the bound or the simulator is wrong: {what}", file=sys.stderr)
    return 1 if below else 0


if __name__ == "__main__":
    sys.exit(main())
