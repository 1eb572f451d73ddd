"""One Keras model of branches, fusion, head and outputs, and the inputs that it takes."""

import numpy as np
import pandas as pd
import pytest
from _data import mixed_frame
from _networks import BRANCHES, FAST, labels
from sklearn.base import clone

from skstack import MultimodalNetworkRegressor
from skstack._backend import keras
from skstack.branches import CategoricalBranch, ImageBranch, NumericBranch
from skstack.branches._layers import Dropout
from skstack.network._assembly import Architecture, Assembly, encode_rows, fit_branches, missing_rows
from skstack.tasks._classification import ClassificationTask
from skstack.tasks._regression import RegressionTask
from skstack.tasks._targets import Targets
from skstack.training._fit import Job, Schedule, fit
from skstack.training._values import values_of


@pytest.fixture(scope="module")
def data():
    return mixed_frame()


@pytest.fixture(scope="module")
def fitted(data):
    X, y = data
    return MultimodalNetworkRegressor(BRANCHES, **FAST).fit(X, y)


def test_model_has_named_inputs_and_a_named_sub_model_per_branch(fitted):
    assert {tensor.name for tensor in fitted.model_.inputs} == {"numbers", "place"}
    for name in ("numbers", "place"):
        assert isinstance(fitted.model_.get_layer(f"{name}_branch"), keras.Model)


def test_head_has_as_many_layers_as_asked_for(data):
    X, y = data
    network = MultimodalNetworkRegressor(BRANCHES, head=(7, 5, 3), dropout=0.1, activation="prelu", **FAST)
    model = network.initialize(X, y).model_
    assert [model.get_layer(f"head_{number}").units for number in (1, 2, 3)] == [7, 5, 3]
    assert sum(isinstance(layer, Dropout) for layer in model.layers) == 3


def test_saved_model_predicts_alone_in_the_units_of_the_target(tmp_path, data, fitted):
    X, _ = data
    fitted.model_.save(tmp_path / "model.keras")
    model = keras.saving.load_model(tmp_path / "model.keras")
    encoded = {
        "numbers": X[["area", "rooms"]].to_numpy("float32"),
        "place": fitted.branches_[1][1].encode(X[["zip"]]),
    }
    np.testing.assert_allclose(model.predict(encoded, verbose=0)[:, 0], fitted.predict(X), rtol=1e-5)


TAKEN = ["x", "x_branch", "concatenate", "head_1", "head_1_relu", "output", "output_standardized", "standardised"]


@pytest.mark.parametrize("shared", [False, True])
def test_no_name_of_a_branch_collides_with_ours(data, shared, tmp_path):
    X, y = data
    branches = [(name, CategoricalBranch(shared=shared), ["zip"]) for name in TAKEN]
    plain = [(f"part_{index}", branch, columns) for index, (_, branch, columns) in enumerate(branches)]
    settings = {**FAST, "modality_dropout": 0.2}
    network = MultimodalNetworkRegressor(branches, **settings).fit(X, y)
    np.testing.assert_allclose(
        network.predict(X), MultimodalNetworkRegressor(plain, **settings).fit(X, y).predict(X), rtol=1e-5
    )
    assert {name for name in network.encode(X) if "__" not in name} == set(TAKEN)
    network.model_.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(np.ravel(loaded(network.encode(X))), network.predict(X), rtol=1e-5)


class _TwoTasks:
    """A target of two tasks."""

    def __init__(self, X, y):
        self.tasks = {"price": RegressionTask(), "kind": ClassificationTask("Network")}
        self.targets = Targets(self.tasks, {"price": y, "kind": labels(y)})
        rows = np.arange(len(y))
        self.targets.fit(rows, {})
        parts = fit_branches([(name, clone(branch), columns) for name, branch, columns in BRANCHES], X, rows)
        self.assembly = Assembly(parts, self.tasks, Architecture("two", "concatenate", (8,), "relu", 0.0, 0.0))


def test_a_network_has_an_output_for_each_of_several_tasks(data):
    X, y = data
    two = _TwoTasks(X, y)
    model = two.assembly.build()
    two.assembly.assign_statistics(model)
    outputs = model(encode_rows(two.assembly, X))
    assert {name: tuple(output.shape) for name, output in outputs.items()} == {"price": (60, 1), "kind": (60, 1)}
    np.testing.assert_allclose(model.get_layer("price").center, [y.mean()], rtol=1e-6)
    settings = {
        "optimizer": keras.optimizers.Adam(0.05),
        "loss": {"price": keras.losses.MeanSquaredError(), "kind": keras.losses.BinaryCrossentropy()},
        "metrics": {"price": [], "kind": ["accuracy"]},
        "loss_weights": {"price": 1.0, "kind": 1.0},
    }
    data = {"inputs": encode_rows(two.assembly, X), **two.targets.encode()}
    job = Job(values_of(model), data, np.arange(60), np.arange(0), seed=0)
    schedule = Schedule(20, 0, 16, 9, [])
    (trained,) = fit(model, settings, lambda: two.assembly.compiled(settings), [job], schedule)
    assert trained.history["kind_accuracy"][-1] > 0.8
    assert trained.history["loss"][-1] < 0.5 * trained.history["loss"][0]


def test_tasks_may_be_called_like_branches_and_layers_of_ours(data):
    X, _ = data
    names = ["numbers", "head_1", "place_branch", "Fläche", "yield strength"]
    tasks = {name: RegressionTask().fit(np.arange(60.0)) for name in names}
    parts = fit_branches([(name, clone(branch), columns) for name, branch, columns in BRANCHES], X, np.arange(60))
    assembly = Assembly(parts, tasks, Architecture("many", "concatenate", (8,), "relu", 0.0, 0.0))
    model = assembly.build()
    assembly.assign_statistics(model)
    outputs = assembly.by_task(model(encode_rows(assembly, X)))
    assert list(outputs) == names
    assert model.get_layer("Flache").name in assembly.output_names.values()


def test_assemblies_are_compared_by_branches_and_tasks(data):
    X, y = data
    one, other = _TwoTasks(X, y).assembly, _TwoTasks(X, -y).assembly
    assert one.is_built_like(other)
    other.tasks["price"] = RegressionTask().fit(np.column_stack([y, y]))
    assert not one.is_built_like(other)


# --- rows -------------------------------------------------------------------------------------------------------------


def _parts():
    return [
        ("numbers", NumericBranch((8,), scale="standard"), ["area", "rooms"]),
        ("place", CategoricalBranch(), ["zip"]),
        ("photo", ImageBranch(size=(8, 8), filters=(4,)), ["photo"]),
    ]


def _assembly(branches, modality_dropout=0.0):
    return Assembly(branches, {}, Architecture("network", "concatenate", (), "relu", 0.0, modality_dropout))


def test_branches_learn_from_the_given_rows_alone(data):
    X, _ = data
    rows = np.arange(0, 60, 2)
    (numbers, place, _) = fit_branches(_parts(), X, rows)
    np.testing.assert_allclose(numbers.branch.center_, X.iloc[rows][["area", "rooms"]].mean())
    assert numbers.positions == [0, 1]
    assert place.columns_of(X).columns.tolist() == ["zip"]


def test_rows_are_encoded_by_the_name_of_the_input(data):
    X, _ = data
    inputs = encode_rows(_assembly(fit_branches(_parts(), X, np.arange(60))), X)
    assert {name: part.shape for name, part in inputs.items()} == {
        "numbers": (60, 2),
        "place": (60, 1),
        "photo": (60, 8, 8, 3),
        "photo__missing": (60, 1),
    }
    dropping = _assembly(fit_branches(_parts(), X, np.arange(60)), modality_dropout=0.5)
    assert {"numbers__missing", "place__missing", "photo__missing"} <= encode_rows(dropping, X).keys()


def test_what_another_network_encodes_alike_is_taken_over(data):
    X, _ = data
    first = _assembly(fit_branches(_parts(), X, np.arange(60)))
    second = _assembly(fit_branches(_parts(), X, np.arange(40)))
    inputs = encode_rows(first, X)
    assert encode_rows(second, X, like=(first, inputs))["photo"] is inputs["photo"]


def test_missing_rows_are_told_by_branch(data):
    X = data[0].copy()
    X.loc[X.index[3], ["area", "rooms"]] = np.nan
    X.loc[X.index[5], "photo"] = pd.NA
    missing = missing_rows(fit_branches(_parts(), X, np.arange(60)), X)
    assert {name: np.flatnonzero(rows).tolist() for name, rows in missing.items()} == {
        "numbers": [3],
        "place": [],
        "photo": [5],
    }


def test_errors_name_branch_and_row(data):
    X, _ = data
    with pytest.raises(ValueError, match=r"branch 'none': columns=.* choose none of the columns"):
        fit_branches([("none", NumericBranch(), [])], X, np.arange(60))
    with pytest.raises(ValueError, match=r"branch 'words': .*row 0"):
        fit_branches([("words", NumericBranch(), ["zip"])], X.assign(zip=["a"] * 60), np.arange(20, 60))


def test_encode_gives_what_the_model_takes(data):
    X, y = data
    network = MultimodalNetworkRegressor(BRANCHES, **FAST).fit(X, y)
    inputs = network.encode(X.head(7))
    assert inputs.keys() == {"numbers", "place"}
    np.testing.assert_allclose(np.ravel(network.model_(inputs)), network.predict(X.head(7)), rtol=1e-5)
    with pytest.raises(ValueError, match="feature names should match"):
        network.encode(X[["area"]])


def test_what_cannot_be_read_is_told_before_training(tmp_path):
    X = pd.DataFrame({"photo": [np.zeros((4, 4, 3), "uint8"), "gone.png", None, "lost.png"]}, index=list("abcd"))
    network = MultimodalNetworkRegressor([("photo", ImageBranch((4, 4), filters=(2,), on_error="missing"), ["photo"])])
    with pytest.warns(UserWarning, match=r"branch 'photo': row 1 .*no image file 'gone.png'. 2 of 4 rows hold what"):
        network.check_data(X)
    network.check_data(X.iloc[[0, 2]])  # what is missing is none of it; a warning would be an error here
