"""What the policies of all problems share: sizes read from an environment, rows lifted and back."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from baselines.policy import Observation
from tiergym.errors import InvalidInput


def attribute(env: Any, name: str) -> Any:
    """An attribute of an environment, or of the first one in `SyncVectorEnv` and the like.

    Raises:
        InvalidInput: if it has none of that name.
    """
    if hasattr(env, name):
        return getattr(env, name)
    if hasattr(env, "get_attr"):
        return env.get_attr(name)[0]
    raise InvalidInput("env", type(env).__name__, f"a tiergym environment with {name}")


def mask_of(observation: Observation, actions: int) -> tuple[NDArray[np.int8], bool]:
    """The mask with a row axis, int8[n, A], and whether it was a single observation without.

    Raises:
        InvalidInput: if there is no mask, or one of another number of actions.
    """
    if "action_mask" not in observation:
        raise InvalidInput("observation", type(observation).__name__, "the environment's Dict")
    mask = np.ascontiguousarray(observation["action_mask"], dtype=np.int8)
    single = mask.ndim == 1
    mask = mask.reshape(1 if single else len(mask), -1)
    if mask.shape[1] != actions:
        raise InvalidInput("observation.action_mask", mask.shape, "the size that env has")
    return mask, single
