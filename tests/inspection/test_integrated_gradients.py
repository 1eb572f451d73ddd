"""Integrated gradients of every branch: they sum to the prediction less that of the baseline."""

import numpy as np
import pandas as pd
import pytest
from _bert import write_folder

from skstack import MultimodalNetworkClassifier, MultimodalNetworkRegressor, MultitaskNetwork
from skstack._backend import keras
from skstack.branches import (
    AudioBranch,
    CategoricalBranch,
    DateBranch,
    EntityBranch,
    ImageBranch,
    ModelBranch,
    NumericBranch,
    SequenceBranch,
    TextBranch,
)
from skstack.inspection import integrated_gradients
from skstack.preprocessing import tensor_column

N_ROWS = 12
SMALL = {"head": (4,), "activation": "tanh", "random_state": 0}


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"area": rng.normal(100, 20, N_ROWS), "rooms": rng.integers(1, 6, N_ROWS).astype(float)})
    X.loc[::5, "area"] = np.nan
    X["zip"], X["heating"] = rng.choice(list("ABC"), N_ROWS), rng.choice(["gas", "oil"], N_ROWS)
    X["sold"] = pd.Timestamp("2026-01-01") + pd.to_timedelta(rng.integers(0, 400, N_ROWS), unit="D")
    X["built"] = pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 400, N_ROWS), unit="D")
    words = np.array("near the park loud old quiet new".split())
    X["note"] = [" ".join(rng.choice(words, rng.integers(1, 6))) for _ in range(N_ROWS)]
    X["title"] = [" ".join(rng.choice(words, 2)) for _ in range(N_ROWS)]
    X["series"] = [rng.normal(size=(rng.integers(2, 7), 2)) for _ in range(N_ROWS)]
    X["photo"] = [*rng.integers(0, 256, (N_ROWS, 6, 6, 3), dtype="uint8")]
    X["sound"] = tensor_column(rng.normal(size=(N_ROWS, 400)))
    X["signal"] = tensor_column(rng.normal(size=(N_ROWS, 5, 2)))
    return X


SMOOTH = {"activation": "tanh"}
NUMBERS = {"embedding": None, "hidden": (4,), "dropout": 0.0, **SMOOTH}
BRANCHES = {
    "numbers": (NumericBranch(**NUMBERS), ["area", "rooms"], (2,)),
    "minmax": (NumericBranch(**NUMBERS, scale="minmax"), ["area", "rooms"], (2,)),
    "periodic": (NumericBranch(**{**NUMBERS, "embedding": "periodic"}, dim=3), ["area", "rooms"], (2,)),
    "shared numbers": (NumericBranch(**NUMBERS, shared=True), ["area", "rooms"], (2,)),
    "categories": (CategoricalBranch(dim=2), ["zip", "heating"], (2,)),
    "onehot": (CategoricalBranch(encoding="onehot", hidden=(3,), **SMOOTH), ["zip", "heating"], (2,)),
    "entities": (EntityBranch(2, "multiply"), ["zip", "heating"], (2,)),
    "dates": (DateBranch(elapsed=True), ["sold", "built"], (2,)),
    "date vectors": (DateBranch(("month",), "embedding", dim=2), ["sold"], (1,)),
    "words": (TextBranch(dim=3, min_frequency=1, max_length=5), ["note"], (5,)),
    "two texts": (TextBranch(encoder="cnn", dim=3, join=False, max_length=3, units=2, min_frequency=1, **SMOOTH),
                  ["note", "title"], (6,)),
    "both ways": (TextBranch(encoder="bigru", dim=3, units=2, min_frequency=1, max_length=5), ["note"], (5,)),
    "attending words": (TextBranch(encoder="transformer", dim=8, n_heads=2, units=3, min_frequency=1, max_length=5,
                                   **SMOOTH), ["note"], (5,)),
    "steps": (SequenceBranch("gru", (3,), max_length=6), ["series"], (6, 2)),
    "photo": (ImageBranch(size=(6, 6), filters=(2,), hidden=(), **SMOOTH), ["photo"], (6, 6)),
    "sound": (AudioBranch(rate=1600, n_mels=8, filters=(2,), hidden=(), **SMOOTH), ["sound"], None),
}  # fmt: skip


# Where the way bends: pooling takes the greatest pixel, and layer normalisation divides by what may be near 0.
STEPS = {"photo": 60, "attending words": 100}


@pytest.mark.parametrize("name", BRANCHES)
def test_attributions_sum_to_the_prediction_less_that_of_the_baseline(table, name):
    branch, columns, shape = BRANCHES[name]
    y = np.arange(N_ROWS) * 1000.0
    network = MultimodalNetworkRegressor([("part", branch, columns)], **SMALL).initialize(table, y)
    result = integrated_gradients(network, table, n_steps=STEPS.get(name, 6))
    attributions = result.attributions["part"]
    if shape is not None:
        assert attributions.shape == (N_ROWS, *shape)
    total = attributions.reshape(N_ROWS, -1).sum(axis=1)
    differences = result.predictions - result.baseline_predictions
    assert np.abs(differences).max() > 1.0  # thousandths of a deviation would say nothing
    np.testing.assert_allclose(total, differences, atol=0.03 * np.abs(differences).max())
    np.testing.assert_allclose(result.predictions, network.predict(table), rtol=1e-4, atol=0.5)


def test_the_error_falls_with_the_number_of_steps(table):
    network = MultimodalNetworkRegressor([("photo", ImageBranch(size=(6, 6), filters=(3,)), ["photo"])], **SMALL)
    network.initialize(table, np.arange(N_ROWS) * 1000.0)
    with pytest.warns(UserWarning, match=r"n_steps=2 points tell\. Give more, such as n_steps=8"):
        few = integrated_gradients(network, table, n_steps=2)
    errors = []
    for result in (few, integrated_gradients(network, table, n_steps=100)):
        total = result.attributions["photo"].sum(axis=(1, 2))
        errors.append(np.abs(total - (result.predictions - result.baseline_predictions)).max())
    assert errors[1] < errors[0] / 5


def linear_network(table):
    """A network whose prediction is 3 times the scaled area less 2 times the scaled rooms."""
    branch = NumericBranch((), embedding=None, scale="standard")
    network = MultimodalNetworkRegressor([("numbers", branch, ["area", "rooms"])], head=(), random_state=0)
    network.initialize(table, np.zeros(len(table)))
    weights = np.array([[3.0], [-2.0], [5.0], [0.0]])
    network.model_.get_layer("output_standardized").set_weights([weights, np.zeros(1)])
    return network


def test_a_linear_network_attributes_its_products(table):
    network = linear_network(table)
    branch = network.branches_[0].branch
    result = integrated_gradients(network, table, n_steps=1)
    filled = table[["area", "rooms"]].fillna({"area": branch.fill_[0]}).to_numpy()
    expected = np.array([3.0, -2.0]) * (filled - branch.fill_) / branch.scale_
    expected[table["area"].isna(), 0] += 5.0  # what the flag of a gap adds counts as the number that is missing
    np.testing.assert_allclose(result.attributions["numbers"], expected, atol=1e-5)
    assert result.names["numbers"].tolist() == ["area", "rooms"]


def test_the_way_can_begin_at_another_row(table):
    network = linear_network(table)
    result = integrated_gradients(network, table, baseline=table.iloc[[1]], n_steps=1)
    predictions = network.predict(table)
    np.testing.assert_allclose(result.baseline_predictions, predictions[1], rtol=1e-5)
    np.testing.assert_allclose(result.attributions["numbers"].sum(axis=1), predictions - predictions[1], atol=1e-4)
    np.testing.assert_allclose(result.attributions["numbers"][1], 0, atol=1e-6)


def test_a_word_that_decides_is_found_under_its_name(table):
    X = table[["note"]].assign(note=["the park", "a loud street", "loud", "park"] * 3)
    network = MultimodalNetworkRegressor(
        [("note", TextBranch(dim=1, min_frequency=1), ["note"])], head=(), random_state=0
    )
    network.initialize(X, np.zeros(N_ROWS))
    vectors = network.model_.get_layer("note_branch").get_layer("vectors")
    words = ["", "[UNK]", "[SEP]", *network.branches_[0].branch.vocabulary_]
    vectors.embeddings.assign([[4.0 if word == "loud" else 0.0] for word in [*words, *[""] * 8][: vectors.input_dim]])
    network.model_.get_layer("output_standardized").set_weights([np.ones((1, 1)), np.zeros(1)])
    result = integrated_gradients(network, X.head(4))
    assert result.names["note"].tolist() == [
        ["the", "park", ""],
        ["a", "loud", "street"],
        ["loud", "", ""],
        ["park", "", ""],
    ]
    expected = np.array([[0, 0, 0], [0, 4 / 3, 0], [4, 0, 0], [0, 0, 0]])
    np.testing.assert_allclose(result.attributions["note"], expected, atol=1e-5)


def test_branches_share_the_difference_or_one_of_them_changes_alone(table):
    parts = [(name, *BRANCHES[name][:2]) for name in ("numbers", "words", "categories")]
    network = MultimodalNetworkClassifier(parts, **SMALL, n_members=2).initialize(table, ["a", "b", "c"] * 4)
    together = integrated_gradients(network, table, output="b", n_steps=5)
    assert together.attributions.keys() == {"numbers", "words", "categories"}
    total = sum(part.sum(axis=1) for part in together.attributions.values())
    np.testing.assert_allclose(total, together.predictions - together.baseline_predictions, atol=1e-3)
    np.testing.assert_allclose(together.predictions, network.predict_proba(table)[:, 1], atol=1e-5)
    alone = integrated_gradients(network, table, branch="words", output="b", n_steps=5)
    assert alone.attributions.keys() == {"words"}
    np.testing.assert_allclose(alone.predictions, together.predictions, atol=1e-6)
    assert np.abs(alone.baseline_predictions - together.baseline_predictions).max() > 1e-5


def test_each_row_is_asked_about_the_class_that_is_predicted_for_it(table):
    network = MultimodalNetworkClassifier([("numbers", *BRANCHES["numbers"][:2])], **SMALL).initialize(
        table, ["no", "yes"] * 6
    )
    result = integrated_gradients(network, table)
    assert result.outputs.tolist() == network.predict(table).tolist()
    np.testing.assert_allclose(result.predictions, network.predict_proba(table).max(axis=1), atol=1e-5)
    total = result.attributions["numbers"].sum(axis=1)
    np.testing.assert_allclose(total, result.predictions - result.baseline_predictions, atol=1e-4)


def test_several_tasks_are_asked_by_name(table):
    y = pd.DataFrame({"price": np.arange(N_ROWS) * 10.0, "kind": ["flat", "house", "hut"] * 4})
    network = MultitaskNetwork([("numbers", *BRANCHES["numbers"][:2])], **SMALL).initialize(table, y)
    prices = integrated_gradients(network, table, output="price")
    np.testing.assert_allclose(prices.predictions, network.predict(table)["price"].astype(float), rtol=1e-4)
    huts = integrated_gradients(network, table, output=("kind", "hut"))
    assert huts.outputs.tolist() == ["hut"] * N_ROWS
    with pytest.raises(ValueError, match="has several tasks"):
        integrated_gradients(network, table)
    with pytest.raises(ValueError, match=r"task 'kind' knows no class 'hat'\. Did you mean 'hut'"):
        integrated_gradients(network, table, output=("kind", "hat"))


def test_what_was_computed_before_the_network_counts_as_a_whole(table, tmp_path):
    layers = [keras.Input((6, 6, 3), name="mine_input"), keras.layers.Conv2D(4, 3, name="mine_conv")]
    photo = ImageBranch(backbone=keras.Sequential(layers, name="mine"), preprocess="tf", hidden=())
    text = TextBranch(encoder=write_folder(tmp_path / "tiny"))
    network = MultimodalNetworkRegressor([("photo", photo, ["photo"]), ("note", text, ["note"])], **SMALL)
    network.initialize(table, np.arange(N_ROWS) * 1000.0)
    result = integrated_gradients(network, table)
    assert [result.attributions[name].shape for name in ("photo", "note")] == [(N_ROWS,), (N_ROWS,)]
    total = result.attributions["photo"] + result.attributions["note"]
    differences = result.predictions - result.baseline_predictions
    np.testing.assert_allclose(total, differences, atol=0.03 * np.abs(differences).max())


def test_a_tuned_encoder_is_traced_back_to_its_words(table, tmp_path):
    text = TextBranch(encoder=write_folder(tmp_path / "tiny"), trainable=1)
    network = MultimodalNetworkRegressor([("note", text, ["note"])], **SMALL).initialize(
        table, np.arange(N_ROWS) * 1000.0
    )
    result = integrated_gradients(network, table, n_steps=6)
    assert result.attributions["note"].shape == result.names["note"].shape
    differences = result.predictions - result.baseline_predictions
    np.testing.assert_allclose(
        result.attributions["note"].sum(axis=1), differences, atol=0.03 * np.abs(differences).max()
    )
    assert (result.attributions["note"][result.names["note"] == ""] == 0).all()


def test_integers_of_a_model_of_the_users_have_no_gradient(table):
    inputs = keras.Input((5, 2), dtype="int32", name="mine_input")
    outputs = keras.layers.Flatten(name="mine_flatten")(keras.layers.Embedding(4, 2, name="mine_vectors")(inputs))
    X = pd.DataFrame({"codes": tensor_column(np.ones((N_ROWS, 5, 2), dtype="int32"))})
    branch = ModelBranch(keras.Model(inputs, outputs, name="mine"))
    network = MultimodalNetworkRegressor([("codes", branch, ["codes"])], head=(), random_state=0)
    network.initialize(X, np.arange(N_ROWS, dtype=float))
    with pytest.raises(ValueError, match="branch 'codes' gives integers"):
        integrated_gradients(network, X)


@pytest.mark.parametrize(
    ("params", "error", "message"),
    [
        ({"branch": "nubers"}, ValueError, "Did you mean 'numbers'"),
        ({"n_steps": 0}, ValueError, "n_steps == 0"),
        ({"output": 1}, ValueError, "the network has 1 outputs: 'output' should be the position of one, got 1"),
    ],
)
def test_what_is_not_there_is_refused(table, params, error, message):
    with pytest.raises(error, match=message):
        integrated_gradients(linear_network(table), table, **params)


def test_a_baseline_has_one_row_or_as_many(table):
    with pytest.raises(ValueError, match="'baseline' should have one row or as many as X, 12, got 3"):
        integrated_gradients(linear_network(table), table, baseline=table.head(3))
