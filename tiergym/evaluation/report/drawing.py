"""Draws the figures that `tiergym.evaluation.report.figures` describes, as inline SVG."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape
from typing import Any, NamedTuple

from tiergym.evaluation.report.figures import (
    Band,
    Dots,
    Figure,
    Gallery,
    Group,
    Line,
    Mark,
    Numbers,
    Rule,
    Span,
    Steps,
    Strip,
    Whiskers,
)
from tiergym.evaluation.report.markup import element, text
from tiergym.evaluation.report.svg import BELOW, TOP, Panel, drawing, path, px, words_at

WIDTH, HEIGHT = 360, 348
GAP = 31
"""Pixels between two strips, for the words of the lower one."""
RADIUS = 3.0
LETTER, LINE_HEIGHT = 6.2, 12.0
"""Pixels that a letter of a label takes, and a line of them."""


class Box(NamedTuple):
    """A rectangle in pixels."""

    left: float
    top: float
    right: float
    bottom: float

    def meets(self, other: Box) -> bool:
        """Whether the two have a point in common."""
        across = self.left < other.right and other.left < self.right
        return across and self.top < other.bottom and other.top < self.bottom


class Point(NamedTuple):
    """A point in pixels with its radius, and the words that belong beside it, or none."""

    words: str
    x: float
    y: float
    radius: float

    def box(self) -> Box:
        """What it covers."""
        x, y, radius = self.x, self.y, self.radius
        return Box(x - radius, y - radius, x + radius, y + radius)


def gallery_markup(gallery: Gallery) -> str:
    """All groups of a gallery, each under a heading."""
    return "".join(_group(group) for group in gallery.groups)


def _group(group: Group) -> str:
    head = element("h3", text(group.title))
    lead = element("p", text(group.lead), "lead") if group.lead else ""
    cards = "".join(figure_markup(figure) for figure in group.figures)
    return head + lead + element("div", cards, "panels")


def figure_markup(figure: Figure) -> str:
    """A figure with its drawing, legend and caption."""
    caption = element("figcaption", text(figure.caption)) if figure.caption else ""
    return element("figure", figure_svg(figure) + _legend(figure) + caption, "card")


def figure_svg(figure: Figure) -> str:
    """The strips above one another, over one horizontal axis."""
    room = HEIGHT - TOP - BELOW - GAP * (len(figure.strips) - 1)
    unit = room / sum(strip.share for strip in figure.strips)
    top, inside = float(TOP), ""
    for strip in figure.strips:
        bottom = top + unit * strip.share
        inside += _strip(figure, strip, (top, bottom), strip is figure.strips[-1])
        top = bottom + GAP
    told = f"{figure.title}. {figure.caption}".strip()
    return drawing(figure.title, figure.x.label, WIDTH, HEIGHT, inside, told)


def _strip(figure: Figure, strip: Strip, span: tuple[float, float], last: bool) -> str:
    x, y = figure.x, strip.y
    panel = Panel(
        figure.title,
        (x.low, x.high),
        (y.low, y.high),
        x.log,
        y.log,
        y_label=y.label,
        width=WIDTH,
        height=HEIGHT,
        whole=y.whole,
        span=span,
        numbered=last,
    )
    for mark in strip.marks:
        panel.marks.append(_series(panel, mark))
    panel.marks += _labels(panel, strip)
    return panel.inside()


def tone_class(tone: str) -> str:
    """CSS class that gives a mark its colour."""
    if tone.isdigit():
        return f"s{tone}"
    return f"tone-{tone}" if tone in ("ink", "dim") else f"tier-{tone}"


def _series(panel: Panel, mark: Mark) -> str:
    """A mark as one group that tells its name."""
    inside = _title(mark.name) + _DRAWN[type(mark)](panel, mark)
    return f'<g class="series-mark {tone_class(mark.tone)}">{inside}</g>'


def _title(words: str) -> str:
    return f"<title>{escape(words)}</title>"


def _stroke(kind: str, dashed: bool, data: str) -> str:
    return f'<path class="{kind}{" dashed" if dashed else ""}" d="{data}"/>'


def _line(panel: Panel, mark: Line) -> str:
    data = path([panel.sx(x) for x in mark.xs], [panel.sy(y) for y in mark.ys])
    return _stroke("line", mark.dashed, data)


def _steps(panel: Panel, mark: Steps) -> str:
    edges = [panel.sx(x) for x in mark.edges]
    data = "M" + _stair(panel, edges, mark.ys)
    return _stroke("line", mark.dashed, data) + _pointed(panel, edges, mark.titles)


def _stair(panel: Panel, edges: Sequence[float], ys: Numbers) -> str:
    """Path data along steps, from left to right; the first command is left to the caller."""
    heights = [px(panel.sy(y)) for y in ys]
    data = f"{px(edges[0])} {heights[0]}"
    for edge, before, after in zip(edges[1:], heights, heights[1:], strict=False):
        if before != after:
            data += f"H{px(edge)}V{after}"
    return f"{data}H{px(edges[-1])}"


def _pointed(panel: Panel, edges: Sequence[float], titles: Sequence[str]) -> str:
    """Upright areas without colour that tell something when pointed at."""
    top, height = px(panel.top), px(panel.bottom - panel.top)
    parts = [
        f'<rect class="pointed" x="{px(left)}" y="{top}" width="{px(right - left)}" '
        f'height="{height}">{_title(words)}</rect>'
        for left, right, words in zip(edges, edges[1:], titles, strict=False)
    ]
    return "".join(parts)


def _dots(panel: Panel, mark: Dots) -> str:
    titles = mark.titles or ("",) * len(mark.xs)
    radii = mark.radii or (RADIUS,) * len(mark.xs)
    parts: list[str] = []
    for x, y, radius, words in zip(mark.xs, mark.ys, radii, titles, strict=True):
        parts.append(shape(mark.shape, panel.sx(x), panel.sy(y), radius, words))
    return "".join(parts)


def shape(name: str, x: float, y: float, radius: float, words: str = "") -> str:
    """One of `SHAPES` around a point in pixels."""
    inside = _title(words) if words else ""
    if name == "square":
        place = f'x="{px(x - radius)}" y="{px(y - radius)}"'
        size = f'width="{px(2 * radius)}" height="{px(2 * radius)}"'
        return f'<rect class="dot" {place} {size}>{inside}</rect>'
    kind = "ring" if name == "ring" else "dot"
    return f'<circle class="{kind}" cx="{px(x)}" cy="{px(y)}" r="{px(radius)}">{inside}</circle>'


def _band(panel: Panel, mark: Band) -> str:
    xs = [panel.sx(x) for x in mark.xs]
    if mark.steps:
        under = _stair(panel, xs[::-1], mark.low[::-1])
        data = f"M{_stair(panel, xs, mark.high)}L{under}Z"
    else:
        ys = [panel.sy(y) for y in (*mark.high, *mark.low[::-1])]
        data = path([*xs, *xs[::-1]], ys) + "Z"
    return f'<path class="fill" d="{data}"/>'


def _whiskers(panel: Panel, mark: Whiskers) -> str:
    ends = zip(mark.xs, mark.low, mark.high, strict=True)
    data = "".join(f"M{px(panel.sx(x))} {px(panel.sy(a))}V{px(panel.sy(b))}" for x, a, b in ends)
    return f'<path class="whisker" d="{data}"/>'


def _rule(panel: Panel, mark: Rule) -> str:
    data = f"M{px(panel.sx(mark.x))} {px(panel.top)}V{px(panel.bottom)}"
    return f'<path class="upright" d="{data}"/>'


def _span(panel: Panel, mark: Span) -> str:
    left, right = panel.sx(mark.low), panel.sx(mark.high)
    size = f'width="{px(right - left)}" height="{px(panel.bottom - panel.top)}"'
    return f'<rect class="span" x="{px(left)}" y="{px(panel.top)}" {size}/>'


_DRAWN: dict[type[Any], Callable[[Panel, Any], str]] = {
    Line: _line,
    Steps: _steps,
    Dots: _dots,
    Band: _band,
    Whiskers: _whiskers,
    Rule: _rule,
    Span: _span,
}


def _labels(panel: Panel, strip: Strip) -> list[str]:
    """The words beside points and rules, where they hide no other words and few points."""
    points = [one for mark in strip.marks if isinstance(mark, Dots) for one in _points(panel, mark)]
    rules = [
        Point(mark.label, panel.sx(mark.x), panel.top + 8, 1.0)
        for mark in strip.marks
        if isinstance(mark, Rule)
    ]
    taken: list[Box] = []
    parts: list[str] = []
    for one in (point for point in [*rules, *points] if point.words):
        box = _place(panel, one, points, taken)
        taken.append(box)
        parts.append(words_at(box.left, box.bottom - 3, one.words, "start", "mark-label"))
    return parts


def _points(panel: Panel, mark: Dots) -> list[Point]:
    count = len(mark.xs)
    radii, labels = mark.radii or (RADIUS,) * count, mark.labels or ("",) * count
    columns = zip(labels, mark.xs, mark.ys, radii, strict=True)
    return [Point(words, panel.sx(x), panel.sy(y), radius) for words, x, y, radius in columns]


def _place(panel: Panel, one: Point, points: Sequence[Point], taken: Sequence[Box]) -> Box:
    """A place beside a point, outside what surrounds it, that hides little and is near."""
    same = [p.radius for p in points if abs(p.x - one.x) < 1 and abs(p.y - one.y) < 1]
    frame = Box(panel.left, panel.top, panel.right, panel.bottom)
    boxes = [point.box() for point in points]

    def ill(box: Box) -> tuple[bool, bool, float]:
        hides = sum(_weight(point) for point in boxes if box.meets(point))
        far = max(box.left - one.x, one.x - box.right, box.top - one.y, one.y - box.bottom)
        return not _holds(frame, box), any(box.meets(other) for other in taken), hides + far / 4

    return min(_places(one, max([one.radius, *same])), key=ill)


def _weight(box: Box) -> float:
    """A ring that is crossed counts more than a dot that is covered."""
    return 3.0 if box.right - box.left > 10 else 1.0


def _places(one: Point, radius: float) -> list[Box]:
    width, half = LETTER * len(one.words), LINE_HEIGHT / 2
    found: list[Box] = []
    for far in (radius + 2, radius + 9, radius + 16):
        right, left = one.x + far, one.x - far - width
        up, down, middle = one.y - far - half, one.y + far + half, one.x - width / 2
        corners = [(right, one.y), (left, one.y), (middle, up), (middle, down)]
        corners += [(right, up), (right, down), (left, up), (left, down)]
        found += [Box(x, y - half, x + width, y + half) for x, y in corners]
    return found


def _holds(frame: Box, box: Box) -> bool:
    across = frame.left <= box.left and box.right <= frame.right
    return across and frame.top <= box.top and box.bottom <= frame.bottom


def _legend(figure: Figure) -> str:
    """What the marks of strips with several of them are called, each name once."""
    marks = [m for strip in figure.strips if len(strip.marks) > 1 for m in strip.marks]
    named = {mark.name: mark for mark in reversed(marks)}
    keys = [
        element("span", _swatch(named[name]) + text(name), "key-mark")
        for name in dict.fromkeys(mark.name for mark in marks)
    ]
    return element("p", "".join(keys), "legend") if keys else ""


def _swatch(mark: Mark) -> str:
    """A small sample of a mark."""
    if isinstance(mark, Dots):
        size = min(4.5, max(mark.radii)) if mark.radii else RADIUS
        inside = shape(mark.shape, 8, 6, size)
    elif isinstance(mark, Band | Span):
        kind = "fill" if isinstance(mark, Band) else "span"
        inside = f'<rect class="{kind}" x="1" y="1" width="14" height="10"/>'
    elif isinstance(mark, Rule | Whiskers):
        inside = f'<path class="{"upright" if isinstance(mark, Rule) else "whisker"}" d="M8 0V12"/>'
    else:
        inside = _stroke("line", mark.dashed, "M0 6H16")
    kind = f"swatch {tone_class(mark.tone)}"
    return f'<svg class="{kind}" aria-hidden="true" viewBox="0 0 16 12">{inside}</svg>'
