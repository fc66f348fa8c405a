"""What a policy is, how it is asked for actions, and what is done with illegal ones."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from typing import Any, Protocol, TypeAlias, cast, runtime_checkable

import gymnasium as gym
import numpy as np
from gymnasium.vector import VectorEnv
from numpy.typing import NDArray

from tiergym.errors import InvalidInput

AnyEnv: TypeAlias = gym.Env[Any, Any]
AnyVectorEnv: TypeAlias = VectorEnv[Any, Any, Any]
Bools: TypeAlias = NDArray[np.bool_]


@runtime_checkable
class Policy(Protocol):
    """Anything with Stable-Baselines3's ``predict``."""

    def predict(
        self,
        observation: Any,
        state: Any = None,
        episode_start: Any = None,
        deterministic: bool = False,
    ) -> tuple[Any, Any]:
        """Actions for one observation, or for n rows of observations, and the next state."""
        ...


_MASKS = (
    ", which the action mask tells; a model of Stable-Baselines3 does not read it, except a "
    "MaskablePPO of sb3-contrib"
)

PolicyLike = Policy | Callable[[Any], Any]
"""A policy, or a plain function from one observation to one action."""


def check_policy(policy: object) -> None:
    """Refuse what cannot be asked for actions, such as a name or a class.

    Raises:
        InvalidInput: naming what can.
    """
    if inspect.isclass(policy) or not (isinstance(policy, Policy) or callable(policy)):
        allowed = "an object with predict, or a function from an observation to an action"
        hint = "; baselines.make_policy(name, env) makes one by name"
        raise InvalidInput("policy", policy, allowed + hint)


def check_env(env: object) -> None:
    """Refuse what is no environment, or one that tells neither its legal actions nor its log.

    Raises:
        InvalidInput: naming what is missing.
    """
    if not isinstance(env, (gym.Env, VectorEnv)):
        raise InvalidInput("env", env, "an environment that gym.make or gym.make_vec has made")
    known = cast(Any, env)
    vector = isinstance(env, VectorEnv)
    space = known.single_observation_space if vector else known.observation_space
    masked = "action_mask" in getattr(space, "spaces", ()) or _has(known, "action_masks")
    # A vector environment made of single ones is asked for their logs by `call`.
    if not masked or not (_has(known, "task_log") or (vector and _has(known, "call"))):
        raise InvalidInput("env", known, "one of tiergym's, with an action mask and a task_log")


def _has(env: Any, name: str) -> bool:
    return hasattr(unwrapped(env), name)


def unwrapped(env: AnyEnv | AnyVectorEnv) -> Any:
    """The environment inside all wrappers, whose own attributes Gymnasium does not type."""
    return env.unwrapped


def player(policy: PolicyLike, live: Bools | None) -> Callable[[Any, Bools], Any]:
    """What maps (observation, legal actions) to actions; ``live`` marks the rows that play."""
    if isinstance(policy, Policy):
        return _predicting(policy, 1 if live is None else len(live))
    if live is None:
        return lambda observation, legal: policy(observation)
    return lambda observation, legal: [
        policy(_row(observation, i)) if on else 0 for i, on in enumerate(live.tolist())
    ]


def _row(observation: Any, row: int) -> Any:
    if isinstance(observation, Mapping):
        return {name: v[row] for name, v in cast(Mapping[str, Any], observation).items()}
    return observation[row]


def _predicting(policy: Policy, rows: int) -> Callable[[Any, Bools], Any]:
    state: Any = None
    start = np.ones(rows, np.bool_)
    masked = "action_masks" in inspect.signature(policy.predict).parameters

    def predict(observation: Any, legal: Bools) -> Any:
        nonlocal state, start
        more: dict[str, Any] = {"action_masks": legal} if masked else {}
        actions, state = policy.predict(
            observation, state=state, episode_start=start, deterministic=True, **more
        )
        start = np.zeros(rows, np.bool_)
        return actions

    return predict


def seed_policy(policy: PolicyLike, seeds: list[int]) -> None:
    """Seed a policy that draws, one seed a row; Stable-Baselines3's ``seed`` attribute is none."""
    seed = getattr(policy, "seed", None)
    if callable(seed):
        seed(seeds)


def legal_actions(env: AnyEnv | AnyVectorEnv, observation: Any) -> Bools:
    """bool[A], or bool[n, A]: from the observation, or asked for where a wrapper hides it."""
    if isinstance(observation, Mapping) and "action_mask" in observation:
        return np.asarray(cast(Mapping[str, Any], observation)["action_mask"]).astype(np.bool_)
    return np.asarray(unwrapped(env).action_masks(), np.bool_)


def checked(given: Any, legal: Bools, live: Bools) -> NDArray[np.int64]:
    """The actions as int64[n], if they are whole numbers and legal in every live row."""
    actions = np.asarray(given)
    rows, count = legal.shape
    if actions.dtype.kind not in "iu" or actions.size != rows or actions.ndim > 1:
        what = f"{actions.dtype}{list(actions.shape)}"
        raise InvalidInput("action", what, f"{rows} whole number(s), one a row")
    actions = actions.astype(np.int64).reshape(rows)
    inside = (actions >= 0) & (actions < count)
    works = inside & legal[np.arange(rows), np.where(inside, actions, 0)]
    wrong = np.flatnonzero(live & ~works)
    if len(wrong):
        row = int(wrong[0])
        allowed = ", ".join(str(a) for a in np.flatnonzero(legal[row]))
        raise InvalidInput(f"action of row {row}", int(actions[row]), f"one of {allowed}{_MASKS}")
    return actions


@contextmanager
def noting(decision: int, seeds: list[int]) -> Generator[None]:
    """Add to whatever is raised at which decision of which seeds it was."""
    try:
        yield
    except Exception as error:
        which = f"seed {seeds[0]}" if len(seeds) == 1 else f"seeds {seeds[0]} to {seeds[-1]}"
        error.add_note(f"at decision {decision} of {which}")
        raise
