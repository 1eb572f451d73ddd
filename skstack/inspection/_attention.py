"""Attention weights: what looks at what, in the layers of a network that attend."""

import numpy as np
from sklearn.utils import Bunch

from ..network._opened import OpenedNetwork
from ..training._gradients import in_chunks, returned
from ._insides import mean_of_insides
from ._networks import find_networks


def attention_weights(estimator, X, *, branch=None):
    """Return the weights of all layers of attention in a network.

    These are layers of :class:`keras.layers.MultiHeadAttention`, as in ``fusion="attention"`` and the "transformer"
    encoder of texts, pretrained encoders of texts that are a part of the network, and ``item_pooling="attention"``. The
    weights of a layer say what it looks at, not what a prediction owes to it, as :func:`integrated_gradients` does.

    Parameters
    ----------
    estimator : MultimodalNetworkRegressor, MultimodalNetworkClassifier, MultitaskNetwork or a stack
        Fitted; see :func:`grad_cam`.
    X : DataFrame or array-like of shape (n_samples, n_features)
        Rows of data, with all columns that the estimator takes.
    branch : str, default=None
        Name of a branch of the network, for a stack with several networks.

    Returns
    -------
    result : Bunch
        ``weights`` : dict of str to ndarray
            By the path of the layer: of shape (n_samples, n_heads, n_looking, n_looked_at), or (n_samples, n_items) for
            the pooling of items. A layer that is called several times for a row has an entry for each, with a number
            behind the path. What is looked at by all is padding only where there is nothing else.
        ``branches`` : list of str
            What is fused, in the order of the weights of the fusion.
        ``tokens`` : dict of str to ndarray of shape (n_samples, n_tokens)
            By the name of the branch, the words that the weights of its encoder are about.

    Raises
    ------
    ValueError
        If there is no such branch, or no layer of attention.

    Examples
    --------
    >>> import pandas as pd
    >>> from skstack import MultimodalNetworkRegressor
    >>> from skstack.branches import CategoricalBranch, NumericBranch
    >>> from skstack.inspection import attention_weights
    >>> X = pd.DataFrame({"area": [50.0, 80.0, 120.0, 70.0] * 5, "city": ["A", "B", "A", "B"] * 5})
    >>> branches = [("numbers", NumericBranch(), ["area"]), ("place", CategoricalBranch(), ["city"])]
    >>> network = MultimodalNetworkRegressor(branches, fusion="attention", epochs=1, random_state=0).fit(X, X["area"])
    >>> attention_weights(network, X.head(3)).weights["fusion/attention"].shape
    (3, 4, 2, 2)
    """
    return mean_of_insides([_of_network(found, X) for found in find_networks(estimator, branch)])


def _of_network(found, X):
    from .._backend import keras

    opened, X = OpenedNetwork(found.network), found.rows(X)
    kinds = keras.layers.MultiHeadAttention
    layers = {path: layer for path, layer in opened.layers().items() if isinstance(layer, kinds) or _weighs(layer)}
    if not layers:
        raise ValueError("the network has no layer of attention.")
    inputs, instrumented = opened.encode(X), opened.instrumented(layers.values(), _weights_of)
    members = [instrumented.values(values) for values in opened.members]

    def weights_of(rows):
        heard = [instrumented.outputs(values, rows)[1] for values in members]
        return keras.tree.map_structure(lambda *of_members: np.mean(of_members, axis=0), *heard)

    heard, n_rows = in_chunks(weights_of, inputs), len(next(iter(inputs.values())))
    weights = {}
    for path, of_layer in zip(layers, heard, strict=True):
        for number, array in enumerate(of_layer, 1):
            shaped = array if len(array) == n_rows else array.reshape(n_rows, -1, *array.shape[1:])
            weights[path if number == 1 else f"{path}:{number}"] = shaped
    return Bunch(
        weights=weights,
        branches=[part.name for part in opened.assembly.branches],
        tokens=_tokens(opened, X, inputs),
    )


def _weighs(layer):
    return getattr(layer, "how", "attention") == "attention" and hasattr(layer, "attention_weights")


def _weights_of(layer, call, args, kwargs):
    """Return what a layer of attention returns, and its weights; see Instrumented."""
    if hasattr(layer, "attention_weights"):
        return returned(layer, call, args, kwargs)[0], layer.attention_weights(*args)
    return call(*args, **kwargs, return_attention_scores=True)


def _tokens(opened, X, inputs):
    """Return the tokens of each branch that has names for the parts of each cell."""
    tokens = {}
    for part in opened.assembly.branches:
        encoded = np.asarray(inputs[opened.input_name(part.name)])
        cells = encoded.reshape(-1, *part.branch.cell_shape_)
        names = part.branch.part_names(part.columns_of(X), cells)
        if names is not None and names.ndim == 2:
            tokens[part.name] = names.reshape(len(encoded), *part.branch.uses, *names.shape[1:])
    return tokens
