"""Networks from token ids and their vectors to one feature vector of a text, by the names of `TextBranch`."""

from functools import partial

from ._blocks import CHANNELS_LAST, activation_layer, check_units


def mean(settings, ids, table, name):
    """Return the mean of the vectors of a text.

    Parameters
    ----------
    settings : object
        Has the parameters of :class:`~skstack.branches.TextBranch` as attributes, and `dim` as a number.
    ids : keras.KerasTensor of shape (None, length)
    table : keras.layers.Embedding
        The vectors of tokens; for this encoder their mean.
    name : str
        That layers are called by.

    Returns
    -------
    features : keras.KerasTensor of shape (None, n_features)
    """
    return table(ids)  # which takes the mean itself


def mean_of_vectors(settings, ids, table, name):
    """Return the same of a table that returns the vectors one by one."""
    from ._text_layers import MeanOfTokens

    return MeanOfTokens(name=name)([table(ids), ids])


def cnn(settings, ids, table, name):
    """Return the maxima of a convolution, or of several; parameters as for :func:`mean`."""
    from .._backend import keras
    from ._text_layers import BlankPadding, MaximumOfTokens

    vectors = BlankPadding(name=f"{name}_tokens")([table(ids), ids])
    parts = []
    for size in check_units(settings.kernel_size, "kernel_size"):
        layer = keras.layers.Conv1D(
            settings.units, size, padding="same", data_format=CHANNELS_LAST, name=f"{name}_{size}"
        )
        x = activation_layer(settings.activation, f"{name}_{size}_{settings.activation}")(layer(vectors))
        parts.append(MaximumOfTokens(name=f"{name}_{size}_maximum")([x, ids]))
    return keras.layers.Concatenate(name=f"{name}_sizes")(parts) if len(parts) > 1 else parts[0]


def recurrent(layer, settings, ids, table, name):
    """Return the last state of a recurrent layer of Keras; other parameters as for :func:`mean`."""
    from .._backend import keras
    from ._text_layers import LastToken

    states = getattr(keras.layers, layer)(settings.units, return_sequences=True, name=f"{name}_states")(table(ids))
    return LastToken(name=name)([states, ids])


def both_ways(layer, settings, ids, table, name):
    """Return the last states of a recurrent layer of Keras in each direction."""
    from .._backend import keras
    from ._text_layers import BackwardTokens

    back = BackwardTokens(name=f"{name}_turned")(ids)
    forward = recurrent(layer, settings, ids, table, f"{name}_forward")
    backward = recurrent(layer, settings, back, table, f"{name}_backward")
    return keras.layers.Concatenate(name=name)([forward, backward])


def transformer(settings, ids, table, name):
    """Return the mean after self-attention; parameters as for :func:`mean`."""
    from .._backend import keras
    from ._text_layers import AddPositions, AttentionMask, MeanOfTokens

    layers, dim = keras.layers, settings.dim
    x = AddPositions(name=f"{name}_positions")(table(ids))
    normed = layers.LayerNormalization(name=f"{name}_attention_norm")(x)
    heads = layers.MultiHeadAttention(settings.n_heads, max(1, dim // settings.n_heads), name=f"{name}_attention")
    mask = AttentionMask(name=f"{name}_mask")(ids)
    x = layers.Add(name=f"{name}_attended")([x, heads(normed, normed, attention_mask=mask)])
    inner = layers.LayerNormalization(name=f"{name}_dense_norm")(x)
    inner = layers.Dense(settings.units, name=f"{name}_dense")(inner)
    inner = activation_layer(settings.activation, f"{name}_{settings.activation}")(inner)
    x = layers.Add(name=f"{name}_transformed")([x, layers.Dense(dim, name=f"{name}_back")(inner)])
    x = layers.LayerNormalization(name=f"{name}_norm")(x)
    return MeanOfTokens(name=name)([x, ids])


#: Encoders that read a text from its end, too.
BOTH_WAYS = ("bigru", "bilstm")

#: The functions by name.
ENCODERS = {
    "mean": mean,
    "cnn": cnn,
    "gru": partial(recurrent, "GRU"),
    "lstm": partial(recurrent, "LSTM"),
    "bigru": partial(both_ways, "GRU"),
    "bilstm": partial(both_ways, "LSTM"),
    "transformer": transformer,
}
