"""Policies for ``tiergym/TaskScheduling-v0``, one a file; files with an underscore are shared."""
