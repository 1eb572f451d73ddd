"""Cells of a column as dates: instants, the calendar and clock of a time zone, and how far along their cycles they are.

Dates without a time zone are taken as the clock shows them, and never compared with others.
"""

import datetime
import warnings

import numpy as np
import pandas as pd

from ._cells import row_name, shown

#: What dates are computed in: it reaches from 290,000 BC to AD 290,000, and a network hears no difference of less.
DATE_DTYPE = "datetime64[us]"

#: The part of the cells of a column that may be something else than dates without a word about it.
_FEW = 0.2

_DAY, _US_PER_DAY = np.timedelta64(1, "D"), 86_400_000_000


class Dates:
    """The dates of a column.

    Attributes
    ----------
    instants : ndarray of datetime64[us] of shape (n_rows,)
        In UTC where the date has a time zone; NaT for missing cells.
    zones : dict of str to (tzinfo or None, int)
        The time zones by name, "" for none, each with the first row that has it.
    """

    def __init__(self, instants, zones):
        self.instants = instants
        self.zones = zones

    def clock(self, zone):
        """Return what calendar and clock show at these instants, as ndarray of datetime64[us] of shape (n_rows,).

        Parameters
        ----------
        zone : str, tzinfo or None
            Where they hang; None for dates without a time zone.
        """
        if zone is None:
            return self.instants
        local = pd.DatetimeIndex(self.instants).tz_localize("UTC").tz_convert(zone).tz_localize(None)
        return local.to_numpy().astype(DATE_DTYPE)


def read_dates(X, name, column, date_format=None, on_error="raise"):
    """Read a column of dates.

    Parameters
    ----------
    X : DataFrame or ndarray
        The table of the column, which names rows in messages.
    name : str
        Of the column, in messages.
    column : Series or ndarray of shape (n_rows,)
        Of datetime64 or a period, or with cells that are dates, periods or texts; missing ones are None, NaN, NaT or
        blank.
    date_format : str, default=None
        How texts are written, as for :meth:`datetime.datetime.strptime`; ISO 8601 by default.
    on_error : {"raise", "missing"}, default="raise"
        Whether a cell that is no date raises or counts as missing; a warning says where more than a few do.

    Returns
    -------
    dates : Dates

    Raises
    ------
    ValueError
        If a text is no date as it should be written, naming column and row.
    TypeError
        If a cell is neither a date nor a text.
    """
    series = column if isinstance(column, pd.Series) else pd.Series(column)
    if isinstance(series.dtype, pd.PeriodDtype):
        series = series.dt.to_timestamp()
    if isinstance(series.dtype, pd.DatetimeTZDtype):
        instants = series.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy().astype(DATE_DTYPE)
        return Dates(instants, _one_zone(series.dt.tz, instants))
    if isinstance(series.dtype, np.dtype) and series.dtype.kind == "M":
        instants = series.to_numpy().astype(DATE_DTYPE)
        return Dates(instants, _one_zone(None, instants))
    return _of_cells(X, name, series.astype(object).tolist(), date_format, on_error)


def _one_zone(zone, instants):
    present = np.flatnonzero(~np.isnat(instants))
    return {_zone_name(zone): (zone, int(present[0]))} if present.size else {}


def _zone_name(zone):
    return "" if zone is None else str(zone)


def _of_cells(X, name, cells, date_format, on_error):
    instants, zones, unread = np.full(len(cells), "NaT", dtype=DATE_DTYPE), {}, []
    for position, cell in enumerate(cells):
        try:
            moment = _moment(cell, date_format)
            if moment is None:
                continue
            zones.setdefault(_zone_name(moment.tzinfo), (moment.tzinfo, position))
            instants[position] = _in_utc(moment)
        except (ValueError, TypeError, OverflowError) as error:
            said = f"column {name} holds {shown(cell)} in {row_name(X, position)}, {error}"
            if on_error == "raise":
                raise (TypeError if isinstance(error, TypeError) else ValueError)(said) from None
            unread.append(said)
    if len(unread) > 1 and len(unread) > _FEW * len(cells):
        warnings.warn(f"{unread[0]} {len(unread)} such cells count as missing.", stacklevel=2)
    return Dates(instants, zones)


def _moment(cell, date_format):
    """Return a cell as a datetime, None for a missing one; the error says the end of a sentence."""
    if isinstance(cell, str):
        return parse_date(cell.strip(), date_format) if cell.strip() else None
    if pd.api.types.is_scalar(cell) and pd.isna(cell):
        return None
    if isinstance(cell, pd.Period):
        cell = cell.start_time
    if isinstance(cell, np.datetime64):
        cell = cell.astype(DATE_DTYPE).item()  # a number where Python has no such date
    if isinstance(cell, datetime.datetime):
        return cell
    if isinstance(cell, datetime.date):
        return datetime.datetime.combine(cell, datetime.time())
    if isinstance(cell, (datetime.timedelta, np.timedelta64)):
        raise TypeError(
            "where a date was expected. A difference of dates is a number: its dt.total_seconds() is for a "
            "NumericBranch."
        )
    raise TypeError("where a date was expected. pandas.to_datetime makes dates of numbers, with a 'unit'.")


def parse_date(text, date_format=None):
    """Return a text as a datetime, as :func:`read_dates` reads it; the error says the end of a sentence."""
    try:
        if date_format is not None:
            return datetime.datetime.strptime(text, date_format)
        return datetime.datetime.fromisoformat(text)
    except ValueError:
        pass
    if date_format is not None:
        raise ValueError(f"which is no date of date_format={date_format!r}.")
    raise ValueError(
        "which is no date as ISO 8601 writes it, 2026-01-31 or 2026-01-31 17:30. Set 'date_format' to how dates are "
        "written here, such as '%d/%m/%Y', or make dates of the column by pandas.to_datetime."
    )


def _in_utc(moment):
    """Return a datetime in UTC without saying so; one that has no time zone stays as it is."""
    if moment.tzinfo is None:
        return np.datetime64(moment.replace(tzinfo=None), "us")
    return np.datetime64(moment.astimezone(datetime.UTC).replace(tzinfo=None), "us")


def split_days(instants):
    """Return dates as days since 1970, a whole number, and the part of the day that has passed; NaN where missing."""
    missing = np.isnat(instants)
    days = instants.astype("datetime64[D]")
    passed = (instants - days).astype("int64") / _US_PER_DAY
    return np.where(missing, np.nan, days.astype("int64")), np.where(missing, np.nan, passed)


def years(clock):
    """Return the years of dates as numbers; NaN where they are missing."""
    return np.where(np.isnat(clock), np.nan, clock.astype("datetime64[Y]").astype("int64") + 1970)


#: Microseconds of the steps of a clock.
_STEPS = {"hour": 3_600_000_000, "minute": 60_000_000, "second": 1_000_000}

#: Parts of a date that come again and again, with the number of values that each has at most.
CYCLES = {"month": 12, "day": 31, "day_of_week": 7, "hour": 24, "minute": 60, "second": 60}


def cycle_places(clock, cycle):
    """Say where dates are in a cycle: in the how manyth step of how many, and which part of the step has passed.

    Parameters
    ----------
    clock : ndarray of datetime64[us] of shape (n_rows,)
        None of them missing.
    cycle : str
        One of `CYCLES`.

    Returns
    -------
    step : ndarray of int of shape (n_rows,)
        From 0: January, the first of a month, Monday, midnight.
    passed : ndarray of shape (n_rows,)
        From 0 to below 1.
    n_steps : int or ndarray of int of shape (n_rows,)
        Months differ in their number of days.
    """
    days = clock.astype("datetime64[D]")
    of_day = (clock - days).astype("int64") / _US_PER_DAY
    months = clock.astype("datetime64[M]")
    first = months.astype("datetime64[D]")
    in_month, length = (days - first) // _DAY, ((months + 1).astype("datetime64[D]") - first) // _DAY
    if cycle == "month":
        return months.astype("int64") % 12, (in_month + of_day) / length, 12
    if cycle == "day":
        return in_month, of_day, length
    if cycle == "day_of_week":
        return (days.astype("int64") + 3) % 7, of_day, 7  # 1970 began with a Thursday
    length = _STEPS[cycle]
    passed = (clock - days).astype("int64")  # in microseconds, exactly
    return passed // length % CYCLES[cycle], passed % length / length, CYCLES[cycle]
