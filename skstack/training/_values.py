"""The values of a network's variables, by name.

A name is the way to a variable: the layers it lies in, from the outside to the inside, and what its layer calls it,
such as ``frontal_branch/conv_1/kernel``. It is the same in every fold, process and backend, so that the weights of a
branch of one network can be given to another by an update of a dict.
"""

import numpy as np

from .._backend import keras


def named_variables(model):
    """Return the variables of a built Keras model by name, each of them once.

    Parameters
    ----------
    model : keras.Model

    Returns
    -------
    variables : dict of str to keras.Variable
        Weights, statistics, and states of random generators.
    """
    found, seen = {}, set()
    _collect(model, "", found, seen)
    for variable in model.variables:  # of what Keras keeps elsewhere
        _add(variable, variable.path, found, seen)
    return found


def _collect(layer, path, found, seen):
    own = [*layer._trainable_variables, *layer._non_trainable_variables]
    own += [generator.state for generator in layer._seed_generators]
    for variable in own:
        _add(variable, f"{path}{variable.name}", found, seen)
    names = _names_inside(layer)
    for inner in layer._layers:
        _collect(inner, f"{path}{names[id(inner)]}/", found, seen)


def _add(variable, name, found, seen):
    if id(variable) not in seen:
        seen.add(id(variable))
        found[free_name(name, found)] = variable


def _names_inside(layer):
    """Return the names of the layers in a layer, by their id.

    Those in a model have names of their own. Keras numbers the names of those in other layers, such as the cell of a
    GRU, by the order in which a process makes them; the attributes that they stand in are always the same.
    """
    if isinstance(layer, keras.Model):
        return {id(inner): inner.name for inner in layer._layers}
    attributes = {id(value): name.lstrip("_") for name, value in vars(layer).items()}
    names = {}
    for inner in layer._layers:
        names[id(inner)] = free_name(attributes.get(id(inner), type(inner).__name__), names.values())
    return names


def free_name(name, taken):
    """Return a name, with a number behind it if it is taken."""
    candidate, index = name, 2
    while candidate in taken:
        candidate, index = f"{name}_{index}", index + 1
    return candidate


def values_of(model):
    """Return the values of a model's variables.

    Parameters
    ----------
    model : keras.Model

    Returns
    -------
    values : dict of str to ndarray
        By the names of :func:`named_variables`.
    """
    return as_values(named_variables(model))


def as_values(variables):
    """Return the values of variables by name."""
    return dict(zip(variables, as_arrays(variables.values()), strict=True))


def assign_values(model, values):
    """Give values to the variables of a model.

    Parameters
    ----------
    model : keras.Model
    values : dict of str to ndarray
        One for each of its variables.
    """
    for name, variable in named_variables(model).items():
        variable.assign(values[name])


def generator_states(model):
    """Return the variables that random generators of a model keep their states in, layer by layer."""
    layers = [model, *model._flatten_layers(include_self=False)]
    return [generator.state for layer in layers for generator in layer._seed_generators]


def divided(model):
    """Divide the variables of a model by what training does to them.

    Parameters
    ----------
    model : keras.Model

    Returns
    -------
    trainable, carried, fixed : dict of str to keras.Variable
        Those that the optimizer changes; those that a step changes besides, such as averages of batch normalisation and
        states of random generators; and those that stay: frozen weights, and what layers have in ``constants``.
    """
    layers = [model, *model._flatten_layers(include_self=False)]
    constant = {id(variable) for layer in layers for variable in getattr(layer, "constants", ())}
    weights = {id(variable) for layer in layers for variable in layer._trainable_variables}
    trained = {id(variable) for variable in model.trainable_variables}
    parts = {}, {}, {}
    for name, variable in named_variables(model).items():
        stays = id(variable) in constant or id(variable) in weights
        parts[0 if id(variable) in trained else 2 if stays else 1][name] = variable
    return parts


def assign(variables, values):
    """Write values into variables."""
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)


def as_arrays(variables):
    """Return copies of the values of variables or tensors."""
    return [np.array(keras.ops.convert_to_numpy(variable)) for variable in variables]


def to_array(tensor):
    """Return a tensor as an array."""
    return np.asarray(keras.ops.convert_to_numpy(tensor))
