"""Decoding and resampling audio, once for each content."""

import io
import re
import struct
import warnings
from hashlib import blake2b
from math import gcd
from operator import attrgetter

import numpy as np
from scipy.io import wavfile
from scipy.signal import resample_poly

from ..caching._lru import LRU
from ._files import path_of, read_file
from ._read_rows import read_rows

#: Shared by all branches of the process: folds, outer folds and search candidates meet the same audio again.
waveform_cache = LRU(2**28, size_of=attrgetter("nbytes"))

#: First bytes of files that soundfile reads.
_OTHER_FORMATS = (b"fLaC", b"OggS", b"ID3", b"\xff\xfb", b"\xff\xf3", b"\xff\xf2", b"FORM", b".snd", b"caff")

#: Formats inside of WAV files that soundfile reads and scipy does not, by scipy's names.
_OTHER_WAV_FORMATS = ("ADPCM", "ALAW", "MULAW", "DVI_ADPCM", "GSM610", "NMS_VBXADPCM", "G721_ADPCM", "MPEGLAYER3")

#: What scipy runs into in a damaged WAV file.
_WAV_ERRORS = (
    *(ArithmeticError, EOFError, LookupError, NameError, TypeError, ValueError),
    *(struct.error, wavfile.WavFileWarning),
)

#: Samples per second beyond which a file is damaged rather than audio; resampling it would take all memory.
_MAX_RATE = 10**6


def read_waveform(cell, *, rate, source_rate=None, root=None, allow_outside_root=False):
    """Return the audio of a cell as a waveform of one channel, the mean of those it has.

    Parameters
    ----------
    cell : str, path-like, bytes or array-like of shape (n_samples,) or (n_samples, channels)
        A file or its content: WAV, or what the soundfile package reads; or samples: floats as they are, integers, which
        are brought to the range -1 to 1.
    rate : int
        Samples per second of the result, Hz.
    source_rate : int, default=None
        Samples per second of an array, Hz; `rate` by default.
    root : str or path-like, default=None
        Folder that relative paths start from.
    allow_outside_root : bool, default=False
        Whether a path may lead out of that folder.

    Returns
    -------
    waveform : ndarray of shape (n_samples,), dtype float32
        Read-only if it came from a file.

    Raises
    ------
    FileNotFoundError
        If there is no file at the path.
    ValueError
        If the file or bytes are no audio that can be decoded, the array none that can be one, or the path may not be
        read.
    TypeError
        If the cell is of another type.
    ImportError
        If the format needs the soundfile package, and it is not installed.
    """
    if isinstance(cell, (np.ndarray, list, tuple)):
        waveform = _mono(np.asarray(cell))
        return waveform if source_rate in (None, rate) else _resampled(waveform, source_rate, rate)
    content, where = _content(cell, root, allow_outside_root)
    digest = blake2b(content, digest_size=16).digest()
    return waveform_cache.get((digest, rate), lambda: _read_only(_resampled(*_decode(content, where), rate)))


def read_waveforms(cells, *, on_error="raise", name_row, **reading):
    """Return the audio of a column as a list of waveforms.

    Parameters
    ----------
    cells : iterable
        As :func:`read_waveform` takes each one.
    on_error : {"raise", "missing"}, default="raise"
        Whether a file that is not there, may not be read or cannot be decoded is an error.
    name_row : callable
        Names a row, by its position, for an error message.
    **reading : dict
        As for :func:`read_waveform`.

    Returns
    -------
    waveforms : list of ndarray of shape (n_samples,) or None
        None for cells that cannot be read.

    Raises
    ------
    FileNotFoundError, ValueError, TypeError, ImportError
        As :func:`read_waveform`, naming the row.
    """
    cells = list(cells)

    def read(row):
        return read_waveform(cells[row], **reading)

    return list(read_rows(read, range(len(cells)), on_error=on_error, name_row=name_row))


def _content(cell, root, allow_outside_root):
    """Return the bytes of a file, or of bytes in a cell, and what to call them in an error."""
    if isinstance(cell, (bytes, bytearray)):
        return bytes(cell), "the audio bytes"
    path = path_of(cell, root, allow_outside_root)
    if path is None:
        raise TypeError(f"expected audio: a path, bytes or an array of samples, got {cell!r}.")
    return read_file(path, "audio"), f"audio file {path!r}"


def _decode(content, where):
    """Return the waveform and its samples per second."""
    if content[8:12] == b"WAVE":
        try:
            return _decode_wav(content)
        except _WAV_ERRORS as error:
            reason = str(error) or type(error).__name__
            # Any other format is none, but a damaged file.
            if _unknown_format(reason) not in _OTHER_WAV_FORMATS:
                raise ValueError(f"{where} cannot be decoded: {reason}.") from error
    elif not content.startswith(_OTHER_FORMATS) and _soundfile() is None:
        raise ValueError(f"{where} cannot be decoded: it is no WAV file.")
    return _decode_other(content, where)


def _unknown_format(reason):
    """Return the name of the format that scipy says it does not know, or None where it says something else."""
    found = re.match(r"Unknown wave file format: (\w+)", reason)
    return found and found[1]


def _decode_wav(content):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", wavfile.WavFileWarning)  # about parts that hold no audio
        warnings.filterwarnings("error", "Reached EOF", wavfile.WavFileWarning)
        rate, samples = wavfile.read(io.BytesIO(content))
    if not 0 < rate <= _MAX_RATE:
        raise ValueError(f"{rate} samples per second")
    return _mono(samples), rate


def _decode_other(content, where):
    soundfile = _soundfile()
    if soundfile is None:
        raise ImportError(f"{where} needs the soundfile package to be decoded: pip install 'skstack[audio]'.")
    try:
        samples, rate = soundfile.read(io.BytesIO(content), dtype="float32", always_2d=True)
    except (RuntimeError, ValueError, TypeError) as error:
        raise ValueError(f"{where} cannot be decoded: {error}") from error
    return _mono(samples), rate


def _soundfile():
    """Return the soundfile package, or None where it is not installed."""
    try:
        import soundfile
    except ImportError:
        return None
    return soundfile


def _mono(samples):
    if samples.dtype.kind not in "iuf":
        raise TypeError(f"expected samples that are numbers, got dtype {samples.dtype}.")
    if samples.ndim not in (1, 2) or not samples.size or (samples.ndim == 2 and samples.shape[1] > len(samples)):
        raise ValueError(f"expected samples of shape (n_samples,) or (n_samples, channels), got {samples.shape}.")
    if samples.dtype.kind in "iu":
        info = np.iinfo(samples.dtype)
        half = (float(info.max) - float(info.min) + 1) / 2
        samples = samples.astype("float32" if info.bits <= 16 else "float64") / half - (samples.dtype.kind == "u")
    waveform = (samples.mean(axis=1) if samples.ndim == 2 else samples).astype("float32")
    if not np.isfinite(waveform).all():
        raise ValueError("expected finite samples, got NaN or infinity.")
    return waveform


def _resampled(waveform, source_rate, rate):
    if source_rate == rate:
        return waveform
    common = gcd(source_rate, rate)
    return resample_poly(waveform, rate // common, source_rate // common).astype("float32")


def _read_only(waveform):
    waveform.flags.writeable = False  # several users share what is in the cache
    return waveform
