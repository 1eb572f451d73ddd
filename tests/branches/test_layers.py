"""The Keras layers that several branches use."""

import numpy as np
import pytest

from skstack._backend import keras
from skstack.branches._layers import Dropout, Merge, MissingEmbedding, SeenMask, Standardize

ROWS = np.array([[1.0, np.nan], [3.0, 4.0]], dtype="float32")
to_numpy = keras.ops.convert_to_numpy


# --- standardising ----------------------------------------------------------------------------------------------------


def _standardize(**kwargs):
    layer = Standardize(**kwargs)
    layer.build((None, 2))
    layer.assign_statistics([5.0, 6.0], [1.0, 2.0], [2.0, 4.0], [1.0, 1.0])
    return layer


def test_standardize_fills_scales_and_flags():
    expected = [[0.0, 1.0, 0.0, 1.0], [1.0, 0.5, 0.0, 0.0]]
    np.testing.assert_allclose(to_numpy(_standardize()(ROWS)), expected)
    without = to_numpy(_standardize(flags=False)(ROWS))
    np.testing.assert_allclose(without, np.array(expected)[:, :2])


def test_a_column_without_gaps_in_training_keeps_the_flag_0():
    layer = _standardize()
    layer.seen.assign([1.0, 0.0])
    np.testing.assert_allclose(to_numpy(layer(ROWS))[:, 2:], 0.0)


def test_standardize_in_double_precision_returns_single():
    scaled = _standardize(dtype="float64")(ROWS.astype("float64"))
    assert keras.backend.standardize_dtype(scaled.dtype) == "float32"


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("flags", [True, False])
def test_standardize_announces_what_it_returns(flags, dtype):
    layer = _standardize(flags=flags, dtype=dtype)
    announced, returned = layer(keras.Input((2,), dtype=dtype)), layer(ROWS.astype(dtype))
    assert announced.shape[1:] == tuple(returned.shape)[1:]
    assert announced.dtype == keras.backend.standardize_dtype(returned.dtype)


def test_seen_mask_silences_features():
    layer = SeenMask()
    layer.build((None, 2))
    layer.mask.assign([0.0, 1.0])
    rows = np.array([[2.0, 3.0]], dtype="float32")
    np.testing.assert_array_equal(to_numpy(layer(rows)), [[0.0, 3.0]])


# --- dropout ----------------------------------------------------------------------------------------------------------


def test_dropout_keeps_the_expected_sum_in_training_only():
    layer, rows = Dropout(0.25), np.full((400, 10), 3.0, dtype="float32")
    np.testing.assert_array_equal(to_numpy(layer(rows)), rows)
    dropped = to_numpy(layer(rows, training=True))
    assert set(np.unique(dropped)) == {0.0, 4.0}
    assert 0.2 < (dropped == 0).mean() < 0.3


def test_the_rate_of_dropout_is_a_value_that_may_change():
    layer, rows = Dropout(0.25), np.ones((50, 10), dtype="float32")
    layer.build(rows.shape)
    layer.rate.assign(0.0)
    np.testing.assert_array_equal(to_numpy(layer(rows, training=True)), rows)
    assert layer.get_config()["rate"] == 0.25


# --- missing rows -----------------------------------------------------------------------------------------------------


def test_a_missing_row_gets_the_mean_of_the_features_at_first():
    layer = MissingEmbedding()
    features, missing = (
        np.array([[1.0, 2.0], [3.0, 4.0], [99.0, 99.0]], "float32"),
        np.array([[0], [0], [1]], "float32"),
    )
    layer.build([features.shape, missing.shape])
    trained = to_numpy(layer([features, missing], training=True))
    np.testing.assert_allclose(trained, [[1, 2], [3, 4], [2, 3]], rtol=1e-5)
    again = to_numpy(layer([features + 7, np.ones((3, 1), "float32")]))
    np.testing.assert_allclose(again, [[2, 3]] * 3, rtol=1e-5)
    layer.difference.assign([10.0, 0.0])
    np.testing.assert_allclose(to_numpy(layer([features, missing]))[2], [12, 3], rtol=1e-5)


def test_the_missing_embedding_before_any_row_was_seen_is_zero():
    layer = MissingEmbedding()
    layer.build([(2, 3), (2, 1)])
    shown = to_numpy(layer([np.ones((2, 3), "float32"), np.array([[1], [0]], "float32")]))
    np.testing.assert_array_equal(shown, [[0, 0, 0], [1, 1, 1]])


def test_single_columns_of_shared_ones_are_replaced():
    layer = MissingEmbedding()
    layer.build([(1, 2, 2), (1, 2)])
    layer.difference.assign([7.0, 8.0])
    features = np.array([[[1.0, 2.0], [3.0, 4.0]]], "float32")
    shown = to_numpy(layer([features, np.array([[0, 1]], "float32")]))
    np.testing.assert_array_equal(shown, [[[1, 2], [7, 8]]])


def test_rows_are_dropped_in_training_only():
    layer = MissingEmbedding(drops=True)
    features, missing = np.ones((1000, 2), "float32"), np.zeros((1000, 1), "float32")
    layer.build([features.shape, missing.shape])
    layer.rate.assign(0.3)
    layer.difference.assign([5.0, 5.0])
    trained = to_numpy(layer([features, missing], training=True))
    assert (trained[:, 0] == trained[:, 1]).all()
    assert 0.2 < (trained[:, 0] > 1).mean() < 0.4
    np.testing.assert_array_equal(to_numpy(layer([features, missing])), features)


# --- shared columns ---------------------------------------------------------------------------------------------------

MERGED = {
    "concatenate": [1, 2, 3, 4],
    "add": [4, 6],
    "subtract": [-2, -2],
    "multiply": [3, 8],
    "dot": [11],
    "average": [2, 3],
    "maximum": [3, 4],
}


@pytest.mark.parametrize("how", MERGED)
def test_merges(how):
    inputs = keras.Input((2, 2))
    outputs = Merge(how)(inputs)
    assert outputs.shape == (None, len(MERGED[how]))
    merged = keras.Model(inputs, outputs)(np.array([[[1.0, 2.0], [3.0, 4.0]]], "float32"))
    np.testing.assert_allclose(to_numpy(merged), [MERGED[how]])


# --- all of them ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("layer", [Standardize(), SeenMask(), Dropout(0.5)])
def test_nothing_in_them_is_trained(layer):
    layer.build((None, 3))
    assert layer.weights
    assert not layer.trainable_variables
    assert {id(variable) for variable in layer.constants} == {
        id(variable) for variable in layer.weights if "seed" not in variable.path
    }
