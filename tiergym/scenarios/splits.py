"""Splits: which shipped scenarios a problem is trained and tested on."""

from __future__ import annotations

from pathlib import Path
from typing import cast

from tiergym.fields import read_yaml
from tiergym.scenarios.load import load_scenario
from tiergym.scenarios.scenario import Scenario
from tiergym.scenarios.words import choice

_FOLDER = Path(__file__).parent / "splits"


def split_problems() -> list[str]:
    """Problems that have splits, sorted."""
    return sorted(path.stem for path in _FOLDER.glob("*.yaml"))


def split_names(problem: str = "task_scheduling") -> list[str]:
    """Names of a problem's splits, ``train`` first."""
    return list(_read(problem))


def split_scenarios(problem: str, name: str) -> list[str]:
    """Names of the scenarios of a split.

    Raises:
        InvalidInput: if the problem or the split is not known.
    """
    splits = _read(problem)
    return splits[choice("split", name, splits)]


def load_split(problem: str, name: str) -> list[Scenario]:
    """The scenarios of a split, in its order.

    Raises:
        InvalidInput: if the problem or the split is not known.
    """
    return [load_scenario(scenario) for scenario in split_scenarios(problem, name)]


def _read(problem: str) -> dict[str, list[str]]:
    choice("problem", problem, split_problems())
    return cast(dict[str, list[str]], read_yaml(_FOLDER / f"{problem}.yaml", "split"))
