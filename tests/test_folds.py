"""From the parameter `cv` to a splitter."""

import numpy as np
import pytest
from sklearn.model_selection import GroupKFold, KFold, StratifiedGroupKFold, StratifiedKFold

from skstack._folds import make_splitter

NUMBERS, CLASSES, GROUPS = np.linspace(0, 1, 12), np.tile([0, 1], 6), np.arange(12) // 2


@pytest.mark.parametrize(
    ("y", "classifier", "groups", "expected"),
    [
        (NUMBERS, False, None, KFold),
        (CLASSES, True, None, StratifiedKFold),
        (NUMBERS, False, GROUPS, GroupKFold),
        (CLASSES, True, GROUPS, StratifiedGroupKFold),
    ],
)
@pytest.mark.parametrize("cv", [3, None])
def test_a_number_of_folds_is_of_whole_groups_where_there_are_groups(cv, y, classifier, groups, expected):
    splitter = make_splitter(cv, y, classifier=classifier, groups=groups)
    assert type(splitter) is expected
    assert splitter.n_splits == (cv or 5)
    if groups is not None:
        for training, held_out in splitter.split(y, y, groups):
            assert not set(groups[training]) & set(groups[held_out])


def test_splitters_are_taken_as_they_are():
    splitter, folds = KFold(2), [(np.arange(6), np.arange(6, 12))]
    assert make_splitter(splitter, NUMBERS, classifier=False, groups=GROUPS) is splitter
    assert next(make_splitter(folds, NUMBERS, classifier=False, groups=GROUPS).split())[1] is folds[0][1]
