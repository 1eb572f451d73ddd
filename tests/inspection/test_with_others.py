"""scikit-learn's inspection and SHAP on stacks and networks of mixed columns."""

import matplotlib.pyplot as plt
import pytest
from _modalities import NUMBERS, parts, stack, table
from _small import TRAINING, make_labels, network_regressor, stack_classifier
from numpy.testing import assert_allclose
from sklearn.inspection import PartialDependenceDisplay, partial_dependence, permutation_importance
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skstack import MultimodalNetworkRegressor
from skstack.branches import NumericBranch


def test_permutation_importance_of_the_columns_of_a_stack():
    X, y = table(seed=5)
    result = permutation_importance(stack(), X, y, n_repeats=3, random_state=0)
    area, _, city, noise = result.importances_mean
    assert min(area, city) > 0.2 > 0.05 > abs(noise)


@pytest.mark.parametrize("kind", ["average", "individual"])
def test_partial_dependence_on_numbers_and_categories(kind):
    X, _ = table()
    result = partial_dependence(stack(), X, ["area"], kind=kind, grid_resolution=5)
    curves = result[kind]
    for index, value in enumerate(result["grid_values"][0]):
        expected = stack().predict(X.assign(area=value))
        assert_allclose(curves[0, ..., index], expected.mean() if kind == "average" else expected, rtol=1e-5)
    result = partial_dependence(stack(), X, ["city"], categorical_features=["city"], kind=kind)
    assert list(result["grid_values"][0]) == ["Aachen", "Bonn", "Celle"]
    means = result[kind].reshape(-1, 3).mean(axis=0)
    assert means.argmax() == 1 and means[1] > means[0] + 1  # what was planted is worth 2


def test_partial_dependence_of_classes_and_pipelines():
    X, y = table()
    labels = make_labels(y, 3)
    fitted = make_pipeline(FunctionTransformer(lambda X: X), stack_classifier()).fit(X, labels)
    result = partial_dependence(fitted, X, ["area"], grid_resolution=4)
    assert result["average"].shape == (3, 4)
    assert_allclose(result["average"].sum(axis=0), 1, rtol=1e-5)


def test_partial_dependence_display_of_one_and_two_columns():
    X, _ = table()
    display = PartialDependenceDisplay.from_estimator(
        stack(), X, ["area", "city"], categorical_features=["city"], kind="average", grid_resolution=4
    )
    assert len(display.axes_.ravel()) == 2
    pair = PartialDependenceDisplay.from_estimator(stack(), X, [("area", "rooms")], grid_resolution=3)
    assert pair.pd_results[0]["average"].shape == (1, 3, 3)
    plt.close("all")


@pytest.mark.parametrize("name", ["boosting", "network"])
def test_shap_explains_learners_and_networks_of_numbers(name):
    shap = pytest.importorskip("shap", reason="the extra that explains single columns")
    X, y = table()
    X = X[[*NUMBERS, "noise"]].to_numpy()
    if name == "boosting":
        model = {part: estimator for part, estimator, _ in parts()}[name].fit(X, y)
    else:
        branch = NumericBranch((4,), scale="standard", embedding=None, dropout=0.0)
        settings = {**TRAINING, "epochs": 20, "random_state": 0}
        model = MultimodalNetworkRegressor([("x", branch)], **settings, optimizer__learning_rate=0.05).fit(X, y)
    explained = shap.explainers.Exact(model.predict, shap.maskers.Independent(X[:10]))(X[:4], silent=True)
    assert_allclose(explained.values.sum(axis=1) + explained.base_values, model.predict(X[:4]), rtol=1e-4)


def test_shap_and_ours_are_the_same_with_a_background():
    shap = pytest.importorskip("shap", reason="the peer that values with a background are compared with")
    from skstack.inspection import shapley_values

    X, y = table()
    X = X[NUMBERS].to_numpy()
    network = network_regressor([("x", NumericBranch((4,), scale="standard", embedding=None, dropout=0.0))]).fit(X, y)
    explained = shap.explainers.Exact(network.predict, shap.maskers.Independent(X[:10]))(X[:4], silent=True)
    ours = shapley_values(network, X[:4], modalities={"area": [0], "rooms": [1]}, background=X[:10])
    assert_allclose(ours.shapley_values, explained.values, rtol=1e-4, atol=1e-6)
    assert_allclose(ours.base_values, explained.base_values, rtol=1e-4)
