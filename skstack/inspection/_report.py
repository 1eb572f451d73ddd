"""A page that shows what a fitted stack is, how good it is, and what its predictions come from."""

import os
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from numbers import Integral
from pathlib import Path

import numpy as np
from sklearn.utils import check_random_state, check_scalar
from sklearn.utils.validation import check_is_fitted

from .._columns import check_table
from .._compat import num_samples
from .._pipelines import last_of
from .._validation import check_lengths
from ._base_models import is_stack, last_step_and_rows
from ._check import Checked, NotApplicable
from ._modalities import readers_of
from ._report_explanations import examples, members, modalities
from ._report_page import Section, Text, no_windows, render
from ._report_sections import data, diagnostics, findings, network, scores, settings, training
from ._views import is_network

#: In the order of the page.
SECTIONS = (findings, data, scores, diagnostics, modalities, members, examples, training, network, settings)


def report(estimator, X, y, path, *, groups=None, X_test=None, y_test=None, title=None, n_examples=4, random_state=0):
    """Write one HTML page about a fitted stack or network that can be passed on, read without a network and printed.

    It holds the findings of :func:`check_stack`; what each column holds; scores of base models and of what stands on
    top of them, with standard errors; residuals, or confusion and calibration, out of fold; Shapley values and
    interactions of modalities; what each base model adds; single rows with the places of images and the words that
    speak for what is predicted; curves of the training, drawings of the networks, settings and versions. A part that
    does not go with the estimator says so in its place.

    Parameters
    ----------
    estimator : estimator
        A fitted stack or network, the best one of a search, or a pipeline that ends in one, whose other steps are then
        applied first.
    X : DataFrame or array-like of shape (n_samples, n_features)
        The rows that it was fitted to.
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        Their targets.
    path : str or path-like
        Where to write the page; a file that is there is replaced.
    groups : array-like of shape (n_samples,), default=None
        Group of each row, for the check of leaking groups.
    X_test : DataFrame or array-like of shape (n_test_samples, n_features), default=None
        Rows that the estimator was not fitted to, for modalities and examples; ``None`` takes rows of X, on which
        modalities seem to be worth more than they are.
    y_test : array-like of shape (n_test_samples,) or (n_test_samples, n_outputs), default=None
        Their targets.
    title : str, default=None
        Of the page; the name of the class by default.
    n_examples : int, default=4
        How many rows to show.
    random_state : int, RandomState instance or None, default=0
        Chooses rows.

    Returns
    -------
    path : pathlib.Path
        Where the page is.

    Raises
    ------
    TypeError, ValueError
        If the estimator is no fitted stack or network, X and y are not the rows that it was fitted to, X_test has not
        their columns, or another argument is of no use.
    OSError
        If nothing can be written to `path`.
    ImportError
        If matplotlib is not installed.

    See Also
    --------
    check_stack : The checks alone.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> from sklearn.linear_model import Ridge
    >>> from skstack import MultimodalStackingRegressor
    >>> from skstack.inspection import report
    >>> X = np.random.default_rng(0).normal(size=(60, 2))
    >>> stack = MultimodalStackingRegressor([("one", Ridge(), [0]), ("other", Ridge(), [1])], cv=3)
    >>> stack = stack.fit(X, X[:, 0] + 2.0 * X[:, 1])
    >>> report(stack, X, X[:, 0] + 2.0 * X[:, 1], f"{tempfile.mkdtemp()}/stack.html").name
    'stack.html'
    """
    path = _writable(path)
    check_scalar(n_examples, "n_examples", Integral, min_val=0)
    check_random_state(random_state)
    reported = _reported(estimator, X, y, groups, X_test, y_test, n_examples, random_state)
    with no_windows():
        sections = [_made(section, reported) for section in SECTIONS]
    page = render(
        title=title or f"{type(reported.stack).__name__}: report",
        subtitle=f"Written {datetime.now(UTC):%Y-%m-%d %H:%M} UTC by skstack.inspection.report.",
        facts=_facts(reported),
        sections=[section for section in sections if section.blocks],
        footer="One file: pictures are in it, and it loads nothing.",
    )
    path.write_text(page, encoding="utf-8")
    return path


@dataclass
class Reported:
    """What sections of a report are made from.

    Parameters
    ----------
    stack : estimator
        Fitted stack or network.
    X, y, groups
        The rows that it was fitted to.
    X_test, y_test
        The rows that are explained.
    is_held_out : bool
        Whether these are others.
    n_examples : int
    random_state : int, RandomState instance or None
    n_findings : int or None
        How many the checks have found, once they were made.
    """

    stack: object
    X: object
    y: object
    groups: object
    X_test: object
    y_test: object
    is_held_out: bool
    n_examples: int
    random_state: object
    n_findings: int | None = None

    def need_stack(self):
        """Raise unless it is a stack."""
        if not is_stack(self.stack):
            raise NotApplicable("This is a network, not a stack.")

    @cached_property
    def checked(self):
        """What checks look at."""
        return Checked(self.stack, self.X, self.y, self.groups, getattr(self.stack, "splits_", None))

    @property
    def columns(self):
        """What each column holds."""
        return self.checked.columns

    @cached_property
    def parts(self):
        """Names of branches and learners, and the positions of the columns that they read."""
        readers = readers_of(self.stack, self.X, list(range(np.shape(self.X)[1])))
        return list(dict.fromkeys((name, tuple(columns)) for name, columns, _ in readers))


def _writable(path):
    """Return where the page goes, or raise before anything is computed."""
    try:
        path = Path(os.fspath(path))
    except TypeError:
        raise TypeError(f"'path' should be a string or a path, got {type(path).__name__}.") from None
    if path.is_dir():
        raise IsADirectoryError(f"'path' is a folder, {str(path)!r}: give a file in it.")
    if not path.parent.is_dir():
        raise FileNotFoundError(f"the folder of 'path', {str(path.parent)!r}, does not exist.")
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise PermissionError(f"'path', {str(path)!r}, cannot be written.")
    return path


def _reported(estimator, X, y, groups, X_test, y_test, n_examples, random_state):
    stack = last_of(estimator)
    check_is_fitted(stack)
    if not is_stack(stack) and not is_network(stack):
        raise TypeError(f"expected a fitted stack or network, got {type(stack).__name__}.")
    check_lengths(X, y, groups=groups)
    if (X_test is None) != (y_test is None):
        raise ValueError("'X_test' and 'y_test' go together: one of them is missing.")
    is_held_out = X_test is not None
    if is_held_out:
        check_lengths(X_test, y_test)
    else:
        y_test = y
    X = check_table(stack, last_step_and_rows(estimator, X)[1], reset=False)
    X_test = check_table(stack, last_step_and_rows(estimator, X_test)[1], reset=False) if is_held_out else X
    oof = getattr(stack, "oof_predictions_", None)
    if oof is not None and len(oof) != num_samples(X):
        raise ValueError(f"X has {num_samples(X)} rows, the stack was fitted to {len(oof)}: give those rows.")
    return Reported(stack, X, y, groups, X_test, y_test, is_held_out, n_examples, random_state)


def _made(section, reported):
    """Return a section, or where it cannot be made one that says why."""
    title = section.__name__.capitalize()
    try:
        return section(reported)
    except NotApplicable:
        return Section(title)
    except (ValueError, TypeError, ImportError, NotImplementedError) as error:
        return Section(title, [Text(f"Left out: {error}", kind="tip")])
    except Exception as error:  # a fault of ours or of another package, which is no reason to lose the other sections
        return Section(title, [Text(f"Left out: {type(error).__name__}: {error}", kind="tip")])


def _facts(reported):
    facts = [("rows", f"{num_samples(reported.X):,}"), ("columns", str(np.shape(reported.X)[1]))]
    if is_stack(reported.stack):
        facts.append(("base models", str(len(reported.stack.member_columns_))))
        table = reported.stack.stack_report_
        if "task" not in table.index.names:
            used = table[table["used"]].iloc[0]
            score = f"{used['score']:.3f} ± {used['standard_error']:.3f}"
            facts.append((f"{used['scoring']}, out of fold", score))
    if reported.n_findings is not None:
        facts.append(("findings", str(reported.n_findings)))
    return facts
