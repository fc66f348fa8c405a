"""A categorical distribution over legal actions, with one normalisation where sb3-contrib has four.

The same probabilities as `MaskableCategoricalDistribution`; half the time of a rollout went there.
"""

from __future__ import annotations

from typing import Any

import torch
from sb3_contrib.common.maskable.distributions import MaskableCategoricalDistribution
from torch import Tensor

ILLEGAL = -1e8
"""Logit of an illegal action: finite, so that its probability is 0 and no gradient is NaN."""


class MaskedCategorical(MaskableCategoricalDistribution):
    """Log probabilities are made when they are first asked for, after the mask is known."""

    def __init__(self, action_dim: int) -> None:
        super().__init__(action_dim)
        self._logits: Tensor = torch.empty(0)
        self._mask: Tensor | None = None
        self._logs: Tensor | None = None

    def proba_distribution(self, action_logits: Tensor) -> MaskedCategorical:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Begin with float32[n, A] logits of which all are legal."""
        self._logits, self._mask, self._logs = action_logits, None, None
        return self

    def apply_masking(self, masks: Any) -> None:
        """Let only the actions of bool[n, A] be taken; None for all."""
        self._logs = self._mask = None
        if masks is not None:
            mask = torch.as_tensor(masks, dtype=torch.bool, device=self._logits.device)
            self._mask = mask.reshape(self._logits.shape)

    @property
    def logs(self) -> Tensor:
        """float32[n, A], log probabilities."""
        if self._logs is None:
            legal = self._logits
            if self._mask is not None:
                legal = legal.masked_fill(~self._mask, ILLEGAL)
            self._logs = torch.log_softmax(legal, -1)
        return self._logs

    def log_prob(self, actions: Tensor) -> Tensor:
        """float32[n], of int64[n] actions."""
        return self.logs.gather(1, actions.long().reshape(-1, 1))[:, 0]

    def entropy(self) -> Tensor:
        """float32[n], in nats; illegal actions have no share in it."""
        return -(self.logs.exp() * self.logs).sum(-1)

    def sample(self) -> Tensor:
        """int64[n], by the least of exponential times at rates that are the probabilities."""
        times = torch.empty_like(self.logs).exponential_()
        return (self.logs - times.log()).argmax(-1)

    def mode(self) -> Tensor:
        """int64[n], the likeliest; the lowest of equals."""
        return self.logs.argmax(-1)
