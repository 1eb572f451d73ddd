"""The mean of copies of an estimator that differ in their random state."""

import numpy as np
import pandas as pd
import pytest
import sklearn
from scipy import sparse
from sklearn.base import clone
from sklearn.datasets import make_classification, make_regression
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
)
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import QuantileTransformer
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
from sklearn.utils import get_tags
from sklearn.utils.estimator_checks import parametrize_with_checks

from skstack import SeedEnsembleClassifier, SeedEnsembleRegressor
from skstack._protocols import takes_validation_rows

X, Y = make_regression(60, 3, noise=5.0, random_state=0)
LABELS = np.where(Y > 0, "high", "low")
TREES = ExtraTreesRegressor(2, max_depth=3)

ENSEMBLES = [
    SeedEnsembleRegressor(DecisionTreeRegressor(), n_estimators=2, random_state=0),
    SeedEnsembleClassifier(DecisionTreeClassifier(), n_estimators=2, random_state=0),
    SeedEnsembleRegressor(HistGradientBoostingRegressor(max_iter=10, min_samples_leaf=2), n_estimators=2),
    SeedEnsembleClassifier(HistGradientBoostingClassifier(max_iter=10, min_samples_leaf=2), n_estimators=2),
]


def _expected(ensemble):
    """Return what the copies fail of the checks by themselves."""
    if isinstance(ensemble.estimator, (HistGradientBoostingRegressor, HistGradientBoostingClassifier)):
        why = "Boosting makes bins of rows, whatever these weigh, as scikit-learn's own list of failures says."
        return {"check_sample_weight_equivalence_on_dense_data": why}
    return {}


@parametrize_with_checks(ENSEMBLES, expected_failed_checks=_expected)
def test_checks_of_scikit_learn(estimator, check):
    check(estimator)


def test_it_predicts_the_mean_of_copies_with_seeds_of_their_own():
    ensemble = SeedEnsembleRegressor(TREES, n_estimators=3, random_state=0).fit(X, Y)
    seeds = [copy.random_state for copy in ensemble.estimators_]
    assert len(set(seeds)) == 3
    alone = [clone(TREES).set_params(random_state=seed).fit(X, Y).predict(X) for seed in seeds]
    np.testing.assert_allclose(ensemble.predict(X), np.mean(alone, axis=0))
    np.testing.assert_array_equal(clone(ensemble).fit(X, Y).predict(X), ensemble.predict(X))
    assert clone(ensemble).set_params(random_state=1).fit(X, Y).estimators_[0].random_state != seeds[0]
    assert TREES.random_state is None


def test_classes_are_those_of_the_highest_mean_probability():
    trees = ExtraTreesClassifier(2, max_depth=3)
    ensemble = SeedEnsembleClassifier(trees, n_estimators=3, random_state=0).fit(X, LABELS)
    proba = np.mean([copy.predict_proba(X) for copy in ensemble.estimators_], axis=0)
    np.testing.assert_allclose(ensemble.predict_proba(X), proba)
    np.testing.assert_array_equal(ensemble.predict(X), ensemble.classes_[proba.argmax(axis=1)])
    assert ensemble.classes_.tolist() == ["high", "low"]


def test_whatever_is_inside_gets_other_seeds():
    inner = make_pipeline(QuantileTransformer(n_quantiles=10), TREES)
    ensemble = SeedEnsembleRegressor(inner, n_estimators=2, random_state=0).fit(X, Y)
    seeds = [[step.random_state for step in copy] for copy in ensemble.estimators_]
    assert len({seed for pair in seeds for seed in pair}) == 4
    assert SeedEnsembleRegressor(Ridge(), n_estimators=2).fit(X, Y).predict(X).shape == (60,)  # which has some, unused


def test_copies_get_rows_as_they_are():
    table = pd.DataFrame(X, columns=list("abc")).assign(c=pd.Categorical(np.where(X[:, 2] > 0, "x", "y")))
    boosting = HistGradientBoostingRegressor(max_iter=5, categorical_features="from_dtype")
    ensemble = SeedEnsembleRegressor(boosting, n_estimators=2, random_state=0).fit(table, Y)
    assert ensemble.feature_names_in_.tolist() == list("abc") and ensemble.n_features_in_ == 3
    assert ensemble.estimators_[0].is_categorical_.tolist() == [False, False, True]
    assert SeedEnsembleRegressor(TREES).fit(sparse.csr_matrix(X), Y).predict(sparse.csr_matrix(X)).shape == (60,)


def test_several_targets():
    y = np.column_stack([Y, -Y])
    assert SeedEnsembleRegressor(TREES, random_state=0).fit(X, y).predict(X).shape == (60, 2)


def test_weights_reach_the_copies():
    weight = np.where(Y > 0, 1.0, 0.0)
    weighted = SeedEnsembleRegressor(TREES, n_estimators=2, random_state=0).fit(X, Y, sample_weight=weight)
    assert (weighted.predict(X) > 0).all()
    with sklearn.config_context(enable_metadata_routing=True):
        routed = SeedEnsembleRegressor(TREES, random_state=0).set_fit_request(sample_weight=True)
        pipeline = make_pipeline(QuantileTransformer(n_quantiles=10), routed).fit(X, Y, sample_weight=weight)
        assert (pipeline.predict(X) > 0).all()
        assert pipeline.score(X[Y > 0], Y[Y > 0]) > 0


@pytest.mark.skipif(
    not takes_validation_rows(HistGradientBoostingRegressor()),
    reason="boosting takes rows to validate on since scikit-learn 1.7",
)
def test_rows_to_stop_on_reach_the_copies():
    boosting = HistGradientBoostingRegressor(max_iter=50, early_stopping=True, min_samples_leaf=2)
    ensemble = SeedEnsembleRegressor(boosting, n_estimators=2, random_state=0)
    assert takes_validation_rows(ensemble)
    assert not takes_validation_rows(SeedEnsembleRegressor(clone(boosting).set_params(early_stopping=False)))
    given = {"X_val": X[:9], "y_val": -Y[:9]}
    stopped = [copy.n_iter_ for copy in ensemble.fit(X, Y, **given).estimators_]
    assert stopped == [clone(boosting).fit(X, Y, **given).n_iter_] * 2


def test_it_says_of_itself_what_its_estimator_does():
    tags = get_tags(SeedEnsembleClassifier(HistGradientBoostingClassifier()))
    assert tags.input_tags.allow_nan and tags.classifier_tags.multi_class
    assert not get_tags(SeedEnsembleRegressor(Ridge())).input_tags.allow_nan
    assert get_tags(SeedEnsembleRegressor(HistGradientBoostingRegressor())).target_tags.single_output


@pytest.mark.parametrize(
    ("ensemble", "message"),
    [
        (SeedEnsembleRegressor("ridge"), "'estimator' parameter of SeedEnsembleRegressor must be"),
        (SeedEnsembleRegressor(Ridge(), n_estimators=0), "'n_estimators' parameter"),
        (SeedEnsembleClassifier(SVC()), "'estimator' parameter of SeedEnsembleClassifier must be .*predict_proba"),
    ],
)
def test_wrong_parameters(ensemble, message):
    with pytest.raises(ValueError, match=message):
        ensemble.fit(X, LABELS if isinstance(ensemble, SeedEnsembleClassifier) else Y)


def test_a_mistyped_parameter_is_named():
    with pytest.raises(ValueError, match="n_estimators"):
        SeedEnsembleRegressor(Ridge()).set_params(n_estimator=3)


def test_it_is_steadier_than_one():
    X, y = make_classification(300, 10, flip_y=0.2, random_state=0)
    boosting = HistGradientBoostingClassifier(max_iter=30, early_stopping=True)
    ones = [clone(boosting).set_params(random_state=seed).fit(X[:200], y[:200]) for seed in range(4)]
    several = [SeedEnsembleClassifier(boosting, random_state=seed).fit(X[:200], y[:200]) for seed in range(4)]
    spread = [
        np.std([model.predict_proba(X[200:])[:, 1] for model in models], axis=0).mean() for models in (ones, several)
    ]
    assert spread[1] < 0.7 * spread[0]
