"""Small things that the hand-made tests of the reference share."""

from __future__ import annotations

from tests.reference.records import Action, Result
from tests.reference.simulator import Decide


def finishes(result: Result) -> list[float]:
    """Return the finish of every task."""
    return [task.finish for task in result.tasks]


def starts(result: Result) -> list[float]:
    """Return the first start of every task."""
    return [task.first_start for task in result.tasks]


def scripted(*actions: Action) -> Decide:
    """Take the given actions in turn, and fail if more are asked for."""
    script = list(actions)
    return lambda view: script.pop(0)
