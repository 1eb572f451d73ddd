"""X as pandas, polars, pyarrow and NumPy, pictures as an array of four dimensions and as an Arrow tensor column."""

import numpy as np
import pandas as pd
import polars
import pyarrow
import pytest
from _small import (
    make_labels,
    make_table,
    network_classifier,
    network_regressor,
    stack_classifier,
    stack_regressor,
)
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from skstack.branches import CategoricalBranch, ImageBranch, NumericBranch
from skstack.preprocessing import tensor_column

PARTS = [("numbers", NumericBranch(hidden=(4,)), [0, 1]), ("place", CategoricalBranch(dim=2), [2])]
LEARNER = ("ridge", Ridge(), [0, 1])

CONTAINERS = {
    "pandas": lambda X: X,
    "polars": lambda X: polars.from_pandas(X.reset_index(drop=True)),
    "pyarrow": lambda X: pyarrow.Table.from_pandas(X, preserve_index=False),
    "numpy": lambda X: X.to_numpy(dtype=object),
    "pandas with Arrow types": lambda X: X.convert_dtypes(dtype_backend="pyarrow"),
    "pandas categories": lambda X: X.astype({"city": "category"}),
}


@pytest.fixture(scope="module")
def table():
    return make_table()


@pytest.fixture(scope="module")
def predictions(table):
    """What a network and a stack predict from a pandas DataFrame."""
    X, y = table
    stack = stack_regressor([*PARTS, LEARNER]).fit(X, y)
    return network_regressor(PARTS).fit(X, y).predict(X), stack.predict(X), stack


@pytest.mark.parametrize("kind", [kind for kind in CONTAINERS if kind != "pandas"])
def test_every_container_of_the_same_cells_gives_the_same_predictions(table, predictions, kind):
    X, y = table
    X = CONTAINERS[kind](X)
    assert_allclose(network_regressor(PARTS).fit(X, y).predict(X), predictions[0], rtol=1e-5)
    assert_allclose(stack_regressor([*PARTS, LEARNER]).fit(X, y).predict(X), predictions[1], rtol=1e-5)


@pytest.mark.parametrize("kind", ["polars", "pyarrow", "pandas with Arrow types", "pandas categories"])
def test_a_stack_fitted_to_pandas_predicts_from_other_tables(table, predictions, kind):
    X, _ = table
    assert_allclose(predictions[2].predict(CONTAINERS[kind](X)), predictions[1], rtol=1e-6)


def test_columns_of_a_polars_table_by_name_and_passed_through(table):
    X, y = table
    tables = [X, CONTAINERS["polars"](X)]
    stacks = [stack_regressor(passthrough=["area"]).fit(some, y) for some in tables]
    assert_array_equal(stacks[1].feature_names_in_, X.columns)
    assert stacks[1].get_feature_names_out().tolist() == stacks[0].get_feature_names_out().tolist()
    assert_allclose(stacks[1].transform(tables[1]), stacks[0].transform(tables[0]), rtol=1e-5)


def test_cross_validation_of_a_polars_table(table):
    X, y = table
    expected = cross_val_predict(network_regressor(), X, y, cv=2)
    assert_allclose(cross_val_predict(network_regressor(), CONTAINERS["polars"](X), y, cv=2), expected, rtol=1e-5)


def test_array_of_numbers(table):
    X, y = table
    numbers = X[["area", "rooms"]]
    parts = [("numbers", NumericBranch(hidden=(4,))), ("ridge", make_pipeline(StandardScaler(), Ridge()))]
    of_array = stack_regressor(parts).fit(numbers.to_numpy(), y)
    of_table = stack_regressor(parts).fit(numbers, y)
    assert_allclose(of_array.predict(numbers.to_numpy()), of_table.predict(numbers), rtol=1e-5)
    assert of_array.n_features_in_ == 2
    assert not hasattr(of_array, "feature_names_in_")


def test_list_of_lists(table):
    X, y = table
    numbers = X[["area", "rooms"]].to_numpy()
    network = network_regressor([("numbers", NumericBranch(hidden=(4,)))])
    expected = network.fit(numbers, y).predict(numbers)
    of_lists = clone(network).fit(numbers.tolist(), y.tolist())
    assert_allclose(of_lists.predict(numbers.tolist()), expected, rtol=1e-6)


# --- pictures ---------------------------------------------------------------------------------------------------------

IMAGE = ImageBranch(size=(8, 8), channels=3, filters=(2,), hidden=())


@pytest.fixture(scope="module")
def pictures():
    """Bright and dark pictures, in classes that the brightness tells apart."""
    generator = np.random.default_rng(0)
    y = generator.permutation(np.repeat(["day", "night"], 20))
    X = generator.integers(0, 100, (40, 8, 8, 3)) + np.where(y == "day", 100, 0)[:, None, None, None]
    return X.astype("uint8"), y


@pytest.fixture(scope="module")
def of_array(pictures):
    """Probabilities of a network fitted to an array of four dimensions."""
    X, y = pictures
    return network_classifier([("photo", IMAGE)]).fit(X, y).predict_proba(X)


def _as_table(pictures, **columns):
    return pd.DataFrame({**columns, "photo": tensor_column(pictures)})


def test_one_image_branch_takes_an_array_of_four_dimensions(pictures):
    X, y = pictures
    flat = make_pipeline(FunctionTransformer(lambda X: X.reshape(len(X), -1) / 255), LogisticRegression())
    stack = stack_classifier([("photo", IMAGE), ("flat", flat)]).fit(X, y)
    assert stack.score(X, y) == 1.0
    assert_array_equal(stack.transform(X)[:, 1], flat.fit(X, y == "night").predict_proba(X)[:, 1])
    with pytest.raises(ValueError, match=r"\(8, 8\)"):
        stack.predict(X[..., 0])
    out_of_fold = cross_val_predict(network_classifier([("photo", IMAGE)]), X, y, cv=2, method="predict_proba")
    assert_allclose(out_of_fold.sum(axis=1), 1.0, rtol=1e-6)


@pytest.mark.parametrize("container", ["tensor column", "object column"])
def test_a_column_of_tensors_is_as_good_as_an_array(pictures, of_array, container):
    X, y = pictures
    table = _as_table(X)
    if container == "object column":
        table = pd.DataFrame({"photo": pd.Series(list(X), dtype=object)})
    network = network_classifier([("photo", IMAGE, ["photo"])]).fit(table, y)
    assert_allclose(network.predict_proba(table), of_array, rtol=1e-5)
    assert_allclose(network.predict_proba(table.iloc[[5]]), of_array[[5]], rtol=1e-4)


def test_tensors_of_an_arrow_table_keep_their_shape(pictures, of_array):
    X, y = pictures
    tensors = pyarrow.FixedShapeTensorArray.from_numpy_ndarray(X)
    table = pyarrow.table({"area": np.arange(40.0), "photo": tensors})
    network = network_classifier([("photo", IMAGE, ["photo"])]).fit(table, y)
    assert network.feature_names_in_.tolist() == ["area", "photo"]
    assert_allclose(network.predict_proba(table), of_array, rtol=1e-5)
    chunks = pyarrow.concat_tables([table.slice(0, 7), table.slice(7)])
    assert_allclose(network.predict_proba(chunks), of_array, rtol=1e-5)
    stack = stack_classifier([("photo", IMAGE, ["photo"]), ("logistic", LogisticRegression(), ["area"])]).fit(table, y)
    assert_allclose(stack.predict_proba(chunks), stack.predict_proba(_as_table(X, area=np.arange(40.0))))
    with pytest.raises(ValueError, match=r"(?s)now missing.*area"):
        stack.predict(table.select(["photo"]))


def test_stack_over_a_tensor_column_beside_numbers(pictures):
    X, y = pictures
    table = _as_table(X, area=np.arange(40.0), rooms=np.tile([1.0, 2.0], 20))
    parts = [("photo", IMAGE, ["photo"]), ("logistic", LogisticRegression(), ["area", "rooms"])]
    stack = stack_classifier(parts)
    probabilities = cross_val_predict(stack, table, y, cv=2, method="predict_proba")
    shuffled = np.random.default_rng(1).permutation(40)
    fitted = stack.fit(table, y)
    # A row is predicted from its own cells, wherever it stands.
    assert_allclose(fitted.predict_proba(table.iloc[shuffled]), fitted.predict_proba(table)[shuffled], rtol=1e-5)
    assert probabilities.shape == (40, 2)
    assert np.ptp(probabilities[:, 0]) > 0


def test_labels_of_any_type_come_back(table):
    X, y = table
    for labels in (make_labels(y), make_labels(y) == "fair", (make_labels(y) == "fair") * 5 - 2):
        stack = stack_classifier([("logistic", LogisticRegression(), ["area", "rooms"])]).fit(X, labels)
        assert stack.predict(X).dtype == labels.dtype
        assert set(stack.predict(X)) <= set(labels)
