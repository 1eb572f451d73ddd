"""Learners for the columns of a table, beside the networks: boosting, extra trees, a linear model and support vectors.

skrub cleans the table and encodes it, within each fold.
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
)
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge, RidgeCV
from sklearn.model_selection import KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MaxAbsScaler, OneHotEncoder, OrdinalEncoder

from .._columns import is_table
from .._quality import QUALITIES
from .._scaled_svr import ScaledSVR
from .._seed_ensemble import SeedEnsembleClassifier, SeedEnsembleRegressor
from ..preprocessing._table_reader import TableReader
from ..preprocessing._target_encoder import seeded_target_encoder
from ._branches import n_numbers
from ._kinds import MANY_CATEGORIES

#: Kinds of columns that learners get.
TABULAR = ("numeric", "numeric_text", "boolean", "categorical", "entity", "date", "text")

#: Rows from which on a penalty of the linear model is as good as any other.
_MANY_ROWS = 20_000

#: Rows from which on leaves of trees hold more, so that trees do not outgrow the memory.
_LARGE = 50_000

#: Rows up to which support vectors are worth their time, and characters of the texts of a row that they get: it grows
#: with the square of the rows and with the words of their texts (`docs/performance.md`).
_FEW_ROWS, _FEW_CHARACTERS = 5_000, 100

#: Numbers that trees get of a text, and fewer where texts have few words.
_N_COMPONENTS = 30

#: Skewness of positive targets from which on learners predict their logarithm. Trees cope with more of it.
LINEAR_TAIL, TREES_TAIL = 1.0, 2.0

#: Rows from which on a tenth of them says when boosting should stop.
_MIN_ROWS_TO_STOP = 200


@dataclass
class Table:
    """The columns that learners get, and how large the table is.

    Parameters
    ----------
    columns : list of Column
    n_rows : int
    is_array, is_sparse : bool
        Whether it is an array or a sparse matrix, which have no names.
    """

    columns: list
    n_rows: int
    is_array: bool
    is_sparse: bool

    @property
    def is_plain(self):
        """Whether all columns are numbers already, so that nothing has to be cleaned or encoded."""
        return all(column.details.get("plain") for column in self.columns)

    def with_short_texts(self, n_characters):
        """Return the table with as many texts, the shortest first, as have so many characters in a row on average."""
        texts = sorted(self.of_kind("text"), key=lambda column: column.details["n_characters"])
        lengths = np.cumsum([column.details["n_characters"] for column in texts])
        long = [column for column, length in zip(texts, lengths, strict=True) if length > n_characters]
        return replace(self, columns=[column for column in self.columns if column not in long])

    def of_kind(self, *kinds):
        """Return the columns of some kinds that are not numbers already."""
        return [column for column in self.columns if column.kind in kinds and not column.details.get("plain")]

    def names(self, columns):
        """Return how columns are called once they are read."""
        return [str(self.columns.index(column)) if self.is_array else column.name for column in columns]

    def keys(self, columns):
        """Return how the reader of the table names columns: by position among those that it gets, if not by name."""
        return [column.key if isinstance(column.key, str) else self.columns.index(column) for column in columns]


def suggest_learners(columns, targets, X, quality):
    """Return learners for the columns of a table.

    Parameters
    ----------
    columns : list of Column
    targets : list of Target
    X : DataFrame, ndarray or sparse matrix of shape (n_samples, n_features, ...)
    quality : {"fast", "good", "best"}

    Returns
    -------
    parts : list of (str, estimator, list of str or int)
    """
    kept = [column for column in columns if column.kind in TABULAR]
    table = Table(kept, X.shape[0], is_array=not is_table(X), is_sparse=sparse.issparse(X))
    if not table.columns:
        return []
    kinds = {}
    for target in targets:
        kinds.setdefault("classes" if target.has_classes else "numbers", []).append(target)
    parts = []
    for kind, same in kinds.items():
        end = f"_{kind}" if len(kinds) > 1 else ""
        for name, maker in _makers(table, kind, quality).items():
            known = table.with_short_texts(_FEW_CHARACTERS) if name == "svr" else table
            if known.columns:
                tail = TREES_TAIL if name in ("boosting", "trees") else LINEAR_TAIL
                learner = _for_target(maker(known, same, quality), all(target.is_skewed(tail) for target in same))
                parts.append((name + end, learner, [column.key for column in known.columns]))
    return parts


def _makers(table, kind, quality):
    if table.is_sparse:
        return {"trees": _trees, "linear": _linear}
    makers = {"boosting": _boosting, "trees": _trees, "linear": _linear, "svr": _svr}
    if quality == "fast":
        del makers["trees"]
    if kind == "classes" or table.n_rows > _FEW_ROWS:
        del makers["svr"]
    return makers


def _for_target(learner, is_skewed):
    """Return a learner that predicts the logarithm of a target with a heavy tail."""
    return TransformedTargetRegressor(learner, func=np.log, inverse_func=np.exp) if is_skewed else learner


# --- learners ---------------------------------------------------------------------------------------------------------


def _boosting(table, targets, quality):
    from skrub import ToCategorical

    boosting = HistGradientBoostingClassifier if targets[0].has_classes else HistGradientBoostingRegressor
    n_classes = max(target.n_classes for target in targets)
    parameters = {"learning_rate": 0.05, "max_leaf_nodes": 16, "min_samples_leaf": 10}
    if table.n_rows >= _MIN_ROWS_TO_STOP and all(target.can_be_divided for target in targets):
        max_iter = 500 if n_classes <= 10 else 5000 // n_classes + 20
        parameters |= {"max_iter": max_iter, "early_stopping": True, "n_iter_no_change": 20}
        n_members = QUALITIES[quality].light_members(table.n_rows)
    else:
        parameters |= {"max_iter": 100, "early_stopping": False}
        n_members = 1  # they would all be the same
    if table.is_plain:
        return _averaged(boosting(**parameters), n_members, targets[0].has_classes)
    model = boosting(categorical_features="from_dtype", **parameters)
    return make_pipeline(
        *_encoding(table, targets, ToCategorical()), _averaged(model, n_members, targets[0].has_classes)
    )


def _averaged(model, n_members, has_classes):
    """Return the mean of copies of a model, each of which sets other rows aside to know when to stop."""
    if n_members == 1:
        return model
    return (SeedEnsembleClassifier if has_classes else SeedEnsembleRegressor)(model, n_estimators=n_members)


def _trees(table, targets, quality):
    trees = ExtraTreesClassifier if targets[0].has_classes else ExtraTreesRegressor
    model = trees(
        100,
        min_samples_leaf=2 if table.n_rows <= _LARGE else table.n_rows // (_LARGE // 2),
        max_features=min(0.5, 100 / len(table.columns)),
    )
    if table.is_plain:
        return model
    ordinal = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1, encoded_missing_value=-2)
    return make_pipeline(*_encoding(table, targets, ordinal), model)


def _linear(table, targets, quality):
    has_classes = targets[0].has_classes
    if has_classes:
        model = LogisticRegression(C=0.3, tol=1e-3, max_iter=300)
    else:
        # Rows may be sorted, or those at an end may have no weight.
        folds = KFold(3, shuffle=True, random_state=0)
        model = RidgeCV((0.3, 3.0, 30.0), cv=folds) if table.n_rows <= _MANY_ROWS else Ridge(3.0)
    return make_pipeline(*_numbers(table, targets), model)


def _svr(table, targets, quality):
    return make_pipeline(*_numbers(table, targets), ScaledSVR())


# --- encoding ---------------------------------------------------------------------------------------------------------


def _reader(table, words_are_texts=False):
    """Return what reads cells as what they are."""
    categories = table.of_kind("categorical", "entity")
    numbers = table.of_kind("numeric_text") + _ordered(categories)
    texts = table.of_kind("text")
    if words_are_texts:
        texts = texts + [column for column in categories if column.details.get("words")]
        categories = [column for column in categories if not column.details.get("words")]
    counts = {key: n_numbers(column) for key, column in zip(table.keys(numbers), numbers, strict=True)}
    words = [column for column in numbers if column.details.get("words")]
    dates = [column for column in table.of_kind("date") if column.details.get("are_texts")]
    ways = {key: column.details["date_format"] for key, column in zip(table.keys(dates), dates, strict=True)}
    return TableReader(
        numbers=counts or None,
        words=table.keys(words) or (),
        dates=ways or None,
        categories=table.keys(categories) or (),
        texts=table.keys(texts) or (),
    )


def _ordered(columns):
    """Return the columns that become numbers beside the categories that they are."""
    return [column for column in columns if column.details.get("ordered")]


def _encoding(table, targets, low_cardinality):
    """Return the steps that make numbers of a table for trees."""
    from skrub import StringEncoder

    many = [column for column in table.of_kind("categorical", "entity") if column.n_distinct > MANY_CATEGORIES]
    specific = {}
    if many:
        specific["specific_transformers"] = [(seeded_target_encoder(targets[0].has_classes), table.names(many))]
    texts = table.of_kind("text")
    if texts:
        by_word = not any(column.details.get("chars") for column in texts)
        terms = {"ngram_range": (1, 1), "analyzer": "word"} if by_word else {}
        n_terms = min(column.details["n_terms"] for column in texts)
        specific["high_cardinality"] = StringEncoder(min(_N_COMPONENTS, max(n_terms // 3, 1)), **terms)
    return _reader(table), _vectorizer(table, low_cardinality, **specific)


def _vectorizer(table, low_cardinality, periodic_encoding=None, **encoders):
    """Return skrub's encoder of columns by their types, which cleans them first."""
    from skrub import DatetimeEncoder, TableVectorizer

    if table.of_kind("date"):
        encoders["datetime"] = DatetimeEncoder(add_weekday=True, periodic_encoding=periodic_encoding)
    return TableVectorizer(low_cardinality=low_cardinality, **encoders)


def _numbers(table, targets):
    """Return the steps that make scaled numbers of a table."""
    from skrub import SquashingScaler

    if table.is_sparse:
        return (MaxAbsScaler(),)
    scaling = SimpleImputer(add_indicator=True, keep_empty_features=True), SquashingScaler(max_absolute_value=5)
    if table.is_plain:
        return scaling
    return _reader(table, words_are_texts=True), *_columns_to_numbers(table, targets, scaling)


def _columns_to_numbers(table, targets, scaling):
    """Return the steps that make numbers of a table for a linear model: n-grams of texts, and all others scaled.

    Vectors of texts have a length of 1, which the penalty would keep too short.
    """
    texts = [column for column in table.columns if _is_text(column)]
    many = [column for column in table.of_kind("categorical", "entity") if column.n_distinct > MANY_CATEGORIES]
    many = [column for column in many if not _is_text(column)]
    transformers = [
        (f"text_{number}", _ngrams(column, targets), name)
        for number, (column, name) in enumerate(zip(texts, table.names(texts), strict=True), start=1)
    ]
    indicators = OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=2)
    if many:
        transformers.append(("many_categories", indicators, table.names(many)))
    text_weight = 4.0 if targets[0].has_classes else 2.0
    weights = {name: text_weight for name, *_ in transformers[: len(texts)]} or None
    if len(texts) + len(many) == len(table.columns) and not _ordered(many):
        return (ColumnTransformer(transformers, transformer_weights=weights),)
    dense = OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=3, sparse_output=False, dtype="float32")
    others = _vectorizer(table, dense, "spline"), *scaling
    if not transformers:
        return others
    return (ColumnTransformer(transformers, remainder=make_pipeline(*others), transformer_weights=weights),)


def _is_text(column):
    return column.kind == "text" or (column.kind == "categorical" and bool(column.details.get("words")))


def _ngrams(column, targets):
    """Return the encoder of a column of texts; many classes times many n-grams would not fit into the memory."""
    n_classes = max(target.n_classes for target in targets)
    parameters = {"sublinear_tf": True, "max_features": 100_000 if n_classes <= 10 else 20_000}
    if column.details.get("chars"):
        return TfidfVectorizer(analyzer="char", ngram_range=(1, 4), lowercase=False, **parameters)
    return TfidfVectorizer(ngram_range=(1, 2), token_pattern=r"\w+|[^\w\s]", **parameters)
