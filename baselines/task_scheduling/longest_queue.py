"""The group with the most tasks first."""

from __future__ import annotations

from typing import Any

from baselines.policy import Entry
from baselines.task_scheduling._rules import LONGEST, RulePolicy


class LongestQueue(RulePolicy):
    """Runs the longest group, as many tasks as a batch takes. Options as in `RulePolicy`."""

    def __init__(
        self,
        env: Any,
        batched: bool = True,
        upload: bool = False,
        high: float = 0.05,
        low: float = 0.025,
        upload_max: int = 16,
        only_if_earlier: bool = True,
    ) -> None:
        super().__init__(env, LONGEST, batched, upload, high, low, upload_max, only_if_earlier)


POLICIES = {
    "longest-queue": Entry(LongestQueue),
    "longest-queue+upload": Entry(LongestQueue, {"upload": True}),
}
