"""The Gymnasium environments; importing `tiergym` registers them."""

from __future__ import annotations

import gymnasium as gym

ENVIRONMENTS = {
    "tiergym/TaskScheduling-v0": "tiergym.envs.task_scheduling",
    "tiergym/ExitPlacement-v0": "tiergym.envs.exit_placement",
    "tiergym/EdgeSelection-v0": "tiergym.envs.edge_selection",
}
"""Package of each registered id; it holds ``env`` and ``vector_env``."""


def register() -> None:
    """Register every environment that is not registered yet."""
    for name, package in ENVIRONMENTS.items():
        if name not in gym.registry:
            stem = package.rsplit(".", 1)[1].title().replace("_", "")
            gym.register(  # pyright: ignore[reportUnknownMemberType]
                name,
                entry_point=f"{package}.env:{stem}Env",
                vector_entry_point=f"{package}.vector_env:{stem}VectorEnv",
            )
