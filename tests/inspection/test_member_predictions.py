"""Residuals, calibration and confusion of a stack and of its base models."""

import numpy as np
import pandas as pd
import pytest
from _inspected import around, fitted_classifier, fitted_network, fitted_regressor, labels, table
from matplotlib import pyplot as plt
from sklearn.linear_model import Ridge
from sklearn.metrics import r2_score

from skstack import MultimodalStackingRegressor
from skstack.inspection import MemberPredictionsDisplay


@pytest.fixture(autouse=True)
def no_figures_left():
    yield
    plt.close("all")


def test_out_of_fold_predictions_are_those_that_the_report_scores():
    stack, y = fitted_regressor(), table()[1]
    display = MemberPredictionsDisplay.from_out_of_fold(stack, y)
    assert list(display.displays_) == ["stack", "network", "ridge"]
    scores = stack.stack_report_["score"]
    for name in ("network", "ridge"):
        assert r2_score(y, display.predictions[name]) == pytest.approx(scores["base model", name], abs=1e-6)
    used = stack.stack_report_[stack.stack_report_["used"]]["score"].item()
    assert r2_score(y, display.predictions["stack"]) == pytest.approx(used, abs=1e-6)


def test_given_rows_are_predicted_by_the_models_that_predict_later():
    stack, (X, y) = fitted_regressor(), table()
    display = MemberPredictionsDisplay.from_estimator(stack, X, y, kind="actual")
    np.testing.assert_allclose(display.predictions["stack"], stack.predict(X))
    np.testing.assert_allclose(display.predictions["ridge"], stack.transform(X)[:, 1])
    limits = {axes.get_xlim() + axes.get_ylim() for axes in display.axes_}
    assert len(limits) == 1


@pytest.mark.parametrize("n_classes", [2, 3])
def test_confusion_counts_the_classes_of_highest_probability(n_classes):
    stack, y = fitted_classifier(n_classes), labels(n_classes)
    display = MemberPredictionsDisplay.from_out_of_fold(stack, y)
    probabilities = display.predictions["logistic"]
    assert probabilities.shape == (len(y), n_classes)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-6)
    right = (stack.classes_[probabilities.argmax(axis=1)] == y) & (y == stack.classes_[0])
    matrix = display.displays_["logistic"].confusion_matrix
    assert matrix[0, 0] == pytest.approx(right.sum() / (y == stack.classes_[0]).sum())


@pytest.mark.parametrize("n_classes", [2, 3])
def test_calibration_of_the_second_class_or_of_the_one_that_is_predicted(n_classes):
    display = MemberPredictionsDisplay.from_out_of_fold(
        fitted_classifier(n_classes), labels(n_classes), kind="calibration"
    )
    curve = display.displays_["stack"]
    assert ((curve.prob_pred >= (0 if n_classes == 2 else 1 / 3)) & (curve.prob_pred <= 1)).all()


def test_rows_that_no_fold_predicts_are_left_out():
    X, y = table()
    splits = [(np.arange(45), np.arange(45, 70)), (np.arange(70), np.arange(70, 90))]
    stack = MultimodalStackingRegressor([("a", Ridge(), ["area"]), ("b", Ridge(), ["rooms"])], cv=splits).fit(X, y)
    display = MemberPredictionsDisplay.from_out_of_fold(stack, y)
    np.testing.assert_array_equal(display.y, y[70:])  # before them, there is no other fold to fit the stack's top to
    assert list(display.predictions) == ["stack", "a", "b"]
    assert np.isfinite(np.column_stack(list(display.predictions.values()))).all()


def test_what_does_not_go_together_is_refused():
    stack, (X, y) = fitted_regressor(), table()
    with pytest.raises(ValueError, match="does not go with numbers"):
        MemberPredictionsDisplay.from_out_of_fold(stack, y, kind="confusion")
    with pytest.raises(ValueError, match="Did you mean 'residuals'"):
        MemberPredictionsDisplay.from_out_of_fold(stack, y, kind="residual")
    with pytest.raises(TypeError, match="expected a fitted stack"):
        MemberPredictionsDisplay.from_estimator(fitted_network(), X, y)
    prefit = MultimodalStackingRegressor([("ridge", Ridge().fit(X[["area"]], y), ["area"])], cv="prefit").fit(X, y)
    with pytest.raises(ValueError, match="cv='prefit'"):
        MemberPredictionsDisplay.from_out_of_fold(prefit, y)
    both = MultimodalStackingRegressor([("ridge", Ridge(), ["area"])], cv=2).fit(X, np.column_stack([y, -y]))
    with pytest.raises(ValueError, match="several values for each row"):
        MemberPredictionsDisplay.from_out_of_fold(both, y)


def test_predictions_of_any_models_are_drawn():
    y = np.array([1.0, 2.0, 3.0, 4.0])
    predictions = pd.DataFrame({"ours": y + 0.1, "theirs": y - 0.5})
    display = MemberPredictionsDisplay.from_predictions(y.tolist(), predictions)
    assert list(display.displays_) == ["ours", "theirs"]
    np.testing.assert_allclose(display.displays_["theirs"].y_true - display.displays_["theirs"].y_pred, 0.5)
    whole = MemberPredictionsDisplay.from_predictions([1, 2, 3], {"counts": [1, 2, 2]}, kind="actual")
    assert whole.classes is None


def test_classes_of_any_models_are_drawn():
    y = np.array(["dear", "cheap", "dear", "cheap"])
    proba = np.array([[0.2, 0.8], [0.9, 0.1], [0.6, 0.4], [0.7, 0.3]])
    predictions = {"proba": proba, "labels": ["dear", "dear", "dear", "cheap"]}
    display = MemberPredictionsDisplay.from_predictions(y, predictions)
    np.testing.assert_allclose(display.displays_["proba"].confusion_matrix, [[1, 0], [0.5, 0.5]])
    np.testing.assert_allclose(display.displays_["labels"].confusion_matrix, [[0.5, 0.5], [0, 1]])
    assert display.classes.tolist() == ["cheap", "dear"]
    calibration = MemberPredictionsDisplay.from_predictions(y, predictions, kind="calibration")
    assert list(calibration.displays_) == ["proba"]
    turned = MemberPredictionsDisplay.from_predictions(y, {"proba": proba[:, ::-1]}, classes=["dear", "cheap"])
    np.testing.assert_allclose(turned.displays_["proba"].confusion_matrix, [[1, 0], [0.5, 0.5]])
    # Whole numbers are classes if that is said.
    digits = MemberPredictionsDisplay.from_predictions([0, 1, 1], {"tree": [0, 1, 0]}, classes=[0, 1])
    np.testing.assert_allclose(digits.displays_["tree"].confusion_matrix, [[1, 0], [0.5, 0.5]])


@pytest.mark.parametrize(
    ("y", "predictions", "message"),
    [
        ([1.0, 2.0], {}, "no predictions"),
        ([1.0, 2.0], {"ours": [1.0]}, r"'ours' have shape \(1,\), but y has 2 rows"),
        (["a", "b"], {"ours": np.ones((2, 3)) / 3}, r"shape \(2, 3\), but there are 2 classes: \['a', 'b'\]"),
        ([1.0, 2.0], {"ours": np.ones((2, 1, 1))}, r"shape \(2, 1, 1\)"),
    ],
)
def test_predictions_of_other_rows_or_classes_are_refused(y, predictions, message):
    with pytest.raises(ValueError, match=message):
        MemberPredictionsDisplay.from_predictions(y, predictions)


def test_the_best_one_of_a_search():
    X, y = table()
    for estimator in around(fitted_regressor()):
        given = MemberPredictionsDisplay.from_estimator(estimator, X, y)
        assert list(given.displays_) == list(MemberPredictionsDisplay.from_out_of_fold(estimator, y).displays_)


def test_targets_of_other_rows_are_refused():
    X, y = table()
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        MemberPredictionsDisplay.from_estimator(fitted_regressor(), X, y[:10])
