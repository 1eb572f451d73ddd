"""Data that is made up, and networks for it that both sides train."""

import importlib

import numpy as np

#: Rows that no training sees, to show that both sides learn the same.
N_HELD_OUT = 1000


def make_table(n_samples, n_features=20):
    """Return X, y and as much held-out data beside; the target has no linear relation to most of what explains it."""
    generator = np.random.default_rng(0)
    X = generator.standard_normal((n_samples + N_HELD_OUT, n_features), dtype="float32")
    y = (X[:, 0] * X[:, 1] + X[:, 2] + 0.1 * generator.standard_normal(len(X), dtype="float32")) / np.sqrt(2.0)
    return X[:n_samples], y[:n_samples], X[n_samples:], y[n_samples:]


def make_tokens(n_samples, length=30, n_tokens=500):
    """Return sequences of token numbers, and how many of them are among the first fifth, standardised."""
    generator = np.random.default_rng(0)
    X = generator.integers(0, n_tokens, size=(n_samples, length)).astype("int32")
    y = (X < n_tokens // 5).mean(axis=1)
    return X, ((y - y.mean()) / y.std()).astype("float32")


def make_pictures(n_samples, size=64):
    """Return noisy pictures, and how bright a corner of them is, standardised."""
    generator = np.random.default_rng(0)
    X = generator.integers(0, 200, size=(n_samples, size, size, 3), dtype="uint8")
    brightness = generator.integers(0, 56, n_samples, dtype="uint8")
    X[:, : size // 4, : size // 4] += brightness[:, np.newaxis, np.newaxis, np.newaxis]
    return X, ((brightness - brightness.mean()) / brightness.std()).astype("float32")


def load_keras():
    """Import Keras now, for a job that would otherwise do so on the clock."""
    importlib.import_module("skstack._backend")


def build_mlp(n_features, hidden, dropout=0.0):
    """Return an uncompiled multilayer perceptron with one output, made as a user of plain Keras would."""
    from skstack._backend import keras

    layers = [keras.layers.Input((n_features,))]
    for units in hidden:
        layers.append(keras.layers.Dense(units, activation="relu"))
        layers += [keras.layers.Dropout(dropout)] if dropout else []
    return keras.Sequential([*layers, keras.layers.Dense(1)])


def build_gru(n_outputs=1, n_tokens=500, length=30):
    """Return an uncompiled recurrent network over tokens."""
    from skstack._backend import keras

    layers = keras.layers
    return keras.Sequential([*_token_layers(layers, length, n_tokens), layers.Dense(n_outputs)])


def token_features(input_shape):
    """Return the same without its output, as a :class:`~skstack.branches.ModelBranch` wants it."""
    from skstack._backend import keras

    return keras.Sequential(_token_layers(keras.layers, *input_shape, n_tokens=500))


def _token_layers(layers, length, n_tokens):
    return [
        layers.Input((length,), name="tokens"),
        layers.Embedding(n_tokens, 16, name="embedding"),
        layers.GRU(16, name="gru"),
    ]


def build_cnn(size=64, filters=(16, 32, 64)):
    """Return an uncompiled convolutional network, layer by layer that of an ImageBranch without dense layers."""
    from skstack._backend import keras

    layers = keras.layers
    parts = [layers.Input((size, size, 3), dtype="uint8"), layers.Rescaling(1 / 127.5, offset=-1.0)]
    for n_filters in filters:
        parts += [layers.Conv2D(n_filters, 3, padding="same", activation="relu"), layers.MaxPooling2D()]
    return keras.Sequential([*parts, layers.GlobalAveragePooling2D(), layers.Dense(1)])


def keras_fit(model, X, y, epochs, batch_size, **settings):
    """Train a Keras model with Adam on the squared error by Keras's own ``fit``.

    ``jit_compile`` stays as Keras chooses: True made each of the networks here 1.6 to 3 times slower on two cores.
    """
    model.compile(optimizer="adam", loss="mse", **settings)
    model.fit(X, y, epochs=epochs, batch_size=batch_size, verbose=0)
    return model
