"""Features of columns of images: each image passes through the backbone once."""

import os
import sqlite3
import subprocess
import sys

import numpy as np
import pytest
from _backbones import IMAGES, N_ROWS, TINY, expected_features, features_of, own_backbone, tiny_backbone, wish
from PIL import Image

from skstack._backend import keras
from skstack.backbones import _image_features
from skstack.backbones._image_features import image_features
from skstack.backbones._loading import load_backbone
from skstack.caching import _features
from skstack.caching._lru import LRU

layers = keras.layers


def test_features_come_from_the_cache_or_the_backbone(passed):
    expected = expected_features()
    features = features_of()
    assert features.dtype == "float32"
    np.testing.assert_allclose(features, expected, rtol=1e-5, atol=1e-6)
    assert sorted(passed) == sorted(image.tobytes() for image in IMAGES)
    passed.clear()
    shuffled = np.random.default_rng(1).permutation(N_ROWS)
    np.testing.assert_array_equal(features_of(IMAGES[shuffled]), features[shuffled])
    assert passed == []


def test_without_a_cache_features_are_the_same(passed, monkeypatch):
    together = features_of()
    monkeypatch.setenv("SKSTACK_CACHE_SIZE", "0")
    monkeypatch.setattr(_features, "_memory", LRU(0))
    for row in (0, 9, N_ROWS - 1):
        np.testing.assert_array_equal(features_of(IMAGES[[row]])[0], together[row])
    assert len(passed) == N_ROWS + 3


def test_equal_images_pass_once(passed, tmp_path):
    Image.fromarray(IMAGES[0]).save(tmp_path / "a.png")
    (tmp_path / "b.png").write_bytes((tmp_path / "a.png").read_bytes())
    features = features_of([str(tmp_path / name) for name in ("a.png", "b.png", "a.png")])
    assert len(passed) == 1
    np.testing.assert_array_equal(features, features[[0, 0, 0]])


def test_a_corrupt_entry_is_computed_again(passed, features_folder):
    expected = features_of()
    passed.clear()
    with sqlite3.connect(features_folder / "features.sqlite") as connection:
        connection.execute("UPDATE entries SET value = zeroblob(20) WHERE rowid = 4")
    connection.close()
    _features._memory.clear()
    np.testing.assert_array_equal(features_of(), expected)
    assert len(passed) == 1


def test_a_file_that_changes_is_read_again(passed, tmp_path):
    features = []
    for image in IMAGES[:2]:
        Image.fromarray(image).save(tmp_path / "image.png")
        features.append(features_of([tmp_path / "image.png"])[0])
    np.testing.assert_allclose(features, expected_features()[:2], rtol=1e-4, atol=1e-6)
    assert len(passed) == 2


def test_a_file_that_changes_while_it_is_read_is_an_error(tmp_path, monkeypatch):
    path = tmp_path / "image.png"
    Image.fromarray(IMAGES[0]).save(path)
    find = _image_features.computed_once

    def change_first(*args, **kwargs):
        Image.fromarray(IMAGES[1]).save(path)
        return find(*args, **kwargs)

    monkeypatch.setattr(_image_features, "computed_once", change_first)
    with pytest.raises(ValueError, match="row 0: the image was changed while it was read"):
        features_of([path])


def _environment():
    """Let another process find the modules that tests share."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}


IN_ANOTHER_PROCESS = """
import sys
from _backbones import features_of, load_backbone, wish
from skstack.backbones import _image_features
_image_features._BLOCK = 4
load_backbone(wish(backbone=sys.argv[1]))
print("ready", flush=True)
input()
first = features_of(backbone=sys.argv[1])
assert (first == features_of(backbone=sys.argv[1])).all()
"""


def test_processes_share_the_work_and_later_calls_have_none(passed, features_folder, tmp_path, monkeypatch):
    monkeypatch.setattr(_image_features, "_BLOCK", 4)
    path = tmp_path / "tiny.keras"
    TINY.save(path)
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    other = subprocess.Popen([sys.executable, "-c", IN_ANOTHER_PROCESS, str(path)], env=_environment(), **pipes)
    assert other.stdout.readline() == "ready\n"
    other.stdin.write("\n")
    other.stdin.flush()
    np.testing.assert_allclose(features_of(backbone=path), expected_features(), rtol=1e-4, atol=1e-6)
    other.communicate(timeout=300)
    assert other.returncode == 0
    with sqlite3.connect(features_folder / "features.sqlite") as connection:
        # An entry that is written again gets a new id.
        assert connection.execute("SELECT count(*), max(rowid) FROM entries").fetchone() == (N_ROWS, N_ROWS)
    connection.close()
    passed.clear()
    np.testing.assert_allclose(features_of(), expected_features(), rtol=1e-4, atol=1e-6)  # the model, not its file
    assert passed == []


@pytest.mark.parametrize(
    "other",
    [
        {"backbone": tiny_backbone(seed=1)},
        {"preprocess": "torch"},
        {"feature_layer": "logits"},
        {"resize": "stretch"},
        {"feature_layer": "block2_relu", "pooling": "max"},
    ],
)
def test_what_changes_features_is_computed_anew(passed, other):
    features_of()
    features_of(**other)
    assert len(passed) == 2 * N_ROWS


def test_another_architecture_with_the_same_weights_is_another_model():
    def model(activation):
        return keras.Sequential([keras.Input((8, 8, 3)), layers.Conv2D(4, 3, activation=activation)])

    first, second = model("relu"), model("tanh")
    second.set_weights(first.get_weights())
    features = [features_of(backbone=backbone, feature_layer=None) for backbone in (first, second)]
    assert not np.allclose(*features, atol=1e-3)


def test_names_of_layers_change_no_feature(passed):
    expected = features_of()
    renamed = tiny_backbone(prefix="another_")
    np.testing.assert_array_equal(features_of(backbone=renamed, feature_layer="another_pool"), expected)
    assert len(passed) == N_ROWS


# --- code of the user's, which can change under its name --------------------------------------------------------------


def _layer(factor):
    class Own(layers.Layer):
        def call(self, inputs):
            return factor * inputs

    return Own(name="own")


def _lambda(factor):
    def own(x):
        return factor * x

    return layers.Lambda(own, name="own")


def _activation(factor):
    def own(x):
        return factor * x

    keras.saving.register_keras_serializable("tests")(own)
    return layers.Activation(own, name="own")


def _namesake(factor):
    def relu(x):
        return factor * x

    return layers.Activation(relu, name="own")


def _initializer(factor):
    @keras.saving.register_keras_serializable("tests")
    class Own(keras.initializers.Initializer):
        def __call__(self, shape, dtype=None):
            return factor * keras.ops.eye(3)[None, None]

    return layers.Conv2D(3, 1, use_bias=False, kernel_initializer=Own(), name="own")


def _global(factor):
    global FACTOR
    FACTOR = factor
    return layers.Lambda(_reads_a_global, name="own")


def _reads_a_global(x):
    return FACTOR * x


OWN_CODE = [_layer, _lambda, _activation, _namesake, _initializer, _global]
MEANS = IMAGES.mean(axis=(1, 2), dtype="float32")


@pytest.mark.parametrize("make", OWN_CODE)
def test_features_of_code_of_the_users_stay_with_the_object(passed, features_folder, make):
    for factor in (2, 3):  # as in a notebook cell that is run again
        backbone = own_backbone(make(factor))
        for _ in range(2):
            features = features_of(backbone=backbone, feature_layer=None, preprocess=None)
            np.testing.assert_allclose(features, factor * MEANS, rtol=1e-4)
    assert len(passed) == 2 * N_ROWS
    assert not (features_folder / "features.sqlite").exists()


@pytest.mark.parametrize("make", [_layer, _activation])
def test_scaling_by_code_of_the_users_stays_with_the_object(passed, features_folder, make):
    backbone = own_backbone(layers.ReLU())
    for factor in (2, 3):
        scaling = make(factor)
        for _ in range(2):
            features = features_of(backbone=backbone, feature_layer=None, preprocess=scaling)
            np.testing.assert_allclose(features, factor * MEANS, rtol=1e-4)
    assert len(passed) == 2 * N_ROWS
    assert not (features_folder / "features.sqlite").exists()


WITH_CODE_OF_ITS_OWN = """
import sys
from _backbones import IMAGES, features_of, keras

@keras.saving.register_keras_serializable("tests")
class Edited(keras.layers.Layer):
    def call(self, inputs):
        return 2 * inputs

print(features_of(backbone=sys.argv[1], feature_layer=None, preprocess=None).sum())
"""


def test_code_of_the_users_edited_between_two_processes_is_used(passed, tmp_path):
    path = tmp_path / "own.keras"

    @keras.saving.register_keras_serializable("tests")
    class Edited(layers.Layer):
        def call(self, inputs):
            return 3 * inputs

    own_backbone(Edited(name="own")).save(path)
    features = features_of(backbone=path, feature_layer=None, preprocess=None)
    command = [sys.executable, "-c", WITH_CODE_OF_ITS_OWN, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, env=_environment())
    np.testing.assert_allclose(float(done.stdout), features.sum() / 3 * 2, rtol=1e-5)


# --- files that cannot be read ----------------------------------------------------------------------------------------


@pytest.fixture
def paths(tmp_path):
    """Four images, of which the second is cut off and the third is not there."""
    paths = [tmp_path / f"{index}.png" for index in range(4)]
    for path, image in zip(paths, IMAGES, strict=False):
        Image.fromarray(image).save(path)
    paths[1].write_bytes(paths[1].read_bytes()[:80])
    paths[2].unlink()
    return paths


def _read(cells, on_error="raise", **paths):
    how = {"resize": "pad", "name_row": "row {}".format, "on_error": on_error, **paths}
    return image_features(cells, load_backbone(wish()), **how)


def test_files_that_cannot_be_read_are_errors(paths):
    with pytest.raises(FileNotFoundError, match="row 1: there is no image file"):
        _read([paths[0], *paths[2:]])
    with pytest.raises(ValueError, match=r"row 1: image file '.*1\.png' cannot be decoded"):
        _read([*paths[:2], paths[3]])


def test_files_that_cannot_be_read_may_count_as_missing(paths, passed):
    for _ in range(2):
        features, missing = _read(paths, on_error="missing")
        assert missing.tolist() == [False, True, True, False]
        np.testing.assert_allclose(features[[0, 3]], expected_features()[[0, 3]], rtol=1e-4, atol=1e-6)
        np.testing.assert_array_equal(features[[1, 2]], np.zeros((2, 5)))
    assert len(passed) == 2
    with pytest.raises(TypeError, match="row 1: expected an image"):
        _read([paths[0], 3.5], on_error="missing")


def test_a_file_repaired_later_is_no_longer_missing(paths):
    _read(paths, on_error="missing")
    Image.fromarray(IMAGES[1]).save(paths[1])
    features, missing = _read(paths, on_error="missing")
    assert missing.tolist() == [False, False, True, False]
    np.testing.assert_allclose(features[1], expected_features()[1], rtol=1e-4, atol=1e-6)
