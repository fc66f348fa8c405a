"""Episodes of EdgeSelection: its sizes, and what ties its compiled step to them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tiergym.envs.arguments import whole
from tiergym.envs.edge_selection.actions import describe
from tiergym.envs.edge_selection.observation import STATIC, Sizes, static_table
from tiergym.envs.edge_selection.render import as_text
from tiergym.envs.edge_selection.stepping import first_illegal, step_rows
from tiergym.envs.episodes import Episodes, Observation
from tiergym.errors import InvalidInput
from tiergym.scenarios import Scenario

MOST_EDGES = 256


class EdgeSelectionEpisodes(Episodes):
    """Rows of EdgeSelection episodes.

    Args:
        scenario, rows, single, invalid_action: see `Episodes`.
        max_edges: size of observation and action.

    Raises:
        InvalidInput: for a wrong argument, or a scenario larger than the sizes.
    """

    problem = "edge_selection"
    claims = "select"
    step_rows = staticmethod(step_rows)
    first_illegal = staticmethod(first_illegal)

    def __init__(
        self, scenario: Any, rows: int, single: bool, max_edges: int, invalid_action: str
    ) -> None:
        self.sizes = Sizes(whole("max_edges", max_edges, 1, MOST_EDGES))
        fields = self.sizes.fields()
        widths = [field.width for field in fields if field.name in STATIC]
        numbers = np.array([max_edges, *widths], np.int64)
        super().__init__(scenario, rows, single, fields, max_edges, numbers, invalid_action)

    def check_scenario(self, scenario: Scenario) -> None:
        """Raise `InvalidInput` if ``scenario`` is larger than the sizes."""
        assert scenario.system.selection is not None
        given, most = scenario.system.selection.edges, self.sizes.max_edges
        if given > most:
            allowed = f"at most max_edges = {most}; pass a larger max_edges"
            raise InvalidInput(f"scenario {scenario.name}: edges", given, allowed)

    def static_of(self, scenario: Scenario) -> NDArray[np.float32]:
        """The fields that ``scenario`` fixes, one after the other."""
        return static_table(scenario, self.sizes)

    def describe(self, action: int) -> str:
        """An action in words."""
        return describe(action)

    def as_text(self, observation: Observation, row: int) -> str:
        """The present state of ``row``."""
        clock = float(self.rows.simulation.head(row)["clock"])
        return as_text(observation, self.rows.scenario_of(row), clock)

    def metrics(self, row: int) -> dict[str, float]:
        """What every problem tells, and what came of attaching and moving."""
        head = self.rows.simulation.head(row)
        used = self._utilisation(row)
        return {
            **self.rows.metrics(row),
            "attaches": float(head["attaches"]),
            "switches": float(head["switches"]),
            "uploaded_again": float(head["lost"]),
            "edge_utilisation": float(used.mean()),
            "edge_utilisation_max": float(used.max()),
            "edge_utilisation_spread": float(used.std()),
        }

    def _utilisation(self, row: int) -> NDArray[np.float64]:
        """float64[E], busy share of each edge over the whole episode."""
        system = self.rows.scenario_of(row).system
        assert system.selection is not None
        first, simulation = system.selection.terminals, self.rows.simulation
        own = slice(first, first + system.selection.edges)
        busy = simulation.view(row, "node")["busy_seconds"][own]
        seconds = float(simulation.head(row)["clock"]) * system.node_executors[own]
        return busy / np.maximum(seconds, 1e-12)


class Described:
    """What both environments tell of their sizes."""

    _episodes: EdgeSelectionEpisodes

    @property
    def max_edges(self) -> int:
        """Edges that observation and action have room for."""
        return self._episodes.sizes.max_edges
