"""What a worker of Ray Tune does with a candidate."""

import json
import os
import tempfile
from pathlib import Path

import numpy as np
from joblib import parallel_config
from sklearn import config_context

from ._evaluation import Trial
from ._spaces import decoded

#: What Ray is told after each epoch and fold, beside what it adds itself.
SCORE, FOLDS = "score", "folds"

_FILE = "folds.json"


def run_trial(config, evaluation, X, y, dimensions, settings):
    """Evaluate a candidate, and tell Ray how good it looks.

    Parameters
    ----------
    config : dict
        What Ray has drawn.
    evaluation : Evaluation
    X, y
        All rows; from the object store, where arrays are read-only.
    dimensions : dict
        What the values drawn stand for, see ``decoded``.
    settings : dict
        Of the search: "environment" are variables for this process, "sklearn" is scikit-learn's configuration, "epochs"
        tells whether somebody wants to hear of epochs, "checkpoints" whether finished folds are kept on disk.
    """
    for name, value in settings["environment"].items():
        os.environ.setdefault(name, value)
    telling = _Telling(settings["checkpoints"])
    candidate = Trial(evaluation, telling, _folds_on_disk())
    telling.candidate = candidate
    params = decoded(dimensions, config)
    hear = candidate.hear if settings["epochs"] else None
    # The cores are for candidates: what a candidate does itself in parallel, it does one by one.
    with config_context(**settings["sklearn"]), parallel_config(backend="sequential"):
        left = range(len(candidate.results), evaluation.n_splits)
        candidate.run(evaluation.fold(X, y, params, index, hear) for index in left)
    telling(evaluation.score(candidate.results))


class _Telling:
    """Tells Ray how good a candidate looks; Ray may end the process at that moment.

    Parameters
    ----------
    on_disk : bool
        Whether the folds that are over are written, once each, for a later try to go on from.

    Attributes
    ----------
    candidate : Trial
    """

    def __init__(self, on_disk):
        self._on_disk, self._n_written = on_disk, 0

    def __call__(self, score):
        from ray import tune

        results = self.candidate.results
        # Some search algorithms refuse NaN, which a failed fit has.
        metrics = {SCORE: score if np.isfinite(score) else -np.inf, FOLDS: results}
        if not self._on_disk or len(results) == self._n_written:
            tune.report(metrics)
            return
        self._n_written = len(results)
        with tempfile.TemporaryDirectory() as folder:
            Path(folder, _FILE).write_text(json.dumps(results, default=float), encoding="utf-8")
            tune.report(metrics, checkpoint=tune.Checkpoint.from_directory(folder))


def _folds_on_disk():
    """Return the results of the folds that an earlier try of this trial finished."""
    from ray import tune

    checkpoint = tune.get_checkpoint()
    if checkpoint is None:
        return []
    with checkpoint.as_directory() as folder:
        return json.loads(Path(folder, _FILE).read_text(encoding="utf-8"))
