"""Claims about schedulers, judged from records: a verdict, sentences, and intervals as evidence.

The verdicts are about intervals, never about point estimates alone: a comparison holds when its
whole 95 % interval lies on the right side of one.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from tiergym.evaluation.results import Results
from tiergym.evaluation.scenes import Scene
from tiergym.evaluation.statistics import (
    UNKNOWN,
    Floats,
    Interval,
    ratio_interval,
    share_intervals,
)

REPRODUCED, PARTLY, NOT, FINDING = "reproduced", "partly", "not reproduced", "finding"

THESIS = "priority+upload"
"""The thesis's scheduler: groups by priority, with pre-upload, on links that pack."""
FAIR = "fcfs-batched+upload"
CHAIN = ("fcfs", "fcfs-batched", FAIR, THESIS)
UNPACKED = "unpacked"
"""Name of the ablation that switches packing off."""


@dataclass(frozen=True)
class Evidence:
    """A ratio with its interval, or a share of the whole (``share``) with its."""

    what: str
    interval: Interval
    share: bool = False


@dataclass(frozen=True)
class Claim:
    """A claim or a question, the verdict on it, and what the verdict rests on."""

    title: str
    verdict: str
    sentences: tuple[str, ...]
    evidence: tuple[Evidence, ...] = field(default=())


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
    return [claim for claim in found if claim is not None]


def compare(
    results: Results, name: str, over: str, under: str, scenes: Iterable[Scene]
) -> Interval:
    """Geometric mean ratio of a metric of one policy to another's over some scenes."""
    strata = [results.paired(name, (over, s.label), (under, s.label)) for s in scenes]
    if not strata or not all(len(stratum) for stratum in strata):
        return UNKNOWN
    return ratio_interval(strata)


def _all_played(results: Results, policies: Iterable[str], scenes: Sequence[Scene]) -> bool:
    return bool(scenes) and all(results.has(p, s.label) for p in policies for s in scenes)


def ranking_claim(results: Results) -> Claim | None:
    """Groups by priority over FCFS and Sufferage, under overload, in delay and throughput."""
    scenes = [s for s in results.scored if s.facts["overload"] > 1]
    if not _all_played(results, (THESIS, "fcfs", "sufferage"), scenes):
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
        f"{THESIS} has {_times(delay)} the mean delay of {rival} (lower in {sum(each)} of "
        f"{len(each)} scenarios taken alone) and {_times(rate)} its throughput."
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
        f"{name} makes it {_times(factor)} ({_percent(share)} of the way)"
        for name, factor, share in rows
    )
    opening = (
        f"From fcfs to {THESIS} the cost falls to {_times(whole)} over the {len(variants)} "
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
            sentences.append(f"Packing gives {policy} {_times(ratio_interval(strata))} the cost.")
    return sentences


def arrivals_claim(results: Results) -> Claim | None:
    """Under which arrivals the order by priority beats the reference with the same uploads."""
    if not _all_played(results, (THESIS, FAIR), results.scored):
        return None
    evidence: list[Evidence] = []
    sides: dict[str, list[str]] = {"beats": [], "loses to": [], "cannot be told from": []}
    for word, scenes in by_arrivals(results).items():
        interval = compare(results, "cost", THESIS, FAIR, scenes)
        sides[_side(interval)].append(f"{word} arrivals ({_times(interval)} the cost)")
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
    if not _all_played(results, (THESIS, FAIR), results.scored):
        return None
    tail = compare(results, "p99_delay", THESIS, FAIR, results.scored)
    evidence = [Evidence(f"p99 delay, {THESIS} / {FAIR}", tail)]
    sentences = [f"{THESIS} has {_times(tail)} the p99 delay of {FAIR}: {_word(tail)}."]
    aged = f"{THESIS}+ageing"
    if _all_played(results, (aged,), results.scored):
        mended = compare(results, "p99_delay", aged, THESIS, results.scored)
        cost = compare(results, "cost", aged, THESIS, results.scored)
        evidence += [Evidence(f"p99 delay, {aged} / {THESIS}", mended)]
        evidence += [Evidence(f"cost, {aged} / {THESIS}", cost)]
        sentences.append(f"With ageing the p99 is {_times(mended)} and the cost {_times(cost)}.")
    title = "Does the order by priority starve slow networks in the tail?"
    return Claim(title, FINDING, tuple(sentences), tuple(evidence))


def room_claim(results: Results) -> Claim | None:
    """How far a short planner gets below the simple rules."""
    if not _all_played(results, ("lookahead", THESIS, FAIR), results.scored):
        return None
    pairs = [
        (rule, compare(results, "cost", "lookahead", rule, results.scored))
        for rule in (FAIR, THESIS)
    ]
    evidence = tuple(Evidence(f"cost, lookahead / {rule}", interval) for rule, interval in pairs)
    sentences = tuple(
        f"lookahead costs {_times(interval)} as much as {rule}." for rule, interval in pairs
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


def _times(interval: Interval) -> str:
    low, high = f"{interval.low:.3g}", f"{interval.high:.3g}"
    return f"{interval.estimate:.3g} [{low}, {high}] times"


def _percent(share: Interval) -> str:
    return f"{100 * share.estimate:.0f} % [{100 * share.low:.0f}, {100 * share.high:.0f}]"
