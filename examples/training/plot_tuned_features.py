"""
Boosting with features that a network has learned
=================================================

Gradient boosting cannot read a text. Usually it is given numbers that a frozen encoder makes of one: principal
components of word counts, or vectors of a pretrained model. They were made for any purpose; a network that is trained
on the target keeps what matters for it. :class:`~skstack.NetworkEmbedder` hands these features to any learner, and for
the rows that the learner is fitted to, those of a network that has not seen them: else boosting would trust them too
far.

Two tables are compared with their texts read in different ways: reviews of clothes (who recommends what she bought?)
and molecules, whose formulas are texts (how well do they dissolve?). The same boosting learns from all of them.

Set ``SKSTACK_DATA`` to a directory with ``women_clothing`` and ``molecules`` to use real ones; else the lesson makes up
texts of its own.
"""

# %%
# The data
# --------
import os

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.decomposition import TruncatedSVD
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.metrics import r2_score, roc_auc_score
from sklearn.model_selection import KFold, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OrdinalEncoder

from skstack import MultimodalNetworkClassifier, MultimodalNetworkRegressor, NetworkEmbedder
from skstack.branches import TextBranch
from skstack.datasets import find_data
from skstack.preprocessing import TextEmbedder

# A run of a few seconds that shows only that everything works.
QUICK = bool(os.environ.get("SKSTACK_QUICK"))
SEEDS = [0] if QUICK else [0, 1, 2]


def make_notes(n_rows, seed=0):
    """Return made-up notes beside a number, and whether their writers are pleased."""
    generator = np.random.default_rng(seed)
    pleased = generator.integers(0, 2, n_rows)
    neutral = [f"word{number}" for number in range(60)]
    liked, disliked = ["love", "soft", "perfect"], ["huge", "cheap", "itchy"]
    notes = [
        " ".join([*generator.choice(neutral, 8), generator.choice(liked if good else disliked)])
        for good in np.where(generator.random(n_rows) < 0.8, pleased, 1 - pleased)
    ]
    return pd.DataFrame({"note": notes, "age": generator.integers(18, 80, n_rows)}), pleased


def make_chains(n_rows, seed=0):
    """Return made-up chains of atoms beside their length, and a property of them."""
    generator = np.random.default_rng(seed)
    effects = {"C": -0.3, "c1ccccc1": -1.5, "O": 0.9, "N": 0.7, "Cl": -0.8, "C(=O)O": 1.1}
    parts = np.array(list(effects))[generator.integers(len(effects), size=(n_rows, 6))]
    y = [sum(effects[part] for part in row) for row in parts] + 0.3 * generator.normal(size=n_rows)
    return pd.DataFrame({"smiles": ["".join(row) for row in parts], "weight": [len("".join(row)) for row in parts]}), y


if (folder := find_data("women_clothing")) and not QUICK:
    reviews = pd.read_csv(folder / "reviews.csv.gz")
    in_test = reviews["toolkit_split"] == "test"
    recommended = reviews["Recommended IND"].to_numpy()
    review_folds = [(np.flatnonzero(~in_test), np.flatnonzero(in_test))]
    texts = ["Title", "Review Text"]
    reviews = reviews[[*texts, "Age", "Positive Feedback Count", "Division Name", "Department Name", "Class Name"]]
else:
    reviews, recommended = make_notes(200 if QUICK else 3000)
    review_folds = [train_test_split(np.arange(len(reviews)), random_state=0)]
    texts = ["note"]

if (folder := find_data("molecules")) and not QUICK:
    molecules = pd.read_csv(folder / "delaney_processed.csv.gz")
    solubility = molecules.pop("measured log solubility in mols per litre").to_numpy()
    molecules = molecules.drop(columns="ESOL predicted log solubility in mols per litre")
else:
    molecules, solubility = make_chains(120 if QUICK else 1000)
molecule_folds = list(KFold(2 if QUICK else 5, shuffle=True, random_state=1).split(molecules))
print(len(reviews), "texts in", texts, "and", len(molecules), "formulas")


# %%
# Ways to read a text
# -------------------
# Frozen: principal components of tf-idf, or the static vectors of words that the package ``wordllama`` carries. Tuned:
# what a network makes of a text that begins with these vectors and trains them on the target; of a formula it sees
# characters, as there are no vectors for those.
def joined(table):
    """Return the texts of a row as one."""
    return table.fillna("").agg(" . ".join, axis=1)


def components(**parameters):
    """Return a reader by principal components of how often terms occur."""
    tfidf = TfidfVectorizer(min_df=2, sublinear_tf=True, **parameters)
    return make_pipeline(FunctionTransformer(joined), tfidf, TruncatedSVD(20 if QUICK else 50, random_state=0))


training = {"head": (), "optimizer__learning_rate": 0.002}
words = TextBranch(vectors="wordllama", dim=64 if QUICK else 256, dropout=0.5, hidden=(32,))
review_network = MultimodalNetworkClassifier(
    [("texts", words, texts)], epochs=2 if QUICK else 8, batch_size=64, patience=1, **training
)
characters = TextBranch("char", "cnn", dim=32, units=32, kernel_size=(3, 5), dropout=0.2)
molecule_network = MultimodalNetworkRegressor(
    [("smiles", characters, ["smiles"])], epochs=2 if QUICK else 60, patience=12, **training
)
by_word, by_character = components(), components(analyzer="char", ngram_range=(1, 4), lowercase=False)
readers = {
    "reviews": {
        "no text": [],
        "tf-idf": [by_word],
        "frozen vectors": [TextEmbedder("wordllama")],
        "tuned": [NetworkEmbedder(review_network)],
        "tf-idf and tuned": [by_word, NetworkEmbedder(review_network)],
    },
    "molecules": {
        "no text": [],
        "tf-idf": [by_character],
        "tuned": [NetworkEmbedder(molecule_network)],
        "tf-idf and tuned": [by_character, NetworkEmbedder(molecule_network)],
    },
}

# %%
# The same boosting on all of them
# --------------------------------
ordinal = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)


def model(readers, columns, table, boosting, seed):
    """Return boosting on the table and on what is read of its texts."""
    of_texts = [(clone(reader), columns) for reader in readers]
    categories = table.drop(columns=columns).select_dtypes(exclude="number").columns
    others = table.columns.drop([*columns, *categories])
    reading = make_column_transformer(*of_texts, (ordinal, categories), ("passthrough", others), sparse_threshold=0)
    for name in reading.get_params():
        if name.endswith("__network__random_state"):
            reading.set_params(**{name: seed})
    return make_pipeline(reading, boosting.set_params(random_state=seed))


def scores(readers, columns, table, y, folds, boosting, score):
    """Return the score of each reader with each seed, mean of the folds."""
    found = {}
    for name, of_text in readers.items():
        found[name] = [
            np.mean(
                [score(model(of_text, columns, table, boosting, seed), *fold, table, np.asarray(y)) for fold in folds]
            )
            for seed in SEEDS
        ]
    return pd.DataFrame(found, index=pd.Index(SEEDS, name="seed"))


def area(fitted, rows, held_out, table, y):
    """Return the area under the ROC curve in held-out rows."""
    return roc_auc_score(y[held_out], fitted.fit(table.iloc[rows], y[rows]).predict_proba(table.iloc[held_out])[:, 1])


def explained(fitted, rows, held_out, table, y):
    """Return R2 in held-out rows."""
    return r2_score(y[held_out], fitted.fit(table.iloc[rows], y[rows]).predict(table.iloc[held_out]))


n_trees = 20 if QUICK else 200
classifier = HistGradientBoostingClassifier(max_iter=n_trees, learning_rate=0.05)
regressor = HistGradientBoostingRegressor(max_iter=n_trees, learning_rate=0.05)
of_reviews = scores(readers["reviews"], texts, reviews, recommended, review_folds, classifier, area)
of_molecules = scores(readers["molecules"], ["smiles"], molecules, solubility, molecule_folds, regressor, explained)
print("reviews, area under the ROC curve\n", of_reviews.round(4).to_string())
print("molecules, R2\n", of_molecules.round(4).to_string())

# %%
figure, axes = plt.subplots(1, 2, figsize=(10, 3), layout="constrained")
for axis, table, title in zip(axes, (of_reviews, of_molecules), ("reviews: ROC AUC", "molecules: R2"), strict=True):
    axis.barh(table.columns, table.mean(), xerr=table.std().fillna(0), color="C0")
    axis.set(title=title, xlim=(0.9 * table.to_numpy().min(), 1))
plt.show()
