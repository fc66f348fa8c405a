"""Claims about exit placement, judged from records."""

from __future__ import annotations

from collections.abc import Sequence

from tiergym.evaluation.results import Results
from tiergym.evaluation.verdicts import (
    FINDING,
    NOT,
    PARTLY,
    REPRODUCED,
    Claim,
    Evidence,
    all_played,
    compare,
    times,
)

THESIS = "greedy"
TIERS = ("terminal-only", "edge-only", "cloud-only")
WAITING = "greedy+waiting"
"""The same search where the waiting that is likely counts as compute and network time."""
OTHERS = (WAITING, "exhaustive", "static-best")


def placement_claims(results: Results) -> list[Claim]:
    """The claims for which the records suffice."""
    found = [tiers_claim(results), room_claim(results)]
    return [claim for claim in found if claim is not None]


def tiers_claim(results: Results) -> Claim | None:
    """Whether placed exits answer sooner than one tier alone, in all three readings of that.

    Reproduced if the thesis's own search does, partly if it does in some readings only, or if it
    does in all once it expects waiting.
    """
    scenes = results.scored
    if not all_played(results, (THESIS, *TIERS), scenes):
        return None
    evidence: list[Evidence] = []
    sentences: list[str] = []
    lower: dict[str, list[bool]] = {}
    for name in (THESIS, *OTHERS):
        if not all_played(results, (name,), scenes):
            continue
        ratios = {tier: compare(results, "mean_delay", name, tier, scenes) for tier in TIERS}
        evidence += [Evidence(f"mean delay, {name} / {tier}", r) for tier, r in ratios.items()]
        lower[name] = [ratio.below_one for ratio in ratios.values()]
        told = ", ".join(f"{times(ratio)} that of {tier}" for tier, ratio in ratios.items())
        sentences.append(
            f"{name}: mean delay {told}, at an accuracy of {_accuracy(results, name)} "
            f"(the last head alone: {_accuracy(results, 'cloud-only')}); lower than every single "
            f"tier in {_wins(results, name)} of {len(scenes)} scenarios taken alone."
        )
    own = lower[THESIS]
    partly = any(own) or all(lower.get(WAITING, [False]))
    verdict = REPRODUCED if all(own) else PARTLY if partly else NOT
    title = "Exits placed by the greedy search answer sooner than one tier alone"
    return Claim(title, verdict, tuple(sentences), tuple(evidence))


def _accuracy(results: Results, name: str) -> str:
    return f"{results.mean(name, 'accuracy'):.1%}"


def _wins(results: Results, name: str) -> int:
    """Scenarios in which a policy's mean delay lies below that of each single tier."""
    each = [
        all(compare(results, "mean_delay", name, tier, [scene]).below_one for tier in TIERS)
        for scene in results.scored
    ]
    return sum(each)


def room_claim(results: Results) -> Claim | None:
    """How far the heuristics are from the best single pair in hindsight."""
    best, scenes = "static-best", results.scored
    if not all_played(results, (best, THESIS), scenes):
        return None
    rivals = [
        name for name in (*_heuristics(results), *TIERS) if all_played(results, (name,), scenes)
    ]
    ratios = {name: compare(results, "cost", best, name, scenes) for name in rivals}
    nearest = max(ratios, key=lambda name: ratios[name].estimate)
    sentences = (
        f"The best single pair in hindsight, which never moves, has {times(ratios[nearest])} the "
        f"cost of {nearest}, the best of the others, and {times(ratios[THESIS])} that of {THESIS}.",
        "It is no bound: a policy that moves with the conditions can cost less.",
    )
    evidence = tuple(Evidence(f"cost, {best} / {name}", ratio) for name, ratio in ratios.items())
    return Claim("How much room is there above the heuristics?", FINDING, sentences, evidence)


def _heuristics(results: Results) -> Sequence[str]:
    return [name for name in results.policies if not results.privileged(name)]
