"""Dates in every kind of cell, what their clock shows, and where they are in their cycles."""

import datetime
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from skstack.reading._dates import CYCLES, cycle_places, read_dates, split_days, years

BERLIN = ZoneInfo("Europe/Berlin")
TIMES = ["2026-01-31T17:30", None, "1969-12-31T00:00"]
DAYS = ["2026-01-31", None, "1969-12-31"]


def read(column, date_format=None):
    X = pd.DataFrame({"when": column})
    return read_dates(X, "'when'", X["when"], date_format)


def objects(*cells):
    return pd.Series(list(cells), dtype=object)


COLUMNS = {
    "datetime64": pd.to_datetime(pd.Series(TIMES)),
    "seconds": pd.to_datetime(pd.Series(TIMES)).astype("datetime64[s]"),
    "Arrow": pd.Series(pd.to_datetime(TIMES)).astype(pd.ArrowDtype(pa.timestamp("us"))),
    "texts": pd.Series(TIMES),
    "blank text": objects(TIMES[0], " ", f" {TIMES[2]} "),
    "text with a space": objects("2026-01-31 17:30:00", np.nan, "1969-12-31"),
    "Arrow texts": pd.Series(TIMES, dtype=pd.ArrowDtype(pa.string())),
    "categories": pd.Series(TIMES, dtype="category"),
    "Timestamp": objects(pd.Timestamp(TIMES[0]), pd.NaT, pd.Timestamp(TIMES[2])),
    "datetime": objects(datetime.datetime(2026, 1, 31, 17, 30), None, datetime.datetime(1969, 12, 31)),
    "NumPy": objects(np.datetime64(TIMES[0]), np.datetime64("NaT"), np.datetime64(TIMES[2])),
    "minutes": pd.Series(pd.PeriodIndex(TIMES, freq="min")),
    "periods as objects": objects(pd.Period(TIMES[0], freq="min"), pd.NA, pd.Period(TIMES[2], freq="D")),
    "everything": objects(TIMES[0], None, datetime.date(1969, 12, 31)),
}


@pytest.mark.parametrize("kind", COLUMNS)
def test_every_kind_of_date_is_read(kind):
    dates = read(COLUMNS[kind])
    np.testing.assert_array_equal(dates.instants, np.array(TIMES, dtype="datetime64[us]"))
    np.testing.assert_array_equal(dates.clock(None), dates.instants)
    assert dates.zones == {"": (None, 0)}


@pytest.mark.parametrize(
    "column",
    [
        objects(*(cell and datetime.date.fromisoformat(cell) for cell in DAYS)),
        pd.Series(pd.to_datetime(DAYS)).astype(pd.ArrowDtype(pa.date32())),
        pd.Series(pd.PeriodIndex(DAYS, freq="D")),
        np.array(DAYS, dtype="datetime64[D]"),
    ],
)
def test_days_begin_at_midnight(column):
    np.testing.assert_array_equal(read(column).instants, np.array(DAYS, dtype="datetime64[us]"))


def test_a_period_is_its_beginning():
    np.testing.assert_array_equal(
        read(pd.Series(pd.PeriodIndex(["2026Q2"], freq="Q"))).instants, [np.datetime64("2026-04-01")]
    )


def test_no_column_of_nothing_has_a_time_zone():
    for column in (pd.Series([pd.NaT, pd.NaT]), objects(None, "")):
        dates = read(column)
        assert np.isnat(dates.instants).all()
        assert dates.zones == {}


# --- time zones -------------------------------------------------------------------------------------------------------

SUMMER = pd.Timestamp("2026-07-01 00:30", tz=BERLIN)
AWARE = {
    "datetime64": pd.Series([SUMMER]),
    "Timestamp": objects(SUMMER),
    "datetime": objects(datetime.datetime(2026, 7, 1, 0, 30, tzinfo=BERLIN)),
    "text": objects("2026-06-30T22:30:00Z"),
    "text with an offset": objects("2026-07-01 00:30:00+02:00"),
    "Arrow": pd.Series([SUMMER]).astype(pd.ArrowDtype(pa.timestamp("us", tz="Europe/Berlin"))),
}


@pytest.mark.parametrize("kind", AWARE)
def test_a_clock_shows_the_time_of_its_zone(kind):
    dates = read(AWARE[kind])
    assert dates.instants == np.datetime64("2026-06-30T22:30")
    for zone in ("Europe/Berlin", BERLIN, datetime.timezone(datetime.timedelta(hours=2))):
        assert dates.clock(zone) == np.datetime64("2026-07-01T00:30")
    assert dates.clock("UTC") == np.datetime64("2026-06-30T22:30")


def test_clocks_are_changed_in_spring():
    dates = read(pd.Series(pd.date_range("2026-03-29 00:30", periods=3, freq="h", tz=BERLIN)))
    assert [clock.item().hour for clock in dates.clock(BERLIN)] == [0, 1, 3]


def test_every_time_zone_is_told_with_its_first_row():
    dates = read(objects(None, pd.Timestamp(0), SUMMER, SUMMER, pd.Timestamp(0, tz="UTC")))
    assert {name: row for name, (_, row) in dates.zones.items()} == {"": 1, "Europe/Berlin": 2, "UTC": 4}


# --- errors -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cell", "error", "message"),
    [
        ("02/03/2026", ValueError, r"holds '02/03/2026' in row 1, which is no date as ISO 8601 .*Set 'date_format'"),
        ("2026-13-01", ValueError, "which is no date as ISO 8601"),
        ("soon", ValueError, "which is no date as ISO 8601"),
        (1769900000, TypeError, r"holds 1769900000 in row 1, where a date was expected\. pandas.to_datetime makes"),
        (datetime.time(9), TypeError, "where a date was expected"),
        (datetime.timedelta(1), TypeError, "where a date was expected. A difference of dates is a number"),
        (["2026-01-01"], TypeError, "where a date was expected"),
        (np.datetime64("20000-01-01"), TypeError, "where a date was expected"),
    ],
)
def test_what_is_no_date_is_an_error_with_advice(cell, error, message):
    with pytest.raises(error, match=f"column 'when' holds .*{message}" if "holds" not in message else message):
        read(objects(TIMES[0], cell))


def test_numbers_are_no_dates():
    with pytest.raises(TypeError, match=r"column 'when' holds 2020 in row 0, where a date was expected"):
        read(pd.Series([2020, 2021]))


def test_other_ways_to_write_dates_are_read_as_told():
    assert read(objects("02/03/2026"), "%d/%m/%Y").instants == np.datetime64("2026-03-02")
    with pytest.raises(ValueError, match=r"holds '2026-03-02' in row 0, which is no date of date_format='%d/%m/%Y'"):
        read(objects("2026-03-02"), "%d/%m/%Y")


# --- calendar ---------------------------------------------------------------------------------------------------------

CLOCK = pd.date_range("1967-12-25", "2028-03-05", freq="7717min").to_numpy().astype("datetime64[us]")


@pytest.mark.parametrize("cycle", CYCLES)
def test_steps_are_those_of_pandas(cycle):
    index = pd.DatetimeIndex(CLOCK + np.timedelta64(59_999_999, "us"))
    step, passed, n_steps = cycle_places(index.to_numpy(), cycle)
    np.testing.assert_array_equal(step, getattr(index, cycle) - (cycle in ("month", "day")))
    assert np.all((passed >= 0) & (passed < 1))
    assert np.all(step < n_steps)
    assert np.max(n_steps) == CYCLES[cycle]


def test_what_is_finer_is_a_part_of_a_step():
    clock = np.array(["2026-02-15T12:00"], dtype="datetime64[us]")
    parts = {cycle: cycle_places(clock, cycle)[1].item() for cycle in CYCLES}
    assert parts == {"month": 14.5 / 28, "day": 0.5, "day_of_week": 0.5, "hour": 0.0, "minute": 0.0, "second": 0.0}
    step, passed, n_steps = cycle_places(np.array(["2026-02-15T12:45"], dtype="datetime64[us]"), "hour")
    assert (step, passed, n_steps) == (12, 0.75, 24)


def test_days_and_their_parts_add_up():
    instants = np.array(["1970-01-02T18:00", "NaT", "1969-12-31T06:00"], dtype="datetime64[us]")
    days, parts = split_days(instants)
    np.testing.assert_array_equal(days, [1, np.nan, -1])
    np.testing.assert_array_equal(parts, [0.75, np.nan, 0.25])
    np.testing.assert_array_equal(years(instants), [1970, np.nan, 1969])


def test_cells_that_are_no_dates_may_count_as_missing():
    cells = pd.Series(["2026-01-31", "soon", 3, None, *["2026-02-01"] * 9])
    few = read_dates(cells.to_frame(), "'day'", cells, on_error="missing").instants
    assert np.isnat(few).tolist() == [False, True, True, True] + [False] * 9
    with pytest.warns(
        UserWarning, match=r"column 'day' holds 'soon' in row 1, which is no date .* 2 such cells count as"
    ):
        read_dates(cells[:5].to_frame(), "'day'", cells[:5], on_error="missing")
