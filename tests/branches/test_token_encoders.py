"""Networks from token ids to a feature vector."""

import numpy as np
import pytest
from _texts import SMALL, call, frame, learning, opinions
from sklearn.base import clone

from skstack._backend import keras
from skstack.branches import TextBranch
from skstack.branches._token_encoders import ENCODERS


def _model(branch, length, weights=None):
    """Return a sub-network for texts of a length, with the weights of another one."""
    X = frame(["a b c d e f", "g h"])
    model = clone(branch).set_params(max_length=length).fit(X).build("part")
    for variable, values in zip(model.weights, weights or [], strict=weights is not None):
        fitting = tuple(slice(size) for size in variable.shape)  # there are fewer positions in a shorter text
        variable.assign(values[fitting])
    return model


@pytest.mark.parametrize("encoder", list(ENCODERS))
def test_padding_does_not_count(encoder):
    # An activation with negative values, of which padding must not make a maximum of 0.
    branch = TextBranch(encoder=encoder, kernel_size=(2, 3), activation="tanh", **SMALL)
    long = _model(branch, 12)
    # Weights away from 0, so that padding would show.
    weights = [np.random.default_rng(n).normal(size=v.shape).astype("float32") for n, v in enumerate(long.weights)]
    long = _model(branch, 12, weights)
    ids = np.array([[3, 4, 5, 6, 7], [8, 0, 0, 0, 0], [0, 0, 0, 0, 0]], dtype="int32")
    features = [call(_model(branch, length, weights), np.pad(ids, [(0, 0), (0, length - 5)])) for length in (5, 6, 12)]
    np.testing.assert_allclose(features[0], features[1], rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(features[0], features[2], rtol=1e-4, atol=1e-6)
    np.testing.assert_array_equal(features[0][2], 0)
    assert np.abs(features[0][1]).min() > 0
    assert not np.allclose(features[0][0], features[0][1])


@pytest.mark.parametrize(("encoder", "kind"), [("gru", "GRU"), ("bilstm", "LSTM")])
def test_recurrent_encoders_are_those_of_keras(encoder, kind):
    branch = TextBranch(encoder=encoder, **SMALL)
    model = _model(branch, 5)
    forward, backward = f"{encoder}_1_forward_states", f"{encoder}_1_backward_states"
    one_way = encoder == "gru"
    cell = getattr(keras.layers, kind)(3)
    whole = cell if one_way else keras.layers.Bidirectional(cell)
    inputs = keras.Input((5,), dtype="int32")
    embedded = keras.layers.Embedding(16, 4, mask_zero=True)
    reference = keras.Model(inputs, whole(embedded(inputs)))
    names = [f"{encoder}_1_states"] if one_way else [forward, backward]
    recurrent = [weight for name in names for weight in model.get_layer(name).get_weights()]
    reference.set_weights([model.get_layer("vectors").get_weights()[0], *recurrent])
    ids = np.array([[3, 4, 5, 6, 7], [8, 3, 0, 0, 0]], dtype="int32")
    np.testing.assert_allclose(call(model, ids), call(reference, ids), rtol=1e-4, atol=1e-6)


def test_mean_is_that_of_the_tokens():
    model = _model(TextBranch(**SMALL), 4)
    table = np.asarray(model.get_layer("vectors").embeddings)
    features = call(model, np.array([[3, 4, 4, 0]], dtype="int32"))
    np.testing.assert_allclose(features[0], (table[3] + 2 * table[4]) / 3, rtol=1e-5)


def test_convolutions_of_several_sizes_stand_side_by_side():
    branch = TextBranch(encoder="cnn", kernel_size=(1, 3), **SMALL)
    assert _model(branch, 4).output_shape == (None, 6)
    assert _model(branch.set_params(kernel_size=2), 4).output_shape == (None, 3)


@pytest.mark.parametrize(("encoder", "n_features"), [("mean", 4), ("lstm", 3), ("bigru", 6), ("transformer", 4)])
def test_number_of_features(encoder, n_features):
    assert _model(TextBranch(encoder=encoder, **SMALL), 4).output_shape == (None, n_features)


@pytest.mark.parametrize("encoder", ["cnn", "bigru", "transformer"])
def test_order_of_the_tokens_matters_where_it_should(encoder):
    model = _model(TextBranch(encoder=encoder, **SMALL), 4)
    features = call(model, np.array([[3, 4, 5, 0], [4, 3, 5, 0]], dtype="int32"))
    assert not np.allclose(features[0], features[1])


# One recurrent encoder stands for all: they differ in a layer of Keras, which has tests above.
@pytest.mark.parametrize("encoder", ["mean", "cnn", "transformer"])
def test_encoders_learn_and_folds_can_be_trained_at_once(encoder):
    X, liked = opinions()
    network = learning(encoder, fold_training="vectorized")
    whole, fold = clone(network).cross_fit(X, liked, [np.arange(32)])
    alone = clone(network).fit(X.iloc[:32], liked[:32])
    np.testing.assert_allclose(fold.predict_proba(X), alone.predict_proba(X), rtol=0.02, atol=5e-3)
    assert whole.score(X, liked) > 0.95


def test_recurrent_encoders_learn_and_folds_are_trained_by_one_program():
    X, liked = opinions()
    network = learning("bigru")
    whole, fold = clone(network).cross_fit(X, liked, [np.arange(32)])
    alone = clone(network).fit(X.iloc[:32], liked[:32])
    np.testing.assert_allclose(fold.predict_proba(X), alone.predict_proba(X), rtol=0.02, atol=5e-3)
    assert whole.score(X, liked) > 0.95
