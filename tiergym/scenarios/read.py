"""Reading a scenario's mapping into a `ScenarioSpec`: every wrong field is refused here."""

from __future__ import annotations

from dataclasses import replace

from tiergym.errors import InvalidInput
from tiergym.fields import integer, mapping, number, text
from tiergym.networks import FEATURE_BYTES
from tiergym.scenarios.placing import check_placing
from tiergym.scenarios.read_background import node_index, read_background
from tiergym.scenarios.read_networks import read_networks
from tiergym.scenarios.read_nodes import check_ranks, read_links, read_nodes
from tiergym.scenarios.read_selecting import SELECTING, SELECTING_KEYS, read_selecting
from tiergym.scenarios.spec import Parts, ScenarioSpec
from tiergym.scenarios.system import Cost
from tiergym.scenarios.words import ARRIVALS, NETWORKS, choice, required
from tiergym.workload import Arrivals, parse_arrivals

PROBLEMS = ("task_scheduling", "exit_placement", SELECTING)
COMMON_KEYS = (
    "name",
    "version",
    "description",
    "problem",
    "networks",
    "arrivals",
    "tasks",
    "window",
    "features",
    "background",
    "cost",
)
KEYS = (*COMMON_KEYS, "nodes", "links", "schedule", "interval_seconds")
"""Of the problems whose nodes and links are named one by one."""
_COST_KEYS = ("delay_weight", "error_weight", "late_weight", "energy_weight", "refusal_seconds")


def read_scenario(given: dict[str, object]) -> ScenarioSpec:
    """Read plain values (see `tiergym.scenarios.plain`) field by field.

    Raises:
        InvalidInput: naming the dotted field, what was given and what is allowed.
    """
    problem = choice("problem", given.get("problem", PROBLEMS[0]), PROBLEMS)
    selects = problem == SELECTING
    record = mapping("", given, (*COMMON_KEYS, *SELECTING_KEYS) if selects else KEYS)
    parts = read_selecting(record) if selects else _nodes_and_links(record)
    check_ranks(parts.nodes, [network.name for network in parts.networks])
    tasks, window = _length(record, parts.arrivals)
    features = choice("features", record.get("features", "float32"), FEATURE_BYTES)
    served = [replace(each, network=each.network.under(features)) for each in parts.networks]
    interval = record.get("interval_seconds")
    spec = ScenarioSpec(
        name=text("name", record.get("name", "unnamed")),
        version=integer("version", record.get("version", 1), "versions", low=1),
        description=_description(record.get("description")),
        problem=problem,
        nodes=parts.nodes,
        links=parts.links,
        networks=tuple(served),
        arrivals=parts.arrivals,
        origin=parts.origin,
        tasks=tasks,
        window=window,
        features=features,
        background=parts.background,
        cost=_cost(record.get("cost")),
        refusal_given="refusal_seconds" in mapping("cost", record.get("cost") or {}),
        schedule=parts.schedule,
        interval_seconds=_interval("interval_seconds", interval),
        selecting=parts.selecting,
    )
    check_placing(spec)
    return spec


def _interval(field: str, value: object) -> float | None:
    return None if value is None else number(field, value, "seconds", above=0.0)


def _description(value: object) -> str:
    return "" if value is None else text("description", value)


def _nodes_and_links(record: dict[str, object]) -> Parts:
    """Where every node and link is named."""
    nodes = read_nodes(required(record, "nodes", "a mapping of node names to nodes"))
    networks = read_networks(required(record, "networks", NETWORKS))
    given = mapping("arrivals", required(record, "arrivals", ARRIVALS))
    origin = given.pop("origin", nodes[0].name)
    first = node_index("arrivals.origin", origin, nodes)
    schedule = record.get("schedule")
    return Parts(
        nodes=nodes,
        links=read_links(record.get("links"), nodes),
        networks=networks,
        arrivals=parse_arrivals("arrivals", given),
        origin=first,
        background=read_background(record.get("background"), nodes, networks),
        schedule=first if schedule is None else node_index("schedule", schedule, nodes),
    )


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
