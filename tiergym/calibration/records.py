"""Writing data files, and reading the records that measuring commands left behind."""

from __future__ import annotations

import platform
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import yaml

from tiergym.errors import InvalidInput
from tiergym.evaluation.records import write_text
from tiergym.fields import mapping, read_yaml

RECORDS = Path(__file__).parent / "data"
"""Records of measurements that later commands start from."""


class _Dumper(yaml.SafeDumper):
    """Writes numbers so that they are read back to the last bit, and rows of numbers on a line."""

    def ignore_aliases(self, data: object) -> bool:
        """Nothing is written as a reference."""
        return True

    def represent_sequence(
        self, tag: str, sequence: Iterable[Any], flow_style: bool | None = None
    ) -> yaml.SequenceNode:
        """A list; on one line if it holds numbers only."""
        items = list(sequence)
        return super().represent_sequence(tag, items, flow_style=_all_numbers(items))

    def represent_mapping(
        self, tag: str, mapping: Any, flow_style: bool | None = None
    ) -> yaml.MappingNode:
        """A mapping; on one line if its values are numbers."""
        numbers = _all_numbers(list(dict(mapping).values()))
        return super().represent_mapping(tag, mapping, flow_style=numbers)


def _all_numbers(items: Sequence[object]) -> bool:
    return all(isinstance(item, (int, float)) for item in items)


def write_yaml(path: Path, record: Mapping[str, object], header: str) -> None:
    """Write a data file, whole or not at all, with a comment of one line above it."""
    body = yaml.dump(dict(record), Dumper=_Dumper, sort_keys=False, width=100)
    write_text(path, f"# {header}\n{body}")


def read_record(name: str) -> dict[str, object]:
    """A record of `RECORDS` by its file name.

    Raises:
        InvalidInput: if it is not there; the command that writes it carries its name.
    """
    return mapping(name, read_yaml(RECORDS / name, name))


def entry(record: object, *keys: str) -> object:
    """The value under nested keys of a record."""
    value = record
    for key in keys:
        items = cast(Mapping[str, object], value)
        if key not in items:
            raise InvalidInput(".".join(keys), key, f"one of {', '.join(items)}")
        value = items[key]
    return value


def versions(packages: Iterable[str]) -> dict[str, str]:
    """Versions of Python and of installed packages."""
    from importlib.metadata import PackageNotFoundError, version

    found = {"python": platform.python_version()}
    for package in packages:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
