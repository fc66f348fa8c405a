"""The tables of the page: scores, scenarios, claims, and where every figure comes from."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tiergym.evaluation.records import Record
from tiergym.evaluation.report.markup import Cell, details, element, label, table, text
from tiergym.evaluation.report.svg import colour, interval_bar, log_range
from tiergym.evaluation.results import Results, Score
from tiergym.evaluation.scenes import Scene
from tiergym.evaluation.statistics import ratio_interval
from tiergym.evaluation.summary import (
    columns_of,
    decision_seconds,
    number_text,
    percent_text,
    row_of,
    seconds_text,
)
from tiergym.evaluation.verdicts import Claim, Evidence


def score_table(results: Results, scores: Sequence[Score], folder: Path) -> str:
    """Scores with their intervals drawn, and the means of the usual metrics."""
    columns = columns_of(results)
    known = [b for s in scores for b in (s.interval.low, s.interval.estimate, s.interval.high)]
    bounds = log_range([*known, 1.0], 1.15)
    heads = [
        ("policy", ""),
        ("score", "cost over the reference's, geometric mean; below 1 is better"),
        ("", "the interval on a logarithmic axis; the rule marks 1"),
        ("95 %", "interval of the score"),
        *[(column.title, column.help) for column in columns],
        ("a decision", "wall time, environment and policy together"),
    ]
    rows: list[list[Cell]] = []
    for score in scores:
        values = row_of(results, score.policy, columns).values
        cells = [Cell(text(c.text(v)), v) for c, v in zip(columns, values, strict=True)]
        spent = decision_seconds(results, folder, score.policy)
        cells.append(Cell(text(seconds_text(spent)), spent))
        rows.append([*_score_cells(results, score, bounds), *cells])
    return table(heads, rows, "sortable scores")


def _score_cells(results: Results, score: Score, bounds: tuple[float, float]) -> list[Cell]:
    series = results.policies.index(score.policy)
    name = element("span", "", f"chip {colour(series)}") + label(score.policy)
    if score.policy == results.suite.reference:
        name += element("small", " reference")
    if score.privileged:
        name += element("small", " sees what is hidden")
    few = results.suite.seeds_of(score.policy)
    if few < results.suite.seeds:
        name += element("small", f" first {few} instances")
    if score.missing:
        name += element("small", f" {score.missing} episodes missing", "warn")
    low, estimate, high = score.interval.low, score.interval.estimate, score.interval.high
    bar = interval_bar(low, estimate, high, bounds, series)
    words = text(f"{number_text(low)} to {number_text(high)}")
    side = "good" if score.interval.below_one else "bad" if score.interval.above_one else ""
    shown = "no score" if math.isnan(estimate) else f"{estimate:.3f}"
    drawn = [Cell(bar, estimate, "left"), Cell(words, low, "bounds")]
    return [Cell(name, kind="policy"), Cell(text(shown), estimate, side), *drawn]


def scenario_table(results: Results, policies: Sequence[str]) -> str:
    """Cost over the reference's in each scenario alone, coloured around one."""
    heads = [("policy", ""), *[(s.label, s.facts["description"]) for s in results.scored]]
    rows: list[list[Cell]] = []
    for policy in policies:
        cells = [_ratio_cell(results, policy, scene) for scene in results.scored]
        rows.append([Cell(label(policy)), *cells])
    return table(heads, rows, "sortable heat")


def _ratio_cell(results: Results, policy: str, scene: Scene) -> Cell:
    reference = (results.suite.reference, scene.label)
    ratios = results.paired("cost", (policy, scene.label), reference)
    if not len(ratios):
        return Cell("-", math.nan)
    interval = ratio_interval([ratios])
    depth = max(-1.0, min(1.0, math.log(interval.estimate) / math.log(4)))
    kind = "better" if depth < 0 else "worse"
    shown = element("b", f"{interval.estimate:.2f}")
    if not math.isnan(interval.low) and interval.low != interval.high:
        shown += element("small", f"{interval.low:.2f} to {interval.high:.2f}")
    return Cell(shown, interval.estimate, kind, f"--depth:{100 * abs(depth):.0f}%")


def scenario_facts_table(results: Results) -> str:
    """What each scenario asks and what it can take."""
    heads = [
        ("scenario", ""),
        ("arrivals", ""),
        ("tasks/s", "rate of arrivals"),
        ("load", "rate over total capacity"),
        ("over unbatched", "rate over the unbatched local capacity; the thesis's overload is > 1"),
        ("unbatched", "capacity of the device, one task a batch (tasks/s)"),
        ("local", "capacity of the device in its best batches (tasks/s)"),
        ("uplink", "capacity of the uplink in full packages (tasks/s)"),
        ("upper", "capacity of the tiers above (tasks/s)"),
        ("total", "of all together (tasks/s)"),
        ("reward a step", "mean of the reference; between 0.1 and 10 in size is wanted"),
        ("device", ""),
        ("what it is", ""),
    ]
    return table(heads, [_facts_row(results, scene) for scene in results.scored])


def _facts_row(results: Results, scene: Scene) -> list[Cell]:
    facts = scene.facts
    figures = [facts["rate"], facts["load"], facts["overload"]]
    figures += [facts["capacity"][k] for k in ("unbatched", "local", "uplink", "upper", "total")]
    figures.append(results.reward_a_step(scene.label))
    return [
        Cell(text(scene.label)),
        Cell(text(facts["arrivals"])),
        *[Cell(text(number_text(value)), value) for value in figures],
        Cell(text(facts["device"])),
        Cell(text(facts["description"]), kind="wider"),
    ]


def claim_cards(claims: Sequence[Claim]) -> str:
    """A card a claim: verdict, sentences, and the intervals folded away."""
    return element("div", "".join(_card(claim) for claim in claims), "cards")


def _card(claim: Claim) -> str:
    badge = element("span", text(claim.verdict), f"badge {claim.verdict.split()[0]}")
    words = "".join(element("p", text(sentence)) for sentence in claim.sentences)
    ratios = [e.interval for e in claim.evidence if not e.share]
    bounds = log_range([v for i in ratios for v in (i.low, i.estimate, i.high, 1.0)], 1.15)
    rows = [_evidence_row(evidence, bounds) for evidence in claim.evidence]
    heads = [("comparison", ""), ("estimate", ""), ("around 1", ""), ("95 %", "")]
    evidence = details("The intervals", table(heads, rows, "plain")) if rows else ""
    return element("article", element("h3", text(claim.title) + badge) + words + evidence)


def _evidence_row(evidence: Evidence, bounds: tuple[float, float]) -> list[Cell]:
    low, estimate, high = (getattr(evidence.interval, k) for k in ("low", "estimate", "high"))
    write = percent_text if evidence.share else number_text
    bar = "" if evidence.share else interval_bar(low, estimate, high, bounds, 3)
    cells = [Cell(text(evidence.what), kind="wide"), Cell(text(write(estimate)), estimate)]
    return [*cells, Cell(bar, kind="left"), Cell(text(f"{write(low)} to {write(high)}"))]


def sources_table(results: Results) -> str:
    """Every device, link, network and trace that is used, with its source and licence."""
    found: dict[str, Mapping[str, Any]] = {}
    for scene in results.scored:
        found.update(scene.facts["sources"])
    heads = [("figures of", ""), ("kind", ""), ("from", ""), ("licence", ""), ("notes", "")]
    rows = [_source_row(name, source) for name, source in sorted(found.items())]
    return table(heads, rows, "plain sources")


def _source_row(name: str, source: Mapping[str, Any]) -> list[Cell]:
    shown = ("kind", "from", "licence")
    cells = [Cell(text(str(source.get(key, "-"))), kind="wide") for key in shown]
    rest = {k: v for k, v in source.items() if k not in shown}
    notes = "; ".join(f"{key.replace('_', ' ')}: {value}" for key, value in rest.items())
    return [Cell(text(name)), *cells, Cell(text(notes), kind="wide")]


def versions_list(results: Results, command: str) -> str:
    """The command, the versions and the suite's definition that the records were made with."""
    suite = results.suite
    records = [record for by in results.records.values() for record in by.values()]
    first: Record = records[0] if records else {}
    facts = {
        "command": command,
        "suite": f"{suite.name} version {suite.version}, definition {suite.digest()[:16]}",
        "seeds": f"{suite.first_seed} to {suite.first_seed + suite.seeds - 1}",
        **{name: str(first.get(name, "-")) for name in ("tiergym", "numpy", "numba")},
        "code": str(first.get("code", "-"))[:16],
        "records": f"{len(records)}",
    }
    items = "".join(element("dt", text(k)) + element("dd", text(v)) for k, v in facts.items())
    return element("dl", items)


def answered_words(results: Results, best: str) -> str:
    """A sentence on the policy that leads."""
    late = percent_text(results.mean(best, "late_share"))
    delay = seconds_text(results.mean(best, "mean_delay"))
    return f"{best} leads: its mean delay is {delay}, and {late} of its tasks are late."
