"""Benchmarks: one file per area, each a ratio against a peer in the same run; see ``python -m benchmarks --help``."""
