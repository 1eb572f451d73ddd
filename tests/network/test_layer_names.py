"""Branches may have whatever names columns have."""

import joblib
import numpy as np
import pytest
from _small import TRAINING, make_table
from numpy.testing import assert_allclose

from skstack import MultimodalNetworkRegressor, MultimodalStackingRegressor
from skstack._backend import keras
from skstack.branches import CategoricalBranch, NumericBranch, TextBranch
from skstack.network._branchwise import Branchwise, with_outputs
from skstack.network._layer_names import layer_names

STRANGE = ["zip code", "Fläche", "价格", "a.b", "x>y", "_x", "-x", "1", " ", "size (m²)", "zip_code", "it's", "a\\b"]


def _parts(names):
    kinds = [
        (NumericBranch(hidden=()), ["area"]),
        (CategoricalBranch(dim=2), ["city"]),
        (TextBranch(dim=2), ["city"]),
        (NumericBranch(hidden=(), shared=True, merge="add"), ["area", "rooms"]),
    ]
    return [(name, *kinds[number % len(kinds)]) for number, name in enumerate(names)]


def _network(names, **params):
    return MultimodalNetworkRegressor(_parts(names), **{**TRAINING, "random_state": 0, "head": (), **params})


def _stack(names, **params):
    return MultimodalStackingRegressor(
        _parts(names),
        network=MultimodalNetworkRegressor(**TRAINING, modality_dropout=0.1),
        cv=2,
        random_state=0,
        **params,
    )


@pytest.mark.parametrize(
    "make",
    [_network, _stack, lambda names: _stack(names, training="individual")],
    ids=["network", "joint", "individual"],
)
def test_strange_names_work_as_plain_ones_do(make, tmp_path):
    X, y = make_table()
    strange = make(STRANGE[:6]).fit(X, y)
    plain = make([f"part_{index}" for index in range(6)]).fit(X, y)
    assert_allclose(strange.predict(X), plain.predict(X), rtol=1e-5)
    joblib.dump(strange, tmp_path / "strange.joblib")
    assert_allclose(joblib.load(tmp_path / "strange.joblib").predict(X), strange.predict(X))
    strange.set_params(**{"zip code__scale": "minmax", "价格__dim": 3})
    assert dict(strange._named_parts)["价格"].dim == 3


def test_strange_names_in_a_saved_model(tmp_path):
    X, y = make_table()
    network = _network(STRANGE).fit(X, y)
    assert list(network.missing_rows(X)) == STRANGE
    network.model_.save(tmp_path / "strange.keras")
    loaded = keras.saving.load_model(tmp_path / "strange.keras")
    assert_allclose(np.ravel(loaded(network.encode(X))), network.predict(X), rtol=1e-5)
    assert {"a.b_branch", "Flache_branch", "zip_code_branch", "zip_code_2_branch"} <= {
        layer.name for layer in network.model_.layers
    }


def test_branches_with_strange_names_can_be_asked_by_themselves():
    X, y = make_table()
    network = _network(STRANGE).fit(X, y)
    parts = Branchwise(network)
    outputs = parts.outputs([parts.features(part, X) for part in parts.branches])
    assert_allclose(with_outputs(network, outputs).predict(X), network.predict(X), rtol=1e-5)


def test_names_of_layers_are_safe_and_unique():
    names = layer_names([*STRANGE, "branch", "Flache"])
    assert len(set(names.values())) == len(names)
    assert all(name.isascii() and not set(name) & set(" /\\'()") for name in names.values())
    plain = ["a.b", "x>y", "1", "zip_code", "branch", "Flache"]
    assert [names[name] for name in plain] == plain
    assert [names["_x"], names["-x"]] == ["x", "x_2"]
    assert names["zip code"] == "zip_code_2"
    assert names["价格"] == "branch_2"
