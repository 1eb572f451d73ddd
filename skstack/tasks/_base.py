"""What a task is: what is predicted, how it is checked, encoded and decoded, and what predicts it."""

from abc import ABC, abstractmethod

import numpy as np


class Task(ABC):
    """What is predicted from a row.

    Networks and stacks ask their task whatever depends on the kind of target; a new kind is a subclass in a file of its
    own, see :ref:`new_task`. A task is made for every fit. :meth:`fit` learns from the target of the training rows.

    Attributes
    ----------
    n_units_ : int
        Units of the output of a network.
    """

    #: Keras's name of the loss that is used where none is given; known when the task is fitted.
    default_loss = "mean_squared_error"

    #: Keras's names of the metrics that are followed where none are given.
    default_metrics = ()

    #: Methods of estimators whose predictions a stack can use, the best first.
    methods = ("predict",)

    #: Whether a target is one of several classes, or several of them.
    has_classes = False

    # --- target -----------------------------------------------------------------------------------------------------

    @abstractmethod
    def check(self, y):
        """Return the target as an array, or raise if it is none of this task.

        Parameters
        ----------
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)

        Raises
        ------
        ValueError
            Naming the rows, where some are to blame.
        """

    @abstractmethod
    def fit(self, y, rows=None, sample_weight=None, loss=None):
        """Learn what encoding needs from a checked target.

        Parameters
        ----------
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
        rows : ndarray of int, default=None
            Those that may be learned from; classes are those of all rows. ``None`` stands for all.
        sample_weight : ndarray of shape (n_rows,), default=None
            Weight of each of these rows, all above 0.
        loss : keras.losses.Loss or callable, default=None
            What a network is trained with, which may ask for an encoding of its own.

        Returns
        -------
        self : Task
        """

    def row_weight(self, y, sample_weight):
        """Return the weight of each row in the loss, or None where all are alike."""
        return sample_weight

    def stratify_labels(self, y):
        """Return what parts of the rows should hold in the same proportions, or None."""
        return None

    def knows(self, y):
        """Tell which rows of another checked target can be encoded: a class may be unknown."""
        return np.ones(len(y), dtype=bool)

    # --- learners ---------------------------------------------------------------------------------------------------

    def encode_labels(self, y):
        """Return a checked target as learners and final estimator of a stack are fitted to it."""
        return y

    def decode_labels(self, predictions):
        """Return what an estimator predicts that was fitted to encoded labels, in the values of the target."""
        return predictions

    def prediction_columns(self, estimator, predictions, method):
        """Return an estimator's predictions as the columns that a final estimator gets.

        Parameters
        ----------
        estimator : estimator
            Fitted to encoded labels.
        predictions : ndarray, or list of ndarray
            What its method returned.
        method : str

        Returns
        -------
        columns : ndarray of shape (n_samples, n_columns)
        """
        predictions = np.asarray(predictions)
        return predictions.reshape(len(predictions), -1)

    def prediction_names(self, prefix, n_columns):
        """Return the names of these columns: the prefix, followed by their index where there are several."""
        return [prefix] if n_columns == 1 else [f"{prefix}{index}" for index in range(n_columns)]

    def network_params(self, given):
        """Return parameters for a network that a stack makes of its branches, so that it predicts what is asked for.

        Parameters
        ----------
        given : dict of str to object
            Its parameters so far.
        """
        return {}

    # --- scores of a stack ------------------------------------------------------------------------------------------

    #: What columns of predictions are judged by, the best first; the last one can be had of all of them.
    scorings = ()

    def can_average(self, method):
        """Tell whether averages of what this method of several base models predicts are predictions."""
        return False

    def has_score(self, scoring, method):
        """Tell whether predictions of a method can be judged by a score."""
        return True

    def row_scores(self, scoring, y, columns, method, sample_weight=None):
        """Return the score of each row, whose weighted mean is that of the rows, larger is better.

        Parameters
        ----------
        scoring : str
            One of `scorings`.
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            Encoded labels.
        columns : ndarray of shape (n_samples, n_columns)
            See :meth:`prediction_columns`.
        method : str
            What predicted them.
        sample_weight : ndarray of shape (n_samples,), default=None

        Returns
        -------
        scores : ndarray of shape (n_samples,)
        """
        raise NotImplementedError

    # --- networks ---------------------------------------------------------------------------------------------------

    @abstractmethod
    def encode(self, y):
        """Return a checked target as the loss of a network takes it, of shape (n_samples, n_columns)."""

    @abstractmethod
    def decode(self, outputs):
        """Return the output of a network, of shape (n_samples, n_units), as probabilities or in the target's units."""

    def resolve_loss(self, loss, output):
        """Return a loss as it is to be computed on target and output of a network.

        Parameters
        ----------
        loss : keras.losses.Loss or callable
        output : keras.layers.Layer
            The last layer of the network.
        """
        return loss

    @abstractmethod
    def build_output(self, x, name):
        """Return the output of a network for symbolic features.

        Parameters
        ----------
        x : keras.KerasTensor of shape (None, n_features)
        name : str
            Of the last layer, and in front of the names of others.

        Returns
        -------
        output : keras.KerasTensor of shape (None, n_units)
        """

    def assign_statistics(self, output):  # noqa: B027 - most learn nothing that stands in the network
        """Write what `fit` learned into the last layer of a network."""

    def is_built_like(self, other):
        """Tell whether another fitted task of the same kind builds the same output."""
        return self.n_units_ == other.n_units_
