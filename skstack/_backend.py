"""Keras, imported in one place, without TensorFlow's start-up messages.

TensorFlow prints about devices and CPU instructions before its logger can be told not to, so the level has to be in the
environment before the import. A level that the user has set is left as it is.
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras

__all__ = ["keras"]
