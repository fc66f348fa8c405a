"""Observations of ``tiergym/EdgeSelection-v0`` as arrays with a row axis."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from baselines.observing import attribute, mask_of
from baselines.policy import Observation

HISTORY = 8
"""H, reports of an edge that are observed."""
AGE_BOUND = 100.0
"""Age (s) that stands for a report that there is not, and time since what never was."""
ATTACH, MOVE = 0, 1
"""Stages: which edge to attach to; whether to leave one that is overloaded."""
SILENT_INTERVALS = 3.0
"""Report intervals after which an edge that had reported counts as silent (the environment's)."""

Floats = NDArray[np.float64]
Actions = NDArray[np.int64]
Flags = NDArray[np.bool_]


class Rows(NamedTuple):
    """n observations, B edge slots, H reports (the newest first). A slot without an edge is zero.

    Reports that there are not are zero, their age `AGE_BOUND`.
    """

    utilisation: Floats  # [n, B, H] busy share since the report before
    queued: Floats  # [n, B, H] tasks
    backlog: Floats  # [n, B, H] seconds
    held: Floats  # [n, B, H] megabytes
    arrivals: Floats  # [n, B, H] tasks a second since the report before
    terminals_attached: Floats  # [n, B, H]
    age: Floats  # [n, B, H] seconds
    in_range: Flags  # [n, B]
    rtt: Floats  # [n, B] seconds, 0 out of range
    attached: Flags  # [n, B] the one that this terminal is attached to, if any
    seconds: Floats  # [n, B] of the oldest waiting task's network, one task alone
    batch_seconds: Floats  # [n, B] the same, a task in the best batch
    executors: Floats  # [n, B]
    own: Floats  # [n, B] own tasks sent there and not answered yet
    terminal: Actions  # [n] index
    terminals: Actions  # [n] K
    stage: Actions  # [n] ATTACH or MOVE
    bandwidth: Floats  # [n] bit/s of its uplink now
    payload: Floats  # [n] bits of the oldest waiting task
    reconnect_seconds: Floats  # [n]
    report_interval: Floats  # [n] seconds, 0 for fresh reports
    elapsed: Floats  # [n] seconds since the last decision of any terminal
    mask: NDArray[np.int8]  # [n, B]

    @property
    def known(self) -> Flags:
        """bool[n, B, H]: reports that there are."""
        return self.age < AGE_BOUND

    @property
    def silent(self) -> Flags:
        """bool[n, B]: edges that reported once, but not for `SILENT_INTERVALS` and a way."""
        latest = SILENT_INTERVALS * self.report_interval[:, None] + self.rtt / 2.0
        late = self.age[:, :, 0] > latest
        return self.known[:, :, 0] & late & (self.report_interval[:, None] > 0.0)


class Layout(NamedTuple):
    """Sizes of the observations of one environment."""

    edges: int

    @classmethod
    def of(cls, env: Any) -> Layout:
        """Read the sizes from a single or a vector environment, Gymnasium's own ones included."""
        return cls(int(attribute(env.unwrapped, "max_edges")))

    def rows(self, observation: Observation) -> tuple[Rows, bool]:
        """The observation with a row axis, and whether it was a single one without."""
        mask, single = mask_of(observation, self.edges)
        return self._rows(observation, mask), single

    def _rows(self, observation: Observation, mask: NDArray[np.int8]) -> Rows:
        def field(name: str, *shape: int) -> Floats:
            value = np.asarray(observation[name], dtype=np.float64)
            return np.moveaxis(value.reshape(len(mask), *shape), -1, 0)

        reports = field("reports", self.edges, HISTORY, 7)
        in_range, rtt, attached, alone, batched, executors, own = field("edge", self.edges, 7)
        terminal, selection = field("terminal", 8), field("selection", 6)
        return Rows(
            *reports,
            in_range=in_range > 0.5,
            rtt=rtt,
            attached=attached > 0.5,
            seconds=alone,
            batch_seconds=batched,
            executors=executors,
            own=own,
            terminal=terminal[0].astype(np.int64),
            terminals=terminal[1].astype(np.int64),
            stage=terminal[2].astype(np.int64),
            bandwidth=terminal[3] * 1e6,
            payload=terminal[5] * 8e6,
            reconnect_seconds=selection[3],
            report_interval=selection[5],
            elapsed=field("time", 2)[0],
            mask=mask,
        )
