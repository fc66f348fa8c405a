"""Making plain JSON values of what users hand in, with paths that hold from everywhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import cast

from tiergym.errors import InvalidInput
from tiergym.shipped import is_path

_DEPTH = 20
_LARGEST = 2**63


def plain(field: str, value: object, depth: int = 0) -> object:
    """``value`` with mappings as dictionaries, and arrays, tuples and other sequences as lists.

    OmegaConf's nodes are mappings and sequences, so they need no import.

    Raises:
        InvalidInput: for a value that JSON does not have.
    """
    if value is None or isinstance(value, (bool, float)):
        return value
    if isinstance(value, int) and abs(value) > _LARGEST:
        raise InvalidInput(field, value, f"whole numbers up to {_LARGEST}")
    if isinstance(value, int):
        return value
    if isinstance(value, (str, Path)):
        return _plain_text(field, str(value))
    if depth > _DEPTH:
        raise InvalidInput(field, value, f"at most {_DEPTH} levels")
    if isinstance(value, Mapping):
        return plain_mapping(field, cast(Mapping[object, object], value), depth)
    tolist = getattr(value, "tolist", None)
    if callable(tolist) and not isinstance(value, type):
        return plain(field, tolist(), depth + 1)
    if isinstance(value, (bytes, bytearray, memoryview)) or not isinstance(value, Sequence):
        raise InvalidInput(field, cast(object, value), "numbers, text, lists and mappings")
    row = cast(Sequence[object], value)
    items = _items(field, range(len(row)), row)
    return [plain(f"{field}[{k}]", item, depth + 1) for k, item in items]


def plain_mapping(field: str, value: Mapping[object, object], depth: int = 0) -> dict[str, object]:
    """`plain` of a mapping; keys become text.

    Raises:
        InvalidInput: as `plain`, and if two keys are the same as text.
    """
    result: dict[str, object] = {}
    for key, item in _items(field, list(value), value):
        name = str(key)
        where = f"{field}.{name}" if field else name
        if name in result or not isinstance(key, (str, int, float)):
            raise InvalidInput(where, key, "each key once, as text")
        result[name] = plain(where, item, depth + 1)
    return result


def anchored(value: object, folder: Path) -> object:
    """``value`` with every text that is the path of a file in ``folder`` made absolute."""
    if isinstance(value, dict):
        items = cast(dict[str, object], value).items()
        return {key: anchored(item, folder) for key, item in items}
    if isinstance(value, list):
        return [anchored(item, folder) for item in cast(list[object], value)]
    if isinstance(value, str) and (file := file_of(value, folder)) is not None:
        return str(file)
    return value


def file_of(value: str, folder: Path) -> Path | None:
    """The file that a text names, None if it is not meant as one or there is none."""
    if not (is_path(value) or value.endswith((".csv", ".txt", ".npz"))):
        return None
    try:
        path = (folder / value).absolute()
        return path if path.is_file() else None
    except OSError:
        return None


def _items(
    field: str, keys: Sequence[object] | range, value: Mapping[object, object] | Sequence[object]
) -> list[tuple[object, object]]:
    """Pairs of keys and values; a value that cannot be had (an interpolation) is refused."""
    pairs: list[tuple[object, object]] = []
    for key in keys:
        try:
            pairs.append((key, value[key]))  # type: ignore[index]
        except Exception as error:
            raise InvalidInput(f"{field}.{key}", str(error), "a value") from None
    return pairs


def _plain_text(field: str, value: str) -> str:
    if "\0" in value:
        raise InvalidInput(field, value, "text without null characters")
    return value
