"""What an estimator says when modalities are absent."""

import numpy as np
import pyarrow
import pytest
from _modalities import MODALITIES, classifier, stack, table
from _small import make_labels
from numpy.testing import assert_allclose
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression

from skstack.inspection._absence import Absence

COLUMNS = {"numbers": [0, 1], "place": [2], "noise": [3]}


def test_absent_modalities_are_missing():
    X, _ = table()
    lacking = X.assign(city=None, noise=np.nan)
    assert list(MODALITIES) == list(COLUMNS)
    assert_allclose(Absence(stack(), X, COLUMNS).without([1, 2]).predict(X), stack().predict(lacking))


def test_with_background_predictions_are_means_over_its_rows():
    X, _ = table()
    background = X.iloc[:3]
    expected = [stack().predict(X.assign(city=row.city)) for row in background.itertuples()]
    assert_allclose(Absence(stack(), X, COLUMNS, background).without([1]).predict(X), np.mean(expected, axis=0))


def test_with_background_classes_are_the_likeliest():
    X, y = table()
    absence = Absence(classifier(), X, COLUMNS, X.iloc[:5])
    view = absence.without([0])
    probabilities = view.predict_proba(X)
    assert view.predict(X).tolist() == classifier().classes_[probabilities.argmax(axis=1)].tolist()
    assert 0.3 < view.score(X, make_labels(y)) < 0.8 < classifier().score(X, make_labels(y))


def test_coalitions_go_from_nobody_to_all():
    X, _ = table()
    values = Absence(stack(), X, COLUMNS).values(lambda view: view.predict(X))
    assert values.shape == (8, len(X))
    assert_allclose(values[-1], stack().predict(X))
    assert_allclose(values[0], stack().predict(X.assign(area=np.nan, rooms=np.nan, city=None, noise=np.nan)))
    assert_allclose(values[2], stack().predict(X.assign(area=np.nan, rooms=np.nan, noise=np.nan)))


def test_learners_that_cannot_do_without_say_what_to_give():
    X, y = table()
    model = LinearRegression().fit(X[["area", "noise"]], y)
    absence = Absence(model, X[["area", "noise"]], {"size": [0], "noise": [1]})
    with pytest.raises(
        ValueError, match=r"LinearRegression cannot .* modalities \['noise'\] are missing: .*background"
    ):
        absence.without([1]).predict(X)


def test_what_is_wrong_with_the_rows_themselves_is_said_as_it_is():
    X, y = table()
    model = LogisticRegression().fit(X[["area"]], make_labels(y))
    X.loc[X.index[0], "area"] = np.nan
    with pytest.raises(ValueError, match=r"^Input X contains NaN"):
        Absence(model, X[["area"]], {"size": [0]}).without([]).predict(X)


@pytest.mark.parametrize(
    ("background", "message"),
    [
        (lambda X: X.to_numpy(), "should be rows like those of X, which has shape .* got ndarray"),
        (lambda X: X[["area"]], r"got DataFrame of shape \(96, 1\)"),
        (lambda X: X[["rooms", "area", "city", "noise"]], "should have the columns of X, in their order"),
        (lambda X: X.iloc[:0], "has no rows"),
    ],
)
def test_background_of_other_columns_is_refused(background, message):
    X, _ = table()
    with pytest.raises(ValueError, match=message):
        Absence(stack(), X, COLUMNS, background(X))


def test_too_many_modalities_are_refused_before_anything_is_predicted():
    X = np.zeros((2, 13))
    model = DummyClassifier().fit(X, [0, 1])
    with pytest.raises(ValueError, match=r"13 modalities need 2 \*\* 13 predictions .* unite some of them to 12"):
        Absence(model, X, {f"m{index}": [index] for index in range(13)}).values(None)


def test_background_may_be_a_table_of_others():
    X, _ = table()
    background = pyarrow.Table.from_pandas(X.iloc[:3], preserve_index=False)
    expected = Absence(stack(), X, COLUMNS, X.iloc[:3]).without([1]).predict(X)
    assert_allclose(Absence(stack(), X, COLUMNS, background).without([1]).predict(X), expected)
