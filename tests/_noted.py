"""A cheap learner whose fits are noted in a file, whichever process or thread they run in, and may be stopped."""

import numpy as np
from sklearn.linear_model import Ridge


class Stop(Exception):
    """Ends a fit."""


#: How many fits there may be before the next one is stopped. Not a method that is patched, as that would be other code
#: for what is kept.
limits = {"fits": None}


class Noted(Ridge):
    """A ridge regression that notes alpha, number of columns and number of rows of each of its fits."""

    def __init__(self, alpha=1.0, path=None):
        super().__init__(alpha=alpha)
        self.path = path

    def fit(self, X, y):
        """Fit and note."""
        if len(Fits(self.path).lines()) == limits["fits"]:
            raise Stop
        with open(self.path, "a", encoding="utf-8") as file:
            file.write(f"{self.alpha:g} {np.asarray(X).shape[1]} {len(X)}\n")
        return super().fit(X, y)


class Fits:
    """The fits that are noted in a file.

    Parameters
    ----------
    path : Path
    """

    def __init__(self, path):
        self.path = path

    def lines(self):
        """Return a line for each fit."""
        return self.path.read_text(encoding="utf-8").splitlines() if self.path.exists() else []

    def pop(self):
        """Return alpha, number of columns and number of rows of each fit, in order of these, and forget them."""
        fits = sorted(tuple(float(number) for number in line.split()) for line in self.lines())
        self.path.unlink(missing_ok=True)
        return fits
