"""Which rows base models and the final estimator of a stack are fitted to, and what columns the latter gets."""

import numpy as np
import pytest
from _small import Recorder, branches, make_labels, make_table, network_regressor, stack_classifier, stack_regressor
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.model_selection import KFold, RepeatedKFold, TimeSeriesSplit, cross_val_predict
from sklearn.svm import SVR
from sklearn.tree import DecisionTreeRegressor

from skstack import MultimodalNetworkRegressor, MultimodalStackingRegressor
from skstack.branches import NumericBranch

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


def test_rows_that_no_fold_predicts_are_left_out_of_the_final_estimator(table):
    X, y = table
    folds = list(TimeSeriesSplit(3).split(X))
    first = folds[0][1][0]
    final = _out_of_fold(table, TimeSeriesSplit(3), passthrough=["area"])
    assert_array_equal(final.seen_y_, y[first:])
    by_hand = [Ridge().fit(X[NUMBERS].iloc[past], y[past]).predict(X[NUMBERS].iloc[next_]) for past, next_ in folds]
    assert_allclose(final.seen_X_.iloc[:, 0], np.concatenate(by_hand))
    assert_array_equal(final.seen_X_["area"], X["area"].iloc[first:])


def test_weights_of_rows_that_no_fold_predicts_are_left_out_too(table):
    X, y = table
    weight = np.arange(1.0, len(y) + 1)
    stack = MultimodalStackingRegressor([("ridge", Ridge(), NUMBERS)], Recorder(), cv=TimeSeriesSplit(3))
    final = stack.fit(X, y, sample_weight=weight).final_estimator_
    assert_array_equal(final.seen_weight_, weight[-len(final.seen_y_) :])
    assert len(final.seen_y_) < len(y)


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


def test_fitted_learners_are_taken_as_they_are(table):
    X, y = table
    ridge = Ridge().fit(X[NUMBERS], -y)
    network = network_regressor().fit(X, y)
    parts = [("ridge", ridge, NUMBERS), ("net", network)]
    stack = MultimodalStackingRegressor(parts, Recorder(), cv="prefit").fit(X, y)
    assert stack.named_estimators_["ridge"] is ridge
    assert stack.named_estimators_["net"] is network
    expected = np.column_stack([ridge.predict(X[NUMBERS]), network.predict(X)])
    assert_allclose(stack.final_estimator_.seen_X_, expected, rtol=1e-6)


def test_learners_in_several_processes_give_the_same(table):
    X, y = table
    learners = [("tree", DecisionTreeRegressor(splitter="random"), NUMBERS), ("svm", SVR(), NUMBERS)]
    one, two = (
        MultimodalStackingRegressor(learners, Recorder(), cv=3, n_jobs=n_jobs, random_state=0).fit(X, y)
        for n_jobs in (None, 2)
    )
    assert_array_equal(two.final_estimator_.seen_X_, one.final_estimator_.seen_X_)
    assert_array_equal(two.predict(X), one.predict(X))


@pytest.mark.parametrize("training", ["joint", "individual"])
def test_stack_of_networks_is_repeatable_with_several_processes(table, training):
    X, y = table
    one, two = (stack_regressor(training=training, n_jobs=n_jobs).fit(X, y).transform(X) for n_jobs in (None, 2))
    assert_allclose(two, one, rtol=1e-5)


# --- base models and columns ------------------------------------------------------------------------------------------


def test_joint_training_makes_one_base_model_of_the_branches(table):
    X, y = table
    stack = stack_regressor().fit(X, y)
    assert list(stack.named_estimators_) == ["network", "ridge"]
    assert [name for name, _, _ in stack.named_estimators_["network"].branches_] == ["numbers", "place"]
    assert_allclose(stack.transform(X)[:, 0], stack.named_estimators_["network"].predict(X), rtol=1e-6)
    assert_allclose(stack.transform(X)[:, 1], stack.named_estimators_["ridge"].predict(X[NUMBERS]))
    assert set(stack.named_estimators) == {"numbers", "place", "ridge"}


def test_individual_training_makes_a_base_model_of_each_branch(table):
    X, y = table
    stack = stack_regressor(training="individual", passthrough=["rooms"]).fit(X, y)
    assert list(stack.named_estimators_) == ["numbers", "place", "ridge"]
    assert stack.get_feature_names_out().tolist() == [
        "multimodalstackingregressor_numbers",
        "multimodalstackingregressor_place",
        "multimodalstackingregressor_ridge",
        "rooms",
    ]
    # A branch alone sees its own columns only.
    moved = X.assign(area=X["area"] + 1.0)
    changed = np.abs(stack.transform(moved) - stack.transform(X)).max(axis=0)
    assert (changed > 0).tolist() == [True, False, True, False]


@pytest.mark.parametrize("training", ["joint", "individual"])
def test_several_targets(table, training):
    X, y = table
    Y = np.column_stack([y, 10.0 - 3.0 * y])
    stack = stack_regressor(training=training).fit(X, Y)
    assert stack.predict(X).shape == Y.shape
    base = ["network", "ridge"] if training == "joint" else ["numbers", "place", "ridge"]
    assert stack.get_feature_names_out().tolist() == [
        f"multimodalstackingregressor_{name}{target}" for name in base for target in (0, 1)
    ]
    first = stack.named_estimators_[base[0]]
    assert_allclose(stack.transform(X)[:, :2], first.predict(X), rtol=1e-6)
    assert_allclose(first.target_encoder_.center_, Y.mean(axis=0))
    assert stack.score(X, Y) > 0.3


def test_passed_columns_follow_the_predictions(table):
    X, y = table
    learners = [("ridge", Ridge(), NUMBERS)]
    expected = np.column_stack([cross_val_predict(Ridge(), X[NUMBERS], y, cv=3), X["area"]])
    for passthrough in (["area"], "area", [0], [True, False, False], lambda X: ["area"], slice(0, 1)):
        stack = MultimodalStackingRegressor(learners, Recorder(), cv=3, passthrough=passthrough).fit(X, y)
        assert_allclose(stack.final_estimator_.seen_X_, expected)
        assert stack.get_feature_names_out().tolist() == ["multimodalstackingregressor_ridge", "area"]
        assert_allclose(
            stack.transform(X), np.column_stack([stack.named_estimators_["ridge"].predict(X[NUMBERS]), X["area"]])
        )


def test_all_columns_passed_through_keep_their_types_for_the_final_estimator(table):
    X, y = table

    class Keeps(LinearRegression):
        def fit(self, X, y):
            self.dtypes_ = X.dtypes
            return super().fit(X.drop(columns="city"), y)

    stack = MultimodalStackingRegressor([("ridge", Ridge(), NUMBERS)], Keeps(), cv=2, passthrough=True).fit(X, y)
    assert stack.final_estimator_.dtypes_["city"] == X["city"].dtype
    assert stack.final_estimator_.dtypes_["area"] == "float64"


@pytest.mark.parametrize("n_classes", [2, 3])
def test_probabilities_of_networks_in_a_stack(table, n_classes):
    X, y = table
    labels = make_labels(y, n_classes)
    stack = stack_classifier().fit(X, labels)
    probabilities = stack.named_estimators_["network"].predict_proba(X)
    # The first of two classes says nothing that the second does not.
    expected = probabilities[:, 1:] if n_classes == 2 else probabilities
    assert_allclose(stack.transform(X)[:, : expected.shape[1]], expected, rtol=1e-6)
    assert stack.stack_method_ == ["predict_proba", "predict_proba"]
    assert_array_equal(stack.classes_, np.unique(labels))
    assert stack.score(X, labels) > 0.6


def test_a_dropped_branch_leaves_the_joint_network(table):
    X, y = table
    stack = stack_regressor(branches()).set_params(place="drop").fit(X, y)
    assert [name for name, _, _ in stack.named_estimators_["network"].branches_] == ["numbers"]
    assert stack.named_estimators_["place"] == "drop"
    assert_array_equal(stack.predict(X), stack.predict(X.assign(city="elsewhere")))


def test_dense_layers_as_final_estimator(table):
    X, y = table
    dense = network_regressor().set_params(branches=None, head=(3, 2))
    stack = stack_regressor(final_estimator=dense).fit(X, y)
    final = stack.final_estimator_
    assert [
        layer.units for layer in final.model_.layers if layer.name.startswith("head") and hasattr(layer, "units")
    ] == [3, 2]
    assert_allclose(stack.predict(X), final.predict(stack.transform(X)), rtol=1e-6)


def test_one_branch_object_under_two_names_still_makes_one_joint_network():
    X, y = np.arange(24.0).reshape(12, 2), np.arange(12.0)
    branch = NumericBranch(hidden=(2,))
    network = MultimodalNetworkRegressor(epochs=1, early_stopping=False)
    stack = MultimodalStackingRegressor([("left", branch, [0]), ("right", branch, [1])], network=network, cv=2)
    assert list(stack.fit(X, y).named_estimators_) == ["network"]
    assert len(stack.estimators_) == 1
