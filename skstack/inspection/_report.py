"""A page that shows what a fitted stack is, how good it is, and what its predictions come from."""

import os
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

import numpy as np
from sklearn.utils.validation import check_is_fitted

from .._columns import is_table, readable
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
        If the estimator is no fitted stack or network, or X and y are not the rows that it was fitted to.
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
    reported = _reported(estimator, X, y, groups, X_test, y_test, n_examples, random_state)
    with no_windows():
        sections = [_made(section, reported) for section in SECTIONS]
    path = Path(os.fspath(path))
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


def _reported(estimator, X, y, groups, X_test, y_test, n_examples, random_state):
    estimator = getattr(estimator, "best_estimator_", estimator)
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
        X_test, y_test = X, y
    X, X_test = (readable(last_step_and_rows(estimator, rows)[1]) for rows in (X, X_test))
    X, X_test = (rows if is_table(rows) else np.asarray(rows) for rows in (X, X_test))
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
