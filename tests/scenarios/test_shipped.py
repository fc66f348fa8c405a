"""Every shipped scenario draws legal instances, and train and test share nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tiergym.devices import load_device
from tiergym.networks import load_network
from tiergym.scenarios import (
    Scenario,
    check_instance,
    load_scenario,
    load_split,
    scenario_names,
    split_names,
    split_scenarios,
)

NAMES = scenario_names()
PROBLEMS = ("task_scheduling", "exit_placement", "edge_selection")
SCHEDULED = [s for split in ("train", "test") for s in split_scenarios("task_scheduling", split)]


@pytest.mark.parametrize("name", NAMES)
def test_draws_and_redraws(name: str) -> None:
    scenario = load_scenario(name)
    assert scenario.name == name
    assert scenario.description
    for seed in range(5):
        instance = scenario.draw(np.random.default_rng(seed))
        check_instance(scenario.system, instance)
        now = scenario.window * seed / 4.0
        again = scenario.redraw(np.random.default_rng(seed), instance, now, instance.arrival <= now)
        check_instance(scenario.system, again)


@pytest.mark.parametrize("name", SCHEDULED)
def test_load_is_what_the_name_says_and_below_one(name: str) -> None:
    scenario = load_scenario(name)
    assert scenario.load == pytest.approx(float(name.rpartition("-")[2]))
    assert scenario.load <= 0.95


@pytest.mark.parametrize("name", NAMES)
def test_fits_the_default_environment(name: str) -> None:
    system = load_scenario(name).system
    assert system.networks <= 8
    assert system.node_executors.max() <= 4
    assert system.node_batch_max.max() <= 16


@pytest.mark.parametrize("name", NAMES)
def test_what_is_not_measured_is_not_claimed(name: str) -> None:
    """Errors are charged where every network has a measured exit table, and nowhere else."""
    scenario = load_scenario(name)
    measured = scenario.system.network_table >= 0
    assert measured.all() == measured.any() == (scenario.system.cost.error_weight > 0.0)


def test_every_scenario_is_in_a_split() -> None:
    listed: list[str] = []
    for problem in PROBLEMS:
        assert split_names(problem) == ["train", "test"]
        for split in split_names(problem):
            listed += split_scenarios(problem, split)
    assert sorted(listed) == NAMES


def shares(scenarios: list[Scenario]) -> dict[str, set[str]]:
    """What a split uses, by the names of the hardware and of the served networks."""
    kinds = ("device", "network", "trace", "link", "server", "places")
    used: dict[str, set[str]] = {kind: set() for kind in kinds}
    for scenario in scenarios:
        config = scenario.config
        for profile in profiles(config):
            used["device"].add(load_device(profile).device)
        for key, entry in config["networks"].items():
            network = load_network(entry.get("network", key))
            used["network"].add(network.architecture)
        for link in config.get("links", {}).values():
            used["link"].add(str(link.get("profile")))
        used["link"].update(config.get("terminals", {}).get("radios", {}))
        used["places"].add(str(config.get("sites", {}).get("places")))
        for arrivals in (config["arrivals"], *config.get("background", [])):
            if "trace" in arrivals:
                used["trace"].add(arrivals["trace"])
            if "series" in arrivals:
                used["server"].add(arrivals["series"].rpartition("-")[0])
    return used


def profiles(config: dict[str, Any]) -> list[Any]:
    """Device profiles of a configuration, wherever the problem names them."""
    groups = [config.get("terminals", {}), config.get("cloud", {}), *config.get("edges", [])]
    nodes = [*config.get("nodes", {}).values(), *groups]
    return [node["profile"] for node in nodes if "profile" in node]


OWN = {
    "task_scheduling": ("trace",),
    "exit_placement": ("link", "server"),
    "edge_selection": ("link", "server", "places"),
}
"""What a problem's splits share nothing of, beside devices and networks."""


@pytest.mark.parametrize("problem", PROBLEMS)
def test_splits_share_no_device_network_or_trace(problem: str) -> None:
    train, test = (shares(load_split(problem, split)) for split in ("train", "test"))
    for kind in ("device", "network", *OWN[problem]):
        train[kind].discard("None")
        assert train[kind]
        assert test[kind] - {"None"}
        assert not train[kind] & test[kind], kind


@pytest.mark.parametrize("split", ["train", "test"])
def test_each_split_has_every_kind_of_arrivals_and_a_floor(split: str) -> None:
    scenarios = load_split("task_scheduling", split)
    kinds = {s.config["arrivals"]["process"] for s in scenarios}
    assert kinds == {"poisson", "mmpp", "trace"}
    traces = {s.config["arrivals"].get("trace", "")[:10] for s in scenarios} - {""}
    assert traces == {"azure-code", "azure-conv"}
    floor = [s for s in scenarios if s.capacity.local == pytest.approx(s.capacity.unbatched)]
    assert len(floor) == 2
