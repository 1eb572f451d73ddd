"""Windows of time series."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.model_selection import TimeSeriesSplit

from skstack.preprocessing import make_windows

HOURS = pd.date_range("2024-01-01", periods=8, freq="h")


def _series(values=range(8), index=HOURS, **columns):
    return pd.DataFrame({"cars": np.array(values, dtype="float64"), **columns}, index=index)


def test_the_future_begins_after_the_origin():
    windows = make_windows(_series(), past=3, future=2)
    np.testing.assert_array_equal(windows.past[:, :, 0], [[k, k + 1, k + 2] for k in range(4)])
    np.testing.assert_array_equal(windows.future, [[k + 3, k + 4] for k in range(4)])
    assert windows.times.tolist() == HOURS[2:6].tolist()


def test_stride_is_the_distance_of_origins():
    windows = make_windows(_series(), past=2, stride=3)
    assert windows.times.tolist() == HOURS[[1, 4]].tolist()
    np.testing.assert_array_equal(windows.future[:, 0], [2, 5])


@pytest.mark.parametrize(
    ("target", "expected"), [(None, [[2, 20]]), ("cars", [2]), (["cars"], [[2]]), (["temp", "cars"], [[20, 2]])]
)
def test_columns_and_targets(target, expected):
    windows = make_windows(_series(temp=np.arange(8) * 10.0), past=2, target=target)
    np.testing.assert_array_equal(windows.past[0], [[0, 0], [1, 10]])
    np.testing.assert_array_equal(windows.future[0], expected)


def test_the_target_need_not_be_in_the_past():
    windows = make_windows(_series(temp=np.arange(8) * 10.0), past=2, columns="temp", target="cars")
    np.testing.assert_array_equal(windows.past[0, :, 0], [0, 10])
    assert windows.future[0, 0] == 2


@pytest.mark.parametrize(("duplicates", "expected"), [("mean", [0, 2.5, 3]), ("first", [0, 1, 3]), ("last", [0, 4, 3])])
def test_rows_of_the_same_time_become_one(duplicates, expected):
    series = _series([0, 1, 4, 3], HOURS[[0, 1, 1, 2]])
    windows = make_windows(series, past=2, duplicates=duplicates)
    np.testing.assert_array_equal([*windows.past[0, :, 0], windows.future[0, 0]], expected)


def test_windows_over_a_gap_are_left_out():
    windows = make_windows(_series().drop(HOURS[4]), past=2, future=1)
    # Neither 4 itself nor a window that would step over it.
    assert windows.times.tolist() == HOURS[[1, 2, 6]].tolist()
    np.testing.assert_array_equal(windows.past[:, :, 0], [[0, 1], [1, 2], [5, 6]])


def test_gaps_in_the_past_are_filled_from_before_only():
    series = _series().drop(HOURS[[4, 5]])
    assert make_windows(series, past=2, fill_limit=1).times.tolist() == HOURS[[1, 2]].tolist()
    windows = make_windows(series, past=2, fill_limit=2)
    assert windows.times.tolist() == HOURS[[1, 2, 5, 6]].tolist()
    np.testing.assert_array_equal(windows.past[2:, :, 0], [[3, 3], [3, 6]])  # 4 and 5 as 3, the last known
    np.testing.assert_array_equal(windows.future[2:, 0], [6, 7])


def test_gaps_in_the_past_may_be_kept_but_not_those_in_the_future():
    series = _series()
    series.iloc[4] = np.nan
    windows = make_windows(series, past=2, missing="keep")
    assert windows.times.tolist() == HOURS[[1, 2, 4, 5, 6]].tolist()
    np.testing.assert_array_equal(windows.past[2:4, :, 0], [[3, np.nan], [np.nan, 5]])
    assert not np.isnan(windows.future).any()


def test_times_may_be_in_any_order_and_container():
    expected = make_windows(_series(), past=3)
    table = _series().reset_index(names="time").sample(frac=1, random_state=0)
    text = table.assign(time=table["time"].astype(str))
    for series in (table, text, pl.from_pandas(table.reset_index(drop=True))):
        windows = make_windows(series, past=3, time="time")
        np.testing.assert_array_equal(windows.past, expected.past)
        np.testing.assert_array_equal(windows.future, expected.future)
        assert windows.times.tolist() == expected.times.tolist()
    windows = make_windows(table["cars"].to_numpy(), past=3, time=table["time"])
    np.testing.assert_array_equal(windows.past, expected.past)


@pytest.mark.parametrize("index", [HOURS.tz_localize("Europe/Berlin"), HOURS.to_period("h")], ids=["zone", "periods"])
def test_the_index_may_have_a_zone_or_periods(index):
    windows = make_windows(_series(index=index).iloc[::-1].drop(index[4]), past=2)
    np.testing.assert_array_equal(windows.past[:, :, 0], [[0, 1], [1, 2], [5, 6]])
    expected = index.to_timestamp() if isinstance(index, pd.PeriodIndex) else index
    assert windows.times.tolist() == expected[[1, 2, 6]].tolist()


def test_times_may_be_numbers():
    times = np.arange(8) * 0.1
    windows = make_windows(np.delete(np.arange(8.0), 3), past=2, time=np.delete(times, 3))
    np.testing.assert_array_equal(windows.past[:, :, 0], [[0, 1], [4, 5], [5, 6]])
    np.testing.assert_allclose(windows.times, [0.1, 0.5, 0.6])


def test_a_longer_step_takes_every_second_row():
    windows = make_windows(_series().iloc[::2], past=2, step="2h")
    assert len(windows.past) == 2
    with pytest.raises(ValueError, match="no window of 2 \\+ 1 steps is without a gap: of 7 steps of time, 3 have one"):
        make_windows(_series().iloc[::2], past=2, step="h")


def test_without_times_rows_are_a_step_apart():
    windows = make_windows(np.arange(10).reshape(5, 2), past=2)
    assert windows.past.shape == (3, 2, 2)
    assert windows.times.tolist() == [1, 2, 3]
    labelled = make_windows(pd.Series([1.0, 2.0, 3.0], index=[7, 7, 7], name="a"), past=1)
    assert labelled.times.tolist() == [0, 1]


def test_the_series_is_left_alone():
    series = _series().sample(frac=1, random_state=1)
    before = series.copy()
    make_windows(series, past=2, fill_limit=3)
    pd.testing.assert_frame_equal(series, before)


def test_time_series_split_keeps_test_futures_from_training():
    windows = make_windows(np.arange(30), past=4, future=3)
    for train, test in TimeSeriesSplit(3, gap=3 - 1).split(windows.past):
        assert windows.future[train].max() < windows.future[test].min()


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"past": 0}, ValueError, "'past' should be an integer of at least 1, got 0"),
        ({"future": 1.5}, ValueError, "'future' should be an integer of at least 1, got 1.5"),
        ({"stride": -1}, ValueError, "'stride' should be an integer of at least 1"),
        ({"fill_limit": -1}, ValueError, "'fill_limit' should be an integer of at least 0"),
        ({"duplicates": "sum"}, ValueError, "'duplicates' should be one of"),
        ({"missing": "fill"}, ValueError, "'missing' should be one of"),
        ({"past": 8}, ValueError, "has 8 steps of time, too few for one window"),
        ({"columns": "bikes"}, ValueError, r"no column 'bikes'; it has \['cars', 'name'\]"),
        ({"target": "name"}, TypeError, "column 'name' of the series does not hold numbers"),
        ({"time": "when"}, ValueError, "no column 'when'"),
        ({"time": "name"}, ValueError, "column 'name' holds no times"),
        ({"time": [0, 1, 2]}, ValueError, "'time' has 3 values, the series has 8 rows"),
        ({"time": [0, 1, 2, np.nan, 4, 5, 6, 7]}, ValueError, "'time' has no time in row 3"),
        ({"time": [0, 1, 2, 3.5, 4, 5, 6, 7]}, ValueError, "time 3.5 of row 3 is no whole number of steps of 1.0"),
        ({"time": [0, 2, 1, 2, 3, 4, 5, 6], "duplicates": "raise"}, ValueError, "rows 1 and 3 have the same time, 2"),
        ({"time": [3] * 8}, ValueError, "all rows have the same time"),
        ({"time": [0, 1, 2, 3, 4, 5, 6, 10**6]}, ValueError, "8 times are spread over 1000001 steps of 1"),
        ({"step": "MS"}, ValueError, "'step' should be a fixed span of time"),
        ({"step": "-1h"}, ValueError, "'step' should be positive"),
        ({"time": range(8), "step": "h"}, ValueError, "'step' should be a number"),
    ],
)
@pytest.mark.filterwarnings("ignore:Could not infer format:UserWarning")
def test_what_cannot_be_cut_is_named(arguments, error, message):
    series = _series(name=["a"] * 8)
    with pytest.raises(error, match=message):
        make_windows(series, **{"past": 2, "columns": "cars", **arguments})


def test_a_step_needs_times():
    with pytest.raises(ValueError, match="'step' needs times"):
        make_windows([1, 2, 3], past=1, step=1)
    with pytest.raises(ValueError, match=r"expected a series of shape .*, got \(1, 2, 1\)"):
        make_windows(np.zeros((1, 2, 1)), past=1)
