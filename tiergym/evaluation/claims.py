"""Claims about schedulers, judged from records: a verdict, sentences, and intervals as evidence."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

import numpy as np

from tiergym.evaluation.placement_claims import placement_claims
from tiergym.evaluation.results import Results
from tiergym.evaluation.scenes import Scene
from tiergym.evaluation.selection_claims import selection_claims
from tiergym.evaluation.statistics import (
    Floats,
    Interval,
    ratio_interval,
    share_intervals,
)
from tiergym.evaluation.verdicts import (
    FINDING,
    NOT,
    PARTLY,
    REPRODUCED,
    Claim,
    Evidence,
    all_played,
    compare,
    percent,
    times,
)

THESIS = "priority+upload"
"""The thesis's scheduler: groups by priority, with pre-upload, on links that pack."""
FAIR = "fcfs-batched+upload"
CHAIN = ("fcfs", "fcfs-batched", FAIR, THESIS)
UNPACKED = "unpacked"
"""Name of the ablation that switches packing off."""


def claims_of(results: Results) -> list[Claim]:
    """Every claim for which the records suffice."""
    makers: Sequence[Callable[[Results], Claim | None]] = (
        ranking_claim,
        parts_claim,
        arrivals_claim,
        tail_claim,
        room_claim,
    )
    found = (make(results) for make in makers)
    own = [claim for claim in found if claim is not None]
    return [*own, *placement_claims(results), *selection_claims(results)]


def ranking_claim(results: Results) -> Claim | None:
    """Groups by priority over FCFS and Sufferage, under overload, in delay and throughput."""
    scenes = [s for s in results.scored if s.facts["overload"] > 1]
    if not all_played(results, (THESIS, "fcfs", "sufferage"), scenes):
        return None
    evidence: list[Evidence] = []
    holds: list[bool] = []
    sentences: list[str] = []
    for rival in ("fcfs", "sufferage"):
        delay = compare(results, "mean_delay", THESIS, rival, scenes)
        rate = compare(results, "throughput", THESIS, rival, scenes)
        evidence += [
            Evidence(f"mean delay, {THESIS} / {rival}", delay),
            Evidence(f"throughput, {THESIS} / {rival}", rate),
        ]
        holds += [delay.below_one, rate.above_one]
        sentences.append(_against(results, rival, delay, rate, scenes))
    verdict = REPRODUCED if all(holds) else PARTLY if any(holds) else NOT
    where = f"Over the {len(scenes)} scenarios whose load is above the unbatched capacity:"
    title = "Groups by priority beat FCFS and Sufferage in mean delay and throughput under overload"
    return Claim(title, verdict, (where, *sentences), tuple(evidence))


def _against(
    results: Results, rival: str, delay: Interval, rate: Interval, scenes: Sequence[Scene]
) -> str:
    each = [compare(results, "mean_delay", THESIS, rival, [s]).below_one for s in scenes]
    return (
        f"{THESIS} has {times(delay)} the mean delay of {rival} (lower in {sum(each)} of "
        f"{len(each)} scenarios taken alone) and {times(rate)} its throughput."
    )


def parts_claim(results: Results) -> Claim | None:
    """How much of the way from FCFS to the thesis's scheduler is batching, pre-upload, packing."""
    variants = [
        scene
        for scene in results.scenes
        if scene.ablation == UNPACKED and results.has(FAIR, scene.label)
    ]
    if not variants or not all(results.has(p, s.base) for p in CHAIN for s in variants):
        return None
    strata = [_chain(results, scene) for scene in variants]
    if any(len(stratum) < 2 for stratum in strata):
        return None
    whole = ratio_interval([stratum.sum(1) for stratum in strata])
    names = ("batching", "pre-upload", "packing", "the order by priority")
    shares = share_intervals(strata)
    factors = [ratio_interval([stratum[:, q] for stratum in strata]) for q in range(len(names))]
    rows = list(zip(names, factors, shares, strict=True))
    sentence = "; ".join(
        f"{name} makes it {times(factor)} ({percent(share)} of the way)"
        for name, factor, share in rows
    )
    opening = (
        f"From fcfs to {THESIS} the cost falls to {times(whole)} over the {len(variants)} "
        f"scenarios that were also played without packing. Step by step, each factor given the "
        f"ones before it: {sentence}."
    )
    evidence = [Evidence(f"cost, step: {name}", factor) for name, factor, _ in rows]
    evidence += [Evidence(f"share of the way (log cost): {n}", share, True) for n, _, share in rows]
    title = "How much of the win is batching, pre-upload and packing?"
    return Claim(title, FINDING, (opening, *_packing(results, variants)), tuple(evidence))


def _chain(results: Results, variant: Scene) -> Floats:
    """float64[I, 4]: log cost ratios of the steps, on the instances that all of them played."""
    base = variant.base
    places = [("fcfs", base), ("fcfs-batched", base), (FAIR, variant.label), (FAIR, base)]
    places.append((THESIS, base))
    seeds = results.common_seeds(places)
    steps = [results.paired("cost", b, a, seeds) for a, b in itertools.pairwise(places)]
    return np.stack(steps, 1)


def _packing(results: Results, variants: Sequence[Scene]) -> list[str]:
    sentences: list[str] = []
    for policy in (FAIR, THESIS):
        strata = [results.paired("cost", (policy, s.base), (policy, s.label)) for s in variants]
        if all(len(stratum) for stratum in strata):
            sentences.append(f"Packing gives {policy} {times(ratio_interval(strata))} the cost.")
    return sentences


def arrivals_claim(results: Results) -> Claim | None:
    """Under which arrivals the order by priority beats the reference with the same uploads."""
    if not all_played(results, (THESIS, FAIR), results.scored):
        return None
    evidence: list[Evidence] = []
    sides: dict[str, list[str]] = {"beats": [], "loses to": [], "cannot be told from": []}
    for word, scenes in by_arrivals(results).items():
        interval = compare(results, "cost", THESIS, FAIR, scenes)
        sides[_side(interval)].append(f"{word} arrivals ({times(interval)} the cost)")
        evidence.append(Evidence(f"cost, {THESIS} / {FAIR}, {word}", interval))
        if len(scenes) > 1:
            evidence += [_evidence_at(results, scene) for scene in scenes]
    sentences = [
        f"{THESIS} {side} {FAIR} under {' and '.join(found)}."
        for side, found in sides.items()
        if found
    ]
    title = f"Under which arrivals does priority beat {FAIR}?"
    return Claim(title, FINDING, tuple(sentences), tuple(evidence))


def _evidence_at(results: Results, scene: Scene) -> Evidence:
    return Evidence(f"the same in {scene.label}", compare(results, "cost", THESIS, FAIR, [scene]))


def by_arrivals(results: Results) -> dict[str, list[Scene]]:
    """The scored scenes by how their tasks arrive, each by load."""
    groups: dict[str, list[Scene]] = {}
    for scene in sorted(results.scored, key=lambda s: s.facts["load"]):
        groups.setdefault(scene.facts["arrivals"], []).append(scene)
    return dict(sorted(groups.items()))


def tail_claim(results: Results) -> Claim | None:
    """Whether the order by priority starves somebody, and whether ageing mends that."""
    if not all_played(results, (THESIS, FAIR), results.scored):
        return None
    tail = compare(results, "p99_delay", THESIS, FAIR, results.scored)
    evidence = [Evidence(f"p99 delay, {THESIS} / {FAIR}", tail)]
    sentences = [f"{THESIS} has {times(tail)} the p99 delay of {FAIR}: {_word(tail)}."]
    aged = f"{THESIS}+ageing"
    if all_played(results, (aged,), results.scored):
        mended = compare(results, "p99_delay", aged, THESIS, results.scored)
        cost = compare(results, "cost", aged, THESIS, results.scored)
        evidence += [Evidence(f"p99 delay, {aged} / {THESIS}", mended)]
        evidence += [Evidence(f"cost, {aged} / {THESIS}", cost)]
        sentences.append(f"With ageing the p99 is {times(mended)} and the cost {times(cost)}.")
    title = "Does the order by priority starve slow networks in the tail?"
    return Claim(title, FINDING, tuple(sentences), tuple(evidence))


def room_claim(results: Results) -> Claim | None:
    """How far a short planner gets below the simple rules."""
    if not all_played(results, ("lookahead", THESIS, FAIR), results.scored):
        return None
    pairs = [
        (rule, compare(results, "cost", "lookahead", rule, results.scored))
        for rule in (FAIR, THESIS)
    ]
    evidence = tuple(Evidence(f"cost, lookahead / {rule}", interval) for rule, interval in pairs)
    sentences = tuple(
        f"lookahead costs {times(interval)} as much as {rule}." for rule, interval in pairs
    )
    return Claim("How much room is there above the simple rules?", FINDING, sentences, evidence)


def _side(interval: Interval) -> str:
    if interval.below_one:
        return "beats"
    return "loses to" if interval.above_one else "cannot be told from"


def _word(interval: Interval) -> str:
    if interval.below_one:
        return "no sign of it on average"
    return "yes" if interval.above_one else "the interval holds one, so this cannot be told"
