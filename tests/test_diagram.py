"""The diagram that a notebook shows."""

import html
import re

import pytest
from _small import branches, network_classifier, network_regressor, stack_regressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skstack import MultimodalNetworkRegressor


def _words(estimator):
    """Return the text of an estimator's diagram, without the table of parameters that recent scikit-learn adds."""
    shown = re.sub(
        r"<style>.*?</style>|<script>.*?</script>|<table.*?</table>", " ", estimator._repr_html_(), flags=re.S
    )
    return html.unescape(re.sub(r"<[^>]+>", " ", shown))


@pytest.mark.parametrize("make", [network_regressor, network_classifier, stack_regressor])
def test_branches_stand_side_by_side_with_name_class_and_columns(make):
    words = _words(make())
    for name, branch, columns in branches():
        for word in (name, type(branch).__name__, str(columns)):
            assert word in words
    assert words.index("numbers") < words.index("NumericBranch") < words.index("place")
    assert make()._repr_html_().count("sk-parallel-item") >= 2


@pytest.mark.parametrize("training", ["joint", "individual"])
def test_a_stack_shows_learners_and_the_final_estimator_too(training):
    words = _words(stack_regressor(training=training))
    assert words.index("CategoricalBranch") < words.index("ridge") < words.index("final_estimator")
    assert "WeightedAverageRegressor" in words[words.index("final_estimator") :]


def test_dropped_parts_and_columns_left_out():
    parts = [(name, branch) for name, branch, _ in branches()]
    words = _words(stack_regressor(parts).set_params(place="drop"))
    assert "drop" in words
    assert "None" not in words.replace("embedding=None", "")


def test_network_without_branches_shows_the_one_it_stands_for():
    assert "NumericBranch" in _words(MultimodalNetworkRegressor())


def test_diagram_of_a_pipeline_reaches_into_the_stack():
    words = _words(make_pipeline(FunctionTransformer(), stack_regressor()))
    assert words.index("FunctionTransformer") < words.index("NumericBranch") < words.index("final_estimator")


def test_repr_names_the_branches():
    assert "NumericBranch(" in repr(stack_regressor())
