"""Features of texts for any estimator."""

from functools import lru_cache
from hashlib import blake2b
from numbers import Integral
from pathlib import Path

import numpy as np
from sklearn.utils._param_validation import HasMethods, Interval

from ..caching._features import computed_once
from ..reading._cells import row_name
from ..reading._files import file_key
from ._embedder import CONSTRAINTS, Embedder


class TextEmbedder(Embedder):
    """Turn columns of texts into features by a frozen model, and optionally into their principal components.

    Every text passes through the model once, if it is clear which model it is: by its name, or by a `cache_key`. Its
    features are then kept in memory and on disk, by the content of the text, see
    :func:`~skstack.preprocessing.clear_embedding_cache`. Means and principal components are learned from the rows that
    `fit` sees.

    Parameters
    ----------
    model : str, callable or object with a method ``encode``
        Name or folder of a model for the package sentence-transformers, which the extra "text" installs. Or a
        function of a list of texts that returns an array of shape (n_texts, n_features), or an object with such a
        method ``encode``.
    cache_key : str, default=None
        Tells the features of this model from those of any other: give another one whenever the model changes. Without
        it those of a function or object are not kept, but computed each time.
    batch_size : int, default=32
        Texts that are handed to the model at a time.
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
        "model": [str, callable, HasMethods("encode")],
        "cache_key": [str, None],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
    }

    def __init__(
        self, model, *, cache_key=None, batch_size=32, n_components=None, add_indicator=False, random_state=None
    ):
        self.model = model
        self.cache_key = cache_key
        self.batch_size = batch_size
        self.n_components = n_components
        self.add_indicator = add_indicator
        self.random_state = random_state

    def _start(self):
        return _Model(self.model, self.cache_key)

    def _embed(self, model, X):
        texts = [_checked(text, X, row) for row, text in enumerate(X.iloc[:, 0] if hasattr(X, "iloc") else X[:, 0])]
        indices = {}
        for text in texts:
            indices.setdefault(text, len(indices))
        features = model.features(list(indices), self.batch_size)
        return features[[indices[text] for text in texts]], np.zeros(len(texts), dtype=bool)


def _checked(text, X, row):
    if not isinstance(text, str):
        raise TypeError(f"expected a text, got {text!r} in {row_name(X, row)}.")
    return text


class _Model:
    """A model of texts, loaded when it is first used."""

    def __init__(self, model, cache_key):
        self._model, self._encode = model, None
        if cache_key is not None:
            self._fingerprint = f"key {cache_key}"
        else:
            self._fingerprint = _fingerprint(model) if isinstance(model, str) else None

    def features(self, texts, batch_size):
        """Return the features of different texts, computing those that were never computed before."""
        if self._fingerprint is None:
            parts = [self._compute(texts[start : start + batch_size]) for start in range(0, len(texts), batch_size)]
            return np.concatenate(parts)

        def compute(positions):
            return [vector.tobytes() for vector in self._compute([texts[position] for position in positions])]

        way = self._fingerprint.encode()
        keys = [
            blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16, key=_key(way)).digest() for text in texts
        ]
        (first,) = computed_once(keys[:1], compute, None, 1)
        values = computed_once(keys, compute, len(first), batch_size)
        return np.stack([np.frombuffer(value, dtype="float32") for value in values])

    def _compute(self, texts):
        if self._encode is None:
            self._encode = _encoder(self._model)
        features = np.asarray(self._encode(texts), dtype="float32")
        if features.ndim != 2 or len(features) != len(texts) or not features.shape[1]:
            raise ValueError(
                f"the model should return an array of shape ({len(texts)}, n_features) for {len(texts)} texts, got "
                f"one of shape {features.shape}."
            )
        return features


def _key(way):
    return blake2b(way, digest_size=32).digest()


def _fingerprint(name):
    """Return what is another one for another model of sentence-transformers."""
    folder = Path(name)
    if not folder.is_dir():
        return f"sentence-transformers {name}"
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    states = [file_key(str(path)) or blake2b(path.read_bytes()).digest() for path in files]
    return f"sentence-transformers {name} {states}"


@lru_cache(maxsize=2)
def _loaded(kind, name, fingerprint):
    """Load a model once, however many folds ask for it; a folder whose files have changed is another one."""
    return kind(name)


def _encoder(model):
    """Return a function of a list of texts."""
    if isinstance(model, str):
        try:
            from sentence_transformers import SentenceTransformer
        except ImportError as error:
            raise ImportError(
                f"the model {model!r} needs the package sentence-transformers: pip install "
                "'skstack[text]'; or give a function of a list of texts as the model."
            ) from error
        return _loaded(SentenceTransformer, model, _fingerprint(model)).encode
    return model.encode if hasattr(model, "encode") else model
