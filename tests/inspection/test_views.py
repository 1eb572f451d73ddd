"""A view predicts what its estimator predicts for the table that it sees."""

import numpy as np
import pandas as pd
import pytest
from _modalities import NOISE, NUMBERS, classifier, stack, table
from _small import branches, make_labels, make_table, network_classifier, network_regressor, stack_regressor
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import is_classifier, is_regressor
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skstack import MultimodalStackingRegressor, MultitaskNetwork
from skstack.inspection._tables import missing_row, mixed
from skstack.inspection._views import views_of

#: Nothing, a part of a branch's columns, whole branches, several of them, everything.
ABSENT = [(), (0,), (0, 1), (2,), (1, 2), (0, 1, 2)]


def _check(estimator, X, method="predict", absent=ABSENT, source=None, rows=None, **tolerance):
    """Compare views with predictions of the estimator itself for missing cells, or those of other rows."""
    source = missing_row(X) if source is None else source
    rows = np.zeros(X.shape[0], dtype=int) if rows is None else rows
    views = views_of(estimator, X, source)
    for columns in absent:
        seen = getattr(views.view(frozenset(columns), rows), method)(X)
        expected = getattr(estimator, method)(mixed(X, source, rows, columns) if columns else X)
        assert_allclose(seen, expected, **{"rtol": 1e-6, **tolerance})


@pytest.mark.parametrize("params", [{}, {"n_members": 2}, {"n_members": 2, "share_weights": True}])
def test_networks(params):
    X, y = make_table()
    network = network_regressor(**params).fit(X, y)
    _check(network, X)
    _check(network, X, source=X, rows=np.random.default_rng(0).permutation(len(X)))


def test_network_that_withholds_branches_and_predicts_classes():
    X, y = make_table()
    network = network_classifier(modality_dropout=0.2).fit(X, make_labels(y, 3))
    _check(network, X, "predict_proba")


@pytest.mark.parametrize("params", [{}, {"refit": "folds"}, {"passthrough": ["area"]}])
def test_stacks_of_networks_and_learners(params):
    X, _ = table()
    fitted = stack(**{**params, "passthrough": tuple(params["passthrough"])} if "passthrough" in params else params)
    absent = [(), (2,), (3,), (0, 1), (2, 3)] if "passthrough" in params else [*ABSENT, (3,), (0, 1, 2, 3)]
    absent = [columns for columns in absent if 0 not in columns or "passthrough" not in params]
    _check(fitted, X, absent=absent)


def test_stack_with_missing_indicators_sees_that_rows_are_missing():
    X, y = make_table()
    X.loc[X.index[:9], "city"] = None
    fitted = stack_regressor(branches(), add_missing_indicator=True).fit(X, y)
    _check(fitted, X, absent=[(), (2,)])


def test_stack_of_classes_and_averages_of_its_guard():
    X, _ = table()
    _check(classifier(), X, "predict_proba", absent=[(), (0, 1), (3,)])
    _check(stack(guard=True), X)


def test_stack_within_a_stack_and_columns_in_another_order():
    X, y = make_table()
    boosting = HistGradientBoostingRegressor(max_iter=5, min_samples_leaf=5)
    inner = MultimodalStackingRegressor([("one", boosting, ["area"]), ("two", boosting, ["rooms"])], cv=2)
    outer = MultimodalStackingRegressor([("inner", inner, ["rooms", "area"]), ("alone", boosting, ["area"])], cv=2)
    _check(outer.fit(X, y), X)


def test_one_task_of_several():
    X, y = make_table()
    target = pd.DataFrame({"price": y, "dear": make_labels(y)})
    network = MultitaskNetwork(branches(), epochs=1, batch_size=64, early_stopping=False, random_state=0).fit(X, target)
    _check(network.for_task("price"), X)
    _check(network.for_task("dear"), X, "predict_proba")


def test_any_other_estimator_sees_the_table():
    X, y = make_table()
    pipeline = make_pipeline(FunctionTransformer(lambda X: X[NUMBERS]), HistGradientBoostingRegressor(max_iter=5))
    _check(pipeline.fit(X, y), X)


def test_views_are_estimators_of_the_same_kind_and_score_what_they_see():
    X, y = table()
    rows = np.zeros(len(X), dtype=int)
    for fitted in (stack(), make_pipeline(HistGradientBoostingRegressor()).fit(X[NUMBERS], y)):
        seen = X if hasattr(fitted, "estimators_") else X[NUMBERS]
        source = missing_row(seen)
        view = views_of(fitted, seen, source).view(frozenset({0}), rows)
        assert is_regressor(view)
        assert_allclose(view.score(seen, y), fitted.score(mixed(seen, source, rows, [0]), y))
    view = views_of(classifier(), X, missing_row(X)).view(frozenset(), rows)
    assert is_classifier(view) and view.classes_.tolist() == ["cheap", "fair"]


def test_the_estimator_stays_as_it_is():
    X, _ = table()
    fitted, before = stack(), stack().predict(X)
    views_of(fitted, X, missing_row(X)).view(frozenset({0, 1}), np.zeros(len(X), dtype=int)).predict(X)
    assert_array_equal(fitted.predict(X), before)


class Counting(HistGradientBoostingRegressor):
    """Counts how often it is asked, and for how many rows."""

    asked = ()

    def predict(self, X):
        """Predict."""
        Counting.asked = (*Counting.asked, len(X))
        return super().predict(X)


def test_base_models_are_asked_once_for_the_same_cells():
    X, y = table()
    learners = [("numbers", Counting(max_iter=2), NUMBERS), ("noise", Counting(max_iter=2), NOISE)]
    fitted = MultimodalStackingRegressor(learners, cv=2).fit(X, y)
    Counting.asked = ()
    views, rows = views_of(fitted, X, missing_row(X)), np.zeros(len(X), dtype=int)
    for absent in [(), (0, 1), (3,), (0, 1, 3), (2,)]:
        views.view(frozenset(absent), rows).predict(X)
    assert sorted(Counting.asked) == [1, 1, len(X), len(X)]  # each with its cells, and a single row without
