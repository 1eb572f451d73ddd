"""The dense layers that branches end with, and a branch of a user's own."""

import numpy as np
import pandas as pd
import pytest

from skstack import MultimodalNetworkRegressor
from skstack._backend import keras
from skstack.branches import Branch
from skstack.branches._base import activation_layer, check_activation, check_units, dense_layers


@pytest.mark.parametrize(("units", "expected"), [(4, (4,)), ([4, 2], (4, 2)), (np.array([3]), (3,)), ((), ())])
def test_units_are_a_tuple(units, expected):
    checked = check_units(units, "hidden")
    assert checked == expected
    assert all(type(n) is int for n in checked)


@pytest.mark.parametrize("units", [0, (4, -1), (2.5,), "ab", (4, None), True, (True,), (4, False)])
def test_units_that_no_layer_can_have_are_refused(units):
    with pytest.raises(ValueError, match="'head' should be a tuple of positive integers"):
        check_units(units, "head")


@pytest.mark.parametrize("name", ["relu", "linear", "gelu", "tanh", "prelu", "leaky_relu"])
def test_known_activations_pass(name):
    check_activation(name)


def test_unknown_activation_says_which_are_known():
    message = r"unknown activation 'rellu'. Did you mean 'relu'\? Known are \[.*'prelu', 'relu'"
    with pytest.raises(ValueError, match=message):
        check_activation("rellu")


def test_activation_that_learns_is_a_layer_of_its_own():
    assert isinstance(activation_layer("prelu", "a"), keras.layers.PReLU)
    assert isinstance(activation_layer("tanh", "a"), keras.layers.Activation)


def test_dense_layers_stand_in_order():
    inputs = keras.Input((3,))
    model = keras.Model(inputs, dense_layers(inputs, (4, 2), "relu", 0.5, True, prefix="head"))
    expected = [f"head_{number}{part}" for number in (1, 2) for part in ("", "_norm", "_relu", "_dropout")]
    assert [layer.name for layer in model.layers[1:]] == expected
    assert model.get_layer("head_2_dropout").rate == 0.5


def test_no_dense_layers_leave_the_features_as_they_are():
    inputs = keras.Input((3,))
    assert dense_layers(inputs, (), "relu", 0.5, True, prefix="head") is inputs


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
