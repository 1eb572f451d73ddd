"""Fixtures of all tests of backbones."""

from _backbones import features_folder, passed

__all__ = ["features_folder", "passed"]
