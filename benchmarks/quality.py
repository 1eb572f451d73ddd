"""Compare predictions with those of peers, over plain tables: python -m benchmarks quality --cache FOLDER

Every model gets the same rows of the same plain tables; peers get their columns cleaned and encoded by skrub, as its
guide does it. ``--models stack_fast stack stack_best`` compares the levels of ``quality=`` instead. Scores are R2, or
the area under the ROC curve (of each class against the others, where there are more than two), of the rows that each
fold holds out; a difference is judged by the standard error of the paired differences between rows' losses (squared
errors, logarithms of probabilities). Seconds are those of one fit, on average over the folds. What a model predicted
for a set is kept in the folder, so that peers can be run in an environment of their own. ``SKSTACK_DATA`` names the
folder of the data sets.
"""

import argparse
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.metrics import r2_score, roc_auc_score
from sklearn.multioutput import MultiOutputRegressor
from sklearn.pipeline import make_pipeline

from ._stacks import row_scores
from ._tables import TABLES

# --- models -----------------------------------------------------------------------------------------------------------


def _by_target(model, table):
    """Return a model for each target where a model has only one."""
    return MultiOutputRegressor(model) if table.y.ndim == 2 else model


def _sklearn(kind, several=False, **params):
    def make(table, seed):
        from sklearn import ensemble
        from skrub import TableVectorizer, tabular_pipeline

        model = getattr(ensemble, kind + ("Classifier" if table.classifies else "Regressor"))
        model = model(random_state=seed, **params)
        if kind.startswith("Hist"):
            # skrub prepares the columns as this learner likes them.
            pipeline = tabular_pipeline(model)
            return _by_target(pipeline, table)
        return make_pipeline(TableVectorizer(), model if several else _by_target(model, table))

    return make


def _linear(table, seed):
    from sklearn.linear_model import LogisticRegression, RidgeCV
    from skrub import tabular_pipeline

    return tabular_pipeline(LogisticRegression(max_iter=1000) if table.classifies else RidgeCV(np.logspace(-2, 4, 13)))


def _with_categories(model):
    """Return a pipeline that leaves categories to the model."""
    from skrub import TableVectorizer, ToCategorical

    return make_pipeline(TableVectorizer(low_cardinality=ToCategorical()), model)


def _lightgbm(table, seed):
    import lightgbm

    model = lightgbm.LGBMClassifier if table.classifies else lightgbm.LGBMRegressor
    params = {"n_estimators": 300, "learning_rate": 0.05, "subsample": 0.8, "subsample_freq": 1}
    return _with_categories(
        _by_target(model(colsample_bytree=0.5, random_state=seed, n_jobs=1, verbose=-1, **params), table)
    )


class _CatBoost(BaseEstimator):
    """CatBoost with its own settings, which depend on the data, and its own way with categories."""

    def __init__(self, model):
        self.model = model

    def fit(self, X, y):
        categories = [name for name in X if X[name].dtype == "category"]
        self.model.fit(self._readable(X, categories), y, cat_features=categories)
        self.categories_ = categories
        return self

    def _readable(self, X, categories):
        return X.assign(**{name: X[name].astype("str").fillna("missing") for name in categories})

    def predict(self, X):
        return self.model.predict(self._readable(X, self.categories_))

    def predict_proba(self, X):
        return self.model.predict_proba(self._readable(X, self.categories_))


def _catboost(table, seed):
    import catboost

    params = {"random_state": seed, "verbose": False, "thread_count": 1, "allow_writing_files": False}
    if table.classifies:
        return _with_categories(_CatBoost(catboost.CatBoostClassifier(**params)))
    loss = "MultiRMSE" if table.y.ndim == 2 else "RMSE"
    return _with_categories(_CatBoost(catboost.CatBoostRegressor(loss_function=loss, **params)))


def _pytabkit(kind):
    def make(table, seed):
        import pytabkit

        model = getattr(pytabkit, f"{kind}_{'Classifier' if table.classifies else 'Regressor'}")
        # On a GPU where there is one. Numbers have to be complete.
        filling = make_column_transformer(
            (SimpleImputer(add_indicator=True), make_column_selector(dtype_include="number")),
            remainder="passthrough",
            verbose_feature_names_out=False,
        ).set_output(transform="pandas")
        return _with_categories(make_pipeline(filling, _by_target(model(random_state=seed, n_threads=1), table)))

    return make


def _network(table, seed):
    from skstack import MultimodalNetworkClassifier, MultimodalNetworkRegressor, suggest_estimators
    from skstack.branches._base import Branch

    model = MultimodalNetworkClassifier if table.classifies else MultimodalNetworkRegressor
    parts = suggest_estimators(table.X, table.y, task="classification" if table.classifies else "regression")
    return model([part for part in parts if isinstance(part[1], Branch)], random_state=seed)


def _stack(**params):
    def make(table, seed):
        from skstack import MultimodalStackingClassifier, MultimodalStackingRegressor

        stack = MultimodalStackingClassifier if table.classifies else MultimodalStackingRegressor
        return stack(random_state=seed, **params)

    return make


#: Functions that return an unfitted model for a table and a seed, by name; ours are the first four.
MODELS = {
    "network": _network,
    "stack": _stack(),
    "stack_fast": _stack(quality="fast"),
    "stack_best": _stack(quality="best"),
    "linear": _linear,
    "forest": _sklearn("RandomForest", several=True, n_estimators=300),
    "boosting": _sklearn("HistGradientBoosting"),
    "lightgbm": _lightgbm,
    "catboost": _catboost,
    "realmlp": _pytabkit("RealMLP_TD"),
    "tabm": _pytabkit("TabM_D"),
}

#: Compared only where they are asked for.
OTHER_LEVELS = ("stack_fast", "stack_best")

OURS = ("network", "stack", *OTHER_LEVELS)

# --- predictions ------------------------------------------------------------------------------------------------------


def predictions(set_name, model_name, seed, folder):
    """Return what a model predicts for the rows that each fold holds out and its seconds, from the folder if there."""
    path = Path(folder) / f"{set_name} {model_name} {seed}.npz"
    if not path.exists():
        np.savez(path, **_predicted(TABLES[set_name](), model_name, seed))
    return dict(np.load(path))


def fitted(table, model_name, seed, rows):
    """Return a model that is fitted to some rows of a table, ours with their groups."""
    given = {} if table.groups is None or model_name not in OURS else {"groups": table.groups[rows]}
    return MODELS[model_name](table, seed).fit(table.X.iloc[rows], table.y[rows], **given)


def _predicted(table, model_name, seed):
    y, predicted, seconds = table.y, None, []
    for fitting, held_out in table.splits:
        started = time.perf_counter()
        model = fitted(table, model_name, seed, fitting)
        seconds.append(time.perf_counter() - started)
        of_fold = (model.predict_proba if table.classifies else model.predict)(table.X.iloc[held_out])
        predicted = np.full((len(y), *np.shape(of_fold)[1:]), np.nan) if predicted is None else predicted
        predicted[held_out] = of_fold
    return {"predicted": predicted, "y": y, "seconds": np.array(seconds)}


# --- scores -----------------------------------------------------------------------------------------------------------


def score(y, predicted):
    """Return R2, or the area under the ROC curve, of the rows that are predicted."""
    known = ~np.isnan(predicted.reshape(len(y), -1)[:, 0])
    y, predicted = y[known], predicted[known]
    if y.dtype.kind == "f":
        return r2_score(y, predicted.reshape(y.shape))
    return roc_auc_score(y, predicted[:, 1] if predicted.shape[1] == 2 else predicted, multi_class="ovr")


def _row_scores(data):
    known = ~np.isnan(data["predicted"].reshape(len(data["y"]), -1)[:, 0])
    return row_scores(data["y"][known], data["predicted"][known])


def lines(found):
    """Return a table of scores, one of seconds, and one of differences to the best in standard errors.

    Parameters
    ----------
    found : dict of (str, str, int) to dict
        By set, model and seed; see :func:`predictions`.
    """
    scores, seconds, behind = {}, {}, {}
    for name in dict.fromkeys(key[0] for key in found):
        of_set = {}
        for (_, model, _), data in ((key, data) for key, data in found.items() if key[0] == name):
            of_set.setdefault(model, []).append(data)
        scores[name] = {m: np.mean([score(d["y"], d["predicted"]) for d in of]) for m, of in of_set.items()}
        seconds[name] = {m: np.mean([d["seconds"].mean() for d in of]) for m, of in of_set.items()}
        rows = {m: np.mean([_row_scores(d) for d in of], axis=0) for m, of in of_set.items()}
        best = max(rows, key=lambda model: rows[model].mean())
        behind[name] = {m: _in_standard_errors(rows[best] - values) for m, values in rows.items()}
    return tuple(pd.DataFrame(part).T for part in (scores, seconds, behind))


def _in_standard_errors(differences):
    error = differences.std(ddof=1) / np.sqrt(len(differences))
    return differences.mean() / error if error > 0 else 0.0


def main(arguments=None):
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks quality", description=__doc__)
    parser.add_argument("--sets", nargs="+", choices=list(TABLES), default=list(TABLES))
    compared = [name for name in MODELS if name not in OTHER_LEVELS]
    parser.add_argument("--models", nargs="+", choices=list(MODELS), default=compared)
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    parser.add_argument("--cache", type=Path, required=True, help="folder for what models predict")
    options = parser.parse_args(arguments)
    options.cache.mkdir(parents=True, exist_ok=True)
    found = {}
    for key in ((s, m, seed) for s in options.sets for m in options.models for seed in options.seeds):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found[key] = predictions(*key, options.cache)
        data = found[key]
        print(*key, f"{score(data['y'], data['predicted']):.4f} in {data['seconds'].mean():.1f} s", flush=True)
    titles = ("Scores", "Seconds of a fit", "Behind the best of its set, in standard errors of the rows' losses")
    for title, table, digits in zip(titles, lines(found), (4, 1, 1), strict=True):
        print(f"\n{title}\n{table.to_string(float_format=f'{{:.{digits}f}}'.format)}")


if __name__ == "__main__":
    main()
