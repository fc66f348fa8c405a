"""tiergym: serving deep networks across terminals, edge servers and the cloud, as decisions.

Importing it registers the environments. The names here are the public ones.
"""

from tiergym.engine import TaskLog
from tiergym.envs import register
from tiergym.errors import InvalidInput
from tiergym.evaluation.rollout import rollout
from tiergym.scenarios import Instance, Scenario, load_scenario

__version__ = "0.1.0"

register()

__all__ = [
    "Instance",
    "InvalidInput",
    "Scenario",
    "TaskLog",
    "load_scenario",
    "rollout",
]
