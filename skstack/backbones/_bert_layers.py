"""Keras layers of text encoders of the BERT family, on token ids of which 0 fills up the end of a row.

Ids are those of the tokenizer plus 1, so that 0 is free for padding whatever the tokenizer pads with.
"""

from functools import partial

from .._backend import keras
from .._layers import Layer

ops = keras.ops

#: What a place of padding counts in a softmax: nothing, within the range of half precision.
_NOTHING = -1e4

#: Activations by the names that configurations of such models have for them.
ACTIVATIONS = {
    "gelu": partial(ops.gelu, approximate=False),
    "gelu_new": partial(ops.gelu, approximate=True),
    "relu": ops.relu,
    "silu": ops.silu,
}


@keras.saving.register_keras_serializable("skstack")
class TokenEmbeddings(Layer):
    """The vectors of tokens plus those of their places, normalised.

    Parameters
    ----------
    n_tokens : int
        Size of the tokenizer's vocabulary.
    max_length : int
        Places that there are vectors for.
    units : int
        Length of a vector.
    epsilon : float
        Added to variances in layer normalisations.
    """

    def __init__(self, n_tokens, max_length, units, epsilon, **kwargs):
        super().__init__(**kwargs)
        self.n_tokens = n_tokens
        self.max_length = max_length
        self.units = units
        self.epsilon = epsilon
        self.words = keras.layers.Embedding(n_tokens + 1, units, dtype=self.dtype_policy)
        self.places = keras.layers.Embedding(max_length, units, dtype=self.dtype_policy)
        self.norm = keras.layers.LayerNormalization(epsilon=epsilon, dtype=self.dtype_policy)

    def build(self, input_shape):
        self.words.build()
        self.places.build()
        self.norm.build((*input_shape, self.units))

    def call(self, ids):
        return self.norm(self.words(ids) + self.places(ops.arange(ops.shape(ids)[1], dtype="int32")))

    def compute_output_spec(self, ids):
        return keras.KerasTensor((*ids.shape, self.units), dtype=self.compute_dtype)

    def get_config(self):
        names = ("n_tokens", "max_length", "units", "epsilon")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}


@keras.saving.register_keras_serializable("skstack")
class LowRankAdapter(Layer):
    """A linear map of low rank, 0 to begin with, that is trained beside a larger one which stays as it is.

    Parameters
    ----------
    rank : int
    scale : float, default=2.0
        Factor of what it returns.

    References
    ----------
    .. [1] Hu, E. J. et al. (2022). "LoRA: Low-Rank Adaptation of Large Language Models". ICLR 2022.
    """

    def __init__(self, rank, scale=2.0, **kwargs):
        super().__init__(**kwargs)
        self.rank = rank
        self.scale = scale

    def build(self, input_shape):
        units = input_shape[-1]
        self.down = self.add_weight(shape=(units, self.rank), initializer="he_uniform", name="down")
        self.up = self.add_weight(shape=(self.rank, units), initializer="zeros", name="up")

    def call(self, x):
        return ops.matmul(ops.matmul(x, self.down), self.up) * self.scale

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "rank": self.rank, "scale": self.scale}


@keras.saving.register_keras_serializable("skstack")
class TransformerLayer(Layer):
    """Self-attention and two dense layers, each added to what it takes and then normalised, as BERT has them.

    It takes vectors of shape (None, length, units) beside ids of shape (None, length); padding is attended to by none.

    Parameters
    ----------
    n_heads : int
    inner_units : int
        Units of the first dense layer.
    activation : {"gelu", "gelu_new", "relu", "silu"}
        Of that layer.
    epsilon : float
        Added to variances in layer normalisations.
    adapter_rank : int, default=None
        Rank of maps that are added to those of queries and values; None for none.

    References
    ----------
    .. [1] Devlin, J. et al. (2019). "BERT: Pre-training of Deep Bidirectional Transformers for Language
           Understanding". NAACL 2019.
    """

    def __init__(self, n_heads, inner_units, activation, epsilon, adapter_rank=None, **kwargs):
        super().__init__(**kwargs)
        self.n_heads = n_heads
        self.inner_units = inner_units
        self.activation = activation
        self.epsilon = epsilon
        self.adapter_rank = adapter_rank
        self.attention_norm = keras.layers.LayerNormalization(epsilon=epsilon, dtype=self.dtype_policy)
        self.dense_norm = keras.layers.LayerNormalization(epsilon=epsilon, dtype=self.dtype_policy)
        if adapter_rank is not None:
            self.query_adapter = LowRankAdapter(adapter_rank, dtype=self.dtype_policy)
            self.value_adapter = LowRankAdapter(adapter_rank, dtype=self.dtype_policy)

    def build(self, input_shape):
        shape = input_shape[0]
        units = shape[-1]

        def dense(n_units, taken):
            layer = keras.layers.Dense(n_units, dtype=self.dtype_policy)
            layer.build((*shape[:-1], taken))
            return layer

        self.query, self.key, self.value, self.attended = (dense(units, units) for _ in range(4))
        self.inner = dense(self.inner_units, units)
        self.outer = dense(units, self.inner_units)
        for layer in (self.attention_norm, self.dense_norm, *self.adapters):
            layer.build(shape)

    @property
    def adapters(self):
        """The maps of low rank, if there are any."""
        return [self.query_adapter, self.value_adapter] if self.adapter_rank is not None else []

    def train_adapters_only(self):
        """Train the maps of low rank, and leave everything else as it is."""
        for layer in self._layers:
            layer.trainable = layer in self.adapters

    def call(self, inputs):
        x, ids = inputs
        x = self.attention_norm(x + self.attended(self._attention(x, ids)))
        return self.dense_norm(x + self.outer(ACTIVATIONS[self.activation](self.inner(x))))

    def _attention(self, x, ids):
        value = self.value(x)
        if self.adapters:
            value = value + self.value_adapter(x)
        mixed = ops.matmul(self.attention_weights([x, ids]), self._heads(value))
        return ops.reshape(ops.transpose(mixed, (0, 2, 1, 3)), ops.shape(x))

    def attention_weights(self, inputs):
        """Return how much each token looks at each other, of shape (None, n_heads, length, length)."""
        x, ids = inputs
        query = self.query(x)
        if self.adapters:
            query = query + self.query_adapter(x)
        size = x.shape[-1] // self.n_heads
        scores = ops.matmul(self._heads(query), ops.transpose(self._heads(self.key(x)), (0, 1, 3, 2))) * size**-0.5
        scores = ops.where(ids[:, None, None, :] != 0, scores, ops.cast(_NOTHING, scores.dtype))
        return ops.softmax(scores, axis=-1)

    def _heads(self, vectors):
        n_rows, length, units = ops.shape(vectors)
        parts = ops.reshape(vectors, (n_rows, length, self.n_heads, units // self.n_heads))
        return ops.transpose(parts, (0, 2, 1, 3))

    def compute_output_spec(self, inputs):
        return keras.KerasTensor(inputs[0].shape, dtype=self.compute_dtype)

    def get_config(self):
        names = ("n_heads", "inner_units", "activation", "epsilon", "adapter_rank")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}


@keras.saving.register_keras_serializable("skstack")
class PoolTokens(Layer):
    """One vector of those of the tokens of a text; 0 where there is none.

    It takes vectors of shape (None, length, units) beside ids of shape (None, length).

    Parameters
    ----------
    how : {"mean", "cls"}
        Their mean, or the vector of the first token, which stands for the whole.
    normalize : bool
        Whether its length is brought to 1.
    """

    def __init__(self, how, normalize, **kwargs):
        super().__init__(**kwargs)
        self.how = how
        self.normalize = normalize

    def call(self, inputs):
        x, ids = inputs
        there = ops.cast(ids[:, :, None] != 0, x.dtype)
        if self.how == "cls":
            pooled = x[:, 0] * there[:, 0]
        else:
            pooled = ops.sum(x * there, axis=1) / ops.maximum(ops.sum(there, axis=1), 1)
        if not self.normalize:
            return pooled
        pooled = ops.cast(pooled, "float32")
        return pooled * ops.rsqrt(ops.maximum(ops.sum(ops.square(pooled), axis=-1, keepdims=True), 1e-12))

    def compute_output_spec(self, inputs):
        x = inputs[0]
        return keras.KerasTensor((x.shape[0], x.shape[2]), dtype="float32" if self.normalize else x.dtype)

    def get_config(self):
        return {**super().get_config(), "how": self.how, "normalize": self.normalize}
