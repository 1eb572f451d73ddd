"""Stacks over real data sets, for comparing what stands on top of them.

Each set has base models that people would give it: a linear one, trees, a network. They are not tuned, and were not
chosen for what is compared.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
)
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge, RidgeCV
from sklearn.model_selection import GroupKFold, KFold, StratifiedKFold, TimeSeriesSplit
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, OrdinalEncoder, StandardScaler, TargetEncoder
from sklearn.svm import SVR

from skstack.datasets import find_data, load_houses

N_FOLDS = 5


@dataclass
class Problem:
    """A data set and the base models of a stack over it.

    Parameters
    ----------
    X : DataFrame
    y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
    parts : list of (str, branch or estimator, columns)
    network : dict
        Parameters of the network that the branches become.
    cv : cross-validation generator
        Of the stack.
    groups : ndarray of shape (n_samples,), default=None
    training : str, default="joint"
    """

    X: pd.DataFrame
    y: np.ndarray
    parts: list
    network: dict
    cv: object
    groups: np.ndarray | None = None
    training: str = "joint"

    @property
    def classifies(self):
        """Whether classes are predicted."""
        return self.y.dtype.kind not in "f"

    def stack(self, final_estimator=None, **params):
        """Return the unfitted stack."""
        from skstack import (
            MultimodalNetworkClassifier,
            MultimodalNetworkRegressor,
            MultimodalStackingClassifier,
            MultimodalStackingRegressor,
        )

        stack = MultimodalStackingClassifier if self.classifies else MultimodalStackingRegressor
        network = MultimodalNetworkClassifier if self.classifies else MultimodalNetworkRegressor
        params = {"training": self.training, "cv": self.cv, "random_state": 0, **params}
        return stack(self.parts, final_estimator, network=network(**self.network), **params)


def folder_of(name):
    """Return the folder of a data set, or raise if it is not there."""
    folder = find_data(name)
    if folder is None:
        raise FileNotFoundError(f"no data set {name!r}: set SKSTACK_DATA to the folder that holds it.")
    return folder


def row_scores(y, predicted):
    """Return the score of each row: its part of R2, or the log-probability of its class, where these are 0, 1, ..."""
    if y.dtype.kind != "f":
        return np.log(np.maximum(predicted[np.arange(len(y)), y], np.finfo(float).eps))
    y, predicted = y.reshape(len(y), -1), predicted.reshape(len(y), -1)
    return (1.0 - (y - predicted) ** 2 / y.var(axis=0)).mean(axis=1)


def _shuffled(X, y, groups=None):
    """Return a splitter of rows in any order: by group, by class or neither."""
    if groups is not None:
        return GroupKFold(N_FOLDS)
    kind = KFold if y.dtype.kind == "f" else StratifiedKFold
    return kind(N_FOLDS, shuffle=True, random_state=0)


def _problem(X, y, parts, network=None, groups=None, **settings):
    X = X.reset_index(drop=True)
    network = {"epochs": 40, "patience": 6, "batch_size": 32, **(network or {})}
    return Problem(X, y, parts, network, _shuffled(X, y, groups), groups, **settings)


# --- base models of any table -----------------------------------------------------------------------------------------


def _table_parts(X, y):
    """Return a linear model, trees, boosting, neighbours and a network, for numbers and categories."""
    from skstack.branches import CategoricalBranch, NumericBranch

    numbers = [name for name in X if pd.api.types.is_numeric_dtype(X[name])]
    categories = [name for name in X if name not in numbers]
    impute = SimpleImputer(strategy="median", add_indicator=True)
    onehot = OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=5)
    ordinal = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1, encoded_missing_value=-2)
    dense = make_column_transformer(
        (make_pipeline(impute, StandardScaler()), numbers), (onehot, categories), sparse_threshold=0
    )
    codes = make_column_transformer((SimpleImputer(strategy="median"), numbers), (ordinal, categories))
    classifies = y.dtype.kind != "f"
    trees = (ExtraTreesClassifier if classifies else ExtraTreesRegressor)(100, min_samples_leaf=2, random_state=0)
    boosting = HistGradientBoostingClassifier if classifies else HistGradientBoostingRegressor
    linear = LogisticRegression(C=0.3, max_iter=500) if classifies else RidgeCV(np.logspace(-1, 3, 9))
    neighbours = KNeighborsClassifier(15) if classifies else KNeighborsRegressor(10)
    branches = [("numbers", NumericBranch(hidden=(64,), dropout=0.1), numbers)] if numbers else []
    branches += [("categories", CategoricalBranch(min_frequency=5), categories)] if categories else []
    return [
        *branches,
        ("linear", make_pipeline(dense, linear)),
        ("trees", make_pipeline(codes, trees)),
        ("boosting", make_pipeline(clone(codes), boosting(learning_rate=0.05, max_iter=100, random_state=0))),
        ("neighbours", make_pipeline(clone(dense), neighbours)),
    ]


def table_problem(X, y, **settings):
    """Return the problem of a table of numbers and categories."""
    return _problem(X, y, _table_parts(X, y), **settings)


# --- tables -----------------------------------------------------------------------------------------------------------


def wages():
    table = pd.read_csv(folder_of("datacamp_intro") / "hourly_wages.csv").astype(float)
    return table_problem(table.drop(columns="wage_per_hour"), table["wage_per_hour"].to_numpy())


def titanic():
    table = pd.read_csv(folder_of("datacamp_intro") / "titanic_all_numeric.csv").astype(float)
    return table_problem(table.drop(columns="survived"), table["survived"].to_numpy().astype(int))


def german_credit():
    table = pd.read_csv(folder_of("tables") / "german_credit.csv.gz")
    return table_problem(table.drop(columns="class"), (table["class"] == "good").to_numpy().astype(int))


def _ames():
    table = pd.read_csv(folder_of("tables") / "ames_houses.csv.gz").drop(columns="Id")
    table["MSSubClass"] = table["MSSubClass"].astype(str)
    return table.drop(columns="SalePrice"), table["SalePrice"].to_numpy().astype(float)


def ames_price():
    return table_problem(*_ames())


def ames_log_price():
    X, y = _ames()
    return table_problem(X, np.log(y))


def _cars():
    table = pd.read_csv(folder_of("tables") / "used_cars.csv.gz").drop_duplicates()
    for name in ("Engine", "Max Power", "Max Torque"):
        table[name] = table[name].str.extract(r"([\d.]+)")[0].astype(float)
    table["Model"] = table["Model"].str.split().str[0]
    return table.drop(columns="Price"), table["Price"].to_numpy().astype(float)


def cars_price():
    return table_problem(*_cars())


def cars_log_price():
    X, y = _cars()
    return table_problem(X, np.log(y))


def doctor_fees():
    table = pd.read_csv(folder_of("tables") / "doctor_fees.csv.gz")
    X = pd.DataFrame({"years": table["Experience"].str.extract(r"(\d+)")[0].astype(float)})
    X["rating"] = table["Rating"].str.rstrip("%").astype(float)
    X["degrees"] = table["Qualification"].str.count(",") + 1.0
    X["degree"] = table["Qualification"].str.split(",").str[0]
    place = table["Place"].fillna("").str.split(",")
    X["town"], X["quarter"], X["profile"] = place.str[-1].str.strip(), place.str[0], table["Profile"]
    return table_problem(X, table["Fees"].to_numpy().astype(float), network={"epochs": 20, "batch_size": 64})


def steel():
    targets = ["yield strength", "tensile strength", "elongation"]
    table = pd.read_csv(folder_of("materials") / "steel_strength.csv.gz").dropna(subset=targets)
    X, Y = table.drop(columns=["formula", *targets]), table[targets].to_numpy()
    parts = [part for part in _table_parts(X, Y) if part[0] != "boosting"]  # has one target
    return _problem(X, Y, parts, network={"epochs": 60, "batch_size": 16})


def molecules():
    from skstack.branches import NumericBranch

    table = pd.read_csv(folder_of("molecules") / "delaney_processed.csv.gz")
    y = table.pop("measured log solubility in mols per litre").to_numpy()
    table = table.drop(columns="ESOL predicted log solubility in mols per litre")
    numbers = [name for name in table if name != "smiles"]
    words = TfidfVectorizer(analyzer="char", ngram_range=(1, 4), lowercase=False, min_df=2, sublinear_tf=True)
    boosting = GradientBoostingRegressor(n_estimators=100, max_depth=4, learning_rate=0.05, subsample=0.6)
    parts = [
        ("numbers", NumericBranch(hidden=(64,)), numbers),
        ("linear", make_pipeline(StandardScaler(), Ridge()), numbers),
        ("boosting", boosting, numbers),
        ("groups", make_pipeline(words, Ridge(0.1)), "smiles"),
    ]
    return _problem(table, y, parts)


# --- groups and time --------------------------------------------------------------------------------------------------


def _houses():
    houses = load_houses(folder_of("houses"))
    X = houses.data[["bedrooms", "bathrooms", "area", "zipcode"]].copy()
    X["log_area"], X["zip_number"] = np.log(X["area"]), X["zipcode"].astype(float)
    return X, houses.target.to_numpy().astype(float), houses.groups


def _house_parts():
    from skstack.branches import CategoricalBranch, NumericBranch

    numbers = ["bedrooms", "bathrooms", "log_area"]
    trees = make_pipeline(
        make_column_transformer(
            ("passthrough", ["bedrooms", "bathrooms", "area", "zip_number"]),
            (TargetEncoder(target_type="continuous", random_state=0), ["zipcode"]),
        ),
        GradientBoostingRegressor(n_estimators=100, learning_rate=0.05, max_depth=4, subsample=0.6, min_samples_leaf=5),
    )
    onehot = OneHotEncoder(handle_unknown="infrequent_if_exist")
    dense = make_column_transformer((StandardScaler(), numbers), (onehot, ["zipcode"]))
    return [
        ("numbers", NumericBranch(hidden=(64, 32)), numbers),
        ("zip", CategoricalBranch(dim=16), ["zipcode"]),
        ("trees", trees),
        ("linear", make_pipeline(dense, Ridge())),
        ("svr", make_pipeline(clone(dense), SVR(C=3, gamma=0.1, epsilon=0.1))),
    ]


def houses_price():
    X, y, groups = _houses()
    return _problem(X, y / 1e5, _house_parts(), groups=groups)


def houses_log_price():
    X, y, groups = _houses()
    return _problem(X, np.log(y), _house_parts(), groups=groups)


def _ratings(games):
    """Return a rating of each team: a ridge regression of the score difference on the teams of each season."""
    from scipy import sparse

    ratings = {}
    for _, season in games.groupby("season"):
        teams, codes = np.unique(season[["team_1", "team_2"]].to_numpy(), return_inverse=True)
        codes, rows = codes.reshape(-1, 2), np.arange(len(season))
        signs = np.repeat([[1.0, -1.0]], len(season), axis=0)
        sides = sparse.csr_matrix((signs.ravel(), (np.repeat(rows, 2), codes.ravel())), shape=(len(season), len(teams)))
        ridge = Ridge(2.0, fit_intercept=False, solver="sparse_cg").fit(sides, season["score_diff"])
        ratings.update(zip(teams, ridge.coef_, strict=True))
    return pd.Series(ratings)


def tournament():
    """Return seeds and ratings of both teams of tournament games, and the games."""
    folder = folder_of("basketball")
    ratings = _ratings(pd.read_csv(folder / "games_season.csv.gz"))
    games = pd.read_csv(folder / "games_tourney.csv.gz")
    X = games[["seed_diff"]].astype(float)
    X["rating_1"], X["rating_2"] = games["team_1"].map(ratings), games["team_2"].map(ratings)
    X["rating_diff"] = X["rating_1"] - X["rating_2"]
    return X, games


def _tournament_parts(y):
    parts = _table_parts(pd.DataFrame({"seed_diff": [0.0], "rating_1": 0.0, "rating_2": 0.0, "rating_diff": 0.0}), y)
    linear = LinearRegression() if y.dtype.kind == "f" else LogisticRegression()
    return [*parts, ("rating", linear, ["rating_diff"]), ("seeds", clone(linear), ["seed_diff"])]


def _tournament_problem(target, dtype):
    X, games = tournament()
    y = games[target].to_numpy().astype(dtype)
    network = {"epochs": 15, "patience": 4, "batch_size": 64}
    groups = games["season"].to_numpy()
    return Problem(X, y, _tournament_parts(y), network, GroupKFold(N_FOLDS), groups)


def tournament_score():
    return _tournament_problem("score_diff", float)


def tournament_won():
    return _tournament_problem("won", int)


def traffic():
    series = pd.read_csv(folder_of("metro_traffic") / "metro.csv.gz", keep_default_na=False, parse_dates=["date_time"])
    hourly = series.drop_duplicates("date_time").set_index("date_time").sort_index()
    X = hourly[["temp", "rain_1h", "clouds_all", "weather_main"]].copy()
    X["holiday"] = (hourly["holiday"] != "None").groupby(hourly.index.normalize()).transform("max").astype(str)
    X["hour"], X["weekday"] = hourly.index.hour.astype(float), hourly.index.day_of_week.astype(str)
    X["hour of the week"] = (24 * hourly.index.day_of_week + hourly.index.hour).astype(str)
    X["month"] = hourly.index.month.astype(float)
    X, y = X.iloc[-9000:].reset_index(drop=True), hourly["traffic_volume"].to_numpy().astype(float)[-9000:]
    network = {"epochs": 8, "patience": 3, "batch_size": 128}
    return Problem(X, y, _table_parts(X, y), network, TimeSeriesSplit(N_FOLDS))


# --- texts, images, sequences -----------------------------------------------------------------------------------------


def _joined(table):
    return (table["Title"].fillna("") + " . " + table["Review Text"].fillna("")).to_numpy()


def womens_clothing():
    from skstack.branches import TextBranch

    reviews = pd.read_csv(folder_of("women_clothing") / "reviews.csv.gz")
    texts, garment = ["Title", "Review Text"], ["Division Name", "Department Name", "Class Name"]
    table = ["Age", "Positive Feedback Count", *garment]
    words = TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True, token_pattern=r"\w+(?:'\w+)*|[!?]")
    ordinal = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    boosting = make_pipeline(
        make_column_transformer((ordinal, garment), remainder="passthrough"),
        HistGradientBoostingClassifier(max_iter=60, learning_rate=0.05, random_state=0),
    )
    tfidf = make_pipeline(FunctionTransformer(_joined), words, LogisticRegression(C=10, solver="liblinear"))
    parts = [
        ("tfidf", tfidf, texts),
        ("mean", TextBranch(encoder="mean", dim=32, dropout=0.5), texts),
        ("table", boosting, table),
    ]
    y = reviews["Recommended IND"].to_numpy()
    network = {"head": (), "epochs": 4, "patience": 1, "batch_size": 64, "optimizer__learning_rate": 0.002}
    cv = StratifiedKFold(4, shuffle=True, random_state=0)
    return Problem(reviews[[*texts, *table]], y, parts, network, cv, training="individual")


def digits():
    images = np.load(folder_of("mnist5k") / "mnist5k.npz")
    X = pd.DataFrame(images["X"].reshape(5000, -1)[:, ::2] / 255.0).add_prefix("pixel_")
    parts = _table_parts(X, images["y"].astype(int))
    parts = [part for part in parts if part[0] != "boosting"]
    return _problem(X, images["y"].astype(int), parts, network={"epochs": 15, "patience": 4, "batch_size": 64})


def _archive(name):
    archive = np.load(folder_of("sequences") / f"{name}.npz", allow_pickle=True)
    parts = [archive["X_train"], archive["X_test"]]
    length = max(part.shape[1] for part in parts)
    X = np.concatenate([np.pad(part, ((0, 0), (0, length - part.shape[1]), (0, 0))) for part in parts])
    y = np.unique(np.concatenate([archive["y_train"], archive["y_test"]]), return_inverse=True)[1]
    table = pd.DataFrame(np.nan_to_num(X.reshape(len(X), -1)).astype(float)).add_prefix("step_")
    return table, y


def _sequences(name):
    X, y = _archive(name)
    parts = [part for part in _table_parts(X, y) if part[0] != "boosting"]
    network = {"epochs": 30, "patience": 5, "batch_size": 16}
    return Problem(X, y, parts, network, _shuffled(X, y))


def vowels():
    return _sequences("JapaneseVowels")


def power():
    return _sequences("ItalyPowerDemand")


#: Functions that load a set, by its name.
PROBLEMS = {
    function.__name__: function
    for function in (
        wages,
        steel,
        molecules,
        houses_price,
        houses_log_price,
        ames_price,
        ames_log_price,
        cars_price,
        cars_log_price,
        doctor_fees,
        tournament_score,
        traffic,
        titanic,
        german_credit,
        tournament_won,
        womens_clothing,
        digits,
        vowels,
        power,
    )
}
