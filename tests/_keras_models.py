"""Model functions for the tests of the SciKeras wrappers, in a module of their own so that joblib can pickle them."""

import functools

from skstack._backend import keras

# The common checks compare predictions up to 1e-7. In double precision the last bits, which depend on where in a batch
# a row is, stay below that.
DTYPE = "float64"


class Named(functools.partial):
    """A model function whose repr, and with it the ids of the tests around it, is the same in every process."""

    def __repr__(self):
        return self.func.__name__


def _network(meta, hidden, n_units, activation):
    inputs = keras.layers.Input(shape=meta["X_shape_"][1:], dtype=DTYPE)
    features = keras.layers.Dense(hidden, activation="relu", dtype=DTYPE)(inputs)
    return keras.Model(inputs, keras.layers.Dense(n_units, activation=activation, dtype=DTYPE)(features))


def build_regressor(meta, compile_kwargs, hidden=4):
    """A compiled network with one hidden layer and as many outputs as y has columns."""
    model = _network(meta, hidden, meta["n_outputs_"], None)
    model.compile(**{**compile_kwargs, "loss": compile_kwargs["loss"] or "mse"})
    return model


def build_classifier(meta, compile_kwargs, hidden=4):
    """A compiled network with one hidden layer, for two classes, several, or several labels at once."""
    kind = meta["target_type_"]
    n_units = 1 if kind == "binary" else meta["n_classes_"]
    model = _network(meta, hidden, n_units, "softmax" if kind == "multiclass" else "sigmoid")
    loss = "sparse_categorical_crossentropy" if kind == "multiclass" else "binary_crossentropy"
    model.compile(**{**compile_kwargs, "loss": compile_kwargs["loss"] or loss})
    return model


def build_uncompiled(n_units=1, hidden=4):
    """An uncompiled network for two columns."""
    return _network({"X_shape_": (None, 2)}, hidden, n_units, None)


def build_anything(meta, **kwargs):
    """A network of a function that takes any parameter."""
    return _network(meta, kwargs["width"], 1, None)
