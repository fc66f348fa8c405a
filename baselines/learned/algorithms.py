"""Which algorithms there are, and the policy that each builds for an environment.

The policy depends on plain values only, so that a record of them rebuilds it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import sb3_contrib
import stable_baselines3
import torch
from gymnasium import spaces

from baselines.learned.policies import MaskablePlainPolicy, MaskableRowPolicy, RowPolicy
from baselines.learned.row_network import RowFeatures
from baselines.learned.scaling import Scaled
from baselines.learned.tables import tables_of
from baselines.learned.timed import TimedMaskableRolloutBuffer, TimedRolloutBuffer
from tiergym.errors import InvalidInput
from tiergym.fields import closest, flag, integer, mapping, sequence


@dataclass(frozen=True)
class Algorithm:
    """An algorithm of Stable-Baselines3 or sb3-contrib.

    Attributes:
        make: its class.
        row_policy: its policy over rows, None where the algorithm has no logits of actions.
        masked: whether illegal actions are masked; otherwise the environment takes the lowest
            legal one instead, in training as in use.
        timed_buffer: its rollout buffer that discounts by seconds, None where it keeps a replay.
    """

    make: Any
    row_policy: Any
    masked: bool
    timed_buffer: Any


ALGORITHMS: dict[str, Algorithm] = {
    "maskable_ppo": Algorithm(
        sb3_contrib.MaskablePPO, MaskableRowPolicy, True, TimedMaskableRolloutBuffer
    ),
    "ppo": Algorithm(stable_baselines3.PPO, RowPolicy, False, TimedRolloutBuffer),
    "a2c": Algorithm(stable_baselines3.A2C, RowPolicy, False, TimedRolloutBuffer),
    "dqn": Algorithm(stable_baselines3.DQN, None, False, None),
    "qrdqn": Algorithm(sb3_contrib.QRDQN, None, False, None),
}

NETWORKS = ("plain", "row-features", "rows")
"""Layers on all fields; a features extractor with shared rows before such; rows up to the logits"""


def algorithm_of(name: object) -> Algorithm:
    """The algorithm of that name.

    Raises:
        InvalidInput: if there is none.
    """
    if name not in ALGORITHMS:
        allowed = f"one of {', '.join(ALGORITHMS)}{closest(name, ALGORITHMS)}"
        raise InvalidInput("algo.name", name, allowed)
    return ALGORITHMS[str(name)]


@dataclass(frozen=True)
class Spaces:
    """What a policy is built for: plain values.

    Attributes:
        env_id: registered id of the environment.
        fields: what the policy sees, name -> width, in their order.
        actions: number of actions.
    """

    env_id: str
    fields: Mapping[str, int]
    actions: int

    @property
    def observation(self) -> spaces.Box:
        """Flat observations (without bounds, which no policy uses)."""
        return spaces.Box(-np.inf, np.inf, (sum(self.fields.values()),), np.float32)


def policy_of(algo: str, network: Mapping[str, Any], of: Spaces) -> tuple[Any, dict[str, Any]]:
    """The policy that an algorithm is given, and its keyword arguments.

    Args:
        algo: name of an algorithm.
        network: ``kind`` (one of `NETWORKS`), ``hidden`` width of layers shared by rows, ``layers``
            widths of plain ones, ``critic`` whether the value has rows of its own, ``quantiles`` of
            qrdqn.
        of: what it is built for.

    Raises:
        InvalidInput: naming what is wrong.
    """
    algorithm = algorithm_of(algo)
    given = mapping("network", network, ("kind", "hidden", "layers", "critic", "quantiles"))
    kind = given.get("kind")
    if kind not in NETWORKS:
        allowed = f"one of {', '.join(NETWORKS)}{closest(kind, NETWORKS)}"
        raise InvalidInput("network.kind", kind, allowed)
    hidden = integer("network.hidden", given.get("hidden", 64), low=1)
    if kind == "rows":
        return _row_policy(
            algo, algorithm, hidden, flag("network.critic", given.get("critic", False)), of
        )
    layers = [
        integer(f"network.layers[{k}]", width, low=1)
        for k, width in enumerate(sequence("network.layers", given.get("layers", [64, 64])))
    ]
    plain = MaskablePlainPolicy if algorithm.masked else "MlpPolicy"
    more: dict[str, Any] = {"activation_fn": torch.nn.ReLU, "net_arch": layers}
    if algo == "qrdqn":
        more["n_quantiles"] = integer("network.quantiles", given.get("quantiles", 50), low=1)
    if kind == "plain":
        extractor = {"fields": dict(of.fields)}
        return plain, _with(more, Scaled, extractor)
    tables = tables_of(of.env_id, of.fields, of.actions)
    extractor = {"fields": dict(of.fields), "tables": tables, "hidden": hidden}
    return plain, _with(more, RowFeatures, extractor)


def _row_policy(
    algo: str, algorithm: Algorithm, hidden: int, critic: bool, of: Spaces
) -> tuple[Any, dict[str, Any]]:
    if algorithm.row_policy is None:
        able = [name for name, one in ALGORITHMS.items() if one.row_policy is not None]
        allowed = f"plain or row-features with {algo}; rows with {', '.join(able)}"
        raise InvalidInput("network.kind", "rows", allowed)
    tables = tables_of(of.env_id, of.fields, of.actions)
    given = {"fields": dict(of.fields), "tables": tables, "hidden": hidden, "critic": critic}
    return algorithm.row_policy, given


def _with(more: dict[str, Any], extractor: type[Any], given: dict[str, Any]) -> dict[str, Any]:
    return {
        **more,
        "features_extractor_class": extractor,
        "features_extractor_kwargs": given,
    }


def build_policy(algo: str, network: Mapping[str, Any], of: Spaces) -> torch.nn.Module:
    """The policy alone, as an algorithm would build it, to load weights into."""
    algorithm = algorithm_of(algo)
    policy, given = policy_of(algo, network, of)
    made = algorithm.make.policy_aliases[policy] if isinstance(policy, str) else policy
    return made(of.observation, spaces.Discrete(of.actions), lambda _: 0.0, **given)
