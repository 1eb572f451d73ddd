"""What networks of several branches have in common, whatever they predict."""

from abc import abstractmethod

import numpy as np
from sklearn.base import clone
from sklearn.utils.validation import check_is_fitted

from .._atomic import unchanged_on_error
from .._columns import check_table
from .._compat import CallbackSupportMixin, VisualBlock, take
from .._parts import naming, split_part
from .._protocols import CrossFitter, TakesGaps
from .._suggestions import did_you_mean
from .._validation import check_lengths, check_validation_fraction, check_weights, rows_of
from ..branches._numeric import NumericBranch
from ..branches._pretrained import PretrainedBranch
from ..reading._cells import row_name
from ..tasks._targets import Targets, by_name
from ..training._seeds import draw_seed
from ..training._values import values_of
from ._assembly import Assembly, encode_rows, fit_branches, missing_rows, warn_of_unreadable
from ._cross_fit import cross_fit, split_targets
from ._fitting import Fitting
from ._members import Members
from ._parameters import NetworkParameters
from ._pickling import PicklableNetwork
from ._stages import check_layers, stages_of


class MultimodalNetwork(
    CallbackSupportMixin, PicklableNetwork, Fitting, Members, NetworkParameters, CrossFitter, TakesGaps
):
    """What networks share, whatever they predict."""

    # --- tasks ------------------------------------------------------------------------------------------------------

    @abstractmethod
    def _make_tasks(self, y, **known):
        """Return the tasks of predicting such a target, by name."""

    def _columns_of(self, y, tasks):
        """Return the columns of a target by the names of the tasks, the only one of which gets all of it."""
        return dict.fromkeys(tasks, y) if len(tasks) == 1 else by_name(y, list(tasks))

    def _targets(self, y, sample_weight=None, tasks=None, **known):
        """Return the checked target, by task: of this fit, or of an earlier one that goes on."""
        tasks = self._make_tasks(y, **known) if tasks is None else tasks
        return Targets(tasks, self._columns_of(y, tasks), sample_weight)

    @property
    def target_encoder_(self):
        """The only task, which turns the target into what the loss takes, and outputs into predictions."""
        if len(self.tasks_) > 1:
            raise AttributeError(f"{type(self).__name__} has several tasks, see tasks_: {[*self.tasks_]}.")
        return next(iter(self.tasks_.values()))

    # --- data -------------------------------------------------------------------------------------------------------

    def missing_rows(self, X):
        """Tell which rows of X lack what a branch predicts from.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_samples, n_features)
            Rows of data.

        Returns
        -------
        missing : dict of str to ndarray of bool of shape (n_samples,)
            By the name of the branch, where all of its cells are missing; those that cannot be read too, with
            ``on_error="missing"``.
        """
        check_is_fitted(self)
        return missing_rows(self.branches_, check_table(self, X, reset=False))

    def check_data(self, X, X_val=None):
        """Raise what fitting to X would raise because of a parameter or a cell, without training anything.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_samples, n_features)
            The rows that are going to be used.
        X_val : DataFrame or array-like of shape (n_val_samples, n_features), default=None
            Those that are going to decide when to stop.

        Raises
        ------
        ValueError, TypeError, FileNotFoundError
            Naming the branch, and the row where one is to blame.

        Warns
        -----
        UserWarning
            If cells cannot be read and count as missing, as a branch with ``on_error="missing"`` lets them.
        """
        trial = clone(self)
        trial._check_settings()
        X = check_table(trial, X, reset=True)
        if trial.early_stopping and X.shape[0] > 1:
            check_validation_fraction(trial.validation_fraction, X.shape[0])
        branches = fit_branches(trial._validated_branches(), X, np.arange(X.shape[0]))
        assembly = Assembly(branches, {}, trial._architecture())
        warn_of_unreadable(assembly, encode_rows(assembly, X), X)
        if X_val is not None:
            with naming("X_val"):
                encode_rows(assembly, check_table(trial, X_val, reset=False))
        check_layers(trial, branches)

    def encode(self, X):
        """Turn rows of X into what ``model_`` takes.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_samples, n_features)
            Rows of data.

        Returns
        -------
        inputs : dict of str to ndarray of shape (n_samples, ...)
            By the name of the input: one for each branch, called like it, and ``<name>__missing`` for a branch that
            has an embedding for missing rows, which is 1 in these rows.
        """
        check_is_fitted(self)
        return encode_rows(self._assembly, check_table(self, X, reset=False))

    def _check_fit_data(self, X, y, sample_weight, groups, *, reset, **known):
        """Return X and the targets, checked."""
        self._check_settings()
        X = check_table(self, X, reset=reset)
        check_lengths(X, y, sample_weight=sample_weight, groups=groups)
        if sample_weight is not None:
            sample_weight = check_weights(sample_weight, X.shape[0], dtype=np.float32)
        return X, self._targets(y, sample_weight, None if reset else self.tasks_, **known)

    # --- fitting ----------------------------------------------------------------------------------------------------

    def fit(self, X, y, sample_weight=None, groups=None, *, X_val=None, y_val=None, sample_weight_val=None):
        """Train the network.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_samples, n_features), or (n_samples, height, width[, channels])
            Rows of data.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs), or DataFrame
            Target values; for a classifier classes, or a column of two values for each of several labels. Where there
            are several columns, a row may lack the target of some (NaN); one that lacks all is left out.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each row in the loss.
        groups : array-like of shape (n_samples,), default=None
            Rows of a group stay on one side when the inner validation part is split off.
        X_val : DataFrame or array-like of shape (n_val_samples, n_features), default=None
            Rows that decide when to stop, in place of a part of the training rows; nothing else is learned from them.
        y_val : array-like of shape (n_val_samples,) or (n_val_samples, n_outputs), default=None
            Their target values.
        sample_weight_val : array-like of shape (n_val_samples,), default=None
            Their weights.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError, TypeError, FileNotFoundError
            If a parameter, a cell or a target value cannot be used; the message names branch and row. If there are
            rows to validate on, but `early_stopping` is False.
        """
        with unchanged_on_error(self):
            return self._fit(X, y, sample_weight, groups, (X_val, y_val, sample_weight_val))

    def initialize(self, X, y):
        """Fit the branches' encoders and build the network, without training it.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_samples, n_features)
            Rows of data.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Target values.

        Returns
        -------
        self : object
            This estimator.
        """
        with unchanged_on_error(self):
            X, targets = self._check_fit_data(X, y, None, None, reset=True)
            rows, seed = targets.weighted_rows(), draw_seed(self.random_state)
            self._initialize(X, targets, rows, seed, stages_of(self)[-1])
        return self

    @property
    def current_epoch(self):
        """Number of epochs that ``history_`` holds."""
        return len(getattr(self, "history_", {}).get("loss", []))

    # --- branches ---------------------------------------------------------------------------------------------------

    def get_branch(self, name, *, trainable=True):
        """Return a branch for another network or stack that starts from what the one of this network has learned.

        Vocabulary, statistics and weights are those of this network, of several members those of the first. The vector
        in the place of missing rows is learned anew.

        Parameters
        ----------
        name : str
            Of the branch.
        trainable : bool, int or str, default=True
            Which of its layers the other network trains, see :class:`~skstack.branches.PretrainedBranch`.

        Returns
        -------
        branch : PretrainedBranch
        """
        check_is_fitted(self)
        parts = {part.name: part for part in self.branches_}
        if name not in parts:
            raise ValueError(f"there is no branch {name!r}.{did_you_mean(name, parts)} Branches are {list(parts)}.")
        if self._assembly.differs_in(parts[name].branch):
            raise ValueError(
                f"branch {name!r} is not the same for all members (share_weights=True): it has dense layers with "
                "adapters, which no other network has."
            )
        values = self._compiled_call.values or values_of(self.model_)
        weights = self._assembly.weights_of_branch(parts[name], values)
        return PretrainedBranch(parts[name].branch, weights, trainable=trainable)

    # --- folds ------------------------------------------------------------------------------------------------------

    def split_validation(self, y, splits, *, sample_weight=None, groups=None):
        """Return the inner validation parts that a fit on all rows and one on the rows of each split would draw.

        Several networks of a stack can be given the same ones. Of a network of several members they are those of the
        first.

        Parameters
        ----------
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            Target values.
        splits : list of ndarray of int
            Training rows of each split.
        sample_weight : array-like of shape (n_samples,), default=None
            Rows of weight 0 are in no part.
        groups : array-like of shape (n_samples,), default=None
            Rows of a group stay on one side.

        Returns
        -------
        validation : list of (ndarray of int, ndarray of int) tuples
            Rows to train on and rows that decide when to stop: of all rows first, then of each split.
        """
        seed, parts = draw_seed(self.random_state), []
        for rows in (np.arange(len(y)), *splits):
            targets = self._targets(take(y, rows, axis=0), rows_of(sample_weight, rows))
            parts.append(tuple(rows[part] for part in split_targets(self, targets, rows_of(groups, rows), seed)))
        return parts

    def cross_fit(
        self,
        X,
        y,
        splits,
        *,
        sample_weight=None,
        groups=None,
        bar=None,
        deadline=None,
        validation=None,
        X_val=None,
        y_val=None,
        sample_weight_val=None,
        refit=True,
    ):
        """Fit this network on all rows and clones of it on the training rows of several splits.

        The results are those of a ``fit`` each, found in less time: see :ref:`the trainer <trainer>`.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_samples, n_features)
            Rows of data.
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            Target values.
        splits : list of ndarray of int
            Training rows of each split.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each row in the loss.
        groups : array-like of shape (n_samples,), default=None
            Rows of a group stay on one side when the inner validation part is split off.
        bar : object, default=None
            Progress bar of a stack that this network is a part of; ``None`` shows one if `verbose` is 1.
        deadline : object, default=None
            When training has to be over, in a stack with a time limit: each fit then ends with the epochs that it has
            had, and the best weights so far.
        validation : list of (ndarray of int, ndarray of int) tuples, default=None
            Rows to train on and rows that decide when to stop, of all rows and of each split, as
            :meth:`split_validation` returns them; ``None`` draws them as ``fit`` does. Of several members the first
            gets them, the others draw their own.
        X_val, y_val, sample_weight_val : array-like, default=None
            Rows that decide when each network stops, see :meth:`fit`.
        refit : bool, default=True
            Whether to fit this network on all rows; else it stays as it is, and only what the splits have in common is
            done for all rows.

        Yields
        ------
        fitted : estimator
            This network first, if it is fitted, then one for each split, which can predict and knows
            its ``history_``, and no more.
        """
        validation_rows = X_val, y_val, sample_weight_val
        given = X, y, splits, sample_weight, groups
        yield from cross_fit(self, *given, bar, deadline, validation, validation_rows, refit)

    def _adopt_columns(self, other):
        """Take over what another network recorded of the columns of X."""
        for name in ("n_features_in_", "feature_names_in_", "_row_shape"):
            if hasattr(other, name):
                setattr(self, name, getattr(other, name))

    # --- predicting -------------------------------------------------------------------------------------------------

    def _outputs(self, X):
        """Return the decoded outputs of the network for rows of X, by task."""
        check_is_fitted(self)
        X = check_table(self, X, reset=False)
        outputs = self._assembly.by_task(self._forward(X))
        decoded = {name: task.decode(outputs[name]) for name, task in self.tasks_.items()}
        return _finite(decoded, X, type(self).__name__)

    def _forward(self, X):
        """Return the outputs of the Keras model for a checked table."""
        return self._compiled_call(encode_rows(self._assembly, X))

    def __sklearn_is_fitted__(self):
        return hasattr(self, "_compiled_call")

    # --- scikit-learn -----------------------------------------------------------------------------------------------

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        branches = [branch for _, branch in self._named_parts] or [NumericBranch()]
        tags.input_tags.allow_nan = all(getattr(branch, "allow_missing", False) for branch in branches)
        tags.input_tags.sparse = all(getattr(branch, "accept_sparse", False) for branch in branches)
        tags.input_tags.string = True
        tags.non_deterministic = False
        return tags

    def _sk_visual_block_(self):
        parts = [split_part(part) for part in self.branches or [("numeric", NumericBranch(hidden=()))]]
        names, branches, columns = zip(*parts, strict=True)
        details = [None if chosen is None else str(chosen) for chosen in columns]
        return VisualBlock("parallel", branches, names=names, name_details=details, dash_wrapped=False)


def _finite(decoded, X, owner):
    """Return predictions by task, or raise if one is no finite number, naming its row."""
    for values in decoded.values():
        if not np.isfinite(values).all():
            row = row_name(X, np.argwhere(~np.isfinite(values))[0][0])
            raise ValueError(
                f"{owner} predicts NaN or infinity for {row}: its weights or the cells of this row are too large to "
                "compute with."
            )
    return decoded
