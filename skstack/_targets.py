"""What networks are trained towards: encoded targets, and outputs decoded again."""

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.preprocessing import LabelEncoder

from ._precision import needed_dtype


class RegressionTarget(BaseEstimator):
    """One or several numbers per row.

    Attributes
    ----------
    center_, scale_ : ndarray of shape (n_outputs,)
        Mean and standard deviation of the training rows, in the target's units.
    n_units_ : int
        Units of the network's output: one for each target.
    dtype_ : str
        "float32", or "float64" where float32 could not tell the values of a target apart.
    """

    def fit(self, y, sample_weight=None):
        """Learn mean and standard deviation of y of shape (n_samples,) or (n_samples, n_outputs)."""
        columns = _columns(np.asarray(y, dtype="float64"))
        self.center_ = np.average(columns, axis=0, weights=sample_weight)
        scale = np.sqrt(np.average((columns - self.center_) ** 2, axis=0, weights=sample_weight))
        self.scale_ = np.where(scale > 1e-13 * np.abs(self.center_), scale, 1.0)
        self.n_units_ = columns.shape[1]
        self.dtype_ = needed_dtype(self.center_, self.scale_)
        self._ndim = np.ndim(y)
        return self

    def encode(self, y):
        """Return y in its own units, of shape (n_samples, n_outputs)."""
        return _columns(np.asarray(y)).astype(self.dtype_)

    def decode(self, outputs):
        """Return the network's outputs in the shape of y."""
        outputs = outputs.astype("float64")
        return outputs[:, 0] if self._ndim == 1 else outputs


class ClassTarget(BaseEstimator):
    """One class per row.

    Parameters
    ----------
    categorical : bool, default=False
        Whether the network has a unit for every class even if there are two.
    sparse : bool, default=False
        Whether the loss takes class numbers rather than indicators.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
    n_units_ : int
        1 for two classes unless `categorical`, else the number of classes.
    """

    def __init__(self, categorical=False, sparse=False):
        self.categorical = categorical
        self.sparse = sparse

    def fit(self, y):
        """Learn the classes in y of shape (n_samples,)."""
        self._labels = LabelEncoder().fit(y)
        self.classes_ = self._labels.classes_
        self.n_units_ = 1 if len(self.classes_) == 2 and not self.categorical else len(self.classes_)
        return self

    def encode(self, y):
        """Return y as the loss takes it: (n_samples, 1) or, as indicators, (n_samples, n_classes)."""
        numbers = self._labels.transform(y)
        if self.n_units_ == 1 or self.sparse:
            return numbers[:, np.newaxis].astype("int32" if self.sparse else "float32")
        return np.eye(self.n_units_, dtype="float32")[numbers]

    def decode(self, outputs):
        """Return the network's outputs as probabilities of shape (n_samples, n_classes)."""
        outputs = outputs.astype("float64")
        if self.n_units_ == 1:
            return np.hstack([1 - outputs, outputs])
        # Rounding of float32 leaves sums a little off 1, which scikit-learn's scorers notice.
        return outputs / outputs.sum(axis=1, keepdims=True)


def _columns(y):
    return y[:, np.newaxis] if y.ndim == 1 else y
