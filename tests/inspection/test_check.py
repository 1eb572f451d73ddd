"""What checks look at."""

import pytest
from _inspected import fitted_network, fitted_regressor, table
from _small import branches
from scipy.sparse import csr_array
from sklearn.linear_model import Ridge

from skstack import MultimodalStackingRegressor
from skstack.branches import ImageBranch
from skstack.inspection._check import Checked, NotApplicable, parts_of


def test_parts_are_those_in_use():
    assert [name for name, _, _ in parts_of(fitted_regressor())] == ["numbers", "place", "ridge"]
    assert [name for name, _, _ in parts_of(fitted_network())] == ["numbers", "place"]
    suggested = MultimodalStackingRegressor()
    assert parts_of(suggested) == []
    suggested.suggestion_ = [*branches(), ("ridge", Ridge())]
    assert parts_of(suggested)[-1][2] is None


def test_the_folder_of_images_is_that_of_the_first_branch_that_has_one():
    assert Checked(fitted_regressor()).image_root is None
    photos = MultimodalStackingRegressor([*branches(), ("photo", ImageBranch(root="photos"), ["photo"])])
    assert Checked(photos).image_root == "photos"


def test_columns_are_described_and_splits_are_needed():
    checked = Checked(fitted_regressor(), *table())
    assert {column.name: column.kind for column in checked.columns}["city"] == "categorical"
    with pytest.raises(NotApplicable, match="no splits"):
        checked.need_splits()


def test_rows_are_read_as_estimators_do_and_sparse_ones_are_not_described():
    assert [column.kind for column in Checked(None, [[0.5], [1.5]]).columns] == ["numeric"]
    with pytest.raises(NotApplicable, match="sparse"):
        _ = Checked(None, csr_array([[1.0]])).columns
