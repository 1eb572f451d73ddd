"""A backend of joblib in which the fits of a search take turns, so that their networks are trained together."""

from contextlib import ExitStack, contextmanager
from functools import partial
from tempfile import TemporaryDirectory

from joblib import Parallel, delayed, effective_n_jobs, parallel_config
from joblib.parallel import ParallelBackendBase, get_active_backend

from .._protocols import TrainsNetworks
from .._turns import run_in_turns
from ..caching._keeping import keeping
from ..caching._results import FolderResults, MemoryResults
from ..network._sharing import sharing_models
from ._search_progress import SearchProgress

#: Fits that take turns at once: each holds its rows, and more networks than these share one program anyway.
_AT_ONCE = 64


def trains_networks(estimator):
    """Tell whether fits of an estimator, or of a part of it, train networks."""
    parts = estimator.get_params().values() if hasattr(estimator, "get_params") else ()
    return any(isinstance(part, TrainsNetworks) for part in (estimator, *parts))


@contextmanager
def together(n_jobs, checkpoint=None, in_turns=True, goes_on=False, progress=None):
    """Let calls of ``joblib.Parallel`` in the block run their tasks in turns, and find base models that one has fitted.

    Parameters
    ----------
    n_jobs : int or None
        How many processes share the tasks; those of each take turns.
    checkpoint : Checkpoint, default=None
        Where tasks that are over are kept for a process that begins when this one has ended.
    in_turns : bool, default=True
        Whether tasks take turns, rather than that one begins when another is over.
    goes_on : bool, default=False
        Whether networks may be trained again for more epochs, in the same process.
    progress : SearchProgress, default=None
        Is told of tasks that are over; of those of several processes at the end.
    """
    n_jobs = effective_n_jobs(n_jobs)
    outside = get_active_backend()[0] if n_jobs > 1 else None
    with ExitStack() as until_over:
        if checkpoint is not None:
            results = checkpoint.results
        elif n_jobs > 1:
            results = FolderResults(until_over.enter_context(TemporaryDirectory(ignore_cleanup_errors=True)))
        else:
            results = MemoryResults()
        if goes_on and in_turns:
            from ..training._going_on import going_on  # imports Keras

            until_over.enter_context(going_on())
        run = partial(run_tasks, results=results, checkpoint=checkpoint, in_turns=in_turns)
        backend = TogetherBackend(run, n_jobs, outside, progress or SearchProgress("", False))
        until_over.enter_context(parallel_config(backend=backend))
        yield


class TogetherBackend(ParallelBackendBase):
    """Runs tasks when the first result is asked for: all together, in this process or in several.

    Parameters
    ----------
    run : callable
        Takes a list of tasks, each a list of (function, args, kwargs), and `told`; returns a list of lists of results.
    n_jobs : int
        Processes that share the tasks.
    outside : ParallelBackendBase or None
        What runs tasks in several processes.
    progress : SearchProgress
    """

    supports_sharedmem = True

    def __init__(self, run, n_jobs, outside, progress, **options):
        super().__init__(**options)
        self._run, self._n_jobs, self._outside, self._progress = run, n_jobs, outside, progress
        self._waiting = []

    def effective_n_jobs(self, n_jobs):
        """Return a number at which joblib hands over as many tasks as there are."""
        return 2**16

    def submit(self, func, callback=None):
        """Take a task."""
        task = _Task(func.items, callback)
        self._waiting.append(task)
        return task

    def retrieve_result(self, out, timeout=None):
        """Return the result of a task, after running all those that wait."""
        if not out.is_over:
            self._run_all()
        return out.result

    def abort_everything(self, ensure_ready=True):
        """Forget the tasks that wait."""
        self._waiting = []

    def _run_all(self):
        tasks, self._waiting = self._waiting, []
        with self._progress.showing(sum(len(task.calls) for task in tasks)):
            results = self._results([task.calls for task in tasks])
        for task, result in zip(tasks, results, strict=True):
            task.end(result)

    def _results(self, tasks):
        if self._n_jobs == 1:
            return self._run(tasks, told=self._progress.over)
        size = -(-len(tasks) // self._n_jobs)
        parts = [tasks[start : start + size] for start in range(0, len(tasks), size)]
        with parallel_config(backend=self._outside):
            of_parts = Parallel(n_jobs=self._n_jobs)(delayed(self._run)(part) for part in parts)
        results = [result for part in of_parts for result in part]
        for task, result in zip(tasks, results, strict=True):
            for (_, _, kwargs), outcome in zip(task, result, strict=True):
                self._progress.over(kwargs, outcome)
        return results


class _Task:
    """A task of joblib, which may be several calls."""

    def __init__(self, calls, callback):
        self.calls, self._callback = calls, callback
        self.is_over, self.result = False, None

    def end(self, result):
        """Take the result and tell joblib."""
        self.is_over, self.result = True, result
        if self._callback is not None:
            self._callback(result)


def run_tasks(tasks, results, checkpoint=None, in_turns=True, told=None):
    """Run tasks, in turns or one after the other.

    Parameters
    ----------
    tasks : list of list of (function, args, kwargs)
    results : Results
        Where base models are kept that several tasks need.
    checkpoint, in_turns
        See :func:`together`.
    told : callable, default=None
        Is called with the keyword arguments and the outcome of each call.

    Returns
    -------
    outcomes : list of list of object
    """
    functions, outcomes = [partial(_outcomes, task, checkpoint, told) for task in tasks], []
    with keeping(results):
        if not in_turns:
            return [function() for function in functions]
        with sharing_models():
            for start in range(0, len(functions), _AT_ONCE):
                outcomes += run_in_turns(functions[start : start + _AT_ONCE], _train)
    return outcomes


def _outcomes(task, checkpoint, told):
    outcomes = []
    for function, args, kwargs in task:
        done = function(*args, **kwargs) if checkpoint is None else checkpoint.run(function, args, kwargs)
        outcomes.append(done)
        if told is not None:
            told(kwargs, done)
    return outcomes


def _train(questions):
    from ..training._gathering import train_all  # imports Keras

    train_all(questions)
