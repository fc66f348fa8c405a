"""Scenarios: everything that a problem fixes, and what instances are drawn from."""

from tiergym.scenarios.capacity import Capacity
from tiergym.scenarios.instance import Instance, check_instance
from tiergym.scenarios.load import load_scenario, scenario_names
from tiergym.scenarios.scenario import Scenario
from tiergym.scenarios.splits import load_split, split_names, split_scenarios
from tiergym.scenarios.system import Cost, System

__all__ = [
    "Capacity",
    "Cost",
    "Instance",
    "Scenario",
    "System",
    "check_instance",
    "load_scenario",
    "load_split",
    "scenario_names",
    "split_names",
    "split_scenarios",
]
