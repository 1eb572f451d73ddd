"""Branches of audio."""

import numpy as np
import pandas as pd
import pytest
from scipy.io import wavfile

from skstack import MultimodalNetworkClassifier, MultimodalStackingClassifier
from skstack._backend import keras
from skstack.branches import AudioBranch
from skstack.preprocessing import tensor_column
from skstack.reading import _audio

RATE = 4000
SECONDS = np.arange(RATE // 4) / RATE


def _branch(**kwargs):
    return AudioBranch(**{"rate": RATE, "n_mels": 16, "filters": (2,), "hidden": (), **kwargs})


def _tones(n_samples=24, seed=0):
    """Return recordings of noise with a low or high tone, and which it is."""
    generator = np.random.default_rng(seed)
    high = np.arange(n_samples) % 2
    tones = np.sin(2 * np.pi * np.where(high, 1200, 300)[:, np.newaxis] * SECONDS)
    return (tones + 0.3 * generator.normal(size=tones.shape)).astype("float32"), high


def _frame(*cells, **kwargs):
    return pd.DataFrame({"call": pd.Series(list(cells), dtype=object, **kwargs)})


RECORDINGS, HIGH = _tones()


@pytest.mark.parametrize(
    "wrap",
    [
        np.asarray,
        lambda recordings: recordings[..., np.newaxis],
        lambda recordings: _frame(*recordings),
        lambda recordings: _frame(*recordings.tolist()),
        lambda recordings: pd.DataFrame({"call": tensor_column(recordings)}),
        lambda recordings: _frame(*recordings).to_numpy(),
    ],
    ids=["array", "array with channels", "arrays", "lists", "tensor column", "object array"],
)
def test_recordings_are_read_from_every_container(wrap):
    branch = _branch().fit(wrap(RECORDINGS))
    assert branch.input_shape_ == (RATE // 4,)
    np.testing.assert_array_equal(branch.encode(wrap(RECORDINGS)), RECORDINGS)


def test_files_are_resampled_and_brought_to_one_length(tmp_path):
    for number, rate in enumerate((RATE, 2 * RATE)):
        wavfile.write(tmp_path / f"{number}.wav", rate, RECORDINGS[number])
    X = pd.DataFrame({"call": ["0.wav", "1.wav"]})
    encoded = _branch(duration=0.2, root=tmp_path).fit(X).encode(X)
    assert encoded.shape == (2, 800)
    np.testing.assert_array_equal(encoded[0], RECORDINGS[0, :800])  # the end is cut off
    assert not encoded[1, 500:].any()  # half as long, with silence behind
    assert encoded[1, :500].any()


@pytest.mark.parametrize(
    ("lengths", "duration", "samples"),
    [((900, 900), None, 900), ((900, 1100), None, 2000), ((900, 1100), 0.5, 2000), ((20, 20), None, 128)],
)
def test_length_of_recordings(lengths, duration, samples):
    X = _frame(*[np.ones(length) for length in lengths])
    branch = _branch(duration=duration).fit(X)
    assert branch.cell_shape_ == (samples,)
    assert branch.encode(X).shape == (2, samples)


def test_arrays_may_have_a_rate_of_their_own():
    branch = _branch(source_rate=2 * RATE).fit(RECORDINGS)
    assert branch.cell_shape_ == (RATE // 8,)


def test_errors_name_the_row_and_missing_recordings_are_told(tmp_path):
    wavfile.write(tmp_path / "good.wav", RATE, RECORDINGS[0])
    (tmp_path / "bad.wav").write_bytes(b"RIFF1234WAVE and nothing else")
    X = pd.DataFrame({"call": ["good.wav", "bad.wav", "gone.wav"]}, index=list("abc"))
    with pytest.raises(ValueError, match=r"row 1 \(index 'b'\): audio file '.*bad.wav' cannot be decoded"):
        _branch(root=tmp_path).fit(X)
    branch = _branch(root=tmp_path, on_error="missing").fit(X)
    encoded, missing = branch.encode_with_missing(X)
    np.testing.assert_array_equal(missing, [[False], [True], [True]])
    np.testing.assert_array_equal(encoded, [RECORDINGS[0], *np.zeros((2, RATE // 4))])
    with pytest.raises(FileNotFoundError, match=r"row 2 \(index 'c'\): there is no audio file"):
        branch.set_params(on_error="raise").encode(X.drop(index="b").reindex(["a", "a", "c"]))
    with pytest.raises(ValueError, match="no audio of the training rows can be read"):
        _branch(root=tmp_path, on_error="missing").fit(X.iloc[1:])


def test_one_column_is_expected():
    with pytest.raises(ValueError, match="one column of audio, got 2 columns"):
        _branch().fit(_frame(*RECORDINGS).assign(other="x"))
    with pytest.raises(TypeError, match="row 0: expected audio"):
        _branch().fit(pd.DataFrame({"call": [1.0, 2.0]}))


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"duration": 0}, "'duration' parameter"),
        ({"rate": 0.5}, "'rate' parameter"),
        ({"source_rate": -1}, "'source_rate' parameter"),
        ({"n_mels": 0}, "'n_mels' parameter"),
        ({"frame": 1e-5}, "'frame' should be at least 2 samples at a rate of 4000 Hz"),
        ({"hop": 1e-5}, "'hop' should be at least 1 samples"),
        ({"filters": (2, 0)}, "'filters' should be a tuple of positive integers"),
        ({"pooling": "last"}, "'pooling' parameter"),
        ({"on_error": "skip"}, "'on_error' parameter"),
        ({"root": 3}, "'root' parameter"),
    ],
)
def test_settings_that_make_no_network_are_refused(parameters, message):
    with pytest.raises(ValueError, match=message):
        _branch(**parameters).fit(RECORDINGS)


# --- spectrogram ------------------------------------------------------------------------------------------------------


def test_features_do_not_depend_on_the_unit_of_samples():
    features = []
    for unit in (1e-5, 30000.0):
        branch = _branch().fit(unit * RECORDINGS)
        np.testing.assert_allclose(branch.level_, unit * np.sqrt(np.mean(RECORDINGS**2)), rtol=1e-5)
        model = branch.build("call")
        kernel = model.get_layer("conv_1")
        kernel.set_weights([np.full(weight.shape, 0.1) for weight in kernel.get_weights()])
        features.append(keras.ops.convert_to_numpy(model(branch.encode(unit * RECORDINGS))))
    assert np.ptp(features[0], axis=0).max() > 1e-3
    np.testing.assert_allclose(*features, rtol=1e-3)


def test_bands_are_scaled_by_the_training_rows():
    branch = _branch().fit(RECORDINGS)
    model = branch.build("call")
    inner = keras.Model(model.input, model.get_layer("standardize").output)
    scaled = keras.ops.convert_to_numpy(inner(branch.encode(RECORDINGS)))
    np.testing.assert_allclose(scaled.mean(axis=(0, 1)), 0, atol=1e-3)
    np.testing.assert_allclose(scaled.std(axis=(0, 1)), 1, atol=1e-3)


def test_silence_is_no_trouble():
    branch = _branch().fit(np.zeros((2, 500)))
    assert branch.level_ == 1
    features = branch.build("call")(branch.encode(np.zeros((2, 500))))
    assert np.isfinite(keras.ops.convert_to_numpy(features)).all()


def test_settings_reach_the_layers():
    branch = _branch(filters=(2, 3), frame=0.064, hop=0.032, pooling="flatten", batch_norm=True, dropout=0.2)
    model = branch.fit(RECORDINGS).build("call")
    assert model.get_layer("log_mel").output.shape == (None, 8, 16)
    assert model.output_shape == (None, 2 * 4 * 3)
    block = ["conv_1", "conv_1_norm", "conv_1_relu", "halve_1"]
    names = [layer.name for layer in model.layers[1:]]
    assert names[:7] == ["log_mel", "standardize", "one_channel", *block]
    assert names[-3:] == ["bands", "pool", "pool_dropout"]


@pytest.mark.parametrize("pooling", ["avg", "max"])
def test_pooling_is_over_time_in_each_band(pooling):
    model = _branch(filters=(2, 3), pooling=pooling).fit(RECORDINGS).build("call")
    assert model.output_shape == (None, 16 // 4 * 3)


# --- in networks ------------------------------------------------------------------------------------------------------


def test_a_network_tells_tones_apart_and_folds_train_together():
    _audio.waveform_cache.clear()
    matrices = []
    for fold_training in ("sequential", "vectorized"):
        template = MultimodalNetworkClassifier(
            head=(),
            epochs=10,
            batch_size=8,
            early_stopping=False,
            optimizer__learning_rate=0.03,
            fold_training=fold_training,
        )
        stack = MultimodalStackingClassifier(
            [("call", _branch(filters=(4,)), ["call"])], network=template, cv=3, random_state=0
        )
        stack.fit(_frame(*RECORDINGS), HIGH)
        matrices.append(stack.transform(_frame(*RECORDINGS)))
    np.testing.assert_allclose(*matrices, atol=1e-3)
    recordings, high = _tones(seed=1)
    assert stack.score(_frame(*recordings), high) > 0.9


def test_recordings_of_other_lengths_do_not_share():
    one, same, other = (_branch().fit(np.ones((2, length))) for length in (500, 500, 700))
    assert one.is_encoded_like(same)
    assert one.is_built_like(same)
    assert not one.is_encoded_like(other)
    assert not one.is_built_like(other)
