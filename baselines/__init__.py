"""Reference policies for the environments of tiergym, and the commands that compare them."""

from baselines.policy import Entry, Policy
from baselines.registry import make_policy, policy_names

__all__ = ["Entry", "Policy", "make_policy", "policy_names"]
