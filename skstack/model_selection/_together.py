"""A backend of joblib in which the fits of a search take turns, so that their networks are trained together."""

from contextlib import contextmanager
from functools import partial

from joblib import Parallel, delayed, effective_n_jobs, parallel_config
from joblib.parallel import ParallelBackendBase, get_active_backend

from .._protocols import TrainsNetworks
from .._turns import run_in_turns

#: Fits that take turns at once: each holds its rows, and more networks than these share one program anyway.
_AT_ONCE = 64


def trains_networks(estimator):
    """Tell whether fits of an estimator, or of a part of it, train networks."""
    parts = estimator.get_params().values() if hasattr(estimator, "get_params") else ()
    return any(isinstance(part, TrainsNetworks) for part in (estimator, *parts))


@contextmanager
def together(n_jobs):
    """Let calls of ``joblib.Parallel`` in the block run their tasks in turns.

    Parameters
    ----------
    n_jobs : int or None
        How many processes share the tasks; those of each take turns.
    """
    n_jobs = effective_n_jobs(n_jobs)
    outside = get_active_backend()[0] if n_jobs > 1 else None
    with parallel_config(backend=TogetherBackend(n_jobs, outside)):
        yield


class TogetherBackend(ParallelBackendBase):
    """Runs tasks when the first result is asked for: in turns, in this process or in several.

    Parameters
    ----------
    n_jobs : int
    outside : ParallelBackendBase or None
        What runs tasks in several processes.
    """

    supports_sharedmem = True

    def __init__(self, n_jobs=1, outside=None, **options):
        super().__init__(**options)
        self._n_jobs, self._outside = n_jobs, outside
        self._waiting = []

    def effective_n_jobs(self, n_jobs):
        """Return a number at which joblib hands over as many tasks as there are."""
        return 2**16

    def submit(self, func, callback=None):
        """Take a task."""
        task = _Task(func, callback)
        self._waiting.append(task)
        return task

    apply_async = submit  # before joblib 1.5

    def retrieve_result(self, out, timeout=None):
        """Return the result of a task, after running all those that wait."""
        if not out.is_over:
            self._run()
        return out.result

    def abort_everything(self, ensure_ready=True):
        """Forget the tasks that wait."""
        self._waiting = []

    def _run(self):
        tasks, self._waiting = self._waiting, []
        calls = [task.call for task in tasks]
        for task, result in zip(tasks, self._results(calls), strict=True):
            task.end(result)

    def _results(self, calls):
        if self._n_jobs == 1:
            return run_tasks(calls)
        size = -(-len(calls) // self._n_jobs)
        parts = [calls[start : start + size] for start in range(0, len(calls), size)]
        with parallel_config(backend=self._outside):
            results = Parallel(n_jobs=self._n_jobs)(delayed(run_tasks)(part) for part in parts)
        return [result for part in results for result in part]


class _Task:
    """A task of joblib, which may be several calls."""

    def __init__(self, func, callback):
        self.call, self._callback = partial(_call_each, func.items), callback
        self.is_over, self.result = False, None

    def end(self, result):
        """Take the result and tell joblib."""
        self.is_over, self.result = True, result
        if self._callback is not None:
            self._callback(result)


def _call_each(items):
    return [func(*args, **kwargs) for func, args, kwargs in items]


def run_tasks(calls):
    """Run calls in turns, so many at once, and train networks that they ask for together."""
    # They import Keras.
    from ..network._shared_models import sharing_models
    from ..training._gathering import train_all

    results = []
    with sharing_models():
        for start in range(0, len(calls), _AT_ONCE):
            results += run_in_turns(calls[start : start + _AT_ONCE], train_all)
    return results
