"""A layer that holds something pretrained inside a network."""

import numpy as np

from skstack._backend import keras
from skstack.backbones._bert_layers import LowRankAdapter
from skstack.branches._backbone_layers import TrainedFurther
from skstack.training._trainable import set_trainable


def _backbone():
    layers = [keras.Input((4,)), keras.layers.Dense(3, name="first"), keras.layers.BatchNormalization(name="second")]
    model = keras.Sequential([*layers, keras.layers.Dropout(0.5)])
    model.get_layer("second").moving_mean.assign([1.0, 2.0, 3.0])
    return model


ROWS = np.random.default_rng(0).normal(size=(8, 4)).astype("float32")


def test_what_is_pretrained_works_in_training_as_in_prediction():
    model = _backbone()
    layer = TrainedFurther(model)
    expected = keras.ops.convert_to_numpy(model(ROWS, training=False))
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(layer(ROWS, training=True)), expected)
    assert {id(v) for v in layer.constants} == {id(v) for v in model.non_trainable_variables}


def test_what_begins_at_random_learns_its_averages():
    layer = TrainedFurther(_backbone(), pretrained=False)
    before = layer.model.get_layer("second").get_weights()
    layer(ROWS, training=True)
    assert not np.allclose(layer.model.get_layer("second").get_weights()[2], before[2])
    assert layer.constants == []


def test_the_learning_rate_and_what_is_trained_survive_the_config():
    layer = TrainedFurther(_backbone(), learning_rate=0.25, name="backbone")
    set_trainable(layer.model, "first")
    again = TrainedFurther.from_config(layer.get_config())
    for part in (layer, again):
        assert [variable.learning_rate_multiplier for variable in part.trainable_variables] == [0.25, 0.25]
        assert {variable.path.split("/")[-2] for variable in part.trainable_variables} == {"first"}
    assert (again.learning_rate, again.pretrained, again.name) == (0.25, True, "backbone")
    assert layer(keras.Input((4,))).shape == (None, 3)


def test_adapters_learn_as_fast_as_the_rest():
    inputs = keras.Input((4,))
    model = keras.Model(inputs, LowRankAdapter(2, name="adapter")(keras.layers.Dense(3, name="dense")(inputs)))
    layer = TrainedFurther(model, learning_rate=0.25)
    again = TrainedFurther.from_config(layer.get_config())
    for part in (layer, again):
        rates = {path.path.split("/")[-2]: path.learning_rate_multiplier for path in part.trainable_variables}
        assert rates == {"dense": 0.25, "adapter": 1.0}
