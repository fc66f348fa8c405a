"""Benchmarks: each prints a ratio against a peer that runs in the same process. No test."""
