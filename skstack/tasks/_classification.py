"""Classification: one of several classes per row."""

from numbers import Number

import numpy as np
import pandas as pd
from sklearn.preprocessing import LabelEncoder
from sklearn.utils import check_array, column_or_1d
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.multiclass import check_classification_targets

from .._suggestions import did_you_mean
from ..reading._cells import row_name, shown
from ._base import Task, weight_of_present
from ._checks import refuse_empty, refuse_rows


def of_both_classes(probability):
    """Return the probabilities of two classes side by side, from that of the second one, of shape (n_samples[, 1])."""
    return np.column_stack([1 - probability, probability])


class ClassificationTask(Task):
    """One class per row.

    Parameters
    ----------
    owner : str
        What messages call the estimator.
    class_weight : dict or "balanced", default=None
        Weight of each class in the loss.
    classes : array-like of shape (n_classes,), default=None
        The classes there are; ``None`` takes those in the target.
    allow_missing : bool, default=False
        Whether a row may lack its class.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
    n_units_ : int
        1 for two classes unless the loss needs a probability for each, else the number of classes.
    """

    methods = ("predict_proba", "decision_function", "predict")
    scorings = ("neg_log_loss", "accuracy")
    has_classes = True

    def __init__(self, owner, class_weight=None, classes=None, allow_missing=False):
        self.owner = owner
        self.class_weight = class_weight
        self.allow_missing = allow_missing
        self._known = classes

    @property
    def default_loss(self):
        """See Task."""
        return "sparse_categorical_crossentropy" if len(self.classes_) > 2 else "binary_crossentropy"

    def check(self, y):
        """See Task."""
        return self._noting_gaps(check_class_target(y, self.allow_missing))

    def present(self, y):
        """See Task."""
        missing = pd.isna(y) if self.allow_missing else np.False_
        return ~missing if missing.any() else None

    def fit(self, y, rows=None, sample_weight=None, loss=None):
        """Learn the classes of all rows: those that early stopping sets aside may be the only ones of a class."""
        known = _where(y, self.present(y)) if self._known is None else self._known
        self._labels = LabelEncoder().fit(check_classes(known, self.owner))
        self.classes_ = self._labels.classes_
        if self.has_gaps_:
            refuse_empty((sample_weight if rows is not None else self.row_weight(y, sample_weight)) > 0)
        n_classes = len(self.classes_)
        self._sparse, categorical = n_classes > 2, False  # as the default loss wants
        if loss is not None:
            from ._losses import check_loss, is_categorical, is_sparse, loss_kind

            check_loss(loss, "classes")
            self._sparse, categorical = is_sparse(loss_kind(loss)), is_categorical(loss_kind(loss))
        self.n_units_ = 1 if n_classes == 2 and not categorical else n_classes
        return self

    def row_weight(self, y, sample_weight):
        """Return the weight of each row, that of its class included."""
        present = self.present(y)
        if self.class_weight is None:
            return weight_of_present(present, sample_weight)
        if present is not None:
            weight = np.zeros(len(y), dtype=np.float32)
            if present.any():
                of_present = None if sample_weight is None else sample_weight[present]
                weight[present] = self.row_weight(_where(y, present), of_present)
            return weight
        if self.class_weight == "balanced" and sample_weight is not None:
            weight = _balanced(y, sample_weight)
        else:
            weight = compute_sample_weight(self.class_weight, y)
        return weight.astype(np.float32) if sample_weight is None else (weight * sample_weight).astype(np.float32)

    def stratify_labels(self, y):
        """Return the classes, or where some rows lack theirs positions, of which -1 stands for none."""
        present = self.present(y)
        if present is None:
            return y
        labels = np.full(len(y), -1)
        labels[present] = np.unique(_where(y, present), return_inverse=True)[1]
        return labels

    def score(self, y, predictions, sample_weight=None):
        """Return the part of the rows whose class is right."""
        weight = self.present(y)
        if sample_weight is not None:
            weight = np.asarray(sample_weight) * (1 if weight is None else weight)
        return float(np.average(np.asarray(predictions) == y, weights=weight))

    def knows(self, y):
        """See Task."""
        present = self.present(y)
        if present is None:
            return np.isin(y, self.classes_)
        known = np.ones(len(y), dtype=bool)
        known[present] = np.isin(_where(y, present), self.classes_)
        return known

    def encode_labels(self, y):
        """Return positions in ``classes_``; where some rows lack their class, as floats with NaN there."""
        present = self.present(y)
        if present is None:
            return self._labels.transform(y)
        positions = np.full(len(y), np.nan)
        positions[present] = self._labels.transform(_where(y, present))
        return positions

    def encode_class_weight(self, class_weight):
        """Return the weights of classes by their positions."""
        if not isinstance(class_weight, dict):
            return class_weight
        classes = self.classes_.tolist()
        for label in class_weight:
            if label not in classes:
                hint = did_you_mean(label, [known for known in classes if isinstance(known, str)])
                raise ValueError(f"{label!r} is no class of y.{hint} The classes are {classes}.")
        return dict(zip(self.encode_labels(np.array(list(class_weight))).tolist(), class_weight.values(), strict=True))

    def decode_labels(self, predictions):
        """Return classes for their positions."""
        return self._labels.inverse_transform(predictions)

    def prediction_columns(self, estimator, predictions, method):
        """Return a column for each class, except the first of two: its probability is one minus the other."""
        predictions, n_classes = np.asarray(predictions), len(self.classes_)
        classes = getattr(estimator, "classes_", ())
        if method == "decision_function" and predictions.ndim == 1 and n_classes > 2:
            # The rows this estimator was fitted to have two of the classes only.
            predictions = np.column_stack([-predictions, predictions])
        if method == "predict" or predictions.ndim == 1:
            return predictions.reshape(len(predictions), -1)
        if predictions.shape[1] == len(classes) != n_classes and _are_positions(classes, n_classes):
            predictions = _aligned(predictions, classes, n_classes, method)
        return predictions[:, 1:] if method == "predict_proba" and n_classes == 2 else predictions

    def probabilities(self, estimator, predictions):
        """Return the probability of each class that an estimator predicts."""
        predictions, classes = np.asarray(predictions), getattr(estimator, "classes_", ())
        if predictions.shape[1] == len(classes) != len(self.classes_):
            return _aligned(predictions, classes, len(self.classes_), "predict_proba")
        return predictions

    def encode(self, y):
        """Return positions of classes, or indicators where the loss does not take them; the first class for none."""
        positions = np.nan_to_num(self.encode_labels(y)).astype(int)
        if self.n_units_ == 1 or self._sparse:
            return positions[:, np.newaxis].astype("int32" if self._sparse else "float32")
        return np.eye(self.n_units_, dtype="float32")[positions]

    def decode(self, outputs):
        """Return the network's outputs as probabilities of shape (n_samples, n_classes)."""
        outputs = outputs.astype("float64")
        if self.n_units_ == 1:
            return of_both_classes(outputs)
        # Rounding of float32 leaves sums a little off 1, which scikit-learn's scorers notice.
        return outputs / outputs.sum(axis=1, keepdims=True)

    def resolve_loss(self, loss, output):
        """Return a loss of probabilities and of what is encoded."""
        from ._losses import on_margins, on_positions

        return on_positions(on_margins(loss))

    def resolve_metrics(self, metrics):
        """Return metrics with those that Keras decides by the shape of target and output decided."""
        from ._metrics import of_classes

        kind = "Binary" if self.n_units_ == 1 else "SparseCategorical" if self._sparse else "Categorical"
        return [of_classes(metric, kind) for metric in metrics]

    def build_output(self, x, name):
        """Return one probability, or those of all classes."""
        from .._backend import keras

        activation = "sigmoid" if self.n_units_ == 1 else "softmax"
        return keras.layers.Dense(self.n_units_, activation=activation, name=name)(x)

    def predict(self, probabilities):
        """Return the class with the highest probability."""
        return self.classes_[probabilities.argmax(axis=1)]

    def predicts_same(self, estimator):
        """Tell whether an estimator has the classes of this task or positions of some, as it will when it is fitted."""
        classes = getattr(estimator, "classes_", None)
        if classes is None:
            return True
        return list(classes) == list(self.classes_) or _are_positions(classes, len(self.classes_))

    def can_average(self, method):
        """See Task."""
        return method == "predict_proba"

    def has_score(self, scoring, method):
        """See Task."""
        return scoring != "neg_log_loss" or method == "predict_proba"

    def true_probabilities(self, y, columns):
        """Return the probability of the true class of each row, from the columns that a final estimator gets."""
        if columns.shape[1] == 1:
            return np.where(y == 1, columns[:, 0], 1.0 - columns[:, 0])
        return columns[np.arange(len(y)), y]

    def row_scores(self, scoring, y, columns, method, sample_weight=None):
        """Return the logarithm of the probability of the true class, or whether it is the one predicted."""
        if scoring == "neg_log_loss":
            return log_probabilities(self.true_probabilities(y, columns))
        if method == "predict":
            predicted = columns[:, 0].round()
        elif columns.shape[1] == 1:
            predicted = columns[:, 0] > (0.5 if method == "predict_proba" else 0.0)
        else:
            predicted = columns.argmax(axis=1)
        return (predicted == y).astype("float64")


def log_probabilities(probabilities):
    """Return logarithms, finite where a probability is 0: scikit-learn's log loss takes this for it, too."""
    return np.log(np.maximum(probabilities, np.finfo("float64").eps))


def _are_positions(classes, n_classes):
    """Tell whether an estimator was fitted to positions; one from elsewhere has classes of its own, of any number."""
    classes = np.asarray(classes)
    return classes.dtype.kind in "iu" and classes.min() >= 0 and classes.max() < n_classes


def _where(y, present):
    """Return the classes of the rows that have one, as an array of their own type."""
    if present is None:
        return y
    return np.asarray(y[present].tolist())


def _aligned(predictions, classes, n_classes, method):
    """Return predictions with a column for each class; one that an estimator does not know is as unlikely as can be."""
    absent = 0.0 if method == "predict_proba" else np.finfo(predictions.dtype).min
    aligned = np.full((len(predictions), n_classes), absent, dtype=predictions.dtype)
    aligned[:, np.asarray(classes).astype(int)] = predictions
    return aligned


def _balanced(y, sample_weight):
    """Return what gives every class the same share of the weight, for each row."""
    classes, codes = np.unique(y, return_inverse=True)
    totals = np.bincount(codes, weights=sample_weight, minlength=len(classes))
    shares = np.divide(totals.sum() / np.count_nonzero(totals), totals, out=np.zeros(len(totals)), where=totals > 0)
    return shares[codes]


def check_class_target(y, allow_missing=False):
    """Return y as an array of shape (n_samples,), or raise if it does not hold classes.

    Parameters
    ----------
    y : array-like of shape (n_samples,)
    allow_missing : bool, default=False
        Whether rows may lack their class; where some do, y comes back as floats with NaN or as objects.

    Raises
    ------
    ValueError
        If classes are missing, of several types or no classes, naming rows where some are to blame.
    """
    given = np.asarray(y)
    # NumPy turns the numbers of a list into text where one of them is.
    cells = np.array(y, dtype=object) if isinstance(y, (list, tuple)) else given
    missing = pd.isna(cells)
    if allow_missing and missing.any():
        return _with_gaps(y, column_or_1d(cells), missing.ravel())
    refuse_rows(y, cells, missing, "NaN")
    if cells.dtype.kind == "O":
        _refuse_mixed(y, cells.ravel())
    if given.dtype.kind == "O" and given.size and _kind(given.flat[0]) == "number":
        raise ValueError(
            f"Unknown label type: y holds numbers as Python's objects, such as {shown(given.flat[0])} in "
            f"{row_name(y, 0)}. Give them a type of their own, y.astype(int), or take them as text, y.astype(str)."
        )
    check_array(y, ensure_2d=False, dtype=None, ensure_min_samples=0, input_name="y")
    check_classification_targets(y)
    return column_or_1d(y, warn=True)


def _with_gaps(y, cells, missing):
    """Return classes of which some are missing, after checking the others."""
    if cells.dtype.kind == "O":
        _refuse_mixed(y, cells, np.flatnonzero(~missing))
    labels = check_class_target(_where(cells, ~missing))
    is_float = labels.dtype.kind == "f"
    checked = np.full(len(cells), np.nan if is_float else None)
    checked[~missing] = labels if is_float else labels.tolist()
    return checked


def _kind(label):
    if isinstance(label, str):
        return "text"
    return "number" if isinstance(label, (Number, np.bool_)) else type(label).__name__


def _refuse_mixed(y, labels, rows=None):
    """Raise if classes are of several types, which have no order, naming two rows."""
    rows = np.arange(len(labels)) if rows is None else rows
    kinds = [_kind(labels[row]) for row in rows]
    others = [row for row, kind in zip(rows, kinds, strict=True) if kind != kinds[0]]
    if others:
        first, other = (f"{shown(labels[row])} in {row_name(y, row)}" for row in (rows[0], others[0]))
        raise ValueError(
            f"Unknown label type: y holds classes of several types, {first} and {other}, which cannot be put in order. "
            "Write all of them in the same way, such as with y.astype(str)."
        )


def check_classes(y, owner):
    """Return the classes in y, or raise if there are fewer than two; `owner` names the estimator in the message."""
    classes = np.unique(y)
    if len(classes) < 2:
        raise ValueError(f"{owner} needs samples of at least 2 classes in y, got one class: {classes.tolist()}.")
    return classes
