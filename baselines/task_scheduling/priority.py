"""Priority of task groups: many tasks in little time first (Smith's rule)."""

from __future__ import annotations

from typing import Any

from baselines.policy import Entry, check_number
from baselines.task_scheduling._rules import RATE, RulePolicy


class Priority(RulePolicy):
    """Runs the group with the largest n / seconds(n), n = min(queued, most in a batch).

    Not batched, n is 1: the shortest task first. Options as in `RulePolicy`, and
    ``ageing``, tau in seconds: a rate counts (1 + oldest age / tau) times. The registered names
    switch them one by one, so that what batching, order, pre-upload and ageing each give can be
    told apart.
    """

    order = RATE

    def __init__(
        self,
        env: Any,
        batched: bool = True,
        upload: bool = False,
        high: float = 0.05,
        low: float = 0.025,
        upload_max: int = 16,
        only_if_earlier: bool = True,
        ageing: float | None = None,
    ) -> None:
        super().__init__(env, batched, upload, high, low, upload_max, only_if_earlier)
        if ageing is not None:
            tau = check_number("ageing", ageing, 1e-9, "seconds > 0")
            self.rule = self.rule._replace(ageing=1.0 / tau)


POLICIES = {
    "priority": Entry(Priority),
    "priority+ageing": Entry(Priority, {"ageing": 1.0}),
    "priority+upload": Entry(Priority, {"upload": True}),
    "priority+upload-any": Entry(Priority, {"upload": True, "only_if_earlier": False}),
    "priority+upload+ageing": Entry(Priority, {"upload": True, "ageing": 1.0}),
    "priority-unbatched": Entry(Priority, {"batched": False}),
    "priority-unbatched+upload": Entry(Priority, {"batched": False, "upload": True}),
}
