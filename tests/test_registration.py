"""Our Keras layers are registered wherever Keras is loaded beside skstack, whichever comes first."""

import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

import skstack
from skstack._registration import LAYER_MODULES

REGISTERED = "print(*sorted(name for name in keras.saving.get_custom_objects() if name.startswith('skstack>')))"


def _decorated():
    """Yield every class of the package that is to be registered, and its module."""
    package = Path(skstack.__file__).parent
    for path in package.rglob("*.py"):
        source = path.read_text(encoding="utf-8")
        for name in re.findall(r"register_keras_serializable\(.*\)\nclass (\w+)", source):
            yield name, ".".join(path.relative_to(package.parent).with_suffix("").parts)


def _printed(code):
    """Return the words that code prints in a new process, on the backend of Keras that is imported the fastest."""
    # Keras's NumPy backend imports JAX.
    fastest = {"KERAS_BACKEND": "numpy"} if find_spec("jax") else {}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120, env=os.environ | fastest
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_every_module_with_layers_is_listed():
    assert {module for _, module in _decorated()} == set(LAYER_MODULES)


@pytest.mark.parametrize(
    "imports",
    [
        "import skstack, keras",
        "import keras, skstack",
        "from skstack import MultimodalNetworkRegressor; import keras",
        "import importlib.util, skstack; importlib.util.find_spec('keras'); import keras",
    ],
)
def test_layers_are_registered_in_whatever_order_packages_are_imported(imports):
    assert _printed(f"{imports}; {REGISTERED}") == sorted(f"skstack>{name}" for name, _ in _decorated())


def test_keras_keeps_its_own_loader():
    code = "import skstack, keras; print(type(keras.__spec__.loader).__name__, type(keras.__loader__).__name__)"
    alone = code.replace("skstack, ", "")
    assert _printed(code) == _printed(alone)


def test_looking_for_keras_does_not_import_it():
    code = "import importlib.util, sys, skstack; print(importlib.util.find_spec('keras').name, 'keras' in sys.modules)"
    assert _printed(code) == ["keras", "False"]
