"""Plots as inline SVG: scales with round ticks, and one framed panel to draw on.

Colours are CSS classes and variables, so that one drawing serves light and dark.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape

import numpy as np


@dataclass(frozen=True)
class Scale:
    """Maps values from ``low`` to ``high`` onto pixels, linearly or by their logarithm."""

    low: float
    high: float
    first: float
    last: float
    log: bool = False
    whole: bool = False

    def __call__(self, value: float) -> float:
        """Pixels of a value; values outside are put on the border."""
        low, high, x = self.low, self.high, min(max(value, self.low), self.high)
        if self.log:
            low, high, x = math.log(low), math.log(high), math.log(x)
        return self.first + (x - low) / (high - low) * (self.last - self.first)

    def ticks(self, most: int = 6) -> list[float]:
        """Round values, at most about ``most`` of them; only whole ones if ``whole``."""
        return _log_ticks(self.low, self.high, most) if self.log else self._linear_ticks(most)

    def _linear_ticks(self, most: int) -> list[float]:
        rough = (self.high - self.low) / most
        power = 10 ** math.floor(math.log10(rough))
        step = next(s * power for s in (1, 2, 2.5, 5, 10) if s * power >= rough * 0.999)
        if self.whole:
            step = max(1.0, 3.0 if step == 2.5 else step)
        first = math.ceil(self.low / step - 1e-9)
        count = math.floor(self.high / step + 1e-9) - first + 1
        return [(first + i) * step for i in range(count)]


def _log_ticks(low: float, high: float, most: int) -> list[float]:
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for digits in ((1, 1.5, 2, 3, 4, 5, 6, 8), (1, 2, 3, 5), (1, 2, 5), (1, 3), (1,)):
        ticks = [d * 10.0**k for k in decades for d in digits]
        inside = [t for t in ticks if low * 0.999 <= t <= high * 1.001]
        if len(inside) <= most:
            return inside
    every = -(-len(decades) // most)
    return [10.0**k for k in decades if k % every == 0 and low * 0.999 <= 10.0**k <= high * 1.001]


def log_range(values: Sequence[float], margin: float = 1.08) -> tuple[float, float]:
    """Bounds on a logarithmic axis that hold all known positive values, with a margin."""
    known = [v for v in values if math.isfinite(v) and v > 0]
    if not known:
        return 0.1, 10.0
    low, high = min(known) / margin, max(known) * margin
    return (low, high) if high / low > 1.5 else (low / 1.25, high * 1.25)


def colour(series: int) -> str:
    """CSS class of the colour of a series; the page has twenty."""
    return f"s{series % 20}"


def px(value: float) -> str:
    """Pixels to a tenth."""
    return f"{value:.1f}".rstrip("0").rstrip(".")


def path(xs: Sequence[float], ys: Sequence[float]) -> str:
    """Path data through points, which are pixels."""
    points = [f"{px(x)} {px(y)}" for x, y in zip(xs, ys, strict=True)]
    return "M" + "L".join(points)


LEFT, RIGHT, TOP, BELOW = 52, 12, 48, 42
"""Pixels that a panel keeps around its frame, for words."""


@dataclass
class Panel:
    """A framed plot of ``width`` by ``height`` pixels with axes; add marks, then ask for `svg`.

    Several panels with another ``span`` each (pixels of the frame's top and bottom) share a
    drawing: `inside` is what each of them puts there.
    """

    title: str
    x: tuple[float, float]
    y: tuple[float, float]
    x_log: bool = False
    y_log: bool = False
    x_label: str = ""
    y_label: str = ""
    width: int = 360
    height: int = 264
    whole: bool = False
    span: tuple[float, float] | None = None
    numbered: bool = True
    marks: list[str] = field(default_factory=list[str])

    def __post_init__(self) -> None:
        self.left, self.right = LEFT, self.width - RIGHT
        self.top, self.bottom = self.span or (TOP, self.height - BELOW)
        self.sx = Scale(*self.x, self.left, self.right, self.x_log)
        self.sy = Scale(*self.y, self.bottom, self.top, self.y_log, self.whole)

    def line(self, series: int, name: str, xs: Sequence[float], ys: Sequence[float]) -> None:
        """A line through data points, in the colour of a series."""
        data = path([self.sx(x) for x in xs], [self.sy(y) for y in ys])
        label = f"<title>{escape(name)}</title>"
        self.marks.append(
            f'<path class="line {colour(series)}" data-s="{series}" d="{data}">{label}</path>'
        )

    def dot(self, series: int, name: str, x: float, y: float) -> None:
        """A point with a tooltip."""
        place = f'cx="{px(self.sx(x))}" cy="{px(self.sy(y))}" r="3.2"'
        label = f"<title>{escape(name)}</title>"
        self.marks.append(
            f'<circle class="dot {colour(series)}" data-s="{series}" {place}>{label}</circle>'
        )

    def whisker(self, series: int, x: float, low: float, high: float) -> None:
        """A vertical interval."""
        if math.isfinite(low) and math.isfinite(high):
            data = path([self.sx(x)] * 2, [self.sy(low), self.sy(high)])
            self.marks.append(
                f'<path class="whisker {colour(series)}" data-s="{series}" d="{data}"/>'
            )

    def upright(self, x: float, name: str) -> None:
        """A vertical rule across the panel, for a value that means something."""
        data = path([self.sx(x)] * 2, [self.top, self.bottom])
        label = f"<title>{escape(name)}</title>"
        self.marks.append(f'<path class="rule" d="{data}">{label}</path>')

    def inside(self) -> str:
        """Grid, marks and the vertical axis's words, without what surrounds them."""
        label = words_at(14, self.top - 11, self.y_label, "start", "label")
        return "".join([*self._grid(), *self.marks, label])

    def svg(self) -> str:
        """The drawing."""
        return drawing(self.title, self.x_label, self.width, self.height, self.inside())

    def _grid(self) -> list[str]:
        parts: list[str] = []
        top, bottom = px(self.top), px(self.bottom)
        for tick in self.sx.ticks(5):
            at = px(self.sx(tick))
            parts.append(f'<path class="grid" d="M{at} {top}V{bottom}"/>')
            if self.numbered:
                parts.append(words_at(at, self.bottom + 15, tick_text(tick), "middle"))
        for tick in self.sy.ticks(max(2, min(6, int(self.bottom - self.top) // 24))):
            at = self.sy(tick)
            parts.append(f'<path class="grid" d="M{self.left} {px(at)}H{self.right}"/>')
            parts.append(words_at(self.left - 6, at + 4, tick_text(tick), "end"))
        return parts


def drawing(title: str, x_label: str, width: int, height: int, inside: str, told: str = "") -> str:
    """What one or more panels have drawn, with a title above and the axis's words below.

    Args:
        told: what is read aloud in its place; without it the title.
    """
    middle = (LEFT + width - RIGHT) / 2
    words = words_at(14, 21, title, "start", "title")
    words += words_at(middle, height - 8, x_label, "middle", "label")
    given = f'aria-label="{escape(told or title)}" viewBox="0 0 {width} {height}"'
    return f'<svg class="panel" role="img" {given}>{inside}{words}</svg>'


def words_at(x: float | str, y: float, words: str, anchor: str, kind: str = "tick") -> str:
    """Words on a drawing; ``anchor`` is ``start``, ``middle`` or ``end``."""
    place = f'x="{x if isinstance(x, str) else px(x)}" y="{px(y)}"'
    return f'<text class="{kind}" text-anchor="{anchor}" {place}>{escape(words)}</text>'


def tick_text(value: float) -> str:
    """A tick's number, without noise from rounding."""
    if value == 0:
        return "0"
    if abs(value) >= 10_000 or abs(value) < 0.001:
        return f"{value:.0e}".replace("e-0", "e-").replace("e+0", "e")
    return f"{np.round(value, 6):g}"


def interval_bar(
    low: float, estimate: float, high: float, bounds: tuple[float, float], series: int
) -> str:
    """A dot with its interval on a logarithmic axis around one, small enough for a table cell."""
    width, height, middle = 220, 22, 11
    scale = Scale(*bounds, 6, width - 6, True)
    parts = [f'<path class="rule" d="M{px(scale(1.0))} 0V{height}"/>']
    if math.isfinite(low) and math.isfinite(high):
        ends = f"M{px(scale(low))} {middle}H{px(scale(high))}"
        parts.append(f'<path class="whisker {colour(series)}" d="{ends}"/>')
    if math.isfinite(estimate):
        place = f'cx="{px(scale(estimate))}" cy="{middle}" r="4"'
        parts.append(f'<circle class="dot {colour(series)}" {place}/>')
    box = f'viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
    return f'<svg class="interval" aria-hidden="true" {box}>{"".join(parts)}</svg>'
