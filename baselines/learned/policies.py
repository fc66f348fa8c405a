"""Policy classes of Stable-Baselines3 for the algorithms that have logits of actions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gymnasium import spaces
from sb3_contrib.common.maskable.policies import MaskableActorCriticPolicy
from stable_baselines3.common.policies import ActorCriticPolicy
from stable_baselines3.common.type_aliases import Schedule
from torch import nn

from baselines.learned.masked import MaskedCategorical
from baselines.learned.row_network import RowHeads
from baselines.learned.tables import Tables

FIRST_GAIN = 0.01
"""Small last weights: the first policy is nearly uniform over what is legal."""


class MaskablePlainPolicy(MaskableActorCriticPolicy):
    """sb3-contrib's policy with `MaskedCategorical`."""

    def _build(self, lr_schedule: Schedule) -> None:
        assert isinstance(self.action_space, spaces.Discrete)
        self.action_dist = MaskedCategorical(int(self.action_space.n))
        super()._build(lr_schedule)


class _Rows:
    """Mixed into an actor-critic policy, whose further keyword arguments it takes too.

    Args:
        fields: what is observed, name -> width. tables: how it falls into rows.
        hidden: width of the layers. critic: whether the value has a network of its own.
    """

    def __init__(
        self,
        *args: Any,
        fields: Mapping[str, int],
        tables: Tables,
        hidden: int = 64,
        critic: bool = False,
        **kwargs: Any,
    ) -> None:
        self._heads = (fields, tables, hidden, critic)
        super().__init__(*args, **kwargs)

    def _build_mlp_extractor(self: Any) -> None:
        self.mlp_extractor = RowHeads(*self._heads)

    def _build(self: Any, lr_schedule: Schedule) -> None:
        super()._build(lr_schedule)  # pyright: ignore[reportAttributeAccessIssue]
        self.action_net = nn.Identity()
        for layer in (self.mlp_extractor.scores, self.mlp_extractor.first):
            if layer is not None:
                self.init_weights(layer, FIRST_GAIN)
        # Made anew: the first one holds the weights of the action net that is not used.
        self.optimizer = self.optimizer_class(
            self.parameters(), lr=lr_schedule(1.0), **self.optimizer_kwargs
        )


class RowPolicy(_Rows, ActorCriticPolicy):
    """For PPO and A2C."""


class MaskableRowPolicy(_Rows, MaskablePlainPolicy):
    """For MaskablePPO."""
