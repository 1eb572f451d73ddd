"""The blocks of the diagram of a stack."""

import re

import pytest
from _small import branches, make_table, network_regressor, stack_regressor
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline

from skstack import MultimodalStackingClassifier, MultimodalStackingRegressor

PAGE = "https://skstack.github.io/skstack/api/generated/skstack.{}.html"


def _order(text, *words):
    places = [text.index(word) for word in words]
    assert places == sorted(places)


@pytest.mark.parametrize("training", ["joint", "individual+joint"])
def test_the_fused_network_stands_between_branches_and_final_estimator(training):
    shown = stack_regressor(training=training)._repr_html_()
    labels = re.findall(r"<label[^>]*>(?:<div>)*([^<]+)", shown)
    assert labels == [
        "MultimodalStackingRegressor", "numbers", "NumericBranch", "place", "CategoricalBranch", "network",
        "MultimodalNetworkRegressor", "ridge", "Ridge", "final_estimator", "WeightedAverageRegressor",
    ]  # fmt: skip
    assert "epochs" in shown  # the parameters of the network


def test_networks_of_their_own_are_not_fused():
    assert "MultimodalNetworkRegressor</div>" not in stack_regressor(training="individual")._repr_html_()


def test_every_part_links_to_its_page():
    links = set(re.findall(r'href="([^"#]+)"', stack_regressor()._repr_html_()))
    of_ours = {link for link in links if "skstack" in link}
    names = ("MultimodalStackingRegressor", "branches.NumericBranch", "branches.CategoricalBranch")
    names += ("MultimodalNetworkRegressor", "WeightedAverageRegressor")
    assert of_ours == {PAGE.format(name) for name in names}
    assert any(link.endswith("sklearn.linear_model.Ridge.html") for link in links)


def test_a_fitted_stack_and_one_in_a_pipeline_are_shown_alike():
    X, y = make_table()
    shown = make_pipeline("passthrough", stack_regressor().fit(X, y))._repr_html_()
    _order(shown, "NumericBranch", "CategoricalBranch", "MultimodalNetworkRegressor</div>", "WeightedAverageRegressor")


@pytest.mark.parametrize("kind", [MultimodalStackingRegressor, MultimodalStackingClassifier])
def test_parts_that_will_be_suggested(kind):
    shown = kind()._repr_html_()
    assert "suggest_estimators(X, y)" in shown
    assert "NumericBranch" not in shown
    fitted = MultimodalStackingRegressor(quality="fast", cv=2, random_state=0)
    fitted.suggestion_ = [*branches(), ("ridge", Ridge(), ["area"])]  # as a fit leaves it
    _order(fitted._repr_html_(), "CategoricalBranch", "MultimodalNetworkRegressor</div>", "Ridge")


def test_the_template_of_the_user_is_shown():
    assert "1234" in stack_regressor(network=network_regressor(branches=None, epochs=1234))._repr_html_()
