"""Training a network for all folds at once."""

from contextlib import contextmanager

import numpy as np
from sklearn.base import clone

from .._callbacks import EpochCallbacks, callback_context, watching
from .._compat import take
from .._deadline import EndInTime
from .._parts import noting
from .._validation import rows_of, split_rows
from ..training._fit import Job
from ..training._inference import predicting
from ..training._seeds import draw_seed, seeded
from ._assembly import Assembly, encode_rows, fit_branches
from ._initial_values import InitialValues
from ._members import TrainedMember, individual_networks, member_jobs, member_seeds
from ._staged import Member, StagedTraining, fits_of
from ._stages import stages_of
from ._validation_rows import ValidationRows


def cross_fit(network, X, y, splits, sample_weight, groups, bar, deadline, validation, validation_rows, refit):
    """Fit a network on all rows, and clones of it on the training rows of each split.

    The result is that of a ``fit`` for each of them. What they have in common is done once: encoding rows, building and
    compiling a Keras model, and where that is faster they are trained together.

    Parameters
    ----------
    network : MultimodalNetworkRegressor or MultimodalNetworkClassifier
        Gets fitted on all rows.
    X : DataFrame or array-like of shape (n_samples, n_features)
    y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
    splits : list of ndarray of int
        Training rows of each split.
    sample_weight, groups : array-like of shape (n_samples,) or None
        See ``fit``.
    bar : Bar or None
    deadline : Deadline or None
        When training has to be over.
    validation : list of (ndarray of int, ndarray of int) tuples or None
        See ``MultimodalNetworkRegressor.cross_fit``.
    validation_rows : tuple of array-like or None
        ``X_val``, ``y_val`` and ``sample_weight_val`` of ``fit``.
    refit : bool
        Whether to train the network on all rows too.

    Yields
    ------
    fitted : estimator
        `network` itself, unless it is not refitted, and for each split a network that can predict and
        knows how it was trained, and no more.
    """
    X, targets = network._check_fit_data(X, y, sample_weight, groups, reset=True)
    given = _Given(X, y, targets.sample_weight, groups, ValidationRows.of(network, *validation_rows))
    folds = _make_folds(network, given, targets, splits, validation)
    # What all rows have in common is prepared by the fold of all rows, whether or not it is trained.
    reference, trainings = folds[0], folds if refit else folds[1:]
    alike = [fold for fold in trainings if fold.shares_program]
    with _watching(network, (X, y, sample_weight), folds, bar, deadline, len(trainings)) as watchers:
        if alike:
            _train(alike, len(folds), watchers)
        for fold in trainings:
            if not fold.shares_program:
                _train([fold], len(folds), watchers)
            yield fold.finish(reference)


def _make_folds(network, given, targets, splits, validation):
    """Return the fold of all rows, then those of the splits."""
    of_all, *of_splits = [None] * (len(splits) + 1) if validation is None else validation
    folds = [Fold(network, given, np.arange(len(given.y)), of_all, targets)]
    for index, (rows, inner) in enumerate(zip(splits, of_splits, strict=True), start=1):
        with noting(f"fold {index} of {len(splits)}"):
            folds.append(Fold(clone(network), given, rows, inner, reference=folds[0], index=index))
    return folds


class _Given:
    """What all folds take their rows from; weights are checked."""

    def __init__(self, X, y, sample_weight, groups, validation_rows):
        self.X, self.y, self.sample_weight, self.groups = X, y, sample_weight, groups
        self.validation_rows = validation_rows


@contextmanager
def _watching(network, data, folds, bar, deadline, n_trained):
    fits = fits_of(stages_of(network), network._branch_names(), network.n_networks)
    n_fits = len(folds) * len(fits)
    with callback_context(network, "cross-fit", *data, n_fits, sequential=False) as context:
        epochs = EpochCallbacks(
            network,
            context,
            *data,
            lambda index, values: folds[index].fitted_attributes([values]),
            folds=[fold.rows for fold in folds],
            fits=fits,
        )
        ends = None if deadline is None else EndInTime(deadline, n_trained * len(fits))
        with watching(network, epochs, len(folds), fits, bar, ends) as watchers:
            yield watchers


def _train(folds, n_folds, watchers):
    """Train networks of one architecture, which are some of all."""
    first, members = folds[0], [member for fold in folds for member in fold.members]
    StagedTraining(first.network, first.model, members, n_folds, watchers).run(stages_of(first.network))


class Fold:
    """A network with its members, and what it learns before training from the rows that it is fitted on.

    Parameters
    ----------
    network : estimator
    given : _Given
    rows : ndarray of int
        The rows of the fold.
    split : (ndarray of int, ndarray of int) tuple or None
        Those of them that are trained on, and those that decide when to stop.
    targets : Targets, default=None
        Of these rows, where they have been checked.
    reference : Fold, default=None
        The fold of all rows, which has checked X and may share what it made; ``None`` for that fold itself.
    index : int, default=0
    """

    def __init__(self, network, given, rows, split, targets=None, reference=None, index=0):
        self.network, self.rows = network, rows
        groups, of_reference = given.groups, None
        if reference is not None:
            network._adopt_columns(reference.network)
            targets = network._targets(take(given.y, rows, axis=0), rows_of(given.sample_weight, rows))
            groups, of_reference = rows_of(groups, rows), (reference.assembly, reference.inputs)
        seed = draw_seed(network.random_state)
        draws = given.validation_rows is None
        seeds = member_seeds(seed, network.n_networks)
        splits = split_members(network, targets, groups, seeds, draws)
        if split is not None:
            splits[0] = _places(rows, split)
        self.assembly = assemble(network, given.X, targets, rows, splits[0][0])
        self.inputs = encode_rows(self.assembly, given.X, like=of_reference)
        self.shares_program = reference is None or self.assembly.is_built_like(reference.assembly)
        self.seed = seed
        self.model = reference.model if self.shares_program and reference is not None else self._built()
        known = {} if reference is None else reference.members[0].job.data
        data = {"inputs": self.inputs, **_spread(self.assembly.encode_targets(targets), rows, len(given.y), known)}
        name = f"fold {index}" if index else ""
        values = self._initial_values(reference).of_members(seeds, self.assembly)
        splits = [tuple(rows[part] for part in split) for split in splits]
        job = Job(values[0], data, *splits[0], seed, index=index, name=name)
        if given.validation_rows is not None:
            like = None if reference is None else (reference.assembly, reference.members[0].job)
            job, splits = given.validation_rows.deciding(job, network, self.assembly, like), None
        jobs = member_jobs(network, job, values, seeds, splits)
        self.members = [Member(self.assembly, of_member, number=number) for number, of_member in enumerate(jobs)]

    def _built(self):
        with seeded(self.seed):
            return self.assembly.build()

    def _initial_values(self, reference):
        """Return what draws the values that training begins with; folds of the same seed begin alike."""
        if reference is None:
            self.initial = InitialValues(self.assembly, self.model, self.seed)
            return self.initial
        if self.shares_program and self.seed == reference.seed:
            return reference.initial
        return InitialValues(self.assembly, self._built() if self.shares_program else self.model, self.seed)

    def finish(self, reference):
        """Return the fitted network; `reference` is the fold of all rows."""
        network, members = self.network, self.members
        self.members = None  # nobody needs the values any more
        values = [member.job.values for member in members]
        if reference is self:
            network._begin(self.assembly, self.model, values)
            network._take_over(members)
            return network
        vars(network).update(self.fitted_attributes(values))
        network._keep([TrainedMember(history=member.history, stages=member.stages) for member in members])
        if network.keep_individual and members[0].individual:
            like = vars(reference.network).get("individual_networks_") if self.shares_program else None
            network.individual_networks_ = individual_networks(network, members, like)
        return network

    def fitted_attributes(self, values):
        """Return the attributes of a network of the same parameters that predicts with the values of its members."""
        call = predicting(self.model, values)
        return vars(self.network) | self.network._learned_attributes(self.assembly) | {"_compiled_call": call}


def assemble(network, X, targets, rows, training):
    """Let branches and tasks learn from training rows, and return them as an Assembly.

    Parameters
    ----------
    network : estimator
    X : DataFrame or ndarray of shape (n_samples, ...)
    targets : Targets
        Of the given rows.
    rows : ndarray of int
        Rows of X.
    training : ndarray of int
        Which of the given rows are trained on.
    """
    targets.fit(training, network._given_losses(targets.tasks))
    weight = rows_of(targets.row_weight, training)
    branches = fit_branches(network._validated_branches(), X, rows[training], weight)
    return Assembly(branches, targets.tasks, network._architecture())


def split_targets(network, targets, groups, seed, draws=True):
    """Return which rows are trained on, and which decide when to stop; rows of weight 0 do neither.

    Parameters
    ----------
    network : estimator
    targets : Targets
    groups : array-like of shape (n_samples,) or None
    seed : int
    draws : bool, default=True
        Whether to set rows aside at all, where the network wants to stop early.

    Returns
    -------
    training, validation : ndarray of int
    """
    fraction = network.validation_fraction if network.early_stopping and draws else 0
    rows = targets.weighted_rows()
    labels = rows_of(targets.stratify_labels(), rows)
    latest = network.validation_part == "latest"
    groups = rows_of(groups, rows)
    training, validation = split_rows(len(rows), groups, fraction, seed, labels=labels, latest=latest)
    return rows[training], rows[validation]


def split_members(network, targets, groups, seeds, draws=True):
    """Return what :func:`split_targets` does for each member of a network.

    Each sets other rows aside, unless these are the latest: their mean has then seen nearly all rows, and depends less
    on which they are. Branches and tasks learn from the training rows of the first.
    """
    return [split_targets(network, targets, groups, seed, draws) for seed in seeds]


def _places(rows, split):
    """Return where the rows of a split stand among the rows of a fold."""
    order = np.argsort(rows, kind="stable")
    return [order[np.searchsorted(rows[order], part)] for part in split]


def _spread(encoded, rows, n_samples, known):
    """Return targets and weights of some rows at the places of these rows among all.

    An array of `known` that holds the same for these rows is taken itself: one on the device then serves both.
    """
    if len(rows) == n_samples and (rows == np.arange(n_samples)).all():
        return encoded
    return {kind: _spread_parts(parts, rows, n_samples, known.get(kind, {})) for kind, parts in encoded.items()}


def _spread_parts(parts, rows, n_samples, known):
    spread = {}
    for name, part in parts.items():
        spread[name] = np.zeros((n_samples, *part.shape[1:]), dtype=part.dtype)
        spread[name][rows] = part
        of_all = known.get(name)
        if of_all is not None and of_all.dtype == part.dtype and of_all.shape == spread[name].shape:
            spread[name] = of_all if np.array_equal(part, of_all[rows]) else spread[name]
    return spread
