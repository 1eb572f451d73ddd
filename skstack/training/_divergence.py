"""Trainings whose loss or weights are no longer numbers to compute with."""

import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning

#: Products of larger weights are infinite in float32.
_LARGEST = 1e18

_ADVICE = (
    "a smaller learning rate, the optimizer's clipnorm, or weights of rows and inputs that are not as large, may help."
)


def is_lost(logs):
    """Tell whether the loss after an epoch is NaN, which no further step can mend."""
    return bool(np.isnan(logs["loss"]))


def check_trained(trained, weights, name, schedule):
    """Raise if a network came out of its training useless, and warn if it ended early for that.

    Parameters
    ----------
    trained : Trained
    weights : iterable of str
        Names of the values that were trained.
    name : str
        What the message calls the network.
    schedule : Schedule

    Raises
    ------
    ValueError
        If the loss of the weights that were kept, or one of these weights, is NaN, infinite or too large.
    """
    losses, of_validation = np.array(trained.history["loss"]), trained.history.get("val_loss")
    kept = _kept_epoch(losses, of_validation)

    def became(what, value, position):
        kind = "NaN" if np.isnan(value) else "infinite" if np.isinf(value) else "too large to compute with"
        epoch = schedule.initial_epoch + position + 1
        return f"the {what} of {name} became {kind} in epoch {epoch} of {schedule.epochs}"

    if kept is None:
        what, values = ("val_loss", of_validation) if np.isfinite(losses).all() else ("loss", losses)
        lost = int(np.argmin(np.isfinite(values)))
        raise ValueError(f"{became(what, values[lost], lost)}: {_ADVICE}")
    largest = np.max([np.abs(trained.values[weight]).max(initial=0) for weight in weights], initial=0)
    if not largest < _LARGEST:
        raise ValueError(f"{became('weights', largest, kept)}: {_ADVICE}")
    if np.isnan(losses[-1]):
        back = f"the weights of epoch {schedule.initial_epoch + kept + 1}, the best before it, are used"
        message = f"{became('loss', losses[-1], len(losses) - 1)}: {back}; {_ADVICE}"
        warnings.warn(message, ConvergenceWarning, stacklevel=2)


def _kept_epoch(losses, of_validation):
    """Return the position of the epoch whose weights were kept, or None if no loss says that they are worth it."""
    if of_validation is None:
        return len(losses) - 1 if np.isfinite(losses[-1]) else None
    of_validation = np.array(of_validation)
    finite = np.isfinite(of_validation)
    return int(np.argmin(np.where(finite, of_validation, np.inf))) if finite.any() else None
