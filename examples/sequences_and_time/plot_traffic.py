"""
Traffic: six hours tell the next day
====================================

How many cars will pass on the motorway in each of the next 24 hours, if all that is known are the last six? Every
moment of an hourly series gives one row: a window of six steps, and 24 numbers to predict at once. Four encoders read
the same windows: dense layers, a simple recurrent network, an LSTM and a CNN. Then a second branch adds the calendar.

Set ``SKSTACK_DATA`` to a directory with ``metro_traffic/metro.csv.gz`` (Metro Interstate Traffic Volume, UCI) to use
six years of a real road; else the lesson makes up two years of one. Two forecasts that cost nothing are the reference:
"as yesterday at this hour" is off by 571 cars per hour on average over the whole real series, "as a week ago" by 337.
"""

# %%
# The series
# ----------
# Some hours of the real series are there several times, and many are not there at all.
import os

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from skstack import MultimodalNetworkRegressor
from skstack.branches import CategoricalBranch, DateBranch, SequenceBranch
from skstack.datasets import find_data
from skstack.preprocessing import make_windows, tensor_column

# A run of a few seconds that shows only that everything works.
QUICK = bool(os.environ.get("SKSTACK_QUICK"))


def made_up_series(n_days):
    """Return hourly traffic with two rush hours on working days, and noise that lasts for some hours."""
    generator = np.random.default_rng(0)
    hours = pd.date_range("2016-01-01", periods=24 * n_days, freq="h", name="date_time")
    rush = np.exp(-(((hours.hour - 8) / 2.5) ** 2)) + 1.2 * np.exp(-(((hours.hour - 17) / 3) ** 2))
    leisure = 0.8 * np.exp(-(((hours.hour - 15) / 5) ** 2))
    noise = pd.Series(generator.normal(size=len(hours))).ewm(halflife=4).mean()
    traffic = 500 + 4000 * np.where(hours.day_of_week < 5, rush, leisure) + 600 * noise.to_numpy()
    table = pd.DataFrame({"date_time": hours, "traffic_volume": traffic.round(), "temp": 288.0, "holiday": "None"})
    return table.drop(index=generator.choice(len(table), len(table) // 50, replace=False))


if folder := find_data("metro_traffic"):
    series = pd.read_csv(folder / "metro.csv.gz", keep_default_na=False, parse_dates=["date_time"])
    series = series.tail(8000) if QUICK else series
else:
    series = made_up_series(200 if QUICK else 730)
n_hours = (series["date_time"].max() - series["date_time"].min()) // pd.Timedelta("1h") + 1
print(f"{len(series)} rows, {series['date_time'].nunique()} different hours of {n_hours}")

# %%
# Windows
# -------
# ``make_windows`` lays the series out on a grid of hours. Hours that are there twice become their mean; up to two
# missing hours in a past are filled with the last known value, and other windows with gaps are left out.
windows = make_windows(
    series,
    past=6,
    future=24,
    time="date_time",
    columns=["traffic_volume", "temp"],
    target="traffic_volume",
    fill_limit=2,
)
y, origins = windows.future, windows.times
print("pasts", windows.past.shape, "futures", y.shape)

# %%
# The moment of the forecast goes into a column beside the window, and so does whether today or tomorrow is a holiday,
# which no date says by itself.
holidays = set(series.loc[series["holiday"] != "None", "date_time"].dt.normalize())
X = pd.DataFrame({"window": tensor_column(windows.past)})
X["when"] = origins
X["holiday"] = origins.normalize().isin(holidays)
X["holiday tomorrow"] = (origins.normalize() + pd.Timedelta(days=1)).isin(holidays)

# %%
# The last quarter of the time is for the test. A day lies between the two parts, so that no hour that a training window
# asks for is in the test part.
start = origins[int(0.75 * len(origins))]
train, test = origins < start - pd.Timedelta(days=1), origins >= start
print(f"{train.sum()} windows before {start}, {test.sum()} from then on")

# %%
# What costs nothing
# ------------------
# Both forecasts are computed for the very hours of the test windows.
hourly = series.groupby("date_time")["traffic_volume"].mean()
asked = origins[test].to_numpy()[:, None] + np.arange(1, 25) * np.timedelta64(1, "h")


def forecast_of_the_past(hours):
    """Return the traffic so many hours before those asked for."""
    return hourly.reindex((asked - np.timedelta64(hours, "h")).ravel()).to_numpy().reshape(asked.shape)


errors = {
    name: np.abs(forecast_of_the_past(hours) - y[test])
    for name, hours in {"same hour yesterday": 24, "same hour last week": 168}.items()
}
free = {name: np.nanmean(error) for name, error in errors.items()}
for name, reference in {"same hour yesterday": 571, "same hour last week": 337}.items():
    print(f"{name}: MAE {free[name]:.0f} on the test windows; {reference} over the whole real series")

# %%
# Four encoders, without and with the calendar
# --------------------------------------------
# The encoder is a name. The CNN keeps the features of all six steps, as their order matters more than how many of them
# look alike. The mean absolute error is trained as it is measured. The calendar is one line: the branch for dates makes
# of a date what comes again, the month, the day of the week and the hour.
encoders = {
    "dense": SequenceBranch("dense", (128, 64)),
    "rnn": SequenceBranch("rnn", 64),
    "lstm": SequenceBranch("lstm", 64),
    "cnn": SequenceBranch("cnn", (64, 64), pooling="flatten"),
}
calendar = [("calendar", DateBranch(), ["when"]), ("holidays", CategoricalBranch(), ["holiday", "holiday tomorrow"])]
rows = []
for name, branch in list(encoders.items())[: 2 if QUICK else None]:
    alone = ("window", branch, ["window"])
    for parts in ([alone], [alone, *calendar]):
        network = MultimodalNetworkRegressor(
            parts,
            head=(128,),
            loss="mean_absolute_error",
            optimizer__learning_rate=0.002,
            epochs=1 if QUICK else 25,
            patience=4,
            batch_size=128,
            random_state=0,
        )
        network.fit(X[train], y[train])
        errors[name, len(parts) > 1] = np.abs(network.predict(X[test]) - y[test])
    rows.append((name, errors[name, False].mean(), errors[name, True].mean()))
table = pd.DataFrame(rows, columns=["encoder", "window alone", "with calendar"]).set_index("encoder")
print(table.round(0).to_string())
print(
    f"\nThe worst from the window alone: {table['window alone'].max():.0f}, "
    f"reference {free['same hour yesterday']:.0f} here (571 over all hours)"
    f"\nThe worst with the calendar: {table['with calendar'].max():.0f}, "
    f"reference {free['same hour last week']:.0f} here (337 over all hours)"
)

# %%
# Hour by hour
# ------------
# The window tells the next hour well and the next day less well: it does not say whether tomorrow is a Saturday.
best = table["with calendar"].idxmin()
figure, axes = plt.subplots(figsize=(7, 4), layout="constrained")
for label, key in {
    "same hour yesterday": "same hour yesterday",
    "same hour last week": "same hour last week",
    f"{best}, window alone": (best, False),
    f"{best}, with calendar": (best, True),
}.items():
    axes.plot(np.arange(1, 25), np.nanmean(errors[key], axis=0), label=label)
axes.set(xlabel="hours ahead", ylabel="mean absolute error, cars per hour")
axes.legend()
plt.show()
