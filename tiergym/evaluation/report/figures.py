"""Figures as plain data: axes and marks, whatever they show. They survive JSON.

What computes a figure knows no drawing, and what draws it (`tiergym.evaluation.report.drawing`)
knows no problem. Numbers are in the units that an axis names; all are finite.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, fields, is_dataclass
from types import UnionType
from typing import Any, TypeAlias, TypeVar, cast, get_args, get_origin, get_type_hints

from tiergym.errors import InvalidInput
from tiergym.fields import closest, flag, mapping, number, sequence

Numbers: TypeAlias = tuple[float, ...]
Words: TypeAlias = tuple[str, ...]
Made = TypeVar("Made")

TONES = (*map(str, range(20)), "terminal", "edge", "cloud", "refused", "ink", "dim")
"""Colours by name: twenty series, the tiers' as elsewhere on the page, that of text, and a grey."""
SHAPES = ("disc", "ring", "square")


@dataclass(frozen=True)
class Axis:
    """An axis from ``low`` to ``high``; what lies outside is drawn on its border.

    Attributes:
        label: what it measures, with the unit.
        log: whether equal steps are equal ratios.
        whole: whether only whole numbers are marked on it.
    """

    label: str
    low: float
    high: float
    log: bool = False
    whole: bool = False

    def __post_init__(self) -> None:
        _finite("low", (self.low,))
        _finite("high", (self.high,))
        if self.high <= self.low:
            raise InvalidInput("high", self.high, f"a number above low = {self.low:g}")
        if self.log and self.low <= 0:
            raise InvalidInput("low", self.low, "a number > 0 on a logarithmic axis")


@dataclass(frozen=True)
class Line:
    """A line through points."""

    name: str
    tone: str
    xs: Numbers
    ys: Numbers
    dashed: bool = False

    def __post_init__(self) -> None:
        _check(self, len(self.xs), "ys")


@dataclass(frozen=True)
class Steps:
    """A line that stays at ``ys[i]`` from ``edges[i]`` to ``edges[i + 1]``.

    Attributes:
        edges: one more than ``ys``. titles: what pointing at each piece tells; none, or one each.
    """

    name: str
    tone: str
    edges: Numbers
    ys: Numbers
    dashed: bool = False
    titles: Words = ()

    def __post_init__(self) -> None:
        _check(self, len(self.edges) - 1, "ys", "titles")


@dataclass(frozen=True)
class Dots:
    """Single points.

    Attributes:
        titles: what pointing at each tells; none (then the name), or one each.
        radii: pixels; none, or one each. labels: words beside each; none, or one each.
        shape: one of `SHAPES`.
    """

    name: str
    tone: str
    xs: Numbers
    ys: Numbers
    titles: Words = ()
    radii: Numbers = ()
    labels: Words = ()
    shape: str = "disc"

    def __post_init__(self) -> None:
        _check(self, len(self.xs), "ys", "titles", "radii", "labels")
        _among("shape", self.shape, SHAPES)
        if any(radius <= 0 for radius in self.radii):
            raise InvalidInput("radii", min(self.radii), "pixels > 0")


@dataclass(frozen=True)
class Band:
    """The area between two lines.

    Attributes:
        steps: whether the lines are steps, as of `Steps`; then ``xs`` has one more.
    """

    name: str
    tone: str
    xs: Numbers
    low: Numbers
    high: Numbers
    steps: bool = False

    def __post_init__(self) -> None:
        _check(self, len(self.xs) - self.steps, "low", "high")


@dataclass(frozen=True)
class Whiskers:
    """Vertical intervals."""

    name: str
    tone: str
    xs: Numbers
    low: Numbers
    high: Numbers

    def __post_init__(self) -> None:
        _check(self, len(self.xs), "low", "high")


@dataclass(frozen=True)
class Rule:
    """A vertical rule across the strip, with words beside it."""

    name: str
    tone: str
    x: float
    label: str = ""

    def __post_init__(self) -> None:
        _check(self, 1)


@dataclass(frozen=True)
class Span:
    """A range of the horizontal axis, shaded across the strip."""

    name: str
    tone: str
    low: float
    high: float

    def __post_init__(self) -> None:
        _check(self, 1)
        if self.high < self.low:
            raise InvalidInput("high", self.high, f"a number not below low = {self.low:g}")


Mark: TypeAlias = Line | Steps | Dots | Band | Whiskers | Rule | Span

KINDS: Mapping[str, type[Any]] = {kind.__name__.lower(): kind for kind in get_args(Mark)}
"""Kind of a mark in plain data -> its class."""


@dataclass(frozen=True)
class Strip:
    """One plot of a figure; the marks are drawn in this order.

    Attributes:
        share: of the figure's height, relative to that of the other strips.
    """

    y: Axis
    marks: tuple[Mark, ...]
    share: float = 1.0

    def __post_init__(self) -> None:
        if not (math.isfinite(self.share) and self.share > 0):
            raise InvalidInput("share", self.share, "a number > 0")


@dataclass(frozen=True)
class Figure:
    """Plots above one another over the same horizontal axis.

    Attributes:
        title: a few words. caption: what is to be seen, in a sentence or two.
    """

    title: str
    x: Axis
    strips: tuple[Strip, ...]
    caption: str = ""

    def __post_init__(self) -> None:
        if not self.strips:
            raise InvalidInput("strips", self.strips, "at least one strip")


@dataclass(frozen=True)
class Group:
    """Figures that belong together, such as those of a scenario."""

    title: str
    lead: str
    figures: tuple[Figure, ...]


@dataclass(frozen=True)
class Gallery:
    """All figures of a page's section, its title and how to read it."""

    title: str
    lead: str
    groups: tuple[Group, ...]


def to_plain(item: Any) -> Any:
    """A gallery, figure, axis or mark as JSON values; marks say their kind."""
    if is_dataclass(item):
        own = {field.name: to_plain(getattr(item, field.name)) for field in fields(item)}
        kind = type(item).__name__.lower()
        return {"kind": kind, **own} if kind in KINDS else own
    if isinstance(item, tuple):
        return [to_plain(one) for one in cast(tuple[Any, ...], item)]
    return item


def from_plain(made: type[Made], given: object, where: str = "") -> Made:
    """What `to_plain` was given, made anew and checked.

    Args:
        made: what it is: `Gallery`, `Figure`, ...
        where: what error messages call it.

    Raises:
        InvalidInput: naming the field that is unknown, missing or wrong.
    """
    field = where or made.__name__.lower()
    known = {one.name: one for one in fields(cast(Any, made))}
    plain = mapping(field, given, known)
    for name, one in known.items():
        if name not in plain and one.default is MISSING:
            raise InvalidInput(f"{field}.{name}", None, "it has to be given")
    hints = get_type_hints(made)
    values = {name: _value(f"{field}.{name}", hints[name], plain[name]) for name in plain}
    try:
        return made(**values)
    except InvalidInput as error:
        raise InvalidInput(f"{field}.{error.field}", error.given, error.allowed) from None


def _value(field: str, hint: Any, given: object) -> Any:
    if hint is float:
        return number(field, given)
    if hint is bool:
        return flag(field, given)
    if hint is str:
        return _words(field, given)
    if get_origin(hint) is tuple:
        items = sequence(field, given)
        return tuple(_value(f"{field}[{i}]", get_args(hint)[0], one) for i, one in enumerate(items))
    return _mark(field, given) if isinstance(hint, UnionType) else from_plain(hint, given, field)


def _mark(field: str, given: object) -> Any:
    plain = mapping(field, given)
    kind = plain.pop("kind", None)
    _among(f"{field}.kind", kind, tuple(KINDS))
    return from_plain(KINDS[str(kind)], plain, field)


def _words(field: str, given: object) -> str:
    if not isinstance(given, str):
        raise InvalidInput(field, given, "text")
    return given


def _check(mark: Mark, count: int, *columns: str) -> None:
    """Refuse a mark with an unknown tone, a number that is not finite, or a column too short.

    Columns of words, and radii, may be left out.
    """
    _among("tone", mark.tone, TONES)
    for field in fields(mark):
        value: object = getattr(mark, field.name)
        if isinstance(value, int | float) and not isinstance(value, bool):
            _finite(field.name, (float(value),))
        elif isinstance(value, tuple) and field.name not in ("titles", "labels"):
            _finite(field.name, cast(Numbers, value))
    if count < 1:
        where = "xs" if hasattr(mark, "xs") else "edges"
        raise InvalidInput(where, getattr(mark, where), "some values")
    for name in columns:
        length = len(getattr(mark, name))
        if length != count and (length or name not in ("titles", "labels", "radii")):
            raise InvalidInput(name, f"{length} values", f"{count}, one each")


def _finite(field: str, values: Numbers) -> None:
    wrong = [value for value in values if not math.isfinite(value)]
    if wrong:
        raise InvalidInput(field, wrong[0], "finite numbers")


def _among(field: str, given: object, allowed: Sequence[str]) -> None:
    if given not in allowed:
        raise InvalidInput(field, given, f"one of {', '.join(allowed)}{closest(given, allowed)}")
