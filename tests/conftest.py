"""Settings that have to be in the environment before any test imports Keras or Matplotlib."""

import os
import sys

# One thread each: the networks of the tests are tiny, and pytest-xdist may run a worker per core.
for _name in ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(_name, "1")
os.environ.setdefault("MPLBACKEND", "Agg")
# Ray warns that it will not touch this variable in later versions.
os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")

import pytest  # noqa: E402 - after what is set for it


@pytest.fixture(autouse=True)
def same_random_numbers():
    """Start every test from the same state: none may fail once in a hundred runs."""
    from skstack._backend import keras  # which keeps TensorFlow quiet, also in the processes that tests start

    keras.utils.set_random_seed(0)


@pytest.fixture
def short_trainings_go_together(monkeypatch):
    """Let trainings of a few steps, as those of tests are, be long enough to be trained in one vectorised program."""
    from skstack.training import _rule

    monkeypatch.setattr(_rule, "_MIN_SAVED_STEPS", 0)


@pytest.fixture(scope="session")
def local_ray():
    """Ray with two worker processes on this machine, for all tests of a session that ask for it."""
    ray = pytest.importorskip("ray")
    with pytest.MonkeyPatch.context() as patch:
        # Else it writes a token into the home folder, and tells its makers that it is used.
        patch.setenv("RAY_AUTH_MODE", "disabled")
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        # Workers import what tests have beside them: unlike Dask's, they do not look where this process looks.
        patch.setenv("PYTHONPATH", os.pathsep.join([os.path.dirname(__file__), *sys.path]))
        # Workers are only told which graphics card is theirs; there need not be one.
        ray.init(num_cpus=2, num_gpus=1, include_dashboard=False, object_store_memory=100 * 2**20, log_to_driver=False)
        yield ray
        ray.shutdown()
