"""From a table to the parts of a stack."""

import os
import warnings

import numpy as np
import pandas as pd
from scipy import sparse

from .._columns import branch_columns, is_table, readable, refuse_masked, refuse_repeated_names
from .._quality import QUALITIES
from .._suggestions import did_you_mean
from .._validation import check_lengths
from ._branches import suggest_branches
from ._columns import describe_columns
from ._giveaways import find_giveaways
from ._kinds import SAID
from ._learners import suggest_learners
from ._networks import suggest_networks
from ._suggested import SuggestedEstimators
from ._targets import describe_targets


def suggest_estimators(X, y, *, task=None, kinds=None, image_root=None, backbone=None, network=None, quality="good"):
    """Suggest branches and learners for a table: what a stack without `estimators` uses.

    The kind of data of each column is told from its cells, and from its name where whole numbers may be codes. Columns
    of numbers, numbers in texts, categories, dates, texts, names that several columns share, images, recordings and
    sequences each become part of a branch; gradient boosting, extra trees, a linear model and, for numbers to be
    predicted from up to 5,000 rows, support vectors get the columns of the table, the latter without long texts. Where
    images or recordings are learned from scratch from few rows, a network of all other branches stands beside that of
    all, so that they cannot make the stack worse. Categories that are whole numbers, such as zip codes, are counted
    with beside if there are 13 or more, as near codes may be alike. Constant columns and names of rows are left out.
    Where the target can be read off a column there is a warning. All rows of X have a say in the kinds of columns, as
    if they had been chosen by hand; whatever has to be learned from rows is learned within the folds.

    Parameters
    ----------
    X : DataFrame, array-like or sparse matrix of shape (n_samples, n_features, ...)
        Rows of data.
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        Target values.
    task : {"regression", "classification"} or dict of str to one of them, default=None
        What is predicted; a dict says it by the name of the column of y. By default text, categories, truth values and
        numbers of two values are classes, and other numbers are numbers. A stack knows it.
    kinds : dict of str or int to str, default=None
        Kinds of columns where they are known, by the name of the column or its position: "numeric", "numeric_text"
        (numbers in texts), "boolean", "categorical", "entity" (names that columns share), "date", "text", "image",
        "audio", "sequence" or "drop". Other columns are inferred.
    image_root : str or path-like, default=None
        Folder that relative paths of images and recordings start from; the working directory by default. Files that
        are not there or cannot be read count as missing, with a warning when a stack is fitted.
    backbone : str, path-like or keras.Model, default=None
        Pretrained network for columns of images, see :class:`~skstack.branches.ImageBranch`; ``None`` trains one from
        scratch.
    network : MultimodalNetworkRegressor, MultimodalNetworkClassifier or MultitaskNetwork, default=None
        Template of a network of the table alone, which stands beside that of all branches where images or recordings
        are learned from scratch from few rows; ``None`` takes the defaults.
    quality : {"fast", "good", "best"}, default="good"
        How much time learners may take: "fast" leaves out the extra trees, and boosting is one model rather than the
        mean of 4 or, with "best", 8 copies that set other rows aside to know when to stop; half of them above 10,000
        rows.

    Returns
    -------
    estimators : SuggestedEstimators
        A list of ``(name, part, columns)`` for the parameter `estimators` of a stack, which prints as code to be copied
        and edited. Its attribute ``reasons`` is a table that says why for each column.

    Raises
    ------
    ValueError
        If `kinds` names no column or no kind, or no column is left.
    FileNotFoundError
        If `image_root` is no folder.

    Warns
    -----
    UserWarning
        If the target can be read off a column, or no part can make anything of a column.

    See Also
    --------
    MultimodalStackingRegressor, MultimodalStackingClassifier : Stacks, which take this list by default.

    Examples
    --------
    >>> import pandas as pd
    >>> from skstack import suggest_estimators
    >>> X = pd.DataFrame({"engine": ["1198 cc", "998 cc", "1248 cc"] * 10, "fuel": ["petrol", "diesel", None] * 10})
    >>> suggested = suggest_estimators(X, [5.0, 4.0, 6.0] * 10)
    >>> [name for name, part, columns in suggested]
    ['categories', 'boosting', 'trees', 'linear', 'svr']
    >>> suggested.reasons["kind"].to_dict()
    {'engine': 'categorical', 'fuel': 'categorical'}
    >>> suggested = suggest_estimators(X, [5.0, 4.0, 6.0] * 10, kinds={"engine": "numeric_text"})
    >>> print(suggested[0])
    ('numbers_in_text', NumericBranch(extract=2), ['engine'])
    """
    _check_choice("quality", quality, QUALITIES)
    for kind in task.values() if isinstance(task, dict) else [task]:
        _check_choice("task", kind, ("regression", "classification", None))
    if image_root is not None and not os.path.isdir(image_root):
        raise FileNotFoundError(f"'image_root' should be a folder: there is none at {os.fspath(image_root)!r}.")
    X = readable(X)
    refuse_masked(X, "X")
    if is_table(X):
        refuse_repeated_names(X)
    elif not sparse.issparse(X):
        X = np.asarray(X)
        X = X[:, np.newaxis] if X.ndim == 1 else X
    check_lengths(X, y)
    if X.shape[0] < 2:
        raise ValueError(f"A table of {X.shape[0]} rows (n_samples={X.shape[0]}) says nothing of its columns.")
    targets = describe_targets(y, task)
    columns = describe_columns(X, kinds, image_root)
    _keep_something(columns)
    _warn_of_useless(columns)
    branches = suggest_branches(columns, image_root, backbone)
    parts = [*branches]
    if backbone is None:
        parts += suggest_networks(branches, columns, targets, X.shape[0], task, network, quality)
    parts += suggest_learners(columns, targets, X, quality)
    giveaways = _giveaways(columns, X, targets)
    return SuggestedEstimators(parts, _reasons(columns, parts, giveaways))


def _check_choice(name, value, choices):
    if value not in choices:
        hint = did_you_mean(value, [choice for choice in choices if choice])
        raise ValueError(f"{name!r} should be one of {list(choices)}, got {value!r}.{hint}")


def _keep_something(columns):
    """Take names of rows for numbers after all where there is nothing else, or raise."""
    if any(column.is_used for column in columns):
        return
    for column in columns:
        if column.kind == "id" and column.reason == "a running number":
            column.kind, column.reason, column.details = (
                "numeric",
                "numbers, and there is nothing else",
                {"plain": True},
            )
    if not any(column.is_used for column in columns):
        shown = "; ".join(f"{column.name!r}: {column.kind}, {column.reason}" for column in columns[:10])
        raise ValueError(f"No column of X is of use ({shown}). Say by 'kinds' what they hold, or give 'estimators'.")


def _warn_of_useless(columns):
    """Say that columns are left out of which no part can make anything, which nobody would expect."""
    useless = [column for column in columns if column.kind == "drop" and column.reason != SAID]
    if useless:
        said = "; ".join(f"{column.name!r}: {column.reason}" for column in useless)
        silently = "kinds={name: 'drop'} leaves them out silently."
        warnings.warn(f"Columns of X are left out: {said}. {silently}", stacklevel=3)


def _giveaways(columns, X, targets):
    """Return what is to be said of columns that the target can be read off, and warn of them."""
    if sparse.issparse(X) or len(X.shape) > 2:
        return {}
    table = branch_columns(X, None)
    found = find_giveaways(columns, table if isinstance(table, pd.DataFrame) else pd.DataFrame(table), targets)
    if found:
        said = "; ".join(f"{columns[position].name!r}: {how}" for position, how in found.items())
        warnings.warn(
            f"Columns of X may give the target away: {said}. If they are not known when rows are predicted, leave them "
            "out, as by kinds={name: 'drop'}.",
            stacklevel=3,
        )
    return found


def _reasons(columns, parts, giveaways):
    """Return the table that says why."""
    owners = {column.position: [] for column in columns}
    for name, _, keys in parts:
        taken = [column for column in columns if keys is None or column.key in keys]
        for column in taken:
            owners[column.position].append(name)
    return pd.DataFrame(
        {
            "kind": [column.kind for column in columns],
            "reason": [column.reason for column in columns],
            "parts": [", ".join(owners[column.position]) for column in columns],
            "warning": [giveaways.get(column.position, "") for column in columns],
        },
        index=pd.Index([column.name for column in columns], name="column"),
    )
