"""Sufferage on a worked example, and against a plain implementation task by task."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from baselines import make_policy


@pytest.fixture
def two_groups(world: Any) -> Any:
    """Device free in 0 s, wire free. Slot 0: 30 ms here, slot 1: 100 ms; 14 ms on the wire.

    Beyond the wire 20 ms propagation and a run of 2 and 10 ms: there 36 and 44 ms.
    """
    world.with_uplink()
    world.queue[:2] = 2, 2
    world.run[0] = 0.030
    world.run[1] = 0.100
    world.upper_run[0] = 0.002
    world.upper_run[1] = 0.010
    return world


def test_worked_example(two_groups: Any, sizes_env: Any, decode: Any) -> None:
    """First mapped: slot 1, to the uplink (sufferage 100 - 44 = 56; slot 0 has 36 - 30 = 6).

    Wire ready at 14: slot 1 again (100 - 58 = 42, slot 0 50 - 30 = 20), to the uplink. Wire ready
    at 28: slot 0 (64 - 30 = 34), to the device. So slot 0 runs and slot 1 is uploaded.
    """
    policy = make_policy("sufferage", sizes_env)
    assert decode(policy.predict(two_groups.observe())[0]) == ("run", 0, 1)
    two_groups.queue[0] = 1
    two_groups.executors[0] = 0.030
    assert decode(policy.predict(two_groups.observe())[0]) == ("upload", 1, 1)


def test_idles_while_all_is_better_uploaded(two_groups: Any, sizes_env: Any, decode: Any) -> None:
    two_groups.queue[:2] = 0, 1
    two_groups.uplink[0] = 0.01
    assert decode(make_policy("sufferage", sizes_env).predict(two_groups.observe())[0]) == ("wait",)


def test_without_uplink_it_is_first_come_first_served(
    world: Any, sizes_env: Any, decode: Any
) -> None:
    world.queue[:3] = 5, 5, 5
    world.run[:] = 0.01
    for oldest in range(3):
        world.oldest_age[:3] = 0.1
        world.oldest_age[oldest] = 0.2
        action, _ = make_policy("sufferage", sizes_env).predict(world.observe())
        assert decode(action) == ("run", oldest, 1)


def plain_sufferage(seen: dict[str, Any]) -> tuple[Any, Any]:
    """Slots of the first task mapped to the device and to the uplink, one task at a time."""
    slots = len(seen["queue_length"])
    table = {k: seen[k].reshape(slots, -1)[:, 0].astype(float) for k in ("run_seconds",)}
    upper_run = seen["upper_seconds"].reshape(slots, -1)[:, 0].astype(float)
    _, _, bandwidth, rtt, per_package = map(float, seen["uplink"])
    told, age, _ = map(float, seen["upper"])
    may_upload = seen["action_mask"][1:].reshape(2, slots, -1)[1, :, 0] == 1
    device = [float(s) for s in seen["executor_seconds"] if s >= 0]
    uplink = max(0.0, float(seen["uplink"][0]))
    tasks = [m for m in range(slots) for _ in range(int(seen["queue_length"][m]))]
    mapped: dict[str, list[int]] = {"device": [], "uplink": []}

    def times(slot: int) -> tuple[float, float]:
        run = table["run_seconds"][slot] or np.inf
        there = np.inf
        if may_upload[slot] and upper_run[slot] > 0:
            wire = per_package + float(seen["payload_megabytes"][slot]) * 8 / bandwidth
            there = uplink + wire + rtt + max(0.0, told - age) + upper_run[slot]
        return min(device) + run, there

    def suffers(slot: int) -> tuple[float, float]:
        here, there = times(slot)
        return (abs(here - there), float(seen["oldest_age"][slot]))

    tasks = [slot for slot in tasks if min(times(slot)) < np.inf]
    while tasks:
        slot = max(tasks, key=suffers)
        here, there = times(slot)
        tasks.remove(slot)
        if here <= there:
            mapped["device"].append(slot)
            device[device.index(min(device))] = here
        else:
            mapped["uplink"].append(slot)
            uplink += per_package + float(seen["payload_megabytes"][slot]) * 8 / bandwidth
    return tuple(mapped[machine][0] if mapped[machine] else None for machine in mapped)  # type: ignore[return-value]


def expected_action(seen: dict[str, Any]) -> int:
    slots = len(seen["queue_length"])
    mask = seen["action_mask"]
    sizes = (len(mask) - 1) // (2 * slots)
    device, uplink = plain_sufferage(seen)
    if device is not None and mask[1 + device * sizes]:
        return 1 + device * sizes
    idle = seen["uplink"][0] == 0
    if uplink is not None and idle and mask[1 + (slots + uplink) * sizes]:
        return 1 + (slots + uplink) * sizes
    return 0


def test_equals_the_plain_implementation(
    random_observations: Any, sizes_env: Any, stack: Any
) -> None:
    rows = random_observations(600, seed=3)
    actions, state = make_policy("sufferage", sizes_env).predict(stack(rows))
    expected = [expected_action(row) for row in rows]
    assert state is None
    assert actions.tolist() == expected
    kinds = np.digitize(expected, [1, 1 + 4 * 5])
    assert np.bincount(kinds, minlength=3).min() > 50
