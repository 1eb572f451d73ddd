"""What a task is: what is predicted, how it is checked, encoded and decoded, and what predicts it."""

from abc import ABC, abstractmethod

import numpy as np

#: What a task names in its `inputs` for the features of the row, beside the outputs of other tasks.
FEATURES = "features"


class Task(ABC):
    """What is predicted from a row.

    Networks and stacks ask their task whatever depends on the kind of target; a new kind is a subclass in a file of its
    own, see :ref:`new_task`. A task is made for every fit. :meth:`fit` learns from the target of the training rows.

    Attributes
    ----------
    n_units_ : int
        Units of the output of a network.
    has_gaps_ : bool
        Whether some rows lack the target, or one of its columns; see :meth:`present`.
    loss, metrics : object, default=None
        Of this task in a network of several; ``None`` leaves both to the network.
    loss_weight : float, default=1.0
        What its loss counts beside those of other tasks.
    inputs : tuple of str, default=()
        The tasks whose outputs it is computed from, and "features" for the features of the row; none stands for these
        alone.
    """

    loss = metrics = None
    loss_weight = 1.0
    inputs = ()
    has_gaps_ = False

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
        """Return the target as an array, or raise if it is none of this task; take note of gaps.

        Parameters
        ----------
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)

        Raises
        ------
        ValueError
            Naming the rows, where some are to blame.
        """

    def _noting_gaps(self, y):
        self.has_gaps_ = self.has_gaps_ or self.present(y) is not None
        return y

    def present(self, y):
        """Return where a checked target is there, of the shape of y, or None where no row lacks it."""
        return None

    @abstractmethod
    def fit(self, y, rows=None, sample_weight=None, loss=None):
        """Learn what encoding needs from a checked target.

        Parameters
        ----------
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
        rows : ndarray of int, default=None
            Those that may be learned from; classes are those of all rows. ``None`` stands for all.
        sample_weight : ndarray of shape (n_rows,) or (n_rows, n_outputs), default=None
            Weight of each of these rows, as :meth:`row_weight` returns it.
        loss : keras.losses.Loss or callable, default=None
            What a network is trained with, which may ask for an encoding of its own.

        Returns
        -------
        self : Task
        """

    def row_weight(self, y, sample_weight):
        """Return the weight of each row in the loss, 0 where the target is missing, or None where all are alike.

        Of shape (n_samples,), or (n_samples, n_outputs) where single columns have gaps.
        """
        return weight_of_present(self.present(y), sample_weight)

    def stratify_labels(self, y):
        """Return what parts of the rows should hold in the same proportions, or None."""
        return None

    def knows(self, y):
        """Tell which rows of another checked target can be encoded: a class may be unknown."""
        return np.ones(len(y), dtype=bool)

    @abstractmethod
    def score(self, y, predictions, sample_weight=None):
        """Return how good predictions are, 1 at best, by the rows that have the target.

        Parameters
        ----------
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            Checked.
        predictions : ndarray of shape (n_samples,) or (n_samples, n_outputs)
        sample_weight : ndarray of shape (n_samples,), default=None
        """

    # --- learners ---------------------------------------------------------------------------------------------------

    def encode_labels(self, y):
        """Return a checked target as learners and final estimator of a stack are fitted to it."""
        return y

    def encode_class_weight(self, class_weight):
        """Return weights of classes as those of encoded labels."""
        return class_weight

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

    def predicts_same(self, estimator):
        """Tell whether an estimator predicts what this task is about: one that was fitted elsewhere may not."""
        return True

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
        """Return a checked target as the loss of a network takes it, of shape (n_samples, n_columns).

        What stands in the place of a missing target has no weight, but the loss of it has to be a number.
        """

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

    def resolve_metrics(self, metrics):
        """Return metrics that do not depend on the shape of what they see, where Keras would decide by it.

        Parameters
        ----------
        metrics : list of str, keras.metrics.Metric or callable
        """
        return metrics

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

    def as_input(self, output):
        """Return what another task gets that is computed from this one, in the scale in which networks compute.

        Parameters
        ----------
        output : keras.KerasTensor of shape (None, n_units)
            What :meth:`build_output` returned.
        """
        return output

    def assign_statistics(self, output):  # noqa: B027 - most learn nothing that stands in the network
        """Write what `fit` learned into the last layer of a network."""

    def is_built_like(self, other):
        """Tell whether another fitted task of the same kind builds the same output, and is trained in the same way."""
        return self.n_units_ == other.n_units_ and self.has_gaps_ == other.has_gaps_


def weight_of_present(present, sample_weight):
    """Return the weight of each row, or of each of its targets, which is 0 where a target is missing.

    Parameters
    ----------
    present : ndarray of bool of shape (n_samples,) or (n_samples, n_outputs), or None
        ``None`` where none is missing.
    sample_weight : ndarray of shape (n_samples,) or None
    """
    if present is None:
        return sample_weight
    present = present.astype("float32")
    if sample_weight is None:
        return present
    return (present.T * sample_weight).T.astype("float32")
