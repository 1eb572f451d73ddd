"""Branch for sequences of steps in time."""

from numbers import Integral

import numpy as np
import pandas as pd
from sklearn.utils._param_validation import Interval, StrOptions

from .._precision import needed_dtype
from ..reading._cells import named_columns, numbers, row_name, tensor_cells
from ..reading._tensors import tensors_of
from ._base import Branch
from ._blocks import BATCH_NORM_MOMENTUM, CHANNELS_LAST, activation_layer, check_units, dense_layers
from ._inspectable import flags_with_numbers

#: Up to this many steps a recurrent layer is laid out step by step: a third of the time of a loop, while the graph of
#: many steps would take long to compile (GRU of 32 units over 6 steps: 36 ms per 2,000 rows rather than 89 ms; of 64
#: units over 32 steps: 18 s to compile rather than 3 s).
_MAX_UNROLLED = 8

#: Lengths of training rows that differ are rounded up to a multiple of this, for folds to share compiled programs.
_ROUND = 8


class SequenceBranch(Branch):
    """Branch for sequences of equal or different length: time series, windows of one, signals of several sensors.

    A cell is an array of shape (time,) or (time, channels): an array or list in a column of objects or of Arrow lists,
    a tensor of a tensor column, or a row of an array of shape (n_samples, time[, channels]). Arrays in several columns
    are channels of one sequence, side by side. Several columns of numbers are a window: each column one step of time.

    Sequences are padded behind their end, and the padding is masked: features do not depend on it. NaN in every channel
    at the end of a sequence counts as padding. NaN within a sequence is a gap: it is filled with the mean of the
    channel, and a flag beside each channel says where; the flag stays 0 for a channel without gaps in training. Filling
    and scaling happen inside the Keras sub-network.

    Parameters
    ----------
    encoder : {"gru", "lstm", "rnn", "cnn", "dense"}, default="gru"
        Recurrent layers (GRU, LSTM or a simple one), convolutions over time, or dense layers on the flattened sequence.
    units : int or tuple of int, default=32
        Units, or filters, of each layer of the encoder.
    kernel_size : int, default=3
        Steps that a convolution of the "cnn" sees.
    halve : bool, default=False
        Whether each convolution of the "cnn" but the last is followed by the maximum of every two steps, with which
        the next one sees twice as far.
    bidirectional : bool, default=False
        Whether recurrent layers go through the sequence forwards and backwards.
    pooling : {"auto", "last", "avg", "max", "flatten"}, default="auto"
        How the features of the steps become a vector: those of the last step (for recurrent layers, the final state),
        their average, their maximum, or all of them, which suits windows. "auto" is "last" for recurrent layers and
        "avg" for the "cnn". The "dense" encoder has no use for it.
    max_length : int, default=None
        Steps of a sequence that count. Of a longer one the last steps are kept, its beginning is cut off. ``None``
        takes the longest of the training rows, rounded up to a multiple of 8 where lengths differ.
    scale : {"standard"} or None, default="standard"
        Scale each channel to zero mean and unit variance over all steps of the training rows, or not at all.
    hidden : tuple of int, default=()
        Units of the dense layers behind the encoder; empty for none.
    activation : str, default="relu"
        Activation of the dense layers and convolutions, by its Keras name, or "prelu". Recurrent layers have the ones
        that belong to them.
    dropout : float, default=0.0
        Rate of the dropout behind the encoder and after each dense layer.
    batch_norm : bool, default=False
        Whether to normalise over the batch before each activation.
    shared : bool, default=False
        Whether each column is a sequence of its own that goes through the same sub-network.
    merge : {"concatenate", "add", "subtract", "multiply", "dot", "average", "maximum"}, default="concatenate"
        How the feature vectors of shared columns become one.

    Attributes
    ----------
    center_, scale_, fill_ : ndarray of shape (n_channels,)
        What is subtracted from each channel, what it is divided by and what fills its gaps, in the channel's units.
    seen_missing_ : ndarray of shape (n_channels,)
        1.0 where the channel had a gap in the training rows, else 0.0. For the "dense" encoder, padding is a gap.
    cell_shape_ : tuple of int
        ``(max_length, n_channels)``.
    input_shape_ : tuple of int
        Shape of one encoded row: ``cell_shape_``, with the number of columns in front if `shared`.
    input_dtype_ : str
        "float32", or "float64" where float32 could not tell the values of a channel apart.

    See Also
    --------
    skstack.preprocessing.make_windows : Cuts a time series into windows.
    skstack.preprocessing.tensor_column : Wraps arrays of equal length as a column.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from skstack.branches import SequenceBranch
    >>> signals = [np.array([1.0, 2.0, 3.0]), np.array([4.0, 5.0])]
    >>> branch = SequenceBranch("cnn", max_length=4).fit(pd.DataFrame({"signal": signals}))
    >>> branch.encode(pd.DataFrame({"signal": signals}))[:, :, 0]
    array([[ 1.,  2.,  3., nan],
           [ 4.,  5., nan, nan]], dtype=float32)
    """

    _parameter_constraints = {  # noqa: RUF012 - scikit-learn's form
        **Branch._parameter_constraints,
        "encoder": [StrOptions({"gru", "lstm", "rnn", "cnn", "dense"})],
        "units": ["array-like", Integral],
        "kernel_size": [Interval(Integral, 1, None, closed="left")],
        "halve": ["boolean"],
        "bidirectional": ["boolean"],
        "pooling": [StrOptions({"auto", "last", "avg", "max", "flatten"})],
        "max_length": [Interval(Integral, 1, None, closed="left"), None],
        "scale": [StrOptions({"standard"}), None],
    }

    def __init__(
        self,
        encoder="gru",
        units=32,
        *,
        kernel_size=3,
        halve=False,
        bidirectional=False,
        pooling="auto",
        max_length=None,
        scale="standard",
        hidden=(),
        activation="relu",
        dropout=0.0,
        batch_norm=False,
        shared=False,
        merge="concatenate",
    ):
        self.encoder = encoder
        self.units = units
        self.kernel_size = kernel_size
        self.halve = halve
        self.bidirectional = bidirectional
        self.pooling = pooling
        self.max_length = max_length
        self.scale = scale
        self.hidden = hidden
        self.activation = activation
        self.dropout = dropout
        self.batch_norm = batch_norm
        self.shared = shared
        self.merge = merge

    def check_parameters(self):
        """Raise if a parameter has a value that no training could use."""
        super().check_parameters()
        if not check_units(self.units, "units"):
            raise ValueError("'units' should name at least one layer, got ().")

    # --- rows -------------------------------------------------------------------------------------------------------

    def _fit(self, X, sample_weight=None):
        """Learn the number of steps and channels, and the statistics of each channel."""
        steps = _uniform(X)
        self._channels = _channels(X) if steps is None else [steps.shape[2]]
        steps = self._steps(X, self.max_length)
        self._learn_scaling(steps, sample_weight)
        self.cell_shape_ = (self.max_length or steps.shape[1], steps.shape[2])
        self.input_dtype_ = needed_dtype(self.center_, self.scale_)

    def _encode(self, X):
        """Return rows with NaN in gaps and behind the end of each sequence."""
        length = self.cell_shape_[0]
        steps = self._steps(X, length)
        if steps.shape[2] != self.cell_shape_[1]:
            raise ValueError(f"expected {self.cell_shape_[1]} channels as in training, got {steps.shape[2]}.")
        steps = steps[:, :length]  # of rows padded further
        encoded = np.full((len(steps), *self.cell_shape_), np.nan, dtype=self.input_dtype_)
        with np.errstate(over="ignore"):
            encoded[:, : steps.shape[1]] = steps
        _check_finite(encoded, X, f" for {self.input_dtype_}")
        return encoded

    def _steps(self, X, limit):
        """Return all sequences as one array of shape (n_samples, time, channels), padded with NaN.

        Parameters
        ----------
        X : DataFrame or ndarray
        limit : int or None
            Of longer sequences, so many of the last steps are kept.
        """
        steps = _uniform(X)
        if steps is not None:
            _check_finite(steps, X)
            return _last_steps(steps, limit)
        return _padded([_trimmed(row)[-(limit or 0) :] for row in _rows(X, self._channels)])

    def _learn_scaling(self, steps, sample_weight):
        gaps = np.isnan(steps)
        weight = ~gaps if sample_weight is None else ~gaps * sample_weight[:, np.newaxis, np.newaxis]
        totals = weight.sum(axis=(0, 1), dtype="float64")
        totals = np.where(totals > 0, totals, 1.0)  # of a channel without any number
        self.fill_ = np.nansum(steps * weight, axis=(0, 1), dtype="float64") / totals
        deviation = np.sqrt(np.nansum((steps - self.fill_) ** 2 * weight, axis=(0, 1)) / totals)
        # A constant channel has no scale of its own: dividing by rounding noise would blow up any other value.
        constant = deviation <= 1e-13 * np.maximum(np.abs(self.fill_), 1e-300)
        standard = self.scale == "standard"
        self.center_ = self.fill_.copy() if standard else np.zeros_like(self.fill_)
        self.scale_ = np.where(constant, 1.0, deviation) if standard else np.ones_like(self.fill_)
        if self.encoder != "dense":
            gaps &= (np.arange(steps.shape[1]) < _lengths(gaps)[:, np.newaxis])[..., np.newaxis]
        self.seen_missing_ = gaps.any(axis=(0, 1)).astype("float64")

    def is_encoded_like(self, other):
        """Tell whether another fitted branch encodes every row as this one does."""
        return (self.input_dtype_, self.input_shape_) == (other.input_dtype_, other.input_shape_)

    def is_built_like(self, other):
        """Tell whether another fitted branch builds the same layers."""
        return self.is_encoded_like(other)

    # --- sub-network ------------------------------------------------------------------------------------------------

    def features(self, inputs):
        """Return the features of symbolic `inputs` of shape (None, max_length, n_channels), padded with NaN."""
        from ._layers import Dropout, Standardize
        from ._sequence_layers import StepMask

        x = Standardize(dtype=self.input_dtype_, name="standardize")(inputs)
        if self.encoder == "dense":
            x = self._flat(x)
        else:
            mask = StepMask(name="mask")(inputs)
            x = self._convolutions(x, mask) if self.encoder == "cnn" else self._recurrent(x, mask)
        return Dropout(self.dropout, name="encoder_dropout")(x) if self.dropout else x

    def assign_statistics(self, model):
        """Write the statistics of the channels into the sub-network."""
        model.get_layer("standardize").assign_statistics(self.fill_, self.center_, self.scale_, self.seen_missing_)

    attributed_layers = ("standardize",)

    def sum_over_parts(self, attributions, encoded):
        """Return attributions to the numbers of each step, the flag of a gap counting as its number."""
        return flags_with_numbers(attributions[0][0], self.cell_shape_[1])

    def _flat(self, x):
        from .._backend import keras

        x = keras.layers.Flatten(CHANNELS_LAST, name="flatten")(x)
        return dense_layers(x, self.units, self.activation, 0.0, self.batch_norm, prefix="flat")

    def _convolutions(self, x, mask):
        from .._backend import keras
        from ._sequence_layers import Blank, HalveSteps

        x = Blank(name="blank")(x, mask)
        units = check_units(self.units, "units")
        for index, filters in enumerate(units, 1):
            x = keras.layers.Conv1D(
                filters, self.kernel_size, padding="same", data_format=CHANNELS_LAST, name=f"conv_{index}"
            )(x)
            if self.batch_norm:
                norm = keras.layers.BatchNormalization(momentum=BATCH_NORM_MOMENTUM, name=f"conv_{index}_norm")
                x = norm(x, mask=mask)
            x = activation_layer(self.activation, f"conv_{index}_{self.activation}")(x)
            if self.halve and index < len(units):
                x, mask = HalveSteps(name=f"halve_{index}")(x, mask)
            else:
                x = Blank(name=f"conv_{index}_blank")(x, mask)
        return self._pooled(x, mask, "avg" if self.pooling == "auto" else self.pooling)

    def _recurrent(self, x, mask):
        from .._backend import keras
        from ._sequence_layers import Blank

        kind = {"gru": keras.layers.GRU, "lstm": keras.layers.LSTM, "rnn": keras.layers.SimpleRNN}[self.encoder]
        unroll = x.shape[1] <= _MAX_UNROLLED
        ends = self.pooling in ("auto", "last")
        units = check_units(self.units, "units")
        for index, n_units in enumerate(units, 1):
            steps = index < len(units) or not ends
            name = f"{self.encoder}_{index}"
            layer = kind(n_units, return_sequences=steps, unroll=unroll, name=name)
            if self.bidirectional:
                layer = keras.layers.Bidirectional(layer, name=f"both_ways_{index}")
            x = layer(x, mask=mask)
        if ends:
            return x
        return self._pooled(Blank(name="blank")(x, mask), mask, self.pooling)

    def _pooled(self, x, mask, pooling):
        from .._backend import keras
        from ._sequence_layers import PoolSteps

        if pooling == "flatten":
            return keras.layers.Flatten(CHANNELS_LAST, name="flatten")(x)
        return PoolSteps(pooling, name="pool")(x, mask)


# --- reading cells ----------------------------------------------------------------------------------------------------


def _uniform(X):
    """Return rows that are one array already with an axis of channels, or None for cells that have to be read."""
    tensors = tensor_cells(X)
    if tensors is None:
        return numbers(X)[..., np.newaxis] if _is_window(X) else None
    if tensors.dtype.kind not in "biuf":
        raise TypeError(f"expected sequences of numbers, got dtype {tensors.dtype}.")
    if tensors.ndim not in (2, 3):
        raise ValueError(
            f"expected sequences of shape (time,) or (time, channels), got cells of shape {tensors.shape[1:]}."
        )
    tensors = tensors if tensors.ndim == 3 else tensors[..., np.newaxis]
    return tensors if tensors.dtype.kind == "f" else tensors.astype("float64")


def _is_window(X):
    """Tell whether cells are numbers, each a step of time, rather than sequences."""
    if X.ndim != 2:
        raise ValueError(f"expected sequences, got an array of shape {X.shape}.")
    dtypes = set(X.dtypes) if isinstance(X, pd.DataFrame) else {X.dtype}
    if all(getattr(dtype, "kind", "O") in "biuf" for dtype in dtypes):
        return True
    present = (cell for _, cells in _columns(X) for cell in cells if not _is_missing(cell))
    return not isinstance(next(present, None), (np.ndarray, list, tuple))


def _columns(X):
    """Yield the name and the cells of each column."""
    for name, column in named_columns(X):
        tensors = None
        if isinstance(column, pd.Series):
            present = column.notna().to_numpy()
            tensors = tensors_of(column[present])
        if tensors is None:
            yield name, list(column)
        else:  # a tensor column cannot be read around its gaps
            cells = [None] * len(column)
            for position, tensor in zip(np.flatnonzero(present), tensors, strict=True):
                cells[position] = tensor
            yield name, cells


def _channels(X):
    """Return the number of channels of each column of sequences."""
    channels = []
    for name, cells in _columns(X):
        position = next((position for position, cell in enumerate(cells) if not _is_missing(cell)), None)
        if position is None:
            raise ValueError(f"every cell of column {name} is missing in the training rows.")
        channels.append(_cell_steps(cells[position], name, row_name(X, position)).shape[1])
    return channels


def _rows(X, channels):
    """Yield each row as an array of shape (time, channels), with the channels of all columns side by side."""
    columns = list(_columns(X))
    if len(columns) != len(channels):
        raise ValueError(f"expected {len(channels)} columns of sequences as in training, got {len(columns)}.")
    for position in range(len(X)):
        parts = []
        for (name, cells), n_channels in zip(columns, channels, strict=True):
            part = np.empty((0, n_channels))
            if not _is_missing(cells[position]):
                part = _cell_steps(cells[position], name, row_name(X, position))
            if part.shape[1] != n_channels:
                where = row_name(X, position)
                raise ValueError(f"column {name} holds {part.shape[1]} channels in {where}, in training {n_channels}.")
            parts.append(part)
        yield _side_by_side(parts)


def _side_by_side(parts):
    if len(parts) == 1:
        return parts[0]
    length = max(map(len, parts))
    behind = [((0, length - len(part)), (0, 0)) for part in parts]
    return np.hstack([np.pad(part, pad, constant_values=np.nan) for part, pad in zip(parts, behind, strict=True)])


def _is_missing(cell):
    if isinstance(cell, (np.ndarray, list, tuple)):
        return len(cell) == 0
    return not cell.strip() if isinstance(cell, str) else bool(pd.isna(cell))


def _cell_steps(cell, name, where):
    """Return a cell as an array of shape (time, channels)."""
    if isinstance(cell, np.ndarray) and cell.dtype == object:
        cell = cell.tolist()  # arrays in an array, as from nested Arrow lists
    if not isinstance(cell, (np.ndarray, list, tuple)):
        raise TypeError(f"column {name} holds {cell!r} in {where}, where a sequence was expected.")
    try:
        steps = np.asarray(cell, dtype="float64")
    except (ValueError, TypeError) as error:
        raise type(error)(f"column {name} holds no sequence of numbers in {where}: {error}.") from error
    if steps.ndim not in (1, 2):
        raise ValueError(
            f"column {name}: expected sequences of shape (time,) or (time, channels), got {steps.shape} in {where}."
        )
    if np.isinf(steps).any():
        raise ValueError(f"Input X contains infinity: column {name} in {where}.")
    return steps if steps.ndim == 2 else steps[:, np.newaxis]


# --- lengths ----------------------------------------------------------------------------------------------------------


def _lengths(gaps):
    """Return the number of steps up to the last one that has a number, from where numbers are missing."""
    present = ~gaps.all(axis=2)
    return np.where(present.any(axis=1), present.shape[1] - present[:, ::-1].argmax(axis=1), 0)


def _trimmed(steps):
    return steps[: _lengths(np.isnan(steps)[np.newaxis])[0]]


def _last_steps(steps, limit):
    """Return sequences with no more than `limit` steps, the last ones that have numbers."""
    if limit is None or steps.shape[1] <= limit:
        return steps
    excess = np.maximum(_lengths(np.isnan(steps)) - limit, 0)
    return np.take_along_axis(steps, (excess[:, np.newaxis] + np.arange(limit))[..., np.newaxis], axis=1)


def _padded(rows):
    lengths = [len(row) for row in rows]
    width = max(*lengths, 1)
    if min(lengths) < width:
        width = -(-width // _ROUND) * _ROUND
    padded = np.full((len(rows), width, rows[0].shape[1]), np.nan)
    for position, row in enumerate(rows):
        padded[position, : len(row)] = row
    return padded


def _check_finite(steps, X, reason=""):
    infinite = np.isinf(steps).any(axis=(1, 2))
    if infinite.any():
        raise ValueError(f"Input X contains infinity or a value too large{reason} in {row_name(X, infinite.argmax())}.")
