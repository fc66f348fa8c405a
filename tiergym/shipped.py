"""Finding the data file that a name stands for: shipped with the package, or a user's own."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import cast

from tiergym.errors import InvalidInput
from tiergym.fields import closest, mapping, read_yaml

_ROOT = Path(__file__).parent


def data_folder(package: str) -> Path:
    """Folder of the data files of a package of tiergym, for example ``"networks"``."""
    return _ROOT / package / "data"


def shipped_names(package: str) -> list[str]:
    """Names of the YAML files shipped with a package, sorted."""
    return sorted(path.stem for path in data_folder(package).glob("*.yaml"))


def is_path(given: str) -> bool:
    """Whether a text is meant as a file rather than as a name."""
    return given.endswith((".yaml", ".yml")) or "/" in given or "\\" in given


def resolve_file(given: str | Path, folder: Path | None) -> Path:
    """A path as it is, or relative to ``folder``, or else to the working folder."""
    path = Path(given)
    if folder is not None and not path.is_absolute() and (folder / path).exists():
        return folder / path
    return path


def open_record(
    package: str, given: object, field: str, folder: Path | None = None
) -> tuple[dict[str, object], str | None, Path | None]:
    """The mapping behind a name, a YAML path or a mapping.

    Args:
        package: whose shipped files a name is looked up in.
        given: what the user wrote.
        field: its name for messages.
        folder: where relative paths start.

    Returns:
        The mapping, the name that follows from the file (None for a mapping), and the folder
        that paths inside it are relative to.

    Raises:
        InvalidInput: if the name is not known or the file cannot be read.
    """
    if isinstance(given, Mapping):
        return mapping(field, cast(object, given)), None, folder
    if not isinstance(given, (str, Path)):
        raise InvalidInput(field, given, "a name, the path of a YAML file, or a mapping")
    if isinstance(given, Path) or is_path(given):
        path = resolve_file(given, folder)
    else:
        names = shipped_names(package)
        if given not in names:
            allowed = f"one of {', '.join(names)}, or the path of a YAML file"
            raise InvalidInput(field, given, allowed + closest(given, names))
        path = data_folder(package) / f"{given}.yaml"
    return mapping(field, read_yaml(path, field)), path.stem, path.parent
