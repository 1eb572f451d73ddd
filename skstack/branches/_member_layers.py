"""Keras layers of networks whose members share most of their weights.

Where the members begin to differ, each row becomes several, one for each member, side by side: all other layers see
nothing but more rows. What a member has of its own are vectors that scale what goes into a dense layer and what comes
out of it, adapters of rank 1 (BatchEnsemble, arXiv 2002.06715; TabM, arXiv 2410.24210).
"""

from .._backend import keras
from .._layers import Layer

ops = keras.ops


class _OfMembers(Layer):
    """A layer of rows of `n_members` members.

    Parameters
    ----------
    n_members : int
    """

    vectorizable = True

    def __init__(self, n_members, **kwargs):
        super().__init__(**kwargs)
        self.n_members = n_members

    def _by_member(self, x):
        """Return rows of members as an array of shape (None, n_members, n_features)."""
        return ops.reshape(x, (-1, self.n_members, x.shape[-1]))

    def _add_scale(self, length, name, signs=False):
        """Return factors of the inputs of each member: 1, or a random sign."""
        initializer = _RandomSigns() if signs else "ones"
        return self.add_weight(shape=(self.n_members, length), initializer=initializer, name=name)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "n_members": self.n_members}


class _RandomSigns(keras.initializers.RandomUniform):
    """1 or -1 with the same probability."""

    def __call__(self, shape, dtype=None):
        return ops.where(super().__call__(shape, dtype) < 0, ops.cast(-1, dtype), ops.cast(1, dtype))


@keras.saving.register_keras_serializable("skstack")
class RepeatRows(_OfMembers):
    """Repeat each row for each member."""

    def call(self, inputs):
        shape = inputs.shape[1:]
        repeated = ops.repeat(ops.expand_dims(inputs, 1), self.n_members, axis=1)
        return ops.reshape(repeated, (-1, *shape))


@keras.saving.register_keras_serializable("skstack")
class ScaleOfMembers(_OfMembers):
    """Scale the features of each member by factors of its own, which begin as random signs."""

    def build(self, input_shape):
        self.scale = self._add_scale(input_shape[-1], "scale", signs=True)

    def call(self, inputs):
        return ops.reshape(self._by_member(inputs) * self.scale, (-1, inputs.shape[-1]))


@keras.saving.register_keras_serializable("skstack")
class DenseOfMembers(_OfMembers):
    """A dense layer that members share, with a scale of inputs, a scale of outputs and a bias for each of them.

    Parameters
    ----------
    units : int
    n_members : int
    signs : bool, default=False
        Whether the factors of the inputs begin as random signs, which makes the members differ, or as 1.
    """

    def __init__(self, units, n_members, signs=False, **kwargs):
        super().__init__(n_members, **kwargs)
        self.units, self.signs = units, signs

    def build(self, input_shape):
        self.kernel = self.add_weight(shape=(input_shape[-1], self.units), name="kernel")
        self.scale_in = self._add_scale(input_shape[-1], "scale_in", self.signs)
        self.scale_out = self._add_scale(self.units, "scale_out")
        self.bias = self.add_weight(shape=(self.n_members, self.units), initializer="zeros", name="bias")

    def call(self, inputs):
        x = ops.reshape(self._by_member(inputs) * self.scale_in, (-1, inputs.shape[-1]))
        x = self._by_member(ops.matmul(x, self.kernel))
        return ops.reshape(x * self.scale_out + self.bias, (-1, self.units))

    def compute_output_shape(self, input_shape):
        return *input_shape[:-1], self.units

    def get_config(self):
        return {**super().get_config(), "units": self.units, "signs": self.signs}


@keras.saving.register_keras_serializable("skstack")
class MeanOfMembers(_OfMembers):
    """The mean of the members; in training what each of them predicts, of shape (None, n_members, n_features)."""

    def call(self, inputs, training=False):
        by_member = self._by_member(inputs)
        return by_member if training else ops.mean(by_member, axis=1)

    def compute_output_spec(self, inputs, training=False):
        return keras.KerasTensor(inputs.shape, dtype=inputs.dtype)
