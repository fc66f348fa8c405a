"""The scenarios of a suite as the evaluation needs them: what to play, and facts to show.

The facts are plain JSON values, so a report can be made from files alone.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from tiergym.evaluation.provenance import profile_name, sources_of
from tiergym.evaluation.suites import Ablation, Suite, changed
from tiergym.scenarios import Scenario, load_scenario


@dataclass(frozen=True)
class Scene:
    """A scenario of a suite, or a variant of one that an ablation plays.

    Attributes:
        label: its name in the suite; variants are called ``scenario@ablation``.
        given: what ``gym.make(..., scenario=given)`` takes.
        digest: of the scenario's configuration.
        policies: labels of the policies that play it.
        base: label of the scenario that it varies; its own label if it is none.
        ablation: name of the ablation, empty for a scenario that scores.
        same_instances: whether the base's seeds are the same instances here.
        facts: see `scenario_facts`.
    """

    label: str
    given: Any
    digest: str
    policies: tuple[str, ...]
    base: str
    ablation: str = ""
    same_instances: bool = True
    facts: Mapping[str, Any] = field(default_factory=dict[str, Any])

    @property
    def scores(self) -> bool:
        """Whether scores are computed on it."""
        return not self.ablation

    def plain(self) -> dict[str, Any]:
        """All of it as JSON values."""
        return asdict(self)


def scenes_of(suite: Suite) -> list[Scene]:
    """Load every scenario of a suite and of its ablations.

    Raises:
        InvalidInput: if a scenario is unknown or wrong.
    """
    everyone = tuple(entry.label for entry in suite.policies)
    loaded = {label: load_scenario(given) for label, given in suite.scenarios.items()}
    scenes = [
        Scene(
            label, suite.scenarios[label], one.digest(), everyone, label, facts=scenario_facts(one)
        )
        for label, one in loaded.items()
    ]
    for ablation in suite.ablations:
        scenes += [_variant(loaded[label], label, ablation) for label in ablation.scenarios]
    return scenes


def _variant(scenario: Scenario, label: str, ablation: Ablation) -> Scene:
    """The scenario changed; unless its arrivals are, under the rate and window that it had.

    So it meets the same instances: a load is relative to the capacity, which a change may move.
    """
    config = changed(scenario.config, ablation.change)
    same = not any(path.startswith("arrivals") for path in ablation.change)
    if same:
        config.pop("tasks", None)
        config["window"] = scenario.window
        config["arrivals"].pop("load", None)
        config["arrivals"]["rate"] = scenario.rate
    name = config["name"] = f"{label}@{ablation.name}"
    variant = load_scenario(config)
    facts = scenario_facts(variant)
    return Scene(
        name, config, variant.digest(), ablation.policies, label, ablation.name, same, facts
    )


def scenario_facts(scenario: Scenario) -> dict[str, Any]:
    """What tables, plots and claims say of a scenario.

    Returns:
        ``description``, ``version``, ``arrivals`` (the process, or the trace without its half),
        ``device`` (see `device_word`), ``load`` (rate over total capacity), ``overload`` (rate
        over the *unbatched* capacity, NaN where that is none), ``rate`` (tasks/s),
        ``report_interval`` (s, None where nobody selects),
        ``window`` (s), ``capacity`` (tasks/s by name), ``deadlines`` and ``popularity`` (by
        network), ``nodes``, ``links``, and ``sources`` (see `tiergym.evaluation.provenance`).
    """
    config, unbatched = scenario.config, scenario.capacity.unbatched
    selection = scenario.system.selection
    return {
        "name": scenario.name,
        "version": scenario.version,
        "description": scenario.description,
        "arrivals": arrivals_word(config["arrivals"]),
        "device": device_word(scenario),
        "load": scenario.load,
        "overload": scenario.rate / unbatched if unbatched > 0.0 else math.nan,
        "rate": scenario.rate,
        "window": scenario.window,
        "capacity": asdict(scenario.capacity),
        "deadlines": _by_network(config, "deadline"),
        "popularity": _by_network(config, "popularity"),
        "nodes": config.get("nodes") or {},
        "links": config.get("links") or {},
        "report_interval": None if selection is None else selection.report_interval,
        "sources": sources_of(config),
    }


def device_word(scenario: Scenario) -> str:
    """The profile of the node that is decided for; of all edges where terminals select."""
    config = scenario.config
    if "edges" in config:
        return ", ".join(dict.fromkeys(profile_name(edge) for edge in config["edges"]))
    return profile_name(list(config["nodes"].values())[scenario.schedule_node])


def arrivals_word(arrivals: Mapping[str, Any]) -> str:
    """One word for how tasks arrive: ``poisson``, ``mmpp``, or a trace without its half."""
    process = str(arrivals.get("process", "trace"))
    trace = arrivals.get("trace")
    if process != "trace":
        return process
    return trace.removesuffix("-a").removesuffix("-b") if isinstance(trace, str) else "trace"


def _by_network(config: Mapping[str, Any], name: str) -> dict[str, Any]:
    networks: Mapping[str, Mapping[str, Any]] = config.get("networks", {})
    return {network: fields.get(name) for network, fields in networks.items()}
