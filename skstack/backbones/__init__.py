"""Backbones: pretrained models, found, scaled for, cut and frozen."""
