"""Links to the pages of the documentation."""

import pytest

import skstack
from skstack import preprocessing
from skstack._doc_links import public_module
from skstack.branches import Branch, NumericBranch
from skstack.stacking._per_target import PerTarget

PAGE = "https://skstack.github.io/skstack/api/generated/{}.html"


@pytest.mark.parametrize("name", [name for name in skstack.__all__ if name[0].isupper()])
def test_estimators_link_to_the_page_of_their_public_name(name):
    kind = getattr(skstack, name)
    needs_estimator = name in ("NetworkEmbedder", "SeedEnsembleClassifier", "SeedEnsembleRegressor")
    estimator = kind(None) if needs_estimator else kind()
    assert estimator._get_doc_link() == PAGE.format(f"skstack.{name}")


def test_classes_of_packages_link_to_the_name_in_the_package():
    assert NumericBranch()._get_doc_link() == PAGE.format("skstack.branches.NumericBranch")
    assert preprocessing.TableReader()._get_doc_link() == PAGE.format("skstack.preprocessing.TableReader")


class Mine(NumericBranch):
    """A branch of a user's."""


def test_classes_of_others_and_private_ones_have_no_page_of_ours():
    assert Mine()._get_doc_link() == ""
    assert public_module(PerTarget) is None
    assert public_module(Branch) == "skstack.branches"
