"""Stacks of rows in the order of time: nothing that decides is later than what is decided."""

import numpy as np

from .._protocols import CrossFitter
from ._routing import inner_estimators


def in_time_order(splits):
    """Tell whether splits keep the order of time, as those of a ``TimeSeriesSplit`` do.

    Parameters
    ----------
    splits : list of (ndarray of int, ndarray of int)
        Rows to fit on and rows to predict.

    Returns
    -------
    ordered : bool
        Whether the training rows of each split are in their order in the table, and before its test rows.
    """
    return all(training[-1] < test.min() and (np.diff(training) > 0).all() for training, test in splits)


def stop_on_latest(estimators):
    """Let networks stop on the latest of their training rows, unless they say which rows they want.

    Parameters
    ----------
    estimators : list of estimator
        Unfitted, of which networks are changed, those inside others too.
    """
    for estimator in estimators:
        for part in (estimator, *inner_estimators(estimator)):
            if isinstance(part, CrossFitter) and part.get_params(deep=False).get("validation_part") == "auto":
                part.set_params(validation_part="latest")
