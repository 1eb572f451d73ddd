"""Feature vectors of a network that is trained on the target, for other estimators to learn from."""

import numpy as np
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin, clone, is_classifier
from sklearn.linear_model import Ridge
from sklearn.utils.validation import check_is_fitted

from .._columns import check_table
from .._compat import fit_context
from .._doc_links import DocLinkMixin
from .._folds import make_splitter
from .._validation import check_lengths
from ..training._inference import CompiledCall
from ..training._seeds import seeded
from ..training._values import named_variables, values_of
from ._assembly import encode_rows
from ._base import MultimodalNetwork

#: Of the map from a fold's features to those of all rows, as a part of their mean variance.
_SHRINKAGE = 1e-3


class NetworkEmbedder(DocLinkMixin, ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """Feature vectors that a network has learned from the target: what its branches make of a row, before the head.

    Gradient boosting or support vectors cannot learn to read a text or a photo, but they can use what a network has
    learned to see in it. For the rows that the network was trained on, these features are better than they will ever be
    for new rows. So :meth:`fit_transform` returns for each row the features of a network that has not seen it
    (cross-fitting), and is not the same as ``fit(X, y).transform(X)``. All of it happens with the rows that are given:
    in a pipeline that a stack cross-fits, nothing leaks from the rows that a fold holds out.

    Parameters
    ----------
    network : MultimodalNetworkRegressor or MultimodalNetworkClassifier
        Unfitted, with its branches. Of several members (`n_members`) one is trained: each would have features of its
        own.
    cv : int, cross-validation generator or iterable, default=None
        How the rows of ``fit_transform`` are split; ``None`` stands for five folds, stratified for a classifier. Folds
        whose number is given, or None, leave groups whole where there are groups.

    Attributes
    ----------
    network_ : MultimodalNetworkRegressor or MultimodalNetworkClassifier
        Fitted on all rows.
    n_features_in_ : int
        Number of columns seen during fit.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of these columns, where X has string names.

    See Also
    --------
    skstack.preprocessing.TextEmbedder : Features of a text by a model that stays as it is.
    skstack.preprocessing.ImageEmbedder : The same for images.

    Notes
    -----
    Networks that are trained by themselves have coordinates of their own. A linear map (ridge regression over the rows
    that the network of a fold was trained on) brings its features nearest to what the network of all rows makes of
    them. Of a row that a fold holds out, this map knows no more than the network of all rows does, in numbers that all
    rows share.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn.ensemble import HistGradientBoostingClassifier
    >>> from sklearn.pipeline import make_pipeline
    >>> from skstack import MultimodalNetworkClassifier, NetworkEmbedder
    >>> from skstack.branches import TextBranch
    >>> X = pd.DataFrame({"note": ["a fine house", "old and loud", "near the park", "needs work"] * 10})
    >>> network = MultimodalNetworkClassifier([("note", TextBranch(dim=4), ["note"])], epochs=2, random_state=0)
    >>> boosting = make_pipeline(NetworkEmbedder(network, cv=2), HistGradientBoostingClassifier(max_iter=5))
    >>> boosting.fit(X, [1, 0, 1, 0] * 10).predict(X.head(2)).shape
    (2,)
    """

    _parameter_constraints = {  # noqa: RUF012 - scikit-learn's form
        "network": [MultimodalNetwork],
        "cv": ["cv_object"],
    }

    def __init__(self, network, *, cv=None):
        self.network = network
        self.cv = cv

    @fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y, sample_weight=None, groups=None):
        """Train the network on all rows.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_samples, n_features)
            Rows of data.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Target that the network learns to predict.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each row in the loss of the network.
        groups : array-like of shape (n_samples,), default=None
            Rows of a group stay together when rows are split, by `cv` and for early stopping.

        Returns
        -------
        self : object
            The fitted embedder.
        """
        X = check_table(self, X, reset=True)
        self.network_ = self._one_member().fit(X, y, sample_weight=sample_weight, groups=groups)
        return self

    @fit_context(prefer_skip_nested_validation=False)
    def fit_transform(self, X, y, sample_weight=None, groups=None):
        """Train the network on all rows, and return features of each by a network that has not seen it.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_samples, n_features)
            Rows of data.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Target that the network learns to predict.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each row in the loss of the network.
        groups : array-like of shape (n_samples,), default=None
            Rows of a group stay together when rows are split, by `cv` and for early stopping.

        Returns
        -------
        features : ndarray of shape (n_samples, n_features_out), dtype float32
            The mean of several where `cv` holds a row out several times.

        Raises
        ------
        ValueError
            If `cv` never holds out some row.
        """
        check_lengths(X, y, sample_weight=sample_weight, groups=groups)
        X, y = check_table(self, X, reset=True), np.asarray(y)
        splits = self._splits(X, y, groups)
        models = self._one_member().cross_fit(
            X, y, [training for training, _ in splits], sample_weight=sample_weight, groups=groups
        )
        self.network_ = next(models)
        of_all = _features(self.network_, X)
        total, counts = np.zeros_like(of_all), np.zeros((len(y), 1), dtype="float32")
        for (training, held_out), network in zip(splits, models, strict=True):
            total[held_out] += _mapped(_features(network, X), of_all, training)[held_out]
            counts[held_out] += 1
        return total / counts

    def _one_member(self):
        return clone(self.network).set_params(n_members=1)

    def _splits(self, X, y, groups):
        """Return the rows to train on and those to describe of each fold, each row once."""
        splitter = make_splitter(self.cv, y, classifier=is_classifier(self.network), groups=groups)
        rows = np.arange(len(y))
        splits = [tuple(np.unique(rows[part]) for part in split) for split in splitter.split(X, y, groups)]
        unseen = np.setdiff1d(rows, np.concatenate([held_out for _, held_out in splits]))
        if len(unseen):
            raise ValueError(f"cv={self.cv!r} never holds out row {unseen[0]}, which then has no features.")
        return splits

    def transform(self, X):
        """Return the features of rows by the network that was trained on all rows.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_samples, n_features)
            Rows of data.

        Returns
        -------
        features : ndarray of shape (n_samples, n_features_out), dtype float32
        """
        check_is_fitted(self)
        return _features(self.network_, check_table(self, X, reset=False))

    @property
    def _n_features_out(self):
        return self.network_._assembly.build_features().output_shape[-1]

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        tags.input_tags = self.network.__sklearn_tags__().input_tags
        tags.transformer_tags.preserves_dtype = []
        return tags


def _features(network, X):
    """Return the fused features of rows by a network that has been fitted, by itself or for a fold."""
    with seeded(0):  # its weights are replaced
        model = network._assembly.build_features()
    values = network._compiled_call.values
    values = values_of(network.model_) if values is None else values
    call = CompiledCall(model, {name: values[name] for name in named_variables(model)})
    return call(encode_rows(network._assembly, X)).astype("float32")


def _mapped(own, of_all, rows):
    """Return features of a network, linearly mapped to be nearest to those of another network in some rows."""
    own, of_all = own.astype("float64"), of_all.astype("float64")
    alpha = _SHRINKAGE * own[rows].var(axis=0).mean() * len(rows)
    # Some features may be constant, or a multiple of others.
    return Ridge(alpha, solver="svd").fit(own[rows], of_all[rows]).predict(own)
