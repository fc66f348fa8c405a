"""Evaluation: play policies, keep records, compare with intervals, and show what was found.

The files build on one another in this order: `acting` and `rollout` play; `suites`, `scenes` and
`provenance` say what is played; `records`, `jobs`, `pool` and `runner` play a suite and keep the
results; `statistics`, `results` and `claims` judge them; `summary`, `terminal` and `report` show
them.
Nothing here knows a policy by its class: they are given, or made by a function that is given.
"""

from tiergym.evaluation.acting import Policy, PolicyLike
from tiergym.evaluation.rollout import Episode, play, rollout

__all__ = ["Episode", "Policy", "PolicyLike", "play", "rollout"]
