"""Networks of several branches as scikit-learn estimators."""

import numpy as np
from sklearn.base import ClassifierMixin, RegressorMixin
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.class_weight import compute_sample_weight

from ._backend import keras
from ._losses import in_standard_units, is_categorical, is_sparse, loss_kind, on_margins
from ._network_base import _MultimodalNetwork
from ._targets import ClassTarget, RegressionTarget
from ._validation import check_class_target, check_classes, check_regression_target
from .branches._layers import Unstandardize


class MultimodalNetworkRegressor(RegressorMixin, _MultimodalNetwork):
    """Neural network regressor with a branch for each kind of data.

    The feature vectors of the branches are concatenated and go through dense layers to one output per target. Targets
    are standardised inside, with mean and deviation of the training rows; the outputs of ``model_`` are in the targets'
    own units.

    Parameters
    ----------
    branches : list of (str, Branch, columns) tuples, default=None
        Name, branch and columns of each part; columns as in :class:`~sklearn.compose.ColumnTransformer` (names,
        positions, slices, masks, callables), or left out for every column. ``None`` stands for one
        :class:`~skstack.branches.NumericBranch` without layers of its own over every column.
    head : tuple of int, default=(32,)
        Units of the dense layers between the concatenated branches and the output; empty for none.
    activation : str, default="relu"
        Activation of these layers, by its Keras name, or "prelu".
    dropout : float, default=0.0
        Rate of the dropout after each of these layers.
    modality_dropout : float, default=0.0
        Part of the rows from which each branch is withheld in training, at random, as if it were missing: the network
        learns to predict without it. Without effect in a network of one branch.
    loss : str, keras.losses.Loss or callable, default=None
        A Keras loss; ``None`` is "mean_squared_error". Squared, absolute, Huber and log-cosh losses are computed on the
        standardised target, any other in the target's own units.
    optimizer : str or keras.optimizers.Optimizer, default="adam"
        A Keras optimizer.
    metrics : list of str or keras.metrics.Metric, default=None
        Keras metrics, in the target's own units, to be followed in ``history_``.
    epochs : int, default=100
        Passes over the training rows, at most.
    batch_size : int, default=32
        Rows per step of the optimizer.
    early_stopping : bool, default=True
        Whether to set a part of the training rows aside, stop when the loss there has not become better for `patience`
        epochs, and restore the best weights. ``partial_fit`` never does.
    patience : int, default=10
        See `early_stopping`.
    validation_fraction : float, default=0.1
        Part of the training rows (or of their groups) that is set aside for early stopping.
    callbacks : list of keras.callbacks.Callback, default=None
        Callbacks of Keras ``fit``: instances, or classes with routed parameters.
    fold_training : {"auto", "vectorized", "sequential"}, default="auto"
        How the networks of a stack's folds are trained: all at once in one vectorised program, one after the other, or
        as is faster by a rule made from measurements. It changes no result beyond rounding. TensorFlow cannot vectorise
        recurrent layers: networks with them are always trained one after the other there.
    allow_missing_columns : bool, default=False
        Whether a DataFrame to predict may lack columns of the training rows, whose cells are then all missing.
    warm_start : bool, default=False
        Whether a further ``fit`` goes on from the weights of the one before.
    random_state : int, RandomState instance or None, default=None
        Determines initial weights, dropout, the order of the rows and the inner validation part.
    verbose : int, default=0
        1 shows a bar for the whole fit, 2 prints a line per epoch.
    **routed : dict
        Parameters of the optimizer, loss, metrics and callbacks, such as ``optimizer__learning_rate``.

    Attributes
    ----------
    model_ : keras.Model
        The network: inputs named like the branches, a sub-model ``<name>_branch`` for each.
    branches_ : list of (str, Branch, positions) tuples
        The fitted branches.
    target_encoder_ : object
        Holds mean (``center_``) and deviation (``scale_``) of the targets.
    history_ : dict of str to list of float
        Loss, metrics and their values on the inner validation part after each epoch.
    n_features_in_ : int
        Number of columns seen during fit.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of these columns, where X has string names.

    See Also
    --------
    MultimodalNetworkClassifier : The same for classes.
    MultimodalStackingRegressor : Stacks networks and other regressors.

    Examples
    --------
    >>> import pandas as pd
    >>> from skstack import MultimodalNetworkRegressor
    >>> from skstack.branches import CategoricalBranch, NumericBranch
    >>> X = pd.DataFrame({"area": [50.0, 80.0, 120.0, 70.0] * 10, "city": ["A", "B", "A", "B"] * 10})
    >>> network = MultimodalNetworkRegressor(
    ...     [("numbers", NumericBranch(hidden=(8,)), ["area"]), ("place", CategoricalBranch(), ["city"])],
    ...     epochs=2, optimizer__learning_rate=0.01, random_state=0,
    ... )
    >>> network.fit(X, 3.0 * X["area"]).predict(X.head(2)).shape
    (2,)
    """

    _has_classes = False

    def _default_loss(self):
        return "mean_squared_error"

    def _training_loss(self, loss, model):
        return in_standard_units(loss, model.get_layer("output"))

    def _check_target(self, y):
        return check_regression_target(y)

    def _row_weight(self, y, sample_weight):
        return sample_weight

    def _fit_target_encoder(self, y, rows, weight):
        return RegressionTarget().fit(y[rows], weight)

    def _output(self, x):
        n_units = self.target_encoder_.n_units_
        return Unstandardize(dtype=self.target_encoder_.dtype_, name="output")(
            keras.layers.Dense(n_units, name="standardised")(x)
        )

    def _pour(self, model):
        super()._pour(model)
        output = model.get_layer("output")
        output.center.assign(self.target_encoder_.center_)
        output.scale.assign(self.target_encoder_.scale_)

    def partial_fit(self, X, y, sample_weight=None):
        """Train for one more epoch on the given rows, all of them, building the network at the first call.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_samples, n_features)
            Rows of data. What branches learn from data, they learn at the first call.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Target values.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each row in the loss.

        Returns
        -------
        self : object
            The estimator.
        """
        return self._partial_fit(X, y, sample_weight, y)

    def predict(self, X):
        """Predict the target.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_samples, n_features)
            Rows of data.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            Predictions in the target's units.
        """
        return self._outputs(X)


class MultimodalNetworkClassifier(ClassifierMixin, _MultimodalNetwork):
    """Neural network classifier with a branch for each kind of data.

    The feature vectors of the branches are concatenated and go through dense layers to one sigmoid unit for two classes
    and a softmax over more.

    Parameters
    ----------
    branches : list of (str, Branch, columns) tuples, default=None
        Name, branch and columns of each part; columns as in :class:`~sklearn.compose.ColumnTransformer` (names,
        positions, slices, masks, callables), or left out for every column. ``None`` stands for one
        :class:`~skstack.branches.NumericBranch` without layers of its own over every column.
    head : tuple of int, default=(32,)
        Units of the dense layers between the concatenated branches and the output; empty for none.
    activation : str, default="relu"
        Activation of these layers, by its Keras name, or "prelu".
    dropout : float, default=0.0
        Rate of the dropout after each of these layers.
    modality_dropout : float, default=0.0
        Part of the rows from which each branch is withheld in training, at random, as if it were missing: the network
        learns to predict without it. Without effect in a network of one branch.
    loss : str, keras.losses.Loss or callable, default=None
        A Keras loss; ``None`` is "binary_crossentropy" for two classes and "sparse_categorical_crossentropy" for more.
        A hinge loss for two classes takes the probability p as the score 2 p - 1.
    optimizer : str or keras.optimizers.Optimizer, default="adam"
        A Keras optimizer.
    metrics : list of str or keras.metrics.Metric, default=None
        Keras metrics to be followed in ``history_``.
    epochs : int, default=100
        Passes over the training rows, at most.
    batch_size : int, default=32
        Rows per step of the optimizer.
    early_stopping : bool, default=True
        Whether to set a part of the training rows aside, stop when the loss there has not become better for `patience`
        epochs, and restore the best weights. ``partial_fit`` never does.
    patience : int, default=10
        See `early_stopping`.
    validation_fraction : float, default=0.1
        Part of the training rows (or of their groups) that is set aside for early stopping.
    callbacks : list of keras.callbacks.Callback, default=None
        Callbacks of Keras ``fit``: instances, or classes with routed parameters.
    fold_training : {"auto", "vectorized", "sequential"}, default="auto"
        How the networks of a stack's folds are trained: all at once in one vectorised program, one after the other, or
        as is faster by a rule made from measurements. It changes no result beyond rounding. TensorFlow cannot vectorise
        recurrent layers: networks with them are always trained one after the other there.
    allow_missing_columns : bool, default=False
        Whether a DataFrame to predict may lack columns of the training rows, whose cells are then all missing.
    class_weight : dict or "balanced", default=None
        Weight of each class in the loss; "balanced" takes them inversely proportional to the classes' frequencies.
    warm_start : bool, default=False
        Whether a further ``fit`` goes on from the weights of the one before.
    random_state : int, RandomState instance or None, default=None
        Determines initial weights, dropout, the order of the rows and the inner validation part.
    verbose : int, default=0
        1 shows a bar for the whole fit, 2 prints a line per epoch.
    **routed : dict
        Parameters of the optimizer, loss, metrics and callbacks, such as ``optimizer__learning_rate``.

    Attributes
    ----------
    model_ : keras.Model
        The network: inputs named like the branches, a sub-model ``<name>_branch`` for each.
    branches_ : list of (str, Branch, positions) tuples
        The fitted branches.
    classes_ : ndarray of shape (n_classes,)
        The classes.
    target_encoder_ : object
        Turns classes into what the loss takes.
    history_ : dict of str to list of float
        Loss, metrics and their values on the inner validation part after each epoch.
    n_features_in_ : int
        Number of columns seen during fit.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of these columns, where X has string names.

    See Also
    --------
    MultimodalNetworkRegressor : The same for numbers.
    MultimodalStackingClassifier : Stacks networks and other classifiers.

    Examples
    --------
    >>> import numpy as np
    >>> from skstack import MultimodalNetworkClassifier
    >>> from skstack.branches import ImageBranch
    >>> pictures = np.random.default_rng(0).integers(0, 256, size=(20, 8, 8), dtype="uint8")
    >>> y = np.repeat(["cat", "dog"], 10)
    >>> network = MultimodalNetworkClassifier(
    ...     [("photo", ImageBranch(size=(8, 8), channels=1, filters=(4,)))], epochs=2, random_state=0
    ... )
    >>> network.fit(pictures, y).predict_proba(pictures).shape
    (20, 2)
    """

    _parameter_constraints = {  # noqa: RUF012 - scikit-learn's form
        **_MultimodalNetwork._parameter_constraints,
        "class_weight": [dict, StrOptions({"balanced"}), None],
    }

    _has_classes = True

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = False
        return tags

    def __init__(
        self,
        branches=None,
        *,
        head=(32,),
        activation="relu",
        dropout=0.0,
        modality_dropout=0.0,
        loss=None,
        optimizer="adam",
        metrics=None,
        epochs=100,
        batch_size=32,
        early_stopping=True,
        patience=10,
        validation_fraction=0.1,
        callbacks=None,
        fold_training="auto",
        allow_missing_columns=False,
        class_weight=None,
        warm_start=False,
        random_state=None,
        verbose=0,
        **routed,
    ):
        self.class_weight = class_weight
        super().__init__(
            branches,
            head=head,
            activation=activation,
            dropout=dropout,
            modality_dropout=modality_dropout,
            loss=loss,
            optimizer=optimizer,
            metrics=metrics,
            epochs=epochs,
            batch_size=batch_size,
            early_stopping=early_stopping,
            patience=patience,
            validation_fraction=validation_fraction,
            callbacks=callbacks,
            fold_training=fold_training,
            allow_missing_columns=allow_missing_columns,
            warm_start=warm_start,
            random_state=random_state,
            verbose=verbose,
            **routed,
        )

    def _default_loss(self):
        n_classes = len(getattr(self, "classes_", ()))
        return "sparse_categorical_crossentropy" if n_classes > 2 else "binary_crossentropy"

    def _training_loss(self, loss, model):
        return on_margins(loss)

    def _check_target(self, y):
        return check_class_target(y)

    def _row_weight(self, y, sample_weight):
        if self.class_weight is None:
            return sample_weight
        if self.class_weight == "balanced" and sample_weight is not None:
            weight = _balanced(y, sample_weight)
        else:
            weight = compute_sample_weight(self.class_weight, y)
        return weight.astype(np.float32) if sample_weight is None else (weight * sample_weight).astype(np.float32)

    def _fit_target_encoder(self, y, rows, weight):
        # All of y: rows that early stopping sets aside may be the only ones of a class.
        self.classes_ = check_classes(y, type(self).__name__)
        kind = loss_kind(self._compile_arguments()["loss"])
        return ClassTarget(categorical=is_categorical(kind), sparse=is_sparse(kind)).fit(self.classes_)

    def _output(self, x):
        n_units = self.target_encoder_.n_units_
        return keras.layers.Dense(n_units, activation="sigmoid" if n_units == 1 else "softmax", name="output")(x)

    def partial_fit(self, X, y, classes=None, sample_weight=None):
        """Train for one more epoch on the given rows, all of them, building the network at the first call.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_samples, n_features)
            Rows of data. What branches learn from data, they learn at the first call.
        y : array-like of shape (n_samples,)
            Classes.
        classes : array-like of shape (n_classes,), default=None
            Every class that any call will show; needed at the first call if its `y` lacks one.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each row in the loss.

        Returns
        -------
        self : object
            The estimator.
        """
        return self._partial_fit(X, y, sample_weight, y if classes is None else np.asarray(classes))

    def predict(self, X):
        """Predict the class.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_samples, n_features)
            Rows of data.

        Returns
        -------
        y : ndarray of shape (n_samples,)
            The class with the highest probability.
        """
        numbers = self.predict_proba(X).argmax(axis=1)
        return self.classes_[numbers]

    def predict_proba(self, X):
        """Predict the probability of each class.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_samples, n_features)
            Rows of data.

        Returns
        -------
        probabilities : ndarray of shape (n_samples, n_classes)
            In the order of ``classes_``.
        """
        return self._outputs(X)


def _balanced(y, sample_weight):
    """Return what gives every class the same share of the weight, for each row."""
    classes, codes = np.unique(y, return_inverse=True)
    totals = np.bincount(codes, weights=sample_weight, minlength=len(classes))
    shares = np.divide(totals.sum() / np.count_nonzero(totals), totals, out=np.zeros(len(totals)), where=totals > 0)
    return shares[codes]
