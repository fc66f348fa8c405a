"""Policies of ``tiergym/ExitPlacement-v0``, one a file."""
