"""Branches of numbers."""

import datetime
import decimal
import tracemalloc

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.linear_model import LinearRegression

from skstack import MultimodalNetworkRegressor
from skstack._backend import keras
from skstack.branches import NumericBranch, _column_statistics
from skstack.branches._layers import Standardize
from skstack.reading._sparse_rows import SparseRows
from skstack.training import _engine

NAN = np.nan


def _plain(*args, **params):
    """Return a branch that does nothing but standardise columns, where nothing else is said."""
    return NumericBranch(*args, **{"scale": "standard", "embedding": None, "dropout": 0.0, **params})


def _standardized(branch, X, new=None):
    """Return what the sub-network makes of rows before its dense layers."""
    model = branch.set_params(hidden=()).fit(X).build("numbers")
    return model.predict(branch.encode(X if new is None else new), verbose=0)


def _frame(*cells, **kwargs):
    return pd.DataFrame({"a": cells}, **kwargs)


def test_columns_are_standardised_with_statistics_of_the_training_rows():
    X = np.array([[1.0, 100.0], [2.0, 300.0], [6.0, 200.0]])
    scaled = _standardized(_plain(impute=None), X)
    np.testing.assert_allclose(scaled, (X - X.mean(axis=0)) / X.std(axis=0), rtol=1e-5)
    np.testing.assert_allclose(_standardized(_plain(impute=None), X, X.mean(axis=0)[None]), 0, atol=1e-6)


def test_minmax_maps_the_training_rows_to_0_and_1():
    scaled = _standardized(_plain(scale="minmax", impute=None), np.array([[2.0], [4.0], [10.0]]))
    np.testing.assert_allclose(scaled, [[0.0], [0.25], [1.0]], rtol=1e-6)


def test_robust_scaling_takes_median_and_quartiles_and_bends_what_is_far_off():
    X = np.array([[0.0], [1.0], [2.0], [3.0], [4.0]])
    new = np.array([[2.0], [4.0], [-4.0], [1e30], [-1e30]])
    bent = np.array([0.0, 1.0, -3.0])
    scaled = _standardized(_plain(scale="robust", impute=None), X, new)[:, 0]
    np.testing.assert_allclose(scaled[:3], bent / np.sqrt(1 + (bent / 3) ** 2), rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(scaled[3:], [3.0, -3.0], rtol=1e-5)


def test_an_outlier_of_the_training_rows_leaves_robust_scaling_alone():
    X = np.append(np.arange(20.0), 1e6)[:, None]
    robust = _standardized(_plain(scale="robust", impute=None), X)
    assert np.ptp(robust[:20]) > 1.0
    assert np.ptp(_standardized(_plain(impute=None), X)[:20]) < 1e-3


def test_robust_scaling_of_a_column_with_few_other_values_takes_its_range():
    X = np.array([[0.0]] * 8 + [[4.0]])
    scaled = _standardized(_plain(scale="robust", impute=None), X)[-1]
    np.testing.assert_allclose(scaled, 2 / np.sqrt(1 + (2 / 3) ** 2), rtol=1e-5)


def test_robust_scaling_leaves_flags_alone():
    X = np.array([[1.0], [NAN], [3.0]])
    np.testing.assert_array_equal(_standardized(_plain(scale="robust"), X)[:, 1], [0.0, 1.0, 0.0])


def test_unscaled_columns_keep_their_units():
    X = np.array([[2.0, 5.0], [4.0, -7.0]])
    np.testing.assert_array_equal(_standardized(_plain(scale=None, impute=None), X), X)


@pytest.mark.parametrize(("impute", "filling"), [("mean", 5.0), ("median", 2.0), ("zero", 0.0)])
def test_gaps_are_filled_as_asked(impute, filling):
    X = np.array([[1.0], [2.0], [12.0], [NAN]])
    branch = _plain(scale=None, impute=impute)
    np.testing.assert_allclose(_standardized(branch, X)[3], [filling, 1.0])
    assert branch.fill_ == [filling]


def test_only_columns_with_gaps_in_training_have_a_flag():
    X = np.array([[1.0, 1.0], [NAN, 2.0], [3.0, 3.0]])
    flags = _standardized(_plain(), X, np.array([[NAN, NAN], [1.0, 1.0]]))[:, 2:]
    np.testing.assert_array_equal(flags, [[1.0, 0.0], [0.0, 0.0]])


def test_no_flags_where_gaps_are_an_error():
    assert _standardized(_plain(impute=None), np.array([[1.0], [2.0]])).shape == (2, 1)


def test_constant_column_is_centred_and_not_blown_up():
    scaled = _standardized(_plain(), np.full((3, 1), 0.1), np.array([[0.1], [1.1]]))
    np.testing.assert_allclose(scaled[:, 0], [0.0, 1.0], atol=1e-6)


def test_column_without_any_number_carries_only_its_flag():
    X = np.array([[NAN, 1.0], [NAN, 2.0]])
    scaled = _standardized(_plain(), X)
    np.testing.assert_allclose(scaled, [[0, -1, 1, 0], [0, 1, 1, 0]], atol=1e-6)


def test_small_differences_of_large_numbers_survive():
    seconds = np.array([[1.7e9], [1.7e9 + 1], [1.7e9 + 2], [1.7e9 + 3]])
    branch = _plain(impute=None)
    model = branch.set_params(hidden=()).fit(seconds).build("numbers")
    scaled = keras.ops.convert_to_numpy(model(branch.encode(seconds)))
    assert branch.input_dtype_ == "float64"
    np.testing.assert_allclose(scaled, (seconds - seconds.mean()) / seconds.std(), rtol=1e-5)
    assert scaled.dtype == "float32"
    assert _plain().fit(np.array([[1.0], [2.0]])).input_dtype_ == "float32"


def test_network_learns_from_small_differences_of_large_numbers():
    seconds = 1.7e9 + np.arange(64.0)[:, None]
    network = MultimodalNetworkRegressor(head=(), epochs=60, early_stopping=False, optimizer__learning_rate=0.05)
    assert network.set_params(random_state=0).fit(seconds, seconds[:, 0] % 64).score(seconds, seconds[:, 0] % 64) > 0.99


def test_skip_joins_the_scaled_columns_to_the_dense_layers():
    X = np.array([[1.0, 4.0], [2.0, 5.0], [4.0, 4.5]])
    branch = _plain(hidden=(3,), skip=True).fit(X)
    outputs = branch.build("numbers").predict(branch.encode(X), verbose=0)
    assert outputs.shape == (3, 4 + 3)
    np.testing.assert_allclose(outputs[:, :4], _standardized(_plain(), X), rtol=1e-6)


def test_skip_without_dense_layers_joins_nothing():
    X = np.array([[1.0, 4.0], [2.0, 5.0]])
    np.testing.assert_array_equal(_standardized(_plain(skip=True), X), _standardized(_plain(), X))


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
    "date": (
        _frame(DAY, DAY),
        TypeError,
        r"column 'a' holds dates or times .such as datetime.date\(2020, 1, 1\) in row 0",
    ),
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


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("scale", "power"),
        ("impute", "mode"),
        ("skip", "no"),
        ("embedding", "linear"),
        ("dim", 0),
        ("n_bins", 1),
        ("n_frequencies", 0),
        ("sigma", 0.0),
    ],
)
def test_unknown_settings_are_refused(parameter, value):
    with pytest.raises(ValueError, match=f"'{parameter}' parameter of NumericBranch"):
        NumericBranch(**{parameter: value}).fit(np.zeros((2, 1)))


def test_statistics_are_weights_that_training_leaves_alone():
    model = NumericBranch().fit(np.array([[1.0], [3.0]])).build("numbers")
    layer = model.get_layer("standardize")
    assert isinstance(layer, Standardize)
    assert not layer.trainable_variables
    assert float(layer.center[0]) == 2.0


# --- embeddings -----------------------------------------------------------------------------------------------------


def _expanded(branch, X, new):
    """Return what each number becomes before its dense layer, as an array of shape (n_rows, n_columns, n)."""
    layer = branch.fit(X).build("numbers").get_layer(branch.embedding)
    scaled = ((new - branch.center_) / branch.scale_).astype("float32")
    return keras.ops.convert_to_numpy(layer.expand(keras.ops.convert_to_tensor(scaled)))


def test_piecewise_says_which_part_of_each_bin_lies_below():
    X = np.array([[0.0], [2.0], [4.0], [6.0], [14.0]])
    branch = _plain(embedding="piecewise", n_bins=2, impute=None)
    parts = _expanded(branch, X, np.array([[0.0], [1.0], [4.0], [9.0], [14.0], [-4.0], [24.0]]))[:, 0]
    np.testing.assert_allclose(parts, [[0, 0], [0.25, 0], [1, 0], [1, 0.5], [1, 1], [-1, 0], [1, 2]], atol=1e-5)


def test_bins_are_quantiles_of_the_known_numbers_of_each_column():
    """A quantile is a number of the column, or halfway between two."""
    X = np.array([[0.0, NAN], [1.0, 10.0], [2.0, 20.0], [6.0, 30.0], [10.0, NAN], [NAN, 40.0]])
    parts = _expanded(_plain(embedding="piecewise", n_bins=4), X, np.array([[4.0, 20.0], [4.0, 40.0]]))
    np.testing.assert_allclose(parts, [[[1, 1, 0.5, 0], [1, 0.5, 0, 0]], [[1, 1, 0.5, 0], [1, 1, 1, 1]]], atol=1e-5)


@pytest.mark.parametrize("scale", ["standard", "minmax", "robust", None])
def test_bins_do_not_depend_on_the_scale(scale):
    X = np.random.default_rng(0).normal(size=(50, 2)) ** 3 * [1, 1000]
    edges = np.quantile(X, [0.25, 0.5, 0.75], axis=0, method="averaged_inverted_cdf")
    branch = _plain(embedding="piecewise", n_bins=4, scale=scale, impute=None, hidden=()).fit(X)
    model = branch.build("numbers")
    layer = model.get_layer("piecewise")
    before = keras.Model(model.inputs, layer.input)
    parts = keras.ops.convert_to_numpy(layer.expand(before({"numbers": branch.encode(edges)})))
    for number in range(3):
        np.testing.assert_allclose(parts[number, :, : number + 1], 1, atol=1e-3)
        np.testing.assert_allclose(parts[number, :, number + 1 :], 0, atol=1e-3)


def test_columns_of_few_values_leave_bins_unused():
    X = np.stack([np.arange(41) > 20, np.full(41, 5.0)], axis=1)
    parts = _expanded(_plain(embedding="piecewise", n_bins=8, impute=None), X, np.array([[1.0, 5.0], [0.5, 9.0]]))
    assert parts.shape == (2, 2, 8)
    np.testing.assert_allclose(np.sort(parts[0, 0])[-1], 1)
    np.testing.assert_allclose(parts[:, 0].sum(axis=1), [1.0, 0.5], rtol=1e-5)
    np.testing.assert_array_equal(parts[:, 1], 0)


def test_bins_are_no_part_of_the_architecture():
    generator = np.random.default_rng(0)
    first, second = generator.normal(size=(50, 2)), generator.integers(0, 2, size=(30, 2)).astype(float)
    branches = [_plain(embedding="piecewise", n_bins=6).fit(X) for X in (first, second)]
    assert branches[0].is_built_like(branches[1])
    layers = [branch.build("numbers").get_layer("piecewise") for branch in branches]
    assert [v.shape for v in layers[0].variables] == [v.shape for v in layers[1].variables]
    assert {id(v) for v in layers[0].constants} == {id(v) for v in layers[0].non_trainable_variables}


def test_periodic_takes_sines_and_cosines_of_trained_multiples():
    X = np.array([[0.0], [1.0], [2.0]])
    branch = NumericBranch(embedding="periodic", n_frequencies=5, sigma=0.7, scale=None, impute=None).fit(X)
    layer = branch.build("numbers").get_layer("periodic")
    frequencies = keras.ops.convert_to_numpy(layer.frequencies)
    assert any(variable is layer.frequencies for variable in layer.trainable_variables)
    expanded = keras.ops.convert_to_numpy(layer.expand(keras.ops.convert_to_tensor(X.astype("float32"))))
    angles = 2 * np.pi * X * frequencies
    np.testing.assert_allclose(expanded[:, 0], np.concatenate([np.sin(angles), np.cos(angles)], axis=1), atol=1e-5)


def test_sigma_is_the_spread_of_the_initial_frequencies():
    branch = NumericBranch(embedding="periodic", n_frequencies=4000, sigma=0.7).fit(np.array([[0.0], [1.0]]))
    frequencies = branch.build("numbers").get_layer("periodic").frequencies
    assert np.asarray(frequencies).std() == pytest.approx(0.7, rel=0.05)


@pytest.mark.parametrize("embedding", ["piecewise", "periodic"])
def test_vectors_are_columns_dense_layers_followed_by_flags(embedding):
    X = np.array([[1.0, 4.0], [NAN, 5.0], [3.0, 6.0]])
    branch = _plain(embedding=embedding, dim=3, n_bins=2, n_frequencies=4, hidden=())
    model = branch.fit(X).build("numbers")
    features = model.predict(branch.encode(X), verbose=0)
    layer = model.get_layer(embedding)
    expanded = keras.ops.convert_to_numpy(layer.expand(_scaled(model, branch, X)[:, :2]))
    dense = np.einsum("rne,nel->rnl", expanded, np.asarray(layer.kernel)) + np.asarray(layer.bias)
    np.testing.assert_allclose(features[:, :6], np.maximum(dense, 0).reshape(3, 6), rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(features[:, 6:], [[0, 0], [1, 0], [0, 0]])


def _scaled(model, branch, X):
    """Return the scaled columns and their flags."""
    return model.get_layer("standardize")(branch.encode(X))


def test_skip_joins_embedded_columns():
    X = np.array([[1.0], [2.0], [4.0]])
    branch = _plain(hidden=(5,), embedding="piecewise", dim=3, n_bins=2, impute=None, skip=True).fit(X)
    assert branch.build("numbers").output_shape == (None, 3 + 5)


@pytest.mark.parametrize("embedding", ["piecewise", "periodic"])
def test_embedded_numbers_carry_what_a_linear_model_cannot(embedding):
    X = np.linspace(0, 1, 200)[:, None]
    y = np.sin(14 * X[:, 0])
    assert LinearRegression().fit(X, y).score(X, y) < 0.2
    network = MultimodalNetworkRegressor(
        [("numbers", NumericBranch((), embedding=embedding, sigma=1.0))], head=(), epochs=25, early_stopping=False
    )
    network.set_params(optimizer__learning_rate=0.03, batch_size=16, random_state=0)
    assert network.fit(X, y).score(X, y) > 0.9


# --- sparse tables --------------------------------------------------------------------------------------------------


def _mostly_zero(seed=0):
    """Return a table with columns of every kind: mixed, constant, of gaps alone, of one sign, of few values."""
    generator = np.random.default_rng(seed)
    X = np.where(generator.random((60, 9)) < 0.6, 0.0, generator.normal(size=(60, 9)))
    X[generator.random(X.shape) < 0.1] = NAN
    X[:, 3], X[:, 4], X[:, 5] = 0.0, 2.5, NAN
    X[:, 6], X[:, 7] = np.abs(X[:, 6]), -np.abs(X[:, 7])
    X[:, 8] = np.arange(60) < 3
    return X


FORMATS = [sparse.csr_matrix, sparse.csc_array, sparse.coo_array]


@pytest.mark.parametrize("impute", ["mean", "median", "zero"])
@pytest.mark.parametrize("scale", ["standard", "minmax", "robust", None])
def test_sparse_tables_have_the_statistics_of_dense_ones(scale, impute):
    X = _mostly_zero()
    dense = NumericBranch(scale=scale, impute=impute, embedding="piecewise", n_bins=5).fit(X)
    for make in FORMATS:
        other = clone(dense).fit(make(X))
        for name in ("fill_", "center_", "scale_", "seen_missing_", "_edges"):
            np.testing.assert_allclose(getattr(other, name), getattr(dense, name), rtol=1e-9, atol=1e-12, err_msg=name)


def test_statistics_are_taken_from_a_few_sparse_columns_at_a_time(monkeypatch):
    X = _mostly_zero()
    monkeypatch.setattr(_column_statistics, "_CHUNK", 100)
    assert 1 < len(list(_column_statistics.column_groups(sparse.csr_array(X)))) < X.shape[1]
    dense, other = _plain().fit(X), _plain().fit(sparse.csr_array(X))
    np.testing.assert_allclose(other.center_, dense.center_, atol=1e-12)
    np.testing.assert_allclose(other.scale_, dense.scale_)


@pytest.mark.parametrize("make", FORMATS)
def test_sparse_rows_are_encoded_as_dense_ones(make):
    X = _mostly_zero()
    branch = _plain().fit(X)
    encoded = branch.encode(make(X))
    assert isinstance(encoded, SparseRows)
    np.testing.assert_array_equal(np.asarray(encoded), branch.encode(X))


def test_elements_stored_twice_count_as_their_sum_and_the_matrix_stays():
    doubled = sparse.csc_array((np.array([1.0, 2.0, 5.0]), [0, 0, 2], [0, 2, 3]), shape=(4, 2))
    branch = _plain().fit(doubled)
    np.testing.assert_allclose(branch.center_, [0.75, 1.25])
    assert doubled.data.tolist() == [1.0, 2.0, 5.0]


def test_network_learns_from_a_sparse_table_as_from_a_dense_one(monkeypatch):
    X = _mostly_zero()
    y = X[:, 8] + np.nan_to_num(X[:, 6])
    whole = MultimodalNetworkRegressor([("n", _plain())], head=(), epochs=2, random_state=0).fit(X, y)
    monkeypatch.setattr(_engine, "_MAX_PLACED", {"processor": 0, "accelerator": 0})
    with monkeypatch.context() as patch:
        patch.setattr(SparseRows, "__array__", None)  # all rows at once
        read = clone(whole).fit(sparse.csr_array(X), y)
    np.testing.assert_allclose(read.predict(sparse.csr_array(X)), whole.predict(X), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(read.predict(X), whole.predict(X), rtol=1e-4, atol=1e-5)


def test_no_dense_table_is_made_of_a_sparse_one():
    n_rows, n_columns = 1_000_000, 10_000
    generator = np.random.default_rng(0)
    places = generator.integers(0, n_rows, 50_000), generator.integers(0, n_columns, 50_000)
    X = sparse.coo_array((np.ones(50_000, dtype="float32"), places), shape=(n_rows, n_columns)).tocsr()
    NumericBranch().check_parameters()  # imports Keras
    tracemalloc.start()
    encoded = NumericBranch(scale="robust", embedding="piecewise", n_bins=4).fit(X).encode(X)
    few = encoded[np.arange(100)]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert encoded.nbytes == 40 * 10**9
    np.testing.assert_array_equal(few, X[np.arange(100)].toarray())
    assert peak < 100e6


BAD_SPARSE = {
    "infinity": ([[0, 1.0], [np.inf, 0]], {}, "Input X contains infinity: column 0 in row 1"),
    "gap": ([[0, 1.0], [2.0, NAN]], {"impute": None}, "Input X contains NaN: column 1 in row 1, and impute=None"),
    "large": ([[0, 1.0], [-1e300, 0]], {}, "column 0 holds -1e.300 in row 1: too large for float32"),
    "complex": ([[0, 1j]], {}, "expected a sparse matrix of numbers, got one of dtype complex128"),
}


@pytest.mark.parametrize("make", FORMATS)
@pytest.mark.parametrize(("cells", "params", "message"), BAD_SPARSE.values(), ids=list(BAD_SPARSE))
@pytest.mark.filterwarnings("error")
def test_bad_cells_of_sparse_tables_are_named(make, cells, params, message):
    X = make(np.array(cells))
    with pytest.raises(ValueError, match=message):
        NumericBranch(**params).fit(np.zeros((2, 2))).encode(X)
    with pytest.raises(ValueError, match=message):
        NumericBranch(**params).fit(X).encode(X)


# --- numbers in texts -------------------------------------------------------------------------------------------------


def test_numbers_are_extracted_from_texts():
    X = pd.DataFrame({"power": ["87 bhp @ 6000 rpm", "74 bhp", None], "year": [2017.0, 2014.0, 2015.0]})
    branch = NumericBranch(extract=2).fit(X)
    assert branch.cell_shape_ == (3,)
    np.testing.assert_array_equal(branch.encode(X), [[87, 6000, 2017], [74, NAN, 2014], [NAN, NAN, 2015]])
    np.testing.assert_array_equal(branch.fill_, [80.5, 6000, 2015])
    # What was text in training is read as text.
    np.testing.assert_array_equal(branch.encode(pd.DataFrame({"power": [90.0], "year": [1.0]})), [[90, NAN, 1]])


def test_texts_with_numbers_are_an_error_unless_they_are_extracted():
    X = pd.DataFrame({"engine": ["1198 cc", "998 cc"]})
    with pytest.raises(ValueError, match="column 'engine' holds the text '1198 cc' in row 0"):
        NumericBranch().fit(X)
    with pytest.raises(ValueError, match="expected 1 columns as in training, got 2"):
        NumericBranch(extract=2).fit(X).encode(X.assign(other=1.0))


@pytest.mark.parametrize("extract", [0, 1.5, "all"])
def test_a_number_of_numbers_is_asked_for(extract):
    with pytest.raises(ValueError, match="The 'extract' parameter of NumericBranch must be"):
        NumericBranch(extract=extract).fit(np.zeros((2, 1)))


def test_numbers_of_texts_of_an_array_are_extracted():
    branch = NumericBranch(extract=1).fit(np.array([["5 kg", "3"], ["7 kg", "?"]], dtype=object))
    np.testing.assert_array_equal(branch.encode(np.array([["6 kg", "1"]], dtype=object)), [[6, 1]])
    assert NumericBranch(extract=1).fit(sparse.csr_matrix([[1.0], [2.0]])).cell_shape_ == (1,)
