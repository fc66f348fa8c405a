from __future__ import annotations

import math

import numpy as np
import pytest

from tests.evaluation.synthetic import SEEDS, records, results, scenes, suite
from tiergym.errors import InvalidInput
from tiergym.evaluation.claims import PARTLY, ranking_claim
from tiergym.evaluation.results import Results, score, scores


def test_scores_find_the_effects_that_were_put_in() -> None:
    found = {s.policy: s.interval for s in scores(results())}
    assert found["priority+upload"].low <= 0.8 <= found["priority+upload"].high
    assert found["fcfs"].low <= 20 <= found["fcfs"].high
    reference = found["fcfs-batched+upload"]
    assert (reference.low, reference.estimate, reference.high) == (1.0, 1.0, 1.0)


def test_pairing_makes_intervals_narrow() -> None:
    """Instances differ by a factor of e; intervals follow the noise between policies alone."""
    interval = score(results(), "priority+upload").interval
    assert math.log(interval.high / interval.low) < 0.15


def test_best_first_and_those_without_a_score_last() -> None:
    played = [r for r in records() if (r["policy"], r["scenario"]) != ("fcfs", "calm-0.50")]
    found = scores(Results(suite(), scenes(), played))
    assert found[0].policy == "priority+upload"
    assert found[-1].policy == "fcfs"
    assert math.isnan(found[-1].interval.estimate)
    assert found[-1].missing == SEEDS


def test_missing_episodes_are_counted_and_the_rest_still_paired() -> None:
    played = [r for r in records() if not (r["policy"] == "fcfs" and r["seed"] % 2)]
    found = score(Results(suite(), scenes(), played), "fcfs")
    assert found.missing == 3 * SEEDS // 2
    assert found.interval.low <= 20 <= found.interval.high


def test_another_instance_under_the_same_seed_is_an_error() -> None:
    played = records()
    played[3]["instance"] = "another"
    with pytest.raises(InvalidInput, match="the same instance"):
        scores(Results(suite(), scenes(), played))


def test_ablations_do_not_score() -> None:
    played = [dict(r) for r in records()]
    for r in played:
        if "@" in r["scenario"]:
            r["metrics"] = {**r["metrics"], "cost": 1e9}
    assert scores(Results(suite(), scenes(), played)) == scores(results())


def test_scenarios_weigh_equally_in_means() -> None:
    made = results(effects={("fcfs", "bursty"): 10.0})
    by_scene = [made.values("fcfs", s.label, "cost").mean() for s in made.scored]
    assert made.mean("fcfs", "cost") == pytest.approx(np.mean(by_scene))
    assert math.isnan(made.mean("fcfs", "accuracy"))


def test_delay_counts_add_up() -> None:
    counts = results().delay_counts("fcfs", ["calm-0.50", "calm-0.80"])
    assert counts.sum() == 45 * SEEDS * 2
    assert counts[55] == 30 * SEEDS * 2


@pytest.mark.parametrize("value", [None, 0.0])
def test_what_has_no_logarithm_has_no_ratio(value: float | None) -> None:
    played = records()
    played[0]["metrics"] |= {"cost": value, "mean_delay": value}
    made = Results(suite(), scenes(), played)
    assert len(made.paired("cost", ("fcfs", "calm-0.50"), ("sufferage", "calm-0.50"))) == 0
    assert math.isnan(score(made, "fcfs").interval.estimate)
    assert not math.isnan(score(made, "sufferage").interval.estimate)
    claim = ranking_claim(made)
    assert claim is not None
    assert claim.verdict == PARTLY
