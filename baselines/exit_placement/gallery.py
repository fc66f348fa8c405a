"""Figures of a placement suite: why a cut sits where it does, when it moves, and by what.

Everything is simulated anew, on the instance of the suite's first seed: every pair held throughout,
and the chosen policies as they were played for the scores.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from baselines.exit_placement._observation import Actions, Floats, Layout, Rows
from baselines.exit_placement.greedy import Greedy, overhead
from baselines.gallery import Played, Recorder, instances, recorder, replay
from tiergym.engine import Simulation
from tiergym.errors import InvalidInput
from tiergym.evaluation.report.figures import (
    Axis,
    Band,
    Dots,
    Figure,
    Group,
    Mark,
    Numbers,
    Rule,
    Span,
    Steps,
    Strip,
)
from tiergym.evaluation.report.svg import log_range
from tiergym.evaluation.results import Results
from tiergym.evaluation.scenes import Scene
from tiergym.evaluation.suites import Entry
from tiergym.evaluation.summary import percent_text, seconds_text
from tiergym.scenarios import Instance, Scenario
from tiergym.scenarios.system import pair_of, pairs_of

TITLE = "Placements"
LEAD = (
    "Under a placement (p1, p2) the terminal runs blocks 1 to p1, the edge p1 + 1 to p2 and the "
    "cloud the rest; exits sit after p1 and p2. All figures of a scenario show one instance, that "
    "of the suite's first seed. Point at a mark to read it."
)

TONES = {
    "greedy": "17",
    "greedy+waiting": "11",
    "exhaustive": "16",
    "switching-aware": "14",
    "static-best": "0",
}
"""Policies that are shown, by the name that they are registered as, and their colours."""
OVER_TIME = ("greedy+waiting", "exhaustive", "switching-aware", "static-best")
"""Those whose placement is shown over time."""
INSTANCES = 8
"""How many of the suite's instances tell how the bandwidth is distributed."""
SWEPT, POINTS = 10.0, 48
"""The sweep goes from the median bandwidth over `SWEPT` to `SWEPT` times it, in `POINTS` steps."""
LEAST = "the least overhead of all pairs"
KINDS = ("single tier", "one exit inside", "two exits inside")


class Held(NamedTuple):
    """What became of the charged tasks under one pair at one threshold level, held throughout."""

    level: int
    p1: int
    p2: int
    delay: float  # seconds, mean of the tasks that were answered
    accuracy: float  # share of right answers; a refused task has none


def figures(results: Results) -> Iterator[Group]:
    """The figures of each scenario that scores, one scenario after the other."""
    for scene in results.scored:
        yield scene_figures(results, scene)


def scene_figures(results: Results, scene: Scene) -> Group:
    """Delay against accuracy, greedy's choice by bandwidth, and the placement over time."""
    suite = results.suite
    env = recorder(suite, scene)
    try:
        drawn = instances(env, suite, INSTANCES)
        inside: Any = env.unwrapped
        scenario: Scenario = inside.scenarios[0]
        played = [replay(env, suite, entry) for entry in chosen(results, scene)]
        levels = {level for each in played for level, _, _ in taken_by(env, each)}
        held = pairs_held(scenario, drawn[0], sorted({0, *levels}))
        first = sorted(played, key=lambda each: each.entry.label != suite.reference)[:1]
        shown = [tradeoff(env, scenario, held, played)] if held else []
        shown += sweeps(env, scenario, drawn, first[0] if first else None)
        shown += [over_time(env, scenario, each) for each in played if each.entry.name in OVER_TIME]
    finally:
        env.close()
    lead = f"{scenario.description}; seed {suite.first_seed}."
    return Group(scene.label, lead, tuple(shown))


def chosen(results: Results, scene: Scene) -> list[Entry]:
    """Policies that are shown: those of `TONES` that finished the suite's first episode.

    Of several with the same name and other options, the first.
    """
    seed, found = results.suite.first_seed, dict[str, Entry]()
    for entry in results.suite.policies:
        if seed in results.records.get((entry.label, scene.label), {}):
            found.setdefault(entry.name, entry)
    return [found[name] for name in TONES if name in found]


def taken_by(env: Recorder, played: Played) -> list[tuple[int, int, int]]:
    """(threshold level, p1, p2) of each decision of an episode."""
    pairs = len(Layout.of(env).first)
    return [(action // pairs, *pair_of(action % pairs)) for action in played.actions]


def pairs_held(scenario: Scenario, instance: Instance, levels: Sequence[int]) -> list[Held]:
    """Every pair that can be held throughout an instance, simulated."""
    placing = scenario.system.placing
    assert placing is not None
    own = pairs_of(blocks_of(scenario))
    simulation = Simulation([scenario.system], places=True)
    found: list[Held] = []
    for level in levels:
        for pair in range(own):
            simulation.start(0, instance, check=False)
            try:
                while not simulation.ended(0):
                    simulation.place(0, placing.first_route + level * own + pair)
            except InvalidInput:
                continue  # it cannot be served, or does not fit
            found.append(_held(level, pair, simulation))
    return [held for held in found if held.delay > 0.0]


def _held(level: int, pair: int, simulation: Simulation) -> Held:
    log = simulation.log(0)
    answered = log.charged & ~log.refused
    delay = float(log.delay[answered].mean()) if answered.any() else 0.0
    right = np.where(log.refused, 0.0, log.correct)[log.charged]
    return Held(level, *pair_of(pair), delay, float(right.mean()))


def kind_of(p1: int, p2: int, blocks: int) -> int:
    """Index in `KINDS`: how many exits sit strictly inside the network."""
    return len({end for end in (p1, p2) if 0 < end < blocks})


def tradeoff(
    env: Recorder, scenario: Scenario, held: Sequence[Held], played: Sequence[Played]
) -> Figure:
    """Delay against accuracy of every pair, with rings where policies place."""
    delays, rights = [one.delay for one in held], [100.0 * one.accuracy for one in held]
    margin = max(0.2, 0.2 * (max(rights) - min(rights)))
    y = Axis("right answers (%)", min(rights) - margin, max(rights) + margin)
    low, high = log_range(delays, 1.35)
    marks = [mark for kind in (2, 1, 0) for mark in _dots(held, scenario, kind)]
    named = set(_tiers(scenario))
    for place, each in enumerate(played):
        marks += _rings(held, each.entry, taken_by(env, each), place, named)
    return Figure(
        "Delay and accuracy of every pair",
        Axis("mean delay (s)", low, high, log=True),
        (Strip(y, tuple(marks)),),
        "Each dot is a pair held throughout. A ring is a pair that a policy takes, the larger the "
        "more often; the one that it takes most is named.",
    )


def _words(held: Held, several: bool) -> str:
    words = f"({held.p1}, {held.p2})" + (f" at level {held.level}" if several else "")
    return f"{words}: {seconds_text(held.delay)}, {percent_text(held.accuracy)} right"


def blocks_of(scenario: Scenario) -> int:
    """L of the placed network."""
    assert scenario.system.placing is not None
    return int(scenario.system.network_blocks[scenario.system.placing.network])


def _tiers(scenario: Scenario) -> dict[tuple[int, int], str]:
    blocks = blocks_of(scenario)
    return {(0, 0): "cloud", (0, blocks): "edge", (blocks, blocks): "terminal"}


def _dots(held: Sequence[Held], scenario: Scenario, kind: int) -> list[Mark]:
    blocks, tiers = blocks_of(scenario), _tiers(scenario)
    own = [one for one in held if kind_of(one.p1, one.p2, blocks) == kind]
    if not own:
        return []
    several = len({one.level for one in held}) > 1
    dots = Dots(
        KINDS[kind],
        "ink" if kind == 0 else "dim",
        *_places(own),
        tuple(_words(one, several) for one in own),
        (4.0 if kind == 0 else 2.2,) * len(own),
        tuple("" if one.level else tiers.get(one[1:3], "") for one in own),
        ("square", "disc", "ring")[kind],
    )
    return [dots]


def _places(held: Sequence[Held]) -> tuple[Numbers, Numbers]:
    """Seconds and per cent, where these pairs lie."""
    return tuple(one.delay for one in held), tuple(100.0 * one.accuracy for one in held)


def _rings(
    held: Sequence[Held],
    entry: Entry,
    taken: Sequence[tuple[int, int, int]],
    place: int,
    named: set[tuple[int, int]],
) -> list[Mark]:
    """Rings around what a policy takes; ``place`` among the policies keeps equal ones apart.

    The pair that it takes most gets a label, and joins ``named``, unless it is there.
    """
    own = [one for one in held if one[:3] in taken]
    if not own:
        return []
    each = [taken.count(one[:3]) / len(taken) for one in own]
    words = [""] * len(own)
    most = own[each.index(max(each))]
    if (most.p1, most.p2) not in named:
        words[own.index(most)] = f"{most.p1}, {most.p2}"
        named.add((most.p1, most.p2))
    told = [
        f"{entry.label}: ({one.p1}, {one.p2}) in {percent_text(share)} of the intervals"
        for one, share in zip(own, each, strict=True)
    ]
    radii = tuple(4.0 + 7.0 * share**0.5 + 1.6 * place for share in each)
    tone = TONES[entry.name]
    return [Dots(entry.label, tone, *_places(own), tuple(told), radii, tuple(words), "ring")]


def bands(edges: Floats, p1: Sequence[int], p2: Sequence[int], blocks: int) -> list[Mark]:
    """What each tier runs, as areas over ``edges`` (one more than there are pairs)."""
    xs, none, all_ = tuple(edges.tolist()), (0.0,) * len(p1), (float(blocks),) * len(p1)
    first, second = tuple(map(float, p1)), tuple(map(float, p2))
    return [
        Band("terminal", "terminal", xs, none, first, steps=True),
        Band("edge", "edge", xs, first, second, steps=True),
        Band("cloud", "cloud", xs, second, all_, steps=True),
    ]


def over_time(env: Recorder, scenario: Scenario, played: Played) -> Figure:
    """The placement interval by interval, and what drifts meanwhile."""
    placing = scenario.system.placing
    assert placing is not None
    assert played.episode.instance is not None
    instance = played.episode.instance
    ends = [(p1, p2) for _, p1, p2 in taken_by(env, played)]
    edges = np.minimum(np.arange(len(ends) + 1) * placing.interval_seconds, instance.window)
    told = [
        f"{left:g} to {right:g} s: ({p1}, {p2})"
        for left, right, (p1, p2) in zip(edges, edges[1:], ends, strict=False)
    ]
    first, second = [p1 for p1, _ in ends], [p2 for _, p2 in ends]
    blocks = blocks_of(scenario)
    marks = bands(edges, first, second, blocks) + _ends(edges, first, second, told)
    strips = [Strip(_block_axis(blocks), tuple(marks), 2.2)]
    strips += [*_bandwidth_strip(scenario, instance), _arrival_strip(instance, edges)]
    known = defaultdict(lambda: float("nan"), played.episode.metrics)
    caption = (
        f"Mean delay {seconds_text(known['mean_delay'])}, {percent_text(known['accuracy'])} "
        f"right, {known['changes']:.0f} moves."
    )
    x = Axis("time (s)", 0.0, instance.window)
    return Figure(f"{played.entry.label} over time", x, tuple(strips), caption)


def _block_axis(blocks: int, label: str = "block") -> Axis:
    return Axis(label, 0.0, float(blocks), whole=True)


def _ends(edges: Floats, p1: Sequence[int], p2: Sequence[int], told: Sequence[str]) -> list[Mark]:
    xs = tuple(edges.tolist())
    return [
        Steps("p1", "ink", xs, tuple(map(float, p1))),
        Steps("p2", "ink", xs, tuple(map(float, p2)), True, tuple(told)),
    ]


def _bandwidth_strip(scenario: Scenario, instance: Instance) -> list[Strip]:
    edges, values = uplink_pieces(scenario, instance)
    if not np.isfinite(values).all():
        return []
    steps = Steps("uplink", "ink", tuple(edges.tolist()), tuple((values / 1e6).tolist()))
    return [Strip(Axis("uplink (Mbit/s)", 0.0, 1.08 * float(values.max()) / 1e6), (steps,))]


def _arrival_strip(instance: Instance, edges: Floats) -> Strip:
    counts = np.histogram(instance.arrival[instance.charged], edges)[0] / np.diff(edges)
    steps = Steps("arrivals", "ink", tuple(edges.tolist()), tuple(counts.tolist()))
    return Strip(Axis("arrivals (tasks/s)", 0.0, 1.08 * max(1.0, counts.max())), (steps,))


def uplink_pieces(scenario: Scenario, instance: Instance) -> tuple[Floats, Floats]:
    """float64[P + 1] seconds and float64[P] bit/s of the uplink within the window."""
    link = int(scenario.system.node_uplink[0])
    own = slice(int(instance.piece_offset[link]), int(instance.piece_offset[link + 1]))
    begun = instance.piece_start[own] < instance.window
    start, values = instance.piece_start[own][begun], instance.piece_bandwidth[own][begun]
    return np.append(start, instance.window), values


def quantiles(scenario: Scenario, drawn: Sequence[Instance], shares: Sequence[float]) -> Floats:
    """float64, bandwidths of the uplink (bit/s) that it stays below for these shares of time."""
    pieces = [uplink_pieces(scenario, instance) for instance in drawn]
    seconds = np.concatenate([np.diff(edges) for edges, _ in pieces])
    values = np.concatenate([values for _, values in pieces])
    return np.quantile(values, shares, weights=seconds, method="inverted_cdf")


class Sweep(NamedTuple):
    """Pairs chosen at ``bandwidth`` (float64[n] bit/s); the rows are otherwise alike."""

    edges: Floats  # [n + 1] bit/s
    bandwidth: Floats  # [n]
    greedy: list[tuple[int, int]]
    least: list[tuple[int, int]]  # of all pairs, on the same expression


def sweep(env: Recorder, observation: Any, middle: float, waiting: bool) -> Sweep:
    """What greedy and a search of all pairs choose as the uplink's bandwidth goes."""
    layout = Layout.of(env)
    edges = middle * np.geomspace(1.0 / SWEPT, SWEPT, POINTS + 1)
    bandwidth = np.sqrt(edges[:-1] * edges[1:])
    rows = at_bandwidth(layout.rows(observation)[0], bandwidth)
    pairs = len(layout.first)
    taken: Actions = Greedy(env, waiting=waiting).act(rows)
    least = overhead(rows, layout, None, waiting)[0].argmin(axis=1)
    found = [[pair_of(int(one) % pairs) for one in each] for each in (taken, least)]
    return Sweep(edges, bandwidth, *found)


def at_bandwidth(rows: Rows, bandwidth: Floats) -> Rows:
    """One row as many, each with another bandwidth of the uplink; nothing is queued."""
    many = Rows._make(np.repeat(field, len(bandwidth), axis=0) for field in rows)
    both = np.stack([bandwidth, many.bandwidth[:, 1]], axis=1)
    empty = {"backlog": np.zeros_like(many.backlog), "waiting": np.zeros_like(many.waiting)}
    return many._replace(bandwidth=both, **empty)


def busy(played: Played) -> Any:
    """The observation, after the first, with the upper quartile of arrivals before it."""
    later = played.observations[1 : len(played.actions)]
    arrived = [float(one["arrivals_past"][0]) for one in later]
    return later[int(np.argsort(arrived, kind="stable")[3 * len(arrived) // 4])]


def sweeps(
    env: Recorder, scenario: Scenario, drawn: Sequence[Instance], seen: Played | None
) -> list[Figure]:
    """Greedy's choice by bandwidth, unloaded and when busy; none without a finite median."""
    known = quantiles(scenario, drawn, (0.1, 0.5, 0.9)) / 1e6
    middle = float(known[1])
    if seen is None or not (middle > 0.0 and np.isfinite(known).all()):
        return []
    wanted = [(seen.observations[0], False, "block: unloaded")]
    if len(seen.actions) > 1:
        wanted.append((busy(seen), True, "block: when busy"))
    found = [(sweep(env, told, 1e6 * middle, waits), label) for told, waits, label in wanted]
    blocks = blocks_of(scenario)
    return [
        Figure(
            "Greedy's pair by bandwidth",
            Axis("uplink (Mbit/s)", middle / SWEPT, middle * SWEPT, log=True),
            tuple(_sweep_strip(each, known.tolist(), blocks, label) for each, label in found),
            "Areas: what greedy gives each tier, expecting no waiting (above), or waiting at the "
            f"load that {seen.entry.label} saw in a busy interval (below).",
        )
    ]


def _sweep_strip(found: Sweep, known: Sequence[float], blocks: int, label: str) -> Strip:
    edges = found.edges / 1e6
    told = [
        f"{value / 1e6:.3g} Mbit/s: greedy {one}, least overhead {other}"
        for value, one, other in zip(found.bandwidth, found.greedy, found.least, strict=True)
    ]
    xs, (p1, p2) = tuple(edges.tolist()), zip(*found.least, strict=True)
    marks: list[Mark] = [
        *bands(edges, [a for a, _ in found.greedy], [b for _, b in found.greedy], blocks),
        Span("uplink, 10 to 90 % of the time", "ink", known[0], known[2]),
        Rule("its median", "ink", known[1]),
        Steps(LEAST, "ink", xs, tuple(map(float, p1)), dashed=True),
        Steps(LEAST, "ink", xs, tuple(map(float, p2)), True, tuple(told)),
    ]
    return Strip(_block_axis(blocks, label), tuple(marks))
