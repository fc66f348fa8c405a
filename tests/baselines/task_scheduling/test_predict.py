"""What every registered policy that needs no environment keeps to."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import numpy as np
import pytest

from baselines import Policy, make_policy, policy_names

ROWS = 200
PLANNERS = {"lookahead"}
RULES = sorted(set(policy_names()) - PLANNERS)


def seeded(name: str, env: Any, seeds: range) -> Any:
    policy = make_policy(name, env)
    if hasattr(policy, "seed"):
        policy.seed(list(seeds))  # type: ignore[attr-defined]
    return policy


def test_the_issue_s_policies_are_registered() -> None:
    wanted = {"random", "fcfs", "fcfs-batched", "fcfs-batched+upload", "longest-queue", "sufferage"}
    assert wanted | {"priority", "priority+upload", "priority+upload+ageing"} <= set(policy_names())


@pytest.mark.parametrize("name", RULES)
def test_actions_are_legal_and_states_are_tuples_of_rows(
    name: str, sizes_env: Any, random_observations: Any, stack: Any
) -> None:
    policy = seeded(name, sizes_env, range(ROWS))
    assert isinstance(policy, Policy)
    assert not policy.privileged
    state: Any = None
    for turn in range(3):
        seen = stack(random_observations(ROWS, seed=turn))
        kept = deepcopy(seen)
        actions, state = policy.predict(seen, state, np.full(ROWS, turn == 0))
        assert actions.dtype == np.int64
        assert seen["action_mask"][np.arange(ROWS), actions].all()
        assert state is None or all(len(part) == ROWS for part in state)
        assert all(np.array_equal(seen[field], kept[field]) for field in seen)


@pytest.mark.parametrize("name", RULES)
def test_single_observations_give_what_rows_give(
    name: str, sizes_env: Any, random_observations: Any, stack: Any
) -> None:
    """Three decisions of ten rows together, and of each row alone with its own state and seed."""
    turns = [random_observations(10, seed=turn) for turn in range(3)]
    together = seeded(name, sizes_env, range(10))
    state: Any = None
    actions = []
    for rows in turns:
        chosen, state = together.predict(stack(rows), state)
        actions.append(chosen)
    for row in range(10):
        alone = seeded(name, sizes_env, range(row, row + 1))
        state = None
        for turn, rows in enumerate(turns):
            action, state = alone.predict(rows[row], state)
            assert np.asarray(action).dtype == np.int64
            assert np.ndim(action) == 0
            assert action == actions[turn][row]


def test_random_draws_evenly_among_the_legal(sizes_env: Any, world: Any, stack: Any) -> None:
    world.queue[0] = 3
    world.run[0] = 0.01
    seen = world.observe()
    legal = np.flatnonzero(seen["action_mask"])
    policy = seeded("random", sizes_env, range(4000))
    actions, _ = policy.predict(stack([seen] * 4000))
    counts = np.bincount(actions, minlength=legal[-1] + 1)[legal]
    assert counts.sum() == 4000
    assert np.abs(counts - 4000 / len(legal)).max() < 5 * np.sqrt(4000 / len(legal))


def test_random_repeats_with_its_seeds_only(
    sizes_env: Any, random_observations: Any, stack: Any
) -> None:
    seen = stack(random_observations(ROWS, seed=0))
    first, again, other = (
        seeded("random", sizes_env, range(start, start + ROWS)).predict(seen)[0]
        for start in (0, 0, 1000)
    )
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    policy = make_policy("random", sizes_env)
    unseeded = policy.predict(seen)[0]
    assert seen["action_mask"][np.arange(ROWS), unseeded].all()
