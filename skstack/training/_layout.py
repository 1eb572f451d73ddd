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
        vector = [xp.reshape(by_name[name], (-1,)) for name in self.joined]
        return [*([xp.concatenate(vector)] if vector else []), *(by_name[name] for name in self.single)]

    def unpacked(self, packed, xp=np):
        """Return weights tensor by tensor, in their order; see :meth:`packed`."""
        packed, by_name = list(packed), {}
        if self.joined:
            ends = np.cumsum([int(np.prod(self.shapes[name])) for name in self.joined])
            parts = xp.split(packed.pop(0), ends[:-1].tolist())
            for name, part in zip(self.joined, parts, strict=True):
                by_name[name] = xp.reshape(part, self.shapes[name])
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


def shaped(array, shape):
    """Return an array in a shape if it has as many entries; some slots have others than their weight."""
    return array.reshape(shape) if array.size == np.prod(shape, dtype=int) else array
