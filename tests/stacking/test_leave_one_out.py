"""A stack without each of its base models."""

import numpy as np
import pandas as pd
import pytest
from _small import make_labels, make_table
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.model_selection import KFold, TimeSeriesSplit
from sklearn.neighbors import KNeighborsRegressor

from skstack import MultimodalStackingClassifier, MultimodalStackingRegressor
from skstack.stacking._leave_one_out import leave_one_out, out_of_fold

NUMBERS = ["area", "rooms"]


def _parts(**learners):
    return [(name, learner, NUMBERS) for name, learner in learners.items()]


def _stack(final=None, **params):
    X, y = make_table(120)
    parts = _parts(line=Ridge(), near=KNeighborsRegressor())
    return MultimodalStackingRegressor(parts, final_estimator=final, cv=3, random_state=0, **params), X, y


def _by_hand(stack, y, columns):
    """Return the squared errors, in units of the variance, of the final estimator on these out-of-fold columns."""
    errors = np.empty(len(y))
    for training, held_out in stack.splits_:
        features = stack.oof_predictions_[:, columns]
        predicted = LinearRegression().fit(features[training], y[training]).predict(features[held_out])
        errors[held_out] = (predicted - y[held_out]) ** 2 / y.var()
    return errors


def test_the_final_estimator_is_fitted_to_other_folds_with_and_without_the_member():
    stack, X, y = _stack(LinearRegression())
    report = leave_one_out(stack.fit(X, y), X, y)
    whole, alone = _by_hand(stack, y, [0, 1]), _by_hand(stack, y, [0])
    assert_allclose(report.loc["near", "importance"], (alone - whole).mean())
    assert_allclose(report.loc["near", "score_without"], 1 - alone.mean())
    assert_allclose(report["score"], stack.stack_report_.loc[("final estimator", "LinearRegression"), "score"])
    over_rows = (alone - whole).std() / np.sqrt(len(y))
    of_folds = [(alone - whole)[held_out].mean() for _, held_out in stack.splits_]
    over_folds = np.std(of_folds, ddof=1) * np.sqrt(1 / 3 + 1 / 2)
    assert_allclose(report.loc["near", "standard_error"], max(over_rows, over_folds))


def test_nothing_of_the_stack_changes():
    stack, X, y = _stack()
    before = stack.fit(X, y).predict(X)
    attributes = dict(vars(stack))
    leave_one_out(stack, X, y)
    assert vars(stack) == attributes
    assert_array_equal(stack.predict(X), before)


def test_what_was_fitted_is_put_together_again():
    X, y = make_table(120)
    parts = _parts(line=Ridge(), weak=Ridge(alpha=100.0))
    stack = MultimodalStackingRegressor(parts, final_estimator=Ridge(), passthrough=["area"], cv=3)
    weight = np.linspace(0, 2, len(y))
    data = out_of_fold(stack.fit(X, y, sample_weight=weight), X, y, weight)
    assert list(data.features) == [*stack.get_feature_names_out()]
    assert_array_equal(data.features["area"], X["area"])
    assert_array_equal(data.features.iloc[:, :2], stack.oof_predictions_)
    final = Ridge().fit(data.features, data.y, **data.fit_params)
    assert_allclose(final.coef_, stack.final_estimator_.coef_)


def test_groups_make_errors_larger():
    X, y = make_table(60)
    X, y, groups = pd.concat([X] * 4, ignore_index=True), np.tile(y, 4), np.tile(np.arange(60), 4)
    parts = _parts(line=Ridge(), near=KNeighborsRegressor())
    # Every group is in every fold, so that folds are alike, and rows seem to be many.
    stack = MultimodalStackingRegressor(parts, final_estimator=LinearRegression(), cv=KFold(4))
    stack.fit(X, y)
    grouped, alone = leave_one_out(stack, X, y, groups=groups), leave_one_out(stack, X, y)
    assert (grouped["standard_error"] > 1.3 * alone["standard_error"]).any()
    assert_array_equal(grouped["importance"], alone["importance"])


def test_a_guard_is_judged_by_the_average_that_it_chose():
    stack, X, y = _stack(HistGradientBoostingRegressor(max_iter=30, min_samples_leaf=2), guard=True)
    report = leave_one_out(stack.fit(X, y), X, y)
    used = stack.stack_report_[stack.stack_report_["used"]]
    assert used.index[0][0] == "average"
    assert_allclose(report["score"], used["score"].iloc[0])


def test_classes_and_their_weights():
    X, y = make_table(120)
    labels = make_labels(y, 3)
    parts = _parts(line=LogisticRegression(), few=LogisticRegression(C=1e-6))
    stack = MultimodalStackingClassifier(parts, cv=3, class_weight="balanced", random_state=0).fit(X, labels)
    report = leave_one_out(stack, X, labels)
    assert report["scoring"].tolist() == ["neg_log_loss"] * 2
    assert_allclose(report["score"], stack.stack_report_.loc["final estimator"]["score"].iloc[0])
    assert report.loc["line", "importance"] > 0.1 > abs(report.loc["few", "importance"])


def test_each_of_several_targets_has_its_own_lines():
    X, y = make_table(120)
    target = pd.DataFrame({"dear": make_labels(y), "large": make_labels(X["area"])}, dtype=object)
    target.iloc[:5, 0] = np.nan
    parts = _parts(line=LogisticRegression(), weak=LogisticRegression(C=0.01))
    stack = MultimodalStackingClassifier(parts, final_estimator=LogisticRegression(), cv=3).fit(X, target)
    report = leave_one_out(stack, X, target)
    assert report.index.tolist() == [(t, m) for t in ("dear", "large") for m in ("line", "weak")]
    assert report.loc["dear", "n_rows"].tolist() == [115, 115] and report.loc["large", "n_rows"].tolist() == [120, 120]
    for task in ("dear", "large"):
        of_task = stack.stack_report_.xs(task, level="task").xs("final estimator", level="kind")
        expected = of_task["score"].iloc[0]
        assert_allclose(report.loc[task, "score"], expected)


def test_rows_that_no_fold_predicts_do_not_count():
    X, y = make_table(120)
    parts = _parts(line=Ridge(), near=KNeighborsRegressor())
    stack = MultimodalStackingRegressor(parts, cv=TimeSeriesSplit(5), final_estimator=LinearRegression()).fit(X, y)
    report = leave_one_out(stack, X, y)
    assert report["n_rows"].tolist() == [80, 80]  # the first fold that predicts has none before it to fit to
    assert np.isfinite(report["importance"]).all()


def test_what_cannot_be_left_out_is_said():
    X, y = make_table(60)
    alone = MultimodalStackingRegressor(_parts(line=Ridge()), cv=KFold(2)).fit(X, y)
    with pytest.raises(ValueError, match="one base model, without which nothing is left"):
        leave_one_out(alone, X, y)
    with pytest.raises(ValueError, match="X has 59 rows, but the stack was fitted to 60"):
        leave_one_out(alone, X[:-1], y[:-1])
    fitted = MultimodalStackingRegressor(_parts(line=Ridge().fit(X[NUMBERS], y)), cv="prefit").fit(X, y)
    with pytest.raises(ValueError, match="makes no out-of-fold predictions"):
        leave_one_out(fitted, X, y)
    labels = make_labels(y)
    final = HistGradientBoostingClassifier(max_iter=30, min_samples_leaf=2)
    parts = _parts(line=LogisticRegression(), weak=LogisticRegression(C=0.01))
    guarded = MultimodalStackingClassifier(parts, final_estimator=final, cv=3, guard=True)
    target = pd.DataFrame({"dear": labels, "same": labels})
    guarded.fit(X, target)
    with pytest.raises(ValueError, match="guard=False"):
        leave_one_out(guarded, X, target)
