"""What a check of a stack is: a function of what is known of the stack, and what it finds."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from scipy import sparse

from .._parts import split_part
from ..suggestion._columns import describe_columns
from ._tables import as_rows


class NotApplicable(Exception):
    """Raised by a check that has nothing to say of a stack, with the reason."""


@dataclass(frozen=True)
class Check:
    """A check of a fitted stack.

    Parameters
    ----------
    code : str
    name : str
    title : str
        A short sentence that is true where something is found.
    severity : {"issue", "tip"}
        An issue makes scores or predictions wrong; a tip asks for a look.
    function : callable
        Takes a :class:`Checked`, returns a list of messages.
    slow : bool, default=False
        Whether it predicts, fits or decodes something.
    of_rows : bool, default=False
        Whether it looks at rows and splits alone, rather than at the stack.
    """

    code: str
    name: str
    title: str
    severity: str
    function: Callable
    slow: bool = False
    of_rows: bool = False


@dataclass
class Checked:
    """What checks look at.

    Parameters
    ----------
    stack : estimator
        Fitted.
    X : DataFrame, array-like or sparse matrix of shape (n_samples, n_features) or None
        The rows that it was fitted to.
    y : array-like of shape (n_samples,) or (n_samples, n_outputs) or None
    groups : array-like of shape (n_samples,) or None
    splits : list of (ndarray, ndarray) or None
        Rows to fit on and to judge by.
    """

    stack: object
    X: object = None
    y: object = None
    groups: object = None
    splits: list | None = None

    def __post_init__(self):
        self.X = None if self.X is None else as_rows(self.X)

    @cached_property
    def columns(self):
        """What each column of X holds."""
        if sparse.issparse(self.X):
            raise NotApplicable("X is a sparse matrix, whose columns are not described.")
        return describe_columns(self.X, root=self.image_root)

    @cached_property
    def image_root(self):
        """The folder that relative paths of images start from."""
        roots = [getattr(part, "root", None) for _, part, _ in parts_of(self.stack)]
        return next((root for root in roots if root is not None), None)

    def need_splits(self):
        """Raise unless there are splits."""
        if not self.splits:
            raise NotApplicable("There are no splits: the stack was fitted with cv='prefit', and no 'cv' is given.")


def parts_of(estimator):
    """Return names, parts and columns of a fitted stack or network, those that were suggested included."""
    known = (getattr(estimator, name, None) for name in ("suggestion_", "estimators", "branches"))
    return [split_part(part) for part in next((parts for parts in known if parts), [])]
