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
        values = [value.item() if isinstance(value, np.generic) else value for value in values]
        self._values = values
        plain = all(value is None or isinstance(value, bool | int | float | str) for value in values)
        distinct = plain and len(set(values)) == len(values)
        self.labels = values if distinct else [f"{at}: {value!r}"[:80] for at, value in enumerate(values)]

    @property
    def example(self):
        """One of the labels."""
        return self.labels[0]

    def value(self, label):
        """Return the value behind a label."""
        return self._values[self.labels.index(label)]


class Quantiles:
    """A distribution of SciPy, whose quantiles an engine searches; drawn at random, these give the distribution itself.

    Parameters
    ----------
    distribution : rv_frozen
    """

    low, example, high = _MARGIN, 0.5, 1 - _MARGIN

    def __init__(self, distribution):
        self._distribution = distribution

    @property
    def identity(self):
        """What tells the distribution from others."""
        return self._distribution.dist.name, self._distribution.args, self._distribution.kwds

    def value(self, quantile):
        """Return a number, which is whole if the distribution is discrete."""
        number = self._distribution.ppf(quantile)
        return int(number) if hasattr(self._distribution, "pmf") else float(number)


def identity(searched):
    """Return something that is equal for what is searched alike, in this process and in others.

    A distribution of SciPy itself holds NumPy's global generator, which is never the same.
    """
    return searched.identity if isinstance(searched, Quantiles) else searched


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
    if isinstance(distribution, list | tuple | range | np.ndarray):
        if len(distribution) == 0:
            raise ValueError(f"The parameter {name!r} needs at least one value, got {distribution!r}.")
        return Choice(list(distribution))
    raise TypeError(
        f"The parameter {name!r} is searched in a list of values, a distribution of SciPy, or one of the engine; got "
        f"{distribution!r}."
    )
