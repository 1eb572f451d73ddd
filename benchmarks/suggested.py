"""Print what each suggested base model adds to the default stack: python -m benchmarks.suggested

A default stack is fitted to each training part; then its final estimator is fitted once more to the out-of-fold
predictions of all base models but one. What that costs on the held-out rows is what the one adds: R2, or the area under
the ROC curve, as a mean over the splits. ``SKSTACK_DATA`` names the folder of the data sets.
"""

import argparse

import numpy as np
import pandas as pd
from sklearn.base import clone

from ._tables import TABLES
from .quality import fitted, score


def _of(names, members, columns):
    """Return the columns of some base models."""
    return np.hstack([columns[:, members[name]] for name in names])


def measure(table, seed=0):
    """Return the score of the default stack, and what each of its base models adds."""
    found = {}
    for training, held_out in table.splits:
        stack = fitted(table, "stack", seed, training)
        members, new = stack.member_columns_, stack.transform(table.X.iloc[held_out])
        chosen = {"stack": list(members)} | {one: [name for name in members if name != one] for one in members}
        for way, names in chosen.items():
            final = clone(stack.final_estimator_).fit(_of(names, members, stack.oof_predictions_), table.y[training])
            predict = final.predict_proba if table.classifies else final.predict
            found.setdefault(way, []).append(score(table.y[held_out], predict(_of(names, members, new))))
    means = {way: np.mean(scores) for way, scores in found.items()}
    return {way: mean if way == "stack" else means["stack"] - mean for way, mean in means.items()}


def main():
    """Print a table: a row for each set."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", nargs="+", default=list(TABLES), choices=list(TABLES))
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    found = {}
    for name in options.sets:
        found[name] = measure(TABLES[name](), options.seed)
        print(name, {way: round(float(value), 4) for way, value in found[name].items()}, flush=True)
    print(pd.DataFrame(found).T.round(4).to_string(na_rep=""))


if __name__ == "__main__":
    main()
