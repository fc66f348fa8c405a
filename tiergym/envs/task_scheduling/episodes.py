"""What the single and the vector environment share: sizes, rows, steps, observations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from tiergym.engine.compiling import announced
from tiergym.engine.packing import slot_groups
from tiergym.envs.arguments import rising_sizes, whole
from tiergym.envs.rows import Rows
from tiergym.envs.task_scheduling.actions import describe
from tiergym.envs.task_scheduling.observation import (
    Sizes,
    cut_one,
    cut_rows,
    layout_of,
    static_table,
)
from tiergym.envs.task_scheduling.stepping import (
    BEGIN,
    STAND,
    STATUS_ENDED,
    STATUS_STUCK,
    first_illegal,
    step_rows,
)
from tiergym.errors import InvalidInput
from tiergym.scenarios import Scenario

PROBLEM = "task_scheduling"
BATCH_SIZES = (1, 2, 4, 8, 16)
INVALID_ACTIONS = ("first_legal", "raise")
_MOST = 1024
"""Upper limit of every size, so that a slip does not ask for gigabytes."""

Observation = dict[str, NDArray[Any]]


class Episodes:
    """Rows of TaskScheduling episodes.

    Args:
        scenario: see `Rows`.
        rows: number of rows.
        single: observations without a row axis.
        max_networks, batch_sizes, max_executors: sizes of observation and action.
        invalid_action: ``"first_legal"`` or ``"raise"``.

    Raises:
        InvalidInput: for a wrong argument, or a scenario larger than the sizes.
    """

    def __init__(
        self,
        scenario: Any,
        rows: int,
        single: bool,
        max_networks: int,
        batch_sizes: Sequence[int],
        max_executors: int,
        invalid_action: str,
    ) -> None:
        self.sizes = Sizes(
            whole("max_networks", max_networks, 1, _MOST),
            rising_sizes("batch_sizes", batch_sizes, _MOST),
            whole("max_executors", max_executors, 1, _MOST),
        )
        if invalid_action not in INVALID_ACTIONS:
            raise InvalidInput("invalid_action", invalid_action, " or ".join(INVALID_ACTIONS))
        self.strict = invalid_action == "raise"
        self.rows = Rows(PROBLEM, scenario, rows)
        for one in self.rows.scenarios:
            _check_scenario(one, self.sizes)
        self.static = np.stack(
            [static_table(s.system, s.schedule_node, self.sizes) for s in self.rows.scenarios]
        )
        self._single = single
        numbers = [self.sizes.max_networks, self.sizes.max_executors, *self.sizes.batch_sizes]
        self._sizes = np.array(numbers, np.int64)
        self._layout = layout_of(self.sizes, rows)
        self._width = self._layout[-1][1].stop
        self._masked = self.sizes.actions * rows
        self._nobody = np.zeros(rows, np.bool_)
        self._no_action = np.zeros(rows, np.int64)
        self._count = rows
        self._results = np.empty((rows, 3), np.float64)

    def action_space(self) -> spaces.Discrete:
        """The action space of one environment."""
        return spaces.Discrete(self.sizes.actions)

    def check_actions(self, actions: NDArray[np.int64], moves: NDArray[np.int8]) -> None:
        """Raise `InvalidInput` naming the first row that acts and whose action is illegal."""
        simulation = self.rows.simulation
        row = first_illegal(
            simulation.buffer, simulation.base, simulation.models, actions, moves, self._sizes
        )
        if row >= 0:
            legal = np.flatnonzero(self.observe()["action_mask"].reshape(self._count, -1)[row])
            given = int(actions[row])
            words = describe(given, self.sizes.max_networks, self.sizes.batch_sizes)
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
        step_rows(
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


class Described:
    """What both environments tell of their scenarios and sizes."""

    _episodes: Episodes

    @property
    def scenarios(self) -> tuple[Scenario, ...]:
        """The scenarios that episodes are drawn from."""
        return self._episodes.rows.scenarios

    @property
    def batch_sizes(self) -> tuple[int, ...]:
        """The batch sizes of the actions."""
        return self._episodes.sizes.batch_sizes

    @property
    def max_networks(self) -> int:
        """Slots of observation and action."""
        return self._episodes.sizes.max_networks

    @property
    def max_executors(self) -> int:
        """Executors that the observation has room for."""
        return self._episodes.sizes.max_executors

    def action_masks(self) -> NDArray[np.bool_]:
        """bool[A], or bool[n, A] of a vector environment: which actions are legal now."""
        return self._episodes.observe()["action_mask"].view(np.bool_)


def ended(status: NDArray[np.float64]) -> NDArray[np.bool_]:
    """bool[n] from `HEAD.status`: which episodes are over.

    Raises:
        RuntimeError: if a simulation is stuck, which is a bug.
    """
    if (status == STATUS_STUCK).any():
        raise RuntimeError("nothing can happen any more, yet tasks are left: a simulator bug")
    return status == STATUS_ENDED


def _check_scenario(scenario: Scenario, sizes: Sizes) -> None:
    system, node = scenario.system, scenario.schedule_node
    slots = len(slot_groups(system, node))
    if slots > sizes.max_networks:
        raise InvalidInput(
            f"scenario {scenario.name}: networks at the device",
            slots,
            f"at most max_networks = {sizes.max_networks}; pass a larger max_networks",
        )
    executors = int(system.node_executors[node])
    if executors > sizes.max_executors:
        raise InvalidInput(
            f"scenario {scenario.name}: executors of the device",
            executors,
            f"at most max_executors = {sizes.max_executors}; pass a larger max_executors",
        )
