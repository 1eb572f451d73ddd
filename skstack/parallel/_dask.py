"""Dask behind joblib."""

import asyncio
from concurrent.futures import CancelledError
from uuid import uuid4

import numpy as np

from ._calls import run
from ._cluster import ClusterBackend


class DaskBackend(ClusterBackend):
    """A backend of joblib that runs calls on the workers of a Dask cluster.

    It differs from joblib's own backend "dask" in three things. Data that is lost with a worker is sent again, where
    joblib's ends with a ``FutureCancelledError``, or waits forever. All arrays and tables among the arguments are sent
    once, for as long as they live, without being named by ``scatter``. What a call would run in parallel itself stays
    on its worker, so that a worker holds one fit at a time.

    Parameters
    ----------
    client : dask.distributed.Client, default=None
        The client of the cluster; ``None`` for the current one.
    **submit_kwargs : dict
        Further arguments of ``client.submit``, such as ``resources={"GPU": 1}`` or ``retries=2``.

    Raises
    ------
    ValueError
        If there is no client.

    See Also
    --------
    RayBackend : The same for Ray.

    Examples
    --------
    >>> from dask.distributed import Client
    >>> from joblib import parallel_config
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.linear_model import Ridge
    >>> from sklearn.model_selection import GridSearchCV
    >>> from skstack.parallel import DaskBackend
    >>> X, y = load_diabetes(return_X_y=True)
    >>> with Client(processes=False, dashboard_address=":0") as client:
    ...     with parallel_config(backend=DaskBackend(client)):
    ...         search = GridSearchCV(Ridge(), {"alpha": [0.1, 1.0]}, cv=3).fit(X, y)
    >>> search.best_params_
    {'alpha': 0.1}
    """

    # Of a task whose data is lost, of a connection that is closed, and of workers none of which is back yet.
    _lost = (asyncio.CancelledError, CancelledError, OSError)

    def __init__(self, client=None, **submit_kwargs):
        from dask.distributed import get_client

        super().__init__()
        self.client = get_client() if client is None else client
        self.submit_kwargs = submit_kwargs

    def _n_workers(self):
        return sum(self.client.ncores().values())

    def _send(self, value):
        if isinstance(value, np.ndarray):
            # All tasks of a worker get the same array: none may change it for the others.
            value = value.view()
            value.flags.writeable = False
        # With hash=True, data that is scattered again has the name under which Dask has just forgotten it.
        return self.client.scatter(value, hash=False)

    def _is_lost(self, reference):
        return reference.status != "finished"

    def _start(self, calls, references):
        # Named after what is called, for the dashboard.
        name = getattr(calls[0][0], "__name__", type(calls[0][0]).__name__)
        future = self.client.submit(
            run, _Opaque(calls), *references, key=f"{name}-{uuid4().hex}", pure=False, **self.submit_kwargs
        )
        # In the loop of the client, where the results of several tasks are on their way at once.
        result = self.client.gather(future, asynchronous=True)
        return asyncio.run_coroutine_threadsafe(result, self.client.loop.asyncio_loop), future.cancel


class _Opaque:
    """Calls that Dask does not look into: tuples that begin with a function are tasks to it."""

    def __init__(self, calls):
        self._calls = calls

    def __iter__(self):
        return iter(self._calls)
