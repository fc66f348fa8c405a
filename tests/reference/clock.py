"""SimPy's event core with this project's total order of events: by time, kind, then index."""

from __future__ import annotations

from enum import IntEnum
from heapq import heappush

import simpy


class Kind(IntEnum):
    """What happens, in the order of handling at one time.

    Kinds 0 to 11 are events of the model, 6 being kept for bandwidth changes; at INTERVAL a
    `place` decision falls due. LINKS and NODES are not events of the model but the two halves of
    what follows when none is left at the present time: idle links ask for an edge and start
    packages, then nodes start loads and batches or ask for a decision. An event
    that a package creates for the present time precedes NODES, because its kind is smaller; that
    is how the heap itself says "events again, then decisions".
    """

    BATCH_DONE = 0
    LINK_FREE = 1
    DELIVERED = 2
    ANSWERED = 3
    ARRIVAL = 4
    REPORT = 5
    WINDOW_END = 7
    INTERVAL = 8
    FAILURE = 9
    TIMEOUT = 10
    FETCHED = 11
    LINKS = 12
    NODES = 13


_AFTER_URGENT_AND_NORMAL = 2
_INDICES = 10**9


class Clock(simpy.Environment):
    """An environment whose events are ordered by (time, kind, index, order of creation).

    SimPy orders by (time, priority, order of creation), so kind and index become one integer
    priority. It lies above SimPy's own URGENT (0) and NORMAL (1): a process that is begun, and
    the end of a run, come before everything else at that time.

    `Environment.schedule` takes a delay and adds it to the present time; ``now + (time - now)``
    is not always ``time`` in floating point. `at` puts the absolute time on the same heap.
    """

    def at(self, time: float, kind: Kind, index: int) -> simpy.Event:
        """Return an event that occurs at ``time`` (seconds, not before now)."""
        if not time >= self.now:
            raise ValueError(f"{kind.name} {index} at {time}, before the present {self.now}")
        event = simpy.Event(self)
        event._ok = True
        event._value = None
        priority = _AFTER_URGENT_AND_NORMAL + kind * _INDICES + index
        heappush(self._queue, (time, priority, next(self._eid), event))  # type: ignore[arg-type]
        return event
