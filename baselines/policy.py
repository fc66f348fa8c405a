"""What a policy is, and the errors that its options get. No policy lives here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

from numpy.typing import NDArray

from tiergym.errors import InvalidInput

Observation = Mapping[str, NDArray[Any]]
State = tuple[NDArray[Any], ...] | None


@runtime_checkable
class Policy(Protocol):
    """Stable-Baselines3's ``predict``, on the observations of one environment or of n rows.

    ``predict`` returns an integer action for a single observation (fields are one-dimensional) and
    int64[n] for the observations of a vector environment (fields have a leading axis of n rows).
    What is remembered from decision to decision is in ``state``: give back what the last call
    returned, and say in ``episode_start`` (bool[n]) which rows begin a new episode.

    A policy that draws has ``seed(seeds)`` too, one seed a row, called before each episode.
    """

    @property
    def privileged(self) -> bool:
        """Whether it reads what is hidden from others, such as the true future."""
        ...

    def predict(
        self,
        observation: Observation,
        state: Any = None,
        episode_start: Any = None,
        deterministic: bool = False,
    ) -> tuple[Any, Any]:
        """Actions of all rows, and the state to give to the next call."""
        ...


@dataclass(frozen=True)
class Entry:
    """How a registered name is built: ``build(env, **options)``.

    Tuned values and the caller's own options are laid over ``options``, in this order.
    """

    build: Callable[..., Policy]
    options: Mapping[str, Any] = field(default_factory=dict[str, Any])


def check_number(field_name: str, value: Any, low: float, allowed: str) -> float:
    """``value`` as a float, or `InvalidInput` unless it is a number of at least ``low``."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not value >= low:
        raise InvalidInput(field_name, value, allowed)
    return float(value)


def check_flag(field_name: str, value: Any) -> bool:
    """``value``, or `InvalidInput` unless it is a bool."""
    if not isinstance(value, bool):
        raise InvalidInput(field_name, value, "true or false")
    return value
