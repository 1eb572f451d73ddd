"""What a search draws from, in the terms of scikit-learn, as something that an engine can search."""

import numpy as np

#: How far from 0 and 1 the quantiles of a distribution stay, where some are infinite.
_MARGIN = 1e-6


class Choice:
    """One of several values.

    Parameters
    ----------
    values : list
        Of any kind.

    Attributes
    ----------
    labels : list
        What engines know the values by: the values if they are plain, else their position and how they look.
    """

    def __init__(self, values):
        self._values = values
        plain = all(value is None or isinstance(value, bool | int | float | str) for value in values)
        distinct = plain and len(set(values)) == len(values)
        self.labels = values if distinct else [f"{at}: {value!r}"[:80] for at, value in enumerate(values)]

    def value(self, label):
        """Return the value behind a label."""
        return self._values[self.labels.index(label)]


class Quantiles:
    """A distribution of SciPy, whose quantiles an engine searches; drawn at random, these give the distribution itself.

    Parameters
    ----------
    distribution : rv_frozen
    """

    low, high = _MARGIN, 1 - _MARGIN

    def __init__(self, distribution):
        self._distribution = distribution

    def value(self, quantile):
        """Return a number, which is whole if the distribution is discrete."""
        number = self._distribution.ppf(quantile)
        return int(number) if hasattr(self._distribution, "pmf") else float(number)


def dimensions(param_distributions, is_native):
    """Return what an engine searches, by the names of the parameters; see ``dimension``."""
    return {name: dimension(name, searched, is_native) for name, searched in param_distributions.items()}


def decoded(dimensions, drawn):
    """Return the parameters of a candidate from what an engine has drawn."""
    known = Choice | Quantiles
    return {
        name: dimensions[name].value(value) if isinstance(dimensions.get(name), known) else value
        for name, value in drawn.items()
    }


def dimension(name, distribution, is_native):
    """Return what an engine searches for a parameter.

    Parameters
    ----------
    name : str
        Of the parameter.
    distribution : object
        A list or array of values, a distribution of SciPy, or one of the engine.
    is_native : callable
        Tells whether something is a distribution of the engine.

    Returns
    -------
    dimension : Choice, Quantiles or object
        What is the engine's own is returned as it is.

    Raises
    ------
    TypeError, ValueError
        If it is none of them, or a list without values.
    """
    if is_native(distribution):
        return distribution
    if hasattr(distribution, "rvs") and hasattr(distribution, "ppf"):
        return Quantiles(distribution)
    if isinstance(distribution, list | tuple | range) or (isinstance(distribution, np.ndarray) and distribution.ndim == 1):
        values = distribution.tolist() if isinstance(distribution, np.ndarray) else list(distribution)
        if not values:
            raise ValueError(f"The parameter {name!r} needs at least one value, got {distribution!r}.")
        return Choice(values)
    raise TypeError(
        f"The parameter {name!r} is searched in a list of values, a distribution of SciPy, or one of the engine; got "
        f"{distribution!r}."
    )
