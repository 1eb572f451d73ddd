"""The network alone, for classes."""

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.utils._param_validation import StrOptions

from .._parts import naming
from ..tasks._classification import ClassificationTask
from ..tasks._losses import check_loss, resolve_loss
from ..tasks._multilabel import MultilabelTask, is_multilabel
from ..tasks._targets import ONLY, by_name, n_columns, side_by_side, target_names
from ._base import MultimodalNetwork


class MultimodalNetworkClassifier(ClassifierMixin, MultimodalNetwork):
    """Neural network classifier with a branch for each kind of data.

    The feature vectors of the branches are fused and go through dense layers to one sigmoid unit for two classes
    and a softmax over more.

    Parameters
    ----------
    branches : list of (str, Branch, columns) tuples, default=None
        Name, branch and columns of each part; columns as in :class:`~sklearn.compose.ColumnTransformer` (names,
        positions, slices, masks, callables), or left out for every column. ``None`` stands for one
        :class:`~skstack.branches.NumericBranch` without layers of its own over every column.
    fusion : str or keras.layers.Layer, default="concatenate"
        How the feature vectors of the branches become one: "concatenate", "add", "average", "maximum", "multiply",
        "gated" or "attention" (see :ref:`fusion`), or a Keras layer that takes a list of them. All but "concatenate"
        first bring vectors of different lengths to the largest one by a dense layer each.
    head : tuple of int, default=(64,)
        Units of the dense layers between the fused branches and the output; empty for none.
    activation : str, default="relu"
        Activation of these layers, by its Keras name, or "prelu".
    dropout : float, default=0.1
        Rate of the dropout after each of these layers.
    modality_dropout : float, default=0.0
        Part of the rows from which each branch is withheld in training, at random, as if it were missing: the network
        learns to predict without it. Without effect in a network of one branch.
    loss : str, keras.losses.Loss or callable, default=None
        A Keras loss; ``None`` is "binary_crossentropy" for two classes and "sparse_categorical_crossentropy" for more.
        A hinge loss for two classes takes the probability p as the score 2 p - 1.
    optimizer : str or keras.optimizers.Optimizer, default="adamw"
        A Keras optimizer.
    metrics : list of str or keras.metrics.Metric, default=None
        Keras metrics to be followed in ``history_``.
    epochs : int, default=200
        Passes over the training rows, at most.
    batch_size : int or "auto", default="auto"
        Rows per step of the optimizer; "auto" is the power of two nearest to the 64th part of the training rows, from
        32 to 256.
    early_stopping : bool, default=True
        Whether to set a part of the training rows aside, stop when the loss there has not become better for `patience`
        epochs, and restore the best weights. ``partial_fit`` never does, and with rows to validate on (`X_val` of
        ``fit``) no training rows are set aside.
    patience : int, default=10
        See `early_stopping`.
    validation_fraction : float, default=0.1
        Part of the training rows (or of their groups) that is set aside for early stopping.
    validation_part : {"auto", "random", "latest"}, default="auto"
        Which rows these are: drawn at random, or the latest ones, where rows are in the order of time (of groups, those
        that begin last). "auto" is "random", and "latest" in a stack whose `cv` keeps the order of time.
    n_members : int, default=1
        How many networks are trained, which differ in initial weights, dropout, the order of the rows and those set
        aside for early stopping, and whose predictions are averaged (a deep ensemble [1]_). Statistics and vocabularies
        are those of the training rows of the first.
    bootstrap : bool, default=False
        Whether each member is trained on rows drawn from the training rows with replacement, as in
        :class:`~sklearn.ensemble.BaggingRegressor`. Statistics and vocabularies are those of all training rows.
    max_samples : float, default=1.0
        How many rows are drawn for each member, as a part of the training rows; without `bootstrap` none is drawn
        twice.
    share_weights : bool, default=False
        Whether the members share their weights but for factors of the inputs and outputs of the dense layers at the end
        of branches and of the head, and biases (TabM [2]_): members then cost little more than one network. What lies
        before these layers (embeddings, convolutions, encoders of texts), branches with several uses of their
        sub-network (`shared`, `item_pooling`) and pretrained ones are the same for all.
    callbacks : list of keras.callbacks.Callback, default=None
        Callbacks of Keras ``fit``: instances, or classes with routed parameters.
    stages : "individual+joint" or list of Stage, default=None
        In which stages the weights are trained, all on the same training and validation rows. ``None`` trains the whole
        network at once. "individual+joint" first trains each branch by itself, with a head of its own, then the whole
        network from the weights that the branches have learned. A list of :class:`Stage` says more. Each stage has
        `epochs` of its own, and stops early by itself; a further ``fit`` with a warm start, and ``partial_fit``, go on
        with the last stage.
    trainable : bool, int, str or dict, default=True
        Which layers of each branch are trained in the (last) stage of the whole network: all (True), none (False), the
        last so many, or those whose names fit a pattern such as ``"dense_*"``; a dict says so by name of the branch.
        Layers count as in ``model_.get_layer("<name>_branch").layers``. What is not trained stays as the stage before
        left it, or as it was drawn. For networks without a list of `stages`, as are the next two.
    branch_learning_rate : float or dict, default=1.0
        Factor of the learning rate for the weights of branches in the same stage; a dict says so by the name of the
        branch.
    freeze_epochs : int, default=0
        Epochs in which fusion and head are trained alone before that, with all branches frozen.
    keep_individual : bool, default=False
        Whether to keep the networks of single branches that a stage has trained, as ``individual_networks_``.
    fold_training : {"auto", "vectorized", "sequential"}, default="auto"
        How the networks of a stack's folds are trained: all at once in one vectorised program, one after the other, or
        as is faster by a rule made from measurements. It changes no result beyond rounding. TensorFlow cannot vectorise
        recurrent layers: networks with them are always trained one after the other there.
    allow_missing_columns : bool, default=False
        Whether a DataFrame to predict may lack columns of the training rows, whose cells are then all missing.
    class_weight : dict, list of dict or "balanced", default=None
        Weight of each class in the loss; "balanced" takes them inversely proportional to the classes' frequencies. For
        several columns of classes a list with an entry for each.
    warm_start : bool, default=False
        Whether a further ``fit`` goes on from the weights of the one before, with the last of the `stages`.
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
        Of several members the mean: a model of models ``member_1``, ``member_2``, ..., made when it is asked for.
    members_ : list of estimator
        The members as networks, each of which predicts by itself; the network itself where it is one, as are members
        that share weights.
    branches_ : list of (str, Branch, positions) tuples
        The fitted branches.
    classes_ : ndarray of shape (n_classes,) or list of ndarray
        The classes; for several labels or columns of classes a list with an array for each.
    tasks_ : dict of str to object
        What is predicted, by the name of the output: ``tasks_["output"]`` turns classes into what the loss takes. Of
        several columns of classes each has an output, called like the column of a DataFrame or ``output_0`` and so on.
    target_encoder_ : object
        The only task, as SciKeras calls it.
    history_ : dict of str to list of float
        Loss, metrics and their values on the inner validation part after each epoch, of the whole network: of all its
        stages one after the other. Of several members the mean of
        those that were still trained.
    stages_ : list of TrainedStage
        What happened in each stage, in order: ``training`` ("individual" or "joint"), ``branches`` (the names of those
        that were trained), ``n_trained`` (the number of weights that were) and ``history`` (as ``history_``). In an
        individual stage there is one for each branch.
    individual_networks_ : dict of str to estimator
        The networks of single branches by their name, with heads of their own; with `keep_individual` only.
    n_features_in_ : int
        Number of columns seen during fit.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of these columns, where X has string names.

    See Also
    --------
    MultimodalNetworkRegressor : The same for numbers.
    MultimodalStackingClassifier : Stacks networks and other classifiers.

    References
    ----------
    .. [1] B. Lakshminarayanan, A. Pritzel, C. Blundell, "Simple and Scalable Predictive Uncertainty Estimation using
       Deep Ensembles", NeurIPS (2017).
    .. [2] Y. Gorishniy, A. Kotelnikov, A. Babenko, "TabM: Advancing Tabular Deep Learning with Parameter-Efficient
       Ensembling", ICLR (2025).

    Examples
    --------
    >>> import numpy as np
    >>> from skstack import MultimodalNetworkClassifier
    >>> from skstack.branches import ImageBranch
    >>> images = np.random.default_rng(0).integers(0, 256, size=(20, 8, 8), dtype="uint8")
    >>> y = np.repeat(["cat", "dog"], 10)
    >>> network = MultimodalNetworkClassifier(
    ...     [("photo", ImageBranch(size=(8, 8), channels=1, filters=(4,)))], epochs=2, random_state=0
    ... )
    >>> network.fit(images, y).predict_proba(images).shape
    (20, 2)
    """

    _parameter_constraints = {  # noqa: RUF012 - scikit-learn's form
        **MultimodalNetwork._parameter_constraints,
        "class_weight": [dict, list, StrOptions({"balanced"}), None],
    }

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags

    def __init__(
        self,
        branches=None,
        *,
        fusion="concatenate",
        head=(64,),
        activation="relu",
        dropout=0.1,
        modality_dropout=0.0,
        loss=None,
        optimizer="adamw",
        metrics=None,
        epochs=200,
        batch_size="auto",
        early_stopping=True,
        patience=10,
        validation_fraction=0.1,
        validation_part="auto",
        n_members=1,
        bootstrap=False,
        max_samples=1.0,
        share_weights=False,
        callbacks=None,
        stages=None,
        trainable=True,
        branch_learning_rate=1.0,
        freeze_epochs=0,
        keep_individual=False,
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
            fusion=fusion,
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
            validation_part=validation_part,
            n_members=n_members,
            bootstrap=bootstrap,
            max_samples=max_samples,
            share_weights=share_weights,
            callbacks=callbacks,
            stages=stages,
            trainable=trainable,
            branch_learning_rate=branch_learning_rate,
            freeze_epochs=freeze_epochs,
            keep_individual=keep_individual,
            fold_training=fold_training,
            allow_missing_columns=allow_missing_columns,
            warm_start=warm_start,
            random_state=random_state,
            verbose=verbose,
            **routed,
        )

    def _check_settings(self):
        super()._check_settings()
        if self.loss is not None:
            with naming(type(self).__name__):
                check_loss(resolve_loss(self.loss), "classes")

    def _make_tasks(self, y, classes=None):
        if is_multilabel(y) and not isinstance(self.class_weight, list):
            if self.class_weight is not None:
                raise ValueError("'class_weight' is for one class per row, y has several labels: give sample_weight.")
            return {ONLY: MultilabelTask()}
        owner = type(self).__name__
        if n_columns(y) == 1:
            known = None if classes is None else np.asarray(classes)
            return {ONLY: ClassificationTask(owner, self.class_weight, known)}
        names = target_names(y)
        known = [None] * len(names) if classes is None else classes
        weights = self.class_weight if isinstance(self.class_weight, list) else [self.class_weight] * len(names)
        given = zip(names, weights, known, strict=True)
        return {name: ClassificationTask(owner, weight, of_task, allow_missing=True) for name, weight, of_task in given}

    def _learned_attributes(self, assembly):
        classes = [task.classes_ for task in assembly.tasks.values()]
        return super()._learned_attributes(assembly) | {"classes_": classes[0] if len(classes) == 1 else classes}

    def partial_fit(self, X, y, classes=None, sample_weight=None):
        """Train for one more epoch on the given rows, all of them, building the network at the first call.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_samples, n_features)
            Rows of data. What branches learn from data, they learn at the first call.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Classes.
        classes : array-like of shape (n_classes,), default=None
            Every class that any call will show; needed at the first call if its `y` lacks one. Of several columns of
            classes a list of them.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each row in the loss.

        Returns
        -------
        self : object
            The estimator.
        """
        return self._partial_fit(X, y, sample_weight, classes=classes)

    def predict(self, X):
        """Predict the class.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_samples, n_features)
            Rows of data.

        Returns
        -------
        y : ndarray
            The class with the highest probability; of shape (n_samples, n_outputs) for several labels or columns of
            classes.
        """
        probabilities = self._outputs(X)
        predictions = [task.predict(probabilities[name]) for name, task in self.tasks_.items()]
        return predictions[0] if len(predictions) == 1 else side_by_side(predictions)

    def predict_proba(self, X):
        """Predict the probability of each class.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_samples, n_features)
            Rows of data.

        Returns
        -------
        probabilities : ndarray of shape (n_samples, n_classes) or list of ndarray
            In the order of ``classes_``; of shape (n_samples, n_labels) for several labels, a list with an array for
            each of several columns of classes.
        """
        probabilities = list(self._outputs(X).values())
        return probabilities[0] if len(probabilities) == 1 else probabilities

    def score(self, X, y, sample_weight=None):
        """Return the accuracy.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_samples, n_features)
            Rows of data.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            True classes.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each row.

        Returns
        -------
        score : float
            Of several labels the part of the rows in which all are right, of several columns of classes the mean.
        """
        if len(self.tasks_) == 1:
            return super().score(X, y, sample_weight)
        probabilities = self._outputs(X)
        columns = by_name(y, list(self.tasks_))
        scores = [
            task.score(task.check(columns[name]), task.predict(probabilities[name]), sample_weight)
            for name, task in self.tasks_.items()
        ]
        return float(np.mean(scores))
