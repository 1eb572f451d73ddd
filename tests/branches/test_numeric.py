"""Branches of numbers."""

import datetime
import decimal

import numpy as np
import pandas as pd
import pytest

from skstack import MultimodalNetworkRegressor
from skstack._backend import keras
from skstack.branches import NumericBranch
from skstack.branches._layers import Standardize

NAN = np.nan


def _standardized(branch, X, new=None):
    """Return what the sub-network makes of rows before its dense layers."""
    model = branch.set_params(hidden=()).fit(X).build("numbers")
    return model.predict(branch.encode(X if new is None else new), verbose=0)


def _frame(*cells, **kwargs):
    return pd.DataFrame({"a": cells}, **kwargs)


def test_columns_are_standardised_with_statistics_of_the_training_rows():
    X = np.array([[1.0, 100.0], [2.0, 300.0], [6.0, 200.0]])
    scaled = _standardized(NumericBranch(impute=None), X)
    np.testing.assert_allclose(scaled, (X - X.mean(axis=0)) / X.std(axis=0), rtol=1e-5)
    np.testing.assert_allclose(_standardized(NumericBranch(impute=None), X, X.mean(axis=0)[None]), 0, atol=1e-6)


def test_minmax_maps_the_training_rows_to_0_and_1():
    scaled = _standardized(NumericBranch(scale="minmax", impute=None), np.array([[2.0], [4.0], [10.0]]))
    np.testing.assert_allclose(scaled, [[0.0], [0.25], [1.0]], rtol=1e-6)


def test_unscaled_columns_keep_their_units():
    X = np.array([[2.0, 5.0], [4.0, -7.0]])
    np.testing.assert_array_equal(_standardized(NumericBranch(scale=None, impute=None), X), X)


@pytest.mark.parametrize(("impute", "filling"), [("mean", 5.0), ("median", 2.0), ("zero", 0.0)])
def test_gaps_are_filled_as_asked(impute, filling):
    X = np.array([[1.0], [2.0], [12.0], [NAN]])
    branch = NumericBranch(scale=None, impute=impute)
    np.testing.assert_allclose(_standardized(branch, X)[3], [filling, 1.0])
    assert branch.fill_ == [filling]


def test_only_columns_with_gaps_in_training_have_a_flag():
    X = np.array([[1.0, 1.0], [NAN, 2.0], [3.0, 3.0]])
    flags = _standardized(NumericBranch(), X, np.array([[NAN, NAN], [1.0, 1.0]]))[:, 2:]
    np.testing.assert_array_equal(flags, [[1.0, 0.0], [0.0, 0.0]])


def test_no_flags_where_gaps_are_an_error():
    assert _standardized(NumericBranch(impute=None), np.array([[1.0], [2.0]])).shape == (2, 1)


def test_constant_column_is_centred_and_not_blown_up():
    scaled = _standardized(NumericBranch(), np.full((3, 1), 0.1), np.array([[0.1], [1.1]]))
    np.testing.assert_allclose(scaled[:, 0], [0.0, 1.0], atol=1e-6)


def test_column_without_any_number_carries_only_its_flag():
    X = np.array([[NAN, 1.0], [NAN, 2.0]])
    scaled = _standardized(NumericBranch(), X)
    np.testing.assert_allclose(scaled, [[0, -1, 1, 0], [0, 1, 1, 0]], atol=1e-6)


def test_small_differences_of_large_numbers_survive():
    seconds = np.array([[1.7e9], [1.7e9 + 1], [1.7e9 + 2], [1.7e9 + 3]])
    branch = NumericBranch(impute=None)
    model = branch.set_params(hidden=()).fit(seconds).build("numbers")
    scaled = keras.ops.convert_to_numpy(model(branch.encode(seconds)))
    assert branch.input_dtype_ == "float64"
    np.testing.assert_allclose(scaled, (seconds - seconds.mean()) / seconds.std(), rtol=1e-5)
    assert scaled.dtype == "float32"
    assert NumericBranch().fit(np.array([[1.0], [2.0]])).input_dtype_ == "float32"


def test_network_learns_from_small_differences_of_large_numbers():
    seconds = 1.7e9 + np.arange(64.0)[:, None]
    network = MultimodalNetworkRegressor(head=(), epochs=60, early_stopping=False, optimizer__learning_rate=0.05)
    assert network.set_params(random_state=0).fit(seconds, seconds[:, 0] % 64).score(seconds, seconds[:, 0] % 64) > 0.99


def test_skip_joins_the_scaled_columns_to_the_dense_layers():
    X = np.array([[1.0, 4.0], [2.0, 5.0], [4.0, 4.5]])
    branch = NumericBranch(hidden=(3,), skip=True).fit(X)
    outputs = branch.build("numbers").predict(branch.encode(X), verbose=0)
    assert outputs.shape == (3, 4 + 3)
    np.testing.assert_allclose(outputs[:, :4], _standardized(NumericBranch(), X), rtol=1e-6)


def test_skip_without_dense_layers_joins_nothing():
    X = np.array([[1.0, 4.0], [2.0, 5.0]])
    np.testing.assert_array_equal(_standardized(NumericBranch(skip=True), X), _standardized(NumericBranch(), X))


@pytest.mark.parametrize(
    "column",
    [
        [1, None, 3],
        [1.0, NAN, 3.0],
        pd.array([1, None, 3], dtype="Int64"),
        pd.array([1, None, 3], dtype="Float32"),
        pd.array([1, None, 3], dtype="int64[pyarrow]"),
        pd.Series([1, pd.NA, 3], dtype=object),
        pd.Series(["1", None, "3.0"]),
        pd.Categorical([1, None, 3]),
        pd.Series([decimal.Decimal(1), None, decimal.Decimal(3)], dtype=object),
    ],
    ids=["list", "float", "Int64", "Float32", "arrow", "NA", "text", "categorical", "decimal"],
)
def test_numbers_of_every_dtype_are_read(column):
    X = pd.DataFrame({"a": column, "b": [0.5, 1.5, 2.5]})
    encoded = NumericBranch().fit(X).encode(X)
    np.testing.assert_array_equal(encoded, np.array([[1, 0.5], [NAN, 1.5], [3, 2.5]], dtype="float32"))


@pytest.mark.parametrize("column", [[True, False], np.array([True, False]), pd.array([True, False], dtype="boolean")])
def test_booleans_are_0_and_1(column):
    X = pd.DataFrame({"a": column})
    np.testing.assert_array_equal(NumericBranch().fit(X).encode(X), [[1], [0]])


DAY = datetime.date(2020, 1, 1)
MONTHS = pd.period_range("2020-01", periods=2, freq="M")

BAD_CELLS = {
    "text": (_frame(1, "x"), ValueError, r"column 'a' holds the text 'x' in row 1, where a number"),
    "text, index": (_frame(1, "x", index=[7, 8]), ValueError, r"column 'a' .* in row 1 \(index 8\),"),
    "text, label": (_frame(1, "x", index=["p", "q"]), ValueError, r"column 'a' .* in row 1 \(index 'q'\),"),
    "text, NA label": (_frame(1, "x", index=[0, pd.NA]), ValueError, r"column 'a' .* in row 1 \(index <NA>\),"),
    "empty text": (_frame("1", ""), ValueError, r"column 'a' holds the text '' in row 1"),
    "text array": (np.array([["1", "2"], ["3", "y"]]), ValueError, r"column 1 holds the text 'y' in row 1"),
    "infinity": (_frame(1, -np.inf, index=[5, 6]), ValueError, r"infinity: column 'a' in row 1 \(index 6\)"),
    "infinity as text": (_frame("1", "inf"), ValueError, r"infinity: column 'a' in row 1"),
    "infinity, array": (np.array([[1.0, np.inf]]), ValueError, r"infinity: column 1 in row 0"),
    "list": (_frame(1, [1, 2]), TypeError, r"column 'a' holds \[1, 2\] in row 1"),
    "date": (_frame(DAY, DAY), TypeError, r"column 'a' holds datetime.date\(2020, 1, 1\) in row 0"),
    "time": (pd.DataFrame({"a": pd.to_datetime(["2020", "2021"])}), TypeError, r"column 'a' holds dates or times"),
    "duration": (pd.DataFrame({"a": pd.to_timedelta([1, 2])}), TypeError, r"column 'a' holds dates or times"),
    "period": (pd.DataFrame({"a": MONTHS}), TypeError, r"column 'a' holds dates or times"),
    "complex": (np.array([[1j]]), ValueError, r"Complex data not supported: column 0"),
    "images": (np.zeros((2, 3, 3)), ValueError, r"table of numbers with 2 dimensions, .* shape \(2, 3, 3\)"),
}


@pytest.mark.parametrize(("X", "error", "message"), BAD_CELLS.values(), ids=list(BAD_CELLS))
def test_bad_cells_are_named(X, error, message):
    with pytest.raises(error, match=message):
        NumericBranch().fit(X)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("large", [1e39, 1e200, -1e308])
def test_numbers_beyond_float32_are_named(large):
    X = pd.DataFrame({"a": [1.0, 2.0, 3.0], "b": [1.0, 2.0, large]}, index=[4, 5, 6])
    with pytest.raises(ValueError, match=r"column 'b' holds .* in row 2 \(index 6\): too large for float32"):
        NumericBranch().fit(X).encode(X)


def test_missing_numbers_are_an_error_without_imputation():
    X = pd.DataFrame({"a": [1.0, 2.0], "b": [1.0, NAN]}, index=["p", "q"])
    branch = NumericBranch(impute=None)
    assert not branch.allow_missing
    with pytest.raises(ValueError, match=r"NaN: column 'b' in row 1 \(index 'q'\), and impute=None"):
        branch.fit(X)
    with pytest.raises(ValueError, match="NaN: column 1 in row 1"):
        branch.fit(np.array([[1.0, 2.0]])).encode(X.to_numpy())


@pytest.mark.parametrize(("parameter", "value"), [("scale", "robust"), ("impute", "mode"), ("skip", "no")])
def test_unknown_settings_are_refused(parameter, value):
    with pytest.raises(ValueError, match=f"'{parameter}' parameter of NumericBranch"):
        NumericBranch(**{parameter: value}).fit(np.zeros((2, 1)))


def test_statistics_are_weights_that_training_leaves_alone():
    model = NumericBranch().fit(np.array([[1.0], [3.0]])).build("numbers")
    layer = model.get_layer("standardize")
    assert isinstance(layer, Standardize)
    assert not layer.trainable_variables
    assert float(layer.center[0]) == 2.0
