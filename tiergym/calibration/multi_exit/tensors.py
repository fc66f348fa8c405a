"""The few functions of torch that it gives no types for, with types."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, cast

import torch
from numpy.typing import NDArray
from torch import Tensor

_torch: Any = torch


def tensor_of(array: NDArray[Any]) -> Tensor:
    """A tensor on the array's own memory."""
    return cast(Tensor, _torch.from_numpy(array))


def backward(loss: Tensor) -> None:
    """Add the gradients of ``loss``."""
    cast(Any, loss).backward()


def numbers_of(tensor: Tensor) -> list[float]:
    """A one-dimensional tensor as a list."""
    return cast("list[float]", cast(Any, tensor).tolist())


@contextmanager
def seeded(seed: int) -> Generator[None, None, None]:
    """Draw from ``seed`` inside; torch's generator goes on afterwards as if nothing had been."""
    before: Tensor = _torch.get_rng_state()
    _torch.manual_seed(seed)
    try:
        yield
    finally:
        _torch.set_rng_state(before)
