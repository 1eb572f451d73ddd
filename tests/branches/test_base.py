"""What a branch of a user's own gets from the base class."""

import numpy as np
import pandas as pd
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


class RisingBranch(TwiceBranch):
    """Tells what it is given."""

    def _fit(self, X):
        super()._fit(X)
        self.seen = np.asarray(X).tolist()


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


# --- missing rows -----------------------------------------------------------------------------------------------------

GAPS = np.array([[1.0, 2.0], [np.nan, np.nan], [np.nan, 4.0], [5.0, 6.0]])


def test_missing_rows_are_kept_from_a_branch_and_encoded_as_blank():
    branch = RisingBranch().fit(GAPS)
    np.testing.assert_array_equal(branch.seen, GAPS[[0, 2, 3]])
    encoded, missing = branch.encode_with_missing(GAPS)
    np.testing.assert_array_equal(encoded, [[1, 2], [0, 0], [np.nan, 4], [5, 6]])
    np.testing.assert_array_equal(missing, [[False], [True], [False], [False]])
    encoded, missing = branch.encode_with_missing(GAPS[[1, 1]])
    np.testing.assert_array_equal(encoded, np.zeros((2, 2)))
    assert missing.all()


def test_nothing_can_be_learned_from_nothing():
    with pytest.raises(ValueError, match="every cell of the training rows is missing"):
        TwiceBranch().fit(GAPS[[1]])


def test_a_branch_may_find_missing_rows_while_reading():
    class Careful(TwiceBranch):
        def _encode_or_missing(self, X):
            return np.asarray(X, dtype="float32"), np.asarray(X)[:, 0] == 5

    encoded, missing = Careful().fit(GAPS).encode_with_missing(GAPS)
    assert missing[:, 0].tolist() == [False, True, False, True]
    np.testing.assert_array_equal(encoded[3], [0, 0])


# --- shared columns ---------------------------------------------------------------------------------------------------


class SiameseBranch(RisingBranch):
    def __init__(self, hidden=(), shared=True, merge="subtract"):
        super().__init__(hidden)
        self.shared = shared
        self.merge = merge


def test_shared_columns_go_through_one_encoder():
    X = pd.DataFrame({"home": [1.0, 2.0, np.nan], "guest": [5.0, 7.0, 9.0]}, index=list("abc"))
    branch = SiameseBranch(hidden=(3,)).fit(X)
    assert branch.seen == [[1.0], [2.0], [5.0], [7.0], [9.0]]
    assert branch.input_shape_ == (2, 1)
    encoded, missing = branch.encode_with_missing(X)
    np.testing.assert_array_equal(encoded[..., 0], [[1, 5], [2, 7], [0, 9]])
    np.testing.assert_array_equal(missing, [[False, False], [False, False], [True, False]])
    model = branch.build("teams")
    assert model.output_shape == (None, 2, 3)
    swapped = model.predict(encoded[:, ::-1], verbose=0)
    np.testing.assert_allclose(model.predict(encoded, verbose=0)[:, ::-1], swapped, rtol=1e-6)
    with pytest.raises(ValueError, match="expected 2 columns as in training, got 1"):
        branch.encode(X[["home"]])


def test_only_two_columns_can_be_subtracted():
    with pytest.raises(ValueError, match="merge='subtract' takes two columns, got 3"):
        SiameseBranch().fit(np.ones((4, 3)))


@pytest.mark.parametrize("merge", ["subtract", "concatenate"])
def test_a_network_merges_shared_columns(merge):
    X = np.random.default_rng(0).normal(size=(16, 2))
    X[3, 1] = np.nan
    network = MultimodalNetworkRegressor([("pair", SiameseBranch((3,), merge=merge))], head=(), epochs=1)
    network.fit(X, np.arange(16.0))
    assert network.model_.get_layer("pair_merge").output.shape == (None, 3 if merge == "subtract" else 6)
    assert np.isfinite(network.predict(X)).all()
    assert np.isfinite(network.predict(np.full((1, 2), np.nan))).all()
