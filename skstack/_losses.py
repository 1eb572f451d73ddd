"""Losses and optimizers by name, and the units in which a regression loss is computed."""

import difflib
import inspect

from ._backend import keras, names_of_their_own

#: Short names that Keras takes for classes with longer ones.
_ALIASES = {
    "mse": "MeanSquaredError",
    "mae": "MeanAbsoluteError",
    "mape": "MeanAbsolutePercentageError",
    "msle": "MeanSquaredLogarithmicError",
    "bce": "BinaryCrossentropy",
    "kld": "KLDivergence",
    "kl_divergence": "KLDivergence",
    "kullback_leibler_divergence": "KLDivergence",
    "logcosh": "LogCosh",
}

#: Losses that shift and scale with the target: their minimum stays where it is on a standardised target.
_STANDARDISED = ("MeanSquaredError", "MeanAbsoluteError", "Huber", "LogCosh")

#: Losses of a signed score rather than a probability.
_MARGIN = ("Hinge", "SquaredHinge")

#: Losses that need a probability for every class, two classes included.
_CATEGORICAL = (
    "CategoricalCrossentropy",
    "CategoricalFocalCrossentropy",
    "CategoricalHinge",
    "SparseCategoricalCrossentropy",
    "KLDivergence",
)


def _classes():
    found = inspect.getmembers(
        keras.losses, lambda member: inspect.isclass(member) and issubclass(member, keras.losses.Loss)
    )
    return {name: loss for name, loss in found if name not in ("Loss", "CTC")}


def _snake_case(name):
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("_")


def known_losses():
    """Return the loss classes of Keras by every name they can be asked for."""
    classes = _classes()
    names = {_snake_case(name): loss for name, loss in classes.items()}
    aliases = {alias: classes[name] for alias, name in _ALIASES.items() if name in classes}
    return {**classes, **names, **aliases}


def resolve_loss(loss):
    """Return a loss class for a name; anything but a name comes back as it is.

    Raises
    ------
    ValueError
        If Keras has no loss of that name.
    """
    if not isinstance(loss, str):
        return loss
    known = known_losses()
    if loss not in known:
        raise ValueError(_unknown("loss", loss, known))
    return known[loss]


@names_of_their_own()
def check_optimizer(optimizer):
    """Raise if Keras has no optimizer of a name."""
    if not isinstance(optimizer, str):
        return
    try:
        keras.optimizers.get(optimizer)
    except ValueError:
        classes = inspect.getmembers(keras.optimizers, inspect.isclass)
        known = {name.lower() for name, _ in classes} - {"optimizer", "lossscaleoptimizer"}
        raise ValueError(_unknown("optimizer", optimizer, known)) from None


def _unknown(what, name, known):
    close = difflib.get_close_matches(name, known)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    return f"unknown {what} {name!r}.{hint} Known are {sorted(name for name in known if name.islower())}."


def loss_kind(loss):
    """Return the class name of a loss given as a class, an instance or a function."""
    if inspect.isfunction(loss):
        by_name = known_losses().get(loss.__name__)
        return by_name.__name__ if by_name else loss.__name__
    return loss.__name__ if inspect.isclass(loss) else type(loss).__name__


def is_sparse(kind):
    """Tell whether a classification loss takes integer labels."""
    return kind == "SparseCategoricalCrossentropy"


def is_categorical(kind):
    """Tell whether a classification loss needs a probability for every class, two classes included."""
    return kind in _CATEGORICAL


def in_standard_units(loss, output):
    """Return a regression loss computed on the standardised target, where that leaves its minimum in place.

    The network's output is in the target's own units, so that the saved model and the metrics are; but the size of a
    gradient should not depend on whether a price is in dollars or in thousands. Losses that do not scale with the
    target (a logarithmic or percentage one, or a user's own) are computed in its own units.

    Parameters
    ----------
    loss : keras.losses.Loss or callable
    output : Unstandardize
        The last layer of the network, whose weights are the target's centre and scale.

    Returns
    -------
    loss : callable
    """
    if loss_kind(loss) not in _STANDARDISED:
        return loss
    return _TransformedLoss(loss, lambda y: (y - output.center) / output.scale, dtype=output.dtype)


def on_margins(loss):
    """Return a loss of probabilities for a loss of signed scores: probability p is taken as the score 2 p - 1."""
    return _TransformedLoss(loss, lambda y: 2 * y - 1) if loss_kind(loss) in _MARGIN else loss


class _TransformedLoss(keras.losses.Loss):
    """A loss of targets and outputs that are both transformed first, in the precision of `dtype`."""

    def __init__(self, loss, transform, dtype=None):
        super().__init__(reduction=getattr(loss, "reduction", "sum_over_batch_size"), dtype=dtype)
        # Calling an instance would average over the batch, and the weights of the rows would come too late.
        self._per_row = loss.call if isinstance(loss, keras.losses.Loss) else loss
        self._transform = transform

    def call(self, y_true, y_pred):
        return self._per_row(*(keras.ops.cast(self._transform(y), "float32") for y in (y_true, y_pred)))
