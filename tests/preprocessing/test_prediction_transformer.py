"""Predictions of fitted models as columns."""

import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest
from _small import make_labels, make_table, network_classifier, network_regressor, stack_regressor
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.base import BaseEstimator, RegressorMixin, clone
from sklearn.compose import ColumnTransformer, make_column_transformer
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge, RidgeClassifier
from sklearn.model_selection import GridSearchCV, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils.estimator_checks import parametrize_with_checks

from skstack import MultimodalStackingMultitask, MultimodalStackingRegressor
from skstack.preprocessing import PredictionTransformer

NUMBERS = ["area", "rooms"]


@pytest.fixture(scope="module")
def table():
    return make_table()


@pytest.fixture(scope="module")
def other():
    """Rows that no model of these tests was fitted on, with one column more, in another order."""
    X, y = make_table(20, seed=7)
    return X.assign(seed_diff=np.arange(20.0))[["seed_diff", "city", "rooms", "area"]], y


@pytest.fixture(scope="module")
def ridge(table):
    X, y = table
    return Ridge().fit(X[NUMBERS], y)


@pytest.fixture(scope="module")
def network(table):
    return network_regressor().fit(*table)


# --- columns ----------------------------------------------------------------------------------------------------------


def test_the_model_gets_the_columns_that_it_was_fitted_with(other, ridge, network):
    X, _ = other
    for model in (
        ridge,
        network,
        FrozenEstimator(network),
        make_pipeline(StandardScaler(), Ridge()).fit(X[NUMBERS], X["rooms"]),
    ):
        expected = model.predict(X[list(model.feature_names_in_)])
        columns = PredictionTransformer(model).fit_transform(X)
        assert columns.shape == (20, 1)
        assert_array_equal(columns[:, 0], expected)


def test_columns_of_another_table_are_renamed(other, ridge):
    X, _ = other
    expected = ridge.predict(X[NUMBERS])
    there = X.rename(columns={"area": "surface"})
    renamed = PredictionTransformer(ridge, rename={"surface": "area"})
    assert_array_equal(renamed.fit_transform(there)[:, 0], expected)
    # A column that happens to have the name means something else.
    assert_array_equal(renamed.fit_transform(there.assign(area=1e9))[:, 0], expected)
    chosen = PredictionTransformer(ridge, columns=["surface", "rooms"], rename={"surface": "area"})
    assert_array_equal(chosen.fit_transform(there)[:, 0], expected)


def test_columns_may_be_chosen_by_position_and_are_all_without_names(other, table):
    X, y = table
    model = Ridge().fit(X[NUMBERS].to_numpy(), y)
    numbers = other[0][NUMBERS].to_numpy()
    assert_array_equal(PredictionTransformer(model).fit_transform(numbers)[:, 0], model.predict(numbers))
    wide = np.column_stack([np.ones(20), numbers])
    assert_array_equal(PredictionTransformer(model, columns=[1, 2]).fit_transform(wide)[:, 0], model.predict(numbers))
    assert_array_equal(
        PredictionTransformer(model, columns=slice(1, None)).fit_transform(wide)[:, 0], model.predict(numbers)
    )


@pytest.mark.parametrize("rename", [None, {"surface": "area"}])
def test_polars_gives_the_same(other, network, rename):
    X = other[0] if rename is None else other[0].rename(columns={"area": "surface"})
    transformer = PredictionTransformer(network, rename=rename)
    assert_array_equal(transformer.fit_transform(pl.from_pandas(X)), transformer.fit_transform(X))


def test_columns_that_a_network_can_do_without_may_be_missing(table, other):
    X = other[0].drop(columns="city")
    able = network_regressor(allow_missing_columns=True).fit(*table)
    assert_array_equal(PredictionTransformer(able).fit_transform(X)[:, 0], able.predict(X[["area", "rooms"]]))


# --- outputs ----------------------------------------------------------------------------------------------------------


def _names(transformer):
    return transformer.get_feature_names_out().tolist()


def test_probabilities_of_two_and_of_three_classes(table, other):
    X, y = table
    for n_classes, names in ((2, ["p_fair"]), (3, ["p_cheap", "p_dear", "p_fair"])):
        labels = make_labels(y, n_classes)
        for model in (LogisticRegression().fit(X[NUMBERS], labels), network_classifier().fit(X, labels)):
            transformer = PredictionTransformer(model, prefix="p")
            columns = transformer.fit_transform(other[0])
            expected = model.predict_proba(other[0][list(model.feature_names_in_)])
            assert_array_equal(columns, expected[:, 1:] if n_classes == 2 else expected)
            assert _names(transformer) == names


@pytest.mark.parametrize(
    ("model", "method", "called"),
    [
        (LogisticRegression(), "auto", "predict_proba"),
        (RidgeClassifier(), "auto", "decision_function"),
        (SVC(), "auto", "decision_function"),
        (LogisticRegression(), "predict", "predict"),
        (LogisticRegression(), "decision_function", "decision_function"),
        (Ridge(), "auto", "predict"),
    ],
)
def test_the_method(table, model, method, called):
    X, y = table
    model.fit(X[NUMBERS], y > np.median(y))
    transformer = PredictionTransformer(model, method=method).fit(X)
    assert transformer.method_ == called
    expected = getattr(model, called)(X[NUMBERS])
    assert_array_equal(transformer.transform(X)[:, 0], expected[:, 1] if expected.ndim == 2 else expected)
    assert _names(transformer) == ["prediction_True" if called == "predict_proba" else "prediction"]


def test_several_outputs(table):
    X, y = table
    two = LinearRegression().fit(X[NUMBERS], np.stack([y, -y], axis=1))
    transformer = PredictionTransformer(two).fit(X)
    assert_array_equal(transformer.transform(X), two.predict(X[NUMBERS]))
    assert _names(transformer) == ["prediction0", "prediction1"]
    labels = np.stack([make_labels(y), make_labels(-y, 3)], axis=1)
    tree = DecisionTreeClassifier(max_depth=2).fit(X[NUMBERS], labels)
    transformer = PredictionTransformer(tree).fit(X)
    both = tree.predict_proba(X[NUMBERS])
    assert_array_equal(transformer.transform(X), np.hstack([both[0][:, 1:], both[1]]))
    assert _names(transformer) == ["prediction0_fair", "prediction1_cheap", "prediction1_dear", "prediction1_fair"]
    labelled = network_classifier().fit(X, np.stack([y > 2, y > 3], axis=1).astype(int))
    transformer = PredictionTransformer(labelled).fit(X)
    assert_array_equal(transformer.transform(X), labelled.predict_proba(X))
    assert _names(transformer) == ["prediction0", "prediction1"]


class Named(RegressorMixin, BaseEstimator):
    """Predicts a table."""

    def fit(self, X, y):
        self.fitted_ = True
        return self

    def predict(self, X):
        return pd.DataFrame({"price": np.ones(len(X)), "rent": np.zeros(len(X))})


def test_several_tasks_become_numbers_and_probabilities(table):
    X, y = table
    Y = pd.DataFrame({"price": y, "size": make_labels(y, 3), "sold": y > y.mean()})
    learners = [("ridge", Ridge(), NUMBERS), ("logistic", LogisticRegression(), NUMBERS)]
    model = MultimodalStackingMultitask(learners, cv=2).fit(X, Y)
    predictions = PredictionTransformer(model).fit(X)
    names = [f"prediction_{name}" for name in ("price", *(f"size_{c}" for c in model.classes_["size"]), "sold_True")]
    assert predictions.get_feature_names_out().tolist() == names
    known = model.predict_tasks(X)
    expected = np.column_stack([known["price"], known["size"], known["sold"][:, 1]])
    assert_allclose(predictions.transform(X), expected)
    of_classes = PredictionTransformer(model, method="predict_proba").fit(X)
    assert_allclose(of_classes.transform(X), expected[:, 1:])


def test_a_predicted_table_keeps_its_names(table):
    transformer = PredictionTransformer(Named().fit(*table)).fit(table[0])
    assert _names(transformer) == ["prediction_price", "prediction_rent"]
    assert_array_equal(transformer.transform(table[0])[3], [1, 0])


def test_output_can_be_pandas_or_polars(other, ridge):
    X, _ = other
    transformer = PredictionTransformer(ridge, prefix="season").set_output(transform="pandas")
    output = transformer.fit_transform(X)
    assert output.columns.tolist() == ["season"]
    assert output.index.equals(X.index)
    assert clone(transformer).fit_transform(X).equals(output)
    assert transformer.set_output(transform="polars").transform(X)["season"].to_list() == output["season"].tolist()


# --- the fitted model -------------------------------------------------------------------------------------------------


def test_the_model_stays_as_it_is(table, other, ridge):
    X, y = other
    before = ridge.coef_.copy()
    transformer = PredictionTransformer(ridge).fit(X, y)
    assert_array_equal(ridge.coef_, before)
    twin = clone(transformer)
    assert twin.estimator is ridge
    with pytest.raises(NotFittedError):
        twin.transform(X)
    assert "estimator__alpha" not in transformer.get_params()
    with pytest.raises(ValueError, match=r"\['estimator__alpha'\] cannot be set: the model is fitted"):
        transformer.set_params(estimator__alpha=2)
    loaded = pickle.loads(pickle.dumps(transformer))
    assert_array_equal(loaded.transform(X), transformer.transform(X))


def test_a_column_beside_others_in_pipelines_searches_and_stacks(table, other, network):
    X, y = other
    features = ColumnTransformer(
        [("season", PredictionTransformer(network, prefix="forecast"), ["area", "rooms", "city"])],
        remainder="passthrough",
        verbose_feature_names_out=False,
    ).set_output(transform="pandas")
    by_hand = X[["seed_diff"]].assign(forecast=network.predict(X[["area", "rooms", "city"]]))
    by_hand = by_hand[["forecast", "seed_diff"]]
    pipeline = make_pipeline(features, Ridge())
    assert_allclose(cross_val_predict(pipeline, X, y, cv=3), cross_val_predict(Ridge(), by_hand, y, cv=3))
    search = GridSearchCV(pipeline, {"ridge__alpha": [0.1, 1e3]}, cv=2).fit(X, y)
    expected = GridSearchCV(Ridge(), {"alpha": [0.1, 1e3]}, cv=2).fit(by_hand, y)
    assert_allclose(search.cv_results_["mean_test_score"], expected.cv_results_["mean_test_score"])
    stack = MultimodalStackingRegressor([("ridge", Ridge(), ["forecast", "seed_diff"])], cv=2)
    assert_allclose(make_pipeline(features, stack).fit(X, y).predict(X), stack.fit(by_hand, y).predict(by_hand))


def test_a_stack_may_be_the_model(table, other):
    fitted = stack_regressor().fit(*table)
    columns = PredictionTransformer(fitted).fit_transform(other[0])
    assert_array_equal(columns[:, 0], fitted.predict(other[0][["area", "rooms", "city"]]))


# --- what cannot be used ----------------------------------------------------------------------------------------------


def test_a_model_that_is_not_fitted_is_refused(other):
    with pytest.raises(
        NotFittedError, match=r"a Ridge, is not fitted, and PredictionTransformer does not fit it.*cross-fits"
    ):
        PredictionTransformer(Ridge()).fit(other[0])


@pytest.mark.parametrize(
    ("params", "error", "message"),
    [
        (
            {"rename": {"surfac": "area"}},
            ValueError,
            "'rename' names 'surfac', which is no .*Did you mean 'surface'",
        ),
        (
            {"rename": {"surface": "area", "rooms": "area"}},
            ValueError,
            "'rename' calls both 'surface' and 'rooms' 'area'",
        ),
        ({}, ValueError, r"lacks columns that Ridge was fitted with: \['area'\].*say so with 'rename'"),
        ({"columns": ["area"]}, ValueError, r"not columns of the dataframe: \['area'\]"),
        ({"method": "predict_probability"}, ValueError, "'method' parameter"),
        ({"columns": ["rooms"], "method": "predict_proba"}, AttributeError, "predict_proba"),
        ({"prefix": 3}, ValueError, "'prefix' parameter"),
        ({"estimator": Ridge}, TypeError, "got the class Ridge: did you forget the parentheses"),
        ({"estimator": StandardScaler()}, ValueError, "'estimator' parameter"),
    ],
)
def test_what_cannot_be_used_is_named(other, ridge, params, error, message):
    X = other[0].rename(columns={"area": "surface"})
    with pytest.raises(error, match=message):
        PredictionTransformer(**{"estimator": ridge, **params}).fit(X)


def test_names_need_a_table_and_parameters_a_name(other, ridge):
    with pytest.raises(ValueError, match="'rename' needs a DataFrame"):
        PredictionTransformer(ridge, rename={"a": "area"}).fit(np.ones((3, 2)))
    with pytest.raises(ValueError, match="Did you mean 'prefix'"):
        PredictionTransformer(ridge).set_params(prefx="a")
    transformer = make_column_transformer((PredictionTransformer(ridge), NUMBERS))
    with pytest.raises(ValueError, match="columns"):
        transformer.fit(other[0]).transform(other[0].drop(columns="area"))


class MeanOfRow(RegressorMixin, BaseEstimator):
    """Predicts the mean of a row, of however many columns."""

    def fit(self, X, y=None):
        return self

    def predict(self, X):
        X = X if sparse.issparse(X) else np.asarray(X, dtype="float64")
        return np.asarray(X.mean(axis=1)).ravel()

    def __sklearn_is_fitted__(self):
        return True

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = tags.input_tags.sparse = True
        return tags


@parametrize_with_checks([PredictionTransformer(MeanOfRow())])
def test_scikit_learn_accepts_it(estimator, check):
    check(estimator)
