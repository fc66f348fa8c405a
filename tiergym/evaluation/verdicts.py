"""What a claim is, and how policies are compared for one.

The verdicts are about intervals, never about point estimates alone: a comparison holds when its
whole 95 % interval lies on the right side of one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from tiergym.evaluation.results import Results
from tiergym.evaluation.scenes import Scene
from tiergym.evaluation.statistics import UNKNOWN, Interval, ratio_interval

REPRODUCED, PARTLY, NOT, FINDING = "reproduced", "partly", "not reproduced", "finding"


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


def compare(
    results: Results, name: str, over: str, under: str, scenes: Iterable[Scene]
) -> Interval:
    """Geometric mean ratio of a metric of one policy to another's over some scenes."""
    strata = [results.paired(name, (over, s.label), (under, s.label)) for s in scenes]
    if not strata or not all(len(stratum) for stratum in strata):
        return UNKNOWN
    return ratio_interval(strata)


def all_played(results: Results, policies: Iterable[str], scenes: Sequence[Scene]) -> bool:
    """Whether every policy has records in every scene, of which there is one at least."""
    return bool(scenes) and all(results.has(p, s.label) for p in policies for s in scenes)


def times(interval: Interval) -> str:
    """``0.5 [0.4, 0.6] times``."""
    low, high = f"{interval.low:.3g}", f"{interval.high:.3g}"
    return f"{interval.estimate:.3g} [{low}, {high}] times"


def percent(share: Interval) -> str:
    """A share with its interval in per cent."""
    return f"{100 * share.estimate:.0f} % [{100 * share.low:.0f}, {100 * share.high:.0f}]"
