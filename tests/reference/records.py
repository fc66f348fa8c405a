"""What the reference simulator remembers: tasks, nodes, links while it runs, and its results."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field

import simpy

from tests.reference.clock import Kind

WAIT, RUN, UPLOAD = "wait", "run", "upload"
ATTACH, MOVE = "attach", "move"

NO_ROUTE = -1
"""The route in force before the first `place` decision."""
NO_EDGE = -1
"""What a terminal is attached to before its first `attach` decision."""
LOAD = -1
"""The group of a load job."""


@dataclass(frozen=True)
class Action:
    """One choice: ``kind`` (WAIT, RUN or UPLOAD), a slot and an index into the batch sizes.

    A slot is a position in the list of groups that decisions are offered for. Both numbers are
    -1 for WAIT.
    """

    kind: str
    slot: int = -1
    size: int = -1


@dataclass(eq=False)
class Task:
    """One request and what became of it.

    ``finish`` is when its answer was at its origin, NaN for a refused or unfinished task, and
    ``left`` the same or when it was refused. ``exit_block`` and ``tier`` are -1 and ``correct``
    is NaN where no answer was given; ``correct`` is NaN also where the network has no exit table.
    ``sent_to`` is the edge whose answer its terminal waits for, NO_EDGE for none, and
    ``first_upload`` the group that it was in when it first left the terminal.
    """

    index: int
    arrival: float
    origin: int
    network: int
    route: int
    sample: int
    deadline: float
    charged: bool
    group: int
    sequence: int = -1
    return_delay: float = 0.0
    first_start: float = math.nan
    finish: float = math.nan
    left: float = math.nan
    exit_block: int = -1
    tier: int = -1
    correct: float = math.nan
    refused: bool = False
    pre_uploaded: bool = False
    sent_to: int = NO_EDGE
    first_upload: int = -1


@dataclass(eq=False)
class Batch:
    """Tasks that run together: seconds from ``start``, and the bytes kept beside payloads.

    A load job is one of the group LOAD, without tasks and bytes: parameters are held otherwise.
    ``done`` is the event of its end.
    """

    group: int
    tasks: list[Task]
    start: float
    expected: float
    duration: float
    extra_bytes: float
    done: simpy.Event


@dataclass(eq=False)
class Node:
    """A machine: its queues by group, what each executor runs, the bytes it holds.

    ``told`` is (backlog seconds, time of telling) as the node above last told with an answer;
    ``jobs`` is all that its executors have begun, ``busy_seconds`` what those took that are over.
    """

    index: int
    queues: list[deque[Task]]
    executors: list[Batch | None]
    held: float = 0.0
    enqueued: int = 0
    batches: int = 0
    told: tuple[float, float] | None = None
    jobs: list[Batch] = field(default_factory=list)
    busy_seconds: float = 0.0

    @property
    def idle(self) -> int:
        """Lowest idle executor, -1 if all are busy."""
        return next((x for x, batch in enumerate(self.executors) if batch is None), -1)

    @property
    def busy(self) -> bool:
        """Whether any executor runs a batch."""
        return any(batch is not None for batch in self.executors)

    @property
    def queued(self) -> bool:
        """Whether any task is queued."""
        return any(self.queues)

    def busy_until(self, now: float) -> float:
        """Executor seconds that jobs took up to ``now`` (seconds), those under way included."""
        seconds = self.busy_seconds
        for job in self.executors:
            if job is not None:
                seconds += now - job.start
        return seconds


@dataclass(eq=False)
class Link:
    """A channel: who waits for it, who is on the wire, and the event of the wire's being free.

    ``busy`` holds until that event.
    """

    index: int
    waiting: deque[Task] = field(default_factory=deque)
    busy: bool = False
    packages: int = 0
    wire: list[Task] = field(default_factory=list)
    free: simpy.Event | None = None


@dataclass(frozen=True)
class Course:
    """Where a package goes: the node, the seconds of propagation, and when it begins to be sent."""

    target: int
    half_rtt: float
    begins: float


@dataclass(frozen=True)
class View:
    """What the decider is shown: the time, its node, the legal actions and some state."""

    time: float
    node: int
    legal: tuple[Action, ...]
    queue_length: tuple[int, ...]
    idle_executors: int
    held: float
    uplink_waiting: int
    told: tuple[float, float] | None


@dataclass(frozen=True)
class Decision:
    """A decision that fell due: what was shown and what was taken."""

    view: View
    taken: Action

    @property
    def time(self) -> float:
        """Seconds."""
        return self.view.time

    @property
    def legal(self) -> tuple[Action, ...]:
        """The legal actions: wait, runs, uploads, each by slot and size."""
        return self.view.legal


@dataclass(frozen=True)
class Past:
    """The interval before a `place` decision.

    ``arrivals`` of the placed network; ``bandwidth`` (bit/s) of the terminal's and of the edge's
    uplink, averaged over time; ``busy`` share of the executors' time by node.
    """

    arrivals: int
    bandwidth: tuple[float, ...]
    busy: tuple[float, ...]


@dataclass(frozen=True)
class PlaceView:
    """What a placer is shown: the time, the legal routes, the one in force, state by node.

    ``held`` is bytes; ``kept``, ``loaded`` and ``loading`` are blocks, counted from 0. ``past`` is
    None at the first decision.
    """

    time: float
    legal: tuple[int, ...]
    in_force: int
    held: tuple[float, ...]
    kept: tuple[frozenset[int], ...]
    loaded: tuple[frozenset[int], ...]
    loading: tuple[frozenset[int], ...]
    told: tuple[tuple[float, float] | None, ...]
    past: Past | None


@dataclass(frozen=True)
class PlaceDecision:
    """A `place` decision that fell due: what was shown and the route that was put in force."""

    view: PlaceView
    taken: int

    @property
    def time(self) -> float:
        """Seconds."""
        return self.view.time


@dataclass(frozen=True)
class Report:
    """What an edge published at ``time`` (seconds), or is like now where reports are fresh.

    ``utilisation`` is the share of its executors' time since its previous report that was spent on
    batches, ``arrivals`` the tasks that came since then, ``backlog`` seconds, ``memory`` bytes.
    """

    time: float
    utilisation: float
    queue: int
    backlog: float
    memory: float
    arrivals: int
    attached: int


@dataclass(frozen=True)
class SelectView:
    """What a selector is shown of one terminal: the time, ATTACH or MOVE, the legal edges, state.

    By edge: ``reports`` that the terminal sees, the newest first; ``unanswered`` tasks of its own
    that were sent there. ``waiting`` counts the tasks that wait for its uplink.
    """

    time: float
    terminal: int
    kind: str
    legal: tuple[int, ...]
    attached: int
    reports: tuple[tuple[Report, ...], ...]
    unanswered: tuple[int, ...]
    waiting: int


@dataclass(frozen=True)
class SelectDecision:
    """An `attach` or `move` decision: what was shown and the edge that was taken."""

    view: SelectView
    taken: int

    @property
    def time(self) -> float:
        """Seconds."""
        return self.view.time


@dataclass
class Totals:
    """Sums over the episode. Only charged tasks count in the first four.

    ``task_seconds`` is the integral of the number of charged tasks in the system; refusal seconds
    are not in it. ``batches`` (per node) counts those started, ``packages`` (per link) those whose
    last byte has left the wire, which differ only in what is cut off at the end. ``loads`` (per
    node) counts load jobs begun.
    """

    task_seconds: float = 0.0
    late: int = 0
    wrong: int = 0
    refused: int = 0
    joules: float = 0.0
    batches: list[int] = field(default_factory=list)
    packages: list[int] = field(default_factory=list)
    loads: list[int] = field(default_factory=list)


@dataclass(frozen=True)
class Result:
    """A finished run. ``held`` is bytes by node, ``events`` (time, kind, index) as handled.

    ``decisions`` are those at the claimed node, ``placements`` those of `place`, ``selections``
    those of `attach` and `move`.
    """

    tasks: list[Task]
    totals: Totals
    decisions: list[Decision]
    events: list[tuple[float, Kind, int]]
    end: float
    held: list[float]
    placements: list[PlaceDecision]
    selections: list[SelectDecision]
