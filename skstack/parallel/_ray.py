"""Ray behind joblib."""

from ._calls import run
from ._cluster import ClusterBackend


class RayBackend(ClusterBackend):
    """A backend of joblib that runs calls as tasks of Ray.

    It differs from Ray's own, ``ray.util.joblib.register_ray``, in three things. Arrays and tables among the arguments
    are put into the object store once, for as long as they live; Ray's own puts them there for each task. A task whose
    worker dies is run again by Ray, where Ray's own ends with an error. Workers that are free take the next task and go
    on to the next loop, where Ray's own deals tasks out in turn, and starts new processes for each loop.

    Parameters
    ----------
    **options : dict
        Of each task, see ``ray.remote``: such as ``num_cpus=2``, ``num_gpus=1`` or ``max_retries=5``.

    See Also
    --------
    DaskBackend : The same for Dask.

    Notes
    -----
    ``ray.init`` is called if it has not been: it starts Ray on this machine, or connects to a cluster that the
    environment variable ``RAY_ADDRESS`` names.

    Examples
    --------
    >>> from joblib import parallel_config
    >>> from sklearn.linear_model import Ridge
    >>> from sklearn.model_selection import GridSearchCV
    >>> from skstack.parallel import RayBackend
    >>> search = GridSearchCV(Ridge(), {"alpha": [0.1, 1.0]}, cv=3)
    >>> with parallel_config(backend=RayBackend(num_cpus=1)):  # doctest: +SKIP
    ...     search.fit(X, y)
    """

    def __init__(self, **options):
        import ray

        super().__init__()
        if not ray.is_initialized():
            ray.init()
        self.options = options
        remote = ray.remote(run)
        self._task = remote.options(**options) if options else remote
        self._lost = ray.exceptions.ObjectLostError

    def _n_workers(self):
        import ray

        n_workers = ray.cluster_resources().get("CPU", 1.0) / (self.options.get("num_cpus") or 1)
        if self.options.get("num_gpus"):
            n_workers = min(n_workers, ray.cluster_resources().get("GPU", 0.0) / self.options["num_gpus"])
        return int(n_workers)

    def _send(self, value):
        import ray

        return ray.put(value)

    def _is_lost(self, reference):
        return False  # Ray keeps what somebody still refers to, and tells a task that it cannot

    def _start(self, calls, references):
        import ray

        task = self._task.remote(calls, *references)
        return task.future(), lambda: ray.cancel(task)
