"""Observations of ``tiergym/TaskScheduling-v0`` as arrays with a row axis, and the base class.

Numbers of actions are written here once: 0 waits, `run_action` and `upload_action` give the others.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from baselines.observing import attribute, mask_of
from baselines.policy import Observation, State
from baselines.task_scheduling._compiling import compiled

Floats = NDArray[np.float32]
Actions = NDArray[np.int64]
Flags = NDArray[np.bool_]


class Rows(NamedTuple):
    """n observations, M network slots, K batch sizes, X executor slots; all float32 but the mask.

    Seconds and sizes as the environment gives them: zero seconds where a size is not available,
    -1 for an executor that is absent and for every entry of an absent uplink.
    """

    queue_length: Floats  # [n, M] tasks
    oldest_age: Floats  # [n, M] seconds
    run_seconds: Floats  # [n, M, K]
    payload: Floats  # [n, M] megabytes on the wire
    executor_seconds: Floats  # [n, X] expected seconds until idle
    uplink: Floats  # [n, 5] seconds until free, megabytes waiting, Mbit/s, rtt, per package
    upper_seconds: Floats  # [n, M, K]
    upper: Floats  # [n, 3] backlog told, its age, executors
    mask: NDArray[np.int8]  # [n, 1 + 2 M K]


class Layout(NamedTuple):
    """Sizes of the observations of one environment."""

    networks: int
    sizes: Actions  # [K] rising

    @classmethod
    def of(cls, env: Any) -> Layout:
        """Read the sizes from a single or a vector environment, Gymnasium's own ones included."""
        sizes = [attribute(env.unwrapped, name) for name in ("max_networks", "batch_sizes")]
        return cls(int(sizes[0]), np.asarray(sizes[1], dtype=np.int64))

    def rows(self, observation: Observation) -> tuple[Rows, bool]:
        """The observation with a row axis, and whether it was a single one without."""
        mask, single = mask_of(observation, 1 + 2 * self.networks * len(self.sizes))
        return self._rows(observation, mask), single

    def _rows(self, observation: Observation, mask: NDArray[np.int8]) -> Rows:
        def field(name: str, *shape: int) -> Floats:
            value = np.ascontiguousarray(observation[name], dtype=np.float32)
            return value.reshape(len(mask), *shape)

        slots = self.networks
        table = (slots, len(self.sizes))
        return Rows(
            queue_length=field("queue_length", slots),
            oldest_age=field("oldest_age", slots),
            run_seconds=field("run_seconds", *table),
            payload=field("payload_megabytes", slots),
            executor_seconds=field("executor_seconds", -1),
            uplink=field("uplink", 5),
            upper_seconds=field("upper_seconds", *table),
            upper=field("upper", 3),
            mask=mask,
        )


class TaskPolicy:
    """Base of the policies here: lifts single observations to one row and back.

    A policy without memory returns the state None.
    """

    privileged: bool = False

    def __init__(self, env: Any) -> None:
        self.layout = Layout.of(env)

    def predict(
        self,
        observation: Observation,
        state: State = None,
        episode_start: Any = None,
        deterministic: bool = False,
    ) -> tuple[Any, State]:
        """Actions: an int64 for a single observation, int64[n] for n rows; and the new state."""
        rows, single = self.layout.rows(observation)
        actions, state = self.act(rows, state, episode_start)
        return (actions[0] if single else actions), state

    def act(self, rows: Rows, state: State, episode_start: Any) -> tuple[Actions, State]:
        """Actions int64[n] of n rows, and the new state."""
        raise NotImplementedError


def fresh_rows(count: int, episode_start: Any) -> Flags:
    """bool[n]: rows that begin an episode; none where the caller does not say."""
    if episode_start is None:
        return np.zeros(count, dtype=np.bool_)
    return np.broadcast_to(np.asarray(episode_start, dtype=np.bool_).reshape(-1), count)


@compiled
def run_action(slot: int, size: int, sizes: int) -> int:
    """Action that runs the oldest tasks of ``slot``, at most the ``size``-th batch size."""
    return 1 + slot * sizes + size


@compiled
def upload_action(slot: int, size: int, slots: int, sizes: int) -> int:
    """Action that pre-uploads the youngest tasks of ``slot``."""
    return 1 + (slots + slot) * sizes + size


@compiled
def wait_or_first_legal(mask: NDArray[np.int8]) -> int:
    """Action 0 where it is legal, else the lowest legal one (0 if there is none)."""
    for action in range(len(mask)):
        if mask[action]:
            return action
    return 0
