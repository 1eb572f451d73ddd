"""Decoding and resampling audio."""

import io
import sys

import numpy as np
import pytest
from scipy.io import wavfile

from skstack.reading import _audio
from skstack.reading._audio import read_waveform, read_waveforms

RATE = 8000
TONE = 0.5 * np.sin(2 * np.pi * 440 * np.arange(RATE) / RATE)


@pytest.fixture(autouse=True)
def _fresh_cache():
    _audio.waveform_cache.clear()


def _wav(samples, rate=RATE):
    file = io.BytesIO()
    wavfile.write(file, rate, samples)
    return file.getvalue()


@pytest.mark.parametrize(
    ("samples", "tolerance"),
    [
        ((TONE * 2**15).astype("int16"), 1e-4),
        ((TONE * 2**31).astype("int32"), 1e-6),
        ((TONE * 2**7 + 2**7).astype("uint8"), 1e-2),
        (TONE.astype("float32"), 1e-6),
        (TONE, 1e-6),
    ],
    ids=lambda value: getattr(value, "dtype", ""),
)
def test_every_kind_of_samples_comes_to_the_same_scale(samples, tolerance):
    for cell in (_wav(samples), samples):
        waveform = read_waveform(cell, rate=RATE)
        assert waveform.dtype == "float32"
        np.testing.assert_allclose(waveform, TONE, atol=tolerance)


def test_channels_are_averaged():
    stereo = np.stack([TONE, np.zeros_like(TONE)], axis=1).astype("float32")
    np.testing.assert_allclose(read_waveform(_wav(stereo), rate=RATE), TONE / 2, atol=1e-6)
    np.testing.assert_allclose(read_waveform(stereo, rate=RATE), TONE / 2, atol=1e-6)


def test_files_bytes_and_lists_are_read(tmp_path):
    content = _wav(TONE.astype("float32"))
    (tmp_path / "a.wav").write_bytes(content)
    for cell in ("a.wav", tmp_path / "a.wav", content, bytearray(content), TONE.tolist()):
        np.testing.assert_allclose(read_waveform(cell, rate=RATE, root=tmp_path), TONE, atol=1e-6)


@pytest.mark.parametrize("rate", [4000, 11025, 16000])
def test_tones_keep_their_pitch_and_length_at_another_rate(rate):
    for waveform in (
        read_waveform(_wav(TONE.astype("float32")), rate=rate),
        read_waveform(TONE, rate=rate, source_rate=RATE),
    ):
        assert len(waveform) == rate  # one second
        assert waveform.dtype == "float32"
        assert np.abs(np.fft.rfft(waveform)).argmax() == 440
    assert len(read_waveform(TONE, rate=rate)) == RATE  # arrays are at `rate` unless told otherwise


def test_a_content_is_decoded_once_for_each_rate(tmp_path, monkeypatch):
    decoded, decode = [], _audio._decode
    monkeypatch.setattr(_audio, "_decode", lambda *args: decoded.append(args) or decode(*args))
    for name in ("a.wav", "b.wav"):
        (tmp_path / name).write_bytes(_wav(TONE.astype("float32")))
    for name in ("a.wav", "b.wav", "a.wav"):
        read_waveform(name, rate=RATE, root=tmp_path)
    assert len(decoded) == 1
    read_waveform("a.wav", rate=RATE // 2, root=tmp_path)
    (tmp_path / "a.wav").write_bytes(_wav(np.zeros(9, dtype="float32")))
    np.testing.assert_array_equal(read_waveform("a.wav", rate=RATE, root=tmp_path), np.zeros(9))
    assert len(decoded) == 3


def test_what_is_cached_cannot_be_written_to():
    with pytest.raises(ValueError, match="read-only"):
        read_waveform(_wav(TONE), rate=RATE)[0] = 1


WAV = _wav((TONE * 2**15).astype("int16"))


def _of_format(code):
    return WAV[:20] + code.to_bytes(2, "little") + WAV[22:]


BAD = {
    "no file": ("gone.wav", FileNotFoundError, r"row 1: there is no audio file '.*gone\.wav'"),
    "folder": (".", FileNotFoundError, "row 1: there is no audio file"),
    "cut off": (WAV[:3000], ValueError, "row 1: the audio bytes cannot be decoded: Reached EOF prematurely"),
    "cut off in the head": (WAV[:30], ValueError, "row 1: the audio bytes cannot be decoded"),
    "no samples": (WAV[:36], ValueError, "row 1: the audio bytes cannot be decoded"),
    "no format": (_of_format(0), ValueError, "row 1: the audio bytes cannot be decoded: Unknown wave file format"),
    "damaged format": (_of_format(0x8101), ValueError, "row 1: .* cannot be decoded: Unknown wave file format: 0x8101"),
    "format nobody reads": (_of_format(0x0161), ValueError, "row 1: .* Unknown wave file format: WMAUDIO2"),
    "rate of 0": (_wav(TONE, rate=0), ValueError, "row 1: .* cannot be decoded: 0 samples per second"),
    "rate of millions": (_wav(TONE, rate=2 * 10**6), ValueError, "decoded: 2000000 samples per second"),
    "number": (3.5, TypeError, "row 1: expected audio: a path, bytes or an array of samples, got 3.5"),
    "text": (np.array(["a"]), TypeError, "row 1: expected samples that are numbers"),
    "empty": (np.array([]), ValueError, r"row 1: expected samples of shape .*, got \(0,\)"),
    "channels first": (np.zeros((2, 9)), ValueError, r"row 1: expected samples of shape .*, got \(2, 9\)"),
    "NaN": (np.array([0, np.nan]), ValueError, "row 1: expected finite samples"),
}


@pytest.mark.parametrize(("cell", "error", "message"), BAD.values(), ids=list(BAD))
def test_bad_cells_are_named(cell, error, message, tmp_path):
    reading = {"rate": RATE, "root": tmp_path, "name_row": "row {}".format}
    with pytest.raises(error, match=message):
        read_waveforms([TONE, cell], **reading)
    if issubclass(error, TypeError):
        with pytest.raises(error, match=message):
            read_waveforms([TONE, cell], on_error="missing", **reading)
    else:
        present, absent, last = read_waveforms([TONE, cell, TONE], on_error="missing", **reading)
        assert absent is None
        np.testing.assert_array_equal(present, last)


@pytest.mark.parametrize("seed", range(3))
def test_damaged_heads_raise_nothing_else(seed):
    generator = np.random.default_rng(seed)
    for _ in range(100):
        content = bytearray(WAV)
        for place in generator.integers(12, 60, size=3):
            content[place] = generator.integers(256)
        try:
            read_waveform(bytes(content), rate=RATE)
        except (ValueError, ImportError):  # ImportError of a format that soundfile might know
            continue


OTHERS = [b"fLaC and so on", *map(_of_format, (0x0002, 0x0006, 0x0007, 0x0011, 0x0031, 0x0055))]


@pytest.mark.parametrize("content", OTHERS)
@pytest.mark.parametrize("on_error", ["raise", "missing"])
def test_other_formats_ask_for_soundfile(content, on_error, monkeypatch):
    monkeypatch.setitem(sys.modules, "soundfile", None)
    message = r"row 1: the audio bytes needs the soundfile package.*pip install 'skstack\[audio\]'"
    with pytest.raises(ImportError, match=message):
        read_waveforms([TONE, content], rate=RATE, on_error=on_error, name_row="row {}".format)


def test_what_is_no_audio_asks_for_nothing(monkeypatch):
    monkeypatch.setitem(sys.modules, "soundfile", None)
    with pytest.raises(ValueError, match="cannot be decoded: it is no WAV file"):
        read_waveform(b"something", rate=RATE)


def test_other_formats_are_read_by_soundfile():
    soundfile = pytest.importorskip("soundfile", reason="soundfile, of the extra 'audio', is not installed")
    file = io.BytesIO()
    soundfile.write(file, np.stack([TONE, TONE], axis=1), RATE, format="FLAC")
    np.testing.assert_allclose(read_waveform(file.getvalue(), rate=RATE), TONE, atol=1e-4)
    for content in (file.getvalue()[:40], b"something"):
        with pytest.raises(ValueError, match="the audio bytes cannot be decoded"):
            read_waveform(content, rate=RATE)
