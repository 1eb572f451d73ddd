"""Branches of categories."""

import warnings

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from skstack import MultimodalNetworkRegressor
from skstack.branches import CategoricalBranch

MISSING, UNSEEN = 0, 1


def _frame(cells, **kwargs):
    return pd.DataFrame({"a": cells}, **kwargs)


def _codes(training, new):
    return CategoricalBranch().fit(_frame(training)).encode(_frame(new)).ravel().tolist()


INTERVALS = pd.interval_range(0, 3)

# Each a column of two categories with a gap, and a column of: the second, the first, an unseen one, a gap.
COLUMNS = {
    "object": (np.array(["x", "y", None], dtype=object), np.array(["y", "x", "z", None], dtype=object)),
    "str": (pd.Series(["x", "y", None], dtype="str"), pd.Series(["y", "x", "z", None], dtype="str")),
    "string": (pd.array(["x", "y", None], dtype="string"), pd.array(["y", "x", "z", None], dtype="string")),
    "arrow": (pd.array(["x", None, "y"], dtype="string[pyarrow]"), pd.array(["y", "x", "z", None], dtype="string")),
    "category": (pd.Categorical(["x", "y", None]), pd.Categorical(["y", "x", "z", None])),
    "ints": ([1, 2, None], [2, 1, 3, None]),
    "Int64": (pd.array([1, 2, None], dtype="Int64"), pd.array([2, 1, 3, None], dtype="Int64")),
    "booleans": ([False, True, None], [True, False, "unknown", None]),
    "intervals": (pd.cut([0.5, 1.5, np.nan], INTERVALS), pd.cut([1.5, 0.5, 2.5, np.nan], INTERVALS)),
    "times": (pd.to_datetime(["2020", "2021", None]), pd.to_datetime(["2021", "2020", "2022", None])),
    "tuples": (pd.Series([(1, 2), (3, 4), None]), pd.Series([(3, 4), (1, 2), (5, 6), None])),
    "empty text": (["", "y", pd.NA], ["y", "", " ", np.nan]),
    "bytes": ([b"x", b"y", None], [b"y", b"x", b"z", None]),
}


@pytest.mark.filterwarnings("ignore:column 'a' of a CategoricalBranch holds dates:UserWarning")
@pytest.mark.parametrize("training", [training for training, _ in COLUMNS.values()], ids=list(COLUMNS))
def test_categories_are_the_values_themselves(training):
    categories = CategoricalBranch().fit(_frame(training)).categories_[0]
    known = [cell for cell in _frame(training)["a"].astype(object) if not pd.isna(cell)]
    assert categories.dtype == object
    assert categories.tolist() == sorted(known)


@pytest.mark.filterwarnings("ignore:column 'a' of a CategoricalBranch holds dates:UserWarning")
@pytest.mark.parametrize(("training", "new"), COLUMNS.values(), ids=list(COLUMNS))
def test_seen_unseen_and_missing_have_codes_of_their_own(training, new):
    assert _codes(training, new) == [3, 2, UNSEEN, MISSING]


def test_arrays_are_read_like_tables():
    branch = CategoricalBranch().fit(np.array([["x", 1], ["y", 2]], dtype=object))
    np.testing.assert_array_equal(branch.encode(np.array([["y", 1], ["z", None]], dtype=object)), [[3, 6], [1, 4]])
    branch = CategoricalBranch().fit(np.array([[1.5], [np.nan]]))
    np.testing.assert_array_equal(branch.encode(np.array([[np.nan], [1.5], [2.0]])), [[0], [2], [1]])


def test_integers_that_became_floats_are_the_same_categories():
    assert _codes([1, 2], [2.0, np.nan, 1.0, 3.5]) == [3, MISSING, 2, UNSEEN]


def test_numbers_are_not_their_texts():
    assert _codes([1, 2], ["1", 2]) == [UNSEEN, 3]


def test_types_may_be_mixed():
    branch = CategoricalBranch().fit(_frame([1, "a", None, 2.5]))
    assert sorted(map(str, branch.categories_[0])) == ["1", "2.5", "a"]
    codes = branch.encode(_frame(["a", 2.5, 1, "b"])).ravel()
    assert set(codes[:3]) == {2, 3, 4}
    assert codes[3] == UNSEEN


def test_categories_are_sorted_whatever_the_order_of_the_rows():
    assert CategoricalBranch().fit(_frame(["c", "a", "b"])).categories_[0].tolist() == ["a", "b", "c"]


def test_columns_share_one_table_without_overlap():
    X = pd.DataFrame({"a": ["x", "y"], "b": ["x", "x"], "c": [1, 2]})
    codes = CategoricalBranch().fit(X).encode(X)
    np.testing.assert_array_equal(codes, [[2, 4 + 2, 7 + 2], [3, 4 + 2, 7 + 3]])
    other = pd.DataFrame({"a": [None], "b": ["z"], "c": [None]})
    np.testing.assert_array_equal(CategoricalBranch().fit(X).encode(other), [[0, 4 + 1, 7]])


def test_gaps_of_several_kinds_are_missing():
    cells = np.array(["x", None, np.nan, pd.NA, pd.NaT, "y"], dtype=object)
    assert _codes(cells, cells) == [2, MISSING, MISSING, MISSING, MISSING, 3]
    of_arrow = pd.Series(pd.arrays.ArrowExtensionArray(pa.array([1.0, float("nan"), None, 2.0])))
    assert _codes(of_arrow, of_arrow) == [2, MISSING, MISSING, 3]


def test_rare_categories_count_as_unseen():
    branch = CategoricalBranch(min_frequency=2).fit(_frame(["x", "x", "y", "z", None]))
    assert branch.categories_[0].tolist() == ["x"]
    assert branch.encode(_frame(["x", "y", "w", None])).ravel().tolist() == [2, UNSEEN, UNSEEN, MISSING]


def _features(branch, X, new):
    model = branch.fit(X).build("place")
    # Every weight away from 0, so that what stays 0 was silenced and did not happen to be 0.
    return model.predict(branch.encode(new), verbose=0)


@pytest.mark.parametrize("encoding", ["embedding", "onehot"])
def test_codes_without_training_rows_contribute_nothing(encoding):
    X = pd.DataFrame({"a": ["x", "y", "x"], "b": ["u", None, "v"]})
    strange = pd.DataFrame({"a": ["x", None, "z"], "b": ["new", None, "u"]})
    branch = CategoricalBranch(encoding=encoding, dim=3)
    features = _features(branch, X, strange)
    used = np.abs(features).reshape(3, -1) > 0
    if encoding == "embedding":
        contributes = used.reshape(3, 2, 3).all(axis=2), used.reshape(3, 2, 3).any(axis=2)
        expected = [[True, False], [False, True], [False, True]]
        np.testing.assert_array_equal(contributes[0], expected)
        np.testing.assert_array_equal(contributes[1], expected)
    else:
        # a: missing, unseen, x, y; b: missing, unseen, u, v.
        expected = np.array([[0, 0, 1, 0, 0, 0, 0, 0], [0, 0, 0, 0, 1, 0, 0, 0], [0, 0, 0, 0, 0, 0, 1, 0]])
        np.testing.assert_array_equal(features, expected)


@pytest.mark.parametrize("encoding", ["embedding", "onehot"])
def test_codes_without_training_rows_contribute_nothing_after_training(encoding):
    X = _frame(["x", "y"] * 8)
    branch = CategoricalBranch(encoding=encoding, dim=2)
    network = MultimodalNetworkRegressor([("place", branch)], head=(), epochs=2, early_stopping=False, random_state=0)
    network.fit(X, [1.0, 5.0] * 8)
    missing, unseen, seen = network.predict(_frame([None, "z", "x"]))
    bias = float(network.model_.get_layer("output_standardized").bias[0])
    assert missing == unseen == pytest.approx(3.0 + 2.0 * bias, rel=1e-5)
    assert seen != missing


def test_min_frequency_trains_the_code_of_unseen_categories():
    branch = CategoricalBranch(min_frequency=2, dim=3)
    features = _features(branch, _frame(["x", "x", "y"]), _frame(["new", None]))
    assert np.all(features[0] != 0)
    np.testing.assert_array_equal(features[1], 0)


def test_onehot_indicates_each_category():
    X = _frame(["x", "y", None])
    features = _features(CategoricalBranch(encoding="onehot"), X, X)
    np.testing.assert_array_equal(features, [[0, 0, 1, 0], [0, 0, 0, 1], [1, 0, 0, 0]])


@pytest.mark.parametrize(("n", "dim"), [(2, 2), (9, 8), (16, 8), (1000, 50)])
def test_length_of_vectors_follows_the_number_of_categories(n, dim):
    branch = CategoricalBranch().fit(pd.DataFrame({"a": range(n), "b": [0] * n}))
    assert branch.build("place").output_shape == (None, 2 * dim)


def test_length_of_vectors_can_be_chosen():
    assert CategoricalBranch(dim=7).fit(_frame(["x"])).build("place").output_shape == (None, 7)


@pytest.mark.parametrize("encoding", ["embedding", "onehot"])
def test_a_column_of_gaps_is_no_error(encoding):
    X = _frame([None, None])
    assert np.isfinite(_features(CategoricalBranch(encoding=encoding), X, _frame(["x", None]))).all()


@pytest.mark.parametrize("cell", [[1], {"k": 1}, np.array([1, 2])], ids=["list", "dict", "array"])
def test_cells_that_are_no_category_are_named(cell):
    X = _frame(["x", "y"], index=["p", "q"])
    bad = _frame(pd.Series(["x", cell], index=["p", "q"], dtype=object))
    message = r"column 'a' holds .* in row 1 \(index 'q'\), which is no category"
    with pytest.raises(TypeError, match=message):
        CategoricalBranch().fit(bad)
    with pytest.raises(TypeError, match=message):
        CategoricalBranch().fit(X).encode(bad)


def test_images_are_no_categories():
    with pytest.raises(ValueError, match=r"table of categories with 2 dimensions, got an array of shape \(2, 3, 3\)"):
        CategoricalBranch().fit(np.zeros((2, 3, 3)))


@pytest.mark.parametrize(("parameter", "value"), [("encoding", "target"), ("dim", 0), ("min_frequency", 0)])
def test_unknown_settings_are_refused(parameter, value):
    with pytest.raises(ValueError, match=f"'{parameter}' parameter of CategoricalBranch"):
        CategoricalBranch(**{parameter: value}).fit(_frame(["x"]))


# --- dates ------------------------------------------------------------------------------------------------------------

DAYS = pd.date_range("2020-01-01", periods=20)


@pytest.mark.parametrize(
    "column",
    [
        pd.Series(DAYS),
        pd.Series(DAYS.date, dtype=object),
        pd.Series(DAYS.to_period("D")),
        pd.Series(DAYS).astype("timestamp[us][pyarrow]"),
        pd.Series([*DAYS[:19], DAYS[0]]),
        pd.Series([*DAYS[:10], *[None] * 10]),
    ],
    ids=["times", "objects", "periods", "arrow", "one of them twice", "gaps"],
)
def test_dates_that_hardly_ever_come_again_are_warned_of(column):
    X = pd.DataFrame({"size": ["s", "m"] * 10, "sold": column})
    with pytest.warns(
        UserWarning, match=r"column 'sold' of a CategoricalBranch holds dates .*Give them a DateBranch.*month"
    ):
        branch = CategoricalBranch().fit(X)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        branch.encode(X.head(1))


@pytest.mark.parametrize("column", [DAYS[:5].repeat(4), pd.Series(map(str, DAYS)), range(20), [pd.NaT] * 20], ids=str)
def test_dates_that_come_again_and_other_categories_are_not_warned_of(column):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        CategoricalBranch().fit(_frame(column))
