"""Branch for columns of dates and times."""

import datetime
import zoneinfo
from numbers import Integral

import numpy as np
from sklearn.utils._param_validation import Interval, StrOptions

from .._suggestions import did_you_mean
from ..reading._cells import named_columns, row_name
from ..reading._dates import CYCLES, Dates, cycle_places, read_dates, split_days, years
from ._base import Branch
from ._blocks import CHANNELS_LAST
from ._column_statistics import DenseColumn
from ._inspectable import names_of_columns

#: Parts that can be chosen, from coarse to fine.
_PARTS = ("year", *CYCLES)


class DateBranch(Branch):
    """Branch for columns of dates and times: parts of the date, which come again, and the time that has passed.

    A column holds datetime64, with or without a time zone, periods, which count as their beginning, or objects:
    ``Timestamp``, ``datetime``, ``date``, ``Period``, or texts as ISO 8601 writes dates. What lies in the same place of
    a day, a week or a year gets the same features, unless the year or the time that has passed is asked for. Public
    holidays are none of a date's own: give them in a column.

    Parameters
    ----------
    parts : "auto" or tuple of str, default="auto"
        Any of "year", "month", "day" (of the month), "day_of_week", "hour", "minute" and "second". "auto" takes
        those that the training rows tell apart: "month", "day_of_week" unless each date is the first of a month, and
        "hour" if there are times of the day.
    encoding : {"periodic", "embedding"}, default="periodic"
        What each part but the year becomes: sines and cosines of its place in the cycle, in which what is finer counts
        too, so that 9:30 is between 9 and 10 hours; or a trained vector of each of its values.
    n_harmonics : int, default=3
        Sines and cosines of each part with ``encoding="periodic"``: of the place in the cycle, of twice that, and so
        on. More of them follow a narrower rush hour.
    dim : int, default=8
        Length of the vectors with ``encoding="embedding"``.
    elapsed : bool, default=False
        Whether the time since the first training row, scaled, is a feature. It tells a trend, and lets a network learn
        single weeks by heart; rows later than those of training count as the last of them.
    tz : str or datetime.tzinfo, default=None
        Time zone in which calendar and clock are read, such as "Europe/Berlin". By default that of the column, which is
        then the same in all training rows; rows to be predicted are brought to it.
    date_format : str, default=None
        How texts are written, as for :meth:`datetime.datetime.strptime`, such as ``"%d/%m/%Y"``. By default as ISO 8601
        says, ``2026-01-31`` or ``2026-01-31 17:30``: any other way means different dates in different countries.
    on_error : {"raise", "missing"}, default="raise"
        What becomes of a cell that is no date, or not written as it should be: an error, or a missing date.
    hidden : tuple of int, default=(32,)
        Units of the dense layers; empty for none.
    activation : str, default="relu"
        Activation of the dense layers, by its Keras name, or "prelu".
    dropout : float, default=0.0
        Rate of the dropout after each dense layer.
    batch_norm : bool, default=False
        Whether to normalise over the batch before each activation.
    shared : bool, default=False
        Whether each column goes through the same sub-network by itself (a Siamese network).
    merge : {"concatenate", "add", "subtract", "multiply", "dot", "average", "maximum"}, default="concatenate"
        How the feature vectors of shared columns become one.

    Attributes
    ----------
    parts_ : tuple of str
        The parts that are features.
    tz_ : list of datetime.tzinfo, str or None
        Time zone of each column; None for dates without one.
    origin_ : ndarray of datetime64[us] of shape (n_columns,)
        The earliest date of the training rows, in UTC if it has a time zone.
    input_shape_ : tuple of int
        ``(n_columns, n_numbers)``; with the number of columns in front if `shared`.
    input_dtype_ : str
        "float32".

    Raises
    ------
    ValueError
        By :meth:`fit` and :meth:`encode`, if dates without a time zone stand beside dates with one, or training rows
        have several and `tz` is None, or, with ``on_error="raise"``, a text is no date; naming column and row.
    TypeError
        By the same, if a cell is neither a date nor a text, such as a number; naming column and row.

    See Also
    --------
    CategoricalBranch : For what is no more than a name, such as a season.

    Notes
    -----
    Sines and cosines of a cycle and its multiples are a truncated Fourier series, the usual way to let a linear or
    additive model follow a season [1]_.

    References
    ----------
    .. [1] Harvey, A. C. and Shephard, N. (1993). "Structural time series models". Handbook of Statistics 11.

    Examples
    --------
    >>> import pandas as pd
    >>> from skstack.branches import DateBranch
    >>> orders = pd.DataFrame({"placed": pd.to_datetime(["2026-01-01 06:00", "2026-01-02 18:00"])})
    >>> branch = DateBranch().fit(orders)
    >>> branch.parts_
    ('month', 'day_of_week', 'hour')
    >>> branch.build("placed").output_shape
    (None, 32)
    """

    is_light = True

    _parameter_constraints = {  # noqa: RUF012 - scikit-learn's form
        **Branch._parameter_constraints,
        "parts": [StrOptions({"auto"}), tuple, list],
        "encoding": [StrOptions({"periodic", "embedding"})],
        "n_harmonics": [Interval(Integral, 1, None, closed="left")],
        "dim": [Interval(Integral, 1, None, closed="left")],
        "elapsed": ["boolean"],
        "tz": [str, datetime.tzinfo, None],
        "date_format": [str, None],
        "on_error": [StrOptions({"raise", "missing"})],
    }

    def __init__(
        self,
        parts="auto",
        encoding="periodic",
        *,
        n_harmonics=3,
        dim=8,
        elapsed=False,
        tz=None,
        date_format=None,
        on_error="raise",
        hidden=(32,),
        activation="relu",
        dropout=0.0,
        batch_norm=False,
        shared=False,
        merge="concatenate",
    ):
        self.parts = parts
        self.encoding = encoding
        self.n_harmonics = n_harmonics
        self.dim = dim
        self.elapsed = elapsed
        self.tz = tz
        self.date_format = date_format
        self.on_error = on_error
        self.hidden = hidden
        self.activation = activation
        self.dropout = dropout
        self.batch_norm = batch_norm
        self.shared = shared
        self.merge = merge

    def check_parameters(self):
        """Raise if a parameter has a value that no training could use."""
        super().check_parameters()
        for part in () if self.parts == "auto" else self.parts:
            if part not in _PARTS:
                hint = did_you_mean(str(part), _PARTS)
                raise ValueError(f"'parts' should name some of {', '.join(_PARTS)}, got {part!r}.{hint}")
        if self.parts != "auto" and not self.parts and not self.elapsed:
            raise ValueError("no 'parts' and elapsed=False leave nothing of a date.")
        _check_zone(self.tz)

    # --- rows -------------------------------------------------------------------------------------------------------

    def _fit(self, X, sample_weight=None):
        columns = self._read(X)
        self.tz_ = [self._zone(X, name, dates) for name, dates in columns]
        self._has_dates = [bool(dates.zones) for _, dates in columns]
        clocks = [dates.clock(zone) for (_, dates), zone in zip(columns, self.tz_, strict=True)]
        self.parts_ = _parts_of(np.concatenate(clocks)) if self.parts == "auto" else tuple(dict.fromkeys(self.parts))
        encoded, n_cycles = self._encoded(columns, clocks), len(self._cycle_names())
        self.cell_shape_, self.input_dtype_ = encoded.shape[1:], "float32"
        self._learn_cycles(encoded[:, :, :n_cycles])
        self._learn_scaling(encoded[:, :, n_cycles:], sample_weight)
        instants = np.stack([dates.instants for _, dates in columns], axis=1)
        self.origin_ = np.fmin.reduce(instants, axis=0)

    def _encode(self, X):
        columns = self._read(X)
        for index, (zone, has_dates) in enumerate(zip(self.tz_, self._has_dates, strict=True)):
            name, dates = columns[index]
            if has_dates:
                _check_zones(X, name, dates, zone)
            else:  # nothing was learned about it, not even where it begins
                columns[index] = name, Dates(np.full_like(dates.instants, "NaT"), {})
        clocks = [dates.clock(zone) for (_, dates), zone in zip(columns, self.tz_, strict=True)]
        return self._encoded(columns, clocks).astype("float32")

    def _read(self, X):
        if X.ndim != 2:
            raise ValueError(f"expected a table of dates with 2 dimensions, got an array of shape {X.shape}.")
        how = self.date_format, self.on_error
        return [(name, read_dates(X, name, column, *how)) for name, column in named_columns(X)]

    def _zone(self, X, name, dates):
        """Return the time zone of a column of training rows, None for one without."""
        zone = self.tz
        if zone is None:
            zone = next((zone for zone, _ in dates.zones.values()), None)
            if zone is not None and len(dates.zones) > 1 and "" not in dates.zones:
                (one, first), (other, second) = [(key, row) for key, (_, row) in dates.zones.items()][:2]
                raise ValueError(
                    f"column {name} holds dates of several time zones, {one} in {row_name(X, first)} and {other} in "
                    f"{row_name(X, second)}; set 'tz' to the one in which the hour and the day are meant."
                )
        _check_zones(X, name, dates, zone)
        return zone

    def _encoded(self, columns, clocks):
        """Return rows as an array of shape (n_rows, n_columns, n_numbers) and dtype float64.

        The numbers are the places in cycles, then the whole numbers of year and elapsed time, then their parts.
        """
        encoded = [
            np.stack([*self._cycles(clock, index), *self._timeline(dates.instants, clock)], axis=1)
            for index, ((_, dates), clock) in enumerate(zip(columns, clocks, strict=True))
        ]
        return np.stack(encoded, axis=1)

    def _cycles(self, clock, index):
        """Yield the places of a column's dates in each cycle: parts of a turn, or codes of the table of vectors."""
        missing = np.isnat(clock)
        offset = index * sum(CYCLES[part] + 1 for part in self._cycle_names())
        for part in self._cycle_names():
            step, passed, n_steps = cycle_places(np.where(missing, np.datetime64(0, "us"), clock), part)
            if self.encoding == "periodic":
                yield np.where(missing, np.nan, (step + passed) / n_steps)
            else:
                yield offset + np.where(missing, CYCLES[part], step)
                offset += CYCLES[part] + 1

    def _cycle_names(self):
        return [part for part in self.parts_ if part != "year"]

    def _timeline(self, instants, clock):
        """Return the whole numbers of year and elapsed time, then their parts."""
        numbers = [(years(clock), np.zeros(len(clock)))] if "year" in self.parts_ else []
        if self.elapsed:
            numbers.append(split_days(instants))
        return [whole for whole, _ in numbers] + [part for _, part in numbers]

    def _learn_cycles(self, places):
        """Find out which cycles, or which values of them, the training rows tell something about."""
        if self.encoding == "periodic":
            self._seen = np.fmax.reduce(places) > np.fmin.reduce(places)
        else:
            self._seen = np.zeros(places.shape[1] * sum(CYCLES[part] + 1 for part in self._cycle_names()), dtype=bool)
            self._seen[places.astype("int64")] = True

    def _learn_scaling(self, numbers, sample_weight):
        """Find the origin, the mean and the deviation of year and elapsed time."""
        whole, part = np.split(numbers, 2, axis=2)
        self._origin = np.nan_to_num(np.fmin.reduce(whole))
        since = whole - self._origin + part
        self._span = np.nan_to_num(np.fmax.reduce(since))
        since = since.reshape(len(numbers), -1)
        statistics = [_scaling(DenseColumn(values, sample_weight)) for values in since.T]
        self._statistics = np.array(statistics, dtype="float64").reshape(-1, 4).T

    # --- inspection -------------------------------------------------------------------------------------------------

    @property
    def attributed_layers(self):
        """The places in cycles, and the time since the training rows began, as far as the branch has them."""
        n_cycles = len(self._cycle_names())
        cycles = ("cycles",) if self.encoding == "periodic" else ("vectors",)
        return cycles * (n_cycles > 0) + ("standardize",) * (self.cell_shape_[1] > n_cycles)

    def sum_over_parts(self, attributions, encoded):
        """Return attributions to the dates."""
        n_columns, total = self.cell_shape_[0], 0.0
        for name, (given,) in zip(self.attributed_layers, attributions, strict=True):
            flags = 2 if name == "standardize" and n_columns > 1 else 1  # which stand behind all columns
            total = total + given.reshape(len(given), flags, n_columns, -1).sum(axis=(1, 3))
        return total

    def part_names(self, X, encoded):
        """Return the names of the columns."""
        return names_of_columns(X)

    def is_encoded_like(self, other):
        """Tell whether another fitted branch encodes every row as this one does."""
        return self._way_of_encoding() == other._way_of_encoding()

    def _way_of_encoding(self):
        return self.parts_, list(map(str, self.tz_)), self._has_dates

    def is_built_like(self, other):
        """Tell whether another fitted branch builds the same layers."""
        return (self.parts_, self.cell_shape_) == (other.parts_, other.cell_shape_)

    # --- sub-network ------------------------------------------------------------------------------------------------

    def features(self, inputs):
        """Return the features of symbolic `inputs` of shape (None, n_columns, n_numbers)."""
        from .._backend import keras

        n_cycles = len(self._cycle_names())
        features = []
        if n_cycles:
            features.append(self._cycle_features(inputs[:, :, :n_cycles]))
        if self.cell_shape_[1] > n_cycles:
            features.append(self._timeline_features(inputs[:, :, n_cycles:]))
        return keras.layers.Concatenate(name="parts")(features) if len(features) > 1 else features[0]

    def _cycle_features(self, places):
        from .._backend import keras
        from ._date_layers import Cycles

        if self.encoding == "periodic":
            return Cycles(self.n_harmonics, dtype="float32", name="cycles")(places)
        vectors = keras.layers.Embedding(len(self._seen), self.dim, name="vectors")(keras.ops.cast(places, "int32"))
        return keras.layers.Flatten(CHANNELS_LAST, name="flatten")(vectors)

    def _timeline_features(self, numbers):
        from ._date_layers import SinceOrigin
        from ._layers import Standardize

        since = SinceOrigin(dtype="float32", name="since_origin")(numbers)
        # A row without any date never comes here, so the flags of a single column would say nothing.
        return Standardize(flags=self.cell_shape_[0] > 1, dtype="float32", name="standardize")(since)

    def assign_statistics(self, model):
        """Write what the training rows have of each cycle, and their origin and scale, into the sub-network."""
        n_cycles = len(self._cycle_names())
        if n_cycles and self.encoding == "periodic":
            model.get_layer("cycles").seen.assign(self._seen.astype("float32"))
        elif n_cycles:
            table = model.get_layer("vectors").embeddings
            table.assign(np.asarray(table) * self._seen[:, np.newaxis])
        if self.cell_shape_[1] > n_cycles:
            since = model.get_layer("since_origin")
            since.origin.assign(self._origin)
            since.span.assign(self._span)
            model.get_layer("standardize").assign_statistics(*self._statistics)


def _parts_of(clock):
    """Return the parts that dates have which are not all alike."""
    clock = clock[~np.isnat(clock)]
    days, months = clock.astype("datetime64[D]"), clock.astype("datetime64[M]")
    has_times = np.any(clock != days)
    if has_times or np.any(days != months.astype("datetime64[D]")):
        return ("month", "day_of_week", "hour") if has_times else ("month", "day_of_week")
    return ("month",)


def _scaling(column):
    """Return what fills the gaps of a column, its centre and scale, and whether it has gaps."""
    known = column.known()
    center, scale = known.mean()[0], known.std()[0]
    return center, center, scale if scale > 0 else 1.0, column.has_gaps[0]


def _check_zones(X, name, dates, zone):
    """Raise if a date has no time zone where it should have one, or one where it should have none."""
    for key, (_, row) in dates.zones.items():
        where = f"column {name} holds a date {'without a' if not key else 'with the'} time zone{key and ' '}{key} in "
        if zone is None and key:
            raise ValueError(
                f"{where}{row_name(X, row)}, beside dates without one, which pandas' tz_localize gives one to."
            )
        if zone is not None and not key:
            raise ValueError(f"{where}{row_name(X, row)}, where one is expected; pandas' tz_localize gives it one.")


def _check_zone(zone):
    """Raise if a name is not that of a time zone."""
    if not isinstance(zone, str):
        return
    try:
        zoneinfo.ZoneInfo(zone)
    except (ValueError, OSError, KeyError):  # no such name, or one that leads out of the folder of time zones
        hint = did_you_mean(zone, sorted(zoneinfo.available_timezones()))
        raise ValueError(
            f"'tz' should be the name of a time zone such as 'Europe/Berlin', got {zone!r}.{hint}"
        ) from None
