"""Stacks: base models, cross-fitting, and a final estimator on top."""
