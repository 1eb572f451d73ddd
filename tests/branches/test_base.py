"""What a branch of a user's own gets from the base class."""

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import Pipeline

from skstack import MultimodalNetworkRegressor
from skstack._backend import keras
from skstack.branches import Branch
from skstack.branches._base import check_no_branch_inside


class TwiceBranch(Branch):
    """The smallest branch that a user can write."""

    def __init__(self, hidden=()):
        self.hidden = hidden

    def _fit(self, X):
        self.cell_shape_, self.input_dtype_ = (X.shape[1],), "float32"

    def _encode(self, X):
        return np.asarray(X, dtype="float32")

    def features(self, inputs):
        return 2.0 * inputs


def test_a_branch_of_ones_own_needs_three_methods():
    X = np.random.default_rng(0).normal(size=(12, 2))
    model = TwiceBranch().fit(X).build("twice")
    np.testing.assert_allclose(model.predict(X, verbose=0), 2 * X, rtol=1e-6)
    network = MultimodalNetworkRegressor([("mine", TwiceBranch(hidden=(3,)))], head=(), epochs=1)
    assert network.fit(X, X[:, 0]).predict(X).shape == (12,)


def test_an_incomplete_branch_cannot_be_made():
    class Incomplete(Branch):
        def _fit(self, X):
            self.cell_shape_ = ()

    with pytest.raises(TypeError, match="abstract"):
        Incomplete()


def test_a_branch_is_found_inside_of_an_estimator():
    with pytest.raises(TypeError, match=r"part 'a' is a TwiceBranch: .*Give it as a part of its own"):
        check_no_branch_inside(TwiceBranch(), "part 'a'")
    with pytest.raises(TypeError, match="part 'a' is a Pipeline with a TwiceBranch"):
        check_no_branch_inside(Pipeline([("inner", TwiceBranch())]), "part 'a'")
    check_no_branch_inside(LinearRegression(), "part 'a'")


# --- something pretrained ---------------------------------------------------------------------------------------------


class HalfTrainedBranch(TwiceBranch):
    """Names a layer that was trained before."""

    def __init__(self, hidden=(), trainable=False, shared=False):
        super().__init__(hidden)
        self.trainable = trainable
        self.shared = shared

    def features(self, inputs):
        return keras.layers.Dense(2, name="trained_before")(inputs)

    def pretrained_layer(self, model):
        return model.get_layer("trained_before")


@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize(("trainable", "n_trained"), [(False, 2), (True, 4), (1, 4), ("trained*", 4)])
def test_what_was_trained_before_is_trained_as_wished(trainable, n_trained, shared):
    branch = HalfTrainedBranch((3,), trainable, shared).fit(np.ones((4, 2)))
    assert len(branch.build("part").trainable_variables) == n_trained


def test_a_choice_of_layers_that_are_not_there_is_refused():
    with pytest.raises(ValueError, match=r"chooses no layer with weights; the last layers are trained_before"):
        HalfTrainedBranch(trainable="other*").fit(np.ones((4, 2))).build("part")
    with pytest.raises(ValueError, match="'trainable' parameter"):
        HalfTrainedBranch(trainable=0).fit(np.ones((4, 2)))
