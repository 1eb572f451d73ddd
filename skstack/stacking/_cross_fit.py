"""Cross-fitting: predictions for every row by a model that never saw it."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from joblib import Parallel, delayed, effective_n_jobs
from scipy.stats import mode
from sklearn.base import clone, is_classifier
from sklearn.pipeline import Pipeline

from .._callbacks import SILENT
from .._columns import select_columns
from .._compat import num_samples, take
from .._parts import noting
from .._protocols import CrossFitter
from ..caching._keeping import Unit
from ..caching._result_files import MISSING
from ..tasks._base import Task
from ._splits import params_of_rows, predicted_rows

# --- base models ------------------------------------------------------------------------------------------------------


@dataclass
class BaseModel:
    """A base model of a stack: a learner with its columns, or a network over the columns of its branches.

    Parameters
    ----------
    name : str
    estimator : estimator
        Fitted to all rows by :meth:`cross_fit`, unless that was told otherwise.
    positions : list of int, int or None
        The columns of X that it gets; ``None`` for all.
    method : str
        What is called for its predictions.
    task : Task
        What the stack predicts.
    has_branches : bool, default=False
        Whether it is a network made of branches of the stack.
    fold_models : list of estimator, default=None
        Those that predict in the place of `estimator`, as :meth:`cross_fit` says.
    adds_individual : bool, default=False
        Whether its networks of single branches become base models too.
    kept_models : list of estimator, default=None
        The models of the folds, as long as these are wanted.
    histories : list of dict, default=None
        Loss and metrics of each fold after each epoch, of a base model that is trained in epochs.
    """

    name: str
    estimator: object
    positions: object
    method: str
    task: Task
    has_branches: bool = False
    fold_models: list | None = None
    adds_individual: bool = False
    kept_models: list | None = None
    histories: list | None = None

    @property
    def can_be_averaged(self):
        """Whether its predictions and those of other models have a meaningful mean."""
        return self.task.can_average(self.method) and self.task.predicts_same(self.estimator)

    @property
    def fitted(self):
        """The models that predict: several are averaged."""
        return self.fold_models or [self.estimator]

    def cross_fit(self, cross_fit, X, y, splits, fit_params, refit=True, **options):
        """Fit to the rows of each fold, and to all rows, and return the out-of-fold predictions.

        Parameters
        ----------
        cross_fit : callable
            :func:`cross_fit`, which may look into a cache first.
        refit : {True, "folds"}, default=True
            Whether to fit to all rows, or to keep the models of the folds.
        X, y, splits, fit_params, **options
            See there; rows to validate on have the columns of X.
        """
        of_folds = refit == "folds"
        options |= {"refit": not of_folds, "keep_fold_models": of_folds or self.adds_individual}
        columns = select_columns(X, self.positions)
        if "X_val" in fit_params:
            fit_params = {**fit_params, "X_val": select_columns(fit_params["X_val"], self.positions)}
        options |= {"fit_params": fit_params, "method": self.method, "task": self.task, "name": self.name}
        made = cross_fit(self.estimator, columns, y, splits, **options)
        if of_folds:
            self.fold_models = made.fold_models
        else:
            self.estimator = made.estimator
        self.kept_models = made.fold_models if self.adds_individual else None
        self.histories = made.histories
        return made.predictions

    def n_fits(self, splits):
        """Return how many fits cross-fitting takes, a network of several stages more than one for each split."""
        each = self.estimator.n_fits if isinstance(self.estimator, CrossFitter) else 1
        return each * (len(splits) + 1)

    def predict(self, X):
        """Return the columns that the final estimator gets from this model."""
        with noting(f"in base model {self.name!r}"):
            columns = select_columns(X, self.positions)
            each = [
                self.task.prediction_columns(model, getattr(model, self.method)(columns), self.method)
                for model in self.fitted
            ]
            votes = self.method == "predict" and is_classifier(self.estimator)
            return each[0] if len(each) == 1 else average_of_folds(each, votes)


# --- fitting ----------------------------------------------------------------------------------------------------------


@dataclass
class CrossFitted:
    """What cross-fitting makes.

    Parameters
    ----------
    estimator : estimator or None
        Fitted on all rows, if that was asked for.
    predictions : ndarray of shape (n_samples, n_columns)
        Out-of-fold; NaN for rows that no split predicts.
    fold_models : list of estimator or None
        Fitted on the training rows of each split, if they were asked for.
    histories : list of dict or None
        Loss and metrics after each epoch, for each split, of an estimator that has a ``history_``.
    """

    estimator: object
    predictions: np.ndarray
    fold_models: list | None = None
    histories: list | None = None


def cross_fit(
    estimator,
    X,
    y,
    splits,
    *,
    method,
    task,
    fit_params=None,
    validation=None,
    refit=True,
    keep_fold_models=False,
    name="",
    n_jobs=None,
    verbose=0,
    stage=SILENT,
):
    """Fit an estimator once per split for out-of-fold predictions, and on all rows.

    A function of its arguments alone: it knows neither stacks nor networks. Where results are kept
    (:func:`~skstack.caching._keeping.keeping`), what was fitted before in the same way is not fitted again.

    Parameters
    ----------
    estimator : estimator
        Cloned for every fit.
    X : DataFrame, array or sparse matrix of shape (n_samples, ...)
    y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
        Encoded labels.
    splits : list of (ndarray, ndarray)
        Rows to fit on and rows to predict. A row may be predicted several times, which gives the average, or never.
    method : str
        What to call for predictions.
    task : Task
        Fitted; makes the columns of the predictions.
    fit_params : dict, default=None
        Further arguments of ``fit``; those with a value per row are cut to the rows of a split.
    validation : list of (ndarray, ndarray), default=None
        For a CrossFitter: the rows to train on and to validate on, of all rows and of each split.
    refit : bool, default=True
        Whether to fit it on all rows, too.
    keep_fold_models : bool, default=False
        Whether to return the estimators of the splits too.
    name : str, default=""
        Of the base model, for messages.
    n_jobs : int, default=None
        How many fits run at a time.
    verbose : int, default=0
        Verbosity of joblib.
    stage : Stage
        Is told how far it is.

    Returns
    -------
    made : CrossFitted

    Raises
    ------
    ValueError
        If a prediction is not finite. Errors of the estimator get a note that says where they come from.
    """
    fits, fit_params = _fits(splits, refit), fit_params or {}
    how = _How(f"in base model {name!r}", method, task, keep_fold_models)
    if isinstance(estimator, CrossFitter):
        results = _fit_all_at_once(clone(estimator), X, y, fits, fit_params, how, validation, stage)
    else:
        results = _fit_one_by_one(estimator, X, y, fits, fit_params, how, n_jobs, verbose, stage)
    fitted, of_folds = (results[0].model, results[1:]) if refit else (None, results)
    predictions = _gather(num_samples(X), splits, [fold.predicted for fold in of_folds])
    if not np.isfinite(predictions[predicted_rows(splits)]).all():
        raise ValueError(f"base model {name!r} predicted NaN or infinity for a row that it was not fitted on.")
    histories = [fold.history for fold in of_folds]
    return CrossFitted(
        fitted,
        predictions,
        [fold.model for fold in of_folds] if keep_fold_models else None,
        histories if any(histories) else None,
    )


@dataclass
class _How:
    """What all fits of a base model have in common."""

    where: str
    method: str
    task: Task
    keep_fold_models: bool

    def unit(self, estimator, X, y, *others):
        """Return the unit of work that is determined by an estimator, data and all of this."""
        determine = self.method, self.task, self.keep_fold_models
        return Unit.of(self.where.removeprefix("in "), estimator, X, y, *determine, *others)


class _Fit(NamedTuple):
    """One of the fits of a base model: the rows to fit on and to predict, or ``None`` for all rows and none."""

    which: str
    training: np.ndarray | None = None
    held_out: np.ndarray | None = None


def _fits(splits, refit):
    of_folds = [_Fit(f"fold {index} of {len(splits)}", *rows) for index, rows in enumerate(splits, start=1)]
    return [_Fit("fitted on all rows"), *of_folds] if refit else of_folds


def _fit_one_by_one(estimator, X, y, fits, fit_params, how, n_jobs, verbose, stage):
    """Fit a clone for each of several fits that is not kept from an earlier one."""
    unit = how.unit(estimator, X, y, fit_params)
    units = [unit.part(fit.training, fit.held_out) for fit in fits]
    results = [unit.find() for unit in units]
    missing = [index for index, result in enumerate(results) if result is MISSING]
    if not missing:
        return results
    n_at_once, made = effective_n_jobs(n_jobs), []
    n_folds = sum(fit.held_out is not None for fit in fits)
    with stage.parts(n_folds + 1) as contexts:
        # Without that of all rows, which comes first, where there is no such fit.
        contexts = contexts[-len(fits) :]
        work = [(fits[index], contexts[index], units[index]) for index in missing]
        n_rows = [num_samples(X) if fit.training is None else len(fit.training) for fit, _, _ in work]
        for some in stage.paced(work, n_rows, n_at_once):
            made += Parallel(n_jobs=n_jobs, verbose=verbose)(
                # What has rows is an argument of its own, which backends that look for data send once for all fits.
                delayed(_kept_fit)(unit, clone(estimator), X, y, *fit, how, context, **fit_params)
                for fit, context, unit in (_in_turn(some, stage) if n_at_once == 1 else some)
            )
    for index, result in zip(missing, made, strict=True):
        units[index].add(result)
        results[index] = result
    return results


def _in_turn(work, stage):
    """Yield fits of which each is over when the next one is asked for."""
    for one in work:
        yield one
        stage.fitted()


def _kept_fit(unit, /, *args, **fit_params):
    return unit.get(lambda: _fit_and_predict(*args, **fit_params))


def _fit_and_predict(estimator, X, y, which, training, held_out, how, context, /, **fit_params):
    X_fit, y_fit = X, y
    if training is not None:
        X_fit, y_fit = take(X, training, axis=0), y[training]
        fit_params = params_of_rows(fit_params, training, num_samples(X))
    with noting(f"{how.where}, {which}"):
        with context.fitting(estimator, X_fit, y_fit):
            estimator.fit(X_fit, y_fit, **fit_params)
        return _predicted(estimator, X, held_out, how)


class _Fitted(NamedTuple):
    """What comes of a fit: the estimator, where it is wanted, predictions of the rows held out, and how it went."""

    model: object
    predicted: np.ndarray | None = None
    history: dict | None = None


def _predicted(estimator, X, held_out, how):
    if held_out is None:
        return _Fitted(estimator)
    predictions = getattr(estimator, how.method)(take(X, held_out, axis=0))
    # Between processes, sending back the estimator of a fold would cost more than the predictions.
    kept = estimator if how.keep_fold_models else None
    columns = how.task.prediction_columns(estimator, predictions, how.method)
    return _Fitted(kept, columns, training_history(estimator))


def training_history(estimator):
    """Return loss and metrics of an estimator after each epoch of its training, or of the last step of a pipeline.

    Parameters
    ----------
    estimator : estimator
        Fitted.

    Returns
    -------
    history : dict of str to list of float, or None
        None where it has none, as it was not trained in epochs or is wrapped in something else.
    """
    if isinstance(estimator, Pipeline):
        estimator = estimator.steps[-1][1]
    history = getattr(estimator, "history_", None)
    return {name: [float(value) for value in values] for name, values in history.items()} if history else None


def _fit_all_at_once(estimator, X, y, fits, fit_params, how, validation, stage):
    """Do the same with an estimator that has a faster way than a clone for every fold."""
    rows = [(fit.training, fit.held_out) for fit in fits]
    # Folds that are trained together are kept together: one of them trained alone could differ in its last digits.
    unit = how.unit(estimator, X, y, fit_params, rows, validation)
    return unit.get(lambda: _fitted_at_once(estimator, X, y, fits, fit_params, how, validation, stage))


def _fitted_at_once(estimator, X, y, fits, fit_params, how, validation, stage):
    results = []
    with stage.whole().fitting(estimator, X, y), noting(how.where):
        training = [fit.training for fit in fits if fit.training is not None]
        refit = len(fits) > len(training)
        shown = {"bar": stage.bar, "deadline": stage.deadline}
        models = estimator.cross_fit(X, y, training, validation=validation, refit=refit, **shown, **fit_params)
        for model, fit in zip(models, fits, strict=True):
            with noting(fit.which):
                results.append(_predicted(model, X, fit.held_out, how))
    return results


def predict_out_of_fold(models, X, splits, method, task):
    """Return predictions of every row by models that never saw it.

    Parameters
    ----------
    models : list of estimator
        Fitted on the training rows of each split.
    X : DataFrame, array or sparse matrix of shape (n_samples, ...)
    splits : list of (ndarray, ndarray)
    method : str
        What to call for predictions.
    task : Task

    Returns
    -------
    predictions : ndarray of shape (n_samples, n_columns)
    """
    predictions = []
    for model, (_, held_out) in zip(models, splits, strict=True):
        predicted = getattr(model, method)(take(X, held_out, axis=0))
        predictions.append(task.prediction_columns(model, predicted, method))
    return _gather(num_samples(X), splits, predictions)


def _gather(n_samples, splits, predictions):
    """Average the predictions of each row over the splits that held it out."""
    held_out = [rows for _, rows in splits]
    counts = np.bincount(np.concatenate(held_out), minlength=n_samples)
    total = np.zeros((n_samples, predictions[0].shape[1]), dtype=np.result_type(*predictions))
    for rows, predicted in zip(held_out, predictions, strict=True):
        np.add.at(total, rows, predicted)  # a split may name a row twice
    if (counts == 1).all():
        return total
    return total / np.where(counts == 0, np.nan, counts)[:, np.newaxis]


def average_of_folds(predictions, votes):
    """Return one prediction of each row from those of the models of several folds.

    Parameters
    ----------
    predictions : list of ndarray of shape (n_samples, n_columns)
    votes : bool
        Whether they are classes, which have no mean: the most frequent one is taken, of equals the first.

    Returns
    -------
    average : ndarray of shape (n_samples, n_columns)
    """
    stacked = np.stack(predictions)
    if votes:
        return mode(stacked, axis=0).mode
    if stacked.dtype.kind != "f":
        return stacked.mean(axis=0)
    # A class that a fold does not know has the lowest score there is: those that know it decide.
    unknown = np.finfo(stacked.dtype).min
    return np.ma.masked_equal(stacked, unknown).mean(axis=0).filled(unknown)
