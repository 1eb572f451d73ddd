"""Multilabel classification: any number of labels per row."""

import numpy as np
from scipy import sparse
from sklearn.metrics import accuracy_score
from sklearn.utils import check_array
from sklearn.utils.multiclass import type_of_target

from ._base import Task
from ._classification import log_probabilities


def is_multilabel(y):
    """Tell whether a target has a column for each of several labels, which is 1 in the rows that have it."""
    cells = y if sparse.issparse(y) else np.asarray(y)
    if cells.ndim != 2 or cells.shape[1] < 2 or cells.dtype.kind not in "biuf":
        return False
    has_gaps = not sparse.issparse(cells) and np.isnan(cells).any()
    return not has_gaps and type_of_target(cells) == "multilabel-indicator"


class MultilabelTask(Task):
    """A column per label, of two values each, as scikit-learn's multilabel indicator matrices.

    Attributes
    ----------
    classes_ : list of ndarray of shape (2,)
        The values of each column: without the label and with it.
    n_units_ : int
        One per label.
    """

    default_loss = "binary_crossentropy"
    methods = ("predict_proba", "decision_function", "predict")
    scorings = ("neg_log_loss", "accuracy")
    has_classes = True

    def check(self, y):
        """See Task."""
        return check_array(y, dtype=None, ensure_min_samples=0, input_name="y")

    def fit(self, y, rows=None, sample_weight=None, loss=None):
        """Learn the two values, which all columns share: a column may hold one of them only."""
        if loss is not None:
            from ._losses import check_loss

            check_loss(loss, "labels")
        values = np.unique(y)
        both = values if len(values) == 2 else np.array([0, 1], dtype=y.dtype)
        self.n_units_ = y.shape[1]
        self.classes_ = [both] * self.n_units_
        return self

    def score(self, y, predictions, sample_weight=None):
        """Return the part of the rows of which all labels are right."""
        return float(accuracy_score(y, predictions, sample_weight=sample_weight))

    def encode_labels(self, y):
        """Return 1 where a row has a label, else 0."""
        return (y == self.classes_[0][1]).astype(int)

    def decode_labels(self, predictions):
        """Return the values of the target for 0 and 1."""
        return self.classes_[0][np.asarray(predictions).astype(int)]

    def prediction_columns(self, estimator, predictions, method):
        """Return a column per label."""
        if method == "predict_proba":
            return self.probabilities(estimator, predictions)
        return super().prediction_columns(estimator, self.scores(predictions), method)

    def scores(self, predictions):
        """Return a column for each label, which some estimators give as a list."""
        return np.column_stack(predictions) if isinstance(predictions, list) else predictions

    def probabilities(self, estimator, predictions):
        """Return the probability that a row has each label; some estimators give a table of two columns per label."""
        if not isinstance(predictions, list):
            return np.asarray(predictions)
        return np.column_stack(
            [_of_label(table, classes) for table, classes in zip(predictions, estimator.classes_, strict=True)]
        )

    def encode(self, y):
        """Return 1 where a row has a label, else 0."""
        return self.encode_labels(y).astype("float32")

    def decode(self, outputs):
        """Return the probability of each label, of shape (n_samples, n_labels)."""
        return outputs.astype("float64")

    def resolve_loss(self, loss, output):
        """Return a loss of probabilities."""
        from ._losses import on_margins

        return on_margins(loss)

    def build_output(self, x, name):
        """Return a probability for each label."""
        from .._backend import keras

        return keras.layers.Dense(self.n_units_, activation="sigmoid", name=name)(x)

    def predict(self, probabilities):
        """Return the labels that are more likely than not."""
        return self.decode_labels(probabilities > 0.5)

    def can_average(self, method):
        """See Task."""
        return method == "predict_proba"

    def has_score(self, scoring, method):
        """See Task."""
        return scoring != "neg_log_loss" or method == "predict_proba"

    def true_probabilities(self, y, columns):
        """Return the probability of having or not having each label, whichever is true, from its columns."""
        return np.where(y == 1, columns, 1.0 - columns)

    def row_scores(self, scoring, y, columns, method, sample_weight=None):
        """Return the mean logarithm of these probabilities, or whether all labels of a row are right."""
        if scoring == "neg_log_loss":
            return log_probabilities(self.true_probabilities(y, columns)).mean(axis=1)
        predicted = columns > (0.0 if method == "decision_function" else 0.5)
        return (predicted == y).all(axis=1).astype("float64")


def _of_label(table, classes):
    """Return the probability of a label from those of its values, of which the rows fitted to may have had one only."""
    if table.shape[1] > 1:
        return table[:, 1]
    return np.full(len(table), float(classes[0] == 1))
