"""Print what members of a network gain, and what they cost: python -m benchmarks.members --cache FOLDER

The network of each set is cross-fitted with as many members as there are at most, of which the first one, two, ... are
averaged; and with members that share their weights. Scores are R2, or the area under the ROC curve of two classes, of
the predictions for the rows that each fold holds out. Seconds of processor time are those of the cross-fitting without
a network of all rows; only of a set's first seed they include compiling, and the table leaves that one out.
``SKSTACK_DATA`` names the folder of the data sets. What a set and a seed gave is kept in the folder.
"""

import argparse
import json
import time
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.metrics import r2_score, roc_auc_score

from ._stacks import PROBLEMS

SETS = (
    "wages",
    "titanic",
    "german_credit",
    "steel",
    "molecules",
    "houses_log_price",
    "ames_log_price",
    "cars_log_price",
)

N_MEMBERS = (1, 2, 4, 8)

#: Numbers of members that share their weights.
N_SHARED = (8,)


def _network(problem, seed, **params):
    """Return the unfitted network of the branches of a set."""
    from skstack import MultimodalNetworkClassifier, MultimodalNetworkRegressor
    from skstack.branches._base import Branch

    kind = MultimodalNetworkClassifier if problem.classifies else MultimodalNetworkRegressor
    branches = [part for part in problem.parts if isinstance(part[1], Branch)]
    return kind(branches, **problem.network, random_state=seed, **params)


def _cross_fitted(network, problem, splits):
    """Return what each of the first members predicts for the rows held out, together, and the seconds it took."""
    given = {} if problem.groups is None else {"groups": problem.groups}
    trained = [training for training, _ in splits]
    started = time.process_time()
    folds = list(clone(network).cross_fit(problem.X, problem.y, trained, refit=False, **given))
    seconds, predicted = time.process_time() - started, None
    for (_, held_out), fold in zip(splits, folds, strict=True):
        rows = problem.X.iloc[held_out]
        of_fold = np.array([_prediction(member, rows, problem) for member in fold.members_])
        predicted = np.empty((len(of_fold), *problem.y.shape)) if predicted is None else predicted
        predicted[:, held_out] = of_fold
    return predicted, seconds


def _prediction(network, rows, problem):
    return network.predict_proba(rows)[:, 1] if problem.classifies else network.predict(rows)


def _score(problem, predicted):
    return (roc_auc_score if problem.classifies else r2_score)(problem.y, predicted)


def measure(name, seed):
    """Return the score and the seconds of each kind of network, by its name; only later seeds train one alone."""
    problem = PROBLEMS[name]()
    splits = list(problem.cv.split(problem.X, problem.y, problem.groups))
    ways = {f"{n} members": {"n_members": n} for n in N_MEMBERS if n == max(N_MEMBERS) or (n == 1 and seed)}
    ways |= {f"{n} sharing weights": {"n_members": n, "share_weights": True} for n in N_SHARED}
    found = {}
    for way, params in ways.items():
        predicted, seconds = _cross_fitted(_network(problem, seed, **params), problem, splits)
        scores = {way: predicted, **{f"{n} members": predicted[:n] for n in N_MEMBERS if n < len(predicted)}}
        for kind, of_members in scores.items():
            found.setdefault(kind, {})["score"] = _score(problem, of_members.mean(axis=0))
        found[way]["seconds"] = seconds
    return found


def _kept(name, seed, folder):
    path = Path(folder) / f"members-{name}-{seed}.json"
    if not path.exists():
        path.write_text(json.dumps(measure(name, seed)))
    return json.loads(path.read_text())


def main():
    """Print a table of scores and one of seconds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cache", required=True, help="folder for what each set and seed gave")
    parser.add_argument("--sets", nargs="+", default=SETS, choices=sorted(PROBLEMS))
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    given = parser.parse_args()
    tables = {"score": {}, "seconds": {}}
    for name in given.sets:
        of_seeds = [_kept(name, seed, given.cache) for seed in given.seeds]
        for figure, table in tables.items():
            counted = of_seeds if figure == "score" else of_seeds[1:]
            ways = [way for way in of_seeds[-1] if all(figure in found[way] for found in counted)]
            table[name] = {way: np.mean([found[way][figure] for found in counted]) for way in ways if counted}
        print(name, {way: round(float(value), 4) for way, value in tables["score"][name].items()}, flush=True)
    for figure, table in tables.items():
        by_set = pd.DataFrame(table).T
        by_set.loc["mean"] = by_set.mean()
        print(f"\n{figure}, mean of seeds {given.seeds}\n{by_set.round(3)}", flush=True)


if __name__ == "__main__":
    main()
