"""A process that was forked after TensorFlow had been used says so at once, rather than to wait for ever."""

import os
import subprocess
import sys

import pytest

from skstack._backend import keras

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="Windows has no fork"),
    pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="it is TensorFlow that hangs in a fork"),
]

SETTING = """
import os, pickle, signal
import numpy as np
from skstack import KerasRegressor, MultimodalNetworkRegressor, MultimodalStackingRegressor
from skstack.branches import ImageBranch, NumericBranch

X = np.arange(40.0).reshape(20, 2)
y = X.sum(axis=1)

def network():
    return MultimodalNetworkRegressor([("numbers", NumericBranch(hidden=(4,)))], epochs=1)

def forked(name, function):
    # A child that hangs is ended by its alarm, so that it cannot keep the test waiting.
    if child := os.fork():
        if os.waitpid(child, 0)[1]:
            print(name, "hangs", flush=True)
        return
    signal.alarm(60)
    try:
        function()
        print(name, "works", flush=True)
    except RuntimeError as error:
        print(name, error, flush=True)
    finally:
        os._exit(0)
"""

AFTER_USE = """
fitted = network().fit(X, y)
called = network().fit(X, y)
called.predict(X)
pickled = pickle.dumps(fitted)
template = MultimodalNetworkRegressor(epochs=1)
stack = MultimodalStackingRegressor([("numbers", NumericBranch(hidden=(4,)))], network=template, cv=2).fit(X, y)
forked("predict", lambda: called.predict(X))
forked("first predict", lambda: fitted.predict(X))
forked("fit", lambda: network().fit(X, y))
forked("partial_fit", lambda: fitted.partial_fit(X, y))
forked("load", lambda: pickle.loads(pickled))
forked("predict of a stack", lambda: stack.predict(X))
forked("fit of a stack", lambda: stack.fit(X, y))
"""

AFTER_A_MODEL = """
import keras
from skstack.preprocessing import ImageEmbedder

layers = [keras.Input((4, 4, 3)), keras.layers.Flatten()]
model = keras.Sequential(layers)
pictures = np.zeros((20, 4, 4, 3), dtype="uint8")
embedder = ImageEmbedder(model, preprocess=None).fit(pictures)
unlike = pictures + np.arange(20, dtype="uint8")[:, None, None, None]
forked("fit", lambda: network().fit(X, y))
forked("transform", lambda: embedder.transform(unlike))
forked("fit of a Keras model", lambda: KerasRegressor(lambda: model, loss="mse").fit(X, y))
"""

BEFORE_USE = """
import skstack._backend
forked("fit", lambda: network().fit(X, y).predict(X))
"""


def _lines(code):
    done = subprocess.run([sys.executable, "-c", SETTING + code], capture_output=True, text=True, timeout=500)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.mark.parametrize(("code", "n_ways"), [(AFTER_USE, 7), (AFTER_A_MODEL, 3)], ids=["fitted", "model built"])
def test_a_fork_after_tensorflow_was_used_is_refused(code, n_ways):
    lines = _lines(code)
    assert len(lines) == n_ways
    for line in lines:
        assert "TensorFlow was used before this process was forked" in line
        assert "spawn" in line
        assert "loky" in line


def test_a_fork_works_where_tensorflow_was_only_imported():
    assert _lines(BEFORE_USE) == ["fit works"]
