"""Near matches of misspelled names."""

import pytest
from sklearn.base import BaseEstimator

from skstack._suggestions import SuggestingParams, did_you_mean, near_matches


def test_the_nearest_names_come_first():
    assert near_matches("hiden", ["hidden", "dropout", "hide"]) == ["hidden"]
    assert near_matches("hiden", ["hidden", "dropout", "hide"], n=2) == ["hidden", "hide"]
    assert near_matches("hiden", []) == []


def test_names_in_another_case_are_near():
    assert near_matches("ZIP", ["area", "zip"]) == ["zip"]
    assert near_matches("meansquarederror", ["MeanSquaredError"]) == ["MeanSquaredError"]


def test_names_of_columns_need_not_be_text():
    assert near_matches("x10", [3, ("a", "b"), "x1"]) == ["x1"]


def test_questions_end_a_message():
    assert did_you_mean("hiden", ["hidden"]) == " Did you mean 'hidden'?"
    assert did_you_mean("hiden", ["size"]) == ""


class Owner(SuggestingParams, BaseEstimator):
    """An estimator with a parameter."""

    def __init__(self, hidden=1, part=None):
        self.hidden, self.part = hidden, part


def test_misspelled_parameters_are_refused_before_any_is_set():
    owner = Owner(part=Owner())
    with pytest.raises(ValueError, match=r"'hiden' for estimator Owner\(.*Did you mean 'hidden'\? Valid.*'part'"):
        owner.set_params(hidden=3, hiden=2)
    with pytest.raises(ValueError, match=r"'prat' for estimator Owner\(.*Did you mean 'part'"):
        owner.set_params(prat__hidden=2)
    assert owner.hidden == 1
    assert owner.set_params(hidden=3, part__hidden=4).part.hidden == 4
