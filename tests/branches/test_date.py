"""Branches of dates."""

import datetime

import numpy as np
import pandas as pd
import polars as pl
import pytest

from skstack import MultimodalNetworkRegressor
from skstack.branches import DateBranch

HOURS = pd.date_range("2024-01-01", "2025-12-31", freq="37h")


def table(*columns):
    return pd.DataFrame({f"when {index}": column for index, column in enumerate(columns)})


def features(branch, X, new=None):
    """Return what the untrained sub-network makes of rows before its dense layers."""
    branch.set_params(hidden=()).fit(X)
    return branch.build("when").predict(branch.encode(X if new is None else new), verbose=0)


# --- parts ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("dates", "parts"),
    [
        (HOURS, ("month", "day_of_week", "hour")),
        (pd.date_range("2024-01-01", periods=9, freq="D"), ("month", "day_of_week")),
        (pd.period_range("2024-01", periods=9, freq="M"), ("month",)),
        (pd.DatetimeIndex(["2024-01-01", None]), ("month",)),
    ],
)
def test_the_parts_are_those_that_the_dates_tell_apart(dates, parts):
    assert DateBranch().fit(table(pd.Series(dates))).parts_ == parts


def test_chosen_parts_are_sines_and_cosines_of_where_the_date_is_in_each():
    X = table(HOURS)
    found = features(DateBranch(("hour", "month"), n_harmonics=1, elapsed=False), X)
    month = HOURS.month - 1 + (HOURS.day - 1 + HOURS.hour / 24) / HOURS.days_in_month
    turns = np.stack([HOURS.hour / 24, month / 12], axis=1)
    expected = np.stack([np.sin(2 * np.pi * turns), np.cos(2 * np.pi * turns)], axis=2).reshape(len(X), 4)
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_time_since_the_first_training_row_is_scaled():
    X = table(HOURS)
    branch = DateBranch((), elapsed=True)
    found = features(branch, X, table(HOURS + pd.Timedelta("10s")))
    elapsed = (HOURS - HOURS[0]).total_seconds().to_numpy()
    expected = (np.minimum(elapsed + 10, elapsed[-1]) - elapsed.mean()) / elapsed.std()
    np.testing.assert_allclose(found[:, 0], expected, atol=1e-6)
    assert branch.origin_ == np.datetime64("2024-01-01")


def test_what_comes_after_the_training_rows_counts_as_their_end():
    X = table(pd.to_datetime(["2024-03-01", "2025-03-01"]))
    found = features(DateBranch(("year",), elapsed=True), X, table(pd.to_datetime(["1999-01-01", "2077-01-01"])))
    np.testing.assert_allclose(found, [[-1, -1], [1, 1]], rtol=1e-6)


def test_years_are_numbers():
    found = features(DateBranch(("year",), elapsed=False), table(HOURS))
    years = HOURS.year.to_numpy(dtype=float)
    np.testing.assert_allclose(found[:, 0], (years - years.mean()) / years.std(), atol=1e-5)


def test_each_value_of_a_part_has_its_vector():
    X = table(pd.to_datetime(["2024-01-01 05:10", "2024-01-08 05:50", "2024-01-02 05:00", "2024-01-01 06:00"]))
    found = features(DateBranch(("day_of_week", "hour"), "embedding", dim=3, elapsed=False), X)
    assert found.shape == (4, 6)
    np.testing.assert_array_equal(found[0], found[1])
    assert not np.array_equal(found[0, :3], found[2, :3])
    np.testing.assert_array_equal(found[0, 3:], found[2, 3:])
    assert not np.array_equal(found[0, 3:], found[3, 3:])


@pytest.mark.parametrize("encoding", ["periodic", "embedding"])
def test_what_no_training_row_tells_apart_says_nothing(encoding):
    """All training rows are Mondays: nothing was learned about other days, and nothing was about a second column."""
    mondays = pd.date_range("2024-01-01", periods=9, freq="7D")
    X = table(mondays, pd.Series([pd.NaT] * 9))
    branch = DateBranch(("day_of_week",), encoding, elapsed=False, n_harmonics=1, dim=2)
    new = table(mondays + pd.Timedelta(days=2), mondays)
    found = features(branch, X, new)
    assert not found[:, 2:].any() if encoding == "periodic" else not found[:, :2].any()
    assert not found[:, :2].any()


def test_gaps_beside_other_dates_are_flagged():
    starts, ends = pd.Series(HOURS[:6]), pd.Series(HOURS[1:7]).where(np.arange(6) != 2)
    X = table(starts, ends)
    found = features(DateBranch((), elapsed=True), X)
    assert found.shape == (6, 4)
    assert found[2, 1] == 0
    np.testing.assert_array_equal(found[:, 3], [0, 0, 1, 0, 0, 0])
    waves = features(DateBranch(("hour",), n_harmonics=1, elapsed=False), X)
    assert not waves[2, 2:].any()
    assert np.all(np.abs(np.delete(waves, 2, axis=0)).sum(axis=1) > 1)


def test_a_network_learns_the_hour_and_the_season():
    """Noon in summer is warm; a year that was never seen follows the others."""
    rng = np.random.default_rng(0)
    when = pd.Series(pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 3 * 365 * 24, 1500), unit="h"))
    y = -10 * np.cos(2 * np.pi * when.dt.day_of_year / 365) - 5 * np.cos(2 * np.pi * when.dt.hour / 24)
    train = when < "2022-01-01"
    network = MultimodalNetworkRegressor([("when", DateBranch(elapsed=False))], head=(), epochs=20, random_state=0)
    network.set_params(optimizer__learning_rate=0.01).fit(when[train].to_frame(), y[train])
    assert network.score(when[~train].to_frame(), y[~train]) > 0.95


# --- cells ------------------------------------------------------------------------------------------------------------


def test_every_container_is_encoded_alike():
    X = table(pd.Series(HOURS).where(np.arange(len(HOURS)) % 5 > 0))
    branch = DateBranch().fit(X)
    expected, missing = branch.encode_with_missing(X)
    assert missing[:, 0].tolist() == [row % 5 == 0 for row in range(len(X))]
    for other in (X.to_numpy(), X.astype(object), pl.from_pandas(X).to_pandas(), X.astype(str).replace("NaT", None)):
        np.testing.assert_array_equal(branch.encode(other), expected)


def test_polars_tables_are_fitted():
    X = pl.DataFrame({"when": [datetime.date(2024, 1, 1 + day) for day in range(20)], "y": range(20)})
    network = MultimodalNetworkRegressor([("when", DateBranch(), ["when"])], epochs=1, random_state=0)
    predicted = network.fit(X, np.arange(20.0)).predict(X)
    pandas = pd.DataFrame({"when": pd.date_range("2024-01-01", periods=20), "y": range(20)})
    np.testing.assert_array_equal(network.predict(pandas), predicted)


def test_the_zone_of_the_training_rows_is_kept():
    """The hour is that in Berlin, however a row to be predicted says when it is."""
    berlin = pd.Series(pd.date_range("2026-06-01", periods=50, freq="h", tz="Europe/Berlin"))
    branch = DateBranch().fit(table(berlin))
    assert list(map(str, branch.tz_)) == ["Europe/Berlin"]
    expected = branch.encode(table(berlin))
    assert expected[1, 0, 2] == np.float32(1 / 24)
    for other in (berlin.dt.tz_convert("UTC"), berlin.dt.tz_convert("Asia/Tokyo"), berlin.map(lambda t: t.isoformat())):
        np.testing.assert_array_equal(branch.encode(table(other)), expected)
    naive = DateBranch().fit(table(berlin.dt.tz_localize(None)))
    assert not naive.is_encoded_like(branch)
    np.testing.assert_array_equal(naive.encode(table(berlin.dt.tz_localize(None)))[:, 0, :3], expected[:, 0, :3])


def test_several_zones_are_brought_to_one_that_is_given():
    zones = [pd.Timestamp(0, tz="UTC"), pd.Timestamp(0, tz="Asia/Tokyo")]
    X = table(pd.Series(zones, dtype=object))
    branch = DateBranch(("hour",), elapsed=False, tz="Asia/Tokyo").fit(X)
    np.testing.assert_array_equal(branch.encode(X), np.full((2, 1, 1), 9 / 24, dtype="float32"))


NAIVE, UTC, TOKYO = pd.Timestamp("2026-01-01"), pd.Timestamp(0, tz="UTC"), pd.Timestamp(0, tz="Asia/Tokyo")


@pytest.mark.parametrize(
    ("cells", "tz", "message"),
    [
        ([NAIVE, NAIVE, UTC], None, r"date with the time zone UTC in row 2 \(index 'c'\), beside dates without one"),
        ([UTC, NAIVE, UTC], None, r"date without a time zone in row 1 \(index 'b'\), where one is expected"),
        ([UTC, UTC, TOKYO], None, r"several time zones, UTC in row 0 .* and Asia/Tokyo in row 2 .*; set 'tz'"),
        ([UTC, UTC, NAIVE], "UTC", r"date without a time zone in row 2"),
        ([NAIVE, "tomorrow", None], None, r"'tomorrow' in row 1 \(index 'b'\), which is no date"),
        ([NAIVE, 2026, None], None, r"2026 in row 1 \(index 'b'\), where a date was expected"),
    ],
)
def test_cells_that_do_not_fit_are_named(cells, tz, message):
    X = pd.DataFrame({"when": pd.Series(cells, dtype=object, index=list("abc"))})
    network = MultimodalNetworkRegressor([("date", DateBranch(tz=tz))], epochs=1, early_stopping=False)
    with pytest.raises((ValueError, TypeError), match=f"branch 'date': column 'when' holds.*{message}"):
        network.fit(X, np.arange(3.0))


@pytest.mark.parametrize(
    ("trained", "new", "message"),
    [
        (NAIVE, UTC, "with the time zone UTC in row 1, beside dates without"),
        (UTC, NAIVE, "without a time zone in row 1"),
    ],
)
def test_zones_at_prediction_are_as_in_training(trained, new, message):
    branch = DateBranch().fit(table(pd.Series([trained, trained])))
    with pytest.raises(ValueError, match=message):
        branch.encode(table(pd.Series([trained, new], dtype=object)))


def test_tensors_are_no_dates():
    with pytest.raises(ValueError, match="expected a table of dates with 2 dimensions"):
        DateBranch().fit(np.zeros((3, 2, 2)))


# --- parameters -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"parts": ("moth",)}, "'parts' should name some of year, month, .*got 'moth'. Did you mean 'month'"),
        ({"parts": ("hour", 3)}, "'parts' should name some of .*got 3"),
        ({"parts": "hour"}, "'parts' parameter"),
        ({"parts": (), "elapsed": False}, "leave nothing of a date"),
        ({"encoding": "sine"}, "'encoding' parameter"),
        ({"n_harmonics": 0}, "'n_harmonics' parameter"),
        ({"dim": 0}, "'dim' parameter"),
        ({"elapsed": 1.5}, "'elapsed' parameter"),
        (
            {"tz": "Europe/Berln"},
            "the name of a time zone .*'Europe/Berln'. Did you mean 'Europe/Berlin'",
        ),
        ({"tz": "../passwd"}, "'tz' should be the name of a time zone"),
        ({"tz": 3}, "'tz' parameter"),
        ({"date_format": 3}, "'date_format' parameter"),
    ],
)
def test_parameters_are_checked(parameters, message):
    with pytest.raises(ValueError, match=message):
        DateBranch(**parameters).fit(table(HOURS))


def test_branches_of_the_same_parts_are_built_alike():
    one, other = DateBranch().fit(table(HOURS)), DateBranch().fit(table(HOURS[5:]))
    assert one.is_encoded_like(other)
    assert one.is_built_like(other)
    days = DateBranch().fit(table(HOURS.normalize()))
    assert not one.is_encoded_like(days)
    assert not one.is_built_like(days)
