"""What the base class does with the rows of a branch."""

import numpy as np
import pandas as pd
import pytest

from skstack import MultimodalNetworkRegressor
from skstack.branches import Branch


class TwiceBranch(Branch):
    """Tells what it is given, and encodes numbers as they are."""

    def __init__(self, hidden=()):
        self.hidden = hidden

    def _fit(self, X):
        self.cell_shape_, self.input_dtype_ = (X.shape[1],), "float32"
        self.seen = np.asarray(X).tolist()

    def _encode(self, X):
        return np.asarray(X, dtype="float32")

    def features(self, inputs):
        return 2.0 * inputs


# --- missing rows -----------------------------------------------------------------------------------------------------

GAPS = np.array([[1.0, 2.0], [np.nan, np.nan], [np.nan, 4.0], [5.0, 6.0]])


def test_missing_rows_are_kept_from_a_branch_and_encoded_as_blank():
    branch = TwiceBranch().fit(GAPS)
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


class SiameseBranch(TwiceBranch):
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


def test_uses_are_what_stands_in_front_of_a_cell():
    assert TwiceBranch().fit(GAPS).uses == ()
    assert SiameseBranch().fit(GAPS).uses == (2,)
