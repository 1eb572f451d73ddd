"""What holds for every branch: the same tests with one case each. A new branch adds a line to CASES."""

import functools
import io
import os
import pickle
import subprocess
import sys
import tempfile
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pytest
from _bert import write_folder
from PIL import Image
from scipy.io import wavfile
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

import skstack.branches
from skstack import MultimodalNetworkRegressor, MultimodalStackingRegressor
from skstack._backend import keras
from skstack._validation import split_rows
from skstack.branches import (
    AudioBranch,
    Branch,
    CategoricalBranch,
    DateBranch,
    EntityBranch,
    ImageBranch,
    ModelBranch,
    NumericBranch,
    PretrainedBranch,
    SequenceBranch,
    TextBranch,
)
from skstack.caching._content import digest
from skstack.preprocessing import tensor_column
from skstack.training._seeds import draw_seed, seeded
from skstack.training._values import assign_values, values_of

N_ROWS = 24


def _numbers():
    X = pd.DataFrame(np.random.default_rng(0).normal(size=(N_ROWS, 2)), columns=["area", "rooms"])
    X.loc[::5, "area"] = np.nan
    return X


def _categories():
    rng = np.random.default_rng(1)
    columns = {"zip": rng.choice(["A", "B", "C"], N_ROWS), "heated": rng.choice([True, False], N_ROWS)}
    return pd.DataFrame(columns, dtype=object)


def _images():
    pixels = np.random.default_rng(2).integers(0, 256, size=(N_ROWS, 6, 5, 3), dtype="uint8")
    return pd.DataFrame({"photo": [Image.fromarray(image) for image in pixels]})


def _tensors():
    return pd.DataFrame({"signal": tensor_column(np.random.default_rng(3).normal(size=(N_ROWS, 5, 2)))})


def _reviews():
    words = np.random.default_rng(5).choice(["red", "blue", "hat", "coat", "fits"], (N_ROWS, 2, 3)).astype(object)
    return pd.DataFrame(
        {"title": [" ".join(row) for row in words[:, 0]], "text": [" ".join(row) for row in words[:, 1]]}
    )


def _teams():
    rng = np.random.default_rng(6)
    return pd.DataFrame({name: rng.choice(list("ABCD"), N_ROWS) for name in ("team_1", "team_2")}, dtype=object)


def _dates():
    rng = np.random.default_rng(11)
    X = pd.DataFrame({"begin": pd.Timestamp("2026-01-01") + pd.to_timedelta(rng.integers(0, 9000, N_ROWS), unit="h")})
    X["end"] = X["begin"] + pd.to_timedelta(rng.integers(0, 90, N_ROWS), unit="min")
    X.loc[::5, "begin"] = pd.NaT
    return X


def _sequences():
    rng = np.random.default_rng(7)
    return pd.DataFrame({"speech": [rng.normal(size=(rng.integers(2, 9), 2)) for _ in range(N_ROWS)]})


def _window():
    return pd.DataFrame(np.random.default_rng(8).normal(size=(N_ROWS, 3)), columns=["8 h", "9 h", "10 h"])


def _recordings():
    return pd.DataFrame({"call": tensor_column(np.random.default_rng(9).normal(size=(N_ROWS, 400)))})


def small_model(input_shape):
    """A convolution over a signal, its layers named so that every build gives the same architecture."""
    layers = [
        keras.layers.Conv1D(3, 3, data_format="channels_last", name="mine_conv"),
        keras.layers.Flatten("channels_last", name="mine_flatten"),
    ]
    return keras.Sequential([keras.Input(input_shape, name="mine_input"), *layers], name="mine")


def small_backbone():
    layers = [keras.layers.Conv2D(4, 3, name="mine_conv"), keras.layers.BatchNormalization(name="mine_norm")]
    return keras.Sequential([keras.Input((6, 6, 3), name="mine_input"), *layers], name="mine")


BACKBONE = {"backbone": small_backbone(), "preprocess": "tf"}
FOLDER = tempfile.TemporaryDirectory()
ENCODER = write_folder(Path(FOLDER.name) / "tiny")
DENSE = {"hidden": (3,), "dropout": 0.1, "batch_norm": True, "activation": "prelu"}

# Per case: the branch, rows to train on, and a row of cells that training never showed.
CASES = {
    "numeric": (NumericBranch(skip=True, **DENSE), _numbers, [np.nan, 1e6]),
    "embedding": (CategoricalBranch(**DENSE), _categories, [None, "unseen"]),
    "onehot": (CategoricalBranch(encoding="onehot", **DENSE), _categories, [None, "unseen"]),
    "image": (ImageBranch(size=(6, 6), filters=(2, 2), **DENSE), _images, [None]),
    "augmented": (ImageBranch(size=(6, 6), filters=(2, 2), augment=("rotation",), **DENSE), _images, [None]),
    "frozen backbone": (ImageBranch(**BACKBONE, **DENSE), _images, [None]),
    "backbone": (ImageBranch(**BACKBONE, trainable=True, augment=("flip",), **DENSE), _images, [None]),
    "piecewise": (
        NumericBranch(embedding="piecewise", scale="robust", dim=3, n_bins=4, **DENSE),
        _numbers,
        [np.nan, 1e6],
    ),
    "periodic": (NumericBranch(embedding="periodic", dim=3, n_frequencies=4, **DENSE), _numbers, [np.nan, 1e6]),
    "date": (DateBranch(elapsed=True, **DENSE), _dates, [None, pd.Timestamp("2199-12-31 23:59")]),
    "date vectors": (
        DateBranch(("year", "month", "hour"), "embedding", dim=2, **DENSE),
        _dates,
        [None, pd.Timestamp("1912-06-23")],
    ),
    "entity": (EntityBranch(2, "subtract", **DENSE), _teams, [None, "unseen"]),
    "entity dot": (EntityBranch(2, "dot", **DENSE), _teams, [None, "unseen"]),
    "text": (TextBranch(dim=3, **DENSE), _reviews, [None, "never seen"]),
    "text gru": (TextBranch("subword", "gru", dim=3, units=2, max_length=6, **DENSE), _reviews, [None, "never seen"]),
    "frozen encoder": (TextBranch(encoder=ENCODER, **DENSE), _reviews, [None, "never seen"]),
    "encoder": (TextBranch(encoder=ENCODER, trainable=1, **DENSE), _reviews, [None, "never seen"]),
    "encoder with adapters": (
        TextBranch(encoder=ENCODER, adapter_rank=2, max_length=4, **DENSE),
        _reviews,
        [None, "never seen"],
    ),
    "sequence": (SequenceBranch("gru", 3, max_length=4, **DENSE), _sequences, [None]),
    "convolved sequence": (SequenceBranch("cnn", (3, 2), halve=True, **DENSE), _sequences, [None]),
    "window": (SequenceBranch("dense", 3, **DENSE), _window, [np.nan, 1e6, 0.0]),
    "audio": (AudioBranch(0.1, rate=4000, n_mels=8, filters=(2, 2), **DENSE), _recordings, [None]),
    "model": (ModelBranch(small_model, **DENSE), _tensors, [None]),
}


#: What lies in a file that a branch reads.
PNG, WAV = io.BytesIO(), io.BytesIO()
Image.fromarray(np.random.default_rng(2).integers(0, 256, size=(6, 6, 3), dtype="uint8")).save(PNG, "png")
wavfile.write(WAV, 4000, np.random.default_rng(9).normal(size=400).astype("float32"))
CONTENTS = {ImageBranch: PNG.getvalue(), AudioBranch: WAV.getvalue()}


class Fitted:
    """A case, with a network around the branch that was trained once for all tests."""

    def __init__(self, name):
        self.branch, rows, self.strange = CASES[name]
        self.X = rows()
        self.y = np.random.default_rng(4).normal(size=N_ROWS)
        self.network = self.train(self.X, self.y)
        self.fitted = self.network.branches_[0][1]
        self.submodel = self.network.model_.get_layer("part_branch")

    def train(self, X, y):
        network = MultimodalNetworkRegressor([("part", self.branch)], head=(), epochs=1, random_state=0)
        return network.fit(X, y)


@functools.cache
def _fitted(name):
    """Return a case with two stacks around its branch."""
    case = Fitted(name)
    # Right behind the network, whose compiled program they use.
    case.stacks = {training: _stacked(case, training) for training in ("joint", "individual")}
    return case


@pytest.fixture(scope="module", params=list(CASES))
def case(request):
    return _fitted(request.param)


def test_every_public_branch_is_here():
    # A pretrained branch is one of the others inside, which begins with weights that are given.
    public = {getattr(skstack.branches, name) for name in skstack.branches.__all__} - {Branch, PretrainedBranch}
    assert public == {type(branch) for branch, _, _ in CASES.values()}


def test_encoded_rows_are_as_announced(case):
    encoded = case.fitted.encode(case.X)
    assert encoded.shape == (N_ROWS, *case.fitted.input_shape_)
    assert encoded.dtype == case.fitted.input_dtype_


def test_a_row_is_encoded_as_among_others(case):
    np.testing.assert_array_equal(case.fitted.encode(case.X.iloc[[7]])[0], case.fitted.encode(case.X)[7])


def test_encoding_leaves_the_table_alone(case):
    before = joblib.hash(case.X)
    clone(case.branch).fit(case.X).encode(case.X)
    assert joblib.hash(case.X) == before


def test_submodel_takes_the_encoded_rows_and_gives_a_vector(case):
    assert tuple(case.submodel.input_shape[1:]) == case.fitted.input_shape_
    assert len(case.submodel.output_shape) == 2
    features = case.submodel.predict(case.fitted.encode(case.X), verbose=0)
    assert features.shape == (N_ROWS, case.submodel.output_shape[1])
    assert np.isfinite(features).all()


def test_in_detail_it_computes_the_same_and_names_layers_that_it_has(case):
    detailed = case.fitted.in_detail()
    encoded = detailed.encode(case.X)
    np.testing.assert_array_equal(encoded, case.fitted.encode(case.X))
    model, values = detailed.assemble("part"), values_of(case.submodel)
    assign_values(model, {name: values.get(name, value) for name, value in values_of(model).items()})
    expected = case.submodel.predict(encoded, verbose=0)
    np.testing.assert_allclose(model.predict(encoded, verbose=0), expected, rtol=1e-4, atol=1e-5)
    layers = [layer.name for layer in model.layers]
    assert all(path.split("/")[0] in layers for path in detailed.attributed_layers)
    assert detailed.attributed_layers or detailed.input_dtype_.startswith("float")


def test_dense_layers_are_as_asked(case):
    names = {layer.name for layer in case.submodel.layers}
    assert {"dense_1", "dense_1_norm", "dense_1_prelu", "dense_1_dropout"} <= names
    assert case.submodel.get_layer("dense_1").units == 3


def test_build_is_the_same_for_the_same_seed(case):
    built = []
    for seed in (0, 0, 1):
        with seeded(seed):
            built.append(case.fitted.build("part_branch").get_weights())
    assert all(np.array_equal(a, b) for a, b in zip(built[0], built[1], strict=True))
    assert not all(np.array_equal(a, b) for a, b in zip(built[0], built[2], strict=True))


def test_training_changes_the_weights(case):
    with seeded(draw_seed(0)):
        untrained = case.fitted.build("part_branch")
    assert not np.array_equal(untrained.get_layer("dense_1").kernel, case.submodel.get_layer("dense_1").kernel)


def test_network_predicts_from_the_branch(case):
    predicted = case.network.predict(case.X)
    assert predicted.shape == (N_ROWS,)
    assert np.ptp(predicted) > 0


def test_strange_cells_are_predicted_where_missing_ones_are_allowed(case):
    assert case.branch.allow_missing
    strange = pd.DataFrame([case.strange, case.strange[::-1]], columns=case.X.columns)
    assert np.isfinite(case.network.predict(strange)).all()


def test_missing_rows_are_trained_with(case):
    X = _emptied(case.X, [0, 7, 8])
    network = case.train(X, case.y)
    predicted = network.predict(pd.DataFrame(None, index=range(2), columns=X.columns, dtype=object))
    assert np.isfinite(predicted).all()
    assert np.ptp(predicted) == 0
    assert network.missing_rows(X.head(9))["part"].tolist() == [row in (0, 7, 8) for row in range(9)]
    if case.branch.missing_embedding:
        assert np.any(network.model_.get_layer("part_missing_embedding").difference)
        assert not case.fitted.encode(X)[7].any()


def _emptied(X, rows):
    """Return a table with some rows missing; a tensor column takes no None."""
    return X.reindex([-1 if row in rows else row for row in range(len(X))]).reset_index(drop=True)


def test_columns_may_share_the_branch(case):
    X = pd.concat(
        [
            case.X.iloc[:, [0]].set_axis(["one"], axis=1),
            case.X.iloc[::-1, [0]].set_axis(["two"], axis=1).set_index(case.X.index),
        ],
        axis=1,
    )
    branch = clone(case.branch).set_params(shared=True, merge="subtract")
    network = MultimodalNetworkRegressor([("part", branch)], head=(), epochs=1, random_state=0).fit(X, case.y)
    swapped = X[["two", "one"]].set_axis(["one", "two"], axis=1)
    features = [_features_of(network, table) for table in (X, swapped)]
    np.testing.assert_allclose(features[0], -features[1], rtol=1e-4, atol=1e-5)


def _features_of(network, X):
    merged = network.model_.get_layer("part_merge").output
    return keras.Model(network.model_.inputs, merged).predict(network.encode(X), verbose=0)


def test_clone_has_the_parameters_and_nothing_learned(case):
    cloned = clone(case.fitted)
    assert cloned.get_params() == case.branch.get_params()
    with pytest.raises(NotFittedError):
        cloned.build("part_branch")


def test_repr_shows_what_differs_from_the_defaults(case):
    shown = repr(case.branch)
    assert shown.startswith(f"{type(case.branch).__name__}(")
    assert "activation='prelu'" in shown


def test_fit_changes_no_parameter(case):
    assert case.fitted.get_params() == case.branch.get_params()


def test_pickle_keeps_what_was_learned(case):
    again = pickle.loads(pickle.dumps(case.fitted))
    np.testing.assert_array_equal(again.encode(case.X), case.fitted.encode(case.X))
    with seeded(0):
        expected = case.fitted.build("part_branch").get_weights()
    with seeded(0):
        built = again.build("part_branch").get_weights()
    assert all(np.array_equal(a, b) for a, b in zip(expected, built, strict=True))


def test_submodel_is_saved_and_loaded_by_keras(case, tmp_path):
    keras.saving.save_model(case.submodel, tmp_path / "part.keras")
    loaded = keras.saving.load_model(tmp_path / "part.keras")
    encoded = case.fitted.encode(case.X)
    np.testing.assert_allclose(
        loaded.predict(encoded, verbose=0), case.submodel.predict(encoded, verbose=0), rtol=1e-5, atol=1e-6
    )


@pytest.fixture
def channels_first():
    keras.config.set_image_data_format("channels_first")
    yield
    keras.config.set_image_data_format("channels_last")


def test_the_order_of_channels_that_keras_is_set_to_changes_nothing(case, request):
    encoded = case.fitted.encode(case.X)
    expected = case.submodel.predict(encoded, verbose=0)
    request.getfixturevalue("channels_first")
    again = clone(case.branch).fit(case.X)
    np.testing.assert_array_equal(again.encode(case.X), encoded)
    model = again.build("part_branch")
    model.set_weights(case.submodel.get_weights())
    np.testing.assert_allclose(model.predict(encoded, verbose=0), expected, rtol=1e-5, atol=1e-6)


def test_rows_outside_the_training_part_leave_no_trace(case):
    _, held_out = split_rows(N_ROWS, None, 0.1, draw_seed(0))
    source = np.arange(N_ROWS)
    source[held_out] = (held_out + 1) % N_ROWS
    X, y = case.X.iloc[source].reset_index(drop=True), case.y.copy()
    if case.strange == [None]:
        X = _emptied(X, held_out[:1])
    else:
        X.iloc[held_out[0]] = case.strange
    y[held_out] += 100.0
    other = case.train(X, y)
    assert len(held_out)
    # Not by a hash of what pickle makes of it: Keras writes the second into the file of a model.
    content = digest(vars(case.fitted))
    assert content is not None and digest(vars(other.branches_[0][1])) == content
    for mine, theirs in zip(case.network.model_.get_weights(), other.model_.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, theirs)


@pytest.mark.parametrize(
    ("parameter", "value", "message"),
    [
        ("hidden", (3, 0), "'hidden' should be a tuple of positive integers"),
        ("hidden", 2.5, "'hidden' parameter"),
        ("hidden", True, "'hidden' should be a tuple of positive integers, got True"),
        ("hidden", (3, True), "'hidden' should be a tuple of positive integers"),
        ("activation", "rellu", "unknown activation 'rellu'. Did you mean 'relu'"),
        ("dropout", 1.0, "'dropout' parameter"),
        ("batch_norm", "yes", "'batch_norm' parameter"),
    ],
)
def test_parameters_of_the_dense_layers_are_checked(case, parameter, value, message):
    with pytest.raises(ValueError, match=message):
        clone(case.branch).set_params(**{parameter: value}).fit(case.X)


def test_misspelled_parameters_get_a_hint(case):
    kind = type(case.branch).__name__
    with pytest.raises(ValueError, match=rf"(?s)Invalid parameter 'hiden' for estimator {kind}.*Did you mean 'hidden'"):
        clone(case.branch).set_params(hiden=(3,))


def test_classes_in_the_place_of_estimators_are_refused(case):
    branch = clone(case.branch)
    branch.hidden = MultimodalNetworkRegressor
    with pytest.raises(TypeError, match=r"'hidden' of .*got the class MultimodalNetworkRegressor: did you forget"):
        branch.fit(case.X)


def test_numbers_of_units_may_be_numpys(case):
    branch = clone(case.branch).set_params(hidden=np.array([3]))
    model = branch.fit(case.X).build("part_branch")
    assert model.get_layer("dense_1").units == 3


# --- in a new process -------------------------------------------------------------------------------------------------


LOAD_MODELS = """
import sys
import skstack
import keras
import numpy as np

folder, names = sys.argv[1], sys.argv[2].split(",")
for number, name in enumerate(names):
    model = keras.saving.load_model(f"{folder}/{number}.keras")
    inputs = dict(np.load(f"{folder}/{number}.npz"))
    np.save(f"{folder}/{number}.npy", np.asarray(model(inputs, training=False)))
"""

LOAD_ESTIMATORS = """
import sys
import joblib
import numpy as np

loaded, tables = joblib.load(f"{sys.argv[1]}/fitted.joblib")
joblib.dump({name: estimator.predict(tables[name]) for name, estimator in loaded.items()}, f"{sys.argv[1]}/predicted")
"""


@pytest.fixture(scope="module")
def every_case():
    """All cases by name."""
    return {name: _fitted(name) for name in CASES}


def _stacked(case, training):
    template = MultimodalNetworkRegressor(head=(), epochs=1, fold_training="sequential")
    stack = MultimodalStackingRegressor([("part", case.branch)], network=template, training=training, cv=2)
    return stack.set_params(random_state=0).fit(case.X, case.y)


def _in_a_new_process(code, *arguments):
    # A pickle of a function of this module imports it, and what it imports.
    path = os.pathsep.join(filter(None, [str(Path(__file__).parents[1]), os.environ.get("PYTHONPATH")]))
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=500,
        env={**os.environ, "PYTHONPATH": path},
    )
    assert done.returncode == 0, done.stderr


def test_saved_models_load_in_a_process_that_has_imported_skstack_and_keras(every_case, tmp_path):
    expected = []
    for number, case in enumerate(every_case.values()):
        case.network.model_.save(tmp_path / f"{number}.keras")
        encoded = {name: np.asarray(rows) for name, rows in case.network.encode(case.X).items()}
        np.savez(tmp_path / f"{number}.npz", **encoded)
        expected.append(np.asarray(case.network.model_(encoded, training=False)))
    _in_a_new_process(LOAD_MODELS, tmp_path, ",".join(every_case))
    for number, name in enumerate(every_case):
        np.testing.assert_allclose(np.load(tmp_path / f"{number}.npy"), expected[number], rtol=1e-5, err_msg=name)


def test_pickled_networks_and_stacks_predict_the_same_in_a_new_process(every_case, tmp_path):
    fitted, tables = {}, {}
    for name, case in every_case.items():
        for kind, estimator in {"network": case.network, **case.stacks}.items():
            fitted[name, kind], tables[name, kind] = estimator, case.X
    joblib.dump((fitted, tables), tmp_path / "fitted.joblib")
    _in_a_new_process(LOAD_ESTIMATORS, tmp_path)
    predicted = joblib.load(tmp_path / "predicted")
    for name, estimator in fitted.items():
        np.testing.assert_allclose(predicted[name], estimator.predict(tables[name]), rtol=1e-5, err_msg=str(name))


# --- weights and columns ----------------------------------------------------------------------------------------------


def _learned(branch, X, sample_weight=None):
    """Return the weights of a sub-network with what a branch learns from some rows, and how it encodes all of them."""
    fitted = clone(branch).fit(X, sample_weight=sample_weight)
    with seeded(0):
        return [*fitted.build("part").get_weights(), np.asarray(fitted.encode(X))]


def test_rows_of_weight_0_teach_a_branch_nothing(case):
    """The strangest rows there are, of weight 0, leave what is learned as it is without them."""
    strange = pd.DataFrame([case.strange] * 5, columns=case.X.columns)
    X = pd.concat([case.X.astype(object), strange.astype(object)], ignore_index=True).astype(case.X.dtypes.to_dict())
    weight = np.repeat([1.0, 0.0], [N_ROWS, 5])
    fitted = clone(case.branch).fit(X, sample_weight=weight)
    with seeded(0):
        weights = fitted.build("part").get_weights()
    assert fitted.input_shape_ == case.fitted.input_shape_
    for mine, without in zip(weights, _learned(case.branch, case.X)[:-1], strict=True):
        np.testing.assert_array_equal(mine, without)


def test_weights_count_as_rows_that_are_repeated(case):
    """Means and quantiles; how often a category or token occurs is a number of rows, whatever their weights."""
    weight = np.random.default_rng(10).integers(0, 4, N_ROWS)
    has_tokens = isinstance(case.branch, TextBranch) and case.fitted.input_dtype_ == "int32"
    has_means = case.fitted._takes_weights() and not has_tokens
    rows = np.repeat(np.arange(N_ROWS), weight if has_means else np.sign(weight))
    weighted, repeated = clone(case.branch).fit(case.X, sample_weight=weight), clone(case.branch).fit(case.X.iloc[rows])
    np.testing.assert_array_equal(np.asarray(weighted.encode(case.X)), np.asarray(repeated.encode(case.X)))
    for one, other in zip(*map(_weights_of, (weighted, repeated)), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)


def _weights_of(fitted):
    with seeded(0):
        return fitted.build("part").get_weights()


def test_a_branch_without_columns_is_refused(case):
    with pytest.raises(ValueError, match="at least one column"):
        clone(case.branch).fit(case.X.iloc[:, []])
    for columns in ([], lambda X: [], slice(0, 0)):
        network = MultimodalNetworkRegressor([("part", case.branch, columns)])
        stack = MultimodalStackingRegressor([("part", case.branch, columns)], cv=2)
        for estimator in (network, stack):
            with pytest.raises(ValueError, match=r"branch 'part': columns=.* choose none of the columns of X"):
                estimator.fit(case.X, case.y)


# --- branches that read files -----------------------------------------------------------------------------------------


@pytest.fixture(params=[name for name, (branch, *_) in CASES.items() if hasattr(branch, "root")])
def reading(request, tmp_path, monkeypatch):
    """A branch that reads files, the folder it reads from, and a file in it and one beside it."""
    monkeypatch.setenv("SKSTACK_CACHE", str(tmp_path / "cache"))
    branch = CASES[request.param][0]
    root = tmp_path / "root"
    root.mkdir()
    for path in (root / "good", tmp_path / "outside"):
        path.write_bytes(CONTENTS[type(branch)])
    return clone(branch).set_params(root=root), root


def _files(*names):
    return pd.DataFrame({"file": names}, index=[f"row of {n}" for n in range(len(names))], dtype=object)


def _assert_refused(branch, name, message):
    """Check that a file is an error that names its row, or missing where that is wished for."""
    X = _files("good", name, "good")
    with pytest.raises((ValueError, OSError), match=rf"row 1 \(index 'row of 1'\): .*{message}") as caught:
        clone(branch).fit(_files("good")).encode(X)
    str(caught.value).encode()  # can be written to a log
    fitted = clone(branch).set_params(on_error="missing").fit(X)
    encoded, missing = fitted.encode_with_missing(X)
    assert missing.ravel().tolist() == [False, True, False]
    np.testing.assert_array_equal(encoded[0], encoded[2])
    assert not np.asarray(encoded[1]).any()


OUTSIDE = {
    "dots": lambda root: "../outside",
    "dots on the way": lambda root: "sub/../../outside",
    "absolute": lambda root: str(root.parent / "outside"),
    "absolute with dots": lambda root: str(root / ".." / "outside"),
    "path": lambda root: root.parent / "outside",
    "link": lambda root: "link",
    "link to a folder": lambda root: os.path.join("up", "outside"),
    "a folder of the same beginning": lambda root: str(root) + "-2/outside",
}


@pytest.mark.parametrize("way", list(OUTSIDE))
def test_paths_do_not_lead_out_of_root_unless_allowed(reading, way):
    branch, root = reading
    (root / "sub").mkdir()
    (root / "link").symlink_to(root.parent / "outside")
    (root / "up").symlink_to(root.parent)
    (root.parent / "root-2").mkdir()
    (root.parent / "root-2" / "outside").write_bytes((root / "good").read_bytes())
    name = OUTSIDE[way](root)
    _assert_refused(branch, name, r"leads out of root='.*root'; allow_outside_root=True allows it")
    encoded = branch.set_params(allow_outside_root=True).fit(_files("good")).encode(_files("good", name))
    np.testing.assert_array_equal(encoded[0], encoded[1])


def test_paths_that_stay_inside_root_are_read(reading):
    branch, root = reading
    (root / "sub").mkdir()
    (root / "link").symlink_to("good")
    (root.parent / "other name").symlink_to(root)
    X = _files("good", "./good", "sub/../good", str(root / "good"), "link", root / "link")
    for folder in (root, str(root), root.parent / "other name", os.path.relpath(root)):
        encoded = clone(branch).set_params(root=folder).fit(X).encode(X)
        assert all(np.array_equal(row, encoded[0]) for row in encoded)


def test_paths_without_root_lead_anywhere(reading):
    branch, root = reading
    X = _files(str(root / "good"), str(root / ".." / "outside"))
    encoded = branch.set_params(root=None).fit(X).encode(X)
    np.testing.assert_array_equal(encoded[0], encoded[1])


@pytest.mark.parametrize("root", ["root", None])
@pytest.mark.parametrize("name", ["lone \ud800 surrogate", "null \0 character"])
def test_names_that_no_file_can_have_are_an_error_or_missing(reading, monkeypatch, name, root):
    branch, folder = reading
    monkeypatch.chdir(folder)
    message = "no file can have the name .*(surrogate|null character)"
    _assert_refused(branch.set_params(root=root and folder), name, message)
    _assert_refused(branch, folder / name, message)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no FIFOs on Windows")
def test_a_fifo_is_an_error_or_missing_and_not_waited_for(reading):
    branch, root = reading
    os.mkfifo(root / "fifo")
    _assert_refused(branch, "fifo", "no regular file, but a FIFO, socket or device")
    (root / "link").symlink_to("fifo")
    _assert_refused(branch, "link", "no regular file")


@pytest.mark.skipif(not os.path.exists(os.devnull), reason="there are no devices in files on Windows")
def test_a_device_is_an_error_or_missing(reading):
    branch, _ = reading
    _assert_refused(branch.set_params(allow_outside_root=True), os.devnull, "no regular file")
