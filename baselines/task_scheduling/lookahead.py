"""A short planner: tries each legal action in a few drawn futures. It shows the room there is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from baselines.policy import Entry, Observation, State, check_number
from baselines.task_scheduling._futures import Actions, Futures
from tiergym.errors import InvalidInput

RULES = ("fcfs-batched+upload-any", "priority+upload-any")


class Lookahead:
    """Takes the action after which the best simple rule costs least, over a few drawn futures.

    At each decision the episode is copied from the environment, and everything that has not
    happened yet is drawn anew from the scenario's models (``restore(snapshot, future=...)``); the
    true future is never used, so this is no privileged policy. In every future each legal action is
    tried, followed by each of the rules for a while; all of them meet the same futures.

    A rule's own action stands unless another one is better by more than the standard error of the
    difference: with few futures the least of many noisy means is rarely the best action. Costs are
    discounted, since beyond some time differences are noise; under a burst that time must cover
    draining what is queued, or networks that run slowly would starve out of sight.

    It needs the environment itself, not only observations: ``predict`` must be given the present
    observation of ``env`` (a single or a vector environment of the problem). Each row has a
    generator of its own, so what it does depends neither on the other rows nor on their number.

    Args:
        env: single or vector environment.
        futures: futures drawn at each decision, at least 2.
        horizon: time constant of the discount, in mean interarrival times.
        horizon_queue: what each queued task adds to ``horizon``.
        caution: standard errors by which an action must be better than the rule's own.
        rules: registered names of the rules that follow up.
    """

    privileged: bool = False

    def __init__(
        self,
        env: Any,
        futures: int = 8,
        horizon: float = 30.0,
        horizon_queue: float = 2.0,
        caution: float = 1.0,
        rules: Sequence[str] = RULES,
    ) -> None:
        from baselines.registry import make_policy

        self._env = env.unwrapped
        if not hasattr(self._env, "snapshot"):
            allowed = "a single environment, or a vector one by vectorization_mode"
            raise InvalidInput("env", type(self._env).__name__, f"{allowed}='vector_entry_point'")
        self._count = int(check_number("futures", futures, 2, "an integer >= 2"))
        self._horizon = check_number("horizon", horizon, 1.0, "interarrival times >= 1")
        self._horizon_queue = check_number("horizon_queue", horizon_queue, 0.0, "a number >= 0")
        self._caution = check_number("caution", caution, 0.0, "standard errors >= 0")
        if isinstance(rules, str) or not rules:
            raise InvalidInput("rules", rules, "a list of registered names")
        self._rules = [make_policy(name, env) for name in rules]
        self._futures = Futures(self._env, self._rules)
        self._rows = int(getattr(self._env, "num_envs", 1))
        self._generators: list[np.random.Generator] = []

    def seed(self, seeds: Sequence[int]) -> None:
        """Begin each row's generator anew, one seed a row (integers >= 0)."""
        if len(seeds) != self._rows:
            raise InvalidInput("seeds", f"{len(seeds)} seeds", f"one a row, {self._rows}")
        self._generators = [np.random.default_rng(int(seed)) for seed in seeds]

    def predict(
        self,
        observation: Observation,
        state: State = None,
        episode_start: Any = None,
        deterministic: bool = False,
    ) -> tuple[Any, State]:
        """An action for the present observation of the environment, or int64[n] for its rows."""
        mask = np.asarray(observation["action_mask"], dtype=np.bool_)
        legal = mask.reshape(-1, mask.shape[-1])
        choices = np.flatnonzero(legal.sum(axis=1) > 1)
        self._check_present(mask, choices)
        actions = legal.argmax(axis=1).astype(np.int64)
        if len(choices):
            own = [np.atleast_1d(rule.predict(observation)[0]) for rule in self._rules]
            queued = np.atleast_2d(observation["queue_length"]).sum(axis=1)
            snapshots = self._env.snapshot()
            snapshots = snapshots if isinstance(snapshots, list) else [snapshots]
            for row in choices.tolist():
                ruled = [int(action[row]) for action in own]
                actions[row] = self._plan(row, snapshots[row], legal[row], ruled, queued[row])
        return (actions if mask.ndim == 2 else actions[0]), None

    def _check_present(self, mask: NDArray[np.bool_], choices: Actions) -> None:
        """Refuse an observation that is not of this moment, where there is something to plan."""
        present = np.asarray(self._env.action_masks(), dtype=np.bool_)
        if mask.shape != present.shape:
            raise InvalidInput("observation.action_mask", mask.shape, f"{present.shape} as env's")
        if (np.atleast_2d(mask != present)[choices]).any():
            raise InvalidInput("observation", "another moment", "the present one of env")

    def _plan(
        self, row: int, snapshot: Any, legal: NDArray[np.bool_], own: list[int], queued: float
    ) -> int:
        if not self._generators:
            self.seed(np.random.SeedSequence().generate_state(self._rows).tolist())
        actions = np.flatnonzero(legal)
        scenario = next(s for s in self._env.scenarios if s.name == snapshot.scenario)
        tasks = self._horizon + self._horizon_queue * float(queued)
        futures = self._futures.draw(snapshot, self._count, self._generators[row])
        costs = self._futures.costs(futures, actions, tasks / scenario.rate)
        return int(actions[best_action(costs, np.searchsorted(actions, own), self._caution)])


def best_action(costs: NDArray[np.float64], own: Actions, caution: float) -> int:
    """Index of the action to take.

    Args:
        costs: float64[rules, futures, actions].
        own: int[rules], the index of the action that each rule takes itself.
        caution: standard errors by which the least mean must be below that of the best rule.
    """
    means = costs.mean(axis=1)
    best = int(means[np.arange(len(own)), own].argmin())
    rule, action = np.unravel_index(means.argmin(), means.shape)
    gains = costs[best, :, own[best]] - costs[rule, :, action]
    error = gains.std(ddof=1) / np.sqrt(len(gains))
    return int(action) if gains.mean() > caution * error else int(own[best])


POLICIES = {"lookahead": Entry(Lookahead)}
