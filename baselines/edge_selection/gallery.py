"""Figures of a selection suite: who herds, when it begins, and where everybody stands.

Delay by report interval comes from the records; the load of every edge over time is replayed, on
the instance of the suite's first seed; so is the map.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from baselines.gallery import Played, Recorder, instances, replay
from tiergym.evaluation.report.figures import (
    Axis,
    Dots,
    Figure,
    Group,
    Line,
    Mark,
    Span,
    Strip,
    Whiskers,
)
from tiergym.evaluation.report.svg import log_range
from tiergym.evaluation.results import Results
from tiergym.evaluation.scenes import Scene
from tiergym.evaluation.selection_claims import interval_of, swept
from tiergym.evaluation.statistics import mean_interval
from tiergym.evaluation.suites import Entry, Suite
from tiergym.evaluation.summary import percent_text, seconds_text
from tiergym.scenarios import Instance

TITLE = "Edges over time"
LEAD = (
    "Tasks queued at every edge and terminals attached to it, a colour an edge. Where many "
    "terminals act on the same old report, one edge after the other fills up: they herd. All of a "
    "scenario shows one instance, that of the suite's first seed. Point at a mark to read it."
)
SHOWN = ("least-load", "round-robin", "power-of-two-stale", "two-stage", "join-shortest-queue")
"""Policies whose edges are shown over time, if the suite has them."""
HUES = ("16", "11", "0", "14", "17", "5", "8", "2", "12", "19")
"""Colours that are told from one another, in turns."""
POINTS = 240
"""Times at which edges are looked at."""
FRESH = 0.03
"""Seconds at which reports that are always fresh are drawn on a logarithmic axis."""

Floats = NDArray[np.float64]


class Watched(Recorder):
    """Keeps, at each decision, the time, and of each edge the tasks queued and its terminals."""

    def __init__(self, env: Any) -> None:
        super().__init__(env)
        self.seen: list[tuple[float, list[int], list[int]]] = []

    def reset(self, **given: Any) -> Any:
        """Begin anew."""
        told = super().reset(**given)
        self.seen = []
        self._look()
        return told

    def step(self, action: Any) -> Any:
        """Carry out a decision and look at the edges."""
        told = super().step(action)
        self._look()
        return told

    def _look(self) -> None:
        inside: Any = self.env.unwrapped
        simulation = inside._episodes.rows.simulation
        edge = simulation.view(0, "edge")
        first = inside.scenarios[0].system.selection.terminals
        queued = simulation.view(0, "node")["queued"][first : first + len(edge)]
        clock = float(simulation.head(0)["clock"])
        self.seen.append((clock, queued.tolist(), edge["attached"].tolist()))


def figures(results: Results) -> Iterator[Group]:
    """The figures of each scenario that scores, one scenario after the other."""
    for scene in results.scored:
        yield scene_figures(results, scene)


def scene_figures(results: Results, scene: Scene) -> Group:
    """Delay by report interval where it was swept, the map, and the edges over time."""
    suite = results.suite
    env = watched(suite, scene)
    try:
        (instance,) = instances(env, suite, 1)
        shown = [by_interval(results, scene)] if len(swept(results, scene.label)) > 1 else []
        shown += where_they_stand(instance)
        shown += [over_time(env, replay(env, suite, each)) for each in chosen(results, scene)]
        lead = str(scene.facts["description"])
    finally:
        env.close()
    return Group(scene.label, f"{lead}; seed {suite.first_seed}.", tuple(shown))


def watched(suite: Suite, scene: Scene) -> Watched:
    """The environment that a scene is played in, a single one."""
    given = {"invalid_action": "raise", **suite.arguments}
    return Watched(gym.make(suite.environment, scenario=scene.given, **given))


def chosen(results: Results, scene: Scene) -> list[Entry]:
    """The entries of `SHOWN` that finished the suite's first episode."""
    seed, entries = results.suite.first_seed, {e.label: e for e in results.suite.policies}
    return [
        entries[name]
        for name in SHOWN
        if name in entries and seed in results.records.get((name, scene.label), {})
    ]


def by_interval(results: Results, scene: Scene) -> Figure:
    """Mean delay by report interval of the policies that played it, with 95 % intervals."""
    scenes = swept(results, scene.label)
    policies = [p for p in results.policies if all(results.has(p, s.label) for s in scenes)]
    seconds = [max(interval_of(each), FRESH) for each in scenes]
    marks: list[Mark] = []
    means: list[float] = []
    for tone, policy in enumerate(policies):
        each = [results.values(policy, s.label, "mean_delay") for s in scenes]
        own = [float(values.mean()) for values in each]
        marks += _delays(policy, HUES[tone % len(HUES)], seconds, own, each)
        means += own
    low, high = log_range(means, 1.3)
    x = Axis("seconds between reports", min(seconds) / 1.3, max(seconds) * 1.3, log=True)
    y = Axis("mean delay (s)", low, high, log=True)
    caption = f"The leftmost points, drawn at {FRESH:g} s, are fresh reports."
    told = caption if interval_of(scenes[0]) == 0.0 else ""
    return Figure("Delay by age of reports", x, (Strip(y, tuple(marks)),), told)


def _delays(
    policy: str, tone: str, seconds: Sequence[float], means: list[float], each: Sequence[Floats]
) -> list[Mark]:
    xs, ys = tuple(seconds), tuple(means)
    titles = tuple(
        f"{policy}, every {x:g} s: {seconds_text(y)}" for x, y in zip(xs, ys, strict=True)
    )
    marks: list[Mark] = [Line(policy, tone, xs, ys), Dots(policy, tone, xs, ys, titles)]
    if all(len(values) > 1 for values in each):
        around = [mean_interval([values]) for values in each]
        low, high = tuple(i.low for i in around), tuple(i.high for i in around)
        marks.append(Whiskers(policy, tone, xs, low, high))
    return marks


def over_time(env: Watched, played: Played) -> Figure:
    """Tasks queued at every edge, and terminals attached to it."""
    assert played.episode.instance is not None
    times = np.array([time for time, _, _ in env.seen])
    grid = np.linspace(0.0, max(float(times[-1]), 1e-9), POINTS)
    at = np.maximum(np.searchsorted(times, grid, side="right") - 1, 0)
    queued = np.array([queued for _, queued, _ in env.seen])[at]
    attached = np.array([attached for _, _, attached in env.seen])[at]
    down = _down(played.episode.instance, float(grid[-1]))
    strips = (
        Strip(_count_axis("tasks queued", queued), (*down, *_lines(grid, queued)), 2.0),
        Strip(_count_axis("terminals attached", attached), tuple(_lines(grid, attached))),
    )
    metrics = played.episode.metrics
    caption = (
        f"Mean delay {seconds_text(metrics['mean_delay'])}, {metrics['switches']:.0f} changes of "
        f"edge; edges busy {percent_text(metrics['edge_utilisation'])} on average, the busiest "
        f"{percent_text(metrics['edge_utilisation_max'])}."
    )
    x = Axis("time (s)", 0.0, float(grid[-1]))
    return Figure(f"{played.entry.label} over time", x, strips, caption)


def _count_axis(label: str, counts: NDArray[np.int64]) -> Axis:
    return Axis(label, 0.0, 1.05 * max(1.0, float(counts.max())), whole=True)


def _lines(grid: Floats, counts: NDArray[np.int64]) -> list[Mark]:
    xs = tuple(grid.tolist())
    return [
        Line(f"edge {e}", HUES[e % len(HUES)], xs, tuple(map(float, counts[:, e].tolist())))
        for e in range(counts.shape[1])
    ]


def _down(instance: Instance, end: float) -> list[Mark]:
    """When some edge was down."""
    coverage = instance.coverage
    assert coverage is not None
    times = zip(coverage.failure_start.tolist(), coverage.failure_end.tolist(), strict=True)
    return [Span("an edge is down", "refused", a, min(b, end)) for a, b in times if a < end]


def where_they_stand(instance: Instance) -> list[Figure]:
    """The map of edges and terminals; nothing where no positions are known."""
    coverage = instance.coverage
    if coverage is None or not coverage.site_km.size:
        return []
    sites, first = coverage.site_km, coverage.terminal_km[0]
    everywhere = np.concatenate([sites, coverage.terminal_km.reshape(-1, 2)])
    middle = (everywhere.max(axis=0) + everywhere.min(axis=0)) / 2.0
    half = 0.55 * max(float(np.ptp(everywhere, axis=0).max()), 0.1)
    marks: list[Mark] = _ways(coverage.terminal_km)
    marks.append(Dots("terminal", "dim", *_columns(first), radii=(2.0,) * len(first)))
    words = tuple(f"edge {e}" for e in range(len(sites)))
    numbers = tuple(map(str, range(len(sites))))
    radii = (4.0,) * len(sites)
    marks.append(Dots("edge", "ink", *_columns(sites), words, radii, numbers, "square"))
    x, y = (Axis(f"km {way}", m - half, m + half) for way, m in zip(("east", "north"), middle))  # noqa: B905
    caption = "Edges at base stations, terminals where users are; lines are ways of terminals."
    return [Figure("Where they stand", x, (Strip(y, tuple(marks)),), caption)]


def _ways(positions: Floats) -> list[Mark]:
    moving = np.flatnonzero(np.ptp(positions, axis=0).max(axis=1) > 0.0)
    return [Line("way", "dim", *_columns(positions[:, k])) for k in moving.tolist()]


def _columns(positions: Floats) -> tuple[tuple[float, ...], tuple[float, ...]]:
    return tuple(positions[:, 0].tolist()), tuple(positions[:, 1].tolist())
