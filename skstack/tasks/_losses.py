"""Losses, optimizers and metrics by name, and the units in which a regression loss is computed."""

import inspect
import re

import numpy as np

from .._backend import keras, names_of_their_own
from .._suggestions import did_you_mean

#: Short names that Keras takes for classes with longer ones.
_ALIASES = {
    "mse": "MeanSquaredError",
    "mae": "MeanAbsoluteError",
    "mape": "MeanAbsolutePercentageError",
    "msle": "MeanSquaredLogarithmicError",
    "bce": "BinaryCrossentropy",
    "kld": "KLDivergence",
    "kullback_leibler_divergence": "KLDivergence",
    "logcosh": "LogCosh",
}

#: Metrics whose meaning depends on the shape of the target, which Keras decides when it compiles a model.
_METRICS_BY_SHAPE = ("accuracy", "acc", "crossentropy", "ce")

#: Losses that shift and scale with the target: their minimum stays where it is on a standardised target.
_STANDARDISED = ("MeanSquaredError", "MeanAbsoluteError", "Huber", "LogCosh", "Quantile")

#: Losses of a signed score rather than a probability.
_MARGIN = ("Hinge", "SquaredHinge")

#: Losses that compare all targets of a row with each other, and mean nothing for a single one.
_OF_ROWS = ("CosineSimilarity",)
#: Losses that take classes as positions.
_SPARSE = ("SparseCategoricalCrossentropy", "CategoricalGeneralizedCrossEntropy")

#: Losses that need a probability for every class, two classes included.
_CATEGORICAL = (
    *_SPARSE,
    "CategoricalCrossentropy",
    "CategoricalFocalCrossentropy",
    "CategoricalHinge",
    "CosineSimilarity",
    "KLDivergence",
)

#: Losses of positive numbers that compare orders of magnitude: the network predicts a logarithm.
_POSITIVE = ("MeanSquaredLogarithmicError", "Poisson")

#: What no output fits, by what is predicted.
_REFUSED = {
    "numbers": (
        *_MARGIN,
        *(loss for loss in _CATEGORICAL if loss != "CosineSimilarity"),
        *("BinaryCrossentropy", "BinaryFocalCrossentropy", "Dice", "Tversky"),
    ),
    "classes": ("Quantile", "MeanAbsolutePercentageError"),
    "labels": ("Quantile", "MeanAbsolutePercentageError", *_CATEGORICAL),
}
_REFUSED["a number"] = (*_REFUSED["numbers"], "CosineSimilarity")


def _classes():
    found = inspect.getmembers(
        keras.losses, lambda member: inspect.isclass(member) and issubclass(member, keras.losses.Loss)
    )
    # The last two compare sequences and embeddings, not predictions.
    return {name: loss for name, loss in found if name not in ("Loss", "CTC", "Circle")}


def _snake_case(name):
    return re.sub("(?<=[a-z0-9])(?=[A-Z])|(?<!^)(?=[A-Z][a-z])", "_", name).lower()


def known_losses():
    """Return the loss classes of Keras, and ours, by every name they can be asked for."""
    classes = _classes()
    names = {_snake_case(name): loss for name, loss in classes.items()}
    aliases = {alias: classes[name] for alias, name in _ALIASES.items() if name in classes}
    return {**classes, **names, **aliases, "quantile": Quantile}


def resolve_loss(loss):
    """Return a loss class for a name; anything else that can be called comes back as it is.

    Raises
    ------
    ValueError
        If there is no loss of that name.
    TypeError
        If it can be no loss at all.
    """
    if not isinstance(loss, str):
        if loss is not None and not callable(loss):
            raise TypeError(f"'loss' should be a Keras loss, its name or a function, got {loss!r}.")
        return loss
    known = known_losses()
    if loss not in known:
        raise ValueError(_unknown("loss", loss, known))
    return known[loss]


@names_of_their_own()
def check_optimizer(optimizer):
    """Raise unless Keras takes an optimizer, given by its name, as a class or an instance."""
    if inspect.isclass(optimizer) and issubclass(optimizer, keras.optimizers.Optimizer):
        return
    try:
        keras.optimizers.get(optimizer)
    except ValueError:
        if not isinstance(optimizer, str):
            raise TypeError(
                f"'optimizer' should be a Keras optimizer, its class or its name, got {optimizer!r}."
            ) from None
        classes = inspect.getmembers(keras.optimizers, inspect.isclass)
        known = {name.lower() for name, _ in classes} - {"optimizer", "lossscaleoptimizer"}
        raise ValueError(_unknown("optimizer", optimizer, known)) from None


def check_learning_rate(optimizer):
    """Raise if an optimizer starts with a learning rate that is negative or no finite number."""
    rate = float(keras.ops.convert_to_numpy(optimizer.learning_rate))
    if not 0 <= rate < np.inf:
        raise ValueError(
            f"the learning rate of {type(optimizer).__name__} should be a finite number and not negative, got {rate}."
        )


@names_of_their_own()
def check_metrics(metrics):
    """Raise if one of some metrics, in a list, a dictionary or by itself, is unknown to Keras."""
    if isinstance(metrics, (list, tuple, dict)):
        for metric in metrics.values() if isinstance(metrics, dict) else metrics:
            check_metrics(metric)
    elif isinstance(metrics, str):
        _check_metric_name(metrics)
    elif metrics is not None and not callable(metrics):
        raise TypeError(f"'metrics' should be Keras metrics, their names or functions, got {metrics!r}.")


def _check_metric_name(name):
    if name in _METRICS_BY_SHAPE:
        return
    try:
        keras.metrics.get(name)
    except ValueError:
        found = {key: value for key, value in vars(keras.metrics).items() if callable(value)}
        known = {_snake_case(key) for key in found.keys() - {"Metric", "get", "serialize", "deserialize"}}
        raise ValueError(_unknown("metric", name, {*known, *_METRICS_BY_SHAPE, "mse", "mae", "mape"})) from None


def _unknown(what, name, known):
    shown = sorted(name for name in known if name.islower())
    return f"unknown {what} {name!r}.{did_you_mean(name, known)} Known are {shown}."


def loss_kind(loss):
    """Return the class name of a loss given as a class, an instance or a function."""
    if inspect.isfunction(loss):
        by_name = known_losses().get(loss.__name__)
        return by_name.__name__ if by_name else loss.__name__
    return loss.__name__ if inspect.isclass(loss) else type(loss).__name__


def is_sparse(kind):
    """Tell whether a classification loss takes integer labels."""
    return kind in _SPARSE


def is_categorical(kind):
    """Tell whether a classification loss needs a probability for every class, two classes included."""
    return kind in _CATEGORICAL


def is_of_rows(kind):
    """Tell whether a loss compares the targets of a row as a whole, rather than being a mean over them."""
    return kind in _OF_ROWS


def is_positive(loss):
    """Tell whether a regression loss is one of positive numbers."""
    return loss_kind(loss) in _POSITIVE


def check_loss(loss, predicted):
    """Raise if a loss makes no sense for what is predicted.

    Parameters
    ----------
    loss : keras.losses.Loss or callable
    predicted : {"a number", "numbers", "classes", "labels"}
    """
    kind = loss_kind(loss)
    if kind in _REFUSED[predicted]:
        refused = {_snake_case(name) for name in _REFUSED[predicted]}
        known = sorted({_snake_case(name) for name in (*_classes(), "Quantile")} - refused)
        raise ValueError(f"loss {_snake_case(kind)!r} does not predict {predicted}. Losses that do are {known}.")


def in_standard_units(loss, output, by_target=False):
    """Return a regression loss computed on the standardised target, where that leaves its minimum in place.

    The network's output is in the target's own units, so that the saved model and the metrics are; but the size of a
    gradient should not depend on whether a price is in dollars or in thousands. Losses that do not scale with the
    target (a logarithmic or percentage one, or a user's own) are computed in its own units.

    Parameters
    ----------
    loss : keras.losses.Loss or callable
    output : Unstandardize
        The last layer of the network, whose weights are the target's centre and scale.
    by_target : bool, default=False
        Whether it has a value for each target of a row, rather than their mean, so that each can have a weight.

    Returns
    -------
    loss : callable
    """
    kind = loss_kind(loss)
    loss = _LossOfTargets(loss) if by_target else loss
    if kind not in _STANDARDISED:
        return loss
    return _TransformedLoss(loss, lambda y: (y - output.center) / output.scale, dtype=output.dtype)


def on_margins(loss):
    """Return a loss of probabilities for a loss of signed scores: probability p is taken as the score 2 p - 1."""
    return _TransformedLoss(loss, lambda y: 2 * y - 1) if loss_kind(loss) in _MARGIN else loss


def on_positions(loss):
    """Return a loss of a column of positions of classes, where Keras's one takes a vector of them."""
    return _FlatTargets(loss) if loss_kind(loss) == "CategoricalGeneralizedCrossEntropy" else loss


class _TransformedLoss(keras.losses.Loss):
    """A loss of targets and outputs that are both transformed first, in the precision of `dtype`."""

    def __init__(self, loss, transform, dtype=None):
        super().__init__(reduction=getattr(loss, "reduction", "sum_over_batch_size"), dtype=dtype)
        self._per_row = per_row(loss)
        self._transform = transform

    def call(self, y_true, y_pred):
        return self._per_row(*(keras.ops.cast(self._transform(y), "float32") for y in (y_true, y_pred)))


class _FlatTargets(keras.losses.Loss):
    """A loss of targets without the axis of columns."""

    def __init__(self, loss):
        super().__init__(reduction=getattr(loss, "reduction", "sum_over_batch_size"))
        self._per_row = per_row(loss)

    def call(self, y_true, y_pred):
        return self._per_row(y_true[:, 0], y_pred)


class Quantile(keras.losses.Loss):
    """The pinball loss, whose least mean is at quantiles of the target [1]_.

    An error counts `quantile` times its size where the prediction is too low, and 1 - `quantile` times where it is too
    high.

    Parameters
    ----------
    quantile : float or sequence of float, default=0.5
        Probability of each column of the predictions.

    References
    ----------
    .. [1] R. Koenker, G. Bassett, "Regression Quantiles", Econometrica 46 (1978).
    """

    def __init__(self, quantile=0.5, reduction="sum_over_batch_size", name="quantile", dtype=None):
        super().__init__(reduction=reduction, name=name, dtype=dtype)
        self.quantile = np.atleast_1d(quantile).tolist()

    def call(self, y_true, y_pred):
        error = y_true - y_pred
        quantile = keras.ops.convert_to_tensor(self.quantile, dtype=error.dtype)
        return keras.ops.mean(keras.ops.maximum(quantile * error, (quantile - 1) * error), axis=-1)

    def get_config(self):
        return {**super().get_config(), "quantile": self.quantile}


class _LossOfTargets(keras.losses.Loss):
    """Another loss, taken of each target of a row by itself."""

    def __init__(self, loss):
        reduction, dtype = getattr(loss, "reduction", "sum_over_batch_size"), getattr(loss, "dtype", None)
        super().__init__(reduction=reduction, dtype=dtype)
        self._per_row = per_row(loss)

    def call(self, y_true, y_pred):
        shape = keras.ops.shape(y_pred)
        values = self._per_row(*(keras.ops.reshape(y, (-1, 1)) for y in (y_true, y_pred)))
        return keras.ops.reshape(values, shape)


def per_row(loss):
    """Return what computes a loss row by row: called itself, it would average before rows can have weights."""
    return loss.call if isinstance(loss, keras.losses.Loss) else loss
