"""Checks of targets, weights and validation parts."""

import numpy as np
import pandas as pd
import pytest

from skstack._validation import (
    check_lengths,
    check_weights,
    has_validation_rows,
    split_rows,
)

TABLE = pd.DataFrame({"a": [1, 2], "b": ["x", "y"]})


# --- targets ----------------------------------------------------------------------------------------------------------


def test_unequal_lengths_are_an_error():
    check_lengths(TABLE, [1, 2], sample_weight=[1, 1], groups=None)
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        check_lengths(TABLE, [1, 2, 3])
    with pytest.raises(ValueError, match="groups has 3 values, X has 2 rows"):
        check_lengths(TABLE, [1, 2], groups=[1, 2, 3])
    with pytest.raises(ValueError, match="requires y to be passed, but the target y is None"):
        check_lengths(TABLE, None)


def test_masked_cells_are_an_error():
    masked = np.ma.array([1.0, 2.0], mask=[False, True])
    for y, others in ((masked, {}), ([1, 2], {"sample_weight": masked}), ([1, 2], {"groups": masked})):
        name = next(iter(others), "y")
        with pytest.raises(ValueError, match=f"{name} is a masked array with a masked cell in row 1"):
            check_lengths(TABLE, y, **others)
    check_lengths(TABLE, np.ma.array([1.0, 2.0]))


def test_negative_weights_are_an_error():
    np.testing.assert_array_equal(check_weights([0, 2], 2), [0.0, 2.0])
    assert check_weights([0, 2], 2, dtype=np.float32).dtype == "float32"
    with pytest.raises(ValueError, match=r"sample_weight should not be negative, got -1.0 in row 1 \(index 'b'\)"):
        check_weights(pd.Series([1, -1], index=["a", "b"]), 2)
    with pytest.raises(ValueError, match="sample_weight contains NaN"):
        check_weights([1, np.nan], 2)


# --- inner split ------------------------------------------------------------------------------------------------------


def _split(y, groups=None, fraction=0.25, seed=0, classes=False):
    y = np.asarray(y)
    training, validation = split_rows(len(y), groups, fraction, seed, labels=y if classes else None)
    assert sorted([*training, *validation]) == list(range(len(y)))
    assert list(training) == sorted(training)
    return training, validation


def test_a_fraction_of_the_rows_is_set_aside():
    training, validation = _split(np.arange(20.0))
    assert (len(training), len(validation)) == (15, 5)
    assert _split(np.arange(20.0))[1].tolist() == validation.tolist()
    assert _split(np.arange(20.0), seed=1)[1].tolist() != validation.tolist()


def test_at_least_one_row_is_set_aside_and_one_kept():
    assert len(_split(np.arange(3.0), fraction=0.01)[1]) == 1
    assert len(_split(np.arange(2.0))[0]) == 1


@pytest.mark.parametrize("groups", [None, np.arange(4)])
def test_something_is_left_to_train_on(groups):
    what = "rows" if groups is None else "groups"
    with pytest.raises(ValueError, match=f"validation_fraction=0.9 sets 4 of 4 {what} aside .* none to train on"):
        _split(np.arange(4.0), groups=groups, fraction=0.9)


@pytest.mark.parametrize(("n", "fraction"), [(10, 0), (1, 0.25)])
def test_nothing_is_set_aside_where_nothing_can_be(n, fraction):
    assert len(_split(np.arange(float(n)), fraction=fraction)[1]) == 0


def test_classes_keep_their_proportions():
    _, validation = _split(["a"] * 30 + ["b"] * 10, fraction=0.2, classes=True)
    assert np.count_nonzero(validation < 30) == 6
    assert len(validation) == 8


@pytest.mark.parametrize("y", [["a"] * 9 + ["b"], list("abcdefghij") * 2])
def test_too_few_rows_of_a_class_are_no_error(y):
    assert len(_split(y, fraction=0.1, classes=True)[1]) == max(1, len(y) // 10)


@pytest.mark.parametrize("classes", [True, False])
def test_groups_stay_together(classes):
    groups = np.repeat(list("pqrst"), 4)
    training, validation = _split([0, 1] * 10, groups=groups, fraction=0.4, classes=classes)
    assert len(set(groups[validation])) == 2
    assert not set(groups[training]) & set(groups[validation])


def test_one_group_is_not_split():
    assert len(_split(np.arange(4.0), groups=["p"] * 4)[1]) == 0


def test_the_latest_rows_are_the_last_ones_whatever_their_classes():
    training, validation = split_rows(8, None, 0.25, 0, labels=np.array(list("aaaaaabb")), latest=True)
    assert training.tolist() == list(range(6))
    assert validation.tolist() == [6, 7]


def test_the_latest_groups_are_those_that_begin_last():
    groups = ["z", "z", "b", "z", "a", "b", "a", "c"]
    training, validation = split_rows(8, groups, 0.5, 0, latest=True)
    assert validation.tolist() == [4, 6, 7]
    assert training.tolist() == [0, 1, 2, 3, 5]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ((None, [1], None), "y_val is provided, but X_val was not provided"),
        (([[1]], None, [1]), "X_val is provided, but y_val was not provided"),
        ((None, None, [1]), "sample_weight_val is provided, but X_val was not provided"),
    ],
)
def test_half_of_the_rows_to_validate_on_is_an_error(given, message):
    with pytest.raises(ValueError, match=message):
        has_validation_rows(*given)


def test_rows_to_validate_on_may_have_weights_or_not_be_there():
    assert has_validation_rows([[1]], [1], None)
    assert has_validation_rows([[1]], [1], [1])
    assert not has_validation_rows(None, None, None)
