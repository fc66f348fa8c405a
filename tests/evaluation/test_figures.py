"""Figures as data, their JSON and their errors; and what is drawn of them."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import Any

import pytest

from tests.evaluation.synthetic import results
from tests.evaluation.test_report import parsed
from tiergym.errors import InvalidInput
from tiergym.evaluation.claims import claims_of
from tiergym.evaluation.report import render_page
from tiergym.evaluation.report.drawing import HEIGHT, WIDTH, figure_markup, figure_svg
from tiergym.evaluation.report.figures import (
    KINDS,
    SHAPES,
    TONES,
    Axis,
    Band,
    Dots,
    Figure,
    Gallery,
    Group,
    Line,
    Mark,
    Rule,
    Span,
    Steps,
    Strip,
    Whiskers,
    from_plain,
    to_plain,
)
from tiergym.evaluation.report.svg import Scale
from tiergym.evaluation.results import scores

MARKS: tuple[Mark, ...] = (
    Line("a line & co", "0", (0.0, 4.0), (1.0, 2.0)),
    Steps("steps", "19", (0.0, 2.0, 4.0), (1.0, 3.0), True, ("first <piece>", "second piece")),
    Dots("dots", "ink", (1.0, 2.0), (2.0, 2.0), ("one", "two"), (3.0, 4.0), ("A", "")),
    Dots("rings", "dim", (3.0,), (3.5,), shape="ring"),
    Dots("squares", "dim", (3.2,), (0.5,), shape="square"),
    Band("band", "terminal", (0.0, 4.0), (0.5, 0.6), (1.0, 1.5)),
    Band("stepped band", "edge", (0.0, 2.0, 4.0), (0.0, 1.0), (1.0, 1.0), steps=True),
    Whiskers("whiskers", "refused", (1.0, 2.0), (1.0, 1.5), (2.0, 2.5)),
    Rule("rule", "cloud", 2.5, "a rule"),
    Span("span", "dim", 1.0, 3.0),
)


def figure(*marks: Mark, **changes: Any) -> Figure:
    x, y = Axis("load (tasks/s)", 0.0, 4.0), Axis("delay (s)", 0.0, 4.0)
    given: dict[str, Any] = {"title": "All <marks>", "x": x, "strips": (Strip(y, marks or MARKS),)}
    return Figure(**{**given, **changes})


def coordinates(svg: str) -> list[tuple[float, float]]:
    """Points of all paths of moves and lines, and the centres and corners of shapes."""
    pairs = re.findall(r'(?:cx|x)="(\S+?)" (?:cy|y)="(\S+?)"', svg)
    for data in re.findall(r' d="(.*?)"', svg):
        pairs += re.findall(r"[ML](\S+?) ([^\sMLHVZ]+)", data)
    return [(float(x), float(y)) for x, y in pairs]


def test_figures_survive_json() -> None:
    whole = Gallery("Title", "lead", (Group("one", "", (figure(caption="c"), figure())),))
    plain = json.loads(json.dumps(to_plain(whole), allow_nan=False))
    assert from_plain(Gallery, plain) == whole
    kinds = {mark["kind"] for mark in plain["groups"][0]["figures"][0]["strips"][0]["marks"]}
    assert kinds == set(KINDS)


def test_what_has_a_default_may_be_left_out() -> None:
    given = {"kind": "dots", "name": "d", "tone": "ink", "xs": [1], "ys": [2]}
    strip = {"y": {"label": "", "low": 0, "high": 3}, "marks": [given]}
    made = from_plain(Strip, strip)
    assert made == Strip(Axis("", 0.0, 3.0), (Dots("d", "ink", (1.0,), (2.0,)),))


def plain_with(**changes: Any) -> Any:
    """A figure of one mark as plain data, with fields of the mark changed or, if None, left out."""
    plain = to_plain(figure(MARKS[1]))
    mark = {**plain["strips"][0]["marks"][0], **changes}
    plain["strips"][0]["marks"] = [{k: v for k, v in mark.items() if v is not None}]
    return plain


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"kind": "pie"}, r"marks\[0\]\.kind: got 'pie'; allowed: one of line, steps"),
        ({"kind": None}, r"marks\[0\]\.kind: got None"),
        ({"tone": "mauve"}, r"marks\[0\]\.tone: got 'mauve'"),
        ({"tone": 3}, r"marks\[0\]\.tone: got 3; allowed: text"),
        ({"ys": [1.0]}, r"marks\[0\]\.ys: got '1 values'; allowed: 2, one each"),
        ({"ys": [1.0, 2.0, 3.0]}, r"marks\[0\]\.ys: got '3 values'"),
        ({"ys": None}, r"marks\[0\]\.ys: got None; allowed: it has to be given"),
        ({"ys": [1.0, "2"]}, r"marks\[0\]\.ys\[1\]: got '2'"),
        ({"ys": [1.0, math.nan]}, r"marks\[0\]\.ys\[1\]: got nan"),
        ({"ys": 3.0}, r"marks\[0\]\.ys: got 3.0; allowed: a list"),
        ({"titles": ["one"]}, r"marks\[0\]\.titles: got '1 values'; allowed: 2"),
        ({"titles": ["one", 2]}, r"marks\[0\]\.titles\[1\]: got 2; allowed: text"),
        ({"dashed": 1}, r"marks\[0\]\.dashed: got 1; allowed: true or false"),
        ({"edges": [], "ys": [], "titles": []}, r"marks\[0\]\.edges: got \(\); allowed: some"),
        ({"colour": "red"}, r"marks\[0\]\.colour: got 'colour'"),
    ],
)
def test_bad_marks_are_named(changes: dict[str, Any], told: str) -> None:
    with pytest.raises(InvalidInput, match=rf"^figure\.strips\[0\]\.{told}"):
        from_plain(Figure, plain_with(**changes))


@pytest.mark.parametrize(
    ("make", "field"),
    [
        (lambda: Line("l", "0", (0.0, 1.0), (1.0,)), "ys"),
        (lambda: Line("l", "0", (0.0, math.inf), (1.0, 1.0)), "xs"),
        (lambda: Line("l", "0", (), ()), "xs"),
        (lambda: Line("l", "20", (0.0,), (0.0,)), "tone"),
        (lambda: Dots("d", "0", (0.0,), (0.0,), shape="star"), "shape"),
        (lambda: Dots("d", "0", (0.0,), (0.0,), labels=("a", "b")), "labels"),
        (lambda: Dots("d", "0", (0.0,), (0.0,), radii=(0.0,)), "radii"),
        (lambda: Band("b", "0", (0.0, 1.0), (0.0,), (1.0, 1.0)), "low"),
        (lambda: Band("b", "0", (0.0, 1.0), (0.0, 0.0), (1.0, 1.0), steps=True), "low"),
        (lambda: Whiskers("w", "0", (0.0,), (0.0,), ()), "high"),
        (lambda: Rule("r", "0", math.nan), "x"),
        (lambda: Span("s", "0", 2.0, 1.0), "high"),
        (lambda: Axis("a", 1.0, 1.0), "high"),
        (lambda: Axis("a", 0.0, 1.0, log=True), "low"),
        (lambda: Axis("a", math.nan, 1.0), "low"),
        (lambda: Strip(Axis("a", 0.0, 1.0), (), 0.0), "share"),
        (lambda: figure(strips=()), "strips"),
    ],
)
def test_wrong_figures_name_the_field(make: Any, field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        make()
    assert caught.value.field == field


def test_every_mark_is_drawn_once_inside_the_frame_and_says_its_name() -> None:
    svg = figure_svg(figure())
    assert svg.count('<g class="series-mark') == len(MARKS)
    for mark in MARKS:
        assert svg.count(f"<title>{mark.name.replace('&', '&amp;')}</title>") == 1
    for told in ("first &lt;piece&gt;", "second piece", "one", "two"):
        assert svg.count(f"<title>{told}</title>") == 1
    assert "nan" not in svg.lower().replace("dominant", "")
    assert "inf" not in svg
    found = coordinates(svg)
    assert len(found) > 30
    assert all(0 <= x <= WIDTH and 0 <= y <= HEIGHT for x, y in found)
    assert 'aria-label="All &lt;marks&gt;.' in svg
    parsed(svg)


def test_values_outside_are_put_on_the_border() -> None:
    far = figure(Dots("d", "0", (-9.0, 99.0), (99.0, -9.0)))
    corners = re.findall(r'cx="(\S+)" cy="(\S+)"', figure_svg(far))
    assert [tuple(map(float, c)) for c in corners] == [(52.0, 48.0), (WIDTH - 12.0, HEIGHT - 42.0)]


def test_steps_and_bands_go_where_their_values_are() -> None:
    svg = figure_svg(figure(Steps("s", "0", (0.0, 1.0, 2.0, 4.0), (0.0, 0.0, 4.0))))
    bottom, top = HEIGHT - 42, 48
    assert f'd="M52 {bottom}H{52 + (WIDTH - 64) / 2:g}V{top}H{WIDTH - 12}"' in svg
    band = Band("b", "0", (0.0, 4.0), (0.0,), (4.0,), steps=True)
    data = f'd="M52 {top}H{WIDTH - 12}L{WIDTH - 12} {bottom}H52Z"'
    assert data in figure_svg(figure(band))


def test_strips_share_the_axis_and_do_not_overlap() -> None:
    y = Axis("blocks", 0.0, 12.0, whole=True)
    dots = [Dots(f"d{k}", "0", (2.0, 2.0), (0.0, 12.0)) for k in range(3)]
    strips = tuple(
        Strip(y, (one,), share) for one, share in zip(dots, (2.0, 1.0, 1.0), strict=True)
    )
    svg = figure_svg(figure(strips=strips))
    at = [(float(x), float(y)) for x, y in re.findall(r'cx="(\S+)" cy="(\S+)"', svg)]
    assert len({x for x, _ in at}) == 1
    heights = [low - high for (_, low), (_, high) in zip(at[::2], at[1::2], strict=True)]
    assert heights == pytest.approx([2 * heights[1], heights[1], heights[1]], abs=0.3)
    assert all(low < high for (_, low), (_, high) in zip(at[0:4:2], at[3:6:2], strict=True))
    assert svg.count(">load (tasks/s)<") == 1
    assert svg.count(">blocks<") == 3


def test_labels_do_not_overlap_each_other() -> None:
    names = tuple(f"label {k}" for k in range(6))
    near = tuple(2.0 + 0.02 * k for k in range(6))
    svg = figure_svg(figure(Dots("d", "0", near, near, labels=names)))
    found = re.findall(r'class="mark-label" text-anchor="start" x="(\S+)" y="(\S+)"', svg)
    boxes = [(float(x), float(y)) for x, y in found]
    assert len(boxes) == 6
    for k, (x, y) in enumerate(boxes):
        assert 52 <= x <= WIDTH - 12 - 40
        assert all(abs(x - a) > 40 or abs(y - b) > 11 for a, b in boxes[:k])


def test_the_legend_names_each_once_and_only_where_there_are_several() -> None:
    twice = figure(MARKS[0], MARKS[0], *MARKS[1:])
    markup = figure_markup(twice)
    assert markup.count('class="key-mark"') == len(MARKS)
    assert "legend" not in figure_markup(figure(MARKS[0]))
    parsed(markup)


def test_ticks_of_whole_axes_are_whole() -> None:
    for high in (1.0, 2.0, 3.0, 4.0, 9.0, 12.0, 62.0):
        for most in (2, 3, 4, 6):
            ticks = Scale(0.0, high, 0, 100, whole=True).ticks(most)
            assert all(tick == int(tick) for tick in ticks)
            assert 2 <= len(ticks) <= most + 2


def test_tones_and_shapes_have_a_style() -> None:
    css = Path("tiergym/evaluation/report/page.css")
    text = (Path(__file__).resolve().parents[2] / css).read_text(encoding="utf-8")
    for tone in TONES:
        kind = f"s{tone}" if tone.isdigit() else tone
        assert re.search(rf"\.(?:tier-|tone-)?{kind} {{ --s:", text)
    for shape in SHAPES:
        assert figure_svg(figure(Dots("d", "0", (1.0,), (1.0,), shape=shape)))
    for kind in ("fill", "span", "ring", "dot", "line", "whisker", "upright", "pointed", "dashed"):
        assert f"svg .{kind} " in text or f"svg .{kind}:" in text


def page(gallery: Gallery | None) -> str:
    made = results()
    return render_page(made, scores(made), claims_of(made), Path("nowhere"), "command", gallery)


def test_a_page_with_figures_has_their_section_and_one_without_has_not() -> None:
    group = Group("scene <one>", "lead", (figure(),))
    text = page(Gallery("Placements & more", "how to read it", (group,)))
    found = parsed(text)
    assert len(found.ids) == len(set(found.ids))
    assert "#gallery" in found.links
    assert found.ids.index("tiers") < found.ids.index("gallery") < found.ids.index("scenarios")
    assert found.fetched == []
    for words in ("Placements &amp; more", "scene &lt;one&gt;", "how to read it"):
        assert words in text
    assert page(None) == page(Gallery("Placements", "", ()))
    assert "gallery" not in parsed(page(None)).ids
