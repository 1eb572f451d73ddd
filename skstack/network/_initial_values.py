"""Initial values of several networks of one architecture, each drawn with a seed of its own.

Building a Keras model takes longer than training a small one for an epoch. So weights are drawn again by the
initializers of the layers of a model that has been built; only where it cannot be told how a weight came about, a model
is built for each seed.
"""

import random
from functools import cached_property, partial

import numpy as np

from ..training._seeds import seeded
from ..training._values import as_values, assign_values, named_variables, values_of


class InitialValues:
    """Draws initial values of networks of an architecture.

    Parameters
    ----------
    assembly : Assembly
    model : keras.Model
        As ``assembly.build()`` made it; it is written to.
    seed : int
        With which it was made.
    """

    def __init__(self, assembly, model, seed):
        self._assembly, self._model = assembly, model
        self._drawn = {seed: values_of(model)}
        self._first = self._drawn[seed]
        self._remaining = None

    def of_members(self, seeds, assembly):
        """Return the values that the members of a network begin with.

        Parameters
        ----------
        seeds : list of int
        assembly : Assembly
            Of the network, which may have learned from other rows what stands in the model besides.

        Returns
        -------
        values : list of dict of str to ndarray
        """
        return [self._with_statistics(seed, assembly) for seed in seeds]

    def _with_statistics(self, seed, assembly):
        if seed not in self._drawn:
            self._drawn[seed] = self._draw(seed)
        drawn = self._drawn[seed]
        if self._remaining is not None:
            for name in self._draws.keys() & self._remaining.keys():  # of which statistics change a part
                self._remaining[name].assign(drawn[name])
            assembly.assign_statistics(self._model)
            return {**drawn, **as_values(self._remaining)}
        assign_values(self._model, drawn)
        assembly.assign_statistics(self._model)
        values = values_of(self._model)
        if self._draws is not None:
            self._remaining = self._not_random(values, drawn)
        return values

    def _not_random(self, values, drawn):
        """Return the variables with values that are not drawn, or that statistics change."""
        return {
            name: variable
            for name, variable in named_variables(self._model).items()
            if name not in self._draws or not np.array_equal(values[name], drawn[name])
        }

    def _draw(self, seed):
        with seeded(seed):
            if self._draws is None:
                return values_of(self._assembly.build())
            return {**self._first, **{name: draw() for name, draw in self._draws.items()}}

    @cached_property
    def _draws(self):
        return _draws(self._model, self._first)


def _draws(model, values):
    """Return functions that draw the random ones of the values of a model, or None if one came about otherwise."""
    found, owners = {}, _owners(model)
    for name, variable in named_variables(model).items():
        layer, is_generator = owners.get(id(variable), (None, False))
        initializer = getattr(layer, f"{variable.name}_initializer", None)
        if is_generator:
            if getattr(layer, "seed", None) is None:
                found[name] = partial(_fresh_generator, values[name].dtype)
        elif initializer is not None:
            if np.array_equal(_value(initializer, variable), values[name]):  # rather than pretrained
                found[name] = _Fresh(initializer, variable)
        elif np.ptp(values[name]) > 0:  # drawn, or assigned, in a way of the layer's own
            return None
    return found


def _owners(model):
    """Return the layer that each variable of a model belongs to, and whether it is the state of a generator, by id."""
    owners = {}
    for layer in [model, *model._flatten_layers(include_self=False)]:
        for variable in (*layer._trainable_variables, *layer._non_trainable_variables):
            owners[id(variable)] = layer, False
        for generator in layer._seed_generators:
            owners[id(generator.state)] = layer, True
    return owners


def _fresh_generator(dtype):
    """Return the state in which Keras lets a generator begin that is given no seed."""
    return np.array([random.randint(1, int(1e9)), 0], dtype=dtype)


class _Fresh:
    """Draws by an initializer like another one; without a seed of its user's, it takes one from Python's generator."""

    def __init__(self, initializer, variable):
        self._initializer, self._variable = initializer, variable

    def __call__(self):
        fresh = type(self._initializer).from_config(self._initializer.get_config())
        return _value(fresh, self._variable)


def _value(initializer, variable):
    return np.array(initializer(tuple(variable.shape), dtype=variable.dtype))
