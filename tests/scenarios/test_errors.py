"""Every wrong field gives one error that names it, what was given and what is allowed."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.scenarios.examples import PLAIN, THREE_TIERS, example
from tiergym.errors import InvalidInput
from tiergym.scenarios import load_scenario, load_split, split_names

NAN, INF = float("nan"), float("inf")
WRONG = [
    # (changes to PLAIN, field, part of the message)
    ({"nodess": {}}, "nodess", "did you mean 'nodes'"),
    ({"seed_note": "1 to 9"}, "seed_note", "one of name, version"),
    ({"nodes": {}}, "nodes", "at least one node"),
    ({"nodes": ...}, "nodes", "None"),
    ({"nodes": [1]}, "nodes", "a mapping"),
    ({"networks": ...}, "networks", "None"),
    ({"networks": {}}, "networks", "popularity > 0"),
    ({"arrivals": ...}, "arrivals", "process"),
    ({"version": 0}, "version", ">= 1"),
    ({"version": 1.5}, "version", "1.5"),
    ({"name": ""}, "name", "text"),
    ({"problem": "scheduling"}, "problem", "task_scheduling"),
    ({"features": "float64"}, "features", "float32"),
    ({"schedule": "devise"}, "schedule", "did you mean 'device'"),
    ({"window": -1}, "window", "> 0"),
    ({"window": NAN}, "window", "nan"),
    ({"window": "20 s"}, "window", "'20 s'"),
    ({"tasks": 100}, "window", "only one of tasks and window"),
    ({"window": ...}, "tasks", "window in seconds"),
    ({"window": ..., "tasks": 10}, "arrivals", "20 to"),
    ({"window": 1e9}, "arrivals", "expected tasks"),
    ({"nodes__device__tier": "fog"}, "nodes.device.tier", "terminal, edge, cloud"),
    ({"nodes__device__tier": ...}, "nodes.device.tier", "None"),
    ({"nodes__device__profile": ...}, "nodes.device.profile", "device profile"),
    ({"nodes__device__profile": "titan-x-pascal-nexsu"}, "nodes.device.profile", "did you mean"),
    ({"nodes__device__profile": "no/such.yaml"}, "nodes.device.profile", "no/such.yaml"),
    ({"nodes__device__executors": 0}, "nodes.device.executors", ">= 1"),
    ({"nodes__device__executors": 1e9}, "nodes.device.executors", "4096"),
    ({"nodes__device__batch_max": 2.5}, "nodes.device.batch_max", "2.5"),
    ({"nodes__device__batch_max": 9}, "nodes.device.profile", "1 to 8, as known"),
    ({"nodes__device__batch_maks": 9}, "nodes.device.batch_maks", "did you mean 'batch_max'"),
    ({"nodes__device__memory_bytes": 10}, "nodes.device.memory_bytes", "at least"),
    ({"nodes__device__memory_bytes": "12 GB"}, "nodes.device.memory_bytes", "'12 GB'"),
    ({"nodes__device__memory_bytes": "12 GB"}, "nodes.device.memory_bytes", "profile, or bytes"),
    ({"nodes__device__memory_bytes": "profile"}, "nodes.device.memory_bytes", "'device' states no"),
    ({"nodes__device__discipline": "lifo"}, "nodes.device.discipline", "fcfs"),
    ({"nodes__device__rank": ["tiny"]}, "nodes.device.rank[0]", "small"),
    ({"nodes__device__rank": ["small", "small"]}, "nodes.device.rank[1]", "once"),
    ({"nodes__device__profile__networks__small": -1}, "profile.networks.small", ">= 0"),
    ({"nodes__device__profile__networks__small": 0}, "nodes.device.profile", "seconds > 0"),
    ({"nodes__device__profile__networks__small": "4 ms"}, "networks.small", "'4 ms'"),
    ({"nodes__device__profile__networks__small": ...}, "nodes.device.profile", "one of large"),
    ({"links__uplink__source": "upper"}, "links.uplink.target", "higher tier"),
    ({"links__uplink__target": "uper"}, "links.uplink.target", "did you mean 'upper'"),
    ({"links__uplink__target": ...}, "links.uplink.target", "None"),
    ({"links__uplink__bandwidth": "30 Mbit/s"}, "links.uplink.bandwidth", "'30 Mbit/s'"),
    ({"links__uplink__bandwidth": 0}, "links.uplink.bandwidth", "> 0"),
    ({"links__uplink__bandwidth": ...}, "links.uplink.bandwidth", "Mbit/s"),
    ({"links__uplink__bandwidth": {"ar1": {}}}, "links.uplink.bandwidth.ar1.median", "Mbit/s"),
    ({"links__uplink__bandwidth": {"ar1": {"median": 1, "step": 1e-9}}}, "bandwidth", "changes"),
    ({"links__uplink__rtt": -0.1}, "links.uplink.rtt", ">= 0"),
    ({"links__uplink__profile": "lt"}, "links.uplink.profile", "did you mean 'lte'"),
    ({"links__uplink__packing": 1}, "links.uplink.packing", "true or false"),
    ({"links__uplink__package_max": 0}, "links.uplink.package_max", "> 0"),
    ({"links__uplink__delay": 1}, "links.uplink.delay", "one of"),
    ({"networks__small__popularity": -1}, "networks.small.popularity", ">= 0"),
    ({"networks__small__deadline": 0}, "networks.small.deadline", "> 0"),
    ({"networks__small__input_bytes": "20 kB"}, "networks.small.input_bytes", "'20 kB'"),
    ({"networks__small__placement": [0]}, "networks.small.placement", "p1"),
    ({"networks__small__placement": [1, 0]}, "networks.small.placement", "p1 <= p2"),
    ({"networks__small__placement": [0, 2]}, "networks.small.placement", "<= 1"),
    ({"networks__small__placement": "all"}, "networks.small.placement", "whole"),
    ({"networks__small__thresholds": [0.5]}, "networks.small.thresholds", "at p1"),
    ({"networks__small__network": "vgg61"}, "networks.small.network", "did you mean 'vgg16'"),
    ({"networks__alexnet": {}}, "networks.alexnet", "one of"),
    ({"networks__small__exits": "no/such.npz"}, "networks.small.exits", "no/such.npz"),
    ({"arrivals__rate": -5}, "arrivals.rate", "> 0"),
    ({"arrivals__process": "pareto"}, "arrivals.process", "poisson"),
    ({"arrivals__origin": "phone"}, "arrivals.origin", "device"),
    ({"arrivals__trace": [1, 2]}, "arrivals.trace", "one of"),
    ({"arrivals": {"process": "trace", "trace": "no/such.csv"}}, "arrivals.trace", "no/such.csv"),
    ({"arrivals": {"process": "trace", "trace": [1, 0]}}, "arrivals.trace[1]", "not before"),
    ({"arrivals": {"trace": [0, *[9] * 99], "rate": 9}, "window": 5}, "window", "without a task"),
    ({"background": [{"network": "small"}]}, "background[0].node", "device"),
    ({"background": [{"node": "upper", "network": "x"}]}, "background[0].network", "small"),
    ({"background": {"node": "upper"}}, "background", "a list"),
    ({"cost": {"late_wait": 1}}, "cost.late_wait", "did you mean 'late_weight'"),
    ({"cost": {"delay_weight": -1}}, "cost.delay_weight", ">= 0"),
    ({"cost": {"delay_weight": 0}}, "cost", "above zero"),
]


@pytest.mark.parametrize(("changes", "field", "inside"), WRONG, ids=lambda value: str(value)[:40])
def test_wrong_fields(changes: dict[str, object], field: str, inside: str) -> None:
    with pytest.raises(InvalidInput, match=re.escape(inside)) as caught:
        load_scenario(example(PLAIN, **changes))
    assert field in caught.value.field
    assert str(caught.value).startswith(caught.value.field + ": got ")


def test_two_uplinks() -> None:
    second = {"source": "phone", "target": "cloud", "bandwidth": 1}
    with pytest.raises(InvalidInput, match="no other link") as caught:
        load_scenario(example(THREE_TIERS, links__second=second))
    assert caught.value.field == "links.second.source"


@pytest.mark.parametrize(
    ("changes", "names"),
    [
        ({"networks__net__placement": ..., "schedule": "edge"}, "phone"),
        ({"networks__net__placement": [0, 3], "schedule": "phone"}, "edge"),
        ({"networks__net__placement": [0, 3], "schedule": "cloud"}, "edge"),
        ({"networks__net__placement": [1, 3], "schedule": "cloud"}, "phone, edge"),
        ({"networks__net__placement": [0, 0], "schedule": ...}, "cloud"),
        # every task leaves at the head after block 1, or at the one after block 2
        ({"networks__net__thresholds": [0.0, 0.7], "schedule": "cloud"}, "phone"),
        ({"networks__net__thresholds": [0.8, 0.0], "schedule": "cloud"}, "phone, edge"),
    ],
)
def test_the_scheduled_node_is_one_that_tasks_reach(changes: dict[str, Any], names: str) -> None:
    legal = example(THREE_TIERS, schedule="phone")
    with pytest.raises(InvalidInput) as caught:
        load_scenario(example(legal, **changes))
    assert caught.value.field == "schedule"
    assert caught.value.allowed == f"a node whose queue some task reaches: {names}"
    for name in names.split(", "):
        load_scenario(example(legal, **changes | {"schedule": name}))


def test_a_network_that_nobody_asks_for_reaches_no_node() -> None:
    fields = THREE_TIERS["networks"]["net"]
    network = {"name": "net"} | {key: fields[key] for key in ("input_bytes", "blocks", "exits")}
    placed = {"above": {"network": network, "placement": [0, 3]}, "here": {"network": network}}
    base = example(THREE_TIERS, schedule="edge", networks=placed)
    load_scenario(example(base, networks__above__popularity=0.1))
    with pytest.raises(InvalidInput, match="reaches: phone"):
        load_scenario(example(base, networks__above__popularity=0))


def test_thresholds_are_asked_for() -> None:
    with pytest.raises(InvalidInput, match="confidence") as caught:
        load_scenario(example(THREE_TIERS, networks__net__thresholds=...))
    assert caught.value.field == "networks.net.thresholds"


@pytest.mark.parametrize(
    "given", [3, None, [1, 2], "titan-x-cod-0.80", "no/such.yaml", Path("none.yaml"), "train"]
)
def test_wrong_scenarios(given: object) -> None:
    with pytest.raises(InvalidInput, match="scenario"):
        load_scenario(given)


def test_unknown_name_gets_the_closest() -> None:
    with pytest.raises(InvalidInput, match=r"did you mean 'titan-x-code-0\.80'"):
        load_scenario("titan-x-cod-0.80")


def test_wrong_splits() -> None:
    with pytest.raises(InvalidInput, match="did you mean 'train'"):
        load_split("task_scheduling", "trian")
    with pytest.raises(InvalidInput, match="task_scheduling"):
        split_names("scheduling")


@pytest.mark.parametrize(
    ("text", "inside"),
    [
        ("nodes: [", "YAML"),
        ("- 1\n", "mapping"),
        ("", "mapping"),
        ("window: 1\nwindow: 2\n", "each key once"),
    ],
)
def test_wrong_yaml(tmp_path: Path, text: str, inside: str) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    with pytest.raises(InvalidInput, match=inside):
        load_scenario(path)


@pytest.mark.parametrize(
    ("value", "inside"),
    [
        (b"bytes", "numbers, text"),
        ({1, 2}, "numbers, text"),
        (object(), "numbers, text"),
        (10**400, "whole numbers"),
        ("a\0b", "null"),
        (1j, "numbers, text"),
    ],
)
def test_values_that_json_lacks(value: object, inside: str) -> None:
    with pytest.raises(InvalidInput, match=inside) as caught:
        load_scenario(example(PLAIN, links__uplink__rtt=value))
    assert caught.value.field == "links.uplink.rtt"


def test_endless_nesting() -> None:
    loop: list[object] = []
    loop.append(loop)
    with pytest.raises(InvalidInput, match="levels"):
        load_scenario(example(PLAIN, background=loop))


def test_a_file_that_a_scenario_names_is_named_in_the_error(tmp_path: Path) -> None:
    (tmp_path / "trace.csv").write_text("1\n2\n1.5\n")
    given = example(PLAIN, arrivals={"process": "trace", "trace": "trace.csv"}, window=...)
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump(given))
    with pytest.raises(InvalidInput, match=r"trace\.csv row 3"):
        load_scenario(tmp_path / "mine.yaml")
