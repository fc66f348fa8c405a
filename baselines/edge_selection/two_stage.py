"""The thesis's two stages: attach by the load evaluation model, move by a forecast of load."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from baselines.edge_selection._hidden import Hidden
from baselines.edge_selection._load import Weights, checked_weights, load_index, wire_seconds
from baselines.edge_selection._observation import HISTORY, MOVE, Actions, Flags, Floats, Rows
from baselines.edge_selection._policy import DrawingPolicy, kept, least, of_terminals
from baselines.edge_selection._reports import avoiding_silent, supposed
from baselines.edge_selection.forecasting import HORIZONS, Forecaster, make_forecaster
from baselines.edge_selection.forecasting.oracle import Oracle, spans
from baselines.edge_selection.least_load import checked_window
from baselines.policy import Entry, State, check_flag, check_number
from tiergym.errors import InvalidInput

Source = Callable[[Rows], Floats]
"""Forecasts float64[n, B, 4] of each edge's utilisation, `HORIZONS` report intervals on; NaN where
nothing is known of it."""

ATTACHING = ("least-load", "random")
ARRIVAL = "arrival"


def windows_of(rows: Rows) -> Floats:
    """float64[n, B, H], utilisation as reported, the oldest first.

    Where there are fewer reports the oldest one is repeated; NaN where there is none.
    """
    count = rows.known.sum(axis=2)[:, :, None]
    back = np.minimum(np.arange(HISTORY - 1, -1, -1), np.maximum(count - 1, 0))
    return np.where(count > 0, np.take_along_axis(rows.utilisation, back, axis=2), np.nan)


def from_reports(forecaster: Forecaster) -> Source:
    """What a forecaster makes of the visible reports; NaN in rows at the stage `attach`."""

    def forecasts(rows: Rows) -> Floats:
        windows = windows_of(rows)
        found = np.full((*windows.shape[:2], len(HORIZONS)), np.nan)
        known = rows.known[:, :, 0] & rows.in_range & (rows.stage == MOVE)[:, None]
        if known.any():
            found[known] = forecaster.forecast(windows[known])
        return found

    return forecasts


def steps_to_arrival(rows: Rows) -> Floats:
    """float64[n, B], report intervals from the newest report until a package sent now arrives."""
    age = np.where(rows.known[:, :, 0], rows.age[:, :, 0], 0.0)
    seconds = age + wire_seconds(rows)[:, None] + 0.5 * rows.rtt
    return seconds / spans(rows)[:, None]


def between_steps(newest: Floats, forecasts: Floats, steps: Floats) -> Floats:
    """float64[n, B], joined linearly from the newest value over `HORIZONS`, then the last one."""
    points = np.array((0, *HORIZONS), dtype=np.float64)
    values = np.concatenate([newest[:, :, None], forecasts], axis=2)
    at = np.clip(np.searchsorted(points, steps, side="right") - 1, 0, len(points) - 2)
    share = np.clip((steps - points[at]) / (points[at + 1] - points[at]), 0.0, 1.0)
    low, high = (np.take_along_axis(values, k[:, :, None], 2)[:, :, 0] for k in (at, at + 1))
    return low + share * (high - low)


class TwoStage(DrawingPolicy):
    """At `attach` the least load index; at `move` the edge of the lightest forecast utilisation.

    Among equal forecasts it stays, and silent edges are avoided. With ``hold`` its state is, for
    each row the clock, and for each terminal when it last went to another edge.

    Args:
        forecaster: ``lstm``, ``last``, ``mean``, ``ar``, ``ar-online``, or ``oracle``, which reads
            the future of the simulation (privileged).
        ahead: report intervals ahead, 1, 2, 4 or 8; or ``arrival``, when a package sent now would
            get there.
        attach: ``least-load`` or ``random``.
        moves: whether to move at all, or stay where it attached.
        hold: seconds since it last went to another edge for which a terminal stays, against
            flapping; an edge that has fallen silent is left all the same.
        weights, window: of the load index, see `LeastLoad`.
    """

    def __init__(
        self,
        env: Any,
        forecaster: str = "lstm",
        ahead: int | str = 1,
        attach: str = "least-load",
        moves: bool = True,
        hold: float = 0.0,
        weights: Weights = "hand",
        window: int = HISTORY,
    ) -> None:
        super().__init__(env)
        self.privileged = forecaster == "oracle"
        self._source = self._source_of(env, forecaster)
        if isinstance(ahead, bool) or ahead not in (*HORIZONS, ARRIVAL):
            raise InvalidInput("ahead", ahead, f"{', '.join(map(str, HORIZONS))} or {ARRIVAL}")
        if attach not in ATTACHING:
            raise InvalidInput("attach", attach, " or ".join(ATTACHING))
        self._ahead, self._attach = ahead, attach
        self._moves = check_flag("moves", moves)
        self._hold = check_number("hold", hold, 0.0, "seconds >= 0")
        self._weights, self._window = checked_weights(weights), checked_window(window)

    def _source_of(self, env: Any, forecaster: str) -> Source:
        if forecaster == "oracle":
            return Oracle(Hidden(env, self.layout.edges))
        return from_reports(make_forecaster(forecaster))

    def act(self, rows: Rows, state: State, fresh: Flags) -> tuple[Actions, State]:
        """Actions int64[n]; the state is (clock [n, 1], last change [n, K]) with ``hold``."""
        attached = self._attached(rows)
        if not self._hold:
            return np.where(rows.stage == MOVE, self._moved(rows), attached), None
        clock, changed = _clocks(rows, state, fresh)
        row, now = np.arange(len(fresh)), clock[:, 0]
        held = now - changed[row, rows.terminal] < self._hold
        held &= ~(rows.silent & rows.attached).any(axis=1)
        moved = np.where(held, kept(rows), self._moved(rows))
        actions = np.where(rows.stage == MOVE, moved, attached)
        elsewhere = ~rows.attached[row, actions]
        changed[row, rows.terminal] = np.where(elsewhere, now, changed[row, rows.terminal])
        return actions, (clock, changed)

    def _attached(self, rows: Rows) -> Actions:
        if self._attach == "random":
            return least(self.uniforms(rows), rows.mask)
        return least(load_index(rows, self._weights, self._window), rows.mask)

    def _moved(self, rows: Rows) -> Actions:
        if not self._moves:
            return kept(rows)
        if not (rows.stage == MOVE).any():
            return np.zeros(len(rows.mask), dtype=np.int64)
        load = avoiding_silent(supposed(self.forecast(rows), rows), rows)
        return least(load, rows.mask, np.where(rows.attached, 0.0, 1.0))

    def forecast(self, rows: Rows) -> Floats:
        """float64[n, B], the utilisation of each edge as far ahead as asked; NaN if unknown."""
        forecasts = self._source(rows)
        if self._ahead == ARRIVAL:
            return between_steps(windows_of(rows)[:, :, -1], forecasts, steps_to_arrival(rows))
        return forecasts[:, :, HORIZONS.index(int(self._ahead))]


def _clocks(rows: Rows, state: State, fresh: Flags) -> tuple[Floats, Floats]:
    """Copies of the state, [n, 1] and [n, K], the clock moved on."""
    clock, changed = state if state is not None else (np.zeros((len(fresh), 1)), None)
    going = np.where(fresh[:, None], 0.0, clock) + rows.elapsed[:, None]
    return going, of_terminals(changed, rows, fresh, -np.inf)


_HOLD = 5.0
"""Seconds: a few reports, and longer than the shipped scenarios hold by themselves."""

POLICIES = {
    "two-stage": Entry(TwoStage),
    "two-stage-last": Entry(TwoStage, {"forecaster": "last"}),
    "two-stage-mean": Entry(TwoStage, {"forecaster": "mean"}),
    "two-stage-ar": Entry(TwoStage, {"forecaster": "ar"}),
    "two-stage-oracle": Entry(TwoStage, {"forecaster": "oracle"}),
    "two-stage+hold": Entry(TwoStage, {"hold": _HOLD}),
    "stage-one": Entry(TwoStage, {"forecaster": "last", "moves": False}),
    "stage-two": Entry(TwoStage, {"attach": "random"}),
}
