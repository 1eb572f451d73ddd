"""Curves of the training of networks."""

import numpy as np
import pytest
from _inspected import around, fitted_network, fitted_regressor, table
from _small import branches, stack_regressor
from matplotlib import pyplot as plt
from sklearn.linear_model import Ridge
from sklearn.model_selection import LearningCurveDisplay, ValidationCurveDisplay
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skstack import MultimodalStackingRegressor
from skstack.inspection import TrainingHistoryDisplay


@pytest.fixture(autouse=True)
def no_figures_left():
    yield
    plt.close("all")


def test_a_stack_draws_the_mean_over_its_folds_and_the_fit_to_all_rows():
    stack = fitted_regressor()
    display = TrainingHistoryDisplay.from_estimator(stack)
    folds = [history["loss"] for history in stack.fold_histories_["network"]]
    assert len(folds) == 3
    np.testing.assert_allclose(display.lines_["network", "loss"].get_ydata(), np.mean(folds, axis=0))
    assert display.figure_ is display.axes_[0].figure
    (of_all_rows,) = [line for line in display.axes_[0].lines if "all rows" in line.get_label()]
    np.testing.assert_allclose(of_all_rows.get_ydata(), stack.named_estimators_["network"].history_["loss"])


def test_the_band_is_a_deviation_over_the_folds_that_are_still_trained():
    display = TrainingHistoryDisplay({"network": [{"loss": [3.0, 2.0, 5.0]}, {"loss": [1.0, 4.0]}]}).plot()
    assert display.lines_["network", "loss"].get_ydata().tolist() == [2.0, 3.0, 5.0]
    (band,) = display.axes_[0].collections
    heights = band.get_paths()[0].vertices[:, 1]
    assert (heights.min(), heights.max()) == (1.0, 5.0)  # 2 - 1 at the first epoch, 5 alone at the last one


def test_validation_stands_beside_training():
    histories = {"network": [{"loss": [2.0, 1.0], "val_loss": [3.0, 2.5]}]}
    display = TrainingHistoryDisplay(histories).plot()
    assert display.lines_["network", "val_loss"].get_ydata().tolist() == [3.0, 2.5]


def test_a_network_alone_and_the_last_step_of_a_pipeline():
    network = fitted_network()
    display = TrainingHistoryDisplay.from_estimator(network)
    assert display.lines_["MultimodalNetworkRegressor", "loss"].get_ydata().tolist() == network.history_["loss"]
    pipeline = make_pipeline(FunctionTransformer(), fitted_regressor())
    assert len(TrainingHistoryDisplay.from_estimator(pipeline).histories["network"]) == 3


def test_several_networks_share_the_place_of_one_axes():
    histories = {name: [{"loss": [2.0, 1.0]}] for name in "abcd"}
    _, ax = plt.subplots()
    display = TrainingHistoryDisplay(histories).plot(ax=ax)
    assert len(display.axes_) == 4
    assert display.figure_ is ax.figure
    with pytest.raises(ValueError, match="needs 4 axes"):
        TrainingHistoryDisplay(histories).plot(ax=[ax])


def test_an_unknown_metric_and_a_stack_without_epochs_are_refused():
    with pytest.raises(ValueError, match=r"no metric|has a metric 'los'\. Did you mean 'loss'"):
        TrainingHistoryDisplay({"network": [{"loss": [1.0]}]}).plot(metric="los")
    X, y = table()
    stack = MultimodalStackingRegressor([("ridge", Ridge(), ["area"])], cv=2).fit(X, y)
    with pytest.raises(ValueError, match="trained in epochs"):
        TrainingHistoryDisplay.from_estimator(stack)


def test_learning_and_validation_curves_of_scikit_learn_take_stacks():
    X, y = table()
    stack = stack_regressor([*branches(), ("ridge", Ridge(), ["area"])])
    curve = LearningCurveDisplay.from_estimator(stack, X, y, cv=2, train_sizes=[0.5, 1.0])
    assert curve.test_scores.shape == (2, 2)
    curve = ValidationCurveDisplay.from_estimator(
        stack, X, y, param_name="network__epochs", param_range=np.array([1, 2]), cv=2
    )
    assert np.isfinite(curve.test_scores).all()


def test_networks_that_a_stack_holds_within_something_else_have_their_own_curves():
    (X, y), inner = table(), fitted_regressor()
    parts = [("inner", inner), ("ridge", Ridge().fit(X[["area"]], y), ["area"])]
    stack = stack_regressor(parts, cv="prefit").fit(X, y)
    for estimator in (stack, *around(stack)):
        display = TrainingHistoryDisplay.from_estimator(estimator)
        losses = inner.named_estimators_["network"].history_["loss"]
        np.testing.assert_allclose(display.lines_["inner", "loss"].get_ydata(), losses)
