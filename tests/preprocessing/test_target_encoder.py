"""scikit-learn's encoder of categories by means of the target, mended."""

import pickle

import numpy as np
import pandas as pd
import pytest
import sklearn
from sklearn import preprocessing
from sklearn.model_selection import GroupKFold, KFold

from skstack.preprocessing import TargetEncoder
from skstack.preprocessing._target_encoder import _TAKES_SPLITTERS

RNG = np.random.default_rng(0)
X = pd.DataFrame({"city": RNG.choice(list("abcde"), 60)})
Y = RNG.normal(size=60)
FOLDS = KFold(5, shuffle=True, random_state=0)

takes_splitters = pytest.mark.skipif(not _TAKES_SPLITTERS, reason="scikit-learn < 1.9 takes no splitters")


@takes_splitters
@pytest.mark.parametrize("routing", [False, True])
def test_it_encodes_as_that_of_scikit_learn_does(routing):
    expected = preprocessing.TargetEncoder(cv=FOLDS).fit_transform(X, Y)
    with sklearn.config_context(enable_metadata_routing=routing):
        encoder = TargetEncoder(cv=FOLDS)
        np.testing.assert_array_equal(encoder.fit_transform(X, Y), expected)
    np.testing.assert_array_equal(
        pickle.loads(pickle.dumps(encoder)).transform(X), preprocessing.TargetEncoder().fit(X, Y).transform(X)
    )


@takes_splitters
def test_groups_are_routed_to_its_folds():
    groups = np.arange(60) // 6
    with sklearn.config_context(enable_metadata_routing=True):
        expected, encoded = (
            kind(cv=GroupKFold(3)).fit_transform(X, Y, groups=groups)
            for kind in (preprocessing.TargetEncoder, TargetEncoder)
        )
    np.testing.assert_array_equal(encoded, expected)


def test_it_returns_tables_where_they_are_asked_for():
    encoded = TargetEncoder().set_output(transform="pandas").fit_transform(X, Y)
    assert isinstance(encoded, pd.DataFrame) and list(encoded) == ["city"]
