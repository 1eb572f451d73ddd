"""The blocks of the diagram of a stack."""

import re

import pytest
from _browser import look
from _small import branches, make_table, stack_regressor
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline

from skstack import MultimodalNetworkRegressor, MultimodalStackingClassifier, MultimodalStackingRegressor

PAGE = "https://skstack.github.io/skstack/api/generated/skstack.{}.html"


def _labels(estimator):
    return re.findall(r"<label[^>]*>(?:<div>)*([^<]+)", estimator._repr_html_())


@pytest.mark.parametrize("training", ["joint", "individual+joint"])
def test_the_fused_network_stands_between_branches_and_final_estimator(training):
    labels = _labels(stack_regressor(training=training))
    assert labels == [
        "MultimodalStackingRegressor", "numbers", "NumericBranch", "place", "CategoricalBranch", "network",
        "MultimodalNetworkRegressor", "ridge", "Ridge", "final_estimator", "WeightedAverageRegressor",
    ]  # fmt: skip


def test_networks_of_their_own_are_not_fused():
    assert "MultimodalNetworkRegressor" not in _labels(stack_regressor(training="individual"))


def test_every_part_links_to_its_page():
    links = set(re.findall(r'href="([^"#]+)"', stack_regressor()._repr_html_()))
    of_ours = {link for link in links if "skstack" in link}
    names = ("MultimodalStackingRegressor", "branches.NumericBranch", "branches.CategoricalBranch")
    names += ("MultimodalNetworkRegressor", "WeightedAverageRegressor")
    assert of_ours == {PAGE.format(name) for name in names}
    assert any(link.endswith("sklearn.linear_model.Ridge.html") for link in links)


def test_a_fitted_stack_and_one_in_a_pipeline_are_shown_alike():
    X, y = make_table()
    stack = stack_regressor()
    before = _labels(stack)
    stack.fit(X, y)
    assert [label for label in _labels(stack) if "features" not in label] == before
    assert set(before[1:]) < set(_labels(make_pipeline("passthrough", stack)))


@pytest.mark.parametrize("kind", [MultimodalStackingRegressor, MultimodalStackingClassifier])
def test_parts_that_will_be_suggested(kind):
    labels = _labels(kind())
    assert labels[1:4] == ["estimators", "suggest_estimators(X, y)", "final_estimator"]
    fitted = kind()
    fitted.suggestion_ = [*branches(), ("ridge", Ridge(), ["area"])]  # as a fit leaves it
    assert {"CategoricalBranch", "Ridge", "network"} < set(_labels(fitted))


def test_the_template_of_the_user_is_shown():
    stack = stack_regressor(network=MultimodalNetworkRegressor(epochs=1234))
    assert stack._repr_html_().count("1234") > stack_regressor(training="individual")._repr_html_().count("1234")


def test_a_browser_opens_it_without_errors(tmp_path):
    joint = MultimodalStackingRegressor([*branches(), ("ridge", Ridge(), ["area"])], cv=2)
    seen = look(joint._repr_html_(), 1280, tmp_path)
    assert seen.console == [] and seen.scroll_width <= seen.width
