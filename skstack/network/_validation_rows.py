"""Rows of the caller's own that decide when training stops."""

from dataclasses import replace

import numpy as np

from .._columns import check_table
from .._compat import take
from .._parts import naming
from .._validation import check_lengths, check_weights, has_validation_rows, rows_of
from ..tasks._checks import refuse_rows
from ._assembly import encode_rows


class ValidationRows:
    """Rows of the caller's own that decide when the training of a network stops.

    Nothing else is learned from them: they are encoded with what branches and tasks have learned from training rows.
    The same ones stop the networks of all folds.

    Parameters
    ----------
    network : estimator
        Has recorded the columns of its training rows.
    X : DataFrame or array-like of shape (n_val_samples, n_features)
    y : array-like of shape (n_val_samples,) or (n_val_samples, n_outputs)
    sample_weight : array-like of shape (n_val_samples,) or None

    Raises
    ------
    ValueError
        If the network does not stop early, or X, y and weights are not those of the same number of rows.
    """

    def __init__(self, network, X, y, sample_weight):
        if not network.early_stopping:
            raise ValueError(
                "X_val and y_val decide when to stop, and early_stopping is False: set it to True, or leave them out. "
                "patience=epochs only follows their loss, and takes the best weights in the end."
            )
        with naming("X_val, y_val"):
            check_lengths(X, y, sample_weight_val=sample_weight)
            self.X, self.y = check_table(network, X, reset=False), y
            weighted = sample_weight is not None
            self.sample_weight = check_weights(sample_weight, len(y), dtype=np.float32) if weighted else None

    @classmethod
    def of(cls, network, X, y, sample_weight):
        """Return the rows, checked, or None if there are none."""
        return cls(network, X, y, sample_weight) if has_validation_rows(X, y, sample_weight) else None

    def deciding(self, job, network, assembly, like=None):
        """Return a job whose training these rows stop.

        Parameters
        ----------
        job : Job
        network : estimator
        assembly : Assembly
            Of the network, fitted to its training rows.
        like : (Assembly, Job) tuple, default=None
            The network of all rows and its job that these rows stop, for that of a fold. Rows of a class that the fold
            has no rows of decide nothing there.

        Returns
        -------
        job : Job

        Raises
        ------
        ValueError, TypeError, FileNotFoundError
            If a cell or a target cannot be used, naming the row.
        """
        with naming("y_val"):
            targets = network._targets(self.y, self.sample_weight, assembly.tasks)
            known = self._known_rows(targets, refuse=like is None)
        X = self.X
        if not known.all():
            rows, like = np.flatnonzero(known), None
            X, y, weight = take(X, rows, axis=0), take(self.y, rows, axis=0), rows_of(self.sample_weight, rows)
            targets = network._targets(y, weight, assembly.tasks)
        with naming("y_val"):
            weighted = targets.weighted_rows()
        with naming("X_val"):
            inputs = encode_rows(assembly, X, None if like is None else (like[0], like[1].validation_data["inputs"]))
        encoded = assembly.encode_targets(targets)
        for name, columns in encoded["targets"].items():
            _check_width(columns, job.data["targets"][name])
        return replace(job, validation_data={"inputs": inputs, **encoded}, validation_rows=weighted)

    def _known_rows(self, targets, refuse):
        """Tell which rows have targets that the tasks can encode, or raise if there are others."""
        known = [task.knows(targets.y[name]) for name, task in targets.tasks.items()]
        if refuse:
            for of_task, y in zip(known, targets.y.values(), strict=True):
                refuse_rows(self.y, y, ~of_task, "a class that no training row has")
        return np.all(known, axis=0)


def _check_width(given, expected):
    if given.shape[1:] != expected.shape[1:]:
        raise ValueError(f"y_val has {given.shape[1]} columns, y has {expected.shape[1]}.")
