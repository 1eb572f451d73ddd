"""Branch for columns of raw text."""

import math
from collections.abc import Mapping
from functools import partial
from numbers import Integral
from os import PathLike

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions

from ..reading._cells import named_columns, row_name
from ..reading._tokens import RESERVED, SEPARATOR, Vocabulary
from ..reading._word_vectors import find_vectors
from ._blocks import CHANNELS_LAST, activation_layer, check_units
from ._categorical import near_size, rounded_up
from ._column_statistics import quantiles
from ._items import ItemsBranch

#: Share of the training rows that fit into the length chosen from them.
_COVERED = 0.95

#: Recurrent layers of Keras, in one direction and in both.
_RECURRENT, _BOTH_WAYS = {"gru": "GRU", "lstm": "LSTM"}, {"bigru": "GRU", "bilstm": "LSTM"}

#: Length of the vectors of tokens where nothing says what it should be.
_DIM = 64


class TextBranch(ItemsBranch):
    """Branch for columns of raw text.

    Texts are split into tokens, each of which has a trained vector, and an encoder makes one feature vector of them.
    The vocabulary holds the tokens of the training rows. Rarer ones share a vector; where there are none, there is
    nothing to train it on, and tokens unseen in training are left out. What lies behind `max_length` tokens is cut off.

    Parameters
    ----------
    tokens : {"word", "char", "subword"}, default="word"
        What a text is split into: words and punctuation marks, characters, or the words and parts of words that
        byte pair encoding [1]_ finds in the training rows, in parts of 100 characters of words that are longer.
    encoder : {"mean", "cnn", "gru", "lstm", "bigru", "bilstm", "transformer"}, default="mean"
        What makes one vector of those of the tokens: their mean [2]_; the maxima of a convolution [3]_; the last state
        of a recurrent layer, or of one in each direction; or the mean after self-attention [4]_.
    max_tokens : int, default=8192
        Size of the vocabulary, at most: the most frequent tokens.
    max_length : int, default=None
        Tokens that are read of a text. ``None`` chooses so that 95 % of the training rows are read to their end,
        rounded up to 2, 3, 4, 6, 8, 12, 16, 24, and so on.
    min_frequency : int, default=2
        Tokens that are rarer in the training rows count as unknown.
    lowercase : bool, default=None
        Whether case is ignored. ``None`` ignores it in words and subwords, not in characters, where it often has a
        meaning: ``c`` and ``C`` are different atoms of a molecule.
    dim : int, default=None
        Length of the vectors of tokens; ``None`` is that of the given `vectors`, or 64.
    vectors : str, path-like or mapping of str to array-like, default=None
        Pretrained vectors by token, or a text file that holds them as word2vec and GloVe write it, perhaps compressed
        (``.gz``). Tokens without one begin with a small random vector.
    trainable : bool, int or str, default=True
        Which of the pretrained layers training changes: all (True), none (False), the last so many, or those whose
        names fit a pattern such as ``"block5*"``. Layers that stay as they are keep the averages of their batch
        normalisation. There is one such layer, the table of vectors. With False, `vectors` have to be given, and
        tokens without one contribute nothing.
    units : int, default=64
        Filters of the convolution, size of the recurrent state (in each direction), or units of the dense layer after
        the attention. "mean" has none.
    kernel_size : int or tuple of int, default=3
        Tokens that a filter of the convolution sees; a tuple makes a convolution of each.
    n_heads : int, default=4
        Heads of the attention.
    embedder : TextEmbedder, default=None
        A frozen :class:`~skstack.preprocessing.TextEmbedder`, whose features are the branch's own in place of all that
        is said above: the parameters for tokens and encoders then mean nothing. Each text passes through its model
        once, and what it learns from rows (means, principal components) is learned within the fold.
    join : bool, default=True
        Whether several columns are read as one text, with a mark between them, or each by an encoder of its own, whose
        vectors are concatenated. The vocabulary is common to them either way.
    hidden : tuple of int, default=()
        Units of the dense layers at the end; empty for none.
    activation : str, default="relu"
        Activation of the convolution and the dense layers, by its Keras name, or "prelu".
    dropout : float, default=0.0
        Rate of the dropout in front of and after each dense layer.
    batch_norm : bool, default=False
        Whether to normalise over the batch before the activation of each dense layer.
    shared : bool, default=False
        Whether each column goes through the same sub-network by itself (a Siamese network).
    merge : {"concatenate", "add", "subtract", "multiply", "dot", "average", "maximum"}, default="concatenate"
        How the feature vectors of shared columns become one.
    item_pooling : {"avg", "max", "attention"} or None, default=None
        How the feature vectors of several texts in one cell become one: their average, their maximum, or a mean that
        attention weighs (see :class:`ImageBranch`). A cell is then a list of any length, or a single text; an empty
        list is missing. ``None`` takes one text to a cell.
    max_items : int, default=16
        How many texts are read of a cell, at most: the first ones, with a warning where there are more.

    Attributes
    ----------
    embedder_ : TextEmbedder
        Fitted, if one was given; the next two attributes are then missing.
    vocabulary_ : list of str
        The tokens in the order of their ids, which begin at 3: 0 is padding, 1 an unknown token, 2 the mark between
        columns.
    lengths_ : tuple of int
        How many tokens are read of the joined text, or of each column.
    n_items_ : int
        With `item_pooling`, how many texts are read of a cell: the longest list of the training rows, rounded up to
        1, 2, 3, 4, 6, 8, 12, 16, and so on, and `max_items` at most.
    input_shape_ : tuple of int
        ``(sum(lengths_),)``, or the number of features of an embedder; with the number of columns in front if `shared`.
    input_dtype_ : str
        "int32"; "float32" for features of an embedder.

    References
    ----------
    .. [1] Sennrich, R., Haddow, B. and Birch, A. (2016). "Neural Machine Translation of Rare Words with Subword
           Units". ACL 2016.
    .. [2] Iyyer, M. et al. (2015). "Deep Unordered Composition Rivals Syntactic Methods for Text Classification".
           ACL 2015.
    .. [3] Kim, Y. (2014). "Convolutional Neural Networks for Sentence Classification". EMNLP 2014.
    .. [4] Vaswani, A. et al. (2017). "Attention Is All You Need". NeurIPS 2017.

    Examples
    --------
    >>> import pandas as pd
    >>> from skstack.branches import TextBranch
    >>> reviews = pd.DataFrame({"review": ["Lovely dress!", "A lovely colour", "The dress shrank", None]})
    >>> branch = TextBranch(max_length=4).fit(reviews)
    >>> branch.vocabulary_
    ['dress', 'lovely']
    >>> branch.encode(reviews)
    array([[4, 3, 1, 0],
           [1, 4, 1, 0],
           [1, 3, 1, 0],
           [0, 0, 0, 0]], dtype=int32)
    """

    _parameter_constraints = {  # noqa: RUF012 - scikit-learn's form
        **ItemsBranch._parameter_constraints,
        "tokens": [StrOptions({"word", "char", "subword"})],
        "encoder": [StrOptions({"mean", "cnn", "gru", "lstm", "bigru", "bilstm", "transformer"})],
        "max_tokens": [Interval(Integral, RESERVED + 1, None, closed="left")],
        "max_length": [Interval(Integral, 1, None, closed="left"), None],
        "min_frequency": [Interval(Integral, 1, None, closed="left")],
        "lowercase": ["boolean", None],
        "dim": [Interval(Integral, 1, None, closed="left"), None],
        "vectors": [str, PathLike, Mapping, None],
        "units": [Interval(Integral, 1, None, closed="left")],
        "kernel_size": ["array-like", Integral],
        "n_heads": [Interval(Integral, 1, None, closed="left")],
        "embedder": [HasMethods(["fit", "transform"]), None],
        "join": ["boolean"],
    }

    item_name = "a text"

    def __init__(
        self,
        tokens="word",
        encoder="mean",
        *,
        max_tokens=8192,
        max_length=None,
        min_frequency=2,
        lowercase=None,
        dim=None,
        vectors=None,
        trainable=True,
        units=64,
        kernel_size=3,
        n_heads=4,
        embedder=None,
        join=True,
        hidden=(),
        activation="relu",
        dropout=0.0,
        batch_norm=False,
        shared=False,
        merge="concatenate",
        item_pooling=None,
        max_items=16,
    ):
        self.tokens = tokens
        self.encoder = encoder
        self.max_tokens = max_tokens
        self.max_length = max_length
        self.min_frequency = min_frequency
        self.lowercase = lowercase
        self.dim = dim
        self.vectors = vectors
        self.trainable = trainable
        self.units = units
        self.kernel_size = kernel_size
        self.n_heads = n_heads
        self.embedder = embedder
        self.join = join
        self.hidden = hidden
        self.activation = activation
        self.dropout = dropout
        self.batch_norm = batch_norm
        self.shared = shared
        self.merge = merge
        self.item_pooling = item_pooling
        self.max_items = max_items

    def check_parameters(self):
        """Raise if a parameter has a value that no training could use."""
        super().check_parameters()
        if not check_units(self.kernel_size, "kernel_size"):
            raise ValueError("'kernel_size' should hold at least one size.")
        if not self.trainable and self.vectors is None:
            raise ValueError("trainable=False needs 'vectors': random ones that stay as they are say nothing.")

    # --- rows -------------------------------------------------------------------------------------------------------

    def _fit(self, X, sample_weight=None):
        columns = _texts(X)
        if self.embedder is not None:
            self.embedder_ = clone(self.embedder)
            self.cell_shape_, self.input_dtype_ = self.embedder_.fit_transform(X).shape[1:], "float32"
            return
        lowercase = self.tokens != "char" if self.lowercase is None else self.lowercase
        self._vocabulary = Vocabulary(self.tokens, self.max_tokens, self.min_frequency, lowercase)
        self._vocabulary.fit([text for column in columns for text in column])
        self.vocabulary_ = self._vocabulary.tokens_
        self._n_rows = rounded_up(RESERVED + len(self.vocabulary_))
        self._fit_vectors()
        sequences = self._sequences(columns)
        self.lengths_ = tuple(self.max_length or _length_of(part, sample_weight) for part in sequences)
        self.cell_shape_ = (sum(self.lengths_),)
        self.input_dtype_ = "int32"
        # Ids that no training row has within this length, and the places that round the table up, are never trained.
        self._trained = np.zeros(self._n_rows, dtype="float32")
        self._trained[np.unique(self._cut(sequences))] = 1.0

    def _fit_vectors(self):
        """Find the pretrained vectors of the vocabulary."""
        self._vectors, self._dim = None, self.dim or _DIM
        if self.vectors is None:
            return
        found = find_vectors(self.vectors, self.vocabulary_)
        self._dim = len(next(iter(found.values())))
        if self.dim not in (None, self._dim):
            raise ValueError(f"dim={self.dim} differs from the length of the given vectors, {self._dim}.")
        ids = [index for index, token in enumerate(self.vocabulary_, RESERVED) if token in found]
        self._vectors = ids, np.stack([found[self.vocabulary_[index - RESERVED]] for index in ids])

    def _encode(self, X):
        if self.embedder is not None:
            _texts(X)  # says which cell is none
            return np.asarray(self.embedder_.transform(X), dtype="float32")
        return self._cut(self._sequences(_texts(X)))

    def _cut(self, parts):
        """Return sequences of ids as an array of their lengths, filled up with 0."""
        encoded = np.zeros((len(parts[0]), sum(self.lengths_)), dtype="int32")
        start = 0
        for part, length in zip(parts, self.lengths_, strict=True):
            for row, ids in enumerate(part):
                encoded[row, start : start + min(length, len(ids))] = ids[:length]
            start += length
        return encoded

    def _sequences(self, columns):
        """Return the ids of each text that is read by itself: of the joined columns, or of each."""
        parts = [self._vocabulary.encode(column) for column in columns]
        if not self.join or len(parts) == 1:
            return parts
        return [[_joined(of_row) for of_row in zip(*parts, strict=True)]]

    # --- sub-network ------------------------------------------------------------------------------------------------

    def features(self, inputs):
        """Return the features of symbolic token ids of shape (None, sum(lengths_))."""
        from .._backend import keras
        from ._layers import Dropout
        from ._text_layers import MeanOfTokenVectors, TokenVectors

        if self.embedder is not None:
            return Dropout(self.dropout, name="features_dropout")(inputs) if self.dropout else inputs
        table = MeanOfTokenVectors if self.encoder == "mean" else TokenVectors
        table = table(self._n_rows, self._dim, name="vectors")
        encode = self._token_encoder()
        parts, start = [], 0
        for index, length in enumerate(self.lengths_, 1):
            ids = inputs[:, start : start + length] if len(self.lengths_) > 1 else inputs
            parts.append(encode(ids, table, f"{self.encoder}_{index}"))
            start += length
        x = keras.layers.Concatenate(name="columns")(parts) if len(parts) > 1 else parts[0]
        return Dropout(self.dropout, name="features_dropout")(x) if self.dropout else x

    def _token_encoder(self):
        if self.encoder in _RECURRENT:
            return partial(self._recurrent, _RECURRENT[self.encoder])
        if self.encoder in _BOTH_WAYS:
            return partial(self._both_ways, _BOTH_WAYS[self.encoder])
        return getattr(self, f"_{self.encoder}")

    def _mean(self, ids, table, name):
        return table(ids)  # which takes the mean itself

    def _cnn(self, ids, table, name):
        from .._backend import keras
        from ._text_layers import BlankPadding, MaximumOfTokens

        vectors = BlankPadding(name=f"{name}_tokens")([table(ids), ids])
        parts = []
        for size in check_units(self.kernel_size, "kernel_size"):
            x = keras.layers.Conv1D(self.units, size, padding="same", data_format=CHANNELS_LAST, name=f"{name}_{size}")(
                vectors
            )
            x = activation_layer(self.activation, f"{name}_{size}_{self.activation}")(x)
            parts.append(MaximumOfTokens(name=f"{name}_{size}_maximum")([x, ids]))
        return keras.layers.Concatenate(name=f"{name}_sizes")(parts) if len(parts) > 1 else parts[0]

    def _recurrent(self, layer, ids, table, name):
        from .._backend import keras
        from ._text_layers import LastToken

        states = getattr(keras.layers, layer)(self.units, return_sequences=True, name=f"{name}_states")(table(ids))
        return LastToken(name=name)([states, ids])

    def _both_ways(self, layer, ids, table, name):
        from .._backend import keras
        from ._text_layers import BackwardTokens

        back = BackwardTokens(name=f"{name}_turned")(ids)
        forward = self._recurrent(layer, ids, table, f"{name}_forward")
        backward = self._recurrent(layer, back, table, f"{name}_backward")
        return keras.layers.Concatenate(name=name)([forward, backward])

    def _transformer(self, ids, table, name):
        from .._backend import keras
        from ._text_layers import AddPositions, AttentionMask, MeanOfTokens

        layers = keras.layers
        x = AddPositions(name=f"{name}_positions")(table(ids))
        normed = layers.LayerNormalization(name=f"{name}_attention_norm")(x)
        heads = layers.MultiHeadAttention(self.n_heads, max(1, self._dim // self.n_heads), name=f"{name}_attention")
        mask = AttentionMask(name=f"{name}_mask")(ids)
        x = layers.Add(name=f"{name}_attended")([x, heads(normed, normed, attention_mask=mask)])
        inner = layers.LayerNormalization(name=f"{name}_dense_norm")(x)
        inner = layers.Dense(self.units, name=f"{name}_dense")(inner)
        inner = activation_layer(self.activation, f"{name}_{self.activation}")(inner)
        x = layers.Add(name=f"{name}_transformed")([x, layers.Dense(self._dim, name=f"{name}_back")(inner)])
        x = layers.LayerNormalization(name=f"{name}_norm")(x)
        return MeanOfTokens(name=name)([x, ids])

    def pretrained_layer(self, model):
        """Return the table of vectors; an embedder has its own, outside of the sub-network."""
        return model.get_layer("vectors") if self.embedder is None else None

    def is_encoded_like(self, other):
        """Tell whether another fitted branch encodes every row as this one does."""
        if self.embedder is not None:
            return False  # the means that stand for single missing cells may differ
        return vars(self._vocabulary) == vars(other._vocabulary) and self.lengths_ == other.lengths_

    def is_built_like(self, other):
        """Tell whether another fitted branch builds the same layers."""
        if self.embedder is not None:
            return self.cell_shape_ == other.cell_shape_
        return (self._n_rows, self._dim, self.lengths_) == (other._n_rows, other._dim, other.lengths_)

    def assign_statistics(self, model):
        """Write the pretrained vectors into the table of vectors, and 0 for tokens that no training row trains."""
        if self.embedder is not None:
            return
        weights = model.get_layer("vectors").embeddings
        table = np.asarray(weights) * (self._trained[:, None] if self.trainable else np.float32(0))
        if self._vectors is not None:
            ids, vectors = self._vectors
            table[ids] = vectors
        weights.assign(table)


def _texts(X):
    """Return the texts of each column as a list; missing cells are empty."""
    if X.ndim != 2:
        raise ValueError(f"expected a table of texts with 2 dimensions, got an array of shape {X.shape}.")
    return [_column_texts(X, name, column) for name, column in named_columns(X)]


def _column_texts(X, name, column):
    cells = column.tolist()
    for position, cell in enumerate(cells):
        if not isinstance(cell, str):
            if not (pd.api.types.is_scalar(cell) and pd.isna(cell)):
                raise TypeError(f"column {name} holds {cell!r} in {row_name(X, position)}, where a text was expected.")
            cells[position] = ""
    return cells


def _joined(parts):
    """Return the ids of several columns as one sequence."""
    ids = list(parts[0])
    for part in parts[1:]:
        ids += [SEPARATOR, *part]
    return ids


def _length_of(sequences, sample_weight):
    """Return a length that covers most sequences, of few possible ones so that folds have the same shapes."""
    (covered,) = quantiles(np.array([len(ids) for ids in sequences], dtype="float64"), [_COVERED], sample_weight)
    return near_size(max(2, math.ceil(covered)))
