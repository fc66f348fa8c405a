"""``python -m tiergym.scenarios [NAME ...]``: list the scenarios, or tell what one is."""

from __future__ import annotations

import sys

from tiergym.errors import InvalidInput
from tiergym.scenarios import load_scenario, scenario_names, split_names, split_scenarios
from tiergym.scenarios.splits import split_problems


def main(arguments: list[str]) -> int:
    """Print a list, or the summary of each scenario named (by name or YAML file)."""
    if not arguments:
        print("\n".join(_listing()))
        return 0
    try:
        print("\n\n".join(load_scenario(name).summary() for name in arguments))
    except InvalidInput as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def _listing() -> list[str]:
    lines: list[str] = []
    listed: set[str] = set()
    for problem in split_problems():
        for split in split_names(problem):
            lines.append(f"{problem}, {split}:")
            names = split_scenarios(problem, split)
            listed.update(names)
            lines.extend(_line(name) for name in names)
    others = [name for name in scenario_names() if name not in listed]
    return lines + (["in no split:", *(_line(name) for name in others)] if others else [])


def _line(name: str) -> str:
    scenario = load_scenario(name)
    return f"  {name:<28} load {scenario.load:.2f}  {scenario.description}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
