"""From a table to the inputs of a network."""

import numpy as np
import pandas as pd
import pytest
from _data import mixed_frame
from _networks import BRANCHES, FAST

from skstack import MultimodalNetworkRegressor
from skstack.branches import CategoricalBranch, ImageBranch, NumericBranch
from skstack.network._assembly import Architecture, Assembly
from skstack.network._encoding import encode_rows, fit_branches, missing_rows


@pytest.fixture(scope="module")
def data():
    return mixed_frame()


def _parts():
    return [
        ("numbers", NumericBranch(hidden=(8,)), ["area", "rooms"]),
        ("place", CategoricalBranch(), ["zip"]),
        ("photo", ImageBranch(size=(8, 8), filters=(4,)), ["photo"]),
    ]


def _assembly(branches, modality_dropout=0.0):
    return Assembly(branches, {}, Architecture("network", "concatenate", (), "relu", 0.0, modality_dropout))


def test_branches_learn_from_the_given_rows_alone(data):
    X, _ = data
    rows = np.arange(0, 60, 2)
    (numbers, place, _) = fit_branches(_parts(), X, rows)
    np.testing.assert_allclose(numbers.branch.center_, X.iloc[rows][["area", "rooms"]].mean())
    assert numbers.positions == [0, 1]
    assert place.columns_of(X).columns.tolist() == ["zip"]


def test_rows_are_encoded_by_the_name_of_the_input(data):
    X, _ = data
    inputs = encode_rows(_assembly(fit_branches(_parts(), X, np.arange(60))), X)
    assert {name: part.shape for name, part in inputs.items()} == {
        "numbers": (60, 2),
        "place": (60, 1),
        "photo": (60, 8, 8, 3),
        "photo__missing": (60, 1),
    }
    dropping = _assembly(fit_branches(_parts(), X, np.arange(60)), modality_dropout=0.5)
    assert {"numbers__missing", "place__missing", "photo__missing"} <= encode_rows(dropping, X).keys()


def test_what_another_network_encodes_alike_is_taken_over(data):
    X, _ = data
    first = _assembly(fit_branches(_parts(), X, np.arange(60)))
    second = _assembly(fit_branches(_parts(), X, np.arange(40)))
    inputs = encode_rows(first, X)
    assert encode_rows(second, X, like=(first, inputs))["photo"] is inputs["photo"]


def test_missing_rows_are_told_by_branch(data):
    X = data[0].copy()
    X.loc[X.index[3], ["area", "rooms"]] = np.nan
    X.loc[X.index[5], "photo"] = pd.NA
    missing = missing_rows(fit_branches(_parts(), X, np.arange(60)), X)
    assert {name: np.flatnonzero(rows).tolist() for name, rows in missing.items()} == {
        "numbers": [3],
        "place": [],
        "photo": [5],
    }


def test_errors_name_branch_and_row(data):
    X, _ = data
    with pytest.raises(ValueError, match=r"branch 'none': columns=.* choose none of the columns"):
        fit_branches([("none", NumericBranch(), [])], X, np.arange(60))
    with pytest.raises(ValueError, match=r"branch 'words': .*row 0"):
        fit_branches([("words", NumericBranch(), ["zip"])], X.assign(zip=["a"] * 60), np.arange(20, 60))


def test_encode_gives_what_the_model_takes(data):
    X, y = data
    network = MultimodalNetworkRegressor(BRANCHES, **FAST).fit(X, y)
    inputs = network.encode(X.head(7))
    assert inputs.keys() == {"numbers", "place"}
    np.testing.assert_allclose(np.ravel(network.model_(inputs)), network.predict(X.head(7)), rtol=1e-5)
    with pytest.raises(ValueError, match="feature names should match"):
        network.encode(X[["area"]])
