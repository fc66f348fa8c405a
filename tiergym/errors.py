"""The one exception that tiergym raises for input it cannot use."""

from __future__ import annotations


class InvalidInput(ValueError):
    """Input was refused at the edge: names the field, what was given and what is allowed.

    Args:
        field: dotted path of the field, for example ``"links.uplink.rtt"``.
        given: the value that was refused.
        allowed: what would have been accepted, in words.
    """

    def __init__(self, field: str, given: object, allowed: str) -> None:
        self.field = field
        self.given = given
        self.allowed = allowed
        super().__init__(f"{field}: got {_shorten(given)}; allowed: {allowed}")

    def __reduce__(self) -> tuple[type[InvalidInput], tuple[str, object, str]]:
        return type(self), (self.field, self.given, self.allowed)


def _shorten(value: object, limit: int = 120) -> str:
    text = repr(value)
    return text if len(text) <= limit else text[: limit - 3] + "..."
