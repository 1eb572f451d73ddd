"""What joblib's backends for clusters have in common: batches of calls, tasks that are started again, results."""

import time
from abc import abstractmethod
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import count

from joblib.parallel import AutoBatchingMixin, ParallelBackendBase

from ._calls import RaisedThereError, SentOnce, without_data

#: How often a task is started again whose data or worker was lost, after what the engine does about it by itself.
_N_RESTARTS = 5

#: Seconds before it is started again; twice as long each time.
_PAUSE = 0.1


class ClusterBackend(AutoBatchingMixin, ParallelBackendBase):
    """A backend of joblib that runs calls as tasks of a cluster.

    A subclass says how data is sent (:meth:`_send`), what shows that it is lost (:meth:`_is_lost`, `_lost`), and how a
    task is started (:meth:`_start`).
    """

    # Read by joblib: without n_jobs, all workers are used.
    default_n_jobs = -1
    supports_retrieve_callback = True
    # A task costs some milliseconds: calls shorter than this, in seconds, share one.
    MIN_IDEAL_BATCH_DURATION = 0.2
    MAX_IDEAL_BATCH_DURATION = 1.0

    #: Raised by the engine where the data of a task is gone, or its worker.
    _lost = ()

    def __init__(self):
        super().__init__()
        self._sent = SentOnce(self._send, self._is_lost)
        self._running, self._numbers = {}, count()
        # A result may lead to the next call, which the threads that engines hand results out in must not wait for.
        self._results = ThreadPoolExecutor(1, thread_name_prefix="results of a cluster")

    # --- what an engine does ----------------------------------------------------------------------------------------

    @abstractmethod
    def _n_workers(self):
        """Return how many calls run at once."""

    @abstractmethod
    def _send(self, value):
        """Send an object to the cluster and return a reference to it."""

    @abstractmethod
    def _is_lost(self, reference):
        """Tell whether what a reference stands for is there no more."""

    @abstractmethod
    def _start(self, calls, references):
        """Start a task.

        Parameters
        ----------
        calls : list
            For :func:`skstack.parallel._calls.run`, which also gets what `references` stand for.
        references : list

        Returns
        -------
        outcome : concurrent.futures.Future
            Of what `run` returns, or an error of the engine.
        cancel : callable
        """

    # --- what joblib asks for ---------------------------------------------------------------------------------------

    def effective_n_jobs(self, n_jobs):
        """Return how many calls run at once.

        Parameters
        ----------
        n_jobs : int or None
            As everywhere in joblib, but that None stands for all workers.
        """
        if n_jobs == 0:
            raise ValueError("n_jobs == 0 in Parallel has no meaning")
        # With one job, joblib would run the calls here. A cluster of one worker, or of one that is left, is wanted too.
        n_workers = max(self._n_workers(), 2)
        if n_jobs is None:
            return n_workers
        return max(n_workers + 1 + n_jobs, 1) if n_jobs < 0 else min(n_jobs, n_workers)

    def submit(self, func, callback=None):
        """Start a batch of calls.

        Parameters
        ----------
        func : joblib.parallel.BatchedCalls
        callback : callable, default=None
            Is called with the future when the calls are over.

        Returns
        -------
        future : concurrent.futures.Future
        """
        future = Future()
        if callback is not None:
            future.add_done_callback(callback)
        self._begin(_Task(*without_data(func.items), future))
        return future

    def retrieve_result_callback(self, future):
        """Return the results of a batch that is over, or raise the first error of its calls.

        Parameters
        ----------
        future : concurrent.futures.Future
            What :meth:`submit` returned.
        """
        return future.result()

    def abort_everything(self, ensure_ready=True):
        """Give up all calls that are not over.

        Parameters
        ----------
        ensure_ready : bool, default=True
            Not used: the workers are not ours, and stay.
        """
        while self._running:
            _, cancel = self._running.popitem()
            cancel()

    # --- a task -----------------------------------------------------------------------------------------------------

    def _begin(self, task):
        # joblib waits for the future, and calls this in threads where an error would be heard by nobody.
        try:
            self._launch(task)
        except Exception as error:
            self._failed(task, error)

    def _launch(self, task):
        references = [self._sent.reference(value) for value in task.data]
        outcome, cancel = self._start(task.calls, references)
        number = next(self._numbers)
        self._running[number] = cancel
        outcome.add_done_callback(lambda outcome: self._results.submit(self._ended, number, task, outcome))

    def _ended(self, number, task, outcome):
        if self._running.pop(number, None) is None:
            return  # given up
        try:
            results, error, where = outcome.result()
        except BaseException as error_of_engine:
            self._failed(task, error_of_engine)
            return
        if error is None:
            task.future.set_result(results)
        else:
            error.__cause__ = RaisedThereError(where)
            task.future.set_exception(error)

    def _failed(self, task, error):
        if not isinstance(error, self._lost) or task.n_restarts == _N_RESTARTS:
            task.future.set_exception(error)
            return
        # The scheduler takes a moment to hear of a worker's death.
        time.sleep(_PAUSE * 2**task.n_restarts)
        task.n_restarts += 1
        self._begin(task)


@dataclass
class _Task:
    """Calls, their data, and the future of their results."""

    calls: list
    data: list
    future: Future
    n_restarts: int = 0
