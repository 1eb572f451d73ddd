"""A table with every kind of data, some of it missing, in every container."""

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV

from skstack import MultimodalNetworkClassifier, MultimodalNetworkRegressor, MultimodalStackingClassifier
from skstack.branches import (
    AudioBranch,
    CategoricalBranch,
    DateBranch,
    EntityBranch,
    ImageBranch,
    ModelBranch,
    NumericBranch,
    SequenceBranch,
    TextBranch,
)
from skstack.preprocessing import tensor_column

N_ROWS = 32
BRANCHES = [
    ("numbers", NumericBranch(hidden=(2,)), ["area"]),
    ("place", CategoricalBranch(dim=2), ["city"]),
    ("teams", EntityBranch(2, "subtract"), ["team_1", "team_2"]),
    ("review", TextBranch(dim=2), ["review"]),
    ("speech", SequenceBranch("cnn", 2), ["speech"]),
    ("call", AudioBranch(0.02, rate=4000, n_mels=4, frame=0.008, hop=0.004, filters=(2,), hidden=()), ["call"]),
    ("photo", ImageBranch(size=(4, 4), filters=(2,), hidden=()), ["photo"]),
    ("when", DateBranch(hidden=(2,)), ["when"]),
    ("notes", TextBranch(dim=2, item_pooling="avg"), ["notes"]),
]
TENSORS = ["call", "photo"]


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(0)
    X = pd.DataFrame(
        {
            "area": rng.normal(size=N_ROWS),
            "city": rng.choice(["Ulm", "Bonn"], N_ROWS),
            "team_1": rng.choice(["A", "B", "C"], N_ROWS),
            "team_2": rng.choice(["A", "B", "C"], N_ROWS),
            "review": [" ".join(words) for words in rng.choice(["good", "bad", "dear", "odd"], (N_ROWS, 4))],
            "speech": [rng.normal(size=length) for length in rng.integers(2, 7, N_ROWS)],
            "call": tensor_column(rng.normal(size=(N_ROWS, 80)).astype("float32")),
            "photo": tensor_column(rng.integers(0, 256, size=(N_ROWS, 4, 4, 3), dtype="uint8")),
            "when": pd.date_range("2026-01-01", periods=N_ROWS, freq="31h"),
            "notes": [rng.choice(["good", "bad"], n_notes).tolist() for n_notes in rng.integers(0, 4, N_ROWS)],
        }
    )
    for row, name in enumerate(X.columns):
        X[name] = X[name].where(X.index != row, None) if name not in TENSORS else X[name]
    return X, rng.integers(0, 2, N_ROWS)


def to_polars(X):
    present = X.astype(object).where(X.notna(), None)
    columns = {name: present[name].tolist() for name in X.columns if name not in [*TENSORS, "speech"]}
    speech = [None if cell is None else cell.tolist() for cell in X["speech"]]
    columns["speech"] = pl.Series(speech, dtype=pl.List(pl.Float64))
    columns |= {name: X[name].array.__arrow_array__().combine_chunks().to_numpy_ndarray() for name in TENSORS}
    return pl.DataFrame(columns)[list(X.columns)]


def to_arrow(X):
    texts = {name: pd.ArrowDtype(pa.string()) for name in ("city", "team_1", "team_2", "review")}
    lists = {
        name: pd.array(pa.array(X[name], from_pandas=True), dtype=pd.ArrowDtype(pa.list_(dtype)))
        for name, dtype in (("speech", pa.float64()), ("notes", pa.string()))
    }
    dtypes = {**texts, "area": pd.ArrowDtype(pa.float64()), "when": pd.ArrowDtype(pa.timestamp("us"))}
    return X.astype(dtypes).assign(**lists)


def to_objects(X):
    cells = {name: list(X[name].array.__arrow_array__().combine_chunks().to_numpy_ndarray()) for name in TENSORS}
    return X.assign(**cells).astype(object)


CONTAINERS = {
    "polars": to_polars,
    "Arrow": to_arrow,
    "objects": to_objects,
    "array": lambda X: to_objects(X).to_numpy(),
}


@pytest.fixture(scope="module")
def network(table):
    network = MultimodalNetworkClassifier(BRANCHES, head=(4,), epochs=1, early_stopping=False, random_state=0)
    return network.fit(*table)


def by_position(branches, X):
    return [(name, branch, [X.columns.get_loc(column) for column in columns]) for name, branch, columns in branches]


@pytest.mark.parametrize("kind", CONTAINERS)
def test_every_container_is_encoded_alike(table, network, kind):
    X, y = table
    other = clone(network).set_params(branches=by_position(BRANCHES, X), epochs=1).fit(CONTAINERS[kind](X), y)
    expected, encoded = network.encode(X), other.encode(CONTAINERS[kind](X))
    assert encoded.keys() == expected.keys()
    for name, values in expected.items():
        np.testing.assert_allclose(np.asarray(encoded[name]), np.asarray(values), rtol=1e-6, err_msg=name)
    np.testing.assert_allclose(other.predict_proba(CONTAINERS[kind](X)), network.predict_proba(X), rtol=1e-4)


def test_a_stack_of_everything_is_searched(table):
    X, y = table
    stack = MultimodalStackingClassifier(
        [*BRANCHES, ("logistic", LogisticRegression(), ["team_1_is_A"])],
        network=MultimodalNetworkClassifier(epochs=1, early_stopping=False),
        add_missing_indicator=True,
        cv=2,
        random_state=0,
    )
    X = X.assign(team_1_is_A=(X["team_1"] == "A").astype(float))
    grid = {"review__dim": [1], "network__modality_dropout": [0.1, 0.2]}
    search = GridSearchCV(stack, grid, cv=2, error_score="raise").fit(X, y)
    names = search.best_estimator_.get_feature_names_out()
    assert {"missingindicator_review", "missingindicator_speech"} <= set(names)
    assert search.predict(to_polars(X)).shape == (N_ROWS,)


# --- sparse matrices --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [sparse.csr_matrix, sparse.csc_array, sparse.coo_matrix])
def test_sparse_rows_predict_as_dense_ones(kind):
    rng = np.random.default_rng(0)
    X = np.where(rng.random((40, 6)) < 0.3, rng.normal(size=(40, 6)), 0.0)
    X[3, 2] = np.nan
    network = MultimodalNetworkRegressor(
        [
            ("some", NumericBranch((4,), scale="standard", embedding=None), slice(0, 4)),
            ("others", NumericBranch((2,), embedding=None), [4, 5]),
        ],
        epochs=2,
        early_stopping=False,
        random_state=0,
    )
    dense = clone(network).fit(X, np.nansum(X, axis=1))
    fitted = network.fit(kind(X), np.nansum(X, axis=1))
    np.testing.assert_allclose(fitted.predict(kind(X)), dense.predict(X), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(fitted.predict(X), dense.predict(X), rtol=1e-4, atol=1e-5)


def test_sparse_stacks_and_branches_that_need_dense_rows():
    X, y = sparse.random(40, 5, 0.4, "csr", random_state=0), np.arange(40) % 2
    parts = [("numbers", NumericBranch((2,))), ("logistic", LogisticRegression())]
    template = MultimodalNetworkClassifier(epochs=1, early_stopping=False)
    stack = MultimodalStackingClassifier(parts, network=template, cv=2, random_state=0).fit(X, y)
    np.testing.assert_allclose(stack.predict_proba(X.toarray()), stack.predict_proba(X), rtol=1e-5)
    assert stack.__sklearn_tags__().input_tags.sparse
    refusing = MultimodalNetworkRegressor([("mine", ModelBranch(lambda shape: None), [0])])
    assert not refusing.__sklearn_tags__().input_tags.sparse
    with pytest.raises(TypeError, match="branch 'mine': Sparse data was passed, but this branch expects a dense array"):
        refusing.fit(X, y)
    with pytest.raises(ValueError, match=r"could not convert|infinity|text"):
        MultimodalNetworkRegressor(epochs=1).fit(sparse.csr_matrix([[np.inf, 0.0], [1.0, 2.0]]), [1, 2])
