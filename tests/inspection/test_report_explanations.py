"""Sections of a report that explain."""

import re

import pytest
from _inspected import fitted_classifier, fitted_regressor, labels, table
from matplotlib import pyplot as plt

from skstack.inspection._check import NotApplicable
from skstack.inspection._report import Reported
from skstack.inspection._report_explanations import examples, members, modalities


@pytest.fixture(autouse=True)
def no_figures_left():
    with plt.ioff():
        yield
    assert plt.get_fignums() == []


def _reported(stack, y, is_held_out=False):
    X = table()[0]
    return Reported(stack, X, y, None, X, y, is_held_out, n_examples=2, random_state=0)


@pytest.mark.parametrize("is_held_out", [False, True])
def test_shapley_values_of_modalities_sum_to_the_score(is_held_out):
    section = modalities(_reported(fitted_regressor(), table()[1], is_held_out))
    said, lines, *pictures = section.blocks
    assert [row[0] for row in lines.rows] == ["numbers", "place"]
    whole, none = map(float, re.findall(r"-?\d+\.\d+", said.text))
    assert sum(float(row[2]) for row in lines.rows) == pytest.approx(whole - none, abs=3e-3)
    assert len(pictures) == 3
    assert ("not fitted to" in section.intro) == is_held_out


def test_the_predicted_class_of_several_is_explained():
    section = modalities(_reported(fitted_classifier(3), labels(3)))
    assert len(section.blocks) == 5
    assert "neg_log_loss" in section.blocks[0].text  # which tells more than the part of right classes


def test_members_are_drawn_and_tables_have_no_examples():
    reported = _reported(fitted_regressor(), table()[1])
    assert len(members(reported).blocks) == 1
    with pytest.raises(NotApplicable, match="neither images nor texts"):
        examples(reported)
