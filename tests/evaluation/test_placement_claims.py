"""Verdicts on placement from made-up records."""

from __future__ import annotations

import numpy as np
import pytest

from tests.evaluation.synthetic import SEEDS, record, scenes, suite
from tiergym.evaluation.placement_claims import placement_claims
from tiergym.evaluation.results import Results
from tiergym.evaluation.verdicts import NOT, PARTLY, REPRODUCED

TIERS = {"terminal-only": 8.0, "edge-only": 6.0, "cloud-only": 4.0}


def judged(greedy: float, best: float | None = None, waiting: float | None = None) -> list[str]:
    """Verdicts where greedy, the best single pair in hindsight and greedy+waiting cost so much."""
    given = {"greedy": greedy, "static-best": best, "greedy+waiting": waiting}
    typical = {**TIERS, **{name: cost for name, cost in given.items() if cost is not None}}
    rng = np.random.default_rng(0)
    made = [
        record(policy, place.label, 2_000_000_000 + i, cost * float(np.exp(rng.normal(0, 0.05))))
        for place in scenes()
        if not place.ablation
        for policy, cost in typical.items()
        for i in range(SEEDS)
    ]
    own = suite(tuple(typical), environment="tiergym/ExitPlacement-v0", reference="greedy")
    places = [place for place in scenes() if not place.ablation]
    return [claim.verdict for claim in placement_claims(Results(own, places, made))]


@pytest.mark.parametrize(("greedy", "word"), [(2.0, REPRODUCED), (5.0, PARTLY), (9.0, NOT)])
def test_greedy_has_to_beat_every_single_tier(greedy: float, word: str) -> None:
    assert judged(greedy) == [word]


@pytest.mark.parametrize(("waiting", "word"), [(2.0, PARTLY), (5.0, NOT)])
def test_expecting_to_wait_may_save_part_of_it(waiting: float, word: str) -> None:
    assert judged(9.0, waiting=waiting) == [word]


def test_room_is_told_where_the_future_was_tried() -> None:
    assert judged(5.0, best=3.0) == [PARTLY, "finding"]
