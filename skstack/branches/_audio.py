"""Branch for audio: a mel spectrogram and a convolutional network on it."""

from functools import partial
from numbers import Integral, Real
from os import PathLike

import numpy as np
import pandas as pd
from sklearn.utils._param_validation import Interval, StrOptions

from ..reading._audio import read_waveforms
from ..reading._cells import row_name, tensor_cells
from ._blocks import CHANNELS_LAST, check_units, convolution_blocks
from ._items import ItemsBranch

#: Recordings whose loudness and spectra are looked at for scaling, at most.
_MAX_SCALING = 1000

#: Recordings whose spectra are computed at a time.
_CHUNK_ROWS = 32

#: Durations of training recordings that differ are rounded up to a multiple of this, in seconds, for folds to share
#: compiled programs.
_ROUND = 0.25


class AudioBranch(ItemsBranch):
    """Branch for one column of audio: a mel spectrogram and a convolutional network on it.

    Recordings of several channels are brought to one, the mean. The spectrogram, its logarithm and the scaling of each
    band are a part of the Keras sub-network, which takes waveforms. A block of the network is a 3 x 3 convolution over
    time and frequency and a halving of both by max pooling. Files are decoded once per process, by their content.

    Parameters
    ----------
    duration : float, default=None
        Seconds that recordings are brought to: silence is put behind shorter ones, the end of longer ones is cut off.
        ``None`` takes the longest of the training rows, rounded up to a quarter of a second where they differ.
    rate : int, default=16000
        Samples per second that files, and arrays with another `source_rate`, are resampled to, Hz. What lies higher
        than half of that is lost.
    source_rate : int, default=None
        Samples per second of recordings that are arrays, Hz; ``None`` stands for `rate`. Files say it themselves.
    n_mels : int, default=64
        Bands of frequency.
    frame : float, default=0.032
        Seconds of a frame, over which a spectrum is taken.
    hop : float, default=0.016
        Seconds from the beginning of a frame to that of the next.
    root : str or path-like, default=None
        Folder that relative paths start from; the working directory by default. A path that leads out of it, by itself
        or by a symbolic link, is not read.
    allow_outside_root : bool, default=False
        Whether paths that lead out of `root` are read. A model that is served gets paths from strangers.
    on_error : {"raise", "missing"}, default="raise"
        Whether a recording that is not there, may not be read or cannot be decoded is an error, or treated as a missing
        cell.
    filters : tuple of int, default=(16, 32, 64)
        Filters of the convolution in each block.
    pooling : {"avg", "max", "flatten"}, default="avg"
        How the last feature maps become a vector: the average over time of each band of frequency, the maximum, or all
        their values.
    hidden : tuple of int, default=(32,)
        Units of the dense layers; empty for none.
    activation : str, default="relu"
        Activation of the convolutions and dense layers, by its Keras name, or "prelu".
    dropout : float, default=0.0
        Rate of the dropout in front of and after each dense layer.
    batch_norm : bool, default=False
        Whether to normalise over the batch before each activation.
    shared : bool, default=False
        Whether each of several columns goes through the same sub-network.
    merge : {"concatenate", "add", "subtract", "multiply", "dot", "average", "maximum"}, default="concatenate"
        How the feature vectors of shared columns become one.
    item_pooling : {"avg", "max", "attention"} or None, default=None
        How the feature vectors of several recordings in one cell become one: their average, their maximum, or a mean
        that attention weighs [1]_. A cell is then a list of any length, or a single recording; an empty list is
        missing. ``None`` takes one recording to a cell.
    max_items : int, default=16
        How many recordings are read of a cell, at most: the first ones, with a warning where there are more.

    Attributes
    ----------
    level_ : float
        Root mean square of the samples of the training rows, by which samples are divided.
    center_, scale_ : ndarray of shape (n_mels,)
        Mean and deviation of each band of the logarithmic spectrogram in the training rows; of 1,000 of them where
        there are more.
    cell_shape_ : tuple of int
        ``(n_samples,)``.
    n_items_ : int
        With `item_pooling`, how many recordings are read of a cell: the longest list of the training rows, rounded up
        to 1, 2, 3, 4, 6, 8, 12, 16, and so on, and `max_items` at most.
    input_shape_ : tuple of int
        Shape of one encoded row: ``cell_shape_``, with the number of columns in front if `shared`.
    input_dtype_ : str
        "float32".

    References
    ----------
    .. [1] Ilse, M., Tomczak, J. M. and Welling, M. (2018). "Attention-based Deep Multiple Instance Learning".
           ICML 2018.

    Examples
    --------
    >>> import numpy as np
    >>> from skstack.branches import AudioBranch
    >>> recordings = np.random.default_rng(0).normal(size=(4, 8000))
    >>> branch = AudioBranch(duration=0.25, rate=16000, n_mels=32, filters=(4, 8)).fit(recordings)
    >>> branch.encode(recordings).shape
    (4, 4000)
    """

    _parameter_constraints = {  # noqa: RUF012 - scikit-learn's form
        **ItemsBranch._parameter_constraints,
        "duration": [Interval(Real, 0, None, closed="neither"), None],
        "rate": [Interval(Integral, 1, None, closed="left")],
        "source_rate": [Interval(Integral, 1, None, closed="left"), None],
        "n_mels": [Interval(Integral, 1, None, closed="left")],
        "frame": [Interval(Real, 0, None, closed="neither")],
        "hop": [Interval(Real, 0, None, closed="neither")],
        "root": [str, PathLike, None],
        "allow_outside_root": ["boolean"],
        "on_error": [StrOptions({"raise", "missing"})],
        "filters": ["array-like", Integral],
        "pooling": [StrOptions({"avg", "max", "flatten"})],
    }

    item_name, item_ndim = "a recording", 2

    def __init__(
        self,
        duration=None,
        *,
        rate=16000,
        source_rate=None,
        n_mels=64,
        frame=0.032,
        hop=0.016,
        root=None,
        allow_outside_root=False,
        on_error="raise",
        filters=(16, 32, 64),
        pooling="avg",
        hidden=(32,),
        activation="relu",
        dropout=0.0,
        batch_norm=False,
        shared=False,
        merge="concatenate",
        item_pooling=None,
        max_items=16,
    ):
        self.duration = duration
        self.rate = rate
        self.source_rate = source_rate
        self.n_mels = n_mels
        self.frame = frame
        self.hop = hop
        self.root = root
        self.allow_outside_root = allow_outside_root
        self.on_error = on_error
        self.filters = filters
        self.pooling = pooling
        self.hidden = hidden
        self.activation = activation
        self.dropout = dropout
        self.batch_norm = batch_norm
        self.shared = shared
        self.merge = merge
        self.item_pooling = item_pooling
        self.max_items = max_items

    def check_parameters(self):
        """Raise if a parameter has a value that no training could use."""
        super().check_parameters()
        check_units(self.filters, "filters")
        for name, least in (("frame", 2), ("hop", 1)):
            if self._samples(getattr(self, name)) < least:
                raise ValueError(f"'{name}' should be at least {least} samples at a rate of {self.rate} Hz.")

    def _samples(self, seconds):
        return round(seconds * self.rate)

    # --- rows -------------------------------------------------------------------------------------------------------

    def _fit(self, X, sample_weight=None):
        """Learn the number of samples, their level, and the scaling of the bands of frequency."""
        waveforms = self._read(X)
        readable = [row for row, waveform in enumerate(waveforms) if waveform is not None]
        if not readable:
            raise ValueError("no audio of the training rows can be read.")
        self.cell_shape_ = (self._length([waveforms[row] for row in readable]),)
        self.input_dtype_ = "float32"
        chosen = np.unique(np.linspace(0, len(readable) - 1, _MAX_SCALING).astype(int))
        rows = np.array(readable)[chosen]
        self._learn_scaling(
            self._filled([waveforms[row] for row in rows]), None if sample_weight is None else sample_weight[rows]
        )

    def _encode(self, X):
        return self._encode_or_missing(X)[0]

    def _encode_or_missing(self, X):
        """Return waveforms of one length, and which of them cannot be read."""
        waveforms = self._read(X)
        return self._filled(waveforms), np.array([waveform is None for waveform in waveforms], dtype=bool)

    def _read(self, X):
        return read_waveforms(
            _cells(X),
            rate=self.rate,
            source_rate=self.source_rate,
            root=self.root,
            allow_outside_root=self.allow_outside_root,
            on_error=self.on_error,
            name_row=partial(row_name, X),
        )

    def _length(self, waveforms):
        """Return the number of samples that clips are brought to."""
        lengths = {len(waveform) for waveform in waveforms}
        length = max(lengths) if self.duration is None else self._samples(self.duration)
        if self.duration is None and len(lengths) > 1:
            step = max(1, self._samples(_ROUND))
            length = -(-length // step) * step
        return max(length, self._samples(self.frame))  # there is no spectrum of less than a frame

    def _filled(self, waveforms):
        filled = np.zeros((len(waveforms), *self.cell_shape_), dtype="float32")
        for row, waveform in zip(filled, waveforms, strict=True):
            if waveform is not None:
                row[: len(waveform)] = waveform[: len(row)]
        return filled

    def _learn_scaling(self, waveforms, sample_weight):
        from .._backend import keras

        def mean(of_rows):
            return np.average(of_rows, axis=0, weights=sample_weight)

        level = np.sqrt(mean(np.square(waveforms).mean(axis=1, dtype="float64")))
        self.level_ = float(level) if level > 0 else 1.0
        layer = self._log_mel()
        layer.build(waveforms.shape)
        layer.level.assign(self.level_)
        parts = np.array_split(waveforms, -(-len(waveforms) // _CHUNK_ROWS))
        spectra = [keras.ops.convert_to_numpy(layer(part)) for part in parts]
        self.center_ = mean(np.concatenate([part.mean(axis=1, dtype="float64") for part in spectra]))
        squares = [np.square(part - self.center_).mean(axis=1, dtype="float64") for part in spectra]
        deviation = np.sqrt(mean(np.concatenate(squares)))
        # A band without any energy has no scale of its own.
        self.scale_ = np.where(deviation > 1e-3, deviation, 1.0)

    def is_encoded_like(self, other):
        """Tell whether another fitted branch encodes every row as this one does."""
        return self.input_shape_ == other.input_shape_

    def is_built_like(self, other):
        """Tell whether another fitted branch builds the same layers."""
        return self.is_encoded_like(other)

    # --- inspection -------------------------------------------------------------------------------------------------

    attributed_layers = ("standardize",)

    # --- sub-network ------------------------------------------------------------------------------------------------

    def features(self, inputs):
        """Return the pooled feature maps of symbolic waveforms of shape (None, n_samples)."""
        from .._backend import keras
        from ._layers import Dropout, Standardize

        layers = keras.layers
        x = self._log_mel()(inputs)
        x = Standardize(flags=False, name="standardize")(x)
        x = layers.Reshape((*x.shape[1:], 1), name="one_channel")(x)
        x = convolution_blocks(x, self.filters, self.activation, self.batch_norm, padding="same")
        # Pooled over frequency too, a high and a low tone would look alike.
        x = layers.Reshape((x.shape[1], x.shape[2] * x.shape[3]), name="bands")(x)
        pool = {"avg": layers.GlobalAveragePooling1D, "max": layers.GlobalMaxPooling1D, "flatten": layers.Flatten}
        x = pool[self.pooling](data_format=CHANNELS_LAST, name="pool")(x)
        return Dropout(self.dropout, name="pool_dropout")(x) if self.dropout else x

    def _log_mel(self):
        from ._audio_layers import LogMel

        frame, hop = self._samples(self.frame), self._samples(self.hop)
        return LogMel(self.rate, frame, hop, self.n_mels, dtype="float32", name="log_mel")

    def assign_statistics(self, model):
        """Write the level and the scaling of the bands into the sub-network."""
        model.get_layer("log_mel").level.assign(self.level_)
        layer = model.get_layer("standardize")
        layer.center.assign(self.center_)
        layer.scale.assign(self.scale_)


def _cells(X):
    """Return recordings one by one."""
    tensors = tensor_cells(X)
    if tensors is not None:
        return tensors
    if isinstance(X, np.ndarray) and X.dtype.kind in "iuf":
        return X  # a waveform in each row
    if X.ndim != 2 or X.shape[1] != 1:
        raise ValueError(
            f"expected one column of audio, got {X.shape[1]} columns; give each a branch of its own, or shared=True."
        )
    return X.iloc[:, 0] if isinstance(X, pd.DataFrame) else X[:, 0]
