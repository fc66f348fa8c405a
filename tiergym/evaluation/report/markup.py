"""Small pieces of HTML: escaped text, elements, tables that scroll inside their frame."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape


@dataclass(frozen=True)
class Cell:
    """A cell: its markup, and the value it sorts by (None sorts by its text)."""

    markup: str
    order: float | None = None
    kind: str = ""
    style: str = ""


def text(words: str) -> str:
    """Words as markup."""
    return escape(words)


def label(words: str) -> str:
    """A policy's label, which may be broken before each ``+``."""
    return "<wbr>+".join(escape(part) for part in words.split("+"))


def element(name: str, inside: str, kind: str = "", **attributes: str) -> str:
    """An element around markup; underscores in attribute names stand for hyphens."""
    given = {"class": kind, **attributes} if kind else attributes
    words = "".join(f' {k.replace("_", "-")}="{escape(v)}"' for k, v in given.items())
    return f"<{name}{words}>{inside}</{name}>"


def table(
    heads: Sequence[tuple[str, str]], rows: Iterable[Sequence[Cell]], kind: str = "sortable"
) -> str:
    """A table in a frame that scrolls.

    Args:
        heads: (title, what it means) of each column.
        rows: their cells; the first of each is the row's head.
        kind: classes; ``sortable`` tables sort when a heading is activated.
    """
    top = "".join(_head(title, help, kind) for title, help in heads)
    body = "".join(element("tr", "".join(map(_cell, range(len(row)), row))) for row in rows)
    inside = element("thead", element("tr", top)) + element("tbody", body)
    return element("div", element("table", inside, kind), "scroll", tabindex="0")


def _head(title: str, help: str, kind: str) -> str:
    inside = text(title)
    if "sortable" in kind and title:
        inside = element("button", inside, type="button", title=help)
    return element("th", inside, scope="col", title=help)


def _cell(place: int, cell: Cell) -> str:
    more = {"style": cell.style} if cell.style else {}
    if cell.order is not None:
        # NaN sorts last whichever way, which the page's script knows by the missing number.
        more["data-order"] = "" if math.isnan(cell.order) else repr(float(cell.order))
    if place == 0:
        return element("th", cell.markup, cell.kind, scope="row", **more)
    return element("td", cell.markup, cell.kind, **more)


def details(summary: str, inside: str) -> str:
    """A part that is folded away."""
    return element("details", element("summary", text(summary)) + inside)


def section(name: str, title: str, lead: str, inside: str) -> str:
    """A section with a heading, a paragraph that says how to read it, and its content."""
    words = element("h2", text(title)) + (element("p", lead, "lead") if lead else "")
    return element("section", words + inside, id=name)
