"""What the Hydra entry points share: where ``conf/`` is, which names its groups know, versions.

Registered policies and shipped scenarios are options of the groups ``policy`` and ``scenario``
without a file each; a file of that name in ``conf/`` goes before.
"""

from __future__ import annotations

import importlib.metadata
import os
import sys
from collections.abc import Callable, Sequence
from functools import wraps
from pathlib import Path
from typing import Any

import numpy as np

from baselines.registry import COMMANDS, FOLDERS, policy_names
from tiergym.errors import InvalidInput
from tiergym.evaluation.records import code_digest, simulation_roots
from tiergym.fields import integer
from tiergym.scenarios import scenario_names
from tiergym.shipped import is_path

_HERE = Path(__file__).resolve().parent


def conf_dir() -> Path:
    """The folder ``conf``: beside ``baselines`` in a checkout, inside it where it is installed."""
    checkout = _HERE.parent / "conf"
    return checkout if (checkout / "config.yaml").is_file() else _HERE / "conf"


def entry_point(run: Callable[[Any], Any]) -> None:
    """Run a command under Hydra, configured by ``conf/config.yaml`` and the command line."""
    import hydra  # half a second, and worker processes import the module that calls this

    register_groups()
    sys.argv[1:] = as_overrides(sys.argv[1:])

    @wraps(run)
    def told(config: Any) -> Any:
        try:
            return run(config)
        except InvalidInput as error:
            sys.exit(str(error))

    main = hydra.main(config_path=str(conf_dir()), config_name="config", version_base="1.3")(told)
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)


def register_groups() -> None:
    """Make every registered policy and every shipped scenario an option of its group."""
    from hydra.core.config_store import ConfigStore

    store = ConfigStore.instance()
    for name in _registered():
        store.store(group="policy", name=name, node={"name": name, "label": name, "options": {}})
    for name in scenario_names():
        store.store(group="scenario", name=name, node={"given": name})


def _registered() -> list[str]:
    return sorted({name for env_id in FOLDERS for name in policy_names(env_id)})


def as_overrides(arguments: Sequence[str]) -> list[str]:
    """Spell ``scenario=some/file.yaml`` as Hydra needs it."""
    overrides: list[str] = []
    for argument in arguments:
        key, _, value = argument.partition("=")
        if key == "scenario" and is_path(value):
            overrides += ["scenario=custom", f"scenario.given={value}"]
        else:
            overrides.append(argument)
    return overrides


def command_line(module: str) -> str:
    """How the user called it."""
    return " ".join(["python", "-m", module, *sys.argv[1:]])


def versions() -> dict[str, str]:
    """What besides a suite's definition decides about results, with a digest of the code."""
    files = [path for folder in FOLDERS.values() for path in sorted((_HERE / folder).rglob("*"))]
    roots = [path for path in files if path.is_file() and path.stem not in COMMANDS]
    return {
        "tiergym": _version("tiergym"),
        "numpy": np.__version__,
        "numba": _version("numba"),
        "code": code_digest([*simulation_roots(), *roots]),
    }


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


def worker_count(given: object) -> int:
    """As given, or one a core that this process may use.

    Raises:
        InvalidInput: unless it is a whole number of at least one.
    """
    if given is None:
        return len(os.sched_getaffinity(0))
    return integer("workers", given, "processes", low=1)
