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
{more}
heavy = ("keras", "tensorflow", "scikeras", "jax", "torch", "polars")
print([name for name in heavy if name in sys.modules])
"""


SEARCH = """
from sklearn.linear_model import LinearRegression, Ridge
from skstack import MultimodalStackingRegressor
from skstack.model_selection import GridSearchCV
X = np.random.default_rng(0).normal(size=(40, 2))
stack = MultimodalStackingRegressor([("ridge", Ridge()), ("linear", LinearRegression())], cv=2)
search = GridSearchCV(stack, {"ridge__alpha": [0.1, 10.0]}, cv=2).fit(X, X[:, 0])
search.predict(X)
"""


def _loaded_by(code):
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300, check=True)
    return done.stdout


def test_imports_and_plain_branches_load_no_keras():
    assert _loaded_by(QUIET.format(more="")) == "[]\n"


def test_a_search_over_a_stack_of_learners_loads_no_keras():
    assert _loaded_by(QUIET.format(more=SEARCH)) == "[]\n"
