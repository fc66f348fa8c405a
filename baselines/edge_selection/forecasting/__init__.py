"""Forecasts of an edge's utilisation from its last reports; one forecaster a file.

``python -m baselines.edge_selection.forecasting`` measures them, and fits and trains them anew.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from baselines.edge_selection.forecasting.ar import Ar, ArOnline
from baselines.edge_selection.forecasting.last import Last
from baselines.edge_selection.forecasting.lstm import Lstm
from baselines.edge_selection.forecasting.mean import Mean
from baselines.edge_selection.forecasting.windows import HORIZONS, Forecaster

FORECASTERS: dict[str, Callable[[], Forecaster]] = {
    "last": Last,
    "mean": Mean,
    "ar": Ar,
    "ar-online": ArOnline,
    "lstm": Lstm,
}
"""Those that see windows of reports; ``oracle`` sees the future of a simulation instead."""

__all__ = ["FORECASTERS", "HORIZONS", "Forecaster", "make_forecaster"]


def make_forecaster(name: Any) -> Forecaster:
    """The forecaster of this name, with the shipped weights.

    Raises:
        InvalidInput: for an unknown name.
    """
    from tiergym.errors import InvalidInput
    from tiergym.fields import closest

    if name not in FORECASTERS:
        known = [*FORECASTERS, "oracle"]
        raise InvalidInput("forecaster", name, f"one of {', '.join(known)}{closest(name, known)}")
    return FORECASTERS[name]()
