"""Public names that are loaded when asked for."""

import subprocess
import sys

import pytest

import skstack
import skstack.branches
import skstack.preprocessing
import skstack.training
from skstack._lazy import attach

PACKAGES = [skstack, skstack.branches, skstack.preprocessing, skstack.training]


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.__name__)
def test_every_public_name_can_be_had(package):
    assert package.__all__ == sorted(package.__all__)
    for name in package.__all__:
        assert getattr(package, name) is not None
    assert set(package.__all__) <= set(dir(package))


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.__name__)
def test_unknown_names_are_an_attribute_error(package):
    with pytest.raises(AttributeError, match=f"module '{package.__name__}' has no attribute 'Nothing'"):
        package.Nothing  # noqa: B018 - the access is what is tested


def test_a_name_is_an_object_or_a_module():
    getter, lister, public = attach("skstack", {"tensor_column": ".reading._tensors", "branches": ".branches"})
    assert getter("tensor_column") is skstack.preprocessing.tensor_column
    assert getter("branches") is skstack.branches
    assert lister() == public == ["branches", "tensor_column"]


QUIET = """
import sys
import skstack, skstack.branches, skstack.preprocessing, skstack.datasets, skstack.training
from skstack.branches import CategoricalBranch, ImageBranch, ModelBranch, NumericBranch
from skstack.preprocessing import tensor_column
import numpy as np
tensor_column(np.zeros((2, 3)))
repr([CategoricalBranch(), ImageBranch(), ModelBranch(print), NumericBranch()])
print(sorted({"keras", "tensorflow", "scikeras", "jax", "torch", "polars"} & set(sys.modules)))
"""


def test_imports_and_plain_branches_load_no_keras():
    done = subprocess.run([sys.executable, "-c", QUIET], capture_output=True, text=True, timeout=300, check=True)
    assert done.stdout == "[]\n"
