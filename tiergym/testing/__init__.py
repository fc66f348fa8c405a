"""Checks that users can run on their own scenarios and environments."""

from tiergym.testing.vector_env import check_vector_env, legal_actions

__all__ = ["check_vector_env", "legal_actions"]
