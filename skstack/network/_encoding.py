"""From a table to what a network takes: each branch fitted to its columns, and its rows encoded."""

from typing import NamedTuple

from sklearn.base import clone

from .._columns import branch_columns, resolve_columns
from .._compat import take
from .._parts import naming
from ..branches._base import Branch


class FittedBranch(NamedTuple):
    """A branch with its name and the columns of X that it reads, resolved to positions."""

    name: str
    branch: Branch
    positions: object

    def columns_of(self, X):
        """Return the columns of the branch."""
        return branch_columns(X, self.positions, self.branch.accept_sparse)


def fit_branches(parts, X, rows, weight=None):
    """Fit branches on some rows of a table.

    Parameters
    ----------
    parts : list of (str, Branch, columns) tuples
        The branches are fitted themselves.
    X : DataFrame or ndarray of shape (n_samples, ...)
    rows : ndarray of int
    weight : ndarray of shape (n_rows,), default=None
        Of each of these rows, in means and quantiles.

    Returns
    -------
    branches : list of FittedBranch
    """
    X_fit = X if len(rows) == X.shape[0] else take(X, rows, axis=0)
    fitted = []
    for name, branch, columns in parts:
        with naming(f"branch {name!r}"):
            positions = resolve_columns(X, columns)
            if isinstance(positions, list) and not positions:
                raise ValueError(f"columns={columns!r} choose none of the columns of X, which a branch cannot read.")
            part = FittedBranch(name, branch, positions)
            try:
                branch.fit(part.columns_of(X_fit), sample_weight=weight)
            except (ValueError, TypeError, OSError):
                clone(branch).fit(part.columns_of(X))  # an error there names the row as X has it
                raise
            fitted.append(part)
    return fitted


def encode_rows(assembly, X, like=None):
    """Return rows of a table as the inputs of a network.

    Parameters
    ----------
    assembly : Assembly
    X : DataFrame or ndarray of shape (n_samples, ...)
    like : (Assembly, dict) tuple, default=None
        Another network of the same parameters and its encoded rows of X, which are taken over where a branch encodes
        in the same way.

    Returns
    -------
    inputs : dict of str to ndarray of shape (n_samples, ...)
        By the name of the input.
    """
    inputs, known = {}, {}
    if like is not None:
        known = {part.name: part.branch for part in like[0].branches}
    for part in assembly.branches:
        name, flags = assembly.names.input(part.name), assembly.names.missing(part.name)
        if part.name in known and _is_encoded_like(part.branch, known[part.name]):
            inputs |= {key: like[1][key] for key in (name, flags) if key in like[1]}
            continue
        with naming(f"branch {part.name!r}"):
            columns = part.columns_of(X)
            inputs[name], missing = part.branch.encode_with_missing(columns)
        if assembly.has_missing_embedding(part.branch):
            missing = missing if part.branch.missing_embedding else part.branch.missing(columns)
            inputs[flags] = missing.astype("float32")
    return inputs


def _is_encoded_like(branch, other):
    return branch.input_shape_ == other.input_shape_ and branch.is_encoded_like(other)


def missing_rows(branches, X):
    """Return which rows of X lack what a branch predicts from, by the name of the branch."""
    missing = {}
    for part in branches:
        with naming(f"branch {part.name!r}"):
            columns = part.columns_of(X)
            if part.branch.missing_embedding:
                flags = part.branch.encode_with_missing(columns)[1]
            else:
                flags = part.branch.missing(columns)
        missing[part.name] = flags.reshape(len(flags), -1).all(axis=1)
    return missing
