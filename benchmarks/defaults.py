"""Compare settings of networks over real tables: python -m benchmarks.defaults --cache FOLDER

Each network has the numbers and the categories of a set as branches, and is cross-fitted on five folds (by class, group
or time where the data ask for it). Scores are R2, or for classes how much smaller the log loss is than that of the
classes' shares (McFadden's R2), of the rows held out; differences are to the first settings asked for. What has been
measured is kept in the folder. ``SKSTACK_DATA`` names the folder of the data sets.
"""

import argparse
import json
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_diabetes, load_wine
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.metrics import log_loss, r2_score

from ._stacks import PROBLEMS, table_problem

SETS = (
    "doctor_fees cars_log_price molecules houses_price ames_log_price ames_price steel tournament_score "
    "houses_log_price german_credit titanic wages diabetes breast_cancer wine"
).split()

# --- settings ---------------------------------------------------------------------------------------------------------

#: What networks had by default before these comparisons.
BEFORE = {
    "numbers": {"hidden": (32,), "scale": "standard", "embedding": None, "dropout": 0.0},
    "network": {
        "head": (32,),
        "dropout": 0.0,
        "optimizer": "adam",
        "batch_size": 32,
        "epochs": 100,
    },
}


def _but(numbers=None, categories=None, network=None, members=1):
    """Return the defaults with some settings changed."""
    return {
        "numbers": numbers or {},
        "categories": categories or {},
        "network": {**(network or {}), "n_members": members},
    }


SETTINGS = {
    "default": _but(),
    "before": BEFORE,
    "4 members": _but(members=4),
    "no embedding": _but({"embedding": None}),
    "no embedding, 4 members": _but({"embedding": None}, members=4),
    "8 bins": _but({"n_bins": 8}),
    "32 bins": _but({"n_bins": 32}),
    "periodic": _but({"embedding": "periodic"}),
    "standard": _but({"scale": "standard"}),
    "skip": _but({"skip": True}),
    "hidden ()": _but({"hidden": ()}),
    "hidden (128,)": _but({"hidden": (128,)}),
    "hidden (256, 128)": _but({"hidden": (256, 128)}),
    "head (128, 64)": _but(network={"head": (128, 64)}),
    "no dropout": _but({"dropout": 0.0}, network={"dropout": 0.0}),
    "dropout 0.25": _but({"dropout": 0.25}, network={"dropout": 0.25}),
    "rate 2e-3": _but(network={"optimizer__learning_rate": 2e-3}),
    "weight decay 0.1": _but(network={"optimizer__weight_decay": 0.1}),
    "batch 32": _but(network={"batch_size": 32}),
    "batch 128": _but(network={"batch_size": 128}),
    "patience 20": _but(network={"patience": 20}),
    "silu": _but({"activation": "silu"}, network={"activation": "silu"}),
    "selu": _but({"activation": "selu"}, network={"activation": "selu"}),
    "huber": _but(network={"loss": "huber"}),
    "onehot": _but(categories={"encoding": "onehot"}),
    "rare from 2": _but(categories={"min_frequency": 2}),
}

# --- scores -----------------------------------------------------------------------------------------------------------


def _bundled(load):
    data = load(as_frame=True)
    y = data.target.to_numpy()
    return table_problem(data.data, y.astype(float) if load is load_diabetes else y)


BUNDLED = {"diabetes": load_diabetes, "breast_cancer": load_breast_cancer, "wine": load_wine}


def _network(problem, settings):
    from skstack import MultimodalNetworkClassifier, MultimodalNetworkRegressor
    from skstack.branches import CategoricalBranch, NumericBranch

    X = problem.X.drop(columns="smiles", errors="ignore")
    numbers = [name for name in X if pd.api.types.is_numeric_dtype(X[name])]
    categories = [name for name in X if name not in numbers]
    branches = [("numbers", NumericBranch(**settings.get("numbers", {})), numbers)] if numbers else []
    if categories:
        branches.append(("categories", CategoricalBranch(**settings.get("categories", {})), categories))
    kind = MultimodalNetworkClassifier if problem.classifies else MultimodalNetworkRegressor
    network = {key: value for key, value in settings["network"].items() if problem.classifies is False or key != "loss"}
    return branches, kind(**network)


def measure(name, settings, seed):
    """Return the score of a network of a set, and the seconds that its cross-fitting took."""
    problem = _bundled(BUNDLED[name]) if name in BUNDLED else PROBLEMS[name]()
    problem.parts, network = _network(problem, settings)
    problem.network = {}
    given = {} if problem.groups is None else {"groups": problem.groups}
    nothing = DummyClassifier() if problem.classifies else DummyRegressor()
    stack = problem.stack(nothing, refit="folds").set_params(network=clone(network), random_state=seed)
    started = time.perf_counter()
    predicted = stack.fit(problem.X, problem.y, **given).oof_predictions_
    seconds, y = time.perf_counter() - started, problem.y
    if not problem.classifies:
        return {"score": r2_score(y, predicted.reshape(y.shape)), "seconds": seconds}
    predicted = np.hstack([1 - predicted, predicted]) if predicted.shape[1] == 1 else predicted
    shares = np.tile(np.bincount(y) / len(y), (len(y), 1))
    return {"score": 1 - log_loss(y, np.clip(predicted, 1e-7, 1)) / log_loss(y, shares), "seconds": seconds}


def measured(name, settings, seed, folder):
    """Return what :func:`measure` does, from the folder if it is there."""
    path = Path(folder) / f"{name} {settings} {seed}.json"
    if not path.exists():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            path.write_text(json.dumps(measure(name, SETTINGS[settings], seed)), encoding="utf-8")
    return json.loads(path.read_text(encoding="utf-8"))


def main(arguments=None):
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.defaults", description=__doc__)
    parser.add_argument("--sets", nargs="+", choices=SETS, default=SETS)
    parser.add_argument("--settings", nargs="+", choices=list(SETTINGS), default=list(SETTINGS))
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    parser.add_argument("--cache", type=Path, required=True, help="folder for what was measured")
    options = parser.parse_args(arguments)
    options.cache.mkdir(parents=True, exist_ok=True)
    rows = []
    for settings in options.settings:
        for name, seed in ((name, seed) for name in options.sets for seed in options.seeds):
            rows.append({"set": name, "settings": settings, **measured(name, settings, seed, options.cache)})
        print(f"{settings}: mean {np.mean([row['score'] for row in rows if row['settings'] == settings]):.4f}")
    table = pd.DataFrame(rows).pivot_table(index="settings", columns="set", values=["score", "seconds"])
    scores = table["score"].loc[options.settings]
    differences = scores - scores.iloc[0]
    scores["difference"], scores["better on"] = differences.mean(axis=1), (differences > 0).sum(axis=1)
    scores["seconds"] = table["seconds"].mean(axis=1)
    print(f"\n{scores.to_string(float_format='{:.3f}'.format)}")


if __name__ == "__main__":
    main()
