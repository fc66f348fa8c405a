"""The Gymnasium environment `tiergym/ExitPlacement-v0`."""

from __future__ import annotations

from typing import Any

from tiergym.envs.exit_placement.episodes import Described, ExitPlacementEpisodes
from tiergym.envs.single import EpisodesEnv


class ExitPlacementEnv(Described, EpisodesEnv):
    """After which block the terminal's exit and the edge's exit sit, chosen interval by interval.

    ## Description
    A deep network of L blocks is served by a terminal, an edge server and the cloud. Under the
    placement (p1, p2) the terminal runs blocks 1 to p1, the edge p1 + 1 to p2, the cloud the rest;
    each stage with a block ends in an exit head, where a task leaves if its confidence reaches the
    threshold (the head after L accepts everything; an empty stage has no head and costs nothing).
    Before each interval the agent picks the placement for the tasks that arrive from then on, while
    bandwidth, arrivals and other users' load drift. The simulator then really serves them:
    queues, batches, packages and exits of a really trained network's exit table. Tasks keep the
    placement they arrived under, and what is queued carries over. Parameters that a node lacks
    load from its local storage, on one of its executors, while nothing else runs there; the old
    ones stay until their last task has left.

    ## Action Space
    `Discrete(T P)` with P = (B + 1)(B + 2) / 2 pairs, B = `max_blocks` and T = `max_thresholds`:
    action `t P + p2 (p2 + 1) / 2 + p1` is the pair (p1, p2), 0 <= p1 <= p2 <= L, under threshold
    level t of the scenario. A number means the same pair for every network. The mask of legal
    actions is in the observation and from `action_masks()`: a pair is legal if it can be served and
    its parameters fit beside all that are still held; the one in force always is.

    ## Observation Space
    A `Dict` of one-dimensional float32 arrays and the mask; values are clipped to the bounds. H = 4
    past intervals, the latest first, zeros before there were any.

    | field | width | meaning (unit) |
    | --- | --- | --- |
    | link | 8 | of the uplink, then of the backhaul, see below |
    | bandwidth_past | 2 H | mean of uplink and backhaul in an interval (Mbit/s) |
    | arrivals_past | H | tasks that arrived in an interval, a second |
    | utilisation_past | 3 H | busy share of terminal, edge, cloud, other users' work included |
    | queue_length | 3 | tasks queued at terminal, edge and cloud, other users' included |
    | backlog_seconds | 3 | expected work there, queued and running, over the executors (s) |
    | in_system | 1 | own tasks on their way |
    | free_megabytes | 3 | memory left (MB); -1 where it is unlimited |
    | held_blocks | 3 B | 1 where a block's parameters are there, 0.5 while loading, else 0 |
    | placement | 4 | p1, p2 and level in force, and 1; all 0 before the first decision |
    | time | 3 | since the last decision (s), share of the window passed, interval (s) |
    | network | 3 | L, deadline (s; at most 100), input as it is sent (MB) |
    | block_macs, block_megabytes | B | of each block (10^6 macs, MB of parameters) |
    | payload_megabytes | B + 1 | upload of a task after block k, 0 for the input (MB) |
    | head_accuracy, head_exit_rate | B | of the head after block k (at level 0, first threshold) |
    | terminal_seconds, edge_seconds | B | a stage of blocks 1 to k with its head, one task (s) |
    | cloud_seconds | B | a stage of blocks k to L at the cloud, one task (s) |
    | pair_seconds | 3 P | stages of terminal, edge and cloud by pair, one task (s) |
    | pair_exit_share | 2 T P | of all tasks, what leaves at the terminal and at the edge |
    | pair_accuracy | T P | share of right answers |
    | thresholds | 2 T | confidence at the two heads by level; 2 = nobody leaves before L |
    | batch_gain | 3 | seconds a task of the whole network in its best batch over those alone |
    | executors, batch_max, load_rate | 3 | of terminal, edge, cloud (load rate in MB/s) |
    | weights | 4 | of delay, error, deadlines missed and energy in the cost |
    | action_mask | T P | int8, 1 = legal |

    `link` holds for each the round trip (s), the time per package (s), the time until all that
    waits has left (s) and the bandwidth (Mbit/s) now. Shares and accuracies are measured on the
    exit table's validation rows; the tasks' own rows are others.

    ## Rewards
    Minus the cost since the last decision: `delay_weight` times the integral of the number of
    charged tasks in the system, `error_weight` a wrong answer, `late_weight` a missed deadline,
    `energy_weight` a joule; a refused task counts as wrong, late and `refusal_seconds` of delay.
    The undiscounted return is minus the episode's cost. Draining after the last interval belongs
    to its step.

    ## Starting State
    An instance is drawn from the scenario (of a split, from one of its scenarios, drawn too).
    Nothing is in force before the first decision, at time 0; its parameters are there at once.

    ## Episode End
    `terminated` when the last task has left; nothing is truncated by default. The info then holds
    `metrics`, a flat mapping of floats (`tiergym.engine.metrics.metrics_of`, and ``changes``,
    ``change_share`` and ``loads``: how often the placement changed and parameters were loaded).

    ## Arguments
    - `scenario`: name of a split (`"train"`, the default, or `"test"`), of a scenario, a mapping,
      or a list of those; see `tiergym.load_scenario`.
    - `max_blocks` = 16, `max_thresholds` = 1: sizes of observation and action; a scenario that
      exceeds them is refused.
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
        max_blocks: int = 16,
        max_thresholds: int = 1,
        invalid_action: str = "first_legal",
        render_mode: str | None = None,
    ) -> None:
        episodes = ExitPlacementEpisodes(
            scenario, 1, True, max_blocks, max_thresholds, invalid_action
        )
        super().__init__(episodes, render_mode)
        self._episodes = episodes
