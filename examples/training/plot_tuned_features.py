"""
Boosting with features that a network has learned
=================================================

Gradient boosting cannot read a text or see a picture. Usually it is given numbers that a frozen encoder makes of one:
principal components, or vectors of a pretrained model. They were made for any purpose; a network that is trained on the
target keeps what matters for it. :class:`~skstack.NetworkEmbedder` hands these features to any learner, and for the
rows that the learner is fitted to, those of a network that has not seen them: else boosting would trust them too far.

Reviews of clothes (who recommends what she bought?) are read in different ways, and handwritten digits looked at in
different ways. The same boosting learns from all of them.

Set ``SKSTACK_DATA`` to a directory with ``women_clothing``, ``mnist5k`` and ``pretrained`` to use real reviews, digits
of 28 x 28 pixels and an EfficientNet-Lite0 trained on ImageNet; else the lesson makes up texts of its own, and takes
the digits of scikit-learn.
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
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.metrics import accuracy_score, roc_auc_score
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OrdinalEncoder

from skstack import MultimodalNetworkClassifier, NetworkEmbedder
from skstack.branches import ImageBranch, TextBranch
from skstack.datasets import find_data
from skstack.preprocessing import ImageEmbedder, TextEmbedder, tensor_column

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


if (folder := find_data("women_clothing")) and not QUICK:
    reviews = pd.read_csv(folder / "reviews.csv.gz")
    in_test = reviews["toolkit_split"] == "test"
    recommended = reviews["Recommended IND"].to_numpy()
    review_split = np.flatnonzero(~in_test), np.flatnonzero(in_test)
    texts = ["Title", "Review Text"]
    reviews = reviews[[*texts, "Age", "Positive Feedback Count", "Division Name", "Department Name", "Class Name"]]
else:
    reviews, recommended = make_notes(200 if QUICK else 3000)
    review_split = train_test_split(np.arange(len(reviews)), random_state=0)
    texts = ["note"]

if (folder := find_data("mnist5k")) and not QUICK:
    with np.load(folder / "mnist5k.npz") as archive:
        pixels, digit = archive["X"], archive["y"]
else:
    pixels, digit = load_digits(return_X_y=True)
    pixels = np.uint8(pixels.reshape(-1, 8, 8) * 255 / 16)
if QUICK:
    pixels, digit = pixels[::10], digit[::10]
digits = pd.DataFrame({"picture": tensor_column(pixels)})
digit_split = train_test_split(np.arange(len(digit)), test_size=0.2, stratify=digit, random_state=0)
print(len(reviews), "texts in", texts, "and", len(digits), "pictures")


# %%
# Ways to read and to see
# -----------------------
# Frozen: principal components of tf-idf or of pixels, the static vectors of words that the package ``wordllama``
# carries, or what a network sees in digits that has learned to tell dogs from cars. Tuned: what a network makes of a
# text that begins with the static vectors and trains them on the target, or of a digit, by convolutions from scratch.
def joined(table):
    """Return the texts of a row as one."""
    return table.fillna("").agg(" . ".join, axis=1)


def flat(table):
    """Return the pixels of a picture in a row."""
    return np.stack(list(table["picture"])).reshape(len(table), -1) / 255


n_components = 20 if QUICK else 50
tfidf = TfidfVectorizer(min_df=2, sublinear_tf=True)
terms = make_pipeline(FunctionTransformer(joined), tfidf, TruncatedSVD(n_components, random_state=0))
words = TextBranch(vectors="wordllama", dim=64 if QUICK else 256, dropout=0.5, hidden=(32,))
review_network = MultimodalNetworkClassifier(
    [("texts", words, texts)],
    head=(),
    epochs=2 if QUICK else 8,
    batch_size=64,
    patience=1,
    optimizer__learning_rate=0.002,
)
convolutions = ImageBranch(
    size=pixels.shape[1:], channels=1, filters=(16, 32), pooling="flatten", hidden=(64,), dropout=0.3
)
digit_network = MultimodalNetworkClassifier(
    [("picture", convolutions, ["picture"])], head=(), epochs=2 if QUICK else 20, batch_size=64, patience=3
)
readers = {
    "reviews": {
        "no text": [],
        "tf-idf": [terms],
        "frozen vectors": [TextEmbedder("wordllama")],
        "tuned": [NetworkEmbedder(review_network)],
        "tf-idf and tuned": [terms, NetworkEmbedder(review_network)],
    },
    "digits": {
        "pixels": [make_pipeline(FunctionTransformer(flat), PCA(n_components, random_state=0))],
        "tuned": [NetworkEmbedder(digit_network)],
    },
}
if (folder := find_data("pretrained")) and not QUICK:
    backbone = folder / "efficientnet_lite0_imagenet.keras"
    readers["digits"]["frozen backbone"] = [
        ImageEmbedder(backbone, feature_layer="pool", preprocess="tf", n_components=n_components, random_state=0)
    ]

# %%
# The same boosting on all of them
# --------------------------------
ordinal = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)


def model(readers, columns, table, seed):
    """Return boosting on the table and on what is read of some of its columns."""
    read = [(clone(reader), columns) for reader in readers]
    categories = table.drop(columns=columns).select_dtypes(exclude="number").columns
    others = table.columns.drop([*columns, *categories])
    reading = make_column_transformer(*read, (ordinal, categories), ("passthrough", others), sparse_threshold=0)
    for name in reading.get_params():
        if name.endswith("__network__random_state"):
            reading.set_params(**{name: seed})
    boosting = HistGradientBoostingClassifier(max_iter=20 if QUICK else 200, learning_rate=0.05, random_state=seed)
    return make_pipeline(reading, boosting)


def scores(readers, columns, table, y, split, score):
    """Return the score of each reader with each seed in held-out rows."""
    (rows, held_out), y = split, np.asarray(y)
    found = {}
    for name, of_columns in readers.items():
        fitted = [model(of_columns, columns, table, seed).fit(table.iloc[rows], y[rows]) for seed in SEEDS]
        found[name] = [score(y[held_out], one.predict_proba(table.iloc[held_out])) for one in fitted]
    return pd.DataFrame(found, index=pd.Index(SEEDS, name="seed"))


def area(y, probabilities):
    """Return the area under the ROC curve."""
    return roc_auc_score(y, probabilities[:, 1])


def accuracy(y, probabilities):
    """Return which part is told right."""
    return accuracy_score(y, probabilities.argmax(axis=1))


of_reviews = scores(readers["reviews"], texts, reviews, recommended, review_split, area)
print("reviews, area under the ROC curve\n", of_reviews.round(4).to_string())
of_digits = scores(readers["digits"], ["picture"], digits, digit, digit_split, accuracy)
print("digits, accuracy\n", of_digits.round(4).to_string())

# %%
figure, axes = plt.subplots(1, 2, figsize=(10, 3), layout="constrained")
for axis, table, title in zip(axes, (of_reviews, of_digits), ("reviews: ROC AUC", "digits: accuracy"), strict=True):
    axis.barh(table.columns, table.mean(), xerr=table.std().fillna(0), color="C0")
    axis.set(title=title, xlim=(0.9 * table.to_numpy().min(), 1))
plt.show()
