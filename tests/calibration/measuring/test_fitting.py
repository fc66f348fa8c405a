"""Parts fitted to stages, against laws that were written down beforehand."""

from __future__ import annotations

import numpy as np
import pytest

from tiergym.calibration.measuring.fitting import Parts, between, fit_parts, mean_error
from tiergym.calibration.measuring.measure import cut_stages, fitted_stages, held_out_cut
from tiergym.calibration.measuring.subjects import Stage
from tiergym.errors import InvalidInput

BLOCKS = 6
HEADS = tuple(range(1, BLOCKS + 1))
TRUTH = Parts(
    base=0.3e-3,
    blocks=np.array([1.0, 2.0, 0.5, 0.0, 3.0, 1.5]) * 1e-3,
    heads={k: 1e-4 * k for k in HEADS},
)
CUT = held_out_cut(BLOCKS, HEADS)


def timed(noise: float = 0.0, seed: int = 0) -> tuple[list[Stage], np.ndarray]:
    stages = fitted_stages(BLOCKS, HEADS, CUT)
    seconds = np.array([TRUTH.seconds(stage) for stage in stages])
    return stages, seconds * np.exp(np.random.default_rng(seed).normal(0.0, noise, len(stages)))


def test_an_additive_law_is_found_again_to_rounding():
    found = fit_parts(*timed(), BLOCKS, HEADS)
    assert found.base == pytest.approx(TRUTH.base)
    assert found.blocks == pytest.approx(TRUTH.blocks, abs=1e-12)
    assert found.heads == pytest.approx(TRUTH.heads)


def test_under_noise_the_cut_that_was_left_out_is_predicted_better_than_it_was_measured():
    noise = 0.05
    found = fit_parts(*timed(noise, seed=3), BLOCKS, HEADS)
    stages = cut_stages(BLOCKS, CUT)
    predicted = np.array([found.seconds(stage) for stage in stages])
    assert mean_error(predicted, np.array([TRUTH.seconds(s) for s in stages])) < noise


def test_the_cut_is_left_out_and_every_part_is_in():
    stages = fitted_stages(BLOCKS, HEADS, CUT)
    assert CUT == (2, 4)
    assert not set(stages) & {Stage(0, 2, True), Stage(2, 4, True), Stage(4, 6, True)}
    assert {k for s in stages for k in range(s.start, s.end)} == set(range(BLOCKS))
    assert {s.end for s in stages if s.head} == set(HEADS)


def test_a_law_that_is_not_additive_shows_in_the_error_of_the_cut():
    stages, seconds = timed()
    longer = np.array([s.end - s.start for s in stages]) > 2
    found = fit_parts(stages, np.where(longer, 2.0 * seconds, seconds), BLOCKS, HEADS)
    cut = cut_stages(BLOCKS, CUT)
    predicted = np.array([found.seconds(stage) for stage in cut])
    assert mean_error(predicted, np.array([TRUTH.seconds(s) for s in cut])) > 0.1


def test_sizes_in_between_are_joined_as_profiles_join_them():
    parts = {1: TRUTH, 4: Parts(2 * TRUTH.base, 2 * TRUTH.blocks, TRUTH.heads)}
    stage = Stage(0, 3, False)
    assert between(parts, 2, stage) == pytest.approx(TRUTH.seconds(stage) * (1.0 + 1.0 / 3.0))


def test_what_was_never_timed_is_named():
    with pytest.raises(InvalidInput, match="every block and every head"):
        fit_parts([Stage(0, 1, False)], np.array([1e-3]), 2, [2])
    with pytest.raises(InvalidInput, match="seconds"):
        fit_parts([Stage(0, 1, False)], np.array([np.nan]), 1, [])
