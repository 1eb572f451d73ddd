"""
Plain tables: a stack that is told nothing
==========================================

Four tables, as they are read from files: wages and a few numbers; credits and a dozen categories; used cars, with
numbers inside texts ("87 bhp @ 6000 rpm"); molecules, as numbers and as strings. The stack is told none of that. It
tells kinds of columns apart, makes branches of one network and three learners of them, and mixes what these predict.

Set ``SKSTACK_DATA`` to a directory with these tables to use them; else the lesson runs on data that come with
scikit-learn, and on cars that are drawn.
"""

# %%
# Wages
# -----
# Read, divide, fit, score: nothing but a seed is given. ``stack_report_`` says what each member is worth on rows that
# it has not seen, and what the mixture is.
import os

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.datasets import load_breast_cancer, load_diabetes, load_wine
from sklearn.model_selection import train_test_split

from skstack import MultimodalStackingClassifier, MultimodalStackingRegressor
from skstack.datasets import find_data

# A run that shows only that everything works.
QUICK = bool(os.environ.get("SKSTACK_QUICK"))


def divided(X, y):
    """Return training rows and the tenth of the rows to be predicted."""
    return train_test_split(X[:150] if QUICK else X, y[:150] if QUICK else y, test_size=0.1, random_state=0)


if folder := find_data("datacamp_intro"):
    wages = pd.read_csv(folder / "hourly_wages.csv")
    X, y = wages.drop(columns="wage_per_hour"), wages["wage_per_hour"]
else:
    X, y = load_diabetes(return_X_y=True, as_frame=True)
X_train, X_test, y_train, y_test = divided(X, y)

stack = MultimodalStackingRegressor(random_state=0).fit(X_train, y_train)
print(f"R2: {stack.score(X_test, y_test):.3f}")
reports = {"wages": stack.stack_report_}
reports["wages"]["score"].round(3)

# %%
# Credits
# -------
# Classes are no different, and neither are categories. ``reasons`` says what each column was taken for.
if folder := find_data("tables"):
    credits = pd.read_csv(folder / "german_credit.csv.gz")
    X, y = credits.drop(columns="class"), credits["class"]
else:
    X, y = load_breast_cancer(return_X_y=True, as_frame=True)
X_train, X_test, y_train, y_test = divided(X, y)

stack = MultimodalStackingClassifier(random_state=0).fit(X_train, y_train)
print(f"accuracy: {stack.score(X_test, y_test):.3f}")
reports["credits"] = stack.stack_report_
stack.suggestion_.reasons.head(10)

# %%
# Used cars
# ---------
# The engine has "1198 cc" and the power is "87 bhp @ 6000 rpm". What the stack suggested to itself prints as code:
# copied and edited, it is what to go on from.


def draw_cars(n_cars=300):
    """Return cars with a make, an engine, a power in words and a price."""
    rng = np.random.default_rng(0)
    power, year = rng.integers(50, 200, n_cars), rng.integers(2005, 2024, n_cars)
    cars = pd.DataFrame({"Make": rng.choice(["Honda", "Toyota", "Tata"], n_cars), "Year": year})
    cars["Engine"] = [f"{12 * p} cc" for p in power]
    cars["Max Power"] = [f"{p} bhp @ {p * 40} rpm" for p in power]
    cars["Price"] = power * 1000.0 * 0.9 ** (2024 - year) * rng.uniform(0.9, 1.1, n_cars)
    return cars


folder = find_data("tables")
cars = draw_cars() if folder is None else pd.read_csv(folder / "used_cars.csv.gz").drop_duplicates()
X_train, X_test, y_train, y_test = divided(cars.drop(columns="Price"), cars["Price"])

stack = MultimodalStackingRegressor(random_state=0).fit(X_train, y_train)
print(f"R2: {stack.score(X_test, y_test):.3f}")
reports["used cars"] = stack.stack_report_
print(stack.suggestion_)

# %%
# Molecules
# ---------
# A molecule is some numbers and a string, ``OCC3OC(OCC2...``, which has no words: it is read by character. The names of
# the parts say who gets it.
if folder := find_data("molecules"):
    molecules = pd.read_csv(folder / "delaney_processed.csv.gz")
    y = molecules.pop("measured log solubility in mols per litre")
    X = molecules.drop(columns="ESOL predicted log solubility in mols per litre")
else:
    X, y = load_wine(return_X_y=True, as_frame=True)
    y = y.astype(float)
X_train, X_test, y_train, y_test = divided(X, y)

stack = MultimodalStackingRegressor(random_state=0).fit(X_train, y_train)
print(f"R2: {stack.score(X_test, y_test):.3f}")
reports["molecules"] = stack.stack_report_
[(name, columns) for name, part, columns in stack.suggestion_]

# %%
# Side by side
# ------------
# Which member is best differs from table to table; the mixture is near the best of them, or better.
figure, axes = plt.subplots(1, 4, figsize=(11, 2.6), layout="constrained")
for axis, (table, report) in zip(axes, reports.items(), strict=True):
    shown = report.loc[["final estimator", "base model"]].droplevel("kind").rename(index=lambda name: name[:15])
    axis.barh(shown.index, shown["score"], xerr=shown["standard_error"], color=["C1", *["C0"] * (len(shown) - 1)])
    axis.set(title=table, xlabel=shown["scoring"].iloc[0])
plt.show()
