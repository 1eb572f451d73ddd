"""Image branches with a backbone: frozen, or trained further inside a network."""

import pickle

import numpy as np
import pandas as pd
import pytest
from _backbones import IMAGES, N_ROWS, TINY, expected_features, features_folder, own_backbone, passed, tiny_backbone
from PIL import Image
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, KFold

from skstack import MultimodalNetworkClassifier, MultimodalNetworkRegressor, MultimodalStackingClassifier
from skstack._backend import keras
from skstack.branches import ImageBranch
from skstack.branches._backbone_layers import TrainedFurther
from skstack.preprocessing import ImageEmbedder, tensor_column
from skstack.training._seeds import seeded

__all__ = ["features_folder", "passed"]  # fixtures: an empty cache, and what has passed through a backbone

layers = keras.layers
X = pd.DataFrame({"image": tensor_column(IMAGES)})
Y = np.arange(N_ROWS) % 2


def _branch(**kwargs):
    return ImageBranch(**{"backbone": TINY, "feature_layer": "pool", "preprocess": "tf", "hidden": (), **kwargs})


def _encode(X=X, **kwargs):
    return _branch(**kwargs).fit(X).encode(X)


def _built(**kwargs):
    """Return a sub-network and the layer that holds its backbone."""
    model = _branch(**{"trainable": True, **kwargs}).fit(X).build("image")
    (layer,) = (layer for layer in model.layers if isinstance(layer, TrainedFurther))
    return model, layer


# --- frozen: features -------------------------------------------------------------------------------------------------


def test_a_frozen_backbone_encodes_to_its_features():
    branch = _branch().fit(X)
    features = branch.encode(X)
    assert (branch.input_shape_, branch.input_dtype_) == ((5,), "float32")
    assert features.dtype == "float32"
    np.testing.assert_allclose(features, expected_features(), rtol=1e-5, atol=1e-6)
    assert branch.build("image").input_shape == (None, 5)


@pytest.mark.parametrize("pooling", ["avg", "max", "flatten"])
def test_feature_maps_are_pooled_alike_inside_a_network(pooling):
    features = _encode(feature_layer="block2_relu", pooling=pooling)
    model, _ = _built(feature_layer="block2_relu", pooling=pooling)
    np.testing.assert_allclose(model.predict(IMAGES, verbose=0), features, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("scaling", ["caffe", layers.Rescaling(1 / 127.5, offset=-1.0)], ids=["name", "layer"])
def test_pixels_are_scaled_alike_inside_a_network(scaling):
    model, _ = _built(preprocess=scaling)
    expected = expected_features(scaling="caffe" if scaling == "caffe" else "tf")
    np.testing.assert_allclose(_encode(preprocess=scaling), expected, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(model.predict(IMAGES, verbose=0), expected, rtol=1e-4, atol=1e-4)


def _search(X, n_jobs=None):
    stack = MultimodalStackingClassifier(
        [("image", _branch(hidden=(3,)), ["image"]), ("mean", LogisticRegression(), ["number"])],
        network=MultimodalNetworkClassifier(epochs=1, early_stopping=False, random_state=0),
        cv=2,
        random_state=0,
    )
    grid = {"image__hidden": [(), (2,)]}
    return GridSearchCV(stack, grid, cv=KFold(2, shuffle=True, random_state=0), n_jobs=n_jobs, error_score="raise")


def test_a_search_passes_every_image_through_the_backbone_once(passed):
    table = X.assign(number=np.arange(float(N_ROWS)))
    search = _search(table).fit(table, Y)
    assert sorted(passed) == sorted(image.tobytes() for image in IMAGES)
    passed.clear()
    search.predict(table)
    shuffled = np.random.default_rng(1).permutation(N_ROWS)
    _encode(X.iloc[shuffled])
    np.testing.assert_array_equal(_encode(X.iloc[shuffled]), _encode()[shuffled])
    assert passed == []


def test_a_backbone_from_a_file_is_shared_by_folds(tmp_path):
    path = tmp_path / "tiny.keras"
    TINY.save(path)
    first, second = (_branch(backbone=path).fit(X) for _ in range(2))
    assert first._frozen_backbone() is second._frozen_backbone()
    np.testing.assert_allclose(first.encode(X), expected_features(), rtol=1e-4, atol=1e-6)


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


MEANS = IMAGES.mean(axis=(1, 2), dtype="float32")


def test_a_clone_with_code_of_the_users_shares_its_features(passed):
    class Own(layers.Layer):
        def call(self, inputs):
            return 3 * inputs

    branch = ImageBranch(backbone=own_backbone(layers.ReLU()), preprocess=Own(name="own"))
    for fold in (branch, clone(branch)):
        np.testing.assert_allclose(fold.fit(X).encode(X), 3 * MEANS, rtol=1e-4)
    assert len(passed) == N_ROWS


def test_a_fitted_branch_with_code_of_the_users_goes_on_elsewhere():
    @keras.saving.register_keras_serializable("tests")
    class Pickled(layers.Layer):
        def call(self, inputs):
            return 2 * inputs

    branch = ImageBranch(backbone=own_backbone(Pickled()), preprocess=None).fit(X)
    np.testing.assert_allclose(pickle.loads(pickle.dumps(branch)).encode(X), 2 * MEANS, rtol=1e-4)


# --- which backbone ---------------------------------------------------------------------------------------------------


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
    network = MultimodalNetworkRegressor([("image", branch, ["image"])])
    stack = MultimodalStackingClassifier([("image", branch, ["image"]), ("number", Untrained(), ["image"])])
    for estimator in (network, stack):
        with pytest.raises(ValueError, match=f"image.*{message}"):
            estimator.fit(X, Y)


class Untrained(LogisticRegression):
    """Fails the test if training has begun."""

    def fit(self, X, y):
        pytest.fail("the branch should have been checked before")


def test_a_wrong_name_is_found_out_before_anything_is_trained():
    message = "no backbone 'VGG17'. Did you mean 'VGG19' or 'VGG16'"
    with pytest.raises(ValueError, match=message):
        ImageBranch(backbone="VGG17").check_parameters()
    with pytest.raises(ValueError, match=message):
        ImageEmbedder("VGG17").fit(X)


@pytest.mark.parametrize(("name", "side"), [("Xception", 299), ("EfficientNetB3", 300), ("VGG16", 224)])
def test_images_come_in_the_size_of_the_training(name, side):
    branch = ImageBranch(backbone=name, weights=None, trainable=True)
    assert branch.fit(X).cell_shape_ == (side, side, 3)
    assert branch.set_params(size=[64, 32]).fit(X).cell_shape_ == (64, 32, 3)


def test_random_weights_differ_by_seed_and_are_trained():
    branch = ImageBranch((32, 32), backbone="MobileNet", weights=None, trainable=True, hidden=()).fit(X)
    weights = []
    for seed in (0, 0, 1):
        with seeded(seed):
            model = branch.build("image")
        weights.append(model.get_layer("backbone").get_weights()[0])
    np.testing.assert_array_equal(weights[0], weights[1])
    assert not np.array_equal(weights[0], weights[2])
    backbone = model.get_layer("backbone")
    assert not backbone.pretrained
    assert backbone.constants == []  # batch normalisation learns its averages
    images = np.random.default_rng(1).integers(0, 256, size=(4, 32, 32, 3), dtype="uint8")
    assert not np.allclose(model(images, training=True), model(images, training=False), rtol=1e-2)


def test_a_backbone_by_name_is_refused_while_keras_puts_channels_first():
    branch = ImageBranch(size=(32, 32), backbone="MobileNetV2", weights=None, trainable=True).fit(IMAGES)
    keras.config.set_image_data_format("channels_first")
    try:
        with pytest.raises(ValueError, match=r"MobileNetV2 would be .*set_image_data_format\('channels_last'\)"):
            branch.build("image")
    finally:
        keras.config.set_image_data_format("channels_last")


@pytest.mark.parametrize(
    ("parameters", "error", "message"),
    [
        ({"backbone": "nowhere.keras"}, FileNotFoundError, "no file 'nowhere.keras'"),
        ({"weights": "nowhere.h5"}, FileNotFoundError, "no file 'nowhere.h5'"),
        ({"backbone": 3}, TypeError, "expected a backbone by its name .* got 3"),
        ({"backbone": keras.Sequential([layers.Flatten()])}, TypeError, "expected a backbone .* knows its inputs"),
        ({"feature_layer": "head"}, ValueError, "no layer 'head'; its last ones are .*pool, logits"),
        ({"size": (9, 8)}, ValueError, r"takes images of size \(8, 8\), got size=\(9, 8\)"),
        ({"channels": 1}, ValueError, "takes images of 3 channels, got channels=1"),
        ({"backbone": "VGG16", "channels": 1}, ValueError, "'imagenet' are for images of 3 channels"),
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
        _branch(**parameters).fit(X).build("image")


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
    return MultimodalNetworkRegressor([("image", branch, ["image"])], head=(), **settings).fit(X, Y.astype(float))


@pytest.fixture(scope="module")
def trained():
    return _train(_branch(trainable="block2*", augment=("flip", "contrast")))


def _weights(network, layer):
    return network.model_.get_layer("image_branch").get_layer("backbone").model.get_layer(layer).get_weights()


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
    expected = np.asarray(model(IMAGES, training=False))
    np.testing.assert_array_equal(np.asarray(model(IMAGES, training=True)), expected)
    # What stays as it is takes no part in the state of the training.
    backbone.model.get_layer("block1_conv").trainable = False
    constants = {variable.path for variable in backbone.constants}
    assert {path.rpartition("block")[2] for path in constants} >= {"1_conv/kernel", "1_norm/moving_mean"}


def test_a_sub_network_with_a_backbone_can_be_saved(trained, tmp_path):
    model = trained.model_.get_layer("image_branch")
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(
        loaded.predict(IMAGES, verbose=0), model.predict(IMAGES, verbose=0), rtol=1e-5, atol=1e-6
    )
    rates = [[v.learning_rate_multiplier for v in part.trainable_variables] for part in (loaded, model)]
    assert rates == [[0.1] * 4] * 2


def test_pixels_are_encoded_where_the_backbone_is_in_the_network(passed):
    branch = _branch(trainable=5).fit(X)
    np.testing.assert_array_equal(branch.encode(X), IMAGES)
    assert passed == []
    np.testing.assert_allclose(
        branch.build("image").predict(IMAGES, verbose=0), expected_features(), rtol=1e-4, atol=1e-5
    )


@pytest.mark.parametrize("fold_training", ["sequential", "vectorized"])
@pytest.mark.parametrize("parameters", [{"trainable": 5, "augment": ("flip", "rotation", "contrast")}, {}])
def test_folds_are_trained_as_by_themselves(fold_training, parameters):
    network = MultimodalNetworkRegressor(
        [("image", _branch(**parameters), ["image"])],
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
    """Four images, of which the second is cut off and the third is not there."""
    names = []
    for index, image in enumerate(IMAGES[:4]):
        names.append(f"{index}.png")
        Image.fromarray(image).save(tmp_path / names[-1])
    (tmp_path / "1.png").write_bytes((tmp_path / "1.png").read_bytes()[:80])
    (tmp_path / "2.png").unlink()
    return tmp_path, pd.DataFrame({"image": names}, index=list("abcd"))


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
        monkeypatch.setattr("skstack.reading._image_columns._STORE_FROM", 0)
    root, table = files
    branch = _branch(root=root, trainable=trainable, on_error="missing").fit(table)
    for _ in range(2):
        encoded, missing = branch.encode_with_missing(table)
        np.testing.assert_array_equal(missing, [[False], [True], [True], [False]])
        expected = IMAGES[:4] if trainable else expected_features()[:4]
        np.testing.assert_allclose(encoded[[0, 3]], expected[[0, 3]], rtol=1e-4, atol=1e-6)
        np.testing.assert_array_equal(encoded[[1, 2]], np.zeros_like(encoded[[1, 2]]))
    with pytest.raises(TypeError, match=r"row 0 \(index 'a'\): expected an image"):
        branch.encode(table.assign(image=3.5))


def test_a_file_repaired_later_is_no_longer_missing(files):
    root, table = files
    branch = _branch(root=root, on_error="missing").fit(table)
    branch.encode(table)
    Image.fromarray(IMAGES[1]).save(root / "1.png")
    encoded, missing = branch.encode_with_missing(table)
    assert missing[:, 0].tolist() == [False, False, True, False]
    np.testing.assert_allclose(encoded[1], expected_features()[1], rtol=1e-4, atol=1e-6)


def test_missing_cells_need_no_image(passed):
    cells = np.full(4, None, dtype=object)
    cells[0], cells[2] = IMAGES[0], IMAGES[2]
    table = pd.DataFrame({"image": cells})
    encoded, missing = _branch().fit(table).encode_with_missing(table)
    assert missing[:, 0].tolist() == [False, True, False, True]
    assert len(passed) == 2
    np.testing.assert_array_equal(encoded[[1, 3]], np.zeros((2, 5), dtype="float32"))
