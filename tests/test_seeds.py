"""Seeds of training, validation and suites never meet (rows take consecutive seeds)."""

from __future__ import annotations

from pathlib import Path

import pytest

from baselines.configuration import conf_dir
from tiergym.evaluation.suites import FIRST_SEED, FIRST_VALIDATION_SEED, TRAINING_STRIDE, load_suite

SUITES = sorted((conf_dir() / "suite").glob("*.yaml"))


def test_there_are_suites() -> None:
    assert len(SUITES) >= 2


@pytest.mark.parametrize("path", SUITES, ids=lambda path: path.stem)
def test_suites_stay_in_their_own_range(path: Path) -> None:
    suite = load_suite(path)
    assert suite.first_seed >= FIRST_SEED
    assert suite.first_seed + suite.seeds < 2**31, "a seed must fit where 32 bits are all there is"


def test_ranges_do_not_overlap() -> None:
    """A thousand training seeds of a million rows each end where validation begins."""
    assert TRAINING_STRIDE * 1000 == FIRST_VALIDATION_SEED
    assert FIRST_VALIDATION_SEED + TRAINING_STRIDE * 1000 == FIRST_SEED
