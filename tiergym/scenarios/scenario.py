"""`Scenario`: a named problem, compiled; draws instances."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tiergym.scenarios.by_hand import instance_by_hand
from tiergym.scenarios.capacity import Capacity
from tiergym.scenarios.draw import Models, draw_instance
from tiergym.scenarios.instance import Coverage, Instance
from tiergym.scenarios.outlook import Outlook
from tiergym.scenarios.redraw import redraw_instance
from tiergym.scenarios.summary import summary_text
from tiergym.scenarios.system import System


@dataclass(frozen=True, eq=False)
class Scenario:
    """Everything that a problem fixes, and the distributions of everything that it draws.

    Made by `load_scenario`; never changed afterwards, so it may be shared.

    Attributes:
        name, version, description: as given.
        problem: ``task_scheduling``, ``exit_placement`` or ``edge_selection``.
        window: seconds in which tasks arrive.
        rate: tasks per second that arrive, other users' not counted.
        system: its constants as plain arrays.
        schedule_node: index of the node that TaskScheduling decides for.
        capacity: tasks per second that it can take.
        models: what instances are drawn from.
        watts_known: whether the joules of every node and link are known.
        config: the mapping it was made from, as JSON values with absolute paths.
        fingerprint: hash of the files that ``config`` names.
        outlook: what is known beforehand of the placed network; None where nothing is placed.
    """

    name: str
    version: int
    description: str
    problem: str
    window: float
    rate: float
    system: System
    schedule_node: int
    capacity: Capacity
    models: Models
    watts_known: bool
    config: dict[str, Any]
    fingerprint: str
    outlook: Outlook | None = None

    @property
    def load(self) -> float:
        """Offered load: the rate over total capacity."""
        return self.rate / self.capacity.total

    def draw(self, np_random: np.random.Generator) -> Instance:
        """Draw an instance; a pure function of the generator."""
        return draw_instance(self.models, np_random)

    def redraw(
        self,
        np_random: np.random.Generator,
        instance: Instance,
        now: float,
        fixed: NDArray[np.bool_],
    ) -> Instance:
        """Draw everything that has not happened by ``now`` anew, given what has.

        Args:
            instance: the one that has been played until ``now``.
            now: seconds.
            fixed: bool[T], the tasks that have arrived; they come first in the result, unchanged.
        """
        return redraw_instance(self.models, np_random, instance, now, fixed)

    def instance(
        self,
        arrival: ArrayLike,
        *,
        network: ArrayLike | str = 0,
        deadline: ArrayLike | None = None,
        sample: ArrayLike = 0,
        origin: ArrayLike | str | None = None,
        charged: ArrayLike = True,
        jitter: ArrayLike | None = None,
        bandwidth: Mapping[str, Any] | None = None,
        window: float | None = None,
        coverage: Coverage | None = None,
    ) -> Instance:
        """An instance of one's own, with defaults for what is left out.

        Args:
            arrival: seconds, not decreasing.
            network: index or name, one for all or one per task.
            deadline: absolute seconds; by default the arrival plus what the scenario allows.
            sample: rows of the exit tables.
            origin: node by index or name; by default the scenario's, or its terminals in turn.
            charged: whether tasks count.
            jitter: float[N, K] multipliers; by default none.
            bandwidth: per link name Mbit/s, or ``[[start seconds, Mbit/s], ...]`` from 0 on; by
                default the long-run mean.
            window: seconds; by default the scenario's, or longer if tasks arrive later.
            coverage: where terminals select edges: which edges they reach, and when edges fail; by
                default one draw of the scenario's, always the same, without failures.

        Raises:
            InvalidInput: if the engine could not play it.
        """
        given = {
            "network": network,
            "deadline": deadline,
            "sample": sample,
            "origin": origin,
            "charged": charged,
            "jitter": jitter,
            "bandwidth": bandwidth,
            "window": window,
            "coverage": coverage,
        }
        return instance_by_hand(self.system, self.models, arrival, given)

    def digest(self) -> str:
        """SHA-256 (hex) of the configuration, of the files that it names and of the constants."""
        state = hashlib.sha256(self.fingerprint.encode())
        for name, array in self.system.arrays().items():
            state.update(f"{name}:{array.dtype.str}:{array.shape}".encode())
            state.update(np.ascontiguousarray(array).tobytes())
        state.update(json.dumps([self.window, self.rate]).encode())
        return state.hexdigest()

    def summary(self) -> str:
        """What it is, its capacities and its load, as text."""
        return summary_text(self)
