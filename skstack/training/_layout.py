"""How an optimizer is given the weights: most of them as one vector, or tensor by tensor."""

import numpy as np

from .._backend import keras
from ._values import as_arrays


class Layout:
    """Which weights are joined into one vector.

    Parameters
    ----------
    shapes : dict of str to tuple of int
        Of the weights by name, in their order.
    joined : iterable of str, default=()
        Names of those that are joined; the vector comes first, the others follow in their order.
    """

    def __init__(self, shapes, joined=()):
        self.shapes = shapes
        joined = set(joined)
        self.joined = [name for name in shapes if name in joined]
        self.single = [name for name in shapes if name not in joined]

    def packed(self, weights, xp=np):
        """Return weights as the optimizer gets them.

        Parameters
        ----------
        weights : list of ndarray or tensor
        xp : module, default=numpy
            Has functions for them: ``numpy`` or ``keras.ops``.
        """
        by_name = dict(zip(self.shapes, weights, strict=True))
        vector = [_reshaped(by_name[name], self.shapes[name], (-1,), xp) for name in self.joined]
        return [*([xp.concatenate(vector)] if vector else []), *(by_name[name] for name in self.single)]

    def unpacked(self, packed, xp=np):
        """Return weights tensor by tensor, in their order; see :meth:`packed`."""
        packed, by_name = list(packed), {}
        if self.joined:
            sizes = [int(np.prod(self.shapes[name])) for name in self.joined]
            for name, part in zip(self.joined, _split(packed.pop(0), sizes, xp), strict=True):
                by_name[name] = _reshaped(part, self.shapes[name], self.shapes[name], xp)
        by_name |= zip(self.single, packed, strict=True)
        return [by_name[name] for name in self.shapes]

    def optimized(self, variables):
        """Return the variables that the optimizer is built for, from those of the weights in their order."""
        if not self.joined:
            return list(variables)
        by_name = dict(zip(self.shapes, variables, strict=True))
        vector = self.packed(as_arrays(variables))[0]
        joined = keras.Variable(vector, dtype=by_name[self.joined[0]].dtype, name="weights")
        return [joined, *(by_name[name] for name in self.single)]

    def slots_by_name(self, parts):
        """Return what an optimizer keeps of each weight that it has, by the name of the weight.

        Parameters
        ----------
        parts : list of (ndarray or None)
            In the order in which it has them; None where there is none.
        """
        parts, found = list(parts), {}
        if self.joined:
            of_vector = Layout({name: self.shapes[name] for name in self.joined}, self.joined).unpacked([parts.pop(0)])
            found |= zip(self.joined, of_vector, strict=True)
        for name, part in zip(self.single, parts, strict=True):
            if part is not None:
                found[name] = shaped(part, self.shapes[name])
        return {name: found[name] for name in self.shapes if name in found}

    def slots(self, by_name):
        """Return the parts that :meth:`slots_by_name` was given; None where there is none."""
        vector = [np.ravel(by_name[name]) for name in self.joined]
        return [*([np.concatenate(vector)] if vector else []), *(by_name.get(name) for name in self.single)]


def _reshaped(array, shape, new, xp):
    """Return a weight in a new shape; one of a single axis has it, and every operation takes a millisecond to trace."""
    return array if len(shape) == 1 else xp.reshape(array, new)


def _split(vector, sizes, xp):
    """Return parts of a vector; Keras would have TensorFlow compute their sizes, by 24 operations in every step."""
    if xp is np or keras.backend.backend() != "tensorflow":
        return xp.split(vector, np.cumsum(sizes)[:-1].tolist())
    import tensorflow as tf

    return tf.split(vector, sizes)


def shaped(array, shape):
    """Return an array in a shape if it has as many entries; some slots have others than their weight."""
    return array.reshape(shape) if array.size == np.prod(shape, dtype=int) else array
