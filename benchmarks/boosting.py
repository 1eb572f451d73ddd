"""Print what the mean of several copies of the suggested boosting gains: python -m benchmarks.boosting

The boosting that a stack suggests for a table stops on rows that it sets aside at random. Copies of it that set other
rows aside are fitted to each training part, as many as there are at most, and the mean of the first one, two, ... is
compared with the held-out rows: R2, or the area under the ROC curve, as a mean over the splits and over the groups of
so many that the copies can be divided into. ``SKSTACK_DATA`` names the folder of the data sets.
"""

import argparse
import time

import numpy as np
import pandas as pd
from sklearn.base import clone

from ._tables import TABLES
from .quality import score

N_COPIES = (1, 2, 4, 8)


def _learner(table, y):
    """Return the suggested boosting of a table with as many copies as there are at most."""
    from skstack import suggest_estimators

    task = "classification" if table.classifies else "regression"
    learner, columns = next(
        (part, columns) for name, part, columns in suggest_estimators(table.X, y, task=task) if name == "boosting"
    )
    copies = [name for name in learner.get_params() if name.endswith("n_estimators")]
    return learner.set_params(**dict.fromkeys(copies, max(N_COPIES))), columns


def _predictions(learner, rows, table):
    """Return what each copy inside a fitted learner predicts, and what makes numbers in the target's units of it."""
    inner, prepared, undo = learner, rows, np.asarray
    if hasattr(inner, "regressor_"):
        undo, inner = inner.inverse_func, inner.regressor_
    if hasattr(inner, "steps"):
        prepared, inner = inner[:-1].transform(rows), inner[-1]
    method = "predict_proba" if table.classifies else "predict"
    return np.array([getattr(copy, method)(prepared) for copy in getattr(inner, "estimators_", [inner])]), undo


def measure(table):
    """Return by the number of copies the score, and the seconds of the most of them."""
    y = table.y if table.y.ndim == 1 else table.y[:, 0]
    found, seconds = {n: [] for n in N_COPIES}, 0.0
    suggested, columns = _learner(table, y)
    seeds = {name: 0 for name in suggested.get_params() if name.split("__")[-1] == "random_state"}
    for training, held_out in table.splits:
        learner = clone(suggested).set_params(**seeds)
        started = time.process_time()
        learner.fit(table.X[columns].iloc[training], y[training])
        seconds += time.process_time() - started
        each, undo = _predictions(learner, table.X[columns].iloc[held_out], table)
        for n in N_COPIES:
            means = [undo(each[start : start + n].mean(axis=0)) for start in range(0, len(each), n)]
            found[n].append(np.mean([score(y[held_out], mean) for mean in means]))
    return {n: np.mean(scores) for n, scores in found.items()} | {"seconds": seconds / len(table.splits)}


def main():
    """Print a table of scores."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", nargs="+", default=list(TABLES), choices=list(TABLES))
    found = {}
    for name in parser.parse_args().sets:
        found[name] = measure(TABLES[name]())
        print(name, {way: round(float(value), 4) for way, value in found[name].items()}, flush=True)
    print(pd.DataFrame(found).T.round(3).to_string())


if __name__ == "__main__":
    main()
