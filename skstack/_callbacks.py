"""scikit-learn's callbacks in networks and stacks; see :mod:`sklearn.callback`."""

from contextlib import contextmanager, nullcontext
from copy import copy

from ._compat import NoCallbacks, callback_management_context, take
from ._epoch_scores import epoch_listener
from ._progress import Lines, Watchers, showing_bar


@contextmanager
def callback_context(estimator, name, X, y, sample_weight, n_subtasks, sequential=True):
    """Tell the callbacks of an estimator that a block fits it.

    Parameters
    ----------
    estimator : estimator
    name : str
        Of what scikit-learn calls the task.
    X, y, sample_weight
        What it is fitted to.
    n_subtasks : int
        The most parts that it is made of.
    sequential : bool, default=True
        Whether these are done one after the other.

    Yields
    ------
    context : sklearn.callback.CallbackContext
        Of this fit; before scikit-learn 1.9 one that tells nobody.
    """
    data = {"estimator": estimator, "X": X, "y": y, "metadata": weights_as_metadata(sample_weight)}
    with callback_management_context(estimator):
        context = estimator._init_callback_context(
            task_name=name, max_subtasks=n_subtasks, sequential_subtasks=sequential
        )
        context.call_on_fit_task_begin(**data)
        yield context
        context.call_on_fit_task_end(**data, reconstruction_attributes=dict)


def has_callbacks(estimator):
    """Tell whether an estimator has callbacks of scikit-learn."""
    return bool(getattr(estimator, "_skl_callbacks", None))


@contextmanager
def watching(network, epochs=None, n_networks=1, fits=("",), bar=None, ends=None):
    """Begin to watch the training of a network.

    Parameters
    ----------
    network : estimator
        Its `verbose` says what is shown.
    epochs : EpochCallbacks, default=None
        Used if the network has callbacks of scikit-learn, or a search listens to its epochs.
    n_networks : int, default=1
        The network and its clones for folds.
    fits : list of str, default=("",)
        What the fits of each of them are called, if there are several.
    bar : Bar, default=None
        The one of a stack around the network.
    ends : EndInTime, default=None
        Who ends the training, in a stack with a time limit.

    Yields
    ------
    watchers : Watchers
    """
    n_fits = n_networks * len(fits)
    with showing_bar(type(network).__name__, n_fits, network.verbose == 1 and bar is None) as own_bar:
        for shown in filter(None, (bar, own_bar)):
            shown.divide(fits)
        lines = Lines(n_fits, fits) if network.verbose > 1 else None
        listener = epoch_listener(network, epochs) if epochs is not None else None
        watchers = [bar, own_bar, lines, epochs if has_callbacks(network) else None, ends, listener]
        yield Watchers(watcher for watcher in watchers if watcher is not None)


def weights_as_metadata(sample_weight):
    """Return what callbacks are told of the weights of rows."""
    return None if sample_weight is None else {"sample_weight": sample_weight}


class EpochCallbacks:
    """Tells scikit-learn's callbacks about the training of networks; a watcher, see :mod:`skstack.training`.

    Parameters
    ----------
    network : estimator
        Whose callbacks they are.
    context : sklearn.callback.CallbackContext
        Of its fit.
    X, y, sample_weight
        What it is fitted to.
    fitted : callable
        Returns the attributes of a fitted network, from its index and its values.
    folds : list of ndarray of int, default=None
        Rows of each fold, which then has a context of its own; ``None`` where there is one network only.
    fits : list of str, default=("",)
        What the fits of each network are called, each of which then has a context of its own, if there are several;
        indices are as in Counting.
    """

    def __init__(self, network, context, X, y, sample_weight, fitted, folds=None, fits=("",)):
        self._network, self._context, self._fitted, self._folds = network, context, fitted, folds
        self._X, self._y, self._weight = X, y, sample_weight
        self._fits = fits
        self._parents, self._epochs = {}, {}

    def as_it_stands(self, index, values):
        """Return the network as if its training were over, with the given values."""
        network = copy(self._network)
        vars(network).update(self._fitted(self._place(index)[1], values()))
        return network

    def begin(self, index, n_epochs):
        """See Watchers."""
        self._parents[index] = self._context
        if self._names(index):
            fit = self._context.subcontext(
                task_name=", ".join(self._names(index)), task_id=index, max_subtasks=n_epochs
            )
            self._parents[index] = fit.call_on_fit_task_begin(**self._data(index))

    def begin_epoch(self, index):
        """See Watchers."""
        epoch = self._parents[index].subcontext(task_name="epoch")
        self._epochs[index] = epoch.call_on_fit_task_begin(**self._data(index))

    def end_epoch(self, index, logs, values):
        """See Watchers."""
        return self._epochs.pop(index).call_on_fit_task_end(
            **self._data(index), reconstruction_attributes=lambda: self._fitted(self._place(index)[1], values())
        )

    def end(self, index):
        """See Watchers."""
        if self._names(index):
            self._parents[index].call_on_fit_task_end(**self._data(index))

    def _place(self, index):
        """Return the position of a fit among those of its network, and of the network among all."""
        return divmod(index, 1 if self._folds is None else len(self._folds))

    def _names(self, index):
        """Return what tells a fit apart from others."""
        fit, network = self._place(index)
        of_folds = [] if self._folds is None else [f"fold {network}" if network else "all rows"]
        return [*filter(None, [self._fits[fit]]), *of_folds]

    def _data(self, index):
        """Return what callbacks are told; the rows of a fold are taken only for those that ask for them."""
        if self._folds is None:
            return {
                "estimator": self._network,
                "X": self._X,
                "y": self._y,
                "metadata": weights_as_metadata(self._weight),
            }
        rows = self._folds[self._place(index)[1]]
        weight = None if self._weight is None else lambda: weights_as_metadata(take(self._weight, rows, axis=0))
        return {
            "estimator": self._network,
            "X": lambda: take(self._X, rows, axis=0),
            "y": lambda: take(self._y, rows, axis=0),
            "metadata": weight,
        }


class Stages:
    """Tells a bar and scikit-learn's callbacks which part of a stack is being fitted.

    Parameters
    ----------
    stack : estimator
    context : sklearn.callback.CallbackContext
        Of its fit.
    bar : Bar or None
    """

    def __init__(self, stack, context, bar):
        self._context, self._bar = context, bar
        # Without callbacks there is nothing that a worker process should know of the stack.
        self._owner = stack if has_callbacks(stack) else None
        self._index = 0

    @contextmanager
    def stage(self, name, n_fits, following="", deadline=None, is_guide=True):
        """Begin the next stage.

        Parameters
        ----------
        name : str
            Of a base model, or "final estimator".
        n_fits : int
            How often it is fitted.
        following : str, default=""
            Name of the stage after it, as far as it is known.
        deadline : Deadline, default=None
            When it has to be over.
        is_guide : bool, default=True
            Whether the time that fits have taken at its end says how long those that are left may take.

        Yields
        ------
        stage : Stage
        """
        stage = Stage(self._owner, self._context, self._bar, name, self._index, deadline)
        self._index += 1
        if self._bar is None:
            yield stage
            return
        with self._bar.stage(name, n_fits, following, is_guide):
            yield stage


class Stage:
    """The fits of a base model, or that of the final estimator.

    Parameters
    ----------
    owner : estimator or None
        The stack, if it has callbacks.
    context : sklearn.callback.CallbackContext
        Of the fit of the stack.
    bar : Bar or None
    name : str
    index : int
        Of the stage.
    deadline : Deadline, default=None
        When it has to be over.
    """

    def __init__(self, owner, context, bar, name, index, deadline=None):
        self._owner, self._context, self._name, self._index = owner, context, name, index
        self._n_fitted = 0
        self.bar, self.deadline = bar, deadline

    def whole(self):
        """Return the context of fitting an estimator that tells of its parts itself."""
        return FitContext(self._owner, self._context.subcontext(task_name=f"fit {self._name}", task_id=self._index))

    @contextmanager
    def parts(self, n_fits):
        """Yield a context for each of several fits."""
        context = self._context.subcontext(
            task_name=f"cross-fit {self._name}", task_id=self._index, max_subtasks=n_fits, sequential_subtasks=False
        ).call_on_fit_task_begin(estimator=self._owner)
        names = ["all rows", *(f"fold {index}" for index in range(1, n_fits))]
        # All before the first one runs: the tree must not change while it is on its way to another process.
        yield [
            FitContext(self._owner, context.subcontext(task_name=name, task_id=index))
            for index, name in enumerate(names)
        ]
        context.call_on_fit_task_end(estimator=self._owner)

    def paced(self, fits, n_rows, n_at_once):
        """Return all fits, or where there is a deadline as many at a time as run at once, until it cannot be met.

        Parameters
        ----------
        fits : list
        n_rows : list of int
            That each of them is a fit to.
        n_at_once : int
        """
        if self.deadline is None:
            return [fits]
        starts = range(0, len(fits), n_at_once)
        pieces = [fits[start : start + n_at_once] for start in starts]
        return self.deadline.paced(pieces, [max(n_rows[start : start + n_at_once]) for start in starts])

    def fitted(self):
        """Tell that one of several fits is over."""
        if self.bar is not None:
            self.bar.fitted(self._n_fitted)
        self._n_fitted += 1

    def ended(self, outcome):
        """Tell what came of the stage: a score, or that it was given up.

        Parameters
        ----------
        outcome : callable
            Returns a text; called only where it is shown.
        """
        if self.bar is not None:
            self.bar.outcome = outcome()


class FitContext:
    """A fit of an estimator inside a stack; can be sent to another process.

    Parameters
    ----------
    owner : estimator or None
        The stack, if it has callbacks.
    context : sklearn.callback.CallbackContext
    """

    def __init__(self, owner, context):
        self._owner, self._context = owner, context

    @contextmanager
    def fitting(self, estimator, X, y):
        """Tell the callbacks that a block fits the estimator, whose own contexts become those of the stack."""
        # Those that know no callbacks are steps of the stack; scikit-learn would warn of each.
        knows_callbacks = hasattr(estimator, "set_callbacks")
        with self._context.propagate_callback_context(estimator) if knows_callbacks else nullcontext():
            self._context.call_on_fit_task_begin(estimator=self._owner, X=X, y=y)
            yield
            self._context.call_on_fit_task_end(estimator=self._owner, X=X, y=y)


#: For base models that are fitted outside a stack.
SILENT = Stage(None, NoCallbacks(), None, "", 0)
