"""Reading a scenario's mapping into a `ScenarioSpec`: every wrong field is refused here."""

from __future__ import annotations

import math
from dataclasses import replace

from tiergym.errors import InvalidInput
from tiergym.fields import integer, mapping, number, sequence, text
from tiergym.networks import FEATURE_BYTES
from tiergym.scenarios.placing import check_placing
from tiergym.scenarios.read_networks import read_networks
from tiergym.scenarios.read_nodes import check_ranks, read_links, read_nodes
from tiergym.scenarios.spec import BackgroundSpec, NetworkSpec, NodeSpec, ScenarioSpec
from tiergym.scenarios.system import Cost
from tiergym.scenarios.words import choice
from tiergym.workload import Arrivals, parse_arrivals

PROBLEMS = ("task_scheduling", "exit_placement")
KEYS = (
    "name",
    "version",
    "description",
    "problem",
    "nodes",
    "links",
    "networks",
    "arrivals",
    "tasks",
    "window",
    "features",
    "background",
    "cost",
    "schedule",
    "interval_seconds",
)
_COST_KEYS = ("delay_weight", "error_weight", "late_weight", "energy_weight", "refusal_seconds")


def read_scenario(given: dict[str, object]) -> ScenarioSpec:
    """Read plain values (see `tiergym.scenarios.plain`) field by field.

    Raises:
        InvalidInput: naming the dotted field, what was given and what is allowed.
    """
    record = mapping("", given, KEYS)
    nodes = read_nodes(_required(record, "nodes", "a mapping of node names to nodes"))
    networks = read_networks(_required(record, "networks", "a mapping of network names"))
    check_ranks(nodes, [network.name for network in networks])
    arrivals, origin = _arrivals(record, nodes)
    tasks, window = _length(record, arrivals)
    features = choice("features", record.get("features", "float32"), FEATURE_BYTES)
    networks = tuple(replace(each, network=each.network.under(features)) for each in networks)
    schedule = record.get("schedule")
    problem = choice("problem", record.get("problem", PROBLEMS[0]), PROBLEMS)
    interval = record.get("interval_seconds")
    spec = ScenarioSpec(
        name=text("name", record.get("name", "unnamed")),
        version=integer("version", record.get("version", 1), "versions", low=1),
        description=_description(record.get("description")),
        problem=problem,
        nodes=nodes,
        links=read_links(record.get("links"), nodes),
        networks=networks,
        arrivals=arrivals,
        origin=origin,
        tasks=tasks,
        window=window,
        features=features,
        background=_background(record.get("background"), nodes, networks),
        cost=_cost(record.get("cost")),
        refusal_given="refusal_seconds" in mapping("cost", record.get("cost") or {}),
        schedule=origin if schedule is None else node_index("schedule", schedule, nodes),
        interval_seconds=_interval("interval_seconds", interval),
    )
    check_placing(spec)
    return spec


def _interval(field: str, value: object) -> float | None:
    return None if value is None else number(field, value, "seconds", above=0.0)


def node_index(field: str, value: object, nodes: tuple[NodeSpec, ...]) -> int:
    """Index of the node of that name."""
    names = [node.name for node in nodes]
    return names.index(choice(field, value, names))


def _description(value: object) -> str:
    return "" if value is None else text("description", value)


def _required(record: dict[str, object], key: str, allowed: str) -> object:
    if record.get(key) is None:
        raise InvalidInput(key, None, allowed)
    return record[key]


def _arrivals(record: dict[str, object], nodes: tuple[NodeSpec, ...]) -> tuple[Arrivals, int]:
    given = mapping("arrivals", _required(record, "arrivals", "a mapping with a process"))
    origin = given.pop("origin", nodes[0].name)
    return parse_arrivals("arrivals", given), node_index("arrivals.origin", origin, nodes)


def _length(record: dict[str, object], arrivals: Arrivals) -> tuple[float | None, float | None]:
    tasks, window = record.get("tasks"), record.get("window")
    if tasks is not None and window is not None:
        raise InvalidInput("window", window, "only one of tasks and window")
    if tasks is not None:
        return number("tasks", tasks, "expected number of tasks", above=0.0, high=1e9), None
    if window is not None:
        return None, number("window", window, "seconds", above=0.0)
    if arrivals.rate is None and arrivals.load is None:
        return None, None
    raise InvalidInput("tasks", None, "tasks (expected number), or window in seconds")


def _cost(value: object) -> Cost:
    record = mapping("cost", value or {}, _COST_KEYS)
    defaults = Cost()
    values = {
        key: number(f"cost.{key}", record.get(key, getattr(defaults, key)), _unit(key), low=0.0)
        for key in _COST_KEYS
    }
    if not any(value for key, value in values.items() if key.endswith("weight")):
        raise InvalidInput("cost", record, "some weight above zero")
    return Cost(**values)


def _unit(key: str) -> str:
    return "seconds" if key == "refusal_seconds" else "weight"


def _background(
    value: object, nodes: tuple[NodeSpec, ...], networks: tuple[NetworkSpec, ...]
) -> tuple[BackgroundSpec, ...]:
    rows = sequence("background", value or [], "a list of mappings")
    return tuple(
        _background_entry(f"background[{k}]", row, nodes, networks) for k, row in enumerate(rows)
    )


def _background_entry(
    field: str, value: object, nodes: tuple[NodeSpec, ...], networks: tuple[NetworkSpec, ...]
) -> BackgroundSpec:
    record = mapping(field, value)
    node = node_index(f"{field}.node", record.pop("node", None), nodes)
    names = [network.name for network in networks]
    name = choice(f"{field}.network", record.pop("network", None), names)
    arrivals = parse_arrivals(field, record)
    if arrivals.load is not None and not arrivals.load < math.inf:
        raise InvalidInput(f"{field}.load", arrivals.load, "a finite load")
    title = f"background:{name}@{nodes[node].name}"
    return BackgroundSpec(title, node, names.index(name), arrivals)
