"""How much arithmetic training a network takes, counted from its layers.

Only what multiplies matrices counts, since the large matrix product it is compared with does nothing else: activations,
pooling, scaling, the optimizer and the gathering of rows are what keeps a program from reaching it.
"""

import math


def training_flop(model, n_rows):
    """Return the floating point operations of training: two per multiply-add, three times for both passes.

    The backward pass multiplies as often as the forward pass for the gradients of weights, and again for those of
    inputs.

    Parameters
    ----------
    model : keras.Model
    n_rows : int
        Rows that go through the network: epochs times rows, over all trainings.
    """
    return 3 * 2 * multiply_adds(model) * n_rows


def multiply_adds(layer):
    """Return the multiply-adds of one row going forward through a built layer or model.

    Raises
    ------
    ValueError
        If a layer with weights to multiply by is of a kind that is not counted here.
    """
    if hasattr(layer, "layers"):
        return sum(multiply_adds(inner) for inner in layer.layers)
    kind = type(layer).__name__
    if kind in _COUNTS:
        return _COUNTS[kind](layer)
    if any(len(weight.shape) > 1 for weight in layer.trainable_weights):
        raise ValueError(f"the multiply-adds of a {kind} layer are not counted yet.")
    return 0


def _positions(layer):
    """Number of places that the weights of a layer are applied to in one row."""
    return math.prod(layer.output.shape[1:-1])


def _weights_everywhere(layer):
    return math.prod(layer.kernel.shape) * _positions(layer)


def _gru(layer):
    # The three gates, for the input and for the state.
    return layer.input.shape[1] * (math.prod(layer.cell.kernel.shape) + math.prod(layer.cell.recurrent_kernel.shape))


_COUNTS = {"Conv2D": _weights_everywhere, "Dense": _weights_everywhere, "Embedding": lambda layer: 0, "GRU": _gru}
