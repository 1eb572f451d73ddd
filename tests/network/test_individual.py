"""Networks of single branches that are kept."""

import numpy as np
import pytest
from _small import branches, make_labels, make_table, network_classifier, network_regressor
from sklearn.base import clone

X, Y = make_table()
SPLITS = [np.arange(32), np.arange(20, 48)]
STAGED = {"stages": "individual+joint", "epochs": 2, "batch_size": 16, "optimizer": "sgd", "keep_individual": True}


@pytest.fixture(scope="module")
def folds():
    return list(network_regressor(**STAGED).cross_fit(X, Y, SPLITS))


def test_they_predict_what_their_branch_alone_learned(folds):
    network = folds[0]
    assert list(network.individual_networks_) == ["numbers", "place"]
    alone = network.individual_networks_["numbers"]
    assert [name for name, _, _ in alone.branches_] == ["numbers"]
    assert alone.model_.get_layer("numbers_branch")
    changed = X.assign(city="Celle")
    np.testing.assert_array_equal(alone.predict(changed), alone.predict(X))
    assert np.corrcoef(alone.predict(X), network.predict(X))[0, 1] < 1
    assert np.ptp(alone.predict(X)) > 0


def test_those_of_folds_are_those_of_a_fit_on_their_rows(folds):
    for fold, rows in zip(folds[1:], SPLITS, strict=True):
        fitted = clone(folds[0]).fit(X.iloc[rows], Y[rows])
        for name, alone in fold.individual_networks_.items():
            expected = fitted.individual_networks_[name].predict(X)
            np.testing.assert_allclose(alone.predict(X), expected, rtol=1e-4, atol=1e-5)


def test_their_layers_may_be_called_like_those_of_other_networks():
    """A branch called "output" moves the name of the output in its own network only."""
    parts = [
        (name, branch, columns) for name, (_, branch, columns) in zip(("output", "branch"), branches(), strict=True)
    ]
    network = network_regressor(parts, **STAGED).fit(X, Y)
    plain = network_regressor(**STAGED).fit(X, Y)
    np.testing.assert_allclose(network.predict(X), plain.predict(X), rtol=1e-5)
    for one, other in zip(network.individual_networks_.values(), plain.individual_networks_.values(), strict=True):
        np.testing.assert_allclose(one.predict(X), other.predict(X), rtol=1e-5)


def test_they_are_kept_only_if_wished_and_as_long_as_they_fit():
    network = network_classifier(**{**STAGED, "epochs": 1}).fit(X, make_labels(Y))
    assert network.individual_networks_["place"].predict_proba(X).shape == (48, 2)
    network.set_params(keep_individual=False).fit(X, make_labels(Y))
    assert not hasattr(network, "individual_networks_")
    assert not hasattr(network_classifier(keep_individual=True).fit(X, make_labels(Y)), "individual_networks_")
