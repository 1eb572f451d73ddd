"""Tables and their columns."""

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from PIL import Image
from scipy import sparse
from sklearn.base import BaseEstimator
from sklearn.compose import make_column_selector
from sklearn.linear_model import Ridge

from skstack import MultimodalNetworkRegressor
from skstack._columns import (
    branch_columns,
    check_table,
    is_polars,
    is_table,
    readable,
    resolve_columns,
    select_columns,
)
from skstack.branches import CategoricalBranch, ImageBranch, ModelBranch, NumericBranch
from skstack.preprocessing import tensor_column
from skstack.reading._tensors import tensors_of

PANDAS = pd.DataFrame({"a": [1, 2], "b": ["x", "y"], "c": [0.5, 1.5]})
POLARS = pl.DataFrame({"a": [1, 2], "b": ["x", "y"], "c": [0.5, 1.5]})
ARRAY = np.arange(6).reshape(2, 3)


# --- tables -----------------------------------------------------------------------------------------------------------


class Owner(BaseEstimator):
    """An estimator to record columns in."""


TABLE = PANDAS[["a", "b"]]


@pytest.mark.parametrize("X", [TABLE, pl.from_pandas(TABLE)], ids=["pandas", "polars"])
def test_tables_come_back_as_they_are_with_their_names_recorded(X):
    owner = Owner()
    assert check_table(owner, X, reset=True) is X
    assert owner.n_features_in_ == 2
    assert owner.feature_names_in_.tolist() == ["a", "b"]


@pytest.mark.parametrize("X", [TABLE, pl.from_pandas(TABLE)], ids=["pandas", "polars"])
def test_other_columns_than_before_are_an_error(X):
    owner = Owner()
    check_table(owner, X, reset=True)
    with pytest.raises(ValueError, match=r"feature names should match[\s\S]*missing[\s\S]*b"):
        check_table(owner, X[["a"]], reset=False)
    with pytest.raises(ValueError, match="same order"):
        check_table(owner, X[["b", "a"]], reset=False)


def test_columns_that_may_lack_are_allowed_by_a_parameter():
    owner = Owner()
    owner.allow_missing_columns = False
    check_table(owner, TABLE, reset=True)
    with pytest.raises(ValueError, match="feature names should match") as raised:
        check_table(owner, TABLE[["a"]], reset=False)
    assert raised.value.__notes__ == ["allow_missing_columns=True takes the cells of such columns for missing."]
    with pytest.raises(ValueError, match="feature names should match") as raised:
        check_table(owner, TABLE.assign(c=1), reset=False)
    assert not hasattr(raised.value, "__notes__")


@pytest.mark.parametrize(
    ("X", "got"), [({"a": [1]}, "{'a'"), ([{"a": 1}], "a list of dicts"), (None, "None"), ("a", "'a'")]
)
def test_what_is_no_table_is_an_error(X, got):
    with pytest.raises(
        TypeError, match=f"X should be a DataFrame or an array of rows, got {got}.* pandas.DataFrame makes"
    ):
        check_table(Owner(), X, reset=True)


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (TABLE.iloc[:0], r"0 sample\(s\) \(shape=\(0, 2\)\)"),
        (TABLE[[]], r"0 feature\(s\) \(shape=\(2, 0\)\)"),
        (pl.DataFrame({"a": []}), r"0 sample\(s\)"),
        (np.zeros((0, 2)), r"0 sample\(s\)"),
        (np.zeros((2, 0)), r"0 feature\(s\)"),
        (np.zeros(3), "Expected 2D array, got 1D array"),
        (np.zeros((2, 2), dtype=complex), "Complex data not supported"),
    ],
)
def test_tables_without_rows_or_columns_are_an_error(X, message):
    with pytest.raises(ValueError, match=message):
        check_table(Owner(), X, reset=True)


def test_lists_and_arrays_become_arrays_with_their_cells_untouched():
    X = check_table(Owner(), [[1, np.nan], [np.inf, 2]], reset=True)
    np.testing.assert_array_equal(X, [[1, np.nan], [np.inf, 2]])
    cells = np.array([["a", None], [b"b", 3]], dtype=object)
    np.testing.assert_array_equal(check_table(Owner(), cells, reset=True), cells)


def test_rows_of_arrays_keep_their_shape():
    owner, pictures = Owner(), np.zeros((3, 4, 4, 3), dtype="uint8")
    assert check_table(owner, pictures, reset=True).dtype == "uint8"
    assert check_table(owner, pictures[:1], reset=False).shape == (1, 4, 4, 3)
    message = r"Rows of X have shape \(4, 5, 3\), but Owner was fitted with \(4, 4, 3\)"
    with pytest.raises(ValueError, match=message):
        check_table(owner, np.zeros((3, 4, 5, 3)), reset=False)


def test_sparse_matrices_pass_in_formats_whose_rows_can_be_taken():
    X = sparse.csr_matrix(np.eye(2))
    assert check_table(Owner(), X, reset=True) is X
    assert check_table(Owner(), X.tocoo(), reset=True).format == "csr"


def test_tables_with_tensors_pass():
    X = TABLE.assign(photo=tensor_column(np.zeros((2, 3, 3))))
    assert check_table(Owner(), X, reset=True) is X


def test_masked_cells_are_an_error():
    with pytest.raises(ValueError, match="X is a masked array with a masked cell in row 1"):
        check_table(Owner(), np.ma.array(np.eye(2), mask=[[False, False], [True, False]]), reset=True)


# --- columns ----------------------------------------------------------------------------------------------------------

SPECIFICATIONS = [
    ("a", 0),
    (["c", "a"], [2, 0]),
    (1, 1),
    (-1, 2),
    ([0, -1], [0, 2]),
    (slice("b", "c"), [1, 2]),
    (slice(0, 2), [0, 1]),
    ([True, False, True], [0, 2]),
    (np.array([False, True, False]), [1]),
    (pd.Series([False, True, True]), [1, 2]),
    (pd.Index(["c"]), [2]),
    (lambda X: ["b"], [1]),
    ([], []),
    (None, None),
]


@pytest.mark.parametrize(("columns", "positions"), SPECIFICATIONS)
@pytest.mark.parametrize("X", [PANDAS, POLARS], ids=["pandas", "polars"])
def test_specifications_become_positions(X, columns, positions):
    assert resolve_columns(X, columns) == positions


def test_positions_work_for_arrays():
    assert resolve_columns(ARRAY, [0, -1]) == [0, 2]
    assert resolve_columns(ARRAY, slice(1, None)) == [1, 2]
    assert resolve_columns(ARRAY, 2) == 2


def test_selectors_of_scikit_learn_work():
    assert resolve_columns(PANDAS, make_column_selector(dtype_include="number")) == [0, 2]


@pytest.mark.parametrize("X", [PANDAS, POLARS, ARRAY], ids=["pandas", "polars", "array"])
@pytest.mark.parametrize("columns", ["z", ["a", "z"], 3, [0, 7]])
def test_unknown_columns_are_an_error(X, columns):
    with pytest.raises(ValueError, match=r"column|features must be in"):
        resolve_columns(X, columns)


@pytest.mark.parametrize("X", [PANDAS, POLARS], ids=["pandas", "polars"])
@pytest.mark.parametrize("columns", ["aera", ["c", "aera"], slice("aera", "c"), pd.Index(["aera"]), lambda X: "AREA"])
def test_misspelled_columns_get_a_hint(X, columns):
    X = X.rename({"a": "area"}) if is_polars(X) else X.rename(columns={"a": "area"})
    with pytest.raises(ValueError, match=r"not columns of the dataframe: \['(aera|AREA)'\]. Did you mean 'area'\?"):
        resolve_columns(X, columns)


@pytest.mark.parametrize("X", [PANDAS, POLARS, ARRAY], ids=["pandas", "polars", "array"])
@pytest.mark.parametrize("mask", [[True], np.ones(4, dtype=bool), (True,) * 4, lambda X: [False] * 7])
def test_masks_have_an_entry_for_every_column(X, mask):
    with pytest.raises(ValueError, match=r"the boolean mask of columns has \d entries, but X has 3 columns"):
        resolve_columns(X, mask)


@pytest.mark.parametrize("X", [PANDAS, POLARS], ids=["pandas", "polars"])
def test_columns_stay_in_their_container(X):
    chosen = select_columns(X, [2, 0])
    assert type(chosen) is type(X)
    assert list(chosen.columns) == ["c", "a"]
    assert list(select_columns(X, 1)) == ["x", "y"]
    assert select_columns(X, None) is X


def test_columns_of_arrays():
    np.testing.assert_array_equal(select_columns(ARRAY, [2, 0]), ARRAY[:, [2, 0]])
    np.testing.assert_array_equal(select_columns(ARRAY, 1), ARRAY[:, 1])


def test_tables_are_told_from_arrays():
    assert is_table(PANDAS)
    assert is_table(POLARS)
    assert not is_table(ARRAY)
    assert not is_table([[1, 2]])
    assert not is_table(sparse.csr_matrix(ARRAY))
    assert is_polars(POLARS)
    assert not is_polars(PANDAS)


# --- pyarrow and lazy tables ------------------------------------------------------------------------------------------


def test_arrow_tables_become_pandas_ones():
    X = readable(pa.Table.from_pandas(PANDAS))
    pd.testing.assert_frame_equal(X, PANDAS)
    assert readable(pa.table({"a": [1, None]}))["a"].isna().tolist() == [False, True]
    assert readable(pa.RecordBatch.from_pydict({"a": [1, 2]})).shape == (2, 1)
    assert readable(pa.table({})).shape == (0, 0)


def test_tensors_of_arrow_tables_are_tensor_columns():
    tensors = pa.FixedShapeTensorArray.from_numpy_ndarray(np.arange(12.0).reshape(3, 2, 2))
    X = readable(pa.table({"a": [1, 2, 3], "photo": tensors}))
    np.testing.assert_array_equal(tensors_of(X["photo"]), np.arange(12.0).reshape(3, 2, 2))
    cells = pa.array([[1.0] * 4, None, [2.0] * 4], tensors.type.storage_type)
    column = branch_columns(readable(pa.table({"photo": pa.ExtensionArray.from_storage(tensors.type, cells)})), 0)
    encoded, missing = ModelBranch(lambda shape: None).fit(column).encode_with_missing(column)
    assert missing[:, 0].tolist() == [False, True, False]
    np.testing.assert_array_equal(encoded[2], np.full((2, 2), 2.0))


def test_anything_else_is_read_as_it_is():
    for X in (PANDAS, POLARS, ARRAY, [[1, 2]]):
        assert readable(X) is X


def test_lazy_frames_hold_no_rows():
    with pytest.raises(TypeError, match=r"X is a polars LazyFrame, which holds no rows yet: give X.collect\(\)"):
        readable(POLARS.lazy())


# --- what a branch gets -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("X", [PANDAS, POLARS], ids=["pandas", "polars"])
@pytest.mark.parametrize(("positions", "names"), [(1, ["b"]), ([2, 0], ["c", "a"]), (None, ["a", "b", "c"])])
def test_branches_get_pandas_tables(X, positions, names):
    table = branch_columns(X, positions)
    assert isinstance(table, pd.DataFrame)
    assert list(table.columns) == names


def test_branches_get_arrays_of_two_dimensions():
    assert branch_columns(ARRAY, 1).shape == (2, 1)
    pictures = np.zeros((2, 4, 4, 3))
    assert branch_columns(pictures, None) is pictures


def test_sparse_data_are_for_branches_that_take_them():
    with pytest.raises(TypeError, match="Sparse data was passed, but this branch expects a dense array"):
        branch_columns(sparse.csr_matrix(ARRAY), [0])
    taken = branch_columns(sparse.csr_matrix(ARRAY), [1], accept_sparse=True)
    assert sparse.issparse(taken)
    np.testing.assert_array_equal(taken.toarray(), ARRAY[:, [1]])


def test_polars_columns_of_every_type_are_read():
    X = pl.DataFrame(
        {
            "int": [1, None],
            "bool": [True, None],
            "text": ["x", None],
            "category": pl.Series(["x", None], dtype=pl.Categorical),
        }
    )
    numbers = branch_columns(X, [0, 1])
    np.testing.assert_array_equal(NumericBranch().fit(numbers).encode(numbers), [[1, 1], [np.nan, np.nan]])
    categories = branch_columns(X, [2, 3])
    np.testing.assert_array_equal(CategoricalBranch().fit(categories).encode(categories), [[2, 5], [0, 3]])


PICTURES = np.random.default_rng(0).integers(0, 256, size=(3, 4, 4, 3), dtype="uint8")


def test_polars_arrays_become_tensor_columns():
    X = pl.DataFrame({"photo": PICTURES, "id": [1, 2, 3], "signal": np.arange(6.0).reshape(3, 2)})
    table = branch_columns(X, None)
    np.testing.assert_array_equal(tensors_of(table["photo"]), PICTURES)
    np.testing.assert_array_equal(tensors_of(table["signal"]), [[0, 1], [2, 3], [4, 5]])
    assert table["id"].tolist() == [1, 2, 3]


def test_missing_polars_arrays_are_missing_rows():
    X = pl.DataFrame({"photo": PICTURES})
    X = X.with_columns(photo=pl.when(pl.int_range(3) == 1).then(None).otherwise(pl.col("photo")))
    column = branch_columns(X, 0)
    for branch in (ImageBranch(size=(4, 4), filters=(2,)), ModelBranch(lambda shape: None)):
        encoded, missing = branch.fit(column).encode_with_missing(column)
        assert missing[:, 0].tolist() == [False, True, False]
        np.testing.assert_array_equal(encoded[[0, 2]], PICTURES[[0, 2]])


def test_polars_objects_and_bytes_are_pictures():
    images = pl.Series("photo", [Image.fromarray(picture) for picture in PICTURES], dtype=pl.Object)
    cells = branch_columns(pl.DataFrame([images]), [0])
    branch = ImageBranch(size=(4, 4), filters=(2,)).fit(cells)
    np.testing.assert_array_equal(branch.encode(cells), PICTURES)
    with pytest.raises(ValueError, match="row 0: the image bytes cannot be decoded"):
        branch.encode(branch_columns(pl.DataFrame({"photo": [b"no picture"]}), [0]))


def test_network_takes_polars_tables_with_pictures():
    X = pl.DataFrame({"photo": PICTURES, "area": [1.0, 2.0, None], "zip": ["A", None, "B"]})
    parts = [
        ("photo", ImageBranch(size=(4, 4), filters=(2,)), "photo"),
        ("numbers", NumericBranch(), ["area"]),
        ("place", CategoricalBranch(), ["zip"]),
    ]
    network = MultimodalNetworkRegressor(parts, epochs=1, early_stopping=False, random_state=0)
    predicted = network.fit(X, [1.0, 2.0, 3.0]).predict(X)
    pandas = pd.DataFrame({"photo": list(PICTURES), "area": [1.0, 2.0, None], "zip": ["A", None, "B"]})
    np.testing.assert_array_equal(network.predict(pandas), predicted)


@pytest.mark.parametrize("reset", [True, False])
def test_columns_of_one_name_are_an_error_that_names_it(reset):
    X = pd.DataFrame(np.zeros((2, 3)), columns=["a", "b", "a"])
    estimator = Ridge().fit(X.iloc[:, :2], [0.0, 1.0])
    with pytest.raises(ValueError, match="X has several columns called 'a'"):
        check_table(estimator, X, reset=reset)
