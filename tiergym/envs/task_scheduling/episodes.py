"""Episodes of TaskScheduling: its sizes, and what ties its compiled step to them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tiergym.engine.packing import slot_groups
from tiergym.envs.arguments import rising_sizes, whole
from tiergym.envs.episodes import Episodes, Observation
from tiergym.envs.task_scheduling.actions import describe
from tiergym.envs.task_scheduling.observation import Sizes, static_table
from tiergym.envs.task_scheduling.render import as_text
from tiergym.envs.task_scheduling.stepping import first_illegal, step_rows
from tiergym.errors import InvalidInput
from tiergym.scenarios import Scenario

BATCH_SIZES = (1, 2, 4, 8, 16)
_MOST = 1024
"""Upper limit of every size, so that a slip does not ask for gigabytes."""


class TaskSchedulingEpisodes(Episodes):
    """Rows of TaskScheduling episodes.

    Args:
        scenario, rows, single, invalid_action: see `Episodes`.
        max_networks, batch_sizes, max_executors: sizes of observation and action.

    Raises:
        InvalidInput: for a wrong argument, or a scenario larger than the sizes.
    """

    problem = "task_scheduling"
    claims = "schedule"
    step_rows = staticmethod(step_rows)
    first_illegal = staticmethod(first_illegal)

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
        numbers = [self.sizes.max_networks, self.sizes.max_executors, *self.sizes.batch_sizes]
        fields, actions = self.sizes.fields(), self.sizes.actions
        numbers = np.array(numbers, np.int64)
        super().__init__(scenario, rows, single, fields, actions, numbers, invalid_action)

    def check_scenario(self, scenario: Scenario) -> None:
        """Raise `InvalidInput` if ``scenario`` is larger than the sizes."""
        check_sizes(scenario, self.sizes)

    def static_of(self, scenario: Scenario) -> NDArray[np.float32]:
        """The fields that ``scenario`` fixes, one after the other."""
        return static_table(scenario.system, scenario.schedule_node, self.sizes)

    def describe(self, action: int) -> str:
        """An action in words."""
        return describe(action, self.sizes.max_networks, self.sizes.batch_sizes)

    def as_text(self, observation: Observation, row: int) -> str:
        """The present state of ``row``."""
        clock = float(self.rows.simulation.head(row)["clock"])
        return as_text(observation, self.rows.scenario_of(row), self.sizes, clock)


class Described:
    """What both environments tell of their sizes."""

    _episodes: TaskSchedulingEpisodes

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


def check_sizes(scenario: Scenario, sizes: Sizes) -> None:
    """Refuse a scenario with more networks or executors than there is room for."""
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
