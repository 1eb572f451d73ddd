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


def check_trained(trained, name, schedule):
    """Raise if a network came out of its training useless, and warn if it ended early for that.

    Parameters
    ----------
    trained : Trained
    name : str
        What the message calls the network.
    schedule : Schedule

    Raises
    ------
    ValueError
        If the loss of the weights that were kept, or one of these weights, is NaN, infinite or too large.
    """
    history, of_epoch = trained.history, f"of {schedule.epochs}"
    losses = np.array(history["loss"])
    kept = _kept_epoch(losses, history.get("val_loss"))
    first = schedule.initial_epoch + 1
    if kept is None:
        which, values = ("loss", losses) if not np.isfinite(losses).all() else ("val_loss", history["val_loss"])
        lost = int(np.flatnonzero(~np.isfinite(values))[0])
        raise ValueError(
            f"the {which} of {name} became {_kind(values[lost])} in epoch {first + lost} {of_epoch}: {_ADVICE}"
        )
    wrong = [weights for weights in trained.values.trainable if not (np.abs(weights) < _LARGEST).all()]
    if wrong:
        kind = _kind(np.abs(wrong[0]).max())
        raise ValueError(f"the weights of {name} became {kind} in epoch {first + kept} {of_epoch}: {_ADVICE}")
    if is_lost({"loss": losses[-1]}):
        message = (
            f"the loss of {name} became NaN in epoch {first + len(losses) - 1} {of_epoch}: the weights of epoch "
            f"{first + kept}, the best before it, are used; {_ADVICE}"
        )
        warnings.warn(message, ConvergenceWarning, stacklevel=2)


def _kept_epoch(losses, of_validation):
    """Return the position of the epoch whose weights were kept, or None if no loss says that they are worth it."""
    if of_validation is None:
        return len(losses) - 1 if np.isfinite(losses[-1]) else None
    of_validation = np.array(of_validation)
    finite = np.isfinite(of_validation)
    return int(np.argmin(np.where(finite, of_validation, np.inf))) if finite.any() else None


def _kind(value):
    if np.isnan(value):
        return "NaN"
    return "infinite" if np.isinf(value) else "too large to compute with"
