"""Rows of episodes with actions and observations: what every problem's environments share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from tiergym.engine.compiling import announced
from tiergym.engine.layout import ENDED, STUCK
from tiergym.envs.buffers import Field, cut_one, cut_rows, layout_of, space_of
from tiergym.envs.rows import Rows
from tiergym.errors import InvalidInput
from tiergym.scenarios import Scenario

STAND, ACT, BEGIN = 0, 1, 2
"""What a row does in a step: nothing, its action, or running to its first decision."""

INVALID_ACTIONS = ("first_legal", "raise")

Observation = dict[str, NDArray[Any]]


class Episodes:
    """Rows of episodes of one problem. A problem fills in what stands under *Class attributes*.

    Class attributes:
        problem: its name in scenarios.
        claims: the kind of decision that the caller takes, ``schedule``, ``place`` or ``select``.
        step_rows: compiled; see `tiergym.envs.task_scheduling.stepping.step_rows`.
        first_illegal: compiled; the first row whose action is illegal, or -1.

    Args:
        scenario: see `Rows`.
        rows: number of rows.
        single: observations without a row axis.
        fields: observed, in the order of the buffer; the mask comes after them.
        actions: number of actions.
        sizes: int64, passed on to the compiled functions.
        invalid_action: ``"first_legal"`` or ``"raise"``.

    Raises:
        InvalidInput: for a wrong argument.
    """

    problem: ClassVar[str]
    claims: ClassVar[str]
    step_rows: ClassVar[Callable[..., None]]
    first_illegal: ClassVar[Callable[..., int]]

    def __init__(
        self,
        scenario: Any,
        rows: int,
        single: bool,
        fields: Sequence[Field],
        actions: int,
        sizes: NDArray[np.int64],
        invalid_action: str,
    ) -> None:
        if invalid_action not in INVALID_ACTIONS:
            raise InvalidInput("invalid_action", invalid_action, " or ".join(INVALID_ACTIONS))
        self.strict = invalid_action == "raise"
        self.fields = tuple(fields)
        self.actions = actions
        self.rows = Rows(self.problem, scenario, rows, self.claims)
        for one in self.rows.scenarios:
            self.check_scenario(one)
        self.static = np.stack([self.static_of(s) for s in self.rows.scenarios])
        self._sizes = sizes
        self._single = single
        self._layout = layout_of(self.fields, rows)
        self._width = self._layout[-1][1].stop
        self._masked = actions * rows
        self._nobody = np.zeros(rows, np.bool_)
        self._no_action = np.zeros(rows, np.int64)
        self._count = rows
        self._results = np.empty((rows, 3), np.float64)

    def check_scenario(self, scenario: Scenario) -> None:
        """Raise `InvalidInput` if ``scenario`` is larger than the sizes."""
        raise NotImplementedError

    def static_of(self, scenario: Scenario) -> NDArray[np.float32]:
        """The fields that ``scenario`` fixes, one after the other."""
        raise NotImplementedError

    def describe(self, action: int) -> str:
        """An action in words."""
        raise NotImplementedError

    def as_text(self, observation: Observation, row: int) -> str:
        """The present state of ``row``, whose observation is given without a row axis."""
        raise NotImplementedError

    def metrics(self, row: int) -> dict[str, float]:
        """The figures of the episode that has ended in ``row``."""
        return self.rows.metrics(row)

    def observation_space(self) -> spaces.Dict:
        """The observation space of one environment."""
        return space_of(self.fields, self.actions)

    def action_space(self) -> spaces.Discrete:
        """The action space of one environment."""
        return spaces.Discrete(self.actions)

    def check_actions(self, actions: NDArray[np.int64], moves: NDArray[np.int8]) -> None:
        """Raise `InvalidInput` naming the first row that acts and whose action is illegal."""
        simulation = self.rows.simulation
        row = type(self).first_illegal(
            simulation.buffer, simulation.base, simulation.models, actions, moves, self._sizes
        )
        if row >= 0:
            legal = np.flatnonzero(self.observe()["action_mask"].reshape(self._count, -1)[row])
            given = int(actions[row])
            words = self.describe(given)
            raise InvalidInput(
                f"action of row {row}", f"{given} ({words})", f"legal now: {legal.tolist()}"
            )

    def step(
        self, actions: NDArray[np.int64], moves: NDArray[np.int8]
    ) -> tuple[Observation, NDArray[np.float64]]:
        """Move the rows; returns fresh observations and float64[n, 3] results.

        The results are reward, seconds since the last decision, and `HEAD.status`; they hold until
        the next step, so whoever gives them on copies them.
        """
        out = np.empty(self._width, np.float32)
        mask = np.empty(self._masked, np.int8)
        results = self._results
        simulation = self.rows.simulation
        type(self).step_rows(
            simulation.buffer,
            simulation.base,
            simulation.models,
            actions,
            moves,
            self._sizes,
            self.static,
            out,
            mask,
            results,
        )
        if self._single:
            return cut_one(out, mask, self._layout), results
        return cut_rows(out, mask, self._layout, self._count), results

    def begin(self, which: NDArray[np.bool_]) -> tuple[Observation, NDArray[np.float64]]:
        """Run the rows ``which`` to their first decision, and observe all."""
        with announced("the environment"):
            return self.step(self._no_action, np.where(which, BEGIN, STAND).astype(np.int8))

    def observe(self) -> Observation:
        """Fresh observations of all rows as they stand.

        Raises:
            InvalidInput: before the first reset.
        """
        for row in range(self._count):
            self.rows.begun(row)
        return self.begin(self._nobody)[0]


def ended(status: NDArray[np.float64]) -> NDArray[np.bool_]:
    """bool[n] from `HEAD.status`: which episodes are over.

    Raises:
        RuntimeError: if a simulation is stuck, which is a bug.
    """
    if (status == float(STUCK)).any():
        raise RuntimeError("nothing can happen any more, yet tasks are left: a simulator bug")
    return status == float(ENDED)
