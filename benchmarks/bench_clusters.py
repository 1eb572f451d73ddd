"""A search that keeps a processor busy, on two workers of Dask and of Ray, against one process."""

import time
from contextlib import ExitStack
from dataclasses import replace

from ._comparison import Comparison, Figure, cold
from ._job import Job
from ._problems import make_table

N_WORKERS, N_CALLS = 2, 100


def _search(n_candidates, n_folds):
    from sklearn.ensemble import GradientBoostingRegressor
    from sklearn.model_selection import GridSearchCV, KFold

    boosting = GradientBoostingRegressor(n_estimators=50, random_state=0)
    grid = {"learning_rate": [0.02 * (1 + number) for number in range(n_candidates)]}
    return GridSearchCV(boosting, grid, cv=KFold(n_folds), refit=False, error_score="raise")


def one_process(n_samples, **sizes):
    X, y, *_ = make_table(n_samples)
    search = _search(**sizes)
    return Job(lambda: search.fit(X, y), _score)


def dask(n_samples, **sizes):
    from dask.distributed import Client, LocalCluster

    from skstack.parallel import DaskBackend

    settings = {"threads_per_worker": 1, "processes": True, "dashboard_address": ":0"}
    cluster = ExitStack()
    client = cluster.enter_context(Client(cluster.enter_context(LocalCluster(N_WORKERS, **settings))))
    return _job_on(cluster, DaskBackend(client), n_samples, **sizes)


def ray(n_samples, **sizes):
    import ray

    from skstack.parallel import RayBackend

    ray.init(num_cpus=N_WORKERS, include_dashboard=False, log_to_driver=False, object_store_memory=200 * 2**20)
    cluster = ExitStack()
    cluster.callback(ray.shutdown)
    return _job_on(cluster, RayBackend(), n_samples, **sizes)


def _job_on(cluster, backend, n_samples, **sizes):
    """Return the job of a search on a cluster whose workers have imported what they need."""
    from joblib import parallel_config

    X, y, *_ = make_table(n_samples)
    search = _search(**sizes)

    def on_cluster(work):
        with parallel_config(backend=backend):
            return work()

    on_cluster(lambda: _search(4, 2).fit(X[:40], y[:40]))

    def describe(fitted):
        with cluster:
            return {**_score(fitted), "task_ms": on_cluster(_ms_per_task)}

    return Job(lambda: on_cluster(lambda: search.fit(X, y)), describe)


def _score(fitted):
    return {"best_score": fitted.best_score_}


def _ms_per_task():
    """Return what a task costs that does nothing, one call each."""
    from joblib import Parallel, delayed

    before = time.perf_counter()
    Parallel(batch_size=1)(delayed(abs)(-number) for number in range(N_CALLS))
    return 1000 * (time.perf_counter() - before) / N_CALLS


_DASK = Comparison(
    name="dask",
    work="Dask, 2 workers: GridSearchCV over boosting, {n_candidates} x {n_folds} fits of {n_samples:,} x 20",
    peer="one process",
    ours_job="bench_clusters:dask",
    peer_job="bench_clusters:one_process",
    figures=(cold(at_least=1.5), Figure("task_ms", "a task that does nothing", "ms")),
    full={"n_samples": 4000, "n_candidates": 6, "n_folds": 5},
    quick={"n_samples": 200, "n_candidates": 2, "n_folds": 2},
    ours_runs=1,
    needs=("distributed",),
    # Its workers start by importing the program that was started.
    alone=True,
)

COMPARISONS = (
    _DASK,
    replace(
        _DASK,
        name="ray",
        work=_DASK.work.replace("Dask", "Ray"),
        ours_job="bench_clusters:ray",
        needs=("ray",),
    ),
)
