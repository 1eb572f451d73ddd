"""Targets of networks."""

import numpy as np
import pytest
from sklearn.base import clone

from skstack._targets import ClassTarget, RegressionTarget


def test_one_target_is_encoded_as_a_column_and_decoded_as_a_vector():
    target = RegressionTarget().fit(np.array([1.0, 2.0, 6.0]))
    assert target.n_units_ == 1
    assert target.encode(np.array([4.0, 5.0])).tolist() == [[4.0], [5.0]]
    decoded = target.decode(np.array([[4.0], [5.0]], dtype="float32"))
    assert decoded.tolist() == [4.0, 5.0]
    assert decoded.dtype == "float64"


def test_several_targets_keep_their_shape():
    y = np.array([[1.0, 10.0], [3.0, 30.0]])
    target = RegressionTarget().fit(y)
    assert target.n_units_ == 2
    np.testing.assert_array_equal(target.decode(target.encode(y)), y)


def test_mean_and_deviation_are_those_of_the_rows():
    y = np.array([[1.0, 10.0], [3.0, 30.0], [8.0, 20.0]])
    target = RegressionTarget().fit(y)
    np.testing.assert_allclose(target.center_, y.mean(axis=0))
    np.testing.assert_allclose(target.scale_, y.std(axis=0))


@pytest.mark.parametrize("value", [0.0, 5.0, 0.1])
def test_constant_target_is_not_divided_by_rounding_noise(value):
    assert RegressionTarget().fit(np.full(7, value)).scale_ == [1.0]


def test_integers_are_targets():
    target = RegressionTarget().fit(np.array([1, 2]))
    assert target.encode(np.array([1, 2])).dtype == "float32"


LABELS = np.array(["cat", "dog", "cat", "ant"])


def test_two_classes_are_one_unit():
    target = ClassTarget().fit(LABELS[:3])
    assert target.n_units_ == 1
    assert target.encode(LABELS[:3]).tolist() == [[0.0], [1.0], [0.0]]
    np.testing.assert_allclose(target.decode(np.array([[0.25], [1.0]], dtype="float32")), [[0.75, 0.25], [0.0, 1.0]])


def test_several_classes_are_indicators():
    target = ClassTarget().fit(LABELS)
    assert target.classes_.tolist() == ["ant", "cat", "dog"]
    assert target.n_units_ == 3
    assert target.encode(LABELS).tolist() == [[0, 1, 0], [0, 0, 1], [0, 1, 0], [1, 0, 0]]


def test_sparse_losses_take_numbers():
    encoded = ClassTarget(sparse=True, categorical=True).fit(LABELS).encode(LABELS)
    assert encoded.dtype == "int32"
    assert encoded.tolist() == [[1], [2], [1], [0]]


def test_categorical_losses_have_a_unit_for_each_of_two_classes():
    target = ClassTarget(categorical=True).fit(LABELS[:3])
    assert target.n_units_ == 2
    assert target.encode(LABELS[:2]).tolist() == [[1, 0], [0, 1]]


def test_probabilities_sum_to_one_in_double_precision():
    outputs = np.array([[0.3333333, 0.3333333, 0.3333333]], dtype="float32")
    assert ClassTarget().fit(LABELS).decode(outputs).sum() == pytest.approx(1.0, abs=1e-15)


def test_unknown_class_is_an_error():
    with pytest.raises(ValueError, match="previously unseen labels"):
        ClassTarget().fit(LABELS).encode(np.array(["cow"]))


@pytest.mark.parametrize("target", [RegressionTarget(), ClassTarget(categorical=True, sparse=True)])
def test_targets_are_estimators(target):
    assert clone(target).get_params() == target.get_params()
