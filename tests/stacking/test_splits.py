"""The splits of a stack: how they are written, and what they give to a final estimator."""

import numpy as np
import pytest
from _small import Recorder, branches, make_labels, make_table, stack_regressor
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GroupKFold, KFold, RepeatedKFold, cross_val_predict

from skstack import MultimodalNetworkClassifier, MultimodalStackingClassifier, MultimodalStackingRegressor

NUMBERS = ["area", "rooms"]


@pytest.fixture(scope="module")
def table():
    return make_table()


def _out_of_fold(table, cv, **params):
    """Return what the final estimator of a stack of one learner is fitted to."""
    X, y = table
    stack = MultimodalStackingRegressor([("ridge", Ridge(), NUMBERS)], Recorder(), cv=cv, **params).fit(X, y)
    return stack.final_estimator_


def test_splits_as_number_splitter_list_and_generator(table):
    X, y = table
    expected = cross_val_predict(Ridge(), X[NUMBERS], y, cv=3)
    for cv in (3, KFold(3), list(KFold(3).split(X)), KFold(3).split(X)):
        assert_allclose(_out_of_fold(table, cv).seen_X_[:, 0], expected)


def test_repeated_predictions_of_a_row_are_averaged(table):
    X, y = table
    folds = list(RepeatedKFold(n_splits=3, n_repeats=2, random_state=0).split(X))
    repeats = [cross_val_predict(Ridge(), X[NUMBERS], y, cv=folds[start : start + 3]) for start in (0, 3)]
    assert np.abs(repeats[0] - repeats[1]).max() > 1e-3
    assert_allclose(_out_of_fold(table, folds).seen_X_[:, 0], np.mean(repeats, axis=0))
    splitter = RepeatedKFold(n_splits=3, n_repeats=2, random_state=0)
    assert_allclose(_out_of_fold(table, splitter).seen_X_[:, 0], np.mean(repeats, axis=0))


def test_a_row_that_a_split_names_twice_is_predicted_once(table):
    X, y = table
    folds = [(training, np.r_[test, test[:5], test[:5]]) for training, test in KFold(3).split(X)]
    expected = cross_val_predict(Ridge(), X[NUMBERS], y, cv=3)
    assert_allclose(_out_of_fold(table, folds).seen_X_[:, 0], expected)
    networks = stack_regressor(branches(), final_estimator=Recorder(), cv=folds).fit(X, y)
    plain = stack_regressor(branches(), final_estimator=Recorder(), cv=KFold(3)).fit(X, y)
    assert_allclose(networks.final_estimator_.seen_X_, plain.final_estimator_.seen_X_, rtol=1e-5)


def _as_mask(rows, n_rows):
    return np.isin(np.arange(n_rows), rows)


@pytest.mark.parametrize(
    "written",
    [
        _as_mask,
        lambda rows, n_rows: rows - n_rows,
        lambda rows, n_rows: list(rows),
        lambda rows, _: rows.astype("uint8"),
    ],
    ids=["masks", "counted from the end", "lists", "small integers"],
)
def test_splits_name_rows_as_numpy_does(table, written):
    X, y = table
    folds = [tuple(written(rows, len(y)) for rows in fold) for fold in KFold(3).split(X)]
    assert_allclose(_out_of_fold(table, folds).seen_X_[:, 0], cross_val_predict(Ridge(), X[NUMBERS], y, cv=3))


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ((np.arange(24.0), np.arange(24, 48)), r"training rows of split 1 of cv should be positions .*float64"),
        ((np.arange(24), []), r"test rows of split 1 of cv are none"),
        ((np.zeros(48, dtype=bool), np.arange(48)), r"training rows of split 1 of cv are none"),
        ((np.ones(47, dtype=bool), np.arange(48)), r"training rows of split 1 .* mask of shape \(47,\), X has 48 rows"),
        ((np.arange(24), [24, 48]), r"test rows of split 1 of cv name row 48, X has 48 rows"),
        ((np.arange(24), [-49]), r"test rows of split 1 of cv name row -49"),
        ((np.arange(24), np.arange(48).reshape(2, 24)), r"test rows of split 1 .* shape \(2, 24\)"),
        ((np.arange(24), ["a"]), r"test rows of split 1"),
    ],
)
def test_splits_that_name_no_rows_are_refused(table, bad, message):
    good = np.arange(24), np.arange(24, 48)
    with pytest.raises(ValueError, match=message):
        _out_of_fold(table, [good, bad])


def test_a_splitter_whose_splits_are_no_pairs_is_refused(table):
    class Splitter:
        def split(self, X, y=None, groups=None):
            yield np.arange(24), np.arange(24, 48)
            yield np.arange(48)

        def get_n_splits(self, X=None, y=None, groups=None):
            return 2

    with pytest.raises(ValueError, match="split 1 of cv should be a pair of training and test rows"):
        _out_of_fold(table, Splitter())


def test_splits_are_drawn_once_for_all_base_models(table):
    X, y = table
    learners = [("first", Ridge(), NUMBERS), ("second", Ridge(), NUMBERS)]
    splitter = KFold(3, shuffle=True)  # draws other folds whenever it is asked
    final = MultimodalStackingRegressor(learners, Recorder(), cv=splitter).fit(X, y).final_estimator_
    assert_array_equal(final.seen_X_[:, 0], final.seen_X_[:, 1])


@pytest.mark.parametrize("n_rare", [1, 2])
@pytest.mark.parametrize("training", ["individual", "joint"])
def test_a_class_of_fewer_rows_than_folds_is_learned_from_the_folds_that_have_it(table, training, n_rare):
    X, y = table
    labels = make_labels(y).astype(object)
    rare = np.flatnonzero(labels == labels[0])[:n_rare]
    labels[rare] = "rare"
    logistic = ("logistic", LogisticRegression(), NUMBERS)
    stack = MultimodalStackingClassifier(
        [*branches(), logistic],
        LogisticRegression(),
        training=training,
        network=MultimodalNetworkClassifier(epochs=2),
        cv=3,
        random_state=0,
    )
    with pytest.warns(UserWarning, match=rf"class 'rare' has {n_rare} of {len(y)} rows, fewer than the 3 folds"):
        stack.fit(X, labels)
    assert "rare" in stack.classes_
    probabilities = stack.predict_proba(X)
    assert probabilities.shape == (len(y), 3)
    assert_allclose(probabilities.sum(axis=1), 1.0, atol=1e-6)
    # Those that all rows taught know the class.
    assert all(len(model.classes_) == 3 for model in stack.estimators_)


@pytest.mark.parametrize(("cv", "message"), [(100, "n_splits=100 greater than"), (GroupKFold(2), "'groups' parameter")])
def test_errors_of_splitters_name_the_parameter(table, cv, message):
    with pytest.raises(ValueError, match=message) as raised:
        _out_of_fold(table, cv)
    assert raised.value.__notes__ == [f"in the splits of cv={cv!r}"]
