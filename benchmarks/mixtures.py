"""Compare what may stand on top of a stack, over real data sets: python -m benchmarks.mixtures --cache FOLDER

The base models of each set are cross-fitted once, and what they predict is kept in the folder. Each mixture is fitted
to the out-of-fold predictions of all folds but one, those of the base models (by group or in time order where the data
ask for it), and judged on that one. ``SKSTACK_DATA`` names the folder of the data sets. Scores are R2, or the negative
log loss of classes. The best member is that of the very rows it is judged on: no mixture could have known it.
"""

import argparse
import time
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.linear_model import LinearRegression, LogisticRegression, RidgeCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from ._stacks import PROBLEMS, row_scores


def log_odds(probabilities):
    """Return the logarithms of the odds."""
    clipped = np.clip(probabilities, 1e-6, 1 - 1e-6)
    return np.log(clipped / (1 - clipped))


def mixtures(classifies):
    """Return unfitted final estimators by name."""
    from skstack import WeightedAverageClassifier, WeightedAverageRegressor

    average = WeightedAverageClassifier if classifies else WeightedAverageRegressor
    averages = {name: average(name) for name in ("nonnegative", "selection", "mean", "best")}
    if classifies:
        on_odds = make_pipeline(FunctionTransformer(log_odds), LogisticRegression(max_iter=1000))
        return {"logistic": LogisticRegression(max_iter=1000), "logistic of log-odds": on_odds, **averages}
    return {"ridge": RidgeCV(), "nonnegative with intercept": LinearRegression(positive=True), **averages}


# --- predictions of base models ---------------------------------------------------------------------------------------


def out_of_fold(name, folder):
    """Return what the base models of a set predict out of fold, from the folder if it is there."""
    path = Path(folder) / f"{name}.npz"
    if not path.exists():
        np.savez(path, **_cross_fitted(name, PROBLEMS[name]()))
    return dict(np.load(path))


def _cross_fitted(name, problem):
    """Return names of base models, their predictions, target, groups, and for each fold which rows it is fitted on."""
    given = {} if problem.groups is None else {"groups": problem.groups}
    nothing = DummyClassifier() if problem.classifies else DummyRegressor()
    started = time.perf_counter()
    stack = problem.stack(nothing, refit="folds").fit(problem.X, problem.y, **given)
    print(f"{name}: {len(problem.y)} rows cross-fitted in {time.perf_counter() - started:.0f} s", flush=True)
    rows = np.arange(len(problem.y))
    return {
        "names": list(stack.fold_estimators_),
        "predictions": stack.oof_predictions_,
        "y": problem.y,
        "groups": rows if problem.groups is None else problem.groups,
        "fits": [np.isin(rows, training) for training, _ in stack.splits_],
        "predicts": [np.isin(rows, held_out) for _, held_out in stack.splits_],
    }


# --- scores -----------------------------------------------------------------------------------------------------------


def _as_predictions(columns, y):
    """Return the columns of a member as predictions: both probabilities where there are two classes."""
    binary = y.dtype.kind != "f" and columns.shape[1] == 1
    return np.hstack([1.0 - columns, columns]) if binary else columns


def judge(data):
    """Return the scores of members and mixtures on the rows that mixtures can be judged on, and the groups of these.

    Parameters
    ----------
    data : dict
        See :func:`out_of_fold`.
    """
    X, y, names = data["predictions"], data["y"], data["names"]
    known, method = ~np.isnan(X[:, 0]), "predict" if y.dtype.kind == "f" else "predict_proba"
    predicted = {}
    for fits, predicts in zip(data["fits"] & known, data["predicts"], strict=True):
        for name, mixture in mixtures(y.dtype.kind != "f").items() if fits.any() else ():
            mixture.fit(X[fits], y[fits])
            of_fold = getattr(mixture, method)(X[predicts])
            predicted.setdefault(name, np.full((len(y), *of_fold.shape[1:]), np.nan))[predicts] = of_fold
    judged = ~np.isnan(predicted["mean"].reshape(len(y), -1)[:, 0])
    blocks = np.split(X[judged], len(names), axis=1)
    members = {name: _as_predictions(block, y) for name, block in zip(names, blocks, strict=True)}
    of_kind = {"member": members, "mixture": {name: values[judged] for name, values in predicted.items()}}
    scores = {
        (kind, name): row_scores(y[judged], values) for kind, table in of_kind.items() for name, values in table.items()
    }
    return pd.DataFrame(scores), data["groups"][judged]


def _standard_error(differences, groups):
    deviations = pd.Series(differences - differences.mean()).groupby(groups).sum()
    return float(np.sqrt((deviations**2).sum())) / len(differences)


def line(name, data):
    """Return a line of the table: the best member, and how far from it each mixture is, with standard errors."""
    scores, groups = judge(data)
    best = scores["member"].mean().idxmax()
    result = {"set": name, "rows": len(scores), "best member": best, "score": scores["member", best].mean()}
    result["its standard error"] = _standard_error(scores["member", best], groups)
    for mixture in scores["mixture"]:
        differences = scores["mixture", mixture] - scores["member", best]
        result[mixture] = differences.mean(), _standard_error(differences, groups)
    return result


def shown(lines):
    """Return the lines as a table in Markdown, an asterisk where a mixture is worse by more than a standard error."""
    columns = [name for name in lines[0] if isinstance(lines[0][name], tuple)]
    rows = [["set", "rows", "best member", *columns]]
    for of_set in lines:
        member = f"{of_set['best member']} {of_set['score']:.4f} ± {of_set['its standard error']:.4f}"
        cells = [f"{d:+.4f} ± {e:.4f}{'*' if d < -e else ''}" for d, e in (of_set[name] for name in columns)]
        rows.append([of_set["set"], str(of_set["rows"]), member, *cells])
    worse = {name: sum(d < -e for d, e in (of_set[name] for of_set in lines)) for name in columns}
    mean = {name: np.mean([of_set[name][0] for of_set in lines]) for name in columns}
    ranks = pd.DataFrame([{name: -of_set[name][0] for name in columns} for of_set in lines]).rank(axis=1).mean()
    rows.append(["worse by more than one standard error", "", "", *(str(worse[name]) for name in columns)])
    rows.append(["mean difference", "", "", *(f"{mean[name]:+.4f}" for name in columns)])
    rows.append(["mean rank", "", "", *(f"{ranks[name]:.2f}" for name in columns)])
    text = ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join([text[0], "|" + "---|" * len(rows[0]), *text[1:]])


def main(arguments=None):
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.mixtures", description=__doc__)
    parser.add_argument("names", nargs="*", help=f"data sets ({', '.join(PROBLEMS)}); all by default")
    parser.add_argument("--cache", type=Path, required=True, help="folder for what base models predict")
    options = parser.parse_args(arguments)
    options.cache.mkdir(parents=True, exist_ok=True)
    lines = [line(name, out_of_fold(name, options.cache)) for name in options.names or PROBLEMS]
    regressions = [of_set for of_set in lines if "ridge" in of_set]
    for of_kind in (regressions, [of_set for of_set in lines if of_set not in regressions]):
        if of_kind:
            print(shown(of_kind), end="\n\n")


if __name__ == "__main__":
    main()
