"""Targets that are numbers."""

from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.metrics import r2_score

from skstack._backend import keras
from skstack.tasks._regression import RegressionTask, check_regression_target


@pytest.mark.parametrize(("y", "shape"), [([1, 2], (2,)), (pd.Series([1.5, 2.5]), (2,)), (np.ones((2, 3)), (2, 3))])
def test_numbers_are_targets(y, shape):
    checked = check_regression_target(y)
    assert checked.dtype == "float64"
    assert checked.shape == shape


def test_a_single_column_is_flattened_with_a_warning():
    with pytest.warns(UserWarning, match="column-vector y was passed"):
        assert check_regression_target(np.ones((2, 1))).shape == (2,)


@pytest.mark.parametrize(
    ("y", "message"),
    [
        ([1.0, np.nan], "Input y contains NaN: nan in row 1"),
        ([1.0, None], "Input y contains NaN: None in row 1"),
        ([[1.0, np.inf]], "Input y contains infinity or a value too large for float32: inf in row 0"),
        (["x", "y"], "y holds text"),
        (["1", "2"], "y holds text"),
        ([[1.0, "2"]], "y holds text"),
        ([1j, 2.0], "Complex data not supported"),
        ([[1], [1, 2]], "inhomogeneous"),
        (np.ones((2, 2, 2)), "Found array with dim 3"),
    ],
)
def test_targets_that_are_no_numbers_are_an_error(y, message):
    with pytest.raises(ValueError, match=message):
        check_regression_target(y)


def test_targets_beyond_float32_are_an_error():
    with pytest.raises(ValueError, match=r"too large for float32: -1e\+39"):
        check_regression_target([1.0, -1e39])
    with pytest.raises(ValueError, match=r"too large for float32: 1000.*\.\.\..* in row 1"):
        check_regression_target([1.0, 10**400])


@pytest.mark.parametrize(
    "y",
    [
        np.array([1, 2.5], dtype=object),
        np.array([Decimal("1"), np.float32(2.5)], dtype=object),
        pd.Series([1, 2.5], dtype="Float64"),
        pl.Series([1.0, 2.5]),
        np.ma.array([1, 2.5]),
        pd.Series(pd.Categorical([1, 2.5])),
    ],
)
def test_numbers_of_any_type_are_targets(y):
    np.testing.assert_array_equal(check_regression_target(y), [1, 2.5])


def test_one_target_is_encoded_as_a_column_and_decoded_as_a_vector():
    target = RegressionTask().fit(np.array([1.0, 2.0, 6.0]))
    assert target.n_units_ == 1
    assert target.encode(np.array([4.0, 5.0])).tolist() == [[4.0], [5.0]]
    decoded = target.decode(np.array([[4.0], [5.0]], dtype="float32"))
    assert decoded.tolist() == [4.0, 5.0]
    assert decoded.dtype == "float64"


def test_several_targets_keep_their_shape():
    y = np.array([[1.0, 10.0], [3.0, 30.0]])
    target = RegressionTask().fit(y)
    assert target.n_units_ == 2
    np.testing.assert_array_equal(target.decode(target.encode(y)), y)


def test_mean_and_deviation_are_those_of_the_rows():
    y = np.array([[1.0, 10.0], [3.0, 30.0], [8.0, 20.0]])
    target = RegressionTask().fit(y)
    np.testing.assert_allclose(target.center_, y.mean(axis=0))
    np.testing.assert_allclose(target.scale_, y.std(axis=0))


@pytest.mark.parametrize("value", [0.0, 5.0, 0.1])
def test_constant_target_is_not_divided_by_rounding_noise(value):
    assert RegressionTask().fit(np.full(7, value)).scale_ == [1.0]


def test_integers_are_targets():
    target = RegressionTask().fit(np.array([1, 2]))
    assert target.encode(np.array([1, 2])).dtype == "float32"


def test_mean_and_deviation_are_weighted_and_of_the_chosen_rows():
    y, rows, weight = np.array([1.0, 100.0, 4.0]), np.array([0, 2]), np.array([1.0, 2.0])
    task = RegressionTask().fit(y, rows, weight)
    np.testing.assert_allclose(task.center_, [3.0])
    np.testing.assert_allclose(task.scale_, [np.sqrt((4 + 2 * 1) / 3)])


def test_output_is_in_the_units_of_the_target():
    task = RegressionTask().fit(np.array([10.0, 30.0]))
    inputs = keras.Input((1,))
    model = keras.Model(inputs, task.build_output(inputs, "price"))
    model.get_layer("price_standardized").set_weights([np.array([[1.0]]), np.array([0.0])])
    task.assign_statistics(model.get_layer("price"))
    np.testing.assert_allclose(model(np.array([[1.5]])), [[20 + 1.5 * 10]])


def test_tasks_of_other_shape_or_precision_build_other_outputs():
    task = RegressionTask().fit(np.array([1.0, 2.0]))
    assert task.is_built_like(RegressionTask().fit(np.array([5.0, 9.0])))
    assert not task.is_built_like(RegressionTask().fit(np.ones((2, 2))))
    assert not task.is_built_like(RegressionTask().fit(1.7e9 + np.array([1.0, 2.0])))


def test_numbers_are_not_stratified_and_are_their_own_labels():
    y = np.array([1.0, 2.0])
    assert RegressionTask().stratify_labels(y) is None
    assert RegressionTask().encode_labels(y) is y
    assert RegressionTask().prediction_columns(None, y, "predict").shape == (2, 1)


def test_the_score_is_r2():
    y, predicted, weight = np.array([1.0, 2.0, 4.0]), np.array([1.5, 2.0, 3.0]), np.array([1.0, 2.0, 3.0])
    assert RegressionTask().score(y, predicted, weight) == pytest.approx(r2_score(y, predicted, sample_weight=weight))


def test_with_a_loss_of_positive_numbers_logarithms_are_predicted():
    y = np.array([0.0, 10.0, 20.0, 50.0])
    task = RegressionTask().fit(y, loss=keras.losses.Poisson())
    assert task.positive_ and not RegressionTask().fit(y, loss=keras.losses.Huber()).positive_
    np.testing.assert_allclose(task.center_, np.log(20.0))
    np.testing.assert_allclose(task.scale_, np.log1p(y).std())
    inputs = keras.Input((1,))
    model = keras.Model(inputs, task.build_output(inputs, "count"))
    model.get_layer("count_standardized").set_weights([np.array([[1.0]]), np.array([0.0])])
    task.assign_statistics(model.get_layer("count"))
    outputs = np.asarray(model(np.array([[0.0], [-1.5]])))
    np.testing.assert_allclose(outputs[:, 0], 20.0 * np.exp([0.0, -1.5 * task.scale_[0]]), rtol=1e-5)


@pytest.mark.parametrize("value", [0.0, 3.0])
def test_a_constant_target_of_a_positive_loss(value):
    task = RegressionTask().fit(np.full(5, value), loss=keras.losses.Poisson())
    assert task.scale_ == [1.0] and np.isfinite(task.center_).all()


def test_the_mean_of_row_scores_is_r2():
    generator = np.random.default_rng(0)
    Y, weight = generator.normal(size=(30, 2)), generator.uniform(size=30)
    predicted = Y + 0.3 * generator.normal(size=Y.shape)
    scores = RegressionTask().row_scores("r2", Y, predicted, "predict", weight)
    assert np.average(scores, weights=weight) == pytest.approx(r2_score(Y, predicted, sample_weight=weight))
    single = RegressionTask().row_scores("r2", Y[:, 0], predicted[:, :1], "predict")
    assert single.mean() == pytest.approx(r2_score(Y[:, 0], predicted[:, 0]))
