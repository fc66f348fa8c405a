"""Finds policies by name. Every public file of a problem's folder that has ``POLICIES`` is one.

A new policy is one new file in the folder of its problem; nothing is listed here.
"""

from __future__ import annotations

import difflib
import importlib
import inspect
import pkgutil
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any

import yaml

from baselines.custom import is_custom, make_custom
from baselines.policy import Entry, Policy
from tiergym.errors import InvalidInput

FOLDERS = {
    "tiergym/TaskScheduling-v0": "task_scheduling",
    "tiergym/ExitPlacement-v0": "exit_placement",
    "tiergym/EdgeSelection-v0": "edge_selection",
}
"""Environment id -> folder of ``baselines`` that holds its policies."""


COMMANDS = ("tune", "suboptimality", "interior", "headroom", "gallery")
"""Files of such a folder that hold no policy: commands, and the figures of the page."""


def policy_names(env_id: str = "tiergym/TaskScheduling-v0") -> list[str]:
    """Names that `make_policy` knows for this environment, sorted."""
    return sorted(entries_of(env_id))


def entries_of(env_id: str) -> Mapping[str, Entry]:
    """The registered policies of this environment by name, without tuned values."""
    return _entries(_folder(env_id))


def make_policy(name: str, env: Any, **options: Any) -> Policy:
    """Build the registered policy ``name`` for ``env``, a single or a vector environment.

    Args:
        name: one of `policy_names`, or ``module:name`` of a class or factory of one's own, which
            is called with ``options`` and, if it has a parameter ``env``, with that.
        env: read for its sizes (and, by planners only, for snapshots).
        options: replace the tuned and the built-in values; see the class of the policy.

    Raises:
        InvalidInput: an unknown name or option, or a value that is not allowed.
    """
    if is_custom(name):
        return make_custom(name, env, options)
    env_id = env_id_of(env)
    check_name("policy", name, env_id)
    folder = _folder(env_id)
    entry = _entries(folder)[name]
    allowed = _option_names(entry)
    for option in options:
        if option not in allowed:
            raise InvalidInput(f"{name}.{option}", options[option], _names_like(option, allowed))
    return entry.build(env, **{**entry.options, **tuned_options(folder).get(name, {}), **options})


def check_name(field: str, name: str, env_id: str) -> None:
    """Refuse a name that is registered for none of this environment's policies.

    Raises:
        InvalidInput: naming ``field``, and the names that there are.
    """
    known = policy_names(env_id)
    if name not in known:
        raise InvalidInput(field, name, _names_like(name, known))


def env_id_of(env: Any) -> str:
    """The registered id of ``env``; an environment made without one is taken by its class."""
    spec = getattr(env, "spec", None) or getattr(env.unwrapped, "spec", None)
    if spec is not None:
        return str(spec.id)
    module = type(env.unwrapped).__module__
    for env_id, folder in FOLDERS.items():
        if folder in module.split("."):
            return env_id
    raise InvalidInput("env", env, f"an environment of {', '.join(FOLDERS)}")


@cache
def tuned_options(folder: str) -> Mapping[str, Mapping[str, Any]]:
    """Options by policy name from the folder's ``tuned.yaml``; empty without that file."""
    file = resources.files("baselines").joinpath(folder, "tuned.yaml")
    if not file.is_file():
        return {}
    return dict(yaml.safe_load(file.read_text(encoding="utf-8"))["policies"])


def _folder(env_id: str) -> str:
    if env_id not in FOLDERS:
        raise InvalidInput("env_id", env_id, f"one of {', '.join(FOLDERS)}")
    return FOLDERS[env_id]


@cache
def _entries(folder: str) -> dict[str, Entry]:
    package = importlib.import_module(f"baselines.{folder}")
    found: dict[str, Entry] = {}
    for module in pkgutil.iter_modules(package.__path__):
        if module.name.startswith("_") or module.name in COMMANDS:
            continue
        loaded = importlib.import_module(f"baselines.{folder}.{module.name}")
        for name, entry in getattr(loaded, "POLICIES", {}).items():
            if name in found:
                raise InvalidInput(f"POLICIES of {loaded.__name__}", name, "a name that is free")
            found[name] = entry
    return found


def _option_names(entry: Entry) -> list[str]:
    names = list(inspect.signature(entry.build).parameters)
    return names[1:]


def _names_like(given: str, names: list[str]) -> str:
    if not names:
        return "no options"
    close = difflib.get_close_matches(given, names, n=1)
    hint = f" (did you mean {close[0]!r}?)" if close else ""
    return f"one of {', '.join(names)}{hint}"
