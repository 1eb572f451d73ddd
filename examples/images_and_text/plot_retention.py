"""
Customer retention: feedback, a call and a table
================================================

Who is going to leave? The table knows how long a customer has been there and what he pays; his last feedback says
what he thinks; his last call to the hotline sounds calm or not. Most customers have not written, or not called.
A stack reads all three kinds of data, rows that lack some included, and is told what was missing.

The data are drawn, since nobody publishes his customers: a call is a second of sound whose pitch and pace rise with
anger, buried in noise.
"""

# %%
# The data
# --------
import os

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import train_test_split

from skstack import MultimodalNetworkClassifier, MultimodalStackingClassifier
from skstack.branches import AudioBranch, CategoricalBranch, NumericBranch, TextBranch
from skstack.preprocessing import tensor_column

QUICK = bool(os.environ.get("SKSTACK_QUICK"))
N_CUSTOMERS, RATE = (160 if QUICK else 2500), 8000

PRAISE = ["the line is fast", "support was kind", "fair price", "works since day one", "I would recommend it"]
BLAME = ["the line keeps dropping", "nobody calls back", "the price went up again", "the router is broken", "too slow"]
NEUTRAL = ["I moved last month", "second contract in the family", "ordered online", "the invoice came by mail"]


def write(anger, generator):
    """Return feedback of a few remarks, of which more are bad the angrier the customer is."""
    remarks = [generator.choice(BLAME if generator.random() < anger else PRAISE) for _ in range(2)]
    remarks.append(generator.choice(NEUTRAL))
    generator.shuffle(remarks)
    return ". ".join(remarks).capitalize() + "."


def call(anger, generator):
    """Return a second of a voice: syllables of a pitch, both faster and higher the angrier the customer is."""
    time = np.arange(RATE) / RATE
    pitch = 110 * 2 ** generator.normal(0, 0.25) * (1 + 0.7 * anger)
    pace = (3 + 4 * anger) * 2 ** generator.normal(0, 0.2)
    voice = sum(np.sin(2 * np.pi * pitch * k * time) / k for k in (1, 2, 3, 4))
    syllables = np.clip(np.sin(2 * np.pi * pace * time + generator.uniform(0, 6)), 0, None)
    return (0.2 * voice * syllables + 0.05 * generator.normal(size=RATE)).astype("float32")


def make_customers(n_customers, generator):
    """Return a table of customers and whether they left."""
    anger_written, anger_heard = generator.uniform(size=(2, n_customers))
    X = pd.DataFrame(
        {
            "months": generator.integers(1, 80, n_customers).astype(float),
            "monthly_fee": generator.choice([15.0, 25.0, 40.0], n_customers),
            "plan": generator.choice(["mobile", "home", "both"], n_customers, p=[0.5, 0.3, 0.2]),
        }
    )
    has_written, has_called = generator.random(n_customers) < 0.6, generator.random(n_customers) < 0.5
    X["feedback"] = [
        write(a, generator) if there else None for a, there in zip(anger_written, has_written, strict=True)
    ]
    X["call"] = [call(a, generator) if there else None for a, there in zip(anger_heard, has_called, strict=True)]
    # Who calls at all is rather going to leave; mobile customers find another provider easily.
    risk = -1.5 - 0.03 * (X["months"] - 40) + 0.02 * (X["monthly_fee"] - 25) + 0.6 * (X["plan"] == "mobile")
    risk += 4 * (anger_written - 0.4) * has_written + (5 * (anger_heard - 0.4) + 0.7) * has_called
    return X, (generator.random(n_customers) < 1 / (1 + np.exp(-risk))).astype(int), risk


X, left, risk = make_customers(N_CUSTOMERS, np.random.default_rng(0))
X_train, X_test, y_train, y_test, _, risk_test = train_test_split(X, left, risk, stratify=left, random_state=0)
shown = X.head().assign(call=[None if clip is None else f"{len(clip) / RATE:.0f} s" for clip in X["call"].head()])
print(shown.to_string())
print(f"{len(X)} customers, {left.mean():.0%} left; without feedback {X['feedback'].isna().mean():.0%}, ", end="")
print(f"without a call {X['call'].isna().mean():.0%}")

# %%
# The stack
# ---------
# Every kind of data is a network of its own (``training="individual"``), so that we see what each is worth; boosted
# trees read the table too. A network never gets a row it has nothing for without noticing: a trained vector stands in
# for the missing text or call. The final estimator gets a column that says so.
TABLE = ["months", "monthly_fee"]
stack = MultimodalStackingClassifier(
    [
        ("numbers", NumericBranch(hidden=(16,)), TABLE),
        ("plan", CategoricalBranch(), ["plan"]),
        ("feedback", TextBranch(encoder="mean", dim=16), ["feedback"]),
        ("call", AudioBranch(rate=RATE, duration=1.0, n_mels=32, filters=(8, 16), hidden=(16,)), ["call"]),
        ("boosting", HistGradientBoostingClassifier(max_iter=50, max_depth=3), TABLE),
    ],
    network=MultimodalNetworkClassifier(head=(16,), epochs=2 if QUICK else 25, batch_size=64, patience=5),
    training="individual",
    add_missing_indicator=True,
    allow_missing_columns=True,
    cv=2 if QUICK else 5,
    random_state=0,
)
stack.fit(X_train, y_train)

# %%
# What each kind of data is worth
# -------------------------------
# Columns of ``transform`` are the predictions of the base models. The best that anybody could do is to know the risk
# that the customers were drawn with.
names = [name.removeprefix("multimodalstackingclassifier_") for name in stack.get_feature_names_out()]
columns = pd.DataFrame(stack.transform(X_test), columns=names)
print("\nthe final estimator gets", ", ".join(names))
scores = {name: roc_auc_score(y_test, columns[name]) for name in ("numbers", "plan", "feedback", "call", "boosting")}
scores["stack"] = roc_auc_score(y_test, stack.predict_proba(X_test)[:, 1])
print("\nROC AUC on customers that no model has seen")
print(pd.Series(scores).to_string(float_format="{:.3f}".format))
print(f"reference: the true risk {roc_auc_score(y_test, risk_test):.3f}")

# %%
# A table without the calls
# -------------------------
# The archive of calls is down? ``allow_missing_columns=True`` lets the stack predict without the column.
without = roc_auc_score(y_test, stack.predict_proba(X_test.drop(columns="call"))[:, 1])
print(f"stack without the column of calls {without:.3f}")

# %%
# A call is a plain array in a cell of the table; arrays of one length fit into a column of tensors as well, which
# takes less memory and can be stored as Parquet.
calls = tensor_column(np.stack(X["call"].dropna().to_numpy()))
print(f"column of {len(calls)} calls: {calls.dtype}")

figure, axes = plt.subplots(layout="constrained")
ordered = pd.Series({**scores, "stack without calls": without}).sort_values()
axes.barh(ordered.index, ordered, color=["C1" if name.startswith("stack") else "C0" for name in ordered.index])
axes.axvline(roc_auc_score(y_test, risk_test), color="0.5", ls="--", label="the true risk")
axes.set(xlabel="ROC AUC", xlim=(0.5, None), title="Who is going to leave?")
axes.legend()
plt.show()
