"""Claims about edge selection, judged from records."""

from __future__ import annotations

from collections.abc import Sequence

from tiergym.evaluation.results import Results
from tiergym.evaluation.scenes import Scene
from tiergym.evaluation.statistics import Interval
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

THESIS = "two-stage"
"""Load evaluation first, an LSTM forecast where the edge is overloaded at an upload."""
RIVALS = ("random", "round-robin", "round-robin-overall")
WITHOUT = ("two-stage-last", "stage-one")
"""The same with the last report in place of a forecast, and the first stage alone."""
SWEPT = ("least-load", "power-of-two-stale", "random")
INTERVAL = "interval-"
"""How ablations that change the report interval are called; the interval is the scene's own."""


def selection_claims(results: Results) -> list[Claim]:
    """The claims for which the records suffice."""
    found = [rivals_claim(results), forecast_claim(results), herding_claim(results)]
    return [claim for claim in found if claim is not None]


def rivals_claim(results: Results) -> Claim | None:
    """Throughput of the two stages against selection that does not look, scene by scene.

    Reproduced if it is higher over all scenes together than that of every rival; partly if than
    that of some, or than that of all in some scene.
    """
    scenes = results.scored
    rivals = [name for name in RIVALS if all_played(results, (THESIS, name), scenes)]
    if len(rivals) < 2:
        return None
    evidence: list[Evidence] = []
    sentences: list[str] = []
    whole: list[bool] = []
    by_scene: list[list[int]] = []
    for rival in rivals:
        rate = compare(results, "throughput", THESIS, rival, scenes)
        delay = compare(results, "mean_delay", THESIS, rival, scenes)
        evidence.append(Evidence(f"throughput, {THESIS} / {rival}", rate))
        evidence.append(Evidence(f"mean delay, {THESIS} / {rival}", delay))
        sides = [_side(compare(results, "throughput", THESIS, rival, [s])) for s in scenes]
        by_scene.append(sides)
        sentences.append(
            f"{THESIS} has {times(rate)} the throughput of {rival} and {times(delay)} its mean "
            f"delay; taken alone, throughput is higher in {_names(scenes, sides, 1)}, lower in "
            f"{_names(scenes, sides, -1)}."
        )
        whole.append(rate.above_one)
        evidence += [
            Evidence(
                f"the same in {scene.label}", compare(results, "throughput", THESIS, rival, [scene])
            )
            for scene in scenes
        ]
    somewhere = any(all(side > 0 for side in own) for own in zip(*by_scene, strict=True))
    verdict = REPRODUCED if all(whole) else PARTLY if any(whole) or somewhere else NOT
    title = "Selection in two stages has a higher throughput than random and round-robin"
    return Claim(title, verdict, tuple(sentences), tuple(evidence))


def _side(interval: Interval) -> int:
    return int(interval.above_one) - int(interval.below_one)


def _names(scenes: Sequence[Scene], sides: Sequence[int], side: int) -> str:
    found = [scene.label for scene, own in zip(scenes, sides, strict=True) if own == side]
    return ", ".join(found) or "none"


def forecast_claim(results: Results) -> Claim | None:
    """What the LSTM adds over the last report, and over the first stage alone."""
    scenes = results.scored
    others = [name for name in WITHOUT if all_played(results, (THESIS, name), scenes)]
    if not others:
        return None
    evidence: list[Evidence] = []
    sentences: list[str] = []
    for other in others:
        whole = compare(results, "cost", THESIS, other, scenes)
        each = {scene.label: compare(results, "cost", THESIS, other, [scene]) for scene in scenes}
        sides = [-_side(interval) for interval in each.values()]
        evidence.append(Evidence(f"cost, {THESIS} / {other}", whole))
        evidence += [Evidence(f"the same in {label}", ratio) for label, ratio in each.items()]
        sentences.append(
            f"{THESIS} has {times(whole)} the cost of {other}; taken alone, less in "
            f"{_names(scenes, sides, 1)}, more in {_names(scenes, sides, -1)}."
        )
    title = "What does the forecast add?"
    return Claim(title, FINDING, tuple(sentences), tuple(evidence))


def herding_claim(results: Results) -> Claim | None:
    """From which report interval on the least loaded edge is a worse choice than any edge."""
    bases = sorted({scene.base for scene in swept(results, "")})
    found = [claim for base in bases if (claim := _herding(results, base)) is not None]
    if not found:
        return None
    sentences = tuple(sentence for told, _ in found for sentence in told)
    evidence = tuple(one for _, each in found for one in each)
    title = "At which age of reports does herding begin?"
    return Claim(title, FINDING, sentences, evidence)


def _herding(results: Results, base: str) -> tuple[list[str], list[Evidence]] | None:
    scenes = swept(results, base)
    if not all_played(results, ("least-load", "random"), scenes):
        return None
    ratios = {
        interval_of(scene): compare(results, "mean_delay", "least-load", "random", [scene])
        for scene in scenes
    }
    evidence = [
        Evidence(f"{base}, reports every {seconds:g} s: mean delay, least-load / random", ratio)
        for seconds, ratio in ratios.items()
    ]
    worse = [seconds for seconds, ratio in ratios.items() if ratio.above_one]
    better = [seconds for seconds, ratio in ratios.items() if ratio.below_one]
    unsure = [seconds for seconds in ratios if seconds not in (*worse, *better)]
    told = [
        f"{words} every {_seconds(own)} s"
        for words, own in (
            ("beats random with reports", better),
            ("loses to it", worse),
            ("cannot be told from it", unsure),
        )
        if own
    ]
    return [f"In {base}, least-load {', '.join(told)}."], evidence


def _seconds(values: Sequence[float]) -> str:
    return ", ".join(f"{value:g}" for value in values)


def swept(results: Results, base: str) -> list[Scene]:
    """The scenes in which the report interval was changed, by interval; of one base or of all."""
    scenes = [scene for scene in results.scenes if scene.ablation.startswith(INTERVAL)]
    scenes += [s for s in results.scored if any(v.base == s.label for v in scenes)]
    own = [scene for scene in scenes if base in ("", scene.base)]
    return sorted(own, key=lambda scene: (scene.base, interval_of(scene)))


def interval_of(scene: Scene) -> float:
    """Seconds between reports in a scene."""
    return float(scene.facts["report_interval"])
