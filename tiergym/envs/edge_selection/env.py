"""The Gymnasium environment `tiergym/EdgeSelection-v0`."""

from __future__ import annotations

from typing import Any

from tiergym.envs.edge_selection.episodes import Described, EdgeSelectionEpisodes
from tiergym.envs.single import EpisodesEnv


class EdgeSelectionEnv(Described, EpisodesEnv):
    """Which edge server a terminal attaches to, and when it moves, from reports that are stale.

    ## Description
    K terminals send the tasks that arrive at them to E edge servers of unequal speed, distance and
    load by other users; beyond these there may be a cloud. One policy decides for all terminals,
    for one at a time, in the order of events. A decision falls due at an upload (a package is about
    to be sent): stage 0, `attach`, when the terminal is attached to nobody, when its edge is out of
    range, and again every `attach_every` seconds (or at every upload); stage 1, `move`, when the
    newest report of its edge says a utilisation of at least `overload_mark`, or when it has been
    silent for three report intervals and the way of a report, at most once in `hold_seconds`.
    Edges publish their load every `report_interval` seconds; a report reaches a terminal half a
    round trip later. Nothing else of an edge is known. The first package to another edge waits
    `reconnect_seconds`, and an edge that lacks a network's parameters fetches them from the cloud.
    An edge may fail: what was there is lost, and uploaded again `timeout_seconds` later; then the
    terminal attaches anew.

    ## Action Space
    `Discrete(B)`, B = `max_edges`: the edge that the terminal is attached to from now on; at stage
    1 the one that it is attached to means to stay. The mask of legal actions is in the observation
    and from `action_masks()`: an edge in range of the terminal, up or down.

    ## Observation Space
    A `Dict` of one-dimensional float32 arrays and the mask; tables are flattened row by row; values
    are clipped to the bounds. 100 s stands for never. Rows of edges that do not exist are zero, but
    for the ages of their reports.

    | field | width | meaning (unit) |
    | --- | --- | --- |
    | reports | 7 x 8 x B | by edge, its reports that this terminal sees, newest first; see below |
    | edge | 7 x B | by edge; see below |
    | terminal | 8 | of the terminal whose turn it is; see below |
    | since | 3 | since its last `attach`, its last `move` decision, its last answer (s) |
    | time | 2 | since the last decision of any terminal (s), share of the window passed |
    | selection | 6 | what the scenario fixes; see below |
    | weights | 4 | of delay, error, deadlines missed and energy in the cost |
    | action_mask | B | int8, 1 = legal |

    A report: utilisation since the one before, tasks queued, expected work queued and running over
    the executors (s), memory held (MB), arrivals a second, terminals attached, age (s); zeros and
    an age of 100 where there is none (one that is older than 99 s says 99). With `report_interval`
    0 there is one, of this moment.

    Of an edge: in range (0 or 1), round trip (s), attached to it (0 or 1), seconds there of the
    network of the oldest waiting task, alone and a task in the best batch, executors, own tasks
    sent there and not answered.

    Of the terminal: its number, the number of terminals, the stage, bandwidth of its uplink now
    (Mbit/s), tasks waiting for it, payload of the oldest (MB), seconds to its deadline (at most 100
    either way), own tasks not answered.

    Of the selection: `attach_every` (s, at most 100), `overload_mark`, `hold_seconds`,
    `reconnect_seconds`, `timeout_seconds`, `report_interval`.

    ## Rewards
    Minus the cost of the whole system since the last decision: `delay_weight` times the integral of
    the number of charged tasks in the system, `error_weight` a wrong answer, `late_weight` a missed
    deadline, `energy_weight` a joule; a refused task counts as wrong, late and `refusal_seconds` of
    delay. The undiscounted return is minus the episode's cost.

    ## Starting State
    An instance is drawn from the scenario (of a split, from one of its scenarios, drawn too):
    positions, arrivals, bandwidths, other users, failures. Nobody is attached.

    ## Episode End
    `terminated` when the last task has left; nothing is truncated by default. The info then holds
    `metrics`, a flat mapping of floats (`tiergym.engine.metrics.metrics_of`, whose ``device_*`` are
    those of the first edge; and ``attaches``, ``switches`` (to another edge), ``uploaded_again``
    (tasks that an edge lost), and mean, maximum and standard deviation of the edges' utilisation).

    ## Arguments
    - `scenario`: name of a split (`"train"`, the default, or `"test"`), of a scenario, a mapping,
      or a list of those; see `tiergym.load_scenario`.
    - `max_edges` = 8: size of observation and action; a scenario that exceeds it is refused.
    - `invalid_action`: `"first_legal"` (an illegal action is replaced by the lowest legal one, and
      counted in the metrics) or `"raise"`.
    - `render_mode`: `"ansi"` or None.

    `reset(options=...)` takes `scenario` (a name among the split's) and `instance` (played as
    given).

    ## Version History
    - v0: first version.

    Raises:
        InvalidInput: for a wrong argument, scenario or option.
    """

    def __init__(
        self,
        scenario: Any = "train",
        max_edges: int = 8,
        invalid_action: str = "first_legal",
        render_mode: str | None = None,
    ) -> None:
        episodes = EdgeSelectionEpisodes(scenario, 1, True, max_edges, invalid_action)
        super().__init__(episodes, render_mode)
        self._episodes = episodes
