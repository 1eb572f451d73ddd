"""A transformer in front of those that clean tables: cells become numbers, categories or texts, as they are told."""

from numbers import Number

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from .._columns import branch_columns, check_table, resolve_columns
from .._doc_links import DocLinkMixin
from .._suggestions import SuggestingParams
from ..reading._cells import spelled_number
from ..reading._dates import read_dates
from ..reading._missing import missing_rows
from ..reading._numbers_in_text import extracted, words_around


class TableReader(DocLinkMixin, SuggestingParams, TransformerMixin, BaseEstimator):
    """Reads what cannot be told from the cells of a table, in front of skrub's transformers.

    Whole numbers may be codes, numbers may stand in texts, and texts may lack in some rows. The result is a pandas
    DataFrame whose columns say by their types what they hold, which is what skrub goes by, whatever container the rows
    came in. Nothing is learned from rows, and what is not named here stays as it is.

    Parameters
    ----------
    numbers : dict of str or int to int, default=None
        By column, how many numbers are read of each cell: 2 for "87 bhp @ 6000 rpm", 1 for "$1,200". A column becomes
        as many columns, with gaps where a cell holds fewer.
    words : list of str or int, default=()
        Columns among `numbers` of which what stands around the numbers becomes a category in one more column, as in "3
        weeks" and "2 years".
    dates : dict of str or int to str or None, default=None
        By column, how dates are written, as for :meth:`datetime.datetime.strptime`, or None for ISO 8601. What is no
        date becomes a gap; dates with a time zone are brought to UTC.
    categories : list of str or int, default=()
        Columns that become pandas categories, whatever is in their cells. One that is among `numbers`, too, becomes
        numbers in further columns.
    texts : list of str or int, default=()
        Columns whose missing cells become empty texts.

    Attributes
    ----------
    n_features_in_ : int
        Number of columns seen during fit.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of these columns, where X has string names.

    See Also
    --------
    skrub.TableVectorizer : What usually comes next.
    skstack.suggest_estimators : Says what stands where in a table.

    Examples
    --------
    >>> import pandas as pd
    >>> from skstack.preprocessing import TableReader
    >>> X = pd.DataFrame({"engine": ["1198 cc", "998 cc"], "power": ["87 bhp @ 6000 rpm", None], "zip": [92276, 92677]})
    >>> TableReader(numbers={"engine": 1, "power": 2}, categories=["zip"]).fit_transform(X)
       engine  power  power (2)    zip
    0  1198.0   87.0     6000.0  92276
    1   998.0    NaN        NaN  92677
    """

    _parameter_constraints = {  # noqa: RUF012 - scikit-learn's form
        "numbers": [dict, None],
        "words": ["array-like"],
        "dates": [dict, None],
        "categories": ["array-like"],
        "texts": ["array-like"],
    }

    def __init__(self, *, numbers=None, words=(), dates=None, categories=(), texts=()):
        self.numbers = numbers
        self.words = words
        self.dates = dates
        self.categories = categories
        self.texts = texts

    def fit(self, X, y=None):
        """Check that X has the columns that are named.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_samples, n_features)
            Rows of data.
        y : None
            Ignored.

        Returns
        -------
        self : TableReader

        Raises
        ------
        ValueError
            If X has no such column, or `words` names one that `numbers` does not.
        """
        self._validate_params()
        X = check_table(self, X, reset=True)
        self._numbers = {resolve_columns(X, key): n_numbers for key, n_numbers in (self.numbers or {}).items()}
        self._dates = {resolve_columns(X, key): date_format for key, date_format in (self.dates or {}).items()}
        self._categories, self._texts, self._words = (
            set(resolve_columns(X, list(names))) if len(names) else set()
            for names in (self.categories, self.texts, self.words)
        )
        if not self._words <= set(self._numbers):
            raise ValueError("'words' names columns that are not among 'numbers'.")
        return self

    def transform(self, X):
        """Read the cells.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_samples, n_features)
            Rows of data.

        Returns
        -------
        table : DataFrame of shape (n_samples, n_columns)
        """
        check_is_fitted(self, "_numbers")
        table = branch_columns(check_table(self, X, reset=False), None)
        table = table if isinstance(table, pd.DataFrame) else pd.DataFrame(table).infer_objects()
        columns = [
            column
            for position, name in enumerate(map(str, table.columns))
            for column in self._read(position, name, table.iloc[:, position])
        ]
        return pd.concat(columns, axis=1)

    def get_feature_names_out(self, input_features=None):
        """Get the names of the columns that :meth:`transform` returns.

        Parameters
        ----------
        input_features : array-like of str, default=None
            Names of the columns of X, where they have none of their own.

        Returns
        -------
        names : ndarray of str objects
        """
        check_is_fitted(self, "_numbers")
        names = getattr(self, "feature_names_in_", input_features)
        names = range(self.n_features_in_) if names is None else names
        names_out = [out for position, name in enumerate(names) for out in self._names_out(position, str(name))]
        return np.array(names_out, dtype=object)

    def _names_out(self, position, name):
        n_numbers = self._numbers.get(position, 0)
        if position in self._categories:
            return [name, *(f"{name} (number{f' {place}' * (place > 1)})" for place in range(1, n_numbers + 1))]
        others = [f"{name} ({place})" for place in range(2, n_numbers + 1)]
        return [name, *others, *([f"{name} (words)"] if position in self._words else [])]

    def _read(self, position, name, column):
        """Return the columns that one becomes."""
        names = self._names_out(position, name)
        if position in self._categories:
            numbers = self._read_numbers(position, column, names[1:]) if position in self._numbers else []
            return [_as_category(column).rename(name), *numbers]
        if position in self._numbers:
            read = self._read_numbers(position, column, names)
            return read + ([_words_of(column).rename(names[-1])] if position in self._words else [])
        if position in self._dates:
            return [_as_dates(column, name, self._dates[position])]
        if position in self._texts:
            return [_as_text(column).rename(name)]
        return [_dense(column).rename(name)]

    def _read_numbers(self, position, column, names):
        numbers = extracted(column, self._numbers[position])
        return [pd.Series(values, column.index, name=out) for values, out in zip(numbers.T, names, strict=False)]


def _as_dates(column, name, date_format):
    dates = read_dates(column.to_frame(), repr(name), column, date_format, on_error="missing")
    return pd.Series(dates.instants, column.index, name=name)


def _words_of(column):
    """Return what stands around the numbers of texts, as categories; missing for cells that are no texts."""
    cells = column.astype(object)
    words = {cell: words_around(cell) for cell in cells.unique() if isinstance(cell, str)}
    return pd.Series(cells.map(words), dtype=object).astype("category")


def _dense(column):
    """Return a column that is not sparse, which skrub refuses."""
    return column.sparse.to_dense() if isinstance(column.dtype, pd.SparseDtype) else column


def _spelled(cell):
    """Return a cell as a text, by which whole numbers are the same whatever type holds them."""
    if isinstance(cell, (list, tuple, np.ndarray)):
        return "; ".join(map(_spelled, cell))
    if isinstance(cell, (bytes, bytearray)):
        return cell.decode("utf-8", "replace")
    return spelled_number(cell) if isinstance(cell, Number) else str(cell)


def _as_text(column):
    cells, missing = column.astype(object), missing_rows(column.to_frame())
    texts = ["" if gone else _spelled(cell) for cell, gone in zip(cells, missing, strict=True)]
    return pd.Series(texts, column.index, dtype="str" if pd.__version__ >= "3" else object)


def _as_category(column):
    cells, missing = column.astype(object), missing_rows(column.to_frame())
    spelled = {}
    texts = [
        None if gone else spelled.setdefault(cell, _spelled(cell)) for cell, gone in zip(cells, missing, strict=True)
    ]
    return pd.Series(texts, column.index, dtype=object).astype("category")
