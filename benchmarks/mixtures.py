"""Compare what may stand on top of a stack, over real data sets: python -m benchmarks.mixtures --cache FOLDER

The base models of each set are cross-fitted once, and what they predict is kept in the folder; mixtures are then fitted
to the out-of-fold predictions and judged on rows that no model of the stack has seen. ``SKSTACK_DATA`` names the folder
of the data sets. Scores are R2, or the negative log loss of classes. Best members are those of the very rows that they
are judged on, in hindsight: no mixture could have known them.
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

from ._stacks import PROBLEMS


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


def outer_folds(name, folder, refit):
    """Return what the base models of a set predict, for each of its outer splits, from the folder if it is there."""
    paths = sorted(Path(folder).glob(f"{name}-{refit}-*.npz"))
    if not paths:
        problem = PROBLEMS[name]()
        paths = [Path(folder) / f"{name}-{refit}-{number}.npz" for number in range(len(problem.outer))]
        made = [_cross_fitted(problem, *rows, refit) for rows in problem.outer]
        for path, arrays in zip(paths, made, strict=True):
            np.savez(path, **arrays)
    return [dict(np.load(path)) for path in paths]


def _cross_fitted(problem, training, test, refit):
    """Return out-of-fold predictions of the training rows and predictions of the test rows, with their targets."""
    groups = problem.groups if problem.groups is not None else np.arange(len(problem.y))
    given = {} if problem.groups is None else {"groups": groups[training]}
    nothing = DummyClassifier() if problem.classifies else DummyRegressor()
    started = time.perf_counter()
    stack = problem.stack(nothing, refit=refit).fit(problem.X.iloc[training], problem.y[training], **given)
    seconds = time.perf_counter() - started
    names = list(stack.stack_report_.loc["base model"].index)
    print(f"cross-fitted {len(training)} rows in {seconds:.0f} s: {', '.join(names)}", flush=True)
    predicted = ~np.isnan(stack.oof_predictions_[:, 0])
    return {
        "names": names,
        "oof": stack.oof_predictions_[predicted],
        "y": problem.y[training][predicted],
        "test": stack.transform(problem.X.iloc[test]),
        "y_test": problem.y[test],
        "groups_test": groups[test],
        "seconds": seconds,
    }


# --- scores -----------------------------------------------------------------------------------------------------------


def row_scores(y, predicted):
    """Return the score of each row: its part of R2, or the log-probability of its class. Classes are numbered from 0."""
    if y.dtype.kind != "f":
        return np.log(np.maximum(predicted[np.arange(len(y)), y], np.finfo(float).eps))
    y, predicted = y.reshape(len(y), -1), predicted.reshape(len(y), -1)
    return (1.0 - (y - predicted) ** 2 / y.var(axis=0)).mean(axis=1)


def _as_predictions(columns, y):
    """Return the columns of a member as predictions: both probabilities where there are two classes."""
    binary = y.dtype.kind != "f" and columns.shape[1] == 1
    return np.hstack([1.0 - columns, columns]) if binary else columns


def judge(folds):
    """Return the scores of members and mixtures on the test rows, for each a column, and the groups of the rows.

    Parameters
    ----------
    folds : list of dict
        See :func:`outer_folds`.
    """
    tables = []
    for fold in folds:
        y, names = fold["y_test"], fold["names"]
        blocks = np.split(fold["test"], len(names), axis=1)
        scores = {("member", name): row_scores(y, _as_predictions(b, y)) for name, b in zip(names, blocks, strict=True)}
        for name, mixture in mixtures(y.dtype.kind != "f").items():
            mixture.fit(fold["oof"], fold["y"])
            method = "predict" if y.dtype.kind == "f" else "predict_proba"
            scores["mixture", name] = row_scores(y, getattr(mixture, method)(fold["test"]))
        tables.append(pd.DataFrame(scores).assign(group=fold["groups_test"]))
    table = pd.concat(tables, ignore_index=True)
    return table.drop(columns="group", level=0), table["group"].to_numpy().ravel()


def _standard_error(differences, groups):
    deviations = pd.Series(differences - differences.mean()).groupby(groups).sum()
    return float(np.sqrt((deviations**2).sum())) / len(differences)


def line(name, folds):
    """Return a line of the table: the best member, and how far from it each mixture is, with standard errors."""
    scores, groups = judge(folds)
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
        cells = [f"{d:+.4f} ± {e:.4f}{'*' * (d < -e)}" for d, e in (of_set[name] for name in columns)]
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
    parser.add_argument("--refit", default="True", choices=["True", "folds"], help="parameter of the stack")
    options = parser.parse_args(arguments)
    options.cache.mkdir(parents=True, exist_ok=True)
    refit = True if options.refit == "True" else options.refit
    lines = [line(name, outer_folds(name, options.cache, refit)) for name in options.names or PROBLEMS]
    regressions = [of_set for of_set in lines if "ridge" in of_set]
    for of_kind in (regressions, [of_set for of_set in lines if of_set not in regressions]):
        if of_kind:
            print(shown(of_kind), end="\n\n")


if __name__ == "__main__":
    main()
