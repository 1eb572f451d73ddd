"""Branch for columns of raw text."""

from collections.abc import Mapping
from copy import copy
from numbers import Integral, Real
from os import PathLike
from types import SimpleNamespace

from sklearn.utils._param_validation import HasMethods, Interval, StrOptions

from ..backbones._text_loading import check_encoder
from ..reading._tokens import RESERVED
from ..training._trainable import check_trainable
from ._blocks import check_units
from ._items import ItemsBranch
from ._text_embedded import Embedded, FrozenEncoder
from ._text_tokens import Tokens
from ._text_tuned import TunedEncoder
from ._token_encoders import ENCODERS


class TextBranch(ItemsBranch):
    """Branch for columns of raw text.

    Texts are split into tokens, each of which has a trained vector, and an encoder makes one feature vector of them.
    The vocabulary holds the tokens of the training rows. Rarer ones share a vector; where there are none, there is
    nothing to train it on, and tokens unseen in training are left out. What lies behind `max_length` tokens is cut off.

    A pretrained encoder has learned from other texts. One that stays as it is turns each different text into features
    once, which are kept in memory and on disk (see :func:`~skstack.preprocessing.clear_embedding_cache`), and the
    sub-network starts from these. One that is trained further is a part of the sub-network.

    Parameters
    ----------
    tokens : {"word", "char", "subword"}, default="word"
        What a text is split into: words and punctuation marks, characters, or the words and parts of words that
        byte pair encoding [1]_ finds in the training rows, in parts of 100 characters of words that are longer.
    encoder : {"mean", "cnn", "gru", "lstm", "bigru", "bilstm", "transformer"}, str or path-like, default="mean"
        What makes one vector of those of the tokens: their mean [2]_; the maxima of a convolution [3]_; the last state
        of a recurrent layer, or of one in each direction; or the mean after self-attention [4]_. Or a pretrained
        encoder, with tokens of its own: a folder with a model of the BERT family [5]_ (``config.json``,
        ``model.safetensors``, ``tokenizer.json``, and perhaps what sentence-transformers adds); a model of the Hugging
        Face hub, such as "hf:intfloat/e5-small-v2" or "hf:owner/name@revision"; or "wordllama", static vectors that
        the package of this name carries. All need ``pip install "skstack[text]"``.
    max_tokens : int, default=8192
        Size of the vocabulary, at most: the most frequent tokens.
    max_length : int, default=None
        Tokens that are read of a text. ``None`` chooses so that 95 % of the training rows are read to their end,
        rounded up to 2, 3, 4, 6, 8, 12, 16, 24, and so on. Of a text for a pretrained encoder no more are read than it
        was made for, and with ``None`` as many if it stays as it is.
    min_frequency : int, default=2
        Tokens that are rarer in the training rows count as unknown.
    lowercase : bool, default=None
        Whether case is ignored. ``None`` ignores it in words and subwords, not in characters, where it often has a
        meaning: ``c`` and ``C`` are different atoms of a molecule.
    dim : int, default=None
        Length of the vectors of tokens; ``None`` is that of the given `vectors`, or 64.
    vectors : str, path-like or mapping of str to array-like, default=None
        Pretrained vectors by token, or a text file that holds them as word2vec and GloVe write it, perhaps compressed
        (``.gz``). Tokens without one begin with a small random vector. Or "wordllama", the static vectors of this
        package [7]_, of which the first `dim` numbers are taken: 256 by default.
    trainable : bool, int or str, default=None
        Which of the pretrained layers training changes: all (True), none (False), the last so many, or those whose
        names fit a pattern such as ``"layer_5*"``. The layers of a pretrained encoder are "embeddings", "layer_1",
        "layer_2", and so on; without one there is one such layer, the table of vectors. ``None`` trains the table, and
        leaves a pretrained encoder as it is. A table that is not trained needs `vectors`, and tokens without one
        contribute nothing.
    adapter_rank : int, default=None
        With a pretrained encoder, leaves the layers that `trainable` chooses (``None`` for all) as they are, and trains
        beside their maps of queries and values a map of this rank [6]_, such as 8: few weights, which overfit less.
    encoder_learning_rate : float, default=0.03
        Factor of the network's learning rate for the weights of a pretrained encoder; adapters learn at the full rate.
    prefix : str, default=""
        What a pretrained encoder wants in front of a text, such as "query: " for those called e5.
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
    join : bool, default=None
        Whether several columns are read as one text, with a mark between them, or each by itself, with its vectors side
        by side: by an encoder of its own with a common vocabulary, or by a common one that is pretrained. ``None``
        joins columns, but not for a pretrained encoder: in one vector, a long column would drown a short one.
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
        Fitted, if one was given.
    vocabulary_ : list of str
        The tokens in the order of their ids, which begin at 3: 0 is padding, 1 an unknown token, 2 the mark between
        columns. Only where a vocabulary is learned.
    lengths_ : tuple of int
        How many tokens are read of the joined text, or of each column. Only where the sub-network takes tokens.
    n_items_ : int
        With `item_pooling`, how many texts are read of a cell: the longest list of the training rows, rounded up to
        1, 2, 3, 4, 6, 8, 12, 16, and so on, and `max_items` at most.
    input_shape_ : tuple of int
        ``(sum(lengths_),)``, or the number of features of an embedder or of a frozen encoder; with the number of
        columns in front if `shared`.
    input_dtype_ : str
        "int32"; "float32" for features.

    References
    ----------
    .. [1] Sennrich, R., Haddow, B. and Birch, A. (2016). "Neural Machine Translation of Rare Words with Subword
           Units". ACL 2016.
    .. [2] Iyyer, M. et al. (2015). "Deep Unordered Composition Rivals Syntactic Methods for Text Classification".
           ACL 2015.
    .. [3] Kim, Y. (2014). "Convolutional Neural Networks for Sentence Classification". EMNLP 2014.
    .. [4] Vaswani, A. et al. (2017). "Attention Is All You Need". NeurIPS 2017.
    .. [5] Reimers, N. and Gurevych, I. (2019). "Sentence-BERT: Sentence Embeddings using Siamese BERT-Networks".
           EMNLP 2019.
    .. [6] Hu, E. J. et al. (2022). "LoRA: Low-Rank Adaptation of Large Language Models". ICLR 2022.
    .. [7] Miller, D. L. (2024). "WordLlama: Recycled Token Embeddings from Large Language Models".
           https://github.com/dleemiller/wordllama. Shortened as in Kusupati, A. et al. (2022), "Matryoshka
           Representation Learning", NeurIPS 2022.

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
        "encoder": [str, PathLike],
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
        "join": ["boolean", None],
        "adapter_rank": [Interval(Integral, 1, None, closed="left"), None],
        "encoder_learning_rate": [Interval(Real, 0, None, closed="neither")],
        "prefix": [str],
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
        trainable=None,
        adapter_rank=None,
        encoder_learning_rate=0.03,
        prefix="",
        units=64,
        kernel_size=3,
        n_heads=4,
        embedder=None,
        join=None,
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
        self.adapter_rank = adapter_rank
        self.encoder_learning_rate = encoder_learning_rate
        self.prefix = prefix
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

    @property
    def is_light(self):
        return self.encoder == "mean" and self.embedder is None

    def check_parameters(self):
        """Raise if a parameter has a value that no training could use."""
        super().check_parameters()
        if not check_units(self.kernel_size, "kernel_size"):
            raise ValueError("'kernel_size' should hold at least one size.")
        if self.encoder not in ENCODERS:
            check_encoder(self.encoder, tuple(ENCODERS))
            if self.adapter_rank is not None and self._is_frozen():
                raise ValueError("'adapter_rank' trains something: 'trainable' should be None or choose some layers.")
        elif self.adapter_rank is not None:
            raise ValueError(f"'adapter_rank' is for pretrained encoders, got encoder={self.encoder!r}.")
        elif self._is_frozen() and self.vectors is None:
            raise ValueError("trainable=False needs 'vectors': random ones that stay as they are say nothing.")

    def _check_trainable(self):
        if self.trainable is not None:
            check_trainable(self.trainable)

    def _is_frozen(self):
        return self.trainable is not None and not self.trainable

    def _way_of_reading(self):
        if self.embedder is not None:
            return Embedded
        if self.encoder in ENCODERS:
            return Tokens
        is_frozen = self._is_frozen() or (self.trainable is None and self.adapter_rank is None)
        return FrozenEncoder if is_frozen else TunedEncoder

    # --- rows -------------------------------------------------------------------------------------------------------

    def _fit(self, X, sample_weight=None):
        self._reading = self._way_of_reading()(SimpleNamespace(**self.get_params(deep=False)))
        self._reading.fit(X, sample_weight)
        self.cell_shape_, self.input_dtype_ = self._reading.cell_shape, self._reading.dtype
        for name, value in self._reading.learned().items():
            setattr(self, name, value)

    def _encode(self, X):
        return self._reading.encode(X)

    # --- inspection -------------------------------------------------------------------------------------------------

    @property
    def attributed_layers(self):
        """The vectors of tokens, where there are some."""
        return self._reading.attributed_layers

    def in_detail(self, pixels=False):
        """Return a copy that has the vectors of single tokens, not their mean alone."""
        detailed = copy(self)
        detailed._reading = self._reading.in_detail()
        return detailed

    def sum_over_parts(self, attributions, encoded):
        """Return attributions to the tokens, or to a text as a whole where its features are all that there is."""
        return self._reading.sum_over_parts(attributions, encoded)

    def part_names(self, X, encoded):
        """Return the tokens of each text, "" behind its end."""
        return self._reading.token_names(encoded)

    # --- sub-network ------------------------------------------------------------------------------------------------

    def features(self, inputs):
        """Return the features of symbolic encoded rows: ids of tokens, or features of a model that stays as it is."""
        from ._layers import Dropout

        x = self._reading.features(inputs)
        return Dropout(self.dropout, name="features_dropout")(x) if self.dropout else x

    def pretrained_layer(self, model):
        """Return the table of vectors, or the layers of an encoder in the sub-network."""
        return self._reading.pretrained_layer(model)

    def freeze(self, model):
        """Set which pretrained layers, or adapters of them, are trained."""
        self._reading.freeze(model)

    def is_encoded_like(self, other):
        """Tell whether another fitted branch encodes every row as this one does."""
        return self._reading.is_encoded_like(other._reading)

    def is_built_like(self, other):
        """Tell whether another fitted branch builds the same layers."""
        return self._reading.is_built_like(other._reading)

    def assign_statistics(self, model):
        """Write what was learned from rows, and pretrained vectors, into the layers."""
        self._reading.assign_statistics(model)
