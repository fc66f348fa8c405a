"""The group with the most tasks first."""

from __future__ import annotations

from baselines.policy import Entry
from baselines.task_scheduling._rules import LONGEST, RulePolicy


class LongestQueue(RulePolicy):
    """Runs the longest group, as many tasks as a batch takes. Options as in `RulePolicy`."""

    order = LONGEST


POLICIES = {
    "longest-queue": Entry(LongestQueue),
    "longest-queue+upload": Entry(LongestQueue, {"upload": True}),
}
