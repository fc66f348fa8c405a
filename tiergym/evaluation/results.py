"""Records of a suite, found again on disk and paired by instance, and the scores they give."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tiergym.errors import InvalidInput
from tiergym.evaluation.jobs import recorded
from tiergym.evaluation.records import DELAY_EDGES, Record, key_of, metric
from tiergym.evaluation.runner import record_facts
from tiergym.evaluation.scenes import Scene
from tiergym.evaluation.statistics import UNKNOWN, Interval, log_ratio, ratio_interval
from tiergym.evaluation.suites import Suite

Floats = NDArray[np.float64]


class Results:
    """The records of a suite by (policy label, scene label), each by seed.

    Attributes:
        suite, scenes: what was played.
        records: {(policy, scene): {seed: record}}.
    """

    def __init__(self, suite: Suite, scenes: Sequence[Scene], records: Iterable[Record]) -> None:
        self.suite = suite
        self.scenes = list(scenes)
        self.records: dict[tuple[str, str], dict[int, Record]] = {}
        for record in records:
            pair = (record["policy"], record["scenario"])
            self.records.setdefault(pair, {})[int(record["seed"])] = record

    @property
    def scored(self) -> list[Scene]:
        """The scenes that scores are computed on."""
        return [scene for scene in self.scenes if scene.scores]

    @property
    def policies(self) -> list[str]:
        """Labels of the policies that have records, in the suite's order."""
        found = {policy for policy, _ in self.records}
        return [entry.label for entry in self.suite.policies if entry.label in found]

    def has(self, policy: str, scene: str) -> bool:
        """Whether there is any record of this policy there."""
        return bool(self.records.get((policy, scene)))

    def privileged(self, policy: str) -> bool:
        """Whether the policy said that it sees what is hidden."""
        pairs = (by for (label, _), by in self.records.items() if label == policy)
        return any(record["privileged"] for by in pairs for record in by.values())

    def reward_a_step(self, scene: str) -> float:
        """Mean reward of the reference's decisions in a scene, NaN without records."""
        reference = self.suite.reference
        costs, steps = (self.values(reference, scene, name) for name in ("cost", "decisions"))
        return -float(costs.sum() / steps.sum()) if len(costs) else float("nan")

    def values(self, policy: str, scene: str, name: str) -> Floats:
        """float64[I]: a metric by instance, in the order of the seeds."""
        by_seed = self.records.get((policy, scene), {})
        return np.array([metric(by_seed[seed], name) for seed in sorted(by_seed)])

    def mean(self, policy: str, name: str, scenes: Iterable[str] | None = None) -> float:
        """Mean over scenarios of the mean over instances.

        Scenarios that tell it of no instance are left out (accuracy, where there is no exit table);
        NaN if it is unknown in some instance of the others.
        """
        chosen = [s.label for s in self.scored] if scenes is None else list(scenes)
        values = [self.values(policy, s, name) for s in chosen if self.has(policy, s)]
        means = [each.mean() for each in values if not np.isnan(each).all()]
        return float(np.mean(means)) if means else float("nan")

    def common_seeds(self, places: Iterable[tuple[str, str]]) -> list[int]:
        """Seeds that every one of these (policy, scene) has a record of."""
        played = [set(self.records.get(place, {})) for place in places]
        return sorted(set[int].intersection(*played))

    def paired(
        self,
        name: str,
        over: tuple[str, str],
        under: tuple[str, str],
        seeds: Sequence[int] | None = None,
    ) -> Floats:
        """float64[I]: log ratio of a metric of one (policy, scene) to that of another.

        Instances that only one of them has played are left out, or all but ``seeds``. Where some
        value is unknown or not positive it has no logarithm, and nothing is returned.

        Raises:
            InvalidInput: if the same seed was another instance for the two.
        """
        chosen = self.common_seeds((over, under)) if seeds is None else seeds
        pairs = [(self.records[over][s], self.records[under][s]) for s in chosen]
        for first, second in pairs:
            if first["instance"] != second["instance"]:
                where = f"records of seed {first['seed']}"
                raise InvalidInput(where, f"{over} and {under}", "the same instance for both")
        values = np.array([[metric(first, name), metric(second, name)] for first, second in pairs])
        if not (np.isfinite(values) & (values > 0)).all() or not pairs:
            return np.empty(0)
        return log_ratio(values[:, 0], values[:, 1])

    def delay_counts(self, policy: str, scenes: Iterable[str]) -> NDArray[np.int64]:
        """int64[bins]: histogram over `DELAY_EDGES` of the delays of all tasks there."""
        counts = np.zeros(len(DELAY_EDGES) - 1, np.int64)
        for scene in scenes:
            for record in self.records.get((policy, scene), {}).values():
                for index, count in record["delays"].items():
                    counts[int(index)] += count
        return counts


@dataclass(frozen=True)
class Score:
    """A policy's cost over the reference's: below one is better.

    Attributes:
        missing: episodes that the suite has and this policy lacks.
    """

    policy: str
    privileged: bool
    interval: Interval
    missing: int


def score(results: Results, policy: str) -> Score:
    """Exp of the mean paired log ratio of cost, scenarios weighted equally, with its interval.

    A policy without a single episode in some scenario has no score (NaN).
    """
    reference = results.suite.reference
    strata = [
        results.paired("cost", (policy, scene.label), (reference, scene.label))
        for scene in results.scored
    ]
    known = all(len(stratum) for stratum in strata)
    missing = sum(results.suite.seeds_of(policy) - len(stratum) for stratum in strata)
    interval = ratio_interval(strata) if known else UNKNOWN
    return Score(policy, results.privileged(policy), interval, missing)


def scores(results: Results) -> list[Score]:
    """Scores of all policies, the best first; those without one last."""
    found = [score(results, policy) for policy in results.policies]
    return sorted(found, key=lambda s: (np.isnan(s.interval.estimate), s.interval.estimate))


def read_results(
    suite: Suite, scenes: Sequence[Scene], folder: Path, versions: Mapping[str, Any]
) -> Results:
    """The valid records of a suite below a folder: those that `plan` would not play again."""
    records: list[Record] = []
    for scene in scenes:
        for entry in suite.policies:
            key = key_of(record_facts(suite, scene, entry, versions))
            found = recorded(folder, scene.label, entry.label, key)
            wanted = (seed for block in suite.blocks(entry.label) for seed in block)
            records += [found[seed] for seed in wanted if seed in found]
    return Results(suite, scenes, records)
