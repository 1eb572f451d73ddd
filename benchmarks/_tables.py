"""Real data sets as plain tables, as a user holds them: nothing is prepared but what the data are said to mean."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn import datasets
from sklearn.model_selection import GroupKFold, KFold, StratifiedKFold, TimeSeriesSplit

from ._stacks import folder_of, tournament

N_FOLDS = 3


@dataclass
class Table:
    """A plain table, its target and how it is split.

    Parameters
    ----------
    X : DataFrame
    y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
        Numbers as float; classes as 0, 1, ...
    groups : ndarray of shape (n_samples,), default=None
    splits : list of (ndarray, ndarray), default=None
        Rows to fit on and to predict; three folds by default, by class or by group.
    """

    X: pd.DataFrame
    y: np.ndarray
    groups: np.ndarray | None = None
    splits: list | None = None

    def __post_init__(self):
        self.X = self.X.reset_index(drop=True)
        if self.splits is None:
            self.splits = list(self._folds().split(self.X, self.y, self.groups))

    @property
    def classifies(self):
        """Whether classes are predicted."""
        return self.y.dtype.kind != "f"

    def _folds(self):
        if self.groups is not None:
            return GroupKFold(N_FOLDS, shuffle=True, random_state=0)
        return (StratifiedKFold if self.classifies else KFold)(N_FOLDS, shuffle=True, random_state=0)


def houses():
    from skstack.datasets import load_houses

    loaded = load_houses(folder_of("houses"), rooms=())
    X = loaded.data.assign(zipcode=loaded.data["zipcode"].astype(str))
    return Table(X, np.log(loaded.target.to_numpy()), loaded.groups)


def womens_clothing():
    reviews = pd.read_csv(folder_of("women_clothing") / "reviews.csv.gz")
    columns = ["Title", "Review Text", "Age", "Positive Feedback Count"]
    columns += ["Division Name", "Department Name", "Class Name"]  # Rating nearly gives the target away
    tested = (reviews["toolkit_split"] == "test").to_numpy()
    y = reviews["Recommended IND"].to_numpy()
    return Table(reviews[columns], y, splits=[(np.flatnonzero(~tested), np.flatnonzero(tested))])


def wages():
    table = pd.read_csv(folder_of("datacamp_intro") / "hourly_wages.csv")
    return Table(table.drop(columns="wage_per_hour"), table["wage_per_hour"].to_numpy().astype(float))


def titanic():
    table = pd.read_csv(folder_of("datacamp_intro") / "titanic_all_numeric.csv")
    return Table(table.drop(columns="survived"), table["survived"].to_numpy())


def steel():
    targets = ["yield strength", "tensile strength", "elongation"]
    table = pd.read_csv(folder_of("materials") / "steel_strength.csv.gz").dropna(subset=targets)
    return Table(table.drop(columns=targets), table[targets].to_numpy())


def molecules():
    table = pd.read_csv(folder_of("molecules") / "delaney_processed.csv.gz")
    y = table.pop("measured log solubility in mols per litre").to_numpy()
    # What another model has predicted, and a name of the molecule that the SMILES says better.
    return Table(table.drop(columns=["ESOL predicted log solubility in mols per litre"]), y)


def metro():
    series = pd.read_csv(folder_of("metro_traffic") / "metro.csv.gz", keep_default_na=False, parse_dates=["date_time"])
    hourly = series.drop_duplicates("date_time").sort_values("date_time").reset_index(drop=True)
    y = hourly.pop("traffic_volume").to_numpy().astype(float)
    past = {f"traffic {hours} hours ago": pd.Series(y).shift(hours) for hours in (24, 48, 72, 168)}
    X, latest = hourly.assign(**past), slice(-8000, None)
    return Table(X[latest], y[latest], splits=list(TimeSeriesSplit(N_FOLDS).split(y[latest])))


def basketball():
    X, games = tournament()
    return Table(X, games["score_diff"].to_numpy().astype(float), games["season"].to_numpy())


def basketball_won():
    X, games = tournament()
    return Table(X, games["won"].to_numpy().astype(int), games["season"].to_numpy())


def ames_houses():
    table = pd.read_csv(folder_of("tables") / "ames_houses.csv.gz")
    return Table(table.drop(columns="SalePrice"), np.log(table["SalePrice"].to_numpy()))


def used_cars():
    table = pd.read_csv(folder_of("tables") / "used_cars.csv.gz").drop_duplicates()
    return Table(table.drop(columns="Price"), np.log(table["Price"].to_numpy()))


def german_credit():
    table = pd.read_csv(folder_of("tables") / "german_credit.csv.gz")
    return Table(table.drop(columns="class"), (table["class"] == "good").to_numpy().astype(int))


def doctor_fees():
    table = pd.read_csv(folder_of("tables") / "doctor_fees.csv.gz")
    return Table(table.drop(columns="Fees"), np.log1p(table["Fees"].to_numpy()))


def _bundled(load):
    data = load(as_frame=True)
    return data.data, data.target.to_numpy()


def diabetes():
    X, y = _bundled(datasets.load_diabetes)
    return Table(X, y.astype(float))


def breast_cancer():
    return Table(*_bundled(datasets.load_breast_cancer))


def wine():
    return Table(*_bundled(datasets.load_wine))


#: Functions that load a set, by its name.
TABLES = {
    function.__name__: function
    for function in (
        houses,
        womens_clothing,
        wages,
        titanic,
        steel,
        molecules,
        metro,
        basketball,
        basketball_won,
        ames_houses,
        used_cars,
        german_credit,
        doctor_fees,
        diabetes,
        breast_cancer,
        wine,
    )
}
