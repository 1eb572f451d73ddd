"""Blocks that change an estimator wholly or not at all."""

import pytest
from sklearn.linear_model import Ridge

from skstack._atomic import unchanged_on_error


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_attributes_come_back_after_an_error(error):
    estimator = Ridge(alpha=2.0)
    estimator.coef_ = "old"
    with pytest.raises(error), unchanged_on_error(estimator):
        estimator.coef_, estimator.intercept_ = "new", 1
        del estimator.alpha
        raise error
    assert vars(estimator) == {**vars(Ridge(alpha=2.0)), "coef_": "old"}


def test_attributes_stay_as_the_block_leaves_them():
    estimator = Ridge()
    with unchanged_on_error(estimator):
        estimator.coef_ = "new"
    assert estimator.coef_ == "new"
