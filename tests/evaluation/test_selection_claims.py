"""Verdicts on edge selection from made-up records."""

from __future__ import annotations

import numpy as np
import pytest

from tests.evaluation.synthetic import SEEDS, record, scene, suite
from tiergym.evaluation.results import Results
from tiergym.evaluation.scenes import Scene
from tiergym.evaluation.selection_claims import selection_claims, swept
from tiergym.evaluation.verdicts import NOT, PARTLY, REPRODUCED, Claim

INTERVALS = {"interval-0.1": 0.1, "interval-5": 5.0, "interval-long": 9.0}
TYPICAL = {"random": 8.0, "round-robin": 6.0, "two-stage-last": 4.0, "stage-one": 4.0}


def judged(
    two_stage: float, herding: dict[str, float] | None = None
) -> tuple[list[Claim], Results]:
    """Claims where the two stages cost so much; ``herding``: least-load's cost by interval."""
    typical = {**TYPICAL, "two-stage": two_stage, "least-load": 4.0}
    places = [scene("dense-0.50", report_interval=1.0), scene("calm-0.50", report_interval=1.0)]
    changed = [
        scene(f"dense-0.50@{name}", "dense-0.50", name, report_interval=INTERVALS[name])
        for name in herding or {}
    ]
    own = suite(tuple(typical), environment="tiergym/EdgeSelection-v0", reference="random")
    made = [made_record(typical, place, {}, i) for place in places for i in range(SEEDS)]
    made += [made_record(typical, each, herding or {}, i) for each in changed for i in range(SEEDS)]
    results = Results(own, [*places, *changed], [one for many in made for one in many])
    return selection_claims(results), results


def made_record(
    typical: dict[str, float], place: Scene, herding: dict[str, float], seed: int
) -> list[dict[str, object]]:
    costs = {**typical, "least-load": herding.get(place.ablation, typical["least-load"])}
    rng = np.random.default_rng(seed)
    return [
        record(policy, place.label, 2_000_000_000 + seed, cost * float(np.exp(rng.normal(0, 0.02))))
        for policy, cost in costs.items()
    ]


@pytest.mark.parametrize(("cost", "word"), [(4.0, REPRODUCED), (7.0, PARTLY), (9.0, NOT)])
def test_two_stages_have_to_beat_every_blind_rule_in_throughput(cost: float, word: str) -> None:
    claims, _ = judged(cost)
    assert claims[0].verdict == word


def test_what_the_forecast_adds_is_told_by_scene() -> None:
    claims, _ = judged(3.0)
    assert len(claims) == 2
    assert "less in dense-0.50, calm-0.50, more in none" in claims[1].sentences[0]


def test_herding_begins_where_least_load_loses_to_random() -> None:
    claims, results = judged(3.0, {"interval-0.1": 2.0, "interval-5": 20.0})
    assert [s.label for s in swept(results, "dense-0.50")] == [
        "dense-0.50@interval-0.1",
        "dense-0.50",
        "dense-0.50@interval-5",
    ]
    told = claims[2].sentences
    assert told == (
        "In dense-0.50, least-load beats random with reports every 0.1, 1 s, "
        "loses to it every 5 s.",
    )


def test_intervals_that_decide_nothing_are_not_told_as_a_win() -> None:
    claims, _ = judged(3.0, {"interval-0.1": 2.0, "interval-long": 8.0})
    (told,) = claims[2].sentences
    assert told.endswith("every 0.1, 1 s, cannot be told from it every 9 s.")
