"""Which fields of an observation are tables, and which actions belong to which of their rows.

A table's rows are things of a kind whose order means nothing (task groups, edges, pairs of exits),
so that a network can treat them alike, and need not learn anew what holds for each.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tiergym.errors import InvalidInput


@dataclass(frozen=True)
class Tables:
    """How an observation and the actions of one environment fall into rows.

    Attributes:
        rows: R, how many there are at most.
        row_fields: field -> (outer, inner): the field holds [outer, R, inner] values, flattened.
        context_fields: fields that are no table.
        present: the row field that is not all zero in the rows that there are.
        first: actions before those that belong to rows (waiting).
        blocks, columns: the others are numbered [blocks, R, columns].
        paired: whether rows are pairs of exits, which get the columns of `PairColumns` too.
    """

    rows: int
    row_fields: Mapping[str, tuple[int, int]]
    context_fields: tuple[str, ...]
    present: str
    first: int
    blocks: int
    columns: int
    paired: bool = False

    @property
    def actions(self) -> int:
        """Number of actions."""
        return self.first + self.blocks * self.rows * self.columns


def tables_of(env_id: str, fields: Mapping[str, int], actions: int) -> Tables:
    """The tables of an environment.

    Args:
        env_id: its registered id.
        fields: the widths of its fields by name; the mask may be among them, and is left out.
        actions: number of its actions.

    Raises:
        InvalidInput: for another environment, or other sizes than it can have.
    """
    if env_id not in _MAKE:
        raise InvalidInput("env_id", env_id, f"one of {', '.join(_MAKE)}")
    made = _MAKE[env_id]({name: width for name, width in fields.items() if name != "action_mask"})
    if made.actions != actions:
        raise InvalidInput("actions", actions, f"{made.actions}, by the fields {dict(fields)}")
    return made


def _scheduling(fields: dict[str, int]) -> Tables:
    """Rows are task groups; each can be run, or uploaded, at every batch size."""
    rows = fields["queue_length"]
    sizes = fields["run_seconds"] // rows
    wide = ("run_seconds", "upper_seconds")
    narrow = (
        "queue_length",
        "oldest_age",
        "mean_age",
        "oldest_slack",
        "youngest_slack",
        "arrivals_1s",
        "arrivals_10s",
        "payload_megabytes",
        "task_megabytes",
    )
    own = {**dict.fromkeys(narrow, (1, 1)), **dict.fromkeys(wide, (1, sizes))}
    return _made(fields, rows, own, present="run_seconds", first=1, blocks=2, columns=sizes)


def _selection(fields: dict[str, int], width: int = 7) -> Tables:
    """Rows are edges, and an action is an edge."""
    rows = fields["edge"] // width
    own = {"edge": (1, width), "reports": (1, fields["reports"] // rows)}
    return _made(fields, rows, own, present="edge", first=0, blocks=1, columns=1)


def _placement(fields: dict[str, int]) -> Tables:
    """Rows are pairs of exits; an action is a pair at a threshold level."""
    rows = fields["pair_seconds"] // 3
    levels = fields["pair_accuracy"] // rows
    own = {
        "pair_seconds": (1, 3),
        "pair_exit_share": (levels, 2),
        "pair_accuracy": (levels, 1),
    }
    return _made(
        fields, rows, own, present="pair_seconds", first=0, blocks=levels, columns=1, paired=True
    )


def _made(
    fields: dict[str, int], rows: int, own: dict[str, tuple[int, int]], **more: Any
) -> Tables:
    context = tuple(name for name in fields if name not in own)
    return Tables(rows, own, context, **more)


_MAKE = {
    "tiergym/TaskScheduling-v0": _scheduling,
    "tiergym/EdgeSelection-v0": _selection,
    "tiergym/ExitPlacement-v0": _placement,
}
