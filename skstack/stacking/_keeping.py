"""Where a stack keeps its finished base models: in a folder that any fit may use, or in one that belongs to a fit."""

from contextlib import nullcontext

from ..caching._belonging import Fact, Record, facts_of_data, facts_of_parameters, take_folder
from ..caching._keeping import Unit, keeping
from ..caching._results import FolderResults
from ..training._seeds import draw_seed
from ._cross_fit import cross_fit


class Keeping:
    """Where the base models of a fit of a stack are kept, if they are.

    Parameters
    ----------
    stack : estimator
    X : DataFrame, array or sparse matrix of shape (n_samples, ...)
    y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
        Encoded labels.
    task : Task
        Fitted.
    others : dict of str to object
        What else the stack is fitted to, None where it is not given.

    Attributes
    ----------
    seed : int
        For the random numbers of the fit: that of the fit that a checkpoint goes on with.

    Raises
    ------
    ValueError
        If the folder of `checkpoint` belongs to another fit.
    OSError
        If nothing can be written there.
    """

    def __init__(self, stack, X, y, task, others):
        self.seed, self._results, self._splits = draw_seed(stack.random_state), None, Unit(None, None)
        if stack.checkpoint is not None:
            if stack.memory is not None:
                raise ValueError(
                    "'checkpoint' and 'memory' both keep fitted base models: give 'checkpoint' for one fit that may be "
                    "stopped and run again, or 'memory' for what many fits share."
                )
            record = Record(
                f"a fit of {type(stack).__name__}", facts_of_parameters(stack), _data(X, y, task, others), self.seed
            )
            self.seed = take_folder(stack.checkpoint, record).seed
            self._results = FolderResults(stack.checkpoint)
            self._splits = Unit(self._results, "splits")
        elif stack.memory is not None and not hasattr(stack.memory, "cache"):
            self._results = FolderResults(stack.memory)

    def splits(self, make):
        """Return what `make` returns, or the splits of the fit that a checkpoint goes on with."""
        return self._splits.get(make)

    def block(self):
        """Return a context manager in which base models are kept; without a folder of its own, as it was outside."""
        return nullcontext() if self._results is None else keeping(self._results)


def cached_cross_fit(memory):
    """Return :func:`cross_fit`, cached by an object with the interface of joblib.Memory if `memory` is one."""
    if not hasattr(memory, "cache"):
        return cross_fit
    return memory.cache(cross_fit, ignore=["name", "n_jobs", "verbose", "stage"])


def _data(X, y, task, others):
    facts = facts_of_data({"X": X, "y": y, **others})
    return {**facts, "y": Fact.of((y, task), facts["y"].text)}  # the classes that labels stand for
