"""Details of dates."""

import datetime

import numpy as np
import pandas as pd

from skstack.suggestion._dates import describe_dates


def test_dates_of_several_offsets_are_brought_to_one():
    winter, summer = pd.Timestamp("2020-01-01", tz="Europe/Berlin"), pd.Timestamp("2020-07-01", tz="Europe/Berlin")
    assert describe_dates([winter, summer]) == {"date_format": None, "are_texts": True, "tz": "UTC"}
    assert describe_dates([winter, winter], "%d") == {"date_format": "%d", "are_texts": True}


def test_dates_without_a_zone_stand_alone():
    without = [datetime.date(2020, 1, 1), pd.Period("2020-01"), np.datetime64("2020-01-01")]
    assert describe_dates(without) == {"date_format": None, "are_texts": True}
    assert describe_dates([*without, pd.Timestamp("2020", tz="UTC")]) is None
