"""Windows of a time series: what was known up to a moment, and what came after it."""

from numbers import Integral
from typing import NamedTuple

import numpy as np
import pandas as pd

#: How rows of the same time become one.
_DUPLICATES = ("mean", "first", "last", "raise")

#: The grid of a series may have so many times the steps that it has rows: beyond, the step is most likely wrong.
_MAX_SPREAD = 1000

#: What several columns are named by.
_LISTS = (list, tuple, pd.Index)


class Windows(NamedTuple):
    """What :func:`make_windows` returns."""

    past: np.ndarray
    future: np.ndarray
    times: pd.Index


def make_windows(
    series,
    past,
    future=1,
    *,
    stride=1,
    time=None,
    step=None,
    columns=None,
    target=None,
    duplicates="mean",
    fill_limit=0,
    missing="drop",
):
    """Cut a time series into windows: what was known up to a moment, and what came after it.

    The series is laid out on a grid of equal steps of time. Every moment of the grid, the origin, is the last step of a
    `past` and the one before the first step of a `future`. Windows are ordered by time, so that
    :class:`~sklearn.model_selection.TimeSeriesSplit` is the natural cross validation; its ``gap=future - 1`` keeps
    the futures of the training windows out of those of the test windows.

    Parameters
    ----------
    series : DataFrame, Series or array-like of shape (n_times,) or (n_times, n_columns)
        One row per time, of numbers, in any order where times are known. Pandas and polars are taken.
    past : int
        Steps of a window, up to and with its origin.
    future : int, default=1
        Steps to predict, from the one after the origin.
    stride : int, default=1
        Steps between the origins of neighbouring windows.
    time : str or array-like of shape (n_times,), default=None
        Times of the rows, or the column that holds them: dates, text that pandas reads as dates, or numbers. ``None``
        takes the index of a DataFrame or Series if it holds dates; else rows are one step apart in their order.
    step : str, timedelta or number, default=None
        Length of a step, such as "h", "15min" or 0.5 for times that are numbers. ``None`` takes the most frequent
        difference between neighbouring times.
    columns : str or list of str, default=None
        Columns of the pasts; positions for an array. ``None`` takes all but the one of the times.
    target : str or list of str, default=None
        Column to predict, or several; positions for an array. ``None`` takes those of the pasts.
    duplicates : {"mean", "first", "last", "raise"}, default="mean"
        What becomes of rows of the same time: the mean of each column, the first or the last known value, or an error.
    fill_limit : int, default=0
        For how many steps the last known value fills a gap in a past; nothing is filled from what comes later, which
        would not be known at the origin. What is to be predicted is never filled.
    missing : {"drop", "keep"}, default="drop"
        What becomes of windows whose past has gaps after that: they are left out, or kept with NaN at the gaps, which
        :class:`~skstack.branches.SequenceBranch` can take. Windows with a gap in their future are always left out.

    Returns
    -------
    windows : Windows
        A named tuple of three:

        - ``past`` : ndarray of shape (n_windows, past, n_columns), the rows that a branch takes, as they are or in a
          :func:`~skstack.preprocessing.tensor_column`;
        - ``future`` : ndarray of shape (n_windows, future), with an axis of targets behind if `target` is a list, or
          None and the pasts have several columns;
        - ``times`` : Index of the n_windows origins; without times, the positions of their rows.

    Raises
    ------
    ValueError
        If a parameter or a time cannot be used, or no window is left.
    TypeError
        If a column does not hold numbers.

    See Also
    --------
    skstack.branches.SequenceBranch : Networks for such windows.

    Examples
    --------
    >>> import pandas as pd
    >>> from skstack.preprocessing import make_windows
    >>> hours = pd.date_range("2024-01-01", periods=6, freq="h")
    >>> series = pd.DataFrame({"cars": [10, 20, 30, 40, 50, 60]}, index=hours)
    >>> windows = make_windows(series, past=3, future=2)
    >>> windows.past[:, :, 0]
    array([[10., 20., 30.],
           [20., 30., 40.]])
    >>> windows.future
    array([[40., 50.],
           [50., 60.]])
    >>> windows.times[0]
    Timestamp('2024-01-01 02:00:00')
    """
    _check_counts(past=(past, 1), future=(future, 1), stride=(stride, 1), fill_limit=(fill_limit, 0))
    _check_choice("duplicates", duplicates, _DUPLICATES)
    _check_choice("missing", missing, ("drop", "keep"))
    table, times = _table(series, time)
    inputs = [name for name in table.columns if not _is(name, time)] if columns is None else _listed(columns)
    targets = inputs if target is None else _listed(target)
    table = _numbers(table, list(dict.fromkeys([*inputs, *targets])))
    grid, times = _on_grid(table, times, step, duplicates)
    pasts = grid[inputs].ffill(limit=fill_limit) if fill_limit else grid[inputs]
    origins = np.arange(past - 1, len(grid) - future, stride)
    past_windows = _cut(pasts, origins - past + 1, past)
    future_windows = _cut(grid[targets], origins + 1, future)
    whole = ~np.isnan(future_windows).any(axis=(1, 2))
    if missing == "drop":
        whole &= ~np.isnan(past_windows).any(axis=(1, 2))
    if not whole.any():
        raise ValueError(
            f"no window of {past} + {future} steps is without a gap: of {len(grid)} steps of time, "
            f"{int(grid.isna().any(axis=1).sum())} have one. Shorter windows or a larger 'fill_limit' may help."
        )
    if len(targets) == 1 and not isinstance(target, _LISTS):
        future_windows = future_windows[:, :, 0]
    return Windows(past_windows[whole], future_windows[whole], times[origins[whole]])


# --- arguments --------------------------------------------------------------------------------------------------------


def _check_counts(**counts):
    for name, (value, least) in counts.items():
        if not isinstance(value, Integral) or value < least:
            raise ValueError(f"'{name}' should be an integer of at least {least}, got {value!r}.")


def _check_choice(name, value, choices):
    if value not in choices:
        raise ValueError(f"'{name}' should be one of {list(choices)}, got {value!r}.")


def _is(name, time):
    return isinstance(time, str) and name == time


def _listed(names):
    return list(names) if isinstance(names, _LISTS) else [names]


# --- the table --------------------------------------------------------------------------------------------------------


def _table(series, time):
    """Return a series as a DataFrame, and the times of its rows or None."""
    if hasattr(series, "to_pandas"):  # polars
        series = series.to_pandas()
    if isinstance(series, pd.Series):
        series = series.to_frame(0 if series.name is None else series.name)
    if not isinstance(series, pd.DataFrame):
        values = np.asarray(series)
        if values.ndim not in (1, 2):
            raise ValueError(f"expected a series of shape (n_times,) or (n_times, n_columns), got {values.shape}.")
        series = pd.DataFrame(values)
    if isinstance(time, str):
        return series, _times(_column(series, time), f"column {time!r}")
    if time is not None:
        if len(time) != len(series):
            raise ValueError(f"'time' has {len(time)} values, the series has {len(series)} rows.")
        return series, _times(pd.Series(np.asarray(time)), "'time'")
    index = series.index.to_timestamp() if isinstance(series.index, pd.PeriodIndex) else series.index
    if isinstance(index, pd.DatetimeIndex):
        return series, _times(index.to_series(), "the index")
    return series, None


def _column(table, name):
    if name not in table.columns:
        raise ValueError(f"the series has no column {name!r}; it has {list(table.columns)}.")
    return table[name]


def _times(column, what):
    """Return times as a Series of dates or numbers without gaps."""
    if column.dtype.kind not in "iufM":
        try:
            column = pd.to_datetime(column)
        except (ValueError, TypeError) as error:
            raise ValueError(f"{what} holds no times: {error}") from error
    missing = np.flatnonzero(column.isna().to_numpy())
    if missing.size:
        raise ValueError(f"{what} has no time in row {missing[0]}.")
    return column.reset_index(drop=True)


def _numbers(table, names):
    numbers = {}
    for name in names:
        column = _column(table, name)
        if column.dtype.kind not in "biuf":
            raise TypeError(f"column {name!r} of the series does not hold numbers, but {column.dtype}.")
        numbers[name] = column.to_numpy(dtype="float64", na_value=np.nan)
    if not numbers:
        raise ValueError("the series has no columns to cut.")
    return pd.DataFrame(numbers)


# --- the grid ---------------------------------------------------------------------------------------------------------


def _on_grid(table, times, step, duplicates):
    """Return a row for each step of time, with NaN where there is none, and the times of the steps."""
    if times is None:
        if step is not None:
            raise ValueError("'step' needs times: an index of dates, or 'time'.")
        return table, pd.RangeIndex(len(table))
    order = np.argsort(times.to_numpy(), kind="stable")
    times, table = times.iloc[order].reset_index(drop=True), table.iloc[order]
    step = _step(times, step)
    since = (times - times.iloc[0]) / step
    places = np.round(since.to_numpy(dtype="float64")).astype("int64")
    # Rounding errors of times that are numbers.
    off = np.flatnonzero(np.abs(since - places) > 1e-6)
    if off.size:
        raise ValueError(
            f"time {times[off[0]]} of row {order[off[0]]} is no whole number of steps of {step} after the first one, "
            f"{times[0]}: round the times, or give another 'step'."
        )
    if places[-1] >= _MAX_SPREAD * len(places):
        raise ValueError(f"{len(places)} times are spread over {places[-1] + 1} steps of {step}: give a longer 'step'.")
    _check_duplicates(times, order, places, duplicates)
    grouped = table.groupby(places)
    table = getattr(grouped, "first" if duplicates == "raise" else duplicates)()
    index = pd.Index(times[0] + np.arange(places[-1] + 1) * step)
    return table.reindex(range(places[-1] + 1)), index


def _step(times, step):
    dates = times.dtype.kind == "M"
    if step is None:
        differences = times.drop_duplicates().diff().dropna()
        if differences.empty:
            raise ValueError("all rows have the same time: there is no step between them.")
        return differences.mode().iloc[0]
    try:
        step = pd.Timedelta(pd.tseries.frequencies.to_offset(step)) if dates else float(step)
    except (ValueError, TypeError) as error:
        kind = "a fixed span of time, such as 'h' or '15min'" if dates else "a number, as times are"
        raise ValueError(f"'step' should be {kind}, got {step!r}.") from error
    if step <= step * 0:
        raise ValueError(f"'step' should be positive, got {step}.")
    return step


def _check_duplicates(times, order, places, duplicates):
    again = np.flatnonzero(np.diff(places) == 0)
    if duplicates == "raise" and again.size:
        first, second = sorted(order[again[0] : again[0] + 2])
        raise ValueError(f"rows {first} and {second} have the same time, {times[again[0]]}, and duplicates='raise'.")


def _cut(table, starts, length):
    """Return windows of a table as an array of shape (n_windows, length, n_columns)."""
    if not len(starts):
        raise ValueError(f"the series has {len(table)} steps of time, too few for one window.")
    views = np.lib.stride_tricks.sliding_window_view(table.to_numpy(), length, axis=0)
    return views[starts].transpose(0, 2, 1)
