"""The edge of the least load index, by the load evaluation model."""

from __future__ import annotations

from typing import Any

from baselines.edge_selection._load import Weights, checked_weights, load_index
from baselines.edge_selection._observation import HISTORY, Actions, Floats, Rows
from baselines.edge_selection._policy import SelectionPolicy, least
from baselines.policy import Entry
from tiergym.errors import InvalidInput
from tiergym.fields import integer


class LeastLoad(SelectionPolicy):
    """Takes the edge in range of the least index at both stages; see `load_index`.

    Args:
        weights: ``hand``, ``entropy`` or a mapping of the criteria utilisation, memory, link and
            queue to their weights.
        window: newest visible reports that are averaged, 1 to 8.
    """

    def __init__(self, env: Any, weights: Weights = "hand", window: int = HISTORY) -> None:
        super().__init__(env)
        self._weights = checked_weights(weights)
        self._window = checked_window(window)

    def choose(self, rows: Rows) -> Actions:
        """The least loaded edge; the lowest at equal load."""
        return least(self.index(rows), rows.mask)

    def index(self, rows: Rows) -> Floats:
        """float64[n, B], the load index."""
        return load_index(rows, self._weights, self._window)


def checked_window(window: Any) -> int:
    """``window``, or `InvalidInput` unless it is a number of reports."""
    count = integer("window", window, low=1)
    if count > HISTORY:
        raise InvalidInput("window", window, f"at most {HISTORY} reports")
    return count


POLICIES = {"least-load": Entry(LeastLoad)}
