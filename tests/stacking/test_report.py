"""The report of a stack, and the guard that acts on it."""

import pickle

import numpy as np
import pandas as pd
import pytest
from _small import make_labels, make_table, network_regressor, stack_regressor
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.ensemble import RandomForestClassifier
from sklearn.exceptions import FitFailedWarning
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge, RidgeClassifier
from sklearn.metrics import accuracy_score, log_loss, r2_score
from sklearn.model_selection import GroupKFold, KFold, ShuffleSplit, TimeSeriesSplit, cross_val_predict
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.tree import DecisionTreeRegressor

from skstack import (
    MultimodalStackingClassifier,
    MultimodalStackingMultitask,
    MultimodalStackingRegressor,
    WeightedAverageClassifier,
    WeightedAverageRegressor,
)

NUMBERS = ["area", "rooms"]
REGRESSORS = [("ridge", Ridge()), ("tree", DecisionTreeRegressor(max_depth=3, random_state=0))]
CLASSIFIERS = [("logistic", LogisticRegression()), ("neighbours", KNeighborsClassifier())]
AVERAGES = ["nonnegative", "selection", "mean", "best"]


@pytest.fixture(scope="module")
def table():
    X, y = make_table(90)
    return X[NUMBERS], y


class Wrong(RegressorMixin, BaseEstimator):
    """Predicts what is far off, unless it was fitted to few rows, to which it cannot be fitted at all."""

    def __init__(self, min_rows=0):
        self.min_rows = min_rows

    def fit(self, X, y, sample_weight=None):
        """Refuse few rows, or learn nothing."""
        if len(X) < self.min_rows:
            raise LookupError("too few")
        self.fitted_ = True
        return self

    def predict(self, X):
        """Predict a number that has nothing to do with the target."""
        return np.full(len(X), 1e3)


# --- scores -----------------------------------------------------------------------------------------------------------


def test_scores_are_those_of_out_of_fold_predictions(table):
    X, y = table
    stack = MultimodalStackingRegressor(REGRESSORS, LinearRegression(), cv=KFold(3)).fit(X, y)
    report, oof = stack.stack_report_, stack.oof_predictions_
    assert report.index.tolist() == [
        ("base model", "ridge"),
        ("base model", "tree"),
        ("final estimator", "LinearRegression"),
        *(("average", weighting) for weighting in AVERAGES),
    ]
    expected = {
        ("base model", "ridge"): oof[:, 0],
        ("base model", "tree"): oof[:, 1],
        ("final estimator", "LinearRegression"): cross_val_predict(LinearRegression(), oof, y, cv=KFold(3)),
        **{("average", w): cross_val_predict(WeightedAverageRegressor(w), oof, y, cv=KFold(3)) for w in AVERAGES},
    }
    for key, predicted in expected.items():
        assert report.loc[key, "score"] == pytest.approx(r2_score(y, predicted))
    assert (report["scoring"] == "r2").all() and (report["n_rows"] == 90).all()
    assert report.index[report["used"]].tolist() == [("final estimator", "LinearRegression")]


def test_standard_errors(table):
    X, y = table
    report = MultimodalStackingRegressor(REGRESSORS, cv=KFold(3)).fit(X, y)
    oof, report = report.oof_predictions_, report.stack_report_
    scores = 1 - (y[:, np.newaxis] - oof) ** 2 / y.var()
    assert_allclose(report["standard_error"].iloc[:2], scores.std(axis=0) / np.sqrt(90))
    best = scores.mean(axis=0).argmax()
    difference = scores[:, 1 - best] - scores[:, best]
    other, of_best = report.iloc[1 - best], report.iloc[best]
    assert other["difference"] == pytest.approx(difference.mean()) and difference.mean() < 0
    assert other["difference_standard_error"] == pytest.approx(difference.std() / np.sqrt(90))
    assert of_best["difference"] == of_best["difference_standard_error"] == 0


def test_rows_of_a_group_vary_together(table):
    X, y = table
    X2, y2, groups = pd.concat([X, X]), np.r_[y, y], np.tile(np.arange(90), 2)
    by_group = MultimodalStackingRegressor(REGRESSORS, cv=GroupKFold(3)).fit(X2, y2, groups=groups)
    apart = MultimodalStackingRegressor(REGRESSORS, cv=by_group.splits_).fit(X2, y2)
    grouped, single = (stack.stack_report_.loc["base model"] for stack in (by_group, apart))
    assert_allclose(grouped["score"], single["score"])
    assert_allclose(grouped["standard_error"], np.sqrt(2) * single["standard_error"])


@pytest.mark.parametrize("n_classes", [2, 3])
def test_scores_of_probabilities(table, n_classes):
    X, y = table[0], make_labels(table[1], n_classes)
    stack = MultimodalStackingClassifier(CLASSIFIERS, LogisticRegression(), cv=3).fit(X, y)
    report = stack.stack_report_
    for name, learner in CLASSIFIERS:
        expected = -log_loss(y, cross_val_predict(learner, X, y, cv=stack.splits_, method="predict_proba"))
        assert report.loc[("base model", name), "score"] == pytest.approx(expected)
    nested = cross_val_predict(
        WeightedAverageClassifier(), stack.oof_predictions_, y, cv=stack.splits_, method="predict_proba"
    )
    assert report.loc[("average", "nonnegative"), "score"] == pytest.approx(-log_loss(y, nested))
    assert (report["scoring"] == "neg_log_loss").all()


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("learner", [RidgeClassifier(), Ridge()], ids=["scores", "regressor"])
def test_accuracy_where_something_predicts_no_probabilities(table, n_classes, learner):
    X, y = table[0], make_labels(table[1], n_classes)
    stack = MultimodalStackingClassifier([*CLASSIFIERS, ("other", learner)], cv=3).fit(X, y)
    report, codes = stack.stack_report_, np.unique(y, return_inverse=True)[1]
    assert (report["scoring"] == "accuracy").all()
    predicted = cross_val_predict(learner, X, codes, cv=stack.splits_).round()
    assert report.loc[("base model", "other"), "score"] == pytest.approx(accuracy_score(codes, predicted))
    assert isinstance(stack.final_estimator_, LogisticRegression)
    assert report.loc["average", "score"].notna().all()  # of the two that predict probabilities


def test_scores_of_labels(table):
    X, Y = table[0], np.column_stack([table[1] > 2, table[0]["area"] > 0]).astype(int)
    forest = RandomForestClassifier(5, random_state=0)
    stack = MultimodalStackingClassifier([("forest", forest), ("near", KNeighborsClassifier())], cv=3).fit(X, Y)
    tables = cross_val_predict(forest, X, Y, cv=stack.splits_, method="predict_proba")
    expected = -np.mean([log_loss(labels, table) for labels, table in zip(Y.T, tables, strict=True)])
    assert stack.stack_report_.loc[("base model", "forest"), "score"] == pytest.approx(expected)


def test_weights_count(table):
    X, y = table
    weight = np.where(np.arange(90) < 30, 2.0, 1.0)
    weight[80:] = 0.0
    stack = MultimodalStackingRegressor(REGRESSORS, Ridge(), cv=KFold(3)).fit(X, y, sample_weight=weight)
    report, oof = stack.stack_report_, stack.oof_predictions_
    assert report.loc[("base model", "tree"), "score"] == pytest.approx(r2_score(y, oof[:, 1], sample_weight=weight))
    nested = np.empty(90)
    for training, test in KFold(3).split(X):
        nested[test] = Ridge().fit(oof[training], y[training], weight[training]).predict(oof[test])
    assert report.loc[("final estimator", "Ridge"), "score"] == pytest.approx(r2_score(y, nested, sample_weight=weight))


# --- rows -------------------------------------------------------------------------------------------------------------


def test_in_time_order_rows_are_judged_that_something_was_fitted_before(table):
    X, y = table
    stack = MultimodalStackingRegressor(REGRESSORS, LinearRegression(), cv=TimeSeriesSplit(3)).fit(X, y)
    (_, first), *later = stack.splits_
    assert stack.n_unpredicted_ == first[0] == len(y) - len(np.concatenate([first, *(test for _, test in later)]))
    judged, oof = np.concatenate([test for _, test in later]), stack.oof_predictions_
    nested = [
        LinearRegression().fit(oof[first[0] : test[0]], y[first[0] : test[0]]).predict(oof[test]) for _, test in later
    ]
    report = stack.stack_report_
    assert (report["n_rows"] == len(judged)).all()
    assert report.loc[("base model", "ridge"), "score"] == pytest.approx(r2_score(y[judged], oof[judged, 0]))
    assert report.loc["final estimator", "score"].item() == pytest.approx(r2_score(y[judged], np.concatenate(nested)))


def test_every_row_is_predicted_by_a_partition(table):
    assert MultimodalStackingRegressor(REGRESSORS, cv=3).fit(*table).n_unpredicted_ == 0


def test_rows_of_a_single_split_are_split_again(table):
    X, y = table
    groups = np.repeat(np.arange(30), 3)
    stack = MultimodalStackingRegressor(
        REGRESSORS, LinearRegression(), cv=ShuffleSplit(1, test_size=45, random_state=0)
    )
    with pytest.warns(UserWarning, match="groups parameter is ignored"):
        stack.fit(X, y, groups=groups)
    ((_, test),) = stack.splits_
    rows = np.sort(test)
    oof, report = stack.oof_predictions_[rows], stack.stack_report_
    nested = cross_val_predict(LinearRegression(), oof, y[rows], cv=GroupKFold(5), groups=groups[rows])
    assert report.loc["final estimator", "score"].item() == pytest.approx(r2_score(y[rows], nested))
    assert stack.n_unpredicted_ == 45


def test_fitted_learners_are_judged_on_the_rows_given(table):
    X, y = table
    fitted = [(name, learner.fit(X[:40], y[:40])) for name, learner in REGRESSORS]
    stack = MultimodalStackingRegressor(fitted, LinearRegression(), cv="prefit").fit(X[40:], y[40:])
    report = stack.stack_report_
    assert report.loc[("base model", "ridge"), "score"] == pytest.approx(r2_score(y[40:], fitted[0][1].predict(X[40:])))
    nested = cross_val_predict(LinearRegression(), stack.transform(X[40:]), y[40:], cv=KFold(5))
    assert report.loc["final estimator", "score"].item() == pytest.approx(r2_score(y[40:], nested))
    assert stack.n_unpredicted_ == 0


def test_folds_that_lack_a_class_are_left_out(table):
    X, y = table[0], np.repeat(["a", "b", "c"], 30)
    folds = [
        (np.arange(60), np.arange(60, 90)),
        (np.r_[0:10, 30:90], np.arange(10, 30)),
        (np.arange(10, 90), np.arange(10)),
    ]
    stack = MultimodalStackingClassifier(CLASSIFIERS, cv=folds).fit(X, y)
    assert (stack.stack_report_["n_rows"] == 30).all()
    assert stack.stack_report_["score"].notna().all()


def test_a_final_estimator_that_cannot_be_fitted_to_folds_has_no_score(table):
    X, y = table
    with pytest.warns(FitFailedWarning, match="no score of the final estimator.*LookupError: too few"):
        stack = MultimodalStackingRegressor(REGRESSORS, Wrong(min_rows=80), cv=3).fit(X, y)
    scores = stack.stack_report_["score"]
    assert np.isnan(scores["final estimator"].item()) and scores.notna().sum() == 6
    assert_array_equal(stack.predict(X), 1e3)


def test_a_network_as_final_estimator_and_networks_as_members():
    X, y = make_table()
    stack = stack_regressor(final_estimator=network_regressor().set_params(branches=None), training="individual")
    report = stack.fit(X, y).stack_report_
    assert report.loc["base model"].index.tolist() == ["numbers", "place", "ridge"]
    assert report["score"].notna().all()


# --- guard ------------------------------------------------------------------------------------------------------------


def test_a_guard_puts_an_average_in_the_place_of_a_bad_final_estimator(table):
    X, y = table
    stack = MultimodalStackingRegressor(REGRESSORS, Wrong(), cv=3, guard=True, passthrough=["area"]).fit(X, y)
    report = stack.stack_report_
    scores = report["score"]["average"].drop("mean")
    assert report.index[report["used"]].tolist() == [("average", scores.idxmax())]
    assert isinstance(stack.final_estimator_, WeightedAverageRegressor)
    by_hand = WeightedAverageRegressor(scores.idxmax()).fit(stack.oof_predictions_, y)
    members = np.column_stack([learner.predict(X) for learner in stack.estimators_])
    assert_allclose(stack.predict(X), by_hand.predict(members))
    assert stack.transform(X).shape == (90, 3)  # what the final estimator would have got
    unguarded = MultimodalStackingRegressor(REGRESSORS, Wrong(), cv=3).fit(X, y)
    assert_array_equal(unguarded.predict(X), 1e3)


def test_a_guard_leaves_a_final_estimator_that_is_better(table):
    X, y = table
    parts = [("ridge", Ridge(), ["area"]), ("near", KNeighborsRegressor(), ["area"])]
    stack = MultimodalStackingRegressor(parts, LinearRegression(), cv=3, passthrough=["rooms"])
    guarded = MultimodalStackingRegressor(**{**stack.get_params(deep=False), "guard": True}).fit(X, y)
    assert_array_equal(guarded.predict(X), stack.fit(X, y).predict(X))
    assert isinstance(guarded.final_estimator_, LinearRegression)
    assert guarded.stack_report_.loc["final estimator", "used"].all()


def test_a_guard_takes_the_best_member_where_averaging_does_harm(table):
    X = table[0]
    stack = MultimodalStackingRegressor([("ridge", Ridge()), ("wrong", Wrong())], Wrong(), cv=3, guard=True)
    stack.fit(X, np.asarray(X @ [1.0, 2.0]))
    assert_allclose(stack.predict(X), stack.named_estimators_["ridge"].predict(X), rtol=1e-3)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_a_guard_averages_what_predicts_probabilities(table, n_classes):
    X, y = table[0], make_labels(table[1], n_classes)
    parts = [("scores", RidgeClassifier()), *CLASSIFIERS]
    final = KNeighborsClassifier(1)  # knows the rows it was fitted to, and little else
    stack = MultimodalStackingClassifier(parts, final, cv=3, guard=True).fit(X, y)
    if not isinstance(stack.final_estimator_, WeightedAverageClassifier):
        pytest.fail(stack.stack_report_.to_string())
    assert stack.final_estimator_.n_features_in_ == (2 if n_classes == 2 else 6)
    assert_allclose(stack.predict_proba(X).sum(axis=1), 1)
    assert_array_equal(stack.predict(X), stack.classes_[stack.predict_proba(X).argmax(axis=1)])
    assert not hasattr(stack, "decision_function")


def test_a_guard_with_nothing_to_average_is_refused_before_any_training(table):
    X, y = table[0], make_labels(table[1])
    stack = MultimodalStackingClassifier([("scores", RidgeClassifier())], cv=3, guard=True)
    with pytest.raises(ValueError, match=r"guard=True.*those of \['scores'\] cannot"):
        stack.fit(X, y)


def test_weights_reach_the_average_of_a_guard(table):
    X, y = table
    weight = np.linspace(0.0, 2.0, 90)
    stack = MultimodalStackingRegressor(REGRESSORS, Wrong(), cv=3, guard=True).fit(X, y, sample_weight=weight)
    weighting = stack.final_estimator_.weighting
    by_hand = WeightedAverageRegressor(weighting).fit(stack.oof_predictions_, y, sample_weight=weight)
    assert_allclose(stack.final_estimator_.weights_, by_hand.weights_)


# --- gaps and several tasks -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def gaps(table):
    """Two targets, of which some rows lack one."""
    X, y = table
    Y = np.column_stack([y, np.abs(y) + X["rooms"]])
    Y[:20, 0] = Y[60:75, 1] = np.nan
    return X, Y


def test_targets_with_gaps_are_judged_and_guarded(gaps):
    X, Y = gaps
    stack = MultimodalStackingRegressor(REGRESSORS, Wrong(), cv=KFold(3), guard=True).fit(X, Y)
    report, oof = stack.stack_report_, stack.oof_predictions_
    assert report.loc["average", "score"].notna().all() and (report["n_rows"] == 90).all()
    each = [r2_score(Y[rows, j], oof[rows, j]) for j, rows in enumerate([slice(20, None), np.r_[:60, 75:90]])]
    assert report.loc[("base model", "ridge"), "score"] == pytest.approx(np.mean(each))
    assert isinstance(stack.final_estimator_, WeightedAverageRegressor)
    weights = stack.final_estimator_.weights_
    ridge, tree = stack.named_estimators_["ridge"].predict(X), stack.named_estimators_["tree"].predict(X)
    assert_allclose(stack.predict(X), weights[0] * ridge + weights[1] * tree)


def test_by_default_targets_with_gaps_are_averaged(gaps):
    X, Y = gaps
    stack = MultimodalStackingRegressor(REGRESSORS, cv=3).fit(X, Y)
    by_hand = WeightedAverageRegressor().fit(stack.oof_predictions_, Y)
    assert_allclose(stack.final_estimator_.weights_, by_hand.weights_)
    assert_allclose(stack.predict(X), by_hand.predict(stack.transform(X)))
    others = MultimodalStackingRegressor(REGRESSORS, cv=3, passthrough=True).fit(X, Y)
    assert [type(final).__name__ for final in others.final_estimator_.estimators_.values()] == ["RidgeCV"] * 2


class Constant(ClassifierMixin, BaseEstimator):
    """Predicts the first class, and is sure."""

    def fit(self, X, y, sample_weight=None):
        """Learn the classes only."""
        self.classes_ = np.unique(y)
        return self

    def predict_proba(self, X):
        """Return 1 for the first class."""
        return np.eye(len(self.classes_))[np.zeros(len(X), dtype=int)]

    def predict(self, X):
        """Return the first class."""
        return np.full(len(X), self.classes_[0])


@pytest.fixture(scope="module")
def classes(table):
    """Two columns of classes, of which some rows lack one."""
    X, y = table
    columns = pd.DataFrame({"size": make_labels(y, 3), "sign": np.where(y > y.mean(), "plus", "minus")}, index=X.index)
    columns.loc[X.index[:20], "sign"] = None
    return X, columns


def test_several_columns_of_classes_are_judged_one_by_one(classes):
    X, columns = classes
    stack = MultimodalStackingClassifier(CLASSIFIERS, cv=KFold(3)).fit(X, columns)
    report = stack.stack_report_
    assert report.index.names == ["task", "kind", "name"]
    assert report.groupby("task", sort=False)["n_rows"].first().to_dict() == {"size": 90, "sign": 70}
    codes = np.unique(columns["size"], return_inverse=True)[1]
    first, second = stack.oof_predictions_[:, :3], stack.oof_predictions_[20:, 3:4]
    assert report.loc[("size", "base model", "logistic"), "score"] == pytest.approx(-log_loss(codes, first))
    signs = columns["sign"][20:] == "plus"
    assert report.loc[("sign", "base model", "logistic"), "score"] == pytest.approx(-log_loss(signs, second[:, 0]))
    assert report["score"].notna().all() and report.groupby("task")["used"].sum().eq(1).all()
    oof = stack.oof_predictions_
    nested = cross_val_predict(LogisticRegression(), oof, codes, cv=KFold(3), method="predict_proba")
    score = report.loc[("size", "final estimator", "LogisticRegression"), "score"]
    assert score == pytest.approx(-log_loss(codes, nested))


@pytest.mark.parametrize("with_gaps", [False, True])
def test_a_guard_takes_averages_for_single_columns(classes, with_gaps):
    X, columns = classes if with_gaps else (classes[0], classes[1].fillna("minus"))
    stack = MultimodalStackingClassifier(CLASSIFIERS, Constant(), cv=3, guard=True, passthrough=["area"])
    stack.fit(X, columns)
    used = stack.stack_report_.query("used").index
    assert [kind for _, kind, _ in used] == ["average", "average"]
    size, sign = stack.final_estimator_.estimators_.values()
    assert isinstance(size, WeightedAverageClassifier) and isinstance(sign, WeightedAverageClassifier)
    of_members = [stack.named_estimators_[name].predict_proba(X) for name, _ in CLASSIFIERS]
    expected = sum(weight * of_size for weight, (of_size, _) in zip(size.weights_, of_members, strict=True))
    assert_allclose(stack.predict_proba(X)[0], expected)
    assert set(stack.predict(X)[:, 1]) == {"plus", "minus"}
    assert_array_equal(pickle.loads(pickle.dumps(stack)).predict(X), stack.predict(X))


def test_a_guard_leaves_the_final_estimator_of_a_task_where_it_is_better(table):
    X, y = table
    columns = pd.DataFrame({"number": y, "sign": y > y.mean()}, index=X.index)
    parts = [("ridge", Ridge()), ("tree", DecisionTreeRegressor(max_depth=2, random_state=0)), *CLASSIFIERS]
    final = {"number": Wrong(), "sign": LogisticRegression(C=100.0)}
    stack = MultimodalStackingMultitask(parts, final, cv=3, guard=True).fit(X, columns)
    report = stack.stack_report_
    assert report.loc["number"]["scoring"].eq("r2").all() and report.loc["sign"]["scoring"].eq("neg_log_loss").all()
    assert list(report.loc["number"].loc["base model"].index) == ["ridge", "tree"]
    assert list(report.loc["sign"].loc["base model"].index) == ["logistic", "neighbours"]
    assert report.loc["number"].loc["average", "used"].any()
    number, sign = stack.final_estimator_.estimators_.values()
    assert isinstance(number, WeightedAverageRegressor)
    better = report.loc[("sign", "final estimator", "LogisticRegression"), "used"]
    assert isinstance(sign, LogisticRegression if better else WeightedAverageClassifier)
    assert r2_score(y, stack.predict(X)["number"]) > 0.3
    unguarded = MultimodalStackingMultitask(parts, final, cv=3).fit(X, columns)
    assert_array_equal(unguarded.predict(X)["number"], 1e3)


def test_members_of_a_task_without_probabilities_are_judged_by_accuracy(table):
    X, y = table
    columns = pd.DataFrame({"number": y, "sign": y > y.mean()}, index=X.index)
    parts = [("ridge", Ridge()), ("scores", RidgeClassifier()), CLASSIFIERS[0]]
    report = MultimodalStackingMultitask(parts, cv=3).fit(X, columns).stack_report_
    assert (report.loc["sign"]["scoring"] == "accuracy").all()
    expected = accuracy_score(columns["sign"], cross_val_predict(RidgeClassifier(), X, columns["sign"], cv=KFold(3)))
    assert report.loc[("sign", "base model", "scores"), "score"] == pytest.approx(expected)


# --- weights of classes -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("class_weight", ["balanced", {"cheap": 1.0, "dear": 4.0}])
def test_rows_count_by_the_weight_of_their_class(table, class_weight):
    X, y = table[0], np.where(table[1] > np.quantile(table[1], 0.8), "dear", "cheap")
    average = WeightedAverageClassifier()
    stack = MultimodalStackingClassifier(CLASSIFIERS, average, class_weight=class_weight, cv=3).fit(X, y)
    weight = np.where(y == "dear", 4.0, 1.0)
    assert stack.final_estimator_.class_weight in ("balanced", {0: 1.0, 1: 4.0})
    expected = WeightedAverageClassifier().fit(stack.oof_predictions_, y, sample_weight=weight)
    assert_allclose(stack.final_estimator_.weights_, expected.weights_)
    score = -log_loss(y, stack.oof_predictions_[:, 0], sample_weight=weight)
    assert stack.stack_report_.loc[("base model", "logistic"), "score"] == pytest.approx(score)
    stack = MultimodalStackingClassifier(CLASSIFIERS, Constant(), class_weight=class_weight, cv=3, guard=True)
    with pytest.raises(ValueError, match="'class_weight' is of no use"):
        stack.fit(X, y)
    guarded = stack.set_params(final_estimator=LogisticRegression(C=1e-9)).fit(X, y)
    used = guarded.final_estimator_
    expected = WeightedAverageClassifier(used.weighting).fit(stack.oof_predictions_, y, sample_weight=weight)
    assert used.class_weight is not None
    assert_allclose(used.weights_, expected.weights_)


# --- what is predicted out of fold ------------------------------------------------------------------------------------


def test_final_out_of_fold_predictions_are_those_of_a_fit_to_the_other_folds():
    X, y = make_table()
    X, splitter = X[NUMBERS], KFold(4)
    stack = MultimodalStackingRegressor(REGRESSORS, LinearRegression(), cv=splitter).fit(X, y)
    expected = cross_val_predict(LinearRegression(), stack.oof_predictions_, y, cv=splitter)
    assert_allclose(stack.final_oof_predictions_[:, 0], expected)
    assert stack.member_columns_ == {"ridge": slice(0, 1), "tree": slice(1, 2)}


def test_final_out_of_fold_predictions_are_of_what_a_guard_chose():
    X, y = make_table()
    X = X[NUMBERS]
    guarded = MultimodalStackingRegressor(REGRESSORS, LinearRegression(), cv=KFold(4), guard=True).fit(X, y)
    used = guarded.stack_report_[guarded.stack_report_["used"]]["score"].item()
    assert r2_score(y, guarded.final_oof_predictions_) == pytest.approx(used)


def test_columns_of_classes_and_rows_that_no_fold_predicts():
    X, y = make_table()
    X, labels = X[NUMBERS], make_labels(y, 3)
    stack = MultimodalStackingClassifier(CLASSIFIERS, cv=3).fit(X, labels)
    assert stack.member_columns_ == {"logistic": slice(0, 3), "neighbours": slice(3, 6)}
    assert_allclose(stack.final_oof_predictions_.sum(axis=1), 1)
    stack = MultimodalStackingRegressor(REGRESSORS, cv=TimeSeriesSplit(3)).fit(X, y)
    first = stack.splits_[1][1][0]  # the first fold has no other to fit to
    assert np.isnan(stack.final_oof_predictions_[:first]).all()
    assert np.isfinite(stack.final_oof_predictions_[first:]).all()
    fitted = [(name, learner.fit(X, y)) for name, learner in REGRESSORS]
    assert MultimodalStackingRegressor(fitted, cv="prefit").fit(X, y).final_oof_predictions_ is None


def test_each_of_several_tasks_has_its_columns():
    X, y = make_table()
    targets = pd.DataFrame({"price": y, "class": make_labels(y, 3)})
    targets.loc[:4, "price"] = np.nan
    X = X[NUMBERS].reset_index(drop=True)
    stack = MultimodalStackingMultitask(
        [("numbers", network_regressor().branches[0][1], NUMBERS)], cv=2, random_state=0, guard=True
    ).set_params(network__epochs=1)
    predicted = stack.fit(X, targets).final_oof_predictions_
    assert predicted.shape == (len(X), 4)  # a number and three classes
    assert np.isnan(predicted[:5, 0]).all() and np.isfinite(predicted[5:, 0]).all()
    assert_allclose(predicted[:, 1:].sum(axis=1), 1, atol=1e-6)
