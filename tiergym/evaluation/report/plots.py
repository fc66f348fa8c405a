"""The plots of the page: delay by load, delay distributions, and what each tier did."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from tiergym.evaluation.records import DELAY_EDGES
from tiergym.evaluation.report.markup import Cell, element, label, table, text
from tiergym.evaluation.report.svg import Panel, log_range
from tiergym.evaluation.results import Results
from tiergym.evaluation.scenes import Scene
from tiergym.evaluation.statistics import mean_interval
from tiergym.evaluation.summary import percent_text, seconds_text

TIERS = (
    ("answered_terminal", "terminal"),
    ("answered_edge", "edge"),
    ("answered_cloud", "cloud"),
)
MACHINES = (
    ("device_utilisation", "device"),
    ("uplink_utilisation", "uplink"),
    ("upper_utilisation", "upper tier"),
)


def families(results: Results) -> dict[tuple[str, str], list[Scene]]:
    """Scenes by (device, arrivals), each by load: those that score, and sweeps of the load."""
    groups: dict[tuple[str, str], list[Scene]] = {}
    scenes = [scene for scene in results.scenes if scene.scores or not scene.same_instances]
    for scene in sorted(scenes, key=lambda s: s.facts["load"]):
        groups.setdefault((scene.facts["device"], scene.facts["arrivals"]), []).append(scene)
    return groups


def delay_by_load(results: Results) -> str:
    """A panel for each device and kind of arrivals played at several loads; else nothing."""
    panels = [
        _load_panel(results, f"{device}, {arrivals}", scenes)
        for (device, arrivals), scenes in families(results).items()
        if len(scenes) > 1
    ]
    return element("div", "".join(panels), "panels") if panels else ""


def _load_panel(results: Results, title: str, scenes: Sequence[Scene]) -> str:
    swept = [p for p in results.policies if all(results.has(p, s.label) for s in scenes)]
    values = [results.values(p, s.label, "mean_delay").mean() for p in swept for s in scenes]
    loads = [scene.facts["load"] for scene in scenes]
    low, high = min(loads) - 0.08, max(loads) + 0.08
    panel = Panel(title, (low, high), log_range(values, 1.2), y_log=True)
    panel.x_label, panel.y_label = "load over total capacity", "mean delay (s)"
    for policy in swept:
        _load_series(panel, results, results.policies.index(policy), policy, scenes)
    return panel.svg()


def _load_series(
    panel: Panel, results: Results, series: int, policy: str, scenes: Sequence[Scene]
) -> None:
    means: list[float] = []
    loads = [float(scene.facts["load"]) for scene in scenes]
    for load, scene in zip(loads, scenes, strict=True):
        delays = results.values(policy, scene.label, "mean_delay")
        mean = float(delays.mean())
        if len(delays) > 1 and not math.isnan(mean):
            interval = mean_interval([delays])
            panel.whisker(series, load, interval.low, interval.high)
        panel.dot(series, f"{policy} at load {load:.2f}: {seconds_text(mean)}", load, mean)
        means.append(mean)
    panel.line(series, policy, loads, means)


def delay_distributions(results: Results) -> str:
    """A panel a scene: the share of tasks that were answered within so many seconds."""
    panels = [_distribution_panel(results, scene) for scene in results.scored]
    return element("div", "".join(panels), "panels")


def _distribution_panel(results: Results, scene: Scene) -> str:
    curves = {policy: _shares(results, policy, scene) for policy in results.policies}
    low, high = _span(list(curves.values()))
    panel = Panel(scene.label, (low, high), (0.0, 1.0), x_log=True)
    panel.x_label, panel.y_label = "delay (s)", "share of tasks answered within it"
    for network, deadline in sorted(_deadlines(scene).items(), key=lambda item: item[1]):
        panel.upright(deadline, f"deadline of {network}: {seconds_text(deadline)}")
    for series, (policy, shares) in enumerate(curves.items()):
        if len(shares):
            inside = slice(*np.searchsorted(DELAY_EDGES, [low * 0.999, high * 1.001]).tolist())
            panel.line(series, policy, DELAY_EDGES[inside].tolist(), shares[inside].tolist())
    return panel.svg()


def _shares(
    results: Results, policy: str, scene: Scene
) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """float64[edges]: share of answered tasks with at most that delay; empty if there are none."""
    counts = results.delay_counts(policy, [scene.label])
    if counts.sum() == 0:
        return np.empty(0)
    return np.concatenate([[0.0], np.cumsum(counts) / counts.sum()])


def _span(
    curves: Sequence[np.ndarray[tuple[int], np.dtype[np.float64]]],
) -> tuple[float, float]:
    known = [shares for shares in curves if len(shares)]
    if not known:
        return 0.01, 10.0
    first = min(int(np.argmax(shares > 0.001)) for shares in known)
    last = max(int(np.argmax(shares >= 0.999)) for shares in known)
    edges = DELAY_EDGES[[max(first - 1, 0), min(last + 1, len(DELAY_EDGES) - 1)]]
    return float(edges[0]), float(edges[1])


def _deadlines(scene: Scene) -> dict[str, float]:
    """By deadline, the networks that have it (equal ones share a rule)."""
    by_value: dict[float, list[str]] = {}
    for network, deadline in scene.facts["deadlines"].items():
        if isinstance(deadline, int | float) and math.isfinite(deadline):
            by_value.setdefault(float(deadline), []).append(network)
    return {", ".join(networks): value for value, networks in by_value.items()}


def tier_table(results: Results, policies: Sequence[str]) -> str:
    """For each policy who answered, as a stacked bar, and how busy each machine was."""
    heads = [("policy", ""), ("who answered", "share of tasks by the tier that answered them")]
    heads += [(name, f"share of the time that the {name} was busy") for _, name in MACHINES]
    heads.append(("handed up unrun", "share of tasks that were pre-uploaded"))
    rows = [_tier_row(results, policy) for policy in policies]
    return tier_legend() + table(heads, rows)


def tier_legend() -> str:
    """What the colours of the stacked bars mean."""
    keys = [element("span", text(word), f"key tier-{word}") for _, word in TIERS]
    keys.append(element("span", "refused", "key tier-refused"))
    return element("p", " ".join(keys), "legend")


def _tier_row(results: Results, policy: str) -> list[Cell]:
    shares = [(word, results.mean(policy, name)) for name, word in TIERS]
    known = [(word, 0.0 if math.isnan(share) else share) for word, share in shares]
    rest = max(0.0, 1.0 - sum(share for _, share in known))
    parts = "".join(
        element(
            "i", "", f"tier-{word}", style=f"width:{100 * share:.2f}%", title=_part(word, share)
        )
        for word, share in [*known, ("refused", rest)]
        if share > 0.0005
    )
    words = ", ".join(_part(word, share) for word, share in known if share > 0)
    bar = element("div", parts, "stack", role="img", aria_label=words)
    above = results.mean(policy, "answered_cloud")
    cells = [Cell(label(policy)), Cell(bar, above, "left")]
    for name in (*[name for name, _ in MACHINES], "pre_uploaded_share"):
        cells.append(meter(results.mean(policy, name)))
    return cells


def _part(word: str, share: float) -> str:
    return f"{word} {percent_text(share)}"


def meter(share: float) -> Cell:
    """A share as a number over a bar of that length."""
    if math.isnan(share):
        return Cell("-", share)
    bar = element("i", "", style=f"width:{min(100.0, 100 * share):.1f}%")
    return Cell(element("div", bar + element("b", percent_text(share)), "meter"), share)
