"""What a leaderboard score is computed on: a named, versioned list of scenarios, seeds, policies.

Playing the episodes is the runner's business; this file only says which there are.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tiergym.errors import InvalidInput
from tiergym.fields import integer, mapping, read_yaml, sequence, text

TRAINING_STRIDE = 1_000_000
"""Training seed j begins at j times this: room for the rows of a vector environment."""
FIRST_VALIDATION_SEED = 1_000_000_000
FIRST_SEED = 2_000_000_000
"""Seeds of suites start here, so that they never meet those of training or validation."""


@dataclass(frozen=True)
class Entry:
    """A policy of a suite.

    Attributes:
        label: what it is called there. name: what it is registered as.
        options: how it is made.
        seeds: how many of the suite's seeds it plays, for slow ones; None for all.
        code: digest of the code that makes it, where that is not part of the package.
    """

    label: str
    name: str
    options: Mapping[str, Any] = field(default_factory=dict[str, Any])
    seeds: int | None = None
    code: str = ""


@dataclass(frozen=True)
class Ablation:
    """Scenarios played once more with something in them switched, by some of the policies.

    Attributes:
        name: what its scenarios are called after the ``@``.
        change: dotted path in the scenario (``*`` for every key) -> value.
        scenarios: labels of the suite's scenarios.
        policies: labels of the suite's policies.
    """

    name: str
    change: Mapping[str, Any]
    scenarios: tuple[str, ...]
    policies: tuple[str, ...]


@dataclass(frozen=True)
class Suite:
    """A suite. Scores come from its scenarios; ablations only explain them.

    Attributes:
        name, version: together they name the definition; raise the version when it changes.
        environment: id of a registered environment.
        arguments: further arguments of the environment.
        reference: label of the policy that scores are relative to.
        seeds: episodes a scenario; row i of a scenario has seed ``first_seed + i``.
        block: episodes that one job plays side by side.
        scenarios: label -> name, YAML path or mapping.
    """

    name: str
    version: int
    description: str
    environment: str
    arguments: Mapping[str, Any]
    reference: str
    first_seed: int
    seeds: int
    block: int
    policies: tuple[Entry, ...]
    scenarios: Mapping[str, Any]
    ablations: tuple[Ablation, ...]

    def digest(self) -> str:
        """SHA-256 of the definition (hex)."""
        text = json.dumps(asdict(self), sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()

    def entry(self, label: str) -> Entry:
        """The policy with that label."""
        return next(entry for entry in self.policies if entry.label == label)

    def seeds_of(self, label: str) -> int:
        """How many seeds a policy plays in each scenario."""
        few = self.entry(label).seeds
        return self.seeds if few is None else min(few, self.seeds)

    def blocks(self, label: str) -> Iterator[tuple[int, ...]]:
        """The seeds that a policy plays, a block at a time."""
        last = self.first_seed + self.seeds_of(label)
        for first in range(self.first_seed, last, self.block):
            yield tuple(range(first, min(first + self.block, last)))


_KEYS = (
    "name",
    "version",
    "description",
    "environment",
    "arguments",
    "reference",
    "first_seed",
    "seeds",
    "block",
    "policies",
    "scenarios",
    "ablations",
)


def load_suite(given: str | Path | Mapping[str, Any] | Suite) -> Suite:
    """A suite from a mapping or a YAML file.

    Raises:
        InvalidInput: naming the field that is missing, unknown or wrong.
    """
    if isinstance(given, Suite):
        return given
    raw = given if isinstance(given, Mapping) else read_yaml(given, "suite")
    fields = mapping("suite", raw, _KEYS)
    for name in ("name", "environment", "reference", "policies", "scenarios"):
        if name not in fields:
            raise InvalidInput(f"suite.{name}", None, "it has to be given")
    suite = Suite(
        name=text("suite.name", fields["name"]),
        version=integer("suite.version", fields.get("version", 1), low=1),
        description=str(fields.get("description", "")),
        environment=text("suite.environment", fields["environment"]),
        arguments=mapping("suite.arguments", fields.get("arguments") or {}),
        reference=text("suite.reference", fields["reference"]),
        first_seed=integer("suite.first_seed", fields.get("first_seed", FIRST_SEED)),
        seeds=integer("suite.seeds", fields.get("seeds", 16), low=1),
        block=integer("suite.block", fields.get("block", 16), low=1),
        policies=_entries(fields["policies"]),
        scenarios=_scenarios(fields["scenarios"]),
        ablations=_ablations(fields.get("ablations") or []),
    )
    _check_names(suite)
    return suite


def _entries(given: object) -> tuple[Entry, ...]:
    return tuple(
        _entry(f"suite.policies[{i}]", item)
        for i, item in enumerate(sequence("suite.policies", given, "a list of policies"))
    )


def _entry(where: str, given: object) -> Entry:
    if isinstance(given, str):
        return Entry(given, given)
    fields = mapping(where, given, ("name", "label", "options", "seeds"))
    name = text(f"{where}.name", fields.get("name"))
    label = text(f"{where}.label", fields.get("label", name))
    few = fields.get("seeds")
    seeds = None if few is None else integer(f"{where}.seeds", few, low=1)
    return Entry(label, name, mapping(f"{where}.options", fields.get("options") or {}), seeds)


def _scenarios(given: object) -> dict[str, Any]:
    items = sequence("suite.scenarios", given, "a list of scenarios")
    labels: dict[str, Any] = {}
    for i, item in enumerate(items):
        label = _label(f"suite.scenarios[{i}]", item)
        if label in labels:
            raise InvalidInput(f"suite.scenarios[{i}]", label, "each scenario once")
        labels[label] = item
    return labels


def _label(where: str, item: object) -> str:
    if not isinstance(item, str):
        return text(f"{where}.name", mapping(where, item).get("name"))
    return Path(text(where, item)).name.removesuffix(".yaml").removesuffix(".yml")


def _ablations(given: object) -> tuple[Ablation, ...]:
    items = sequence("suite.ablations", given, "a list of ablations")
    return tuple(_ablation(f"suite.ablations[{i}]", item) for i, item in enumerate(items))


def _ablation(where: str, given: object) -> Ablation:
    fields = mapping(where, given, ("name", "change", "scenarios", "policies"))
    names = {
        key: tuple(text(f"{where}.{key}", n) for n in sequence(f"{where}.{key}", fields.get(key)))
        for key in ("scenarios", "policies")
    }
    change = mapping(f"{where}.change", fields.get("change"))
    return Ablation(text(f"{where}.name", fields.get("name")), change, **names)


def _check_names(suite: Suite) -> None:
    labels = [entry.label for entry in suite.policies]
    twice = [label for label in labels if labels.count(label) > 1]
    if twice:
        raise InvalidInput("suite.policies", twice[0], "each label once")
    if suite.reference not in labels:
        raise InvalidInput("suite.reference", suite.reference, f"one of {', '.join(labels)}")
    for i, ablation in enumerate(suite.ablations):
        for label in ablation.policies:
            if label not in labels:
                allowed = f"some of {', '.join(labels)}"
                raise InvalidInput(f"suite.ablations[{i}].policies", label, allowed)
        for label in ablation.scenarios:
            if label not in suite.scenarios:
                allowed = f"some of {', '.join(suite.scenarios)}"
                raise InvalidInput(f"suite.ablations[{i}].scenarios", label, allowed)


def changed(config: Mapping[str, Any], change: Mapping[str, Any]) -> dict[str, Any]:
    """A copy of a scenario's configuration with dotted paths set; ``*`` is every key there.

    Raises:
        InvalidInput: if a path leads through something that is not a mapping.
    """
    result: dict[str, Any] = json.loads(json.dumps(config))
    for path, value in change.items():
        _set(result, path.split("."), value, path)
    return result


def _set(node: object, keys: list[str], value: object, path: str) -> None:
    if not isinstance(node, dict):
        raise InvalidInput("change", path, "a dotted path through mappings of the scenario")
    inside: dict[str, Any] = node  # pyright: ignore[reportUnknownVariableType]
    key, rest = keys[0], keys[1:]
    for name in list(inside) if key == "*" else [key]:
        if rest:
            _set(inside.setdefault(name, {}), rest, value, path)
        else:
            inside[name] = value
