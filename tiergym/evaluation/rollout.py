"""Play a policy through whole episodes: one `Episode` a seed, illegal actions always raise.

How results are stored, compared or shown is not decided here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast, overload

import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv
from numpy.typing import NDArray

from tiergym.errors import InvalidInput
from tiergym.evaluation.acting import (
    AnyEnv,
    AnyVectorEnv,
    Bools,
    PolicyLike,
    check_env,
    check_policy,
    checked,
    legal_actions,
    noting,
    player,
    seed_policy,
    unwrapped,
)
from tiergym.fields import integer

if TYPE_CHECKING:
    from tiergym.engine import TaskLog
    from tiergym.scenarios import Instance


@dataclass(frozen=True, eq=False)
class Episode:
    """One finished episode.

    Attributes:
        seed: what its row was reset with.
        instance: what was played; None where the environment cannot tell.
        log: what happened to each task.
        metrics: the flat mapping that the environment tells at the end; NaN where unknown.
    """

    seed: int
    instance: Instance | None
    log: TaskLog
    metrics: dict[str, float]


@overload
def rollout(env: AnyEnv, policy: PolicyLike, seed: int, **given: Any) -> TaskLog: ...
@overload
def rollout(
    env: AnyVectorEnv, policy: PolicyLike, seed: int | Sequence[int], **given: Any
) -> list[TaskLog]: ...
def rollout(
    env: AnyEnv | AnyVectorEnv, policy: PolicyLike, seed: int | Sequence[int], **given: Any
) -> TaskLog | list[TaskLog]:
    """Play one episode a seed and return what happened to every task.

    Args:
        env: an environment, or a vector environment whose autoreset mode is ``NextStep`` or
            ``Disabled`` (``SameStep`` begins the next episode before the last one can be read).
        policy: an object with Stable-Baselines3's ``predict``, or a plain function that maps one
            observation to one action (it is called row by row on a vector environment).
        seed: the seed; on a vector environment one seed a row, or the first of consecutive ones.
        **given: ``options``, passed on to ``reset``.

    Returns:
        A `TaskLog`; on a vector environment a list of them, one a row.

    Raises:
        InvalidInput: if ``env``, ``policy`` or ``seed`` is of a wrong kind; if an action is
            illegal, whatever the environment's ``invalid_action`` is, or of a wrong type or
            shape; for ``SameStep``. Whatever a policy raises has a note that names the decision.
    """
    logs = [episode.log for episode in play(env, policy, seed, **given)]
    return logs if isinstance(env, VectorEnv) else logs[0]


def play(
    env: AnyEnv | AnyVectorEnv,
    policy: PolicyLike,
    seed: int | Sequence[int],
    options: dict[str, Any] | None = None,
) -> list[Episode]:
    """Play one episode a seed like `rollout`, and return the metrics too."""
    check_env(env)
    check_policy(policy)
    if not isinstance(env, VectorEnv):
        return [_play_one(env, policy, _one_seed(seed), options)]
    return _play_rows(env, policy, _row_seeds(seed, env.num_envs), options)


def _one_seed(seed: object) -> int:
    seeds = _whole(seed)
    if len(seeds) != 1:
        raise InvalidInput("seed", seed, "one whole number; an environment plays one episode")
    return seeds[0]


def _row_seeds(seed: object, rows: int) -> list[int]:
    seeds = _whole(seed)
    if np.ndim(cast(Any, seed)) == 0:
        return [seeds[0] + row for row in range(rows)]
    if len(seeds) != rows:
        raise InvalidInput("seed", seed, f"{rows} seeds, one a row of the vector environment")
    return seeds


def _whole(seed: object) -> list[int]:
    given: list[object] = np.atleast_1d(np.asarray(seed, object)).tolist()
    if any(isinstance(one, float) for one in given):
        raise InvalidInput("seed", seed, "whole numbers >= 0")
    return [integer("seed", one) for one in given]


def _play_one(
    env: AnyEnv, policy: PolicyLike, seed: int, options: dict[str, Any] | None
) -> Episode:
    act = player(policy, None)
    seed_policy(policy, [seed])
    observation, info = env.reset(seed=seed, options=options)
    instance = getattr(_copy(env), "instance", None)
    ended = False
    decision = 0
    while not ended:
        with noting(decision, [seed]):
            legal = legal_actions(env, observation)
            action = checked(act(observation, legal), legal[None], np.ones(1, np.bool_))[0]
            observation, _, terminated, truncated, info = env.step(action)
        ended = bool(terminated or truncated)
        decision += 1
    return Episode(seed, instance, unwrapped(env).task_log(), _floats(info.get("metrics", {})))


def _play_rows(
    env: AnyVectorEnv, policy: PolicyLike, seeds: list[int], options: dict[str, Any] | None
) -> list[Episode]:
    rows = _Rows(env, seeds)
    act = player(policy, rows.live)
    seed_policy(policy, seeds)
    # Gymnasium types one seed; its vector environments take one a row.
    observation, _ = env.reset(seed=cast(Any, seeds), options=options)
    rows.instances = [getattr(copy, "instance", None) for copy in _copies(env)]
    decision = 0
    while rows.live.any():
        with noting(decision, seeds):
            shown = rows.shown(observation)
            legal = legal_actions(env, shown)
            actions = checked(act(shown, legal), legal, rows.live)
            observation = rows.step(rows.spared(actions, observation))
        decision += 1
    return rows.episodes()


class _Rows:
    """Which rows still play their one episode, and what the others have left behind.

    A row that has ended is shown to the policy as its last observation for ever (only action 0 is
    legal there, so a policy can skip it). Tiergym's own environments show just that under
    ``DISABLED``, which is the fastest. Otherwise the environment takes the lowest legal action of
    whatever episode it has begun there meanwhile.
    """

    def __init__(self, env: AnyVectorEnv, seeds: list[int]) -> None:
        self.env = env
        self.mode = AutoresetMode(env.metadata.get("autoreset_mode", AutoresetMode.NEXT_STEP))
        self.seeds = seeds
        self.instances: list[Instance | None] = []
        self.live = np.ones(len(seeds), np.bool_)
        if self.mode == AutoresetMode.SAME_STEP:
            raise InvalidInput("env.autoreset_mode", self.mode.value, "NextStep or Disabled")
        self._stands = self.mode == AutoresetMode.DISABLED and hasattr(unwrapped(env), "task_log")
        self._last: Any = None
        self._ended: list[Episode | None] = [None] * len(seeds)

    def shown(self, observation: Any) -> Any:
        return observation if self._last is None else _choose(observation, self._last, self.live)

    def spared(self, actions: NDArray[np.int64], observation: Any) -> NDArray[np.int64]:
        if self._last is None:
            return actions if self.live.all() else np.where(self.live, actions, 0)
        return np.where(self.live, actions, legal_actions(self.env, observation).argmax(1))

    def step(self, actions: NDArray[np.int64]) -> Any:
        observation, _, terminated, truncated, info = self.env.step(actions)
        done = np.asarray(terminated, np.bool_) | np.asarray(truncated, np.bool_)
        ended = done & self.live
        if ended.any():
            self._end(ended, observation, info)
        if self.mode == AutoresetMode.DISABLED and not self._stands and done.any():
            observation, _ = self.env.reset(options={"reset_mask": done})
        return observation

    def _end(self, ended: Bools, observation: Any, info: dict[str, Any]) -> None:
        if not self._stands:
            kept = observation if self._last is None else self._last
            self._last = _choose(observation, kept, ended)
        logs = _of_rows(self.env, "task_log")
        for row in np.flatnonzero(ended).tolist():
            metrics = _row_of(info.get("metrics", {}), row)
            instance = self.instances[row]
            self._ended[row] = Episode(self.seeds[row], instance, logs[row], metrics)
        self.live &= ~ended

    def episodes(self) -> list[Episode]:
        return [episode for episode in self._ended if episode is not None]


def _choose(new: Any, old: Any, which: Bools) -> Any:
    """Rows of ``new`` where ``which``, else rows of ``old``; neither is written."""
    if isinstance(new, Mapping):
        fields = cast(Mapping[str, Any], new)
        return {name: _choose(value, old[name], which) for name, value in fields.items()}
    chosen = np.array(old)
    chosen[which] = np.asarray(new)[which]
    return chosen


def _row_of(metrics: Mapping[str, Any], row: int) -> dict[str, float]:
    return {k: float(v[row]) for k, v in metrics.items() if not k.startswith("_")}


def _floats(metrics: Mapping[str, Any]) -> dict[str, float]:
    return {name: float(value) for name, value in metrics.items()}


def _copy(env: AnyEnv) -> Any:
    snapshot = getattr(unwrapped(env), "snapshot", None)
    return None if snapshot is None else snapshot()


def _copies(env: AnyVectorEnv) -> list[Any]:
    return _of_rows(env, "snapshot") or [None] * env.num_envs


def _of_rows(env: AnyVectorEnv, name: str) -> list[Any]:
    """A method of every row; vector environments made of single ones pass the call on."""
    own = getattr(unwrapped(env), name, None)
    if own is not None:
        return list(own())
    call = getattr(env, "call", None)
    return [] if call is None else list(call(name))
