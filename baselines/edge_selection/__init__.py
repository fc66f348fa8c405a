"""Policies of ``tiergym/EdgeSelection-v0``, one a file; files with an underscore are shared."""
