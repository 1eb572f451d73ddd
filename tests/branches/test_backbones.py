"""Image branches with a backbone."""

import pickle
import sqlite3
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, KFold

from skstack import MultimodalNetworkClassifier, MultimodalNetworkRegressor, MultimodalStackingClassifier
from skstack._backend import keras
from skstack.branches import ImageBranch
from skstack.branches._image_layers import TrainedFurther
from skstack.preprocessing import ImageEmbedder, _backbones, _embedding_cache, _picture_features, tensor_column
from skstack.preprocessing._backbones import Backbone, load_backbone
from skstack.preprocessing._embedding_cache import Memory
from skstack.preprocessing._scaling import ScalePixels, scale
from skstack.training._seeds import seeded

N_ROWS = 22
PICTURES = np.random.default_rng(0).integers(0, 256, size=(N_ROWS, 8, 8, 3), dtype="uint8")
X = pd.DataFrame({"photo": tensor_column(PICTURES)})
Y = np.arange(N_ROWS) % 2

layers = keras.layers


def tiny_backbone(seed=0, prefix=""):
    """A model with what real ones have: convolutions, batch normalisation that has seen data, dropout and a top."""
    with seeded(seed):
        inputs = keras.Input((8, 8, 3), name=f"{prefix}pictures")
        x = layers.Conv2D(4, 3, name=f"{prefix}block1_conv")(inputs)
        x = layers.BatchNormalization(name=f"{prefix}block1_norm")(x)
        x = layers.ReLU(name=f"{prefix}block1_relu")(x)
        x = layers.Conv2D(5, 3, name=f"{prefix}block2_conv")(x)
        x = layers.BatchNormalization(name=f"{prefix}block2_norm")(x)
        x = layers.Dropout(0.5, name=f"{prefix}block2_dropout")(x)
        maps = layers.ReLU(name=f"{prefix}block2_relu")(x)
        pool = layers.GlobalAveragePooling2D(name=f"{prefix}pool")(maps)
        model = keras.Model(inputs, layers.Dense(3, name=f"{prefix}logits")(pool), name=f"{prefix}tiny")
    rng = np.random.default_rng(seed)
    for name in ("block1_norm", "block2_norm"):
        norm = model.get_layer(prefix + name)
        norm.moving_mean.assign(rng.normal(size=norm.moving_mean.shape))
        norm.moving_variance.assign(rng.uniform(0.5, 2.0, size=norm.moving_variance.shape))
    return model


TINY = tiny_backbone()


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """An empty cache, and no backbone loaded."""
    monkeypatch.setenv("SKSTACK_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(_embedding_cache, "_memory", Memory(2**20))
    _backbones._loaded.clear()
    return tmp_path / "cache" / "features-2"


@pytest.fixture
def passed(monkeypatch):
    """The pictures that have passed through a backbone, as bytes."""
    pictures, of_batch = [], Backbone._of_batch

    def counting(self, batch):
        pictures.extend(picture.tobytes() for picture in batch)
        return of_batch(self, batch)

    monkeypatch.setattr(Backbone, "_of_batch", counting)
    return pictures


def _branch(**kwargs):
    return ImageBranch(**{"backbone": TINY, "feature_layer": "pool", "preprocess": "tf", "hidden": (), **kwargs})


def _expected(model=TINY, layer="pool", scaling="tf", pictures=PICTURES):
    cut = keras.Model(model.input, model.get_layer(layer).output)
    return np.asarray(cut(scale(pictures, scaling), training=False))


def _encode(X=X, **kwargs):
    return _branch(**kwargs).fit(X).encode(X)


def _built(**kwargs):
    """Return a sub-network and the layer that holds its backbone."""
    model = _branch(**{"trainable": True, **kwargs}).fit(X).build("photo")
    (layer,) = (layer for layer in model.layers if isinstance(layer, TrainedFurther))
    return model, layer


# --- frozen: features -------------------------------------------------------------------------------------------------


def test_a_frozen_backbone_encodes_to_its_features():
    branch = _branch().fit(X)
    features = branch.encode(X)
    assert (branch.input_shape_, branch.input_dtype_) == ((5,), "float32")
    assert features.dtype == "float32"
    np.testing.assert_allclose(features, _expected(), rtol=1e-5, atol=1e-6)
    assert branch.build("photo").input_shape == (None, 5)


@pytest.mark.parametrize(
    ("pooling", "reduce"),
    [
        ("avg", lambda maps: maps.mean(axis=(1, 2))),
        ("max", lambda maps: maps.max(axis=(1, 2))),
        ("flatten", lambda maps: maps.reshape(len(maps), -1)),
    ],
)
def test_feature_maps_are_pooled(pooling, reduce):
    features = _encode(feature_layer="block2_relu", pooling=pooling)
    np.testing.assert_allclose(features, reduce(_expected(layer="block2_relu")), rtol=1e-4, atol=1e-6)
    model, _ = _built(feature_layer="block2_relu", pooling=pooling)
    np.testing.assert_allclose(model.predict(PICTURES, verbose=0), features, rtol=1e-4, atol=1e-5)


def test_without_a_layer_the_output_of_the_model_counts():
    np.testing.assert_allclose(_encode(feature_layer=None), _expected(layer="logits"), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("scaling", ["tf", "torch", "caffe", None])
def test_pixels_are_scaled_as_wished(scaling):
    np.testing.assert_allclose(_encode(preprocess=scaling), _expected(scaling=scaling), rtol=1e-4, atol=1e-4)
    expected = PICTURES.astype("float32")
    if scaling:
        expected = keras.applications.imagenet_utils.preprocess_input(expected, mode=scaling)
    np.testing.assert_allclose(scale(PICTURES, scaling), expected, atol=1e-4)


def test_pixels_are_scaled_by_a_layer():
    scaling = layers.Rescaling(1 / 127.5, offset=-1.0)
    np.testing.assert_allclose(_encode(preprocess=scaling), _expected(), rtol=1e-4, atol=1e-5)
    model, _ = _built(preprocess=scaling)
    np.testing.assert_allclose(model.predict(PICTURES, verbose=0), _expected(), rtol=1e-4, atol=1e-5)


def test_features_do_not_depend_on_the_rows_beside(passed, monkeypatch):
    together = _encode()
    monkeypatch.setenv("SKSTACK_CACHE_SIZE", "0")
    monkeypatch.setattr(_embedding_cache, "_memory", Memory(0))
    branch = _branch().fit(X)
    for row in (0, 9, N_ROWS - 1):
        np.testing.assert_array_equal(branch.encode(X.iloc[[row]])[0], together[row])
    assert len(passed) == N_ROWS + 3


# --- once -------------------------------------------------------------------------------------------------------------


def _search(X, n_jobs=None):
    stack = MultimodalStackingClassifier(
        [("photo", _branch(hidden=(3,)), ["photo"]), ("mean", LogisticRegression(), ["number"])],
        network=MultimodalNetworkClassifier(epochs=1, early_stopping=False, random_state=0),
        cv=2,
        random_state=0,
    )
    grid = {"photo__hidden": [(), (2,)]}
    return GridSearchCV(stack, grid, cv=KFold(2, shuffle=True, random_state=0), n_jobs=n_jobs, error_score="raise")


def test_a_search_passes_every_picture_through_the_backbone_once(passed):
    table = X.assign(number=np.arange(float(N_ROWS)))
    search = _search(table).fit(table, Y)
    assert sorted(passed) == sorted(picture.tobytes() for picture in PICTURES)
    passed.clear()
    search.predict(table)
    shuffled = np.random.default_rng(1).permutation(N_ROWS)
    _encode(X.iloc[shuffled])
    np.testing.assert_array_equal(_encode(X.iloc[shuffled]), _encode()[shuffled])
    assert passed == []


def test_equal_pictures_pass_once(passed, tmp_path):
    Image.fromarray(PICTURES[0]).save(tmp_path / "a.png")
    (tmp_path / "b.png").write_bytes((tmp_path / "a.png").read_bytes())
    encoded = _encode(pd.DataFrame({"photo": [str(tmp_path / name) for name in ("a.png", "b.png", "a.png")]}))
    assert len(passed) == 1
    np.testing.assert_array_equal(encoded, encoded[[0, 0, 0]])


def test_a_corrupt_entry_is_computed_again(passed, folder):
    expected = _encode()
    passed.clear()
    with sqlite3.connect(folder / "features.sqlite") as connection:
        connection.execute("UPDATE entries SET value = zeroblob(20) WHERE number = 4")
    connection.close()
    _embedding_cache._memory.clear()
    np.testing.assert_array_equal(_encode(), expected)
    assert len(passed) == 1


def test_a_file_that_changes_is_read_again(passed, tmp_path):
    path = tmp_path / "photo.png"
    table = pd.DataFrame({"photo": [str(path)]})
    encoded = []
    for picture in PICTURES[:2]:
        Image.fromarray(picture).save(path)
        encoded.append(_encode(table)[0])
    np.testing.assert_allclose(encoded, _expected()[:2], rtol=1e-4, atol=1e-6)
    assert len(passed) == 2


def test_a_file_that_changes_while_it_is_read_is_an_error(tmp_path, monkeypatch):
    path = tmp_path / "photo.png"
    Image.fromarray(PICTURES[0]).save(path)
    table = pd.DataFrame({"photo": [str(path)]})
    find = _picture_features.computed_once

    def change_first(*args, **kwargs):
        Image.fromarray(PICTURES[1]).save(path)
        return find(*args, **kwargs)

    monkeypatch.setattr(_picture_features, "computed_once", change_first)
    with pytest.raises(ValueError, match="row 0: the picture was changed while it was read"):
        _encode(table)


IN_TWO_PROCESSES = """
import sys
import numpy as np
from skstack.branches import ImageBranch
from skstack.preprocessing import _picture_features
_picture_features._BLOCK = 4
pictures = np.random.default_rng(0).integers(0, 256, size=(22, 8, 8, 3), dtype="uint8")
branch = ImageBranch(backbone=sys.argv[1], feature_layer="pool", preprocess="tf")
features = branch.fit(pictures).encode(pictures)
assert (features == branch.encode(pictures)).all()
"""


def test_processes_share_the_work_and_later_ones_have_none(passed, folder, tmp_path):
    path = tmp_path / "tiny.keras"
    TINY.save(path)
    command = [sys.executable, "-c", IN_TWO_PROCESSES, str(path)]
    processes = [subprocess.Popen(command) for _ in range(2)]
    assert [process.wait(timeout=300) for process in processes] == [0, 0]
    with sqlite3.connect(folder / "features.sqlite") as connection:
        # An entry that is written again gets a new number.
        assert connection.execute("SELECT count(*), max(number) FROM entries").fetchone() == (N_ROWS, N_ROWS)
    connection.close()
    np.testing.assert_allclose(_encode(backbone=path), _expected(), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(_encode(), _expected(), rtol=1e-4, atol=1e-6)  # the model, not its file
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
    _encode()
    _encode(**other)
    assert len(passed) == 2 * N_ROWS


def test_another_architecture_with_the_same_weights_is_another_model():
    def model(activation):
        return keras.Sequential([keras.Input((8, 8, 3)), layers.Conv2D(4, 3, activation=activation)])

    first, second = model("relu"), model("tanh")
    second.set_weights(first.get_weights())
    assert not np.allclose(*(_encode(backbone=backbone, feature_layer=None) for backbone in (first, second)), atol=1e-3)


def test_names_of_layers_change_no_feature(passed):
    expected = _encode()
    renamed = tiny_backbone(prefix="another_")
    np.testing.assert_array_equal(_encode(backbone=renamed, feature_layer="another_pool"), expected)
    assert len(passed) == N_ROWS


def test_a_backbone_is_loaded_once_for_all_folds(tmp_path, monkeypatch):
    path = tmp_path / "tiny.keras"
    TINY.save(path)
    loads, load = [], keras.saving.load_model
    monkeypatch.setattr(keras.saving, "load_model", lambda *args, **kwargs: loads.append(1) or load(*args, **kwargs))
    first, second = (_branch(backbone=path).fit(X) for _ in range(2))
    first.encode(X)
    second.encode(X)
    assert len(loads) == 1
    assert first._frozen_backbone() is second._frozen_backbone()
    tiny_backbone(seed=1).save(path)
    assert not np.allclose(_encode(backbone=path), _expected(), atol=1e-3)


def test_clones_share_a_model_but_not_the_rest():
    branch = _branch(hidden=[3])
    cloned = clone(branch)
    assert cloned.backbone is TINY
    assert cloned.hidden is not branch.hidden
    assert cloned.get_params() == branch.get_params()


def test_a_backbone_trained_after_the_fit_is_found_out():
    model = tiny_backbone(seed=2)
    branch = _branch(backbone=model).fit(X)
    model.get_layer("block1_conv").bias.assign_add([1.0, 0.0, 0.0, 0.0])
    with pytest.raises(ValueError, match="other weights than when the branch was fitted"):
        branch.encode(X)


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
MEANS = PICTURES.mean(axis=(1, 2), dtype="float32")


def _own(layer):
    return keras.Sequential([keras.Input((8, 8, 3)), layer])


def _encode_own(backbone):
    return _encode(backbone=backbone, feature_layer=None, preprocess=None)


@pytest.mark.parametrize("make", OWN_CODE)
def test_features_of_code_of_the_users_stay_with_the_object(passed, folder, make):
    for factor in (2, 3):  # as in a notebook cell that is run again
        backbone = _own(make(factor))
        for _ in range(2):
            np.testing.assert_allclose(_encode_own(backbone), factor * MEANS, rtol=1e-4)
    assert len(passed) == 2 * N_ROWS
    assert not (folder / "features.sqlite").exists()


@pytest.mark.parametrize("make", [_layer, _activation])
def test_scaling_by_code_of_the_users_stays_with_the_object(passed, folder, make):
    backbone = _own(layers.ReLU())
    for factor in (2, 3):
        branch = ImageBranch(backbone=backbone, preprocess=make(factor))
        for fold in (branch, clone(branch)):
            np.testing.assert_allclose(fold.fit(X).encode(X), factor * MEANS, rtol=1e-4)
    assert len(passed) == 2 * N_ROWS
    assert not (folder / "features.sqlite").exists()


def test_code_of_the_users_for_a_file_is_looked_up_again(passed, folder, tmp_path):
    path = tmp_path / "own.keras"
    for factor in (2, 3):

        @keras.saving.register_keras_serializable("tests")
        class Own(layers.Layer):
            def call(self, inputs, factor=factor):
                return factor * inputs

        if factor == 2:
            _own(Own(name="own")).save(path)
        for _ in range(2):
            np.testing.assert_allclose(_encode_own(path), factor * MEANS, rtol=1e-4)
    assert len(passed) == 2 * N_ROWS
    assert not (folder / "features.sqlite").exists()


WITH_CODE_OF_ITS_OWN = """
import sys
import numpy as np
from skstack._backend import keras
from skstack.branches import ImageBranch

@keras.saving.register_keras_serializable("tests")
class Own(keras.layers.Layer):
    def call(self, inputs):
        return float(sys.argv[2]) * inputs

pictures = np.full((2, 8, 8, 3), 10, dtype="uint8")
print(ImageBranch(backbone=sys.argv[1], preprocess=None).fit(pictures).encode(pictures).mean())
"""


def test_code_of_the_users_edited_between_two_processes_is_used(tmp_path):
    path = tmp_path / "own.keras"

    @keras.saving.register_keras_serializable("tests")
    class Own(layers.Layer):
        def call(self, inputs):
            return inputs

    _own(Own(name="own")).save(path)
    for factor, expected in (("2", "20.0"), ("3", "30.0")):
        command = [sys.executable, "-c", WITH_CODE_OF_ITS_OWN, str(path), factor]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300)
        assert done.stdout.strip() == expected, done.stderr


def test_a_fitted_branch_with_code_of_the_users_goes_on_elsewhere():
    @keras.saving.register_keras_serializable("tests")
    class Pickled(layers.Layer):
        def call(self, inputs):
            return 2 * inputs

    branch = ImageBranch(backbone=_own(Pickled()), preprocess=None).fit(X)
    np.testing.assert_allclose(pickle.loads(pickle.dumps(branch)).encode(X), 2 * MEANS, rtol=1e-4)


# --- how a backbone wants its pixels ----------------------------------------------------------------------------------


def _normalization():
    return layers.Normalization(mean=[0.0] * 3, variance=[1.0] * 3)


@pytest.mark.parametrize(
    "first",
    [
        [layers.Rescaling(2.0)],
        [_normalization()],
        [ScalePixels("tf")],
        [layers.ReLU(), layers.Rescaling(2.0)],
        [layers.RandomFlip(seed=0), keras.Sequential([keras.Input((8, 8, 3)), layers.ReLU(), layers.Rescaling(2.0)])],
    ],
    ids=["Rescaling", "Normalization", "ScalePixels", "behind a layer", "in a model"],
)
def test_a_model_that_scales_its_pixels_gets_them_as_they_are(first, tmp_path):
    model = keras.Sequential([keras.Input((8, 8, 3)), *first, layers.Conv2D(2, 3)])
    assert load_backbone(ImageBranch(backbone=model)._wish()).scaling is None
    model.save(tmp_path / "model.keras")
    assert load_backbone(ImageBranch(backbone=tmp_path / "model.keras")._wish()).scaling is None
    ImageEmbedder(model).fit(X)


@pytest.mark.parametrize("where", ["model", "file"])
@pytest.mark.parametrize("parameters", [{}, {"trainable": True}, {"augment": ("flip",)}])
@pytest.mark.parametrize("last", [[], [layers.Rescaling(2.0)]], ids=["none", "behind weights"])
def test_a_model_that_does_not_scale_its_pixels_asks_how(where, parameters, last, tmp_path):
    backbone = keras.Sequential([keras.Input((8, 8, 3)), layers.Conv2D(3, 3), *last])
    if where == "file":
        backbone.save(tmp_path / "model.keras")
        backbone = tmp_path / "model.keras"
    branch = ImageBranch(backbone=backbone, **parameters)
    message = "does not say how it wants its pixels.* Set 'preprocess' to .*'tf'.*'torch' or 'caffe'.*None for pixels"
    with pytest.raises(ValueError, match=message):
        branch.check_parameters()
    with pytest.raises(ValueError, match=message):
        ImageEmbedder(backbone).fit(X)
    network = MultimodalNetworkRegressor([("photo", branch, ["photo"])])
    stack = MultimodalStackingClassifier([("photo", branch, ["photo"]), ("number", Untrained(), ["photo"])])
    for estimator in (network, stack):
        with pytest.raises(ValueError, match=f"photo.*{message}"):
            estimator.fit(X, Y)


class Untrained(LogisticRegression):
    """Fails the test if training has begun."""

    def fit(self, X, y):
        pytest.fail("the branch should have been checked before")


# --- which backbone ---------------------------------------------------------------------------------------------------


def test_backbones_are_known_by_name_in_any_case():
    assert _backbones.application("vgg16") is keras.applications.VGG16
    assert _backbones.application("EFFICIENTNETV2b0") is keras.applications.EfficientNetV2B0
    with pytest.raises(ValueError, match=r"no backbone 'VGG17'.*\.keras.*ConvNeXtBase, .*DenseNet121, .*ResNet50, "):
        ImageBranch(backbone="VGG17").fit(X)


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("VGG17", "'VGG19' or 'VGG16'"),
        ("resnet5", "'ResNet50'"),
        ("EfficentNetB0", "'EfficientNetB0'"),
        ("folder/tiny.kears", "'folder/tiny.keras'"),
        ("tiny.KERAS", "'tiny.keras'"),
        ("tiny.hd5", "'tiny.h5'"),
    ],
)
def test_what_may_be_meant_by_a_wrong_name_comes_first(name, meant):
    with pytest.raises(ValueError, match=f"no backbone {name!r}. Did you mean {meant}.*Give a path that ends with"):
        ImageBranch(backbone=name).check_parameters()
    with pytest.raises(ValueError, match=f"Did you mean {meant}"):
        ImageEmbedder(name).fit(X)


EXPECTED_SCALINGS = {
    "VGG16": "caffe",
    "ResNet50": "caffe",
    "ResNet50V2": "tf",
    "DenseNet121": "torch",
    "MobileNetV2": "tf",
    "EfficientNetB0": None,
    "ConvNeXtTiny": None,
}


@pytest.mark.parametrize("name", sorted(_backbones._applications()))
def test_every_application_has_its_scaling_and_size(name):
    scaling = _backbones._scaling_of(_backbones.application(name))
    assert scaling == EXPECTED_SCALINGS.get(name, scaling)
    shape = _backbones.backbone_shape(ImageBranch(backbone=name)._wish())
    assert shape[0] == shape[1] >= 224
    assert shape[2] == 3


@pytest.mark.parametrize(("name", "side"), [("Xception", 299), ("EfficientNetB3", 300), ("VGG16", 224)])
def test_pictures_come_in_the_size_of_the_training(name, side):
    branch = ImageBranch(backbone=name, weights=None, trainable=True)
    assert branch.fit(X).cell_shape_ == (side, side, 3)
    assert branch.set_params(size=[64, 32]).fit(X).cell_shape_ == (64, 32, 3)


@pytest.fixture(scope="module")
def mobile_net(tmp_path_factory):
    """A model of keras.applications, with random weights, and the file of these."""
    with seeded(0):
        model = keras.applications.MobileNet(include_top=False, weights=None, input_shape=(32, 32, 3))
    path = tmp_path_factory.mktemp("weights") / "mobile_net.weights.h5"
    model.save_weights(path)
    return model, path


@pytest.fixture(scope="module")
def mobile_features(mobile_net):
    pictures = np.random.default_rng(1).integers(0, 256, size=(3, 32, 32, 3), dtype="uint8")
    scaled = keras.applications.mobilenet.preprocess_input(pictures.astype("float32"))
    return pictures, np.asarray(mobile_net[0](scaled, training=False)).mean(axis=(1, 2))


def test_weights_come_from_a_file(mobile_net, mobile_features):
    pictures, expected = mobile_features
    branch = ImageBranch((32, 32), backbone="mobilenet", weights=mobile_net[1])
    np.testing.assert_allclose(branch.fit(pictures).encode(pictures), expected, rtol=1e-3, atol=1e-5)


def test_imagenet_weights_are_left_to_keras(mobile_net, mobile_features, monkeypatch):
    asked = []

    def MobileNet(**kwargs):
        asked.append(kwargs)
        return mobile_net[0]

    MobileNet.__module__ = keras.applications.MobileNet.__module__
    monkeypatch.setattr(keras.applications, "MobileNet", MobileNet)
    pictures, expected = mobile_features
    branch = ImageBranch((32, 32), backbone="MobileNet")
    np.testing.assert_allclose(branch.fit(pictures).encode(pictures), expected, rtol=1e-3, atol=1e-5)
    assert asked == [{"weights": "imagenet", "include_top": False, "input_shape": (32, 32, 3)}]


def test_weights_that_cannot_be_fetched_say_what_to_do(monkeypatch):
    def fail(**kwargs):
        raise Exception("URL fetch failure")

    monkeypatch.setattr(_backbones, "application", lambda name: fail)
    with pytest.raises(OSError, match=r"'imagenet' of fail could not be loaded: URL fetch failure.*path of a file"):
        ImageBranch(backbone="VGG16").fit(X)


def test_random_weights_differ_by_seed_and_are_trained():
    branch = ImageBranch((32, 32), backbone="MobileNet", weights=None, trainable=True, hidden=()).fit(X)
    weights = []
    for seed in (0, 0, 1):
        with seeded(seed):
            model = branch.build("photo")
        weights.append(model.get_layer("backbone").get_weights()[0])
    np.testing.assert_array_equal(weights[0], weights[1])
    assert not np.array_equal(weights[0], weights[2])
    backbone = model.get_layer("backbone")
    assert not backbone.pretrained
    assert backbone.constants == []  # batch normalisation learns its averages
    pictures = np.random.default_rng(1).integers(0, 256, size=(4, 32, 32, 3), dtype="uint8")
    assert not np.allclose(model(pictures, training=True), model(pictures, training=False), rtol=1e-2)


def test_a_backbone_by_name_is_refused_while_keras_puts_channels_first():
    branch = ImageBranch(size=(32, 32), backbone="MobileNetV2", weights=None, trainable=True).fit(PICTURES)
    keras.config.set_image_data_format("channels_first")
    try:
        with pytest.raises(ValueError, match=r"MobileNetV2 would be .*set_image_data_format\('channels_last'\)"):
            branch.build("photo")
    finally:
        keras.config.set_image_data_format("channels_last")


def test_weights_of_a_file_replace_those_of_a_model(tmp_path):
    other = tiny_backbone(seed=1)
    other.save_weights(tmp_path / "other.weights.h5")
    features = _encode(weights=tmp_path / "other.weights.h5")
    np.testing.assert_allclose(features, _expected(other), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(_encode(), _expected(), rtol=1e-4, atol=1e-6)  # the user's model is left alone


@pytest.mark.parametrize(
    ("parameters", "error", "message"),
    [
        ({"backbone": "nowhere.keras"}, FileNotFoundError, "no file 'nowhere.keras'"),
        ({"weights": "nowhere.h5"}, FileNotFoundError, "no file 'nowhere.h5'"),
        ({"backbone": 3}, TypeError, "expected a backbone by its name .* got 3"),
        ({"backbone": keras.Sequential([layers.Flatten()])}, TypeError, "expected a backbone .* knows its inputs"),
        ({"feature_layer": "head"}, ValueError, "no layer 'head'; its last ones are .*pool, logits"),
        ({"size": (9, 8)}, ValueError, r"takes pictures of size \(8, 8\), got size=\(9, 8\)"),
        ({"channels": 1}, ValueError, "takes pictures of 3 channels, got channels=1"),
        ({"backbone": "VGG16", "channels": 1}, ValueError, "'imagenet' are for pictures of 3 channels"),
        ({"backbone": "VGG16", "weights": None}, ValueError, "weights=None starts from random weights"),
        ({"preprocess": "keras"}, ValueError, "'preprocess' parameter"),
        ({"preprocess": np.sqrt}, TypeError, "or a Keras layer without weights"),
        ({"trainable": 0}, ValueError, "'trainable' parameter"),
        ({"trainable": "block9*"}, ValueError, "trainable='block9.' chooses no layer with weights; the last layers"),
        ({"trainable": 1}, ValueError, "trainable=1 chooses no layer with weights"),
        ({"backbone_learning_rate": 0}, ValueError, "'backbone_learning_rate' parameter"),
        ({"augment": ("flip", "blur")}, ValueError, "flip, rotation, zoom, translation, contrast, got 'blur'"),
        ({"augment": {"zoom": -1}}, ValueError, "'zoom' in 'augment' should be a number above 0"),
        ({"augment": {"flip": True}}, ValueError, "'flip' in 'augment' should be horizontal, vertical or both"),
    ],
)
def test_bad_settings_are_named(parameters, error, message):
    with pytest.raises(error, match=message):
        _branch(**parameters).fit(X).build("photo")


def test_weights_of_another_model_are_refused(tmp_path):
    keras.Sequential([keras.Input((2,)), layers.Dense(1)]).save_weights(tmp_path / "other.weights.h5")
    with pytest.raises(ValueError, match=r"other\.weights\.h5' are not those of the backbone"):
        _branch(weights=tmp_path / "other.weights.h5").fit(X)


# --- trained further --------------------------------------------------------------------------------------------------

ALL = {"block1_conv", "block1_norm", "block2_conv", "block2_norm"}


@pytest.mark.parametrize(
    ("trainable", "augment", "expected"),
    [
        (True, None, ALL),
        (4, None, {"block2_norm"}),
        (5, None, {"block2_norm", "block2_conv"}),
        (100, None, ALL),
        ("block1*", None, {"block1_conv", "block1_norm"}),
        ("*_conv", None, {"block1_conv", "block2_conv"}),
        (False, ("flip",), set()),
    ],
)
def test_layers_are_trained_as_wished(trainable, augment, expected):
    model, backbone = _built(trainable=trainable, augment=augment)
    trained = {layer.name for layer in backbone.model.layers if layer.trainable_variables}
    assert trained == expected
    assert {id(v) for v in model.trainable_variables} == {id(v) for v in backbone.model.trainable_variables}
    assert TINY.get_layer("block1_conv").trainable  # the user's model is left alone


def test_a_backbone_learns_more_slowly():
    model, _ = _built(trainable="block2*", hidden=(3,), backbone_learning_rate=0.03)
    rates = {v.path: getattr(v, "learning_rate_multiplier", 1.0) for v in model.trainable_variables}
    assert len(rates) == 6
    for path, rate in rates.items():
        assert rate == (0.03 if "block2" in path else 1.0)


def _train(branch, **kwargs):
    settings = {"epochs": 2, "batch_size": 8, "early_stopping": False, "random_state": 0, **kwargs}
    return MultimodalNetworkRegressor([("photo", branch, ["photo"])], head=(), **settings).fit(X, Y.astype(float))


@pytest.fixture(scope="module")
def trained():
    return _train(_branch(trainable="block2*", augment=("flip", "contrast")))


def _weights(network, layer):
    return network.model_.get_layer("photo_branch").get_layer("backbone").model.get_layer(layer).get_weights()


@pytest.mark.parametrize(("layer", "changes"), [("block1_conv", False), ("block2_conv", True), ("block2_norm", True)])
def test_training_changes_the_chosen_layers_only(trained, layer, changes):
    before, after = TINY.get_layer(layer).get_weights(), _weights(trained, layer)
    assert np.array_equal(before[0], after[0]) != changes


def test_batch_normalisation_keeps_its_averages(trained):
    for layer in ("block1_norm", "block2_norm"):
        for before, after in zip(TINY.get_layer(layer).get_weights()[2:], _weights(trained, layer)[2:], strict=True):
            np.testing.assert_array_equal(before, after)


def test_a_pretrained_backbone_works_in_training_as_in_prediction():
    model, backbone = _built(trainable=True)
    expected = np.asarray(model(PICTURES, training=False))
    np.testing.assert_array_equal(np.asarray(model(PICTURES, training=True)), expected)
    # What stays as it is takes no part in the state of the training.
    backbone.model.get_layer("block1_conv").trainable = False
    constants = {variable.path for variable in backbone.constants}
    assert {path.rpartition("block")[2] for path in constants} >= {"1_conv/kernel", "1_norm/moving_mean"}


def test_a_sub_network_with_a_backbone_can_be_saved(trained, tmp_path):
    model = trained.model_.get_layer("photo_branch")
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(
        loaded.predict(PICTURES, verbose=0), model.predict(PICTURES, verbose=0), rtol=1e-5, atol=1e-6
    )
    rates = [[v.learning_rate_multiplier for v in part.trainable_variables] for part in (loaded, model)]
    assert rates == [[0.1] * 4] * 2


def test_pixels_are_encoded_where_the_backbone_is_in_the_network(passed):
    branch = _branch(trainable=5).fit(X)
    np.testing.assert_array_equal(branch.encode(X), PICTURES)
    assert passed == []
    np.testing.assert_allclose(branch.build("photo").predict(PICTURES, verbose=0), _expected(), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("fold_training", ["sequential", "vectorized"])
@pytest.mark.parametrize("parameters", [{"trainable": 5, "augment": ("flip", "rotation", "contrast")}, {}])
def test_folds_are_trained_as_by_themselves(fold_training, parameters):
    network = MultimodalNetworkRegressor(
        [("photo", _branch(**parameters), ["photo"])],
        head=(),
        epochs=2,
        batch_size=5,
        early_stopping=False,
        fold_training=fold_training,
        random_state=0,
    )
    rows = np.arange(10, N_ROWS)
    _, fold = clone(network).cross_fit(X, Y.astype(float), [rows])
    alone = clone(network).fit(X.iloc[rows], Y[rows].astype(float))
    np.testing.assert_allclose(fold.predict(X), alone.predict(X), rtol=1e-3, atol=1e-4)


# --- files that cannot be read ----------------------------------------------------------------------------------------


@pytest.fixture
def files(tmp_path):
    """Four pictures, of which the second is cut off and the third is not there."""
    names = []
    for number, picture in enumerate(PICTURES[:4]):
        names.append(f"{number}.png")
        Image.fromarray(picture).save(tmp_path / names[-1])
    (tmp_path / "1.png").write_bytes((tmp_path / "1.png").read_bytes()[:80])
    (tmp_path / "2.png").unlink()
    return tmp_path, pd.DataFrame({"photo": names}, index=list("abcd"))


@pytest.mark.parametrize("trainable", [False, True])
def test_files_that_cannot_be_read_are_errors(files, trainable):
    root, table = files
    branch = _branch(root=root, trainable=trainable).fit(table)
    with pytest.raises(FileNotFoundError, match=r"row 1 \(index 'c'\): there is no image file"):
        branch.encode(table.iloc[[0, 2, 3]])
    with pytest.raises(ValueError, match=r"row 1 \(index 'b'\): image file '.*1\.png' cannot be decoded"):
        branch.encode(table.iloc[[0, 1, 3]])


@pytest.mark.parametrize("trainable", [False, True])
@pytest.mark.parametrize("large", [False, True])
def test_files_that_cannot_be_read_may_count_as_missing(files, trainable, large, monkeypatch):
    if large:
        monkeypatch.setattr("skstack.preprocessing._image_columns._STORE_FROM", 0)
    root, table = files
    branch = _branch(root=root, trainable=trainable, on_error="missing").fit(table)
    for _ in range(2):
        encoded, missing = branch.encode_with_missing(table)
        np.testing.assert_array_equal(missing, [[False], [True], [True], [False]])
        expected = PICTURES[:4] if trainable else _expected()[:4]
        np.testing.assert_allclose(encoded[[0, 3]], expected[[0, 3]], rtol=1e-4, atol=1e-6)
        np.testing.assert_array_equal(encoded[[1, 2]], np.zeros_like(encoded[[1, 2]]))
    with pytest.raises(TypeError, match=r"row 0 \(index 'a'\): expected an image"):
        branch.encode(table.assign(photo=3.5))


def test_a_file_repaired_later_is_no_longer_missing(files):
    root, table = files
    branch = _branch(root=root, on_error="missing").fit(table)
    branch.encode(table)
    Image.fromarray(PICTURES[1]).save(root / "1.png")
    encoded, missing = branch.encode_with_missing(table)
    assert missing[:, 0].tolist() == [False, False, True, False]
    np.testing.assert_allclose(encoded[1], _expected()[1], rtol=1e-4, atol=1e-6)


def test_missing_cells_need_no_picture(passed):
    cells = np.full(4, None, dtype=object)
    cells[0], cells[2] = PICTURES[0], PICTURES[2]
    table = pd.DataFrame({"photo": cells})
    encoded, missing = _branch().fit(table).encode_with_missing(table)
    assert missing[:, 0].tolist() == [False, True, False, True]
    assert len(passed) == 2
    np.testing.assert_array_equal(encoded[[1, 3]], np.zeros((2, 5), dtype="float32"))


def test_backbones_in_use_are_few():
    for seed in range(5):
        load_backbone(_branch(backbone=tiny_backbone(seed))._wish())
    assert len(_backbones._loaded) == _backbones._MAX_LOADED
