from __future__ import annotations

from typing import Any

import pytest

from tests.evaluation.synthetic import records, results, scene, scenes, suite
from tiergym.evaluation.claims import (
    NOT,
    PARTLY,
    REPRODUCED,
    Claim,
    arrivals_claim,
    claims_of,
    parts_claim,
    ranking_claim,
    room_claim,
    tail_claim,
)
from tiergym.evaluation.results import Results


def test_the_ranking_is_judged_by_all_four_comparisons() -> None:
    assert _ranking() == REPRODUCED
    assert _ranking(effects={("sufferage", "calm"): 0.01, ("sufferage", "bursty"): 0.01}) == PARTLY
    rivals = {(p, a): 0.001 for p in ("fcfs", "sufferage") for a in ("calm", "bursty")}
    assert _ranking(effects=rivals) == NOT


def test_an_interval_that_holds_one_is_no_win() -> None:
    same = {(p, a): 0.04 for p in ("fcfs",) for a in ("calm", "bursty")}
    same |= {("sufferage", a): 4 / 60 for a in ("calm", "bursty")}
    assert _ranking(effects=same, noise=1.0) == NOT


def _ranking(**how: Any) -> str:
    claim = ranking_claim(results(**how))
    assert claim is not None
    return claim.verdict


def test_the_ranking_counts_scenarios_under_overload_only() -> None:
    calm = [scene(s.label, s.base, s.ablation, overload=0.9) for s in scenes()]
    assert ranking_claim(Results(suite(), calm, records())) is None


def test_the_parts_multiply_to_the_whole_and_their_shares_add_up() -> None:
    claim = parts_claim(results())
    assert claim is not None
    values = {e.what: e.interval for e in claim.evidence}
    expected = {"batching": 0.2, "pre-upload": 0.5, "packing": 0.5, "the order by priority": 0.8}
    for name, factor in expected.items():
        interval = values[f"cost, step: {name}"]
        assert interval.low <= factor <= interval.high
        assert interval.estimate == pytest.approx(factor, rel=0.1)
    shares = [e.interval.estimate for e in claim.evidence if e.share]
    assert len(shares) == 4
    assert sum(shares) == pytest.approx(1)


def test_without_the_unpacked_scenarios_nothing_is_said_of_parts() -> None:
    played = [r for r in records() if "@" not in r["scenario"]]
    assert parts_claim(Results(suite(), scenes(), played)) is None


def test_arrivals_are_told_apart() -> None:
    effects = {("priority+upload", "calm"): 2.0, ("priority+upload", "bursty"): 0.5}
    claim = arrivals_claim(results(effects=effects))
    assert claim is not None
    beats, loses = claim.sentences
    assert "beats" in beats
    assert "bursty" in beats
    assert "loses to" in loses
    assert "calm" in loses
    assert [e.what for e in claim.evidence if "the same in" in e.what] == [
        "the same in calm-0.50",
        "the same in calm-0.80",
    ]


def test_what_cannot_be_told_is_said_so() -> None:
    even = {("priority+upload", a): 1.25 for a in ("calm", "bursty")}
    claim = arrivals_claim(results(effects=even))
    assert claim is not None
    assert len(claim.sentences) == 1
    assert "cannot be told" in claim.sentences[0]


def test_claims_whose_policies_are_missing_are_left_out() -> None:
    played = [r for r in records() if r["policy"] in ("fcfs", "fcfs-batched+upload")]
    assert claims_of(Results(suite(), scenes(), played)) == []
    assert room_claim(results()) is None


def test_the_tail_is_judged_by_its_interval() -> None:
    assert "no sign" in _first(tail_claim(results()))
    slow = {("priority+upload", a): 3.0 for a in ("calm", "bursty")}
    assert _first(tail_claim(results(effects=slow))).endswith("yes.")


def _first(claim: Claim | None) -> str:
    assert claim is not None
    return claim.sentences[0]
