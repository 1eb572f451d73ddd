"""Near matches of misspelled names, for error messages."""

import difflib


def near_matches(name, known, n=1, cutoff=0.6):
    """Return the names that a misspelled one may stand for, best first, in whatever case they are written.

    Parameters
    ----------
    name : str
    known : iterable of str
    n : int, default=1
        How many to return at most.
    cutoff : float, default=0.6
        How similar they have to be, from 0 to 1.

    Returns
    -------
    near : list of str
    """
    spelled = {str(word).lower(): word for word in known}
    return [spelled[word] for word in difflib.get_close_matches(str(name).lower(), spelled, n, cutoff)]


def did_you_mean(name, known):
    """Return the end of a message about an unknown name: a question for the nearest known one, or nothing."""
    near = near_matches(name, known)
    return f" Did you mean {near[0]!r}?" if near else ""


class SuggestingParams:
    """Parameters whose names are checked before any is set, with a near match for one that is misspelled.

    Stands in front of :class:`~sklearn.base.BaseEstimator`.
    """

    def set_params(self, **params):
        """Set the parameters of this estimator.

        Parameters
        ----------
        **params : dict
            Parameter names mapped to their new values.

        Returns
        -------
        self : object
            This estimator.

        Raises
        ------
        ValueError
            If there is no parameter of a name.
        """
        # Names of parts too, which stand beside the estimator's own.
        known = sorted(name for name in self.get_params(deep=True) if "__" not in name)
        for name in (name.partition("__")[0] for name in params):
            if name not in known:
                raise ValueError(
                    f"Invalid parameter {name!r} for estimator {self!r}.{did_you_mean(name, known)} "
                    f"Valid parameters are: {known}."
                )
        return super().set_params(**params)
