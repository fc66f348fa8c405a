"""The base classes of the policies here, and choices that several of them make."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from baselines.edge_selection._drawing import Draws
from baselines.edge_selection._observation import Actions, Flags, Floats, Layout, Rows
from baselines.policy import Observation, State


class SelectionPolicy:
    """Base of the policies here: lifts single observations to one row and back.

    A policy without memory fills in `choose`; one with memory `act`.
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
        actions, state = self.act(rows, state, fresh_rows(len(rows.mask), episode_start))
        return (actions[0] if single else actions), state

    def act(self, rows: Rows, state: State, fresh: Flags) -> tuple[Actions, State]:
        """Actions int64[n] of n rows, and the new state; ``fresh`` rows begin an episode."""
        return self.choose(rows), None

    def choose(self, rows: Rows) -> Actions:
        """Actions int64[n] of n rows."""
        raise NotImplementedError


class DrawingPolicy(SelectionPolicy):
    """Base of those that draw, each row from a generator of its own."""

    def __init__(self, env: Any) -> None:
        super().__init__(env)
        self._draws = Draws()

    def seed(self, seeds: Sequence[int]) -> None:
        """Begin each row's generator anew, one seed a row (integers >= 0)."""
        self._draws.seed(seeds)

    def uniforms(self, rows: Rows) -> Floats:
        """float64[n, B] in [0, 1), one for each edge."""
        return self._draws.uniforms(*rows.mask.shape)


def fresh_rows(count: int, episode_start: Any) -> Flags:
    """bool[n]: rows that begin an episode; none where the caller does not say."""
    if episode_start is None:
        return np.zeros(count, dtype=np.bool_)
    return np.broadcast_to(np.asarray(episode_start, dtype=np.bool_).reshape(-1), count)


def least(cost: Floats, mask: NDArray[np.int8], ties: Floats | None = None) -> Actions:
    """int64[n], the legal edge of the least finite cost [n, B].

    Args:
        ties: [n, B], decides at equal cost by the least; without, the lowest edge.
    """
    own = np.where(mask != 0, cost, np.inf)
    if ties is None:
        return np.argmin(own, axis=1)
    equal = own == own.min(axis=1, keepdims=True)
    return np.argmin(np.where(equal, ties, np.inf), axis=1)


def where_legal(actions: Actions, rows: Rows) -> Actions:
    """The actions, or the lowest legal one where they are not legal."""
    legal = rows.mask[np.arange(len(actions)), actions] != 0
    return np.where(legal, actions, np.argmax(rows.mask, axis=1))


def kept(rows: Rows) -> Actions:
    """int64[n], the edge that each row's terminal is attached to, or the lowest in range."""
    return where_legal(np.argmax(rows.attached, axis=1), rows)


def of_terminals(
    table: NDArray[Any] | None, rows: Rows, fresh: Flags, start: float
) -> NDArray[Any]:
    """A new array [n, K or more], one value a terminal: ``table`` with fresh rows begun anew.

    Args:
        table: what the last call left, None at first.
        start: the first value of every terminal; its type is the array's.
    """
    most = int(rows.terminals.max(initial=1))
    width = most if table is None else max(most, table.shape[1])
    begun = np.full((len(fresh), width), start)
    if table is not None:
        going = ~fresh
        begun[going, : table.shape[1]] = table[going]
    return begun
