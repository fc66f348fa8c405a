"""Whole measurements on networks that tick a clock of the test's own by a known law."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from tiergym.calibration.measuring.measure import Measured, load_rate, measure
from tiergym.calibration.measuring.profiles import device_record, write_device
from tiergym.calibration.measuring.subjects import Subject
from tiergym.devices import load_device, stage_seconds

Law = Callable[[int], float]
BASE = 5e-4
SIZES = [1, 2, 4, 8]


class Ticking:
    """A clock that only modules move, and each second reading by the base."""

    def __init__(self, noise: Callable[[], float] = lambda: 1.0) -> None:
        self.now, self.reads, self.noise = 0.0, 0, noise
        self.began = 0.0
        self.run = 0

    def __call__(self) -> float:
        self.reads += 1
        if self.reads % 2:
            self.began, self.run = self.now, 0
        else:
            self.now = self.began + (self.now - self.began + BASE) * self.noise()
        return self.now


class Module(nn.Module):
    """Takes the time that a law says, and gives what it was given."""

    def __init__(self, clock: Ticking, law: Law) -> None:
        super().__init__()
        self.clock, self.law = clock, law

    def forward(self, features: Tensor) -> Tensor:
        self.clock.now += self.law(len(features))
        return features


def subject(clock: Ticking, laws: list[Law]) -> Subject:
    blocks = [Module(clock, law) for law in laws]
    heads = {k: Module(clock, lambda b: 1e-4 * b) for k in range(1, len(laws) + 1)}
    return Subject("ticking", blocks, heads, torch.ones(1, 4), "a clock")


def measured(laws: list[Law], clock: Ticking | None = None, repeats: int = 3) -> Measured:
    clock = clock or Ticking()
    return measure(subject(clock, laws), SIZES, [3, 6], repeats, lambda line: None, clock)


def line(k: float) -> Law:
    return lambda b: k * (1.0 + 0.25 * b)


def test_base_blocks_and_heads_of_a_straight_law_are_found_and_nothing_left_out_is_missed():
    found = measured([line(1e-3), line(2e-3), line(5e-4), line(1e-3)])
    for batch, parts in found.parts.items():
        assert parts.base == pytest.approx(BASE)
        expected = np.array([1e-3, 2e-3, 5e-4, 1e-3]) * (1.0 + 0.25 * batch)
        assert parts.blocks == pytest.approx(expected)
        assert parts.heads == pytest.approx(dict.fromkeys(range(1, 5), 1e-4 * batch))
    errors = found.errors
    assert max(errors.fitted, errors.whole, errors.cut, errors.batches) < 1e-9
    assert found.jitter_cv == pytest.approx(0.0, abs=1e-9)


def test_a_bent_law_is_missed_in_between_by_as_much_as_it_is_bent():
    found = measured([lambda b: 1e-3 * b * b])
    law = {b: BASE + 1e-3 * b * b + 1e-4 * b for b in (2, 3, 4, 6, 8)}
    three = abs((law[2] + law[4]) / 2.0 / law[3] - 1.0)
    six = abs((law[4] + law[8]) / 2.0 / law[6] - 1.0)
    assert found.errors.whole < 1e-9
    assert found.errors.batches == pytest.approx((three + six) / 2.0)
    assert math.isnan(found.errors.cut)


def test_a_profile_says_what_was_measured(tmp_path: Path):
    laws = [line(1e-3), line(2e-3), line(5e-4), line(1e-3)]
    write_device(tmp_path / "p.yaml", device_record("p", [measured(laws)], "a command"))
    profile = load_device(tmp_path / "p.yaml")
    table = stage_seconds(profile, "ticking", 2, 3, True, 8, blocks=4)
    batches = np.arange(1, 9)
    assert table == pytest.approx(BASE + 2.5e-3 * (1.0 + 0.25 * batches) + 1e-4 * batches)
    assert profile.load_rate is None
    told = profile.source["measured"]["ticking"]
    assert told["cut_error"] == 0.0
    assert [path.name for path in tmp_path.iterdir()] == ["p.yaml"]


def test_a_noisy_clock_warns_and_the_profile_carries_the_warning():
    rng = np.random.default_rng(0)
    clock = Ticking(lambda: float(rng.lognormal(0.0, 0.6)))
    found = measured([line(1e-3), line(2e-3), line(5e-4)], clock, repeats=9)
    complaints = " ".join(found.complaints())
    assert "quartile range" in complaints
    assert found.jitter_cv_all > 0.3
    record: Any = device_record("p", [found], "a command")
    warning = record["source"]["measured"]["ticking"]["warning"]
    assert warning == "; ".join(found.complaints())


def test_a_law_that_does_not_add_up_warns_on_a_quiet_clock():
    clock = Ticking()

    class Tiring(Module):
        """Each takes longer, the more blocks the stage has run before it."""

        def forward(self, features: Tensor) -> Tensor:
            self.clock.run = min(self.clock.run + 1, 6)
            self.clock.now += self.law(len(features)) * 1.7**self.clock.run
            return features

    heads = subject(clock, [line(1e-3)] * 6).heads
    blocks = [Tiring(clock, line(1e-3)) for _ in range(6)]
    tired = Subject("tired", blocks, heads, torch.ones(1, 4), "a clock")
    found = measure(tired, SIZES, [3], 3, lambda line: None, clock)
    assert abs(found.noise.drift) < 1e-6
    assert found.errors.whole > 0.1
    assert f"the whole network missed by {found.errors.whole:.1%}" in found.complaints()


def test_parameters_load_at_a_rate_and_none_at_all_at_once():
    heavy = Subject("l", [nn.Linear(300, 300)], {1: nn.Linear(300, 3)}, torch.ones(1, 300), "")
    assert 1e5 < load_rate(heavy, repeats=1) < 1e11
    assert math.isinf(load_rate(subject(Ticking(), [line(1e-3)])))
