"""Episodes of ExitPlacement: its sizes, and what ties its compiled step to them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tiergym.envs.arguments import whole
from tiergym.envs.episodes import Episodes, Observation
from tiergym.envs.exit_placement.actions import describe
from tiergym.envs.exit_placement.knowledge import static_table
from tiergym.envs.exit_placement.observation import STATIC, Sizes
from tiergym.envs.exit_placement.render import as_text
from tiergym.envs.exit_placement.stepping import first_illegal, step_rows
from tiergym.errors import InvalidInput
from tiergym.scenarios import Scenario
from tiergym.scenarios.placing import MOST_BLOCKS

MOST_LEVELS = 64


class ExitPlacementEpisodes(Episodes):
    """Rows of ExitPlacement episodes.

    Args:
        scenario, rows, single, invalid_action: see `Episodes`.
        max_blocks, max_thresholds: sizes of observation and action.

    Raises:
        InvalidInput: for a wrong argument, or a scenario larger than the sizes.
    """

    problem = "exit_placement"
    claims = "place"
    step_rows = staticmethod(step_rows)
    first_illegal = staticmethod(first_illegal)

    def __init__(
        self,
        scenario: Any,
        rows: int,
        single: bool,
        max_blocks: int,
        max_thresholds: int,
        invalid_action: str,
    ) -> None:
        self.sizes = Sizes(
            whole("max_blocks", max_blocks, 1, MOST_BLOCKS),
            whole("max_thresholds", max_thresholds, 1, MOST_LEVELS),
        )
        fields, actions = self.sizes.fields(), self.sizes.actions
        widths = [field.width for field in fields if field.name in STATIC]
        numbers = np.array([actions, self.sizes.pairs, self.sizes.max_blocks, *widths], np.int64)
        super().__init__(scenario, rows, single, fields, actions, numbers, invalid_action)

    def check_scenario(self, scenario: Scenario) -> None:
        """Raise `InvalidInput` if ``scenario`` is larger than the sizes."""
        assert scenario.outlook is not None
        assert scenario.system.placing is not None
        own = {
            "max_blocks": scenario.outlook.blocks,
            "max_thresholds": len(scenario.system.placing.thresholds),
        }
        for name, given in own.items():
            most = int(getattr(self.sizes, name))
            if given > most:
                allowed = f"at most {name} = {most}; pass a larger {name}"
                raise InvalidInput(f"scenario {scenario.name}: {name[4:]}", given, allowed)

    def static_of(self, scenario: Scenario) -> NDArray[np.float32]:
        """The fields that ``scenario`` fixes, one after the other."""
        return static_table(scenario, self.sizes)

    def describe(self, action: int) -> str:
        """An action in words."""
        return describe(action, self.sizes.max_blocks)

    def as_text(self, observation: Observation, row: int) -> str:
        """The present state of ``row``."""
        clock = float(self.rows.simulation.head(row)["clock"])
        return as_text(observation, self.rows.scenario_of(row), clock)

    def metrics(self, row: int) -> dict[str, float]:
        """What every problem tells, and how often the placement changed."""
        head = self.rows.simulation.head(row)
        decisions = int(head["decisions"])
        changes = float(head["changes"])
        share = changes / (decisions - 1) if decisions > 1 else math.nan
        return {
            **self.rows.metrics(row),
            "changes": changes,
            "change_share": share,
            "loads": float(head["loads"]),
        }


class Described:
    """What both environments tell of their sizes."""

    _episodes: ExitPlacementEpisodes

    @property
    def max_blocks(self) -> int:
        """Blocks that observation and action have room for."""
        return self._episodes.sizes.max_blocks

    @property
    def max_thresholds(self) -> int:
        """Threshold levels that observation and action have room for."""
        return self._episodes.sizes.max_thresholds

    @property
    def pairs(self) -> int:
        """Pairs of each threshold level."""
        return self._episodes.sizes.pairs
