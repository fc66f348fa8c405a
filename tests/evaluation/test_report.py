from __future__ import annotations

import math
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.evaluation.synthetic import POLICIES, record, records, results, scenes, suite
from tiergym.evaluation.claims import claims_of
from tiergym.evaluation.report import render_page, write_page
from tiergym.evaluation.report.svg import Panel, Scale, log_range, tick_text
from tiergym.evaluation.results import Results, scores

VOID = {"meta", "br", "wbr", "hr", "img", "input", "link"}


class Strict(HTMLParser):
    """Fails on tags that do not nest, and collects ids, links and what would be fetched."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.fetched: list[str] = []
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        assert len(given) == len(attrs), f"an attribute twice in {tag} {attrs}"
        self.tags.append(tag)
        self.ids += [str(given["id"])] if "id" in given else []
        self.links += [str(given["href"])] if "href" in given else []
        self.fetched += [str(given[k]) for k in ("src", "srcset", "data") if k in given]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag


def page(made: Results) -> str:
    return render_page(made, scores(made), claims_of(made), Path("nowhere"), "python -m <it> & co")


def parsed(text: str) -> Strict:
    parser = Strict()
    parser.feed(text)
    parser.close()
    assert parser.open == []
    return parser


def test_the_page_nests_and_its_links_lead_somewhere() -> None:
    text = page(results())
    found = parsed(text)
    assert text.startswith("<!DOCTYPE html>")
    assert len(found.ids) == len(set(found.ids))
    assert found.links
    assert all(link.removeprefix("#") in found.ids for link in found.links)


def test_the_page_fetches_nothing() -> None:
    text = page(results())
    assert parsed(text).fetched == []
    assert not re.search(r"@import|url\(|fetch\(|XMLHttpRequest|<link|<iframe", text)


def test_given_text_is_escaped() -> None:
    text = page(results())
    assert "made up &lt;calm-0.50&gt;" in text
    assert "made up <calm" not in text
    assert "python -m &lt;it&gt; &amp; co" in text
    assert "a &amp; b" in text


def test_every_policy_scenario_and_claim_is_on_it() -> None:
    made = results()
    text = page(made).replace("<wbr>", "")
    for policy in POLICIES:
        assert text.count(policy) > 4
    for claim in claims_of(made):
        assert claim.title in text
    for scene in made.scored:
        assert scene.label in text
    assert text.count("<svg") > len(made.scored)


def test_privileged_policies_stand_apart() -> None:
    played = records() + [
        record("oracle", s.label, 2_000_000_000 + i, 1.0) for s in scenes() for i in range(24)
    ]
    made = Results(suite((*POLICIES, "oracle")), scenes(), played)
    text = page(made)
    assert text.index("These see what is hidden") < text.index("oracle<small> sees what is hidden")
    assert "priority+upload leads" in text


def test_a_page_of_incomplete_results_is_made_too() -> None:
    played = [r for r in records() if r["policy"] != "fcfs" or r["scenario"] == "calm-0.80"][:-7]
    parsed(page(Results(suite(), scenes(), played)))
    parsed(page(Results(suite(), scenes(), [])))


def test_written_where_it_was_asked_for(tmp_path: Path) -> None:
    made = results()
    path = tmp_path / "deep" / "index.html"
    write_page(path, made, scores(made), claims_of(made), tmp_path, "command")
    parsed(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("low", [0.0013, 0.2, 1.0, 3.0, 812.0])
@pytest.mark.parametrize("span", [1.3, 4.0, 30.0, 5e4])
def test_logarithmic_ticks_are_few_and_inside(low: float, span: float) -> None:
    scale = Scale(low, low * span, 0, 100, log=True)
    ticks = scale.ticks(6)
    assert 1 <= len(ticks) <= 6
    assert all(low * 0.998 <= tick <= low * span * 1.002 for tick in ticks)
    assert len({tick_text(tick) for tick in ticks}) == len(ticks)


@pytest.mark.parametrize(("low", "high"), [(0, 1), (0.42, 1.03), (-3, 700), (0.72, 0.88)])
def test_linear_ticks_are_few_and_inside(low: float, high: float) -> None:
    ticks = Scale(low, high, 0, 100).ticks(5)
    assert 2 <= len(ticks) <= 6
    assert all(low <= tick <= high for tick in ticks)


def test_scales_map_ends_to_ends_and_keep_outsiders_on_the_border() -> None:
    scale = Scale(1, 100, 50, 150, log=True)
    assert (scale(1), scale(10), scale(100)) == (50, 100, 150)
    assert (scale(0.001), scale(1e6)) == (50, 150)


def test_log_range_ignores_what_has_no_logarithm() -> None:
    low, high = log_range([math.nan, 0.0, -1.0, 2.0, 8.0])
    assert 0 < low < 2
    assert high > 8
    assert log_range([]) == (0.1, 10.0)


def test_marks_of_a_panel_stay_inside_it() -> None:
    panel = Panel("t", (0, 1), (0.1, 10), y_log=True)
    panel.line(0, "a", [-1, 0.5, 2], [0.001, 1, 1e9])
    numbers = [
        float(n) for n in re.findall(r"-?[\d.]+", panel.marks[0].split(' d="')[1].split('"')[0])
    ]
    assert all(0 <= x <= panel.width for x in numbers[::2])
    assert all(0 <= y <= panel.height for y in numbers[1::2])
