"""A learner that tells what it saw, in a module that worker processes can import."""

import os
import time
from pathlib import Path

from joblib import Parallel, effective_n_jobs
from sklearn import get_config
from sklearn.linear_model import Ridge


class Neighbour(Ridge):
    """A ridge regression that waits in its fit until another one, of another alpha, is in its fit, too.

    Parameters
    ----------
    alpha : float
    folder : str
        In which each is a file.
    """

    def __init__(self, alpha=1.0, folder=None):
        super().__init__(alpha)
        self.folder = folder

    def fit(self, X, y):
        """Wait for the other one, not for ever, and fit."""
        Path(self.folder, str(self.alpha)).touch()
        end = time.monotonic() + 300
        while time.monotonic() < end and len(list(Path(self.folder).iterdir())) < 2:
            time.sleep(0.01)
        self.facts_ = {
            "together": len(list(Path(self.folder).iterdir())) == 2,
            "on the first card": os.environ.get("CUDA_VISIBLE_DEVICES") == "0",
        }
        return super().fit(X, y)


class Witness(Ridge):
    """A ridge regression that writes a line into a file for each fit, and scores by what it saw.

    Parameters
    ----------
    alpha : float
    path : str, default=None
        Of the file.
    """

    def __init__(self, alpha=1.0, path=None):
        super().__init__(alpha)
        self.path = path

    def fit(self, X, y):
        """Take note of where this happens, and fit."""
        if self.path is not None:
            with open(self.path, "a", encoding="utf-8") as file:
                file.write(f"{self.alpha}\n")
        self.facts_ = {
            "one job": effective_n_jobs(4) == Parallel(n_jobs=4)._effective_n_jobs() == 1,
            "memory grows": os.environ.get("TF_FORCE_GPU_ALLOW_GROWTH") == "true",
            "configured": get_config()["enable_metadata_routing"],
        }
        return super().fit(X, y)


def facts(estimator, X, y):
    """Score an estimator by each of the things it saw."""
    return {name: float(fact) for name, fact in estimator.facts_.items()}
