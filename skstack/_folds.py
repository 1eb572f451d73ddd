"""Training a network for all folds at once."""

from contextlib import contextmanager

import numpy as np
from sklearn.base import clone

from ._callbacks import EpochTasks, callback_task, watching
from ._validation import rows_of
from .training._fit import Task, fit
from .training._inference import CompiledCall
from .training._seeds import draw_seed, seeded
from .training._steps import Values


def cross_fit(network, X, y, splits, *, sample_weight=None, groups=None, bar=None):
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
    sample_weight, groups : array-like of shape (n_samples,), default=None
        See ``fit``.
    bar : Bar, default=None
        See ``MultimodalNetworkRegressor.cross_fit``.

    Yields
    ------
    fitted : estimator
        `network` itself, and for each split a network that can predict, and no more.
    """
    settled = _Fold(network, X, y, np.arange(len(y)), sample_weight, groups, None)
    folds = [settled, *(_Fold(clone(network), settled.X, y, rows, sample_weight, groups, settled) for rows in splits)]
    for number, fold in enumerate(folds):
        fold.task.number = number
    alike = [fold for fold in folds if fold.is_like(settled)]
    with _watching(network, settled, folds, y, sample_weight, bar) as watchers:
        trained = dict(zip(map(id, alike), _train(settled.network, alike, watchers), strict=True))
        for fold in folds:
            if id(fold) not in trained:
                (trained[id(fold)],) = _train(fold.network, [fold], watchers)
            yield fold.finish(trained.pop(id(fold)), settled)


@contextmanager
def _watching(network, settled, folds, y, sample_weight, bar):
    data, n_fits = (settled.X, y, sample_weight), len(folds)
    with callback_task(network, "cross-fit", *data, n_fits, sequential=False) as context:
        tasks = EpochTasks(
            network,
            context,
            *data,
            lambda number, values: folds[number].fitted_attributes(values, settled),
            folds=[fold.rows for fold in folds],
        )
        with watching(network, tasks, n_fits, bar) as watchers:
            yield watchers


def _train(network, folds, watchers):
    settings, tasks = network._compile_arguments(), [fold.task for fold in folds]
    schedule = network._schedule(network.epochs, watchers)
    return fit(network.model_, settings, network._training_program(settings), tasks, schedule)


class _Fold:
    """A network and the rows it is fitted on.

    Parameters
    ----------
    network : estimator
    X, y, sample_weight, groups
        Of all rows.
    rows : ndarray of int
        The rows of the fold.
    settled : _Fold or None
        The fold of all rows, which has checked X and may share what it made.
    """

    def __init__(self, network, X, y, rows, sample_weight, groups, settled):
        self.network = network
        if settled is None:
            X, y_of_rows, weight = network._check_fit_data(X, y, sample_weight, groups, reset=True)
        else:
            network._adopt_columns(settled.network)
            y_of_rows, weight = network._check_fit_target(y[rows], rows_of(sample_weight, rows))
        self.X, self.rows = X, rows
        seed = draw_seed(network.random_state)
        training, validation = network._split(y_of_rows, weight, rows_of(groups, rows), seed)
        network._learn(X, y_of_rows, rows, training, weight)
        self.shared = None if settled is None or not network._is_built_like(settled.network) else settled
        self.inputs = network._encode(X, like=None if settled is None else (settled.network, settled.inputs))
        data = {"inputs": self.inputs, "target": self._spread(network.target_encoder_.encode(y_of_rows), rows, len(y))}
        if weight is not None:
            data["weight"] = self._spread(weight, rows, len(y))
        if settled is not None:
            data |= {name: _same(part, settled.data[name], rows) for name, part in data.items() if name != "inputs"}
        self.data, self.seed = data, seed
        self.task = Task(self._values(settled), data, rows[training], rows[validation], seed)

    def is_like(self, settled):
        """Tell whether this fold trains the same architecture."""
        return self is settled or self.shared is settled

    def finish(self, trained, settled):
        """Return the fitted network."""
        if self is settled:
            self.network.history_ = {}
            self.network._compiled_call = CompiledCall(self.network.model_)
            self.network._take_over(trained, self.network._compile_arguments())
        else:
            vars(self.network).update(self.fitted_attributes(trained.values, settled))
            vars(self.network).pop("model_", None)  # it would be the untrained one
        return self.network

    def fitted_attributes(self, values, settled):
        """Return the attributes of a network of the same parameters that predicts with the given values."""
        model = settled.network.model_ if self.shared else self.network.model_
        return vars(self.network) | {"_compiled_call": CompiledCall(model, values)}

    def _values(self, settled):
        """Return the initial values of the network."""
        network = self.network
        if self.shared and self.seed == settled.seed:
            model = settled.network.model_
            settled.untouched.write_to(model)
        else:
            with seeded(self.seed):
                model = network._build_keras_model()
            if not self.shared:
                network.model_ = model
        self.untouched = Values.of(model)
        network._pour(model)
        return Values.of(model)

    @staticmethod
    def _spread(values, rows, n_samples):
        """Return values of the fold's rows at the places of these rows among all."""
        if len(rows) == n_samples and (rows == np.arange(n_samples)).all():
            return values
        spread = np.zeros((n_samples, *values.shape[1:]), dtype=values.dtype)
        spread[rows] = values
        return spread


def _same(part, of_all, rows):
    """Return the array of all rows if the fold's rows are the same in it: one on the device then serves both."""
    alike = part.dtype == of_all.dtype and part.shape == of_all.shape and np.array_equal(part[rows], of_all[rows])
    return of_all if alike else part
