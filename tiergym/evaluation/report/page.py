"""Puts the page together. Everything is inline: it works from ``file://`` and without a network."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import resources
from pathlib import Path

from tiergym.evaluation.records import write_text
from tiergym.evaluation.report.drawing import gallery_markup
from tiergym.evaluation.report.figures import Gallery
from tiergym.evaluation.report.markup import element, section, text
from tiergym.evaluation.report.plots import delay_by_load, delay_distributions, tier_table
from tiergym.evaluation.report.svg import colour
from tiergym.evaluation.report.tables import (
    answered_words,
    claim_cards,
    scenario_facts_table,
    scenario_table,
    score_table,
    sources_table,
    versions_list,
)
from tiergym.evaluation.results import Results, Score
from tiergym.evaluation.verdicts import Claim

NAVIGATION = (
    ("scores", "Scores"),
    ("claims", "Claims"),
    ("delay", "Delay"),
    ("tiers", "Tiers"),
    ("scenarios", "Scenarios"),
    ("provenance", "Provenance"),
)
SHOWN_AT = 4
"""Where among the sections a gallery stands: behind what each tier did."""


def write_page(
    path: Path,
    results: Results,
    scores: Sequence[Score],
    claims: Sequence[Claim],
    folder: Path,
    command: str,
    gallery: Gallery | None = None,
) -> None:
    """Write the page; see `render_page`."""
    write_text(path, render_page(results, scores, claims, folder, command, gallery))


def render_page(
    results: Results,
    scores: Sequence[Score],
    claims: Sequence[Claim],
    folder: Path,
    command: str,
    gallery: Gallery | None = None,
) -> str:
    """The page as one HTML document.

    Args:
        results: the records.
        scores: as they are to be listed.
        claims: what is to be said of them.
        folder: where the timings lie beside the records.
        command: how it was made.
        gallery: figures that only this suite's problem has; none, and no section, without groups.
    """
    shown = gallery if gallery is not None and gallery.groups else None
    sections = _sections(results, scores, claims, folder, command)
    if shown:
        sections.insert(SHOWN_AT, _gallery(shown))
    body = "".join(
        [
            _header(results, scores, shown),
            element("main", "".join(sections)),
            element("script", _asset("page.js")),
        ]
    )
    head = "".join(
        [
            '<meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            '<meta name="color-scheme" content="light dark">',
            element("title", text(f"tiergym leaderboard: {results.suite.name}")),
            element("style", _asset("page.css")),
        ]
    )
    document = element("html", element("head", head) + element("body", body), lang="en")
    return f"<!DOCTYPE html>\n{document}\n"


def _asset(name: str) -> str:
    return resources.files("tiergym.evaluation.report").joinpath(name).read_text(encoding="utf-8")


def _header(results: Results, scores: Sequence[Score], gallery: Gallery | None) -> str:
    suite = results.suite
    entries = list(NAVIGATION)
    if gallery:
        entries.insert(SHOWN_AT, ("gallery", gallery.title))
    links = "".join(element("a", text(title), href=f"#{name}") for name, title in entries)
    toggle = element("button", "light / dark", "theme", type="button")
    episodes = sum(len(by) for by in results.records.values())
    lead = (
        f"{len(results.policies)} policies met the same {suite.seeds} instances of each of "
        f"{len(results.scored)} scenarios: {episodes} episodes in all, ablations included. "
    )
    best = [
        s.policy for s in scores if not s.privileged and s.interval.estimate == s.interval.estimate
    ]
    lead += answered_words(results, best[0]) if best else ""
    which = f"{suite.name}, version {suite.version}: {suite.description}"
    title = element("h1", "tiergym leaderboard")
    words = element("p", text(which)) + element("p", text(lead), "lead")
    return element("header", element("nav", links + toggle) + title + words)


def _sections(
    results: Results,
    scores: Sequence[Score],
    claims: Sequence[Claim],
    folder: Path,
    command: str,
) -> list[str]:
    reference = text(results.suite.reference)
    order = [score.policy for score in scores]
    return [
        section("scores", "Scores", SCORES.format(reference), _scores(results, scores, folder)),
        section("claims", "What is claimed, and what was found", CLAIMS, claim_cards(claims)),
        section("delay", "Delay", DELAY, _delay(results)),
        section("tiers", "What each tier did", TIERS, tier_table(results, order)),
        section("scenarios", "Scenario by scenario", SCENARIOS, _scenarios(results, order)),
        section("provenance", "Where the figures come from", "", _provenance(results, command)),
    ]


SCORES = (
    "The score of a policy is its cost over that of <b>{}</b> on the same instance, as a geometric "
    "mean, scenarios weighted equally; <b>below 1 is better</b>. Intervals are 95 % by a paired "
    "bootstrap over instances within scenarios. The other columns are means over scenarios. "
    "Headings sort."
)
CLAIMS = (
    "A comparison holds when its whole 95 % interval lies on the right side of one; a verdict "
    "rests on all comparisons of its claim."
)
DELAY = "Point at a policy to bring it out, press it to take it away or back."
TIERS = (
    "Means over scenarios. A task is answered by the tier where it left; refused tasks found no "
    "memory. Utilisation is the busy share of the whole episode, draining included."
)
SCENARIOS = "Cost over the reference's in each scenario alone: greener is better, redder is worse."


def _gallery(gallery: Gallery) -> str:
    return section("gallery", gallery.title, text(gallery.lead), gallery_markup(gallery))


def _scores(results: Results, scores: Sequence[Score], folder: Path) -> str:
    plain = [score for score in scores if not score.privileged]
    apart = [score for score in scores if score.privileged]
    inside = score_table(results, plain, folder)
    if apart:
        words = "These see what is hidden from the others, such as the true future."
        inside += element("p", words, "lead") + score_table(results, apart, folder)
    return inside


def _delay(results: Results) -> str:
    load = delay_by_load(results)
    if load:
        load = element("h3", "Mean delay by load") + load
    shares = element("h3", "Distributions of delay")
    words = "Share of answered tasks with at most that delay; the dashed rule is the deadline."
    curves = element("p", words, "lead") + delay_distributions(results)
    return _legend(results) + load + shares + curves


def _legend(results: Results) -> str:
    buttons = [
        element(
            "button",
            text(policy),
            f"key {colour(i)}",
            type="button",
            data_s=str(i),
            aria_pressed="true",
        )
        for i, policy in enumerate(results.policies)
    ]
    return element("div", "".join(buttons), "legend series")


def _scenarios(results: Results, order: Sequence[str]) -> str:
    facts = element("h3", "What they ask and what they can take") + scenario_facts_table(results)
    return scenario_table(results, order) + facts


def _provenance(results: Results, command: str) -> str:
    return versions_list(results, command) + sources_table(results)
