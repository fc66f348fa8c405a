"""The Gymnasium environment `tiergym/TaskScheduling-v0`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tiergym.envs.single import EpisodesEnv
from tiergym.envs.task_scheduling.episodes import BATCH_SIZES, Described, TaskSchedulingEpisodes


class TaskSchedulingEnv(Described, EpisodesEnv):
    """What a busy device runs next, in what batch, and what it hands upward unrun.

    ## Description
    One device (a terminal or an edge server) serves inference tasks of several networks, and has an
    uplink to a faster tier. Tasks of one network that wait for the same block (a *task group*) can
    be spliced into one tensor and run as a batch, which costs less than one after the other;
    queued tasks can also be handed upward unrun (*pre-upload*), packed into packages. The agent
    decides both. Devices, networks, links and arrivals come from measurements, see the scenario.

    A decision is due when an executor is idle and a task is queued; and, while all executors are
    busy, tasks are queued and the uplink is idle, whenever the uplink has become idle, a batch was
    started or a task arrived (only pre-upload and wait are legal then). Starting and
    pre-uploading take no time, so the next decision may be due at the same moment.

    ## Action Space
    `Discrete(1 + 2 M K)`, with M = `max_networks` slots (the groups of the scenario's networks in
    their order) and K = `len(batch_sizes)`:

    | action | meaning |
    | --- | --- |
    | 0 | wait until the next arrival, an executor or the uplink falling idle, or the window's end |
    | 1 + m K + j | run at most `batch_sizes[j]` of the oldest tasks of slot m |
    | 1 + M K + m K + j | pre-upload at most `batch_sizes[j]` of the youngest tasks of slot m |

    The mask of legal actions is in the observation and from `action_masks()`. An action that would
    do the same as a smaller size is masked, as is a batch that does not fit into memory.

    ## Observation Space
    A `Dict` of one-dimensional float32 arrays and the mask; values are clipped to the bounds.

    | field | width | meaning (unit) |
    | --- | --- | --- |
    | queue_length | M | tasks queued |
    | oldest_age, mean_age | M | since arrival (s); 0 when empty |
    | oldest_slack, youngest_slack | M | to the deadline of the oldest and the youngest (s) |
    | arrivals_1s, arrivals_10s | M | tasks that arrived in the last 1 and 10 seconds |
    | executor_seconds | `max_executors` | expected until idle (s); 0 idle, -1 absent |
    | free_megabytes | 1 | free memory (MB); -1 where it is unlimited |
    | uplink | 5 | the link to the tier above, see below; all -1 without one |
    | upper | 3 | what is known of the tier above, see below |
    | time | 2 | since the last decision (s), share of the arrival window that has passed |
    | run_seconds | M K | this device's seconds for a batch of each size; 0 = not available |
    | payload_megabytes | M | upload size of a task (MB) |
    | task_megabytes | M | memory a task takes while it runs alone (MB) |
    | upper_seconds | M K | the upper tier's seconds for that many tasks |
    | weights | 4 | of delay, error, deadlines missed and energy in the cost |
    | action_mask | 1 + 2 M K | int8, 1 = legal |

    `uplink` holds the time expected until the uplink is free of all that waits (s), what waits or
    is on the wire (MB), the bandwidth (Mbit/s), the round trip (s) and the time per package (s).
    `upper` holds the backlog of the tier above as its last answer told (s), the age of that answer
    (s; 100 = never told) and the number of its executors; an answer tells the node that its task
    arrived at. Fields of width M K go slot by slot.

    ## Rewards
    Minus the cost since the last decision: `delay_weight` times the integral of the number of
    charged tasks in the system, `error_weight` a wrong answer, `late_weight` a missed deadline,
    `energy_weight` a joule; a refused task counts as wrong, late and `refusal_seconds` of delay.
    The undiscounted return is minus the episode's cost. Decisions are unevenly spaced: `elapsed`
    in the info and `time[0]` tell the seconds since the last one.

    ## Starting State
    An instance is drawn from the scenario (of a split, from one of its scenarios, drawn too): every
    arrival, sample, jitter multiplier and the course of the bandwidth. The simulation then runs to
    its first decision; what is charged before it belongs to the first step.

    ## Episode End
    `terminated` when the last task has left; nothing is truncated by default. The info then holds
    `metrics`, a flat mapping of floats (`tiergym.engine.metrics.metrics_of`).

    ## Arguments
    - `scenario`: name of a split (`"train"`, the default, or `"test"`), of a scenario, a mapping,
      or a list of those; see `tiergym.load_scenario`.
    - `max_networks` = 8, `batch_sizes` = (1, 2, 4, 8, 16), `max_executors` = 4: sizes of
      observation and action; a scenario that exceeds them is refused.
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
        max_networks: int = 8,
        batch_sizes: Sequence[int] = BATCH_SIZES,
        max_executors: int = 4,
        invalid_action: str = "first_legal",
        render_mode: str | None = None,
    ) -> None:
        episodes = TaskSchedulingEpisodes(
            scenario, 1, True, max_networks, batch_sizes, max_executors, invalid_action
        )
        super().__init__(episodes, render_mode)
        self._episodes = episodes
