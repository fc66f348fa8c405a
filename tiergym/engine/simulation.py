"""`Simulation`: rows of simulations over compiled systems, for environments, planners and tests."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tiergym.engine.compiling import announced, compiled
from tiergym.engine.layout import (
    ATTACH,
    DECIDING,
    ENDED,
    HEAD,
    KEPT_REPORTS,
    MOVE,
    NOBODY,
    PLACE,
    SCHEDULE,
    SEEN_REPORTS,
    STUCK,
    Bytes,
    row_view,
)
from tiergym.engine.loading import fixed_bytes, instance_bytes, load
from tiergym.engine.log import TaskLog, read_log
from tiergym.engine.nodes import batch_fits
from tiergym.engine.packing import pack_system, servable, slot_groups
from tiergym.engine.placing import may_place, place
from tiergym.engine.running import RUN, UPLOAD, WAIT, decide, run
from tiergym.engine.selecting import in_range, select
from tiergym.engine.views import head, open_world
from tiergym.errors import InvalidInput
from tiergym.scenarios.instance import Instance, check_instance
from tiergym.scenarios.system import System


@compiled
def run_row(rows: Bytes, base: int, models: Bytes) -> int:
    """Run one row to its next decision or end; returns `HEAD.status`."""
    w = open_world(rows, base, models)
    run(w)
    return head(w).status


@compiled
def decide_row(rows: Bytes, base: int, models: Bytes, kind: int, g: int, count: int) -> int:
    """Carry out one decision in one row and run on; returns `HEAD.status`."""
    w = open_world(rows, base, models)
    decide(w, kind, g, count)
    run(w)
    return head(w).status


@compiled
def place_row(rows: Bytes, base: int, models: Bytes, route: int) -> int:
    """Put a route in force in one row and run on; returns `HEAD.status`."""
    w = open_world(rows, base, models)
    place(w, route)
    run(w)
    return head(w).status


@compiled
def select_row(rows: Bytes, base: int, models: Bytes, edge: int) -> int:
    """Carry out the `attach` or `move` decision that is due in one row and run on."""
    w = open_world(rows, base, models)
    head(w).decisions += 1
    select(w, head(w).turn, head(w).due, edge)
    run(w)
    return head(w).status


@compiled
def in_range_row(rows: Bytes, base: int, models: Bytes, edge: int) -> bool:
    """Whether the terminal whose decision is due reaches an edge."""
    w = open_world(rows, base, models)
    return in_range(w, head(w).turn, edge)


@compiled
def may_place_row(rows: Bytes, base: int, models: Bytes, route: int) -> bool:
    """Whether a route may be put in force now."""
    return may_place(open_world(rows, base, models), route)


@compiled
def fits_row(rows: Bytes, base: int, models: Bytes, n: int, g: int, count: int) -> bool:
    """Whether a batch fits into a node's memory now."""
    return batch_fits(open_world(rows, base, models), n, g, count)


@dataclass(frozen=True, eq=False)
class Snapshot:
    """A whole simulation at one moment, future included: a plain copy that can be pickled.

    Attributes:
        row: the bytes of the row.
        model: SHA-256 of the model that it belongs to (hex).
    """

    row: Bytes
    model: str


class Simulation:
    """Rows of independent simulations; each is a pure function of an instance and decisions.

    A row holds one instance of one of ``systems``. `start` runs it to the first decision that the
    caller has claimed; `decide` carries one out and runs to the next; it has ended when the last
    charged task has left. Decisions nobody claimed are taken by the nodes' built-in disciplines.

    Args:
        systems: the systems that rows may simulate.
        rows: number of rows.
        claimed: for each system, the node whose `schedule` decisions the caller takes
            (`NOBODY` for none); one number for all.
        places: whether the caller takes the `place` decisions, of all systems.
        selects: whether the caller takes the `attach` and `move` decisions, of all systems.

    Raises:
        InvalidInput: for an unknown node, no system, fewer than one row, ``places`` where a
            system has no placed network, or ``selects`` where no terminal selects an edge.
    """

    def __init__(
        self,
        systems: Sequence[System],
        rows: int = 1,
        claimed: int | Sequence[int] = NOBODY,
        places: bool = False,
        selects: bool = False,
    ) -> None:
        if rows < 1:
            raise InvalidInput("rows", rows, "at least one")
        if not systems:
            raise InvalidInput("systems", systems, "at least one system")
        self.systems = tuple(systems)
        nodes = [claimed] * len(systems) if isinstance(claimed, int) else list(claimed)
        self.claimed = tuple(nodes)
        each = zip(self.systems, nodes, strict=True)
        packed = [pack_system(s, n, places, selects) for s, n in each]
        self.models: Bytes = np.concatenate(packed)
        self.model_at = np.cumsum([0, *map(len, packed)])[:-1].astype(np.int64)
        self.slots = [
            slot_groups(s, n) if n >= 0 else [] for s, n in zip(systems, nodes, strict=True)
        ]
        self._servable = [servable(s) for s in self.systems]
        self._fixed = [fixed_bytes(s) for s in self.systems]
        self._digests = [hashlib.sha256(p.tobytes()).hexdigest() for p in packed]
        self.rows = rows
        self.system_of = np.zeros(rows, np.int64)
        self.stride = HEAD.itemsize
        self.buffer: Bytes = np.zeros(rows * self.stride, np.uint8)
        self.base: NDArray[np.int64] = np.arange(rows) * self.stride

    def start(self, row: int, instance: Instance, system: int = 0, check: bool = True) -> int:
        """Load ``instance`` into ``row`` and run to the first decision; returns the status.

        Raises:
            InvalidInput: if the instance does not suit the system.
        """
        if check:
            self.check(instance, system)
        self.load(row, instance, system)
        return self.run(row)

    def run(self, row: int) -> int:
        """Run a loaded row to its next decision or its end; returns the status."""
        with announced("the simulator"):
            return self._checked(run_row(self.buffer, int(self.base[row]), self.models))

    def load(self, row: int, instance: Instance, system: int = 0) -> None:
        """Load ``instance`` into ``row``, clock at zero, nothing run yet."""
        size = self._fixed[system] + instance_bytes(instance)
        self.reserve(size)
        base, at = int(self.base[row]), int(self.model_at[system])
        self.system_of[row] = system
        load(self.buffer, base, size, self.models, at, system, instance)

    def check(self, instance: Instance, system: int = 0) -> None:
        """Raise `InvalidInput` unless every task of ``instance`` can be served by ``system``."""
        check_instance(self.systems[system], instance)
        check_reports(self.systems[system], instance)
        lost = ~self._servable[system][instance.origin, instance.network]
        if lost.any():
            at = int(np.flatnonzero(lost)[0])
            names = self.systems[system]
            where = names.node_names[int(instance.origin[at])]
            what = names.network_names[int(instance.network[at])]
            raise InvalidInput(
                f"instance.network[{at}]", what, f"a network that can be served from {where}"
            )

    def reserve(self, size: int) -> None:
        """Make room for rows of ``size`` bytes and somewhat more, keeping what the rows hold."""
        if size <= self.stride:
            return
        # An odd number of cache lines, so that the rows' beginnings spread over all cache sets.
        stride = (-(-size * 5 // 4 // 64) | 1) * 64
        buffer = np.empty(self.rows * stride, np.uint8)
        buffer[:] = 0
        buffer.reshape(self.rows, stride)[:, : self.stride] = self.buffer.reshape(self.rows, -1)
        self.buffer, self.stride = buffer, stride
        self.base = np.arange(self.rows) * stride

    def decide(self, row: int, kind: int, group: int = 0, count: int = 0) -> int:
        """Carry out a `schedule` decision and run to the next; returns the status.

        Args:
            kind: `WAIT`, `RUN` the ``count`` oldest or `UPLOAD` the youngest tasks of ``group``.

        Raises:
            InvalidInput: if the decision cannot be carried out now.
        """
        self._check_decision(row, kind, group, count)
        base = int(self.base[row])
        return self._checked(decide_row(self.buffer, base, self.models, kind, group, count))

    def place(self, row: int, route: int) -> int:
        """Carry out a `place` decision and run to the next; returns the status.

        Args:
            route: of the placed network, see `Placing.first_route`.

        Raises:
            InvalidInput: if no such decision is due, or the route may not be put in force now.
        """
        if not self.due(row, PLACE):
            raise InvalidInput("row", row, "a row in which a place decision is due")
        placing = self.systems[int(self.system_of[row])].placing
        assert placing is not None
        first, count = placing.first_route, len(placing.servable)
        base = int(self.base[row])
        if not first <= route < first + count or not may_place_row(
            self.buffer, base, self.models, route
        ):
            allowed = f"a route, {first} to {first + count - 1}, that can be served and fits"
            raise InvalidInput("route", route, allowed)
        return self._checked(place_row(self.buffer, base, self.models, route))

    def select(self, row: int, edge: int) -> int:
        """Carry out an `attach` or `move` decision and run to the next; returns the status.

        The terminal is ``head(row)["turn"]``.

        Args:
            edge: 0 to E - 1, in its range now.

        Raises:
            InvalidInput: if no such decision is due, or the edge is out of range.
        """
        if not (self.due(row, ATTACH) or self.due(row, MOVE)):
            raise InvalidInput("row", row, "a row in which an attach or a move decision is due")
        selection = self.systems[int(self.system_of[row])].selection
        assert selection is not None
        base = int(self.base[row])
        if not 0 <= edge < selection.edges or not in_range_row(
            self.buffer, base, self.models, edge
        ):
            allowed = f"an edge, 0 to {selection.edges - 1}, in range of the terminal"
            raise InvalidInput("edge", edge, allowed)
        return self._checked(select_row(self.buffer, base, self.models, edge))

    def due(self, row: int, kind: int) -> bool:
        """Whether a decision of this kind (`SCHEDULE`, `PLACE`, `ATTACH`, `MOVE`) is due."""
        record = self.head(row)
        return bool(record["status"] == DECIDING and record["due"] == kind)

    def _check_decision(self, row: int, kind: int, group: int, count: int) -> None:
        if not self.due(row, SCHEDULE):
            raise InvalidInput("row", row, "a row in which a decision is due")
        if kind == WAIT:
            return
        system = int(self.system_of[row])
        node, groups = self.claimed[system], self.systems[system].groups
        if kind not in (RUN, UPLOAD):
            raise InvalidInput("kind", kind, "WAIT, RUN or UPLOAD")
        if group not in self.slots[system]:
            raise InvalidInput("group", group, f"one of {self.slots[system]}")
        length = int(self.view(row, "queue")["length"][node * groups + group])
        if not 1 <= count <= length:
            raise InvalidInput("count", count, f"1 to the {length} queued")
        if kind == RUN:
            self._check_run(row, node, group, count)
        elif self.systems[system].node_uplink[node] < 0:
            raise InvalidInput("kind", kind, "no UPLOAD from a node without an uplink")

    def _check_run(self, row: int, node: int, group: int, count: int) -> None:
        largest = int(self.systems[int(self.system_of[row])].node_batch_max[node])
        if count > largest:
            raise InvalidInput("count", count, f"at most batch_max = {largest}")
        if self.view(row, "node")["idle"][node] == 0:
            raise InvalidInput("kind", RUN, "RUN only while an executor is idle")
        base = int(self.base[row])
        if not fits_row(self.buffer, base, self.models, node, group, count):
            raise InvalidInput("count", count, "a batch that fits into the node's memory")

    def head(self, row: int) -> Any:
        """The `HEAD` record of a row (a view)."""
        return self.view(row, "head")[0]

    def view(self, row: int, section: str) -> NDArray[Any]:
        """The records of a section of a row (a view); names in `layout.SECTION_OF`."""
        return row_view(self.row(row), section)

    def ended(self, row: int) -> bool:
        """Whether the last charged task of a row has left."""
        return bool(self.head(row)["status"] == ENDED)

    def row(self, row: int) -> Bytes:
        """The bytes of a row (a view)."""
        base = int(self.base[row])
        return self.buffer[base : base + self.stride]

    def log(self, row: int) -> TaskLog:
        """What has happened to every task of a row so far."""
        return read_log(self.row(row), self.systems[int(self.system_of[row])].network_names)

    def snapshot(self, row: int) -> Snapshot:
        """A copy of a row, its future included."""
        base = int(self.base[row])
        size = int(self.head(row)["size"])
        return Snapshot(
            self.buffer[base : base + size].copy(), self._digests[int(self.system_of[row])]
        )

    def restore(self, row: int, snapshot: Snapshot) -> None:
        """Put a snapshot of this or of another `Simulation` into ``row``.

        Raises:
            InvalidInput: if its system is none of this simulation's.
        """
        if snapshot.model not in self._digests:
            names = " or ".join(sorted({"/".join(s.node_names) for s in self.systems}))
            raise InvalidInput("snapshot", "one of another system", f"one of {names}")
        system = self._digests.index(snapshot.model)
        self.reserve(len(snapshot.row))
        base = int(self.base[row])
        self.buffer[base : base + len(snapshot.row)] = snapshot.row
        self.system_of[row] = system
        place = self.head(row)
        place["model"], place["system"] = self.model_at[system], system

    @staticmethod
    def _checked(status: int) -> int:
        if status == STUCK:
            raise RuntimeError("nothing can happen any more, yet tasks are left: a simulator bug")
        return status


def check_reports(system: System, instance: Instance) -> None:
    """Refuse round trips so long that some of the reports that are observed would be gone.

    Raises:
        InvalidInput: naming ``report_interval``.
    """
    if system.selection is None or instance.coverage is None:
        return
    half, interval = instance.coverage.half_rtt, system.selection.report_interval
    longest = float(half[np.isfinite(half)].max())
    most = (KEPT_REPORTS - SEEN_REPORTS - 1) * interval
    if interval > 0.0 and longest > most:
        allowed = f"at least {longest / most * interval:g} s, for round trips of {2 * longest:g} s"
        raise InvalidInput("report_interval", interval, allowed)


def simulate(system: System, instance: Instance) -> TaskLog:
    """Run ``instance`` to its end with every decision taken by the built-in disciplines."""
    simulation = Simulation([system])
    simulation.start(0, instance)
    return simulation.log(0)
