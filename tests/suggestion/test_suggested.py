"""The list of parts that is suggested."""

import copy
import pickle

import numpy as np
import pandas as pd
import pytest
from _data import plain_table
from sklearn.base import clone

from skstack import MultimodalStackingRegressor, suggest_estimators
from skstack.suggestion._suggested import SuggestedEstimators


@pytest.fixture(scope="module")
def suggested():
    return suggest_estimators(*plain_table())


def test_it_is_a_list_of_parts(suggested):
    assert isinstance(suggested, list)
    assert all(len(part) == 3 for part in suggested)
    assert MultimodalStackingRegressor(suggested).get_params()["numbers_in_text__extract"] == 2


def test_it_prints_as_code_that_makes_it(suggested):
    made = {}
    exec(str(suggested), made)
    assert repr(made["estimators"]) == repr(list(suggested))
    assert "# left out: 'row' (id: a running number)" in repr(suggested)
    assert repr(suggested).count("# left out") == 3


def test_names_with_line_breaks_and_quotes_are_code_too():
    X = pd.DataFrame({'it\'s\n"odd"': np.random.default_rng(0).normal(size=30), "a\nb": 1.0})
    suggested, made = suggest_estimators(X, X.iloc[:, 0] ** 3 + np.arange(30)), {}
    exec(repr(suggested), made)
    assert [columns for *_, columns in made["estimators"]] == [columns for *_, columns in suggested]


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda it: pickle.loads(pickle.dumps(it))])
def test_copies_keep_the_reasons(suggested, copied):
    again = copied(suggested)
    assert isinstance(again, SuggestedEstimators) and repr(again) == repr(suggested)
    pd.testing.assert_frame_equal(again.reasons, suggested.reasons)


def test_a_stack_that_was_given_it_is_cloned(suggested):
    stack = MultimodalStackingRegressor(suggested)
    assert repr(clone(stack).estimators) == repr(suggested)


def test_an_empty_one_prints_too():
    assert repr(SuggestedEstimators()).endswith("estimators = [\n]")
