"""The Gymnasium environment `tiergym/TaskScheduling-v0`."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any, ClassVar, cast

import gymnasium as gym
import numpy as np

from tiergym.engine import TaskLog
from tiergym.envs.rows import Snapshot
from tiergym.envs.task_scheduling.episodes import (
    BATCH_SIZES,
    Described,
    Episodes,
    Observation,
    ended,
)
from tiergym.envs.task_scheduling.render import as_text
from tiergym.envs.task_scheduling.stepping import ACT
from tiergym.errors import InvalidInput


class TaskSchedulingEnv(Described, gym.Env[Observation, np.int64]):
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

    metadata: ClassVar[dict[str, Any]] = {"render_modes": ["ansi"], "render_fps": 4}  # pyright: ignore[reportIncompatibleVariableOverride]

    def __init__(
        self,
        scenario: Any = "train",
        max_networks: int = 8,
        batch_sizes: Sequence[int] = BATCH_SIZES,
        max_executors: int = 4,
        invalid_action: str = "first_legal",
        render_mode: str | None = None,
    ) -> None:
        self._episodes = Episodes(
            scenario, 1, True, max_networks, batch_sizes, max_executors, invalid_action
        )
        # Gymnasium warns of a mode that there is not; Stable-Baselines3 tries rgb_array by itself.
        self.render_mode = render_mode if render_mode in self.metadata["render_modes"] else None
        self.observation_space = cast(gym.Space[Observation], self._episodes.sizes.space())
        self.action_space = self._episodes.action_space()  # pyright: ignore[reportAttributeAccessIssue]
        self._actions = self._episodes.sizes.actions
        self._action = np.zeros(1, np.int64)
        self._moves = np.full(1, ACT, np.int8)
        self._over = True

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Draw an episode and run to its first decision; see the class for ``options``."""
        super().reset(seed=seed)
        self._episodes.rows.begin(0, self.np_random, options or {})
        self._over = False
        observation, results = self._episodes.begin(np.ones(1, np.bool_))
        return observation, {"elapsed": float(results[0, 1])}

    def step(self, action: Any) -> tuple[Observation, float, bool, bool, dict[str, Any]]:
        """Carry out one decision and run to the next.

        Raises:
            InvalidInput: for an illegal action under ``invalid_action="raise"``, an action outside
                the action space, or a step after the end of the episode.
        """
        if self._over:
            raise InvalidInput("step", action, "a step only after reset, before the episode's end")
        try:
            number = operator.index(action)
        except TypeError as error:
            raise InvalidInput("action", action, f"a number of {self.action_space}") from error
        if not 0 <= number < self._actions:
            raise InvalidInput("action", action, f"a number of {self.action_space}")
        self._action[0] = number
        if self._episodes.strict:
            self._episodes.check_actions(self._action, self._moves)
        observation, results = self._episodes.step(self._action, self._moves)
        reward, elapsed, status = results[0].tolist()
        info: dict[str, Any] = {"elapsed": elapsed}
        if status != 1.0:
            self._over = bool(ended(results[:, 2])[0])
            info["metrics"] = self._episodes.rows.metrics(0)
        return observation, reward, self._over, False, info

    def task_log(self) -> TaskLog:
        """What has happened to each task of the current, or last, episode."""
        return self._episodes.rows.log(0)

    def snapshot(self) -> Snapshot:
        """A copy of the episode in the middle; it holds the true future (privileged)."""
        return self._episodes.rows.snapshot(0)

    def restore(self, snapshot: Snapshot, future: np.random.Generator | None = None) -> Observation:
        """Go on from a snapshot; with ``future``, under a future drawn anew given the past.

        Returns:
            The observation at that moment.
        """
        self._episodes.rows.restore(0, snapshot, future)
        observation, results = self._episodes.begin(np.zeros(1, np.bool_))
        self._over = bool(ended(results[:, 2])[0])
        return observation

    def render(self) -> str | None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """The present state as text under ``render_mode="ansi"``."""
        if self.render_mode is None:
            gym.logger.warn("render() does nothing without render_mode='ansi'")
            return None
        rows = self._episodes.rows
        clock = float(rows.simulation.head(0)["clock"])
        return as_text(self._episodes.observe(), rows.scenario_of(0), self._episodes.sizes, clock)
