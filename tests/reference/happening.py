"""What happens in a run: every event moves the integrals to the present, then all is settled."""

from __future__ import annotations

from collections.abc import Callable, Generator

import simpy

from tests.reference.clock import Clock, Kind
from tests.reference.records import Totals

Process = Generator[simpy.Event, object, None]


class Happenings:
    """The events of a run and what is summed up between them.

    Args:
        idle_watts: of all nodes together.
        settle: what to do when no event is left at the present time, for LINKS and for NODES.

    Attributes:
        clock: the present (seconds) and all that is to come.
        totals: sums up to the present.
        in_system: charged tasks that have arrived and not left.
        log: (time, kind, index) of the events, as handled.
    """

    def __init__(self, idle_watts: float, settle: dict[Kind, Callable[[], None]]) -> None:
        self.idle_watts, self.settle = idle_watts, settle
        self.clock = Clock()
        self.totals = Totals()
        self.in_system = 0
        self.log: list[tuple[float, Kind, int]] = []
        self._settling = dict.fromkeys(settle, False)
        self._integrated_until = 0.0

    @property
    def now(self) -> float:
        """Seconds."""
        return self.clock.now

    def begin(self, process: Process) -> None:
        """Begin a process."""
        self.clock.process(process)

    def at(self, time: float, kind: Kind, index: int) -> simpy.Event:
        """Return an event that happens at ``time`` (seconds)."""
        event = self.clock.at(time, kind, index)
        assert event.callbacks is not None
        event.callbacks.append(lambda _: self._happens(kind, index))
        return event

    @staticmethod
    def withdraw(event: simpy.Event) -> None:
        """Let an event that has not happened pass unnoticed; who waits for it waits for ever."""
        assert event.callbacks is not None
        event.callbacks.clear()

    def _happens(self, kind: Kind, index: int) -> None:
        passed = self.now - self._integrated_until
        self.totals.task_seconds += self.in_system * passed
        self.totals.joules += self.idle_watts * passed
        self._integrated_until = self.now
        self.log.append((self.now, kind, index))
        self.settle_later()

    def settle_later(self) -> None:
        """Settle links and nodes when no event is left at the present time."""
        for kind in self.settle:
            if not self._settling[kind]:
                self._settling[kind] = True
                event = self.clock.at(self.now, kind, 0)
                assert event.callbacks is not None
                event.callbacks.append(lambda _, kind=kind: self._settles(kind))

    def _settles(self, kind: Kind) -> None:
        self._settling[kind] = False
        self.settle[kind]()
