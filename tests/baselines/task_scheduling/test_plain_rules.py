"""The compiled rules against a plain second implementation, on random observations."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from baselines import make_policy

SIZES = (1, 2, 4, 8, 16)


class PlainRule:
    """The rule as the design words it, one row at a time, with lists and dictionaries."""

    def __init__(self, seen: dict[str, Any], batched: bool, tau: float) -> None:
        self.batched = batched
        self.tau = tau
        self.slots = range(len(seen["queue_length"]))
        self.queue = seen["queue_length"].tolist()
        self.age = seen["oldest_age"].tolist()
        self.payload = seen["payload_megabytes"].tolist()
        self.device = self._laws(seen["run_seconds"])
        self.upper_device = self._laws(seen["upper_seconds"])
        self.busy = [s for s in seen["executor_seconds"].tolist() if s >= 0]
        self.uplink = seen["uplink"].tolist()
        self.upper = seen["upper"].tolist()
        mask = seen["action_mask"][1:].reshape(2, len(self.slots), len(SIZES))
        self.legal = [[[bool(v) for v in row] for row in part] for part in mask]

    def _laws(self, flat: Any) -> list[dict[int, float]]:
        table = flat.reshape(len(self.slots), len(SIZES)).tolist()
        return [{b: s for b, s in zip(SIZES, row, strict=True) if s > 0} for row in table]

    def seconds(self, law: dict[int, float], tasks: float) -> float:
        return float(np.interp(tasks, list(law), list(law.values())))

    def work(self, law: dict[int, float], tasks: float, batched: bool) -> float:
        if tasks <= 0:
            return 0.0
        if not law:
            return math.inf
        most = max(law) if batched else 1
        batches = [most] * int(tasks // most) + [tasks % most] * (tasks % most > 0)
        return sum(self.seconds(law, batch) for batch in batches)

    def rate(self, slot: int) -> float:
        law = self.device[slot]
        batch = min(self.queue[slot], max(law)) if self.batched else 1
        return batch / self.seconds(law, batch) * (1 + self.age[slot] / self.tau)

    def group_work(self, slot: int, without: float = 0.0) -> float:
        left = self.queue[slot] - without
        return self.work(self.device[slot], left, self.batched) / len(self.busy)

    def total(self) -> float:
        return sum(self.group_work(slot) for slot in self.slots)

    def run(self, order: str) -> int:
        scores = {"age": self.age.__getitem__, "tasks": self.queue.__getitem__, "rate": self.rate}
        able = [slot for slot in self.slots if any(self.legal[0][slot])]
        if not able:
            return 0
        slot = max(able, key=scores[order])
        sizes = [j for j in range(len(SIZES)) if self.legal[0][slot][j]]
        return 1 + slot * len(SIZES) + (sizes[-1] if self.batched else sizes[0])

    def upload(self, low: float, most: int, only_if_earlier: bool) -> int:
        able = [slot for slot in self.slots if self.legal[1][slot][0]]
        for slot in sorted(able, key=self.rate):
            before = [s for s in self.slots if self.queue[s] and self.rate(s) >= self.rate(slot)]
            here = min(self.busy) + sum(self.group_work(s) for s in before)
            for j in reversed(range(self.enough(slot, low) + 1)):
                tasks = min(self.queue[slot], SIZES[j])
                if not self.legal[1][slot][j] or (tasks > most and j > 0):
                    continue
                if not only_if_earlier or self.there(slot, tasks) < here:
                    return 1 + (len(self.slots) + slot) * len(SIZES) + j
        return 0

    def enough(self, slot: int, low: float) -> int:
        others = sum(self.group_work(s) for s in self.slots if s != slot)
        reach = [
            j for j, size in enumerate(SIZES) if others + self.group_work(slot, without=size) <= low
        ]
        return reach[0] if reach else len(SIZES) - 1

    def there(self, slot: int, tasks: float) -> float:
        free, _, bandwidth, rtt, per_package = self.uplink
        told, age, _ = self.upper
        wire = free + per_package + tasks * self.payload[slot] * 8 / bandwidth
        run = self.work(self.upper_device[slot], tasks, True)
        return wire + rtt / 2 + max(0.0, told - age) + run + rtt / 2


NAMES = {
    "fcfs+upload": "age",
    "fcfs-batched+upload": "age",
    "longest-queue+upload": "tasks",
    "priority-unbatched+upload": "rate",
    "priority+upload": "rate",
    "priority+upload+ageing": "rate",
}


@pytest.mark.parametrize("only_if_earlier", [True, False])
@pytest.mark.parametrize("name", NAMES)
def test_equals_the_plain_implementation(
    name: str, only_if_earlier: bool, sizes_env: Any, random_observations: Any, stack: Any
) -> None:
    low, high, most = 0.4, 0.8, 8
    options: dict[str, Any] = {"low": low, "high": high, "upload_max": most}
    options |= {"ageing": 0.1} if "ageing" in name else {}
    policy = make_policy(name, sizes_env, only_if_earlier=only_if_earlier, **options)
    rows = random_observations(800, seed=11)
    before = np.random.default_rng(1).random(len(rows)) < 0.5
    actions, state = policy.predict(stack(rows), (before,))
    expected = [
        plain_decision(name, row, was, low, high, most, only_if_earlier)
        for row, was in zip(rows, before.tolist(), strict=True)
    ]
    assert actions.tolist() == [action for action, _ in expected]
    assert state[0].tolist() == [uploading for _, uploading in expected]
    kinds = np.bincount(np.digitize(actions, [1, 1 + 4 * len(SIZES)]), minlength=3)
    assert kinds.min() > 40


def plain_decision(
    name: str,
    seen: dict[str, Any],
    uploading: bool,
    low: float,
    high: float,
    most: int,
    only_if_earlier: bool,
) -> tuple[int, bool]:
    tau = 0.1 if "ageing" in name else math.inf
    batched = not (name == "fcfs+upload" or "unbatched" in name)
    plain = PlainRule(seen, batched, tau)
    action = plain.run(NAMES[name])
    if action or plain.uplink[0] < 0:
        return action, uploading
    work = plain.total()
    uploading = (uploading or work > high) and not work <= low
    return (plain.upload(low, most, only_if_earlier) if uploading else 0), uploading
