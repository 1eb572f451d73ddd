"""Fusion: how the feature vectors of several branches become one."""
