"""Features of texts for any estimator."""

from numbers import Integral
from os import PathLike

import numpy as np
from sklearn.utils._param_validation import HasMethods, Interval

from ..backbones._text_features import FrozenModel, text_features
from ..backbones._text_loading import load_text_encoder
from ..reading._cells import row_name
from ._embedder import CONSTRAINTS, Embedder


class TextEmbedder(Embedder):
    """Turn columns of texts into features by a frozen model, and optionally into their principal components.

    Every text passes through the model once, if it is clear which model it is: by its name, or by a `cache_key`. Its
    features are then kept in memory and on disk, by the content of the text, see
    :func:`~skstack.preprocessing.clear_embedding_cache`. Means and principal components are learned from the rows that
    `fit` sees.

    Parameters
    ----------
    model : str, path-like, callable or object with a method ``encode``
        "wordllama" for the mean of static vectors, which the package of this name carries; a model of the BERT family
        by its name on the Hugging Face hub, such as "hf:sentence-transformers/all-MiniLM-L6-v2" or
        "hf:owner/name@revision", or by its folder (see :class:`~skstack.branches.TextBranch`): these need
        ``pip install "skstack[text]"``. Or a function of a list of texts that returns an array of shape
        (n_texts, n_features), or an object with such a method ``encode``, as those of sentence-transformers have.
    prefix : str, default=""
        What the model wants in front of a text, such as "query: " for those called e5.
    cache_key : str, default=None
        Tells the features of this model from those of any other: give another one whenever the model changes. Without
        it those of a function or object are not kept, but computed each time.
    batch_size : int, default=32
        Texts that are handed to a function or object at a time. Models by name are given what suits them.
    n_components : int or float, default=None
        Principal components of each column's features: how many, or the part of the variance that they explain; None
        for the features themselves.
    add_indicator : bool, default=False
        Whether to append, for each column that had missing cells in training, a 1 where a cell is missing.
    random_state : int, RandomState instance or None, default=None
        For the principal components of many features.

    Attributes
    ----------
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : ndarray of str
        Names of the columns, if all are strings.
    n_features_per_column_ : list of int
        Features that the model gives for each column.
    means_ : list of ndarray of shape (n_features,)
        Mean features of each column in training, which stand for a text that is missing, empty or blank.
    reducers_ : list of PCA or None
        Principal components of each column.

    See Also
    --------
    skstack.branches.TextBranch : Texts inside a network, which learns from them.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from skstack.preprocessing import TextEmbedder
    >>> def count_letters(texts):
    ...     return np.array([[text.count(letter) for letter in "aeiou"] for text in texts])
    >>> X = pd.DataFrame({"review": ["a fine day", "no", None]})
    >>> TextEmbedder(count_letters).fit_transform(X)
    array([[2. , 1. , 1. , 0. , 0. ],
           [0. , 0. , 0. , 1. , 0. ],
           [1. , 0.5, 0.5, 0.5, 0. ]], dtype=float32)
    """

    _parameter_constraints = {  # noqa: RUF012 - scikit-learn's form
        **CONSTRAINTS,
        "model": [str, PathLike, callable, HasMethods("encode")],
        "prefix": [str],
        "cache_key": [str, None],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
    }

    def __init__(
        self,
        model,
        *,
        prefix="",
        cache_key=None,
        batch_size=32,
        n_components=None,
        add_indicator=False,
        random_state=None,
    ):
        self.model = model
        self.prefix = prefix
        self.cache_key = cache_key
        self.batch_size = batch_size
        self.n_components = n_components
        self.add_indicator = add_indicator
        self.random_state = random_state

    def _start(self):
        if isinstance(self.model, (str, PathLike)):
            return FrozenModel(load_text_encoder(self.model))
        return _Model(self.model, self.cache_key)

    def _embed(self, model, X):
        texts = [_checked(text, X, row) for row, text in enumerate(X.iloc[:, 0] if hasattr(X, "iloc") else X[:, 0])]
        block = {"block": self.batch_size} if isinstance(model, _Model) else {}
        return text_features([self.prefix + text for text in texts], model, **block), np.zeros(len(texts), dtype=bool)


def _checked(text, X, row):
    if not isinstance(text, str):
        raise TypeError(f"expected a text, got {text!r} in {row_name(X, row)}.")
    return text


class _Model:
    """A function or an object of the user's that turns texts into features."""

    def __init__(self, model, cache_key):
        self._encode = model.encode if hasattr(model, "encode") else model
        self.features_key = None if cache_key is None else f"key {cache_key}".encode()

    def features(self, texts):
        """Return the features of texts."""
        features = np.asarray(self._encode(texts), dtype="float32")
        if features.ndim != 2 or len(features) != len(texts) or not features.shape[1]:
            raise ValueError(
                f"the model should return an array of shape ({len(texts)}, n_features) for {len(texts)} texts, got "
                f"one of shape {features.shape}."
            )
        return features
