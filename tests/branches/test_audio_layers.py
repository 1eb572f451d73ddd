"""The layer that turns waveforms into spectra."""

import numpy as np

from skstack._backend import keras
from skstack.branches._audio_layers import LogMel

RATE = 4000
SECONDS = np.arange(RATE // 4) / RATE
RECORDINGS = np.random.default_rng(0).normal(size=(2, RATE // 4)).astype("float32")


def _log_mel(recordings, **kwargs):
    settings = {"rate": RATE, "frame": 128, "hop": 64, "n_mels": 16, **kwargs}
    return keras.ops.convert_to_numpy(LogMel(**settings)(recordings))


def test_tones_stand_in_the_band_of_their_frequency():
    bands = _log_mel(np.sin(2 * np.pi * np.array([[150], [400], [900], [1700]]) * SECONDS).astype("float32"))
    assert bands.shape == (4, RATE // 4 // 64 + 1, 16)
    loudest = bands[:, 3:-3].argmax(axis=2)
    assert (loudest == loudest[:, :1]).all()
    assert (np.diff(loudest[:, 0]) > 0).all()


def test_a_spectrogram_does_not_depend_on_other_rows():
    recordings = np.stack([RECORDINGS[0], 1000 * RECORDINGS[1]])
    np.testing.assert_allclose(_log_mel(recordings)[0], _log_mel(recordings[:1])[0], atol=1e-4)


def test_ten_times_the_amplitude_is_a_hundred_times_the_power():
    difference = _log_mel(10 * RECORDINGS[:1]) - _log_mel(RECORDINGS[:1])
    np.testing.assert_allclose(difference, np.log(100), atol=1e-3)


def test_silence_lies_at_the_floor():
    np.testing.assert_allclose(_log_mel(np.zeros((1, 500), dtype="float32")), np.log(1e-6), rtol=1e-5)


def test_power_counts_in_units_of_the_level():
    layer = LogMel(RATE, 128, 64, 16)
    layer.build(RECORDINGS.shape)
    layer.level.assign(10.0)
    quiet = keras.ops.convert_to_numpy(layer(RECORDINGS))
    np.testing.assert_allclose(_log_mel(RECORDINGS) - quiet, np.log(100), atol=1e-3)
    assert layer.constants == [layer.level]
    assert not layer.trainable_variables


def test_the_shape_is_announced():
    layer = LogMel(RATE, 128, 64, 16)
    assert layer.compute_output_shape((None, RATE // 4)) == (None, *_log_mel(RECORDINGS).shape[1:])
    assert layer(keras.Input((RATE // 4,))).shape == (None, RATE // 4 // 64 + 1, 16)
