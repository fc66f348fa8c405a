"""Policies of the user's own, named ``module:name`` as Python imports them."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from baselines.policy import Policy
from tiergym.errors import InvalidInput
from tiergym.evaluation.records import code_digest
from tiergym.evaluation.suites import Suite
from tiergym.fields import closest


def is_custom(name: str) -> bool:
    """Whether a policy's name says where to import it from."""
    return ":" in name


def make_custom(name: str, env: Any, options: dict[str, Any]) -> Policy:
    """Call the class or factory ``name`` with ``options``, and with ``env`` if it takes an ``env``.

    Raises:
        InvalidInput: if it cannot be imported, does not take the options, or makes no policy.
    """
    make = _imported(name)
    signature = inspect.signature(make)
    given = {**({"env": env} if "env" in signature.parameters else {}), **options}
    try:
        signature.bind(**given)
    except TypeError as error:
        raise InvalidInput("policy.options", options, f"{name}{signature} ({error})") from None
    policy = make(**given)
    if not hasattr(policy, "predict"):
        raise InvalidInput("policy.name", name, "a class or factory of objects with predict")
    return policy


def _imported(name: str) -> Callable[..., Any]:
    module, _, attribute = name.partition(":")
    try:
        loaded = importlib.import_module(module)
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"
        raise InvalidInput("policy.name", name, f"a module to import ({reason})") from error
    make = getattr(loaded, attribute, None)
    if not callable(make):
        known = [n for n, value in vars(loaded).items() if callable(value) and n[0] != "_"]
        allowed = f"a class or function of {module}{closest(attribute, known)}"
        raise InvalidInput("policy.name", name, allowed)
    return make


def with_code(suite: Suite) -> Suite:
    """The suite with a digest of the file of each policy of the user's own.

    So records are not used again after that file (not those that it imports) has changed.
    """
    entries = [
        replace(entry, code=_digest(entry.name)) if is_custom(entry.name) else entry
        for entry in suite.policies
    ]
    return replace(suite, policies=tuple(entries))


def _digest(name: str) -> str:
    file = getattr(inspect.getmodule(_imported(name)), "__file__", None)
    files = {getattr(importlib.import_module(name.partition(":")[0]), "__file__", None), file}
    return code_digest([Path(path) for path in sorted(filter(None, files))])
