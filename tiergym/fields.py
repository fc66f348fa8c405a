"""Reading the fields of files and mappings that users write: one check, one clear error.

What a field means is none of this file's business; the packages that own the words call it.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import yaml

from tiergym.errors import InvalidInput

_BaseLoader: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_FLOAT = re.compile(
    r"""^(?:[-+]?(?:[0-9][0-9_]*)?\.[0-9][0-9_]*(?:[eE][-+]?[0-9]+)?
    |[-+]?[0-9][0-9_]*\.(?:[eE][-+]?[0-9]+)?
    |[-+]?[0-9][0-9_]*[eE][-+]?[0-9]+
    |[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$""",
    re.X,
)


class _Loader(_BaseLoader):
    """Safe YAML in which ``1e9`` is a number (PyYAML reads text) and a key given twice fails."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[object] = set()
        for key_node, _ in node.value:
            key = cast(object, self.construct_object(key_node, deep=True))  # pyright: ignore[reportUnknownMemberType]
            if key in seen:
                line = key_node.start_mark.line + 1
                raise InvalidInput(f"line {line}", key, "each key once")
            seen.add(key)
        return cast(dict[Any, Any], super().construct_mapping(node, deep))


_Loader.add_implicit_resolver(  # pyright: ignore[reportUnknownMemberType]
    "tag:yaml.org,2002:float", _FLOAT, list("-+0123456789.")
)


def read_yaml(path: str | Path, field: str = "file") -> object:
    """Read a YAML file of plain values.

    Raises:
        InvalidInput: if the file is missing, is not YAML or holds a key twice.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
        return cast(object, yaml.load(text, Loader=_Loader))
    except InvalidInput as error:
        raise InvalidInput(f"{field} ({path}), {error.field}", error.given, error.allowed) from None
    except OSError as error:
        raise InvalidInput(
            field, str(path), f"a file that can be read ({error.strerror})"
        ) from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InvalidInput(field, str(path), f"a YAML file ({error})") from None


def closest(word: object, known: Iterable[object]) -> str:
    """``", did you mean 'x'?"`` for the known word nearest to ``word``, or nothing."""
    near = difflib.get_close_matches(str(word), [str(k) for k in known], n=1)
    return f"; did you mean {near[0]!r}?" if near else ""


def is_mapping(value: object) -> bool:
    """Whether ``value`` is a mapping (without telling a type checker, which knows no item)."""
    return isinstance(value, Mapping)


def mapping(field: str, value: object, keys: Iterable[str] | None = None) -> dict[str, object]:
    """``value`` as a dictionary with string keys, all of them among ``keys`` if those are given.

    Raises:
        InvalidInput: if it is no mapping, or naming the unknown key and the closest known one.
    """
    if not isinstance(value, Mapping):
        raise InvalidInput(field, value, "a mapping")
    result = {str(k): v for k, v in cast(Mapping[object, object], value).items()}
    if keys is not None:
        known = list(keys)
        for key in result:
            if key not in known:
                allowed = f"one of {', '.join(known)}{closest(key, known)}"
                raise InvalidInput(f"{field}.{key}" if field else key, key, allowed)
    return result


def sequence(field: str, value: object, what: str = "a list") -> list[object]:
    """``value`` as a list (a string is none); arrays are taken too.

    Raises:
        InvalidInput: if it is no list.
    """
    tolist = getattr(value, "tolist", None)
    plain: object = tolist() if callable(tolist) else value
    if isinstance(plain, str) or not isinstance(plain, Sequence):
        raise InvalidInput(field, value, what)
    return list(cast(Sequence[object], plain))


def number(
    field: str,
    value: object,
    unit: str = "number",
    low: float = -math.inf,
    above: float = -math.inf,
    high: float = math.inf,
    infinite: bool = False,
) -> float:
    """``value`` as a float within ``low <= value <= high`` and ``value > above``.

    Args:
        unit: what the number counts, for the message ("seconds", "bytes").
        infinite: whether infinity is a legal value.

    Raises:
        InvalidInput: if it is no number (booleans and text are none), NaN or out of range.
    """
    allowed = _range_text(unit, low, above, high, infinite)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        item = getattr(value, "item", None)
        if not callable(item) or getattr(value, "ndim", None) != 0:
            raise InvalidInput(field, value, allowed)
        return number(field, item(), unit, low, above, high, infinite)
    result = float(value)
    ordered = low <= result <= high and result > above
    if not ordered or (math.isinf(result) and not infinite):
        raise InvalidInput(field, value, allowed)
    return result


def integer(field: str, value: object, unit: str = "whole number", low: int = 0) -> int:
    """``value`` as an int >= ``low``; a float without a fraction is taken.

    Raises:
        InvalidInput: if it is none.
    """
    result = number(field, value, f"whole {unit}" if "whole" not in unit else unit, low=low)
    if result != int(result):
        allowed = "a whole number" if "whole" in unit else f"a whole number of {unit}"
        raise InvalidInput(field, value, allowed)
    return int(result)


def text(field: str, value: object) -> str:
    """``value`` if it is text that is not empty.

    Raises:
        InvalidInput: if it is not.
    """
    if not isinstance(value, str) or not value.strip():
        raise InvalidInput(field, value, "text")
    return value


def flag(field: str, value: object) -> bool:
    """``value`` if it is a truth value.

    Raises:
        InvalidInput: if it is not.
    """
    if not isinstance(value, bool):
        raise InvalidInput(field, value, "true or false")
    return value


def source_record(field: str, value: object) -> dict[str, object]:
    """Where figures come from: a mapping, a text (``{"from": text}``) or nothing."""
    if value is None:
        return {}
    return {"from": value} if isinstance(value, str) else mapping(field, value)


def _range_text(unit: str, low: float, above: float, high: float, infinite: bool) -> str:
    parts = [unit]
    if above >= low and above > -math.inf:
        parts.append(f"> {above:g}")
    elif low > -math.inf:
        parts.append(f">= {low:g}")
    if high < math.inf:
        parts.append(f"<= {high:g}")
    return " ".join(parts) + ("" if infinite else ", finite")
