"""First come, first served: the group of the oldest task first."""

from __future__ import annotations

from baselines.policy import Entry
from baselines.task_scheduling._rules import OLDEST, RulePolicy


class Fcfs(RulePolicy):
    """Runs the oldest task, alone or together with the others of its group.

    ``fcfs-batched+upload`` is the reference of the leaderboard's scores. Its pre-upload rule is the
    one of `Priority`, priorities included, so that the two differ in the order of runs only.
    Options as in `RulePolicy`.
    """

    order = OLDEST


POLICIES = {
    "fcfs": Entry(Fcfs, {"batched": False}),
    "fcfs+upload": Entry(Fcfs, {"batched": False, "upload": True}),
    "fcfs-batched": Entry(Fcfs),
    "fcfs-batched+upload": Entry(Fcfs, {"upload": True}),
    "fcfs-batched+upload-any": Entry(Fcfs, {"upload": True, "only_if_earlier": False}),
}
