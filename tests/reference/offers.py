"""What a claimed node's decider is offered: whether it is asked, what it sees, what is legal."""

from __future__ import annotations

from collections.abc import Sequence

from tests.reference.records import RUN, UPLOAD, WAIT, Action, Link, Node, View
from tests.reference.tables import Tables
from tiergym.scenarios.system import NO_STAGE


class Offers:
    """Reads nodes and links and changes nothing.

    Args:
        table: the constants.
        links: all links, as they are now.
        sizes: batch sizes of the actions, rising.
        slots: the group of each slot of the actions.
    """

    def __init__(
        self, table: Tables, links: list[Link], sizes: Sequence[int], slots: Sequence[int]
    ) -> None:
        self.table, self.links = table, links
        self.sizes, self.slots = list(sizes), list(slots)

    def due(self, node: Node) -> bool:
        """Whether anything but waiting may be possible at a node that has been woken."""
        if not node.queued:
            return False
        if node.idle >= 0:
            return True
        uplink = self.table.node_uplink[node.index]
        return uplink >= 0 and not self.links[uplink].busy and bool(self._legal_uploads(node))

    def view(self, node: Node, now: float, window_over: bool) -> View:
        """Return what the decider is shown at ``now`` (seconds)."""
        uplink = self.table.node_uplink[node.index]
        return View(
            time=now,
            node=node.index,
            legal=self._legal(node, window_over),
            queue_length=tuple(len(node.queues[group]) for group in self.slots),
            idle_executors=node.executors.count(None),
            held=node.held,
            uplink_waiting=len(self.links[uplink].waiting) if uplink >= 0 else 0,
            told=node.told,
        )

    def _legal(self, node: Node, window_over: bool) -> tuple[Action, ...]:
        wait = [Action(WAIT)] if self._may_wait(node, window_over) else []
        return tuple(wait + self._legal_runs(node) + self._legal_uploads(node))

    def _may_wait(self, node: Node, window_over: bool) -> bool:
        uplink = self.table.node_uplink[node.index]
        link = self.links[uplink] if uplink >= 0 else None
        sending = link is not None and (link.busy or len(link.waiting) > 0)
        return not window_over or node.busy or sending

    def _legal_runs(self, node: Node) -> list[Action]:
        if node.idle < 0:
            return []
        batch_max = self.table.node_batch_max[node.index]
        return [
            Action(RUN, slot, j)
            for slot, group in enumerate(self.slots)
            for j, size in self._distinct_sizes(min(len(node.queues[group]), batch_max))
            if self.table.fits(node, group, size)
        ]

    def _legal_uploads(self, node: Node) -> list[Action]:
        above = self.table.node_above(node.index)
        if above < 0:
            return []
        return [
            Action(UPLOAD, slot, j)
            for slot, group in enumerate(self.slots)
            if self.table.stage_row[above][group] != NO_STAGE
            for j, _ in self._distinct_sizes(len(node.queues[group]))
        ]

    def _distinct_sizes(self, most: int) -> list[tuple[int, int]]:
        """Pairs (index of a size, tasks taken); a size that takes no more than a smaller: none."""
        smaller = [0, *self.sizes[:-1]]
        return [(j, min(most, self.sizes[j])) for j in range(len(self.sizes)) if most > smaller[j]]
