"""Caches: what is computed once, in memory and on disk."""
