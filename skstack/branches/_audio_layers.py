"""Keras layers for audio: waveforms become spectra."""

from .._backend import keras
from .._layers import Layer

ops = keras.ops

#: Power, relative to that of a mean recording, that the logarithm does not look below.
_FLOOR = 1e-6


@keras.saving.register_keras_serializable("skstack")
class LogMel(Layer):
    """Turn waveforms into the logarithm of the power in bands of frequency, equally wide on the mel scale.

    Parameters
    ----------
    rate : int
        Samples per second, Hz.
    frame, hop : int
        Samples of a frame, and from the beginning of one to that of the next.
    n_mels : int
        Number of bands.
    """

    def __init__(self, rate, frame, hop, n_mels, **kwargs):
        super().__init__(**kwargs)
        self.settings = {"rate": rate, "frame": frame, "hop": hop, "n_mels": n_mels}
        # Decibels of Keras's own are relative to the loudest recording of a batch: a prediction would depend on other
        # rows.
        self.spectrogram = keras.layers.MelSpectrogram(
            fft_length=1 << (frame - 1).bit_length(),
            sequence_length=frame,
            sequence_stride=hop,
            num_mel_bins=n_mels,
            sampling_rate=rate,
            mag_exp=2.0,
            power_to_db=False,
            dtype="float32",
            name="spectrogram",
        )

    def build(self, input_shape):
        self.level = self.add_weight(shape=(), initializer="ones", trainable=False, name="level")

    @property
    def constants(self):
        """Variables that training does not change."""
        return [self.level]

    def call(self, inputs):
        power = self.spectrogram(inputs / self.level)
        return ops.transpose(ops.log(power + _FLOOR), (0, 2, 1))

    def compute_output_shape(self, input_shape):
        rows, n_bands, n_frames = self.spectrogram.compute_output_shape(input_shape)
        return rows, n_frames, n_bands

    def get_config(self):
        return {**super().get_config(), **self.settings}
