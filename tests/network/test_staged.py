"""Training in stages: what moves in which of them, and that it is what somebody would do by hand."""

import pickle

import numpy as np
import pytest
from _problems import BatchHook
from _small import branches, make_labels, make_table, network_classifier, network_regressor

from skstack import Stage
from skstack._backend import keras
from skstack.branches import ModelBranch, NumericBranch, TextBranch
from skstack.network import _staged
from skstack.training import _fit
from skstack.training._values import assign_values, values_of

X, Y = make_table()
NAMES = ["numbers", "place"]
SPLITS = [np.arange(32), np.arange(20, 48)]
STAGED = {"stages": "individual+joint", "epochs": 2, "batch_size": 16, "optimizer": "sgd"}


def _weights(values):
    """Return what is trained of the values of a network, by name."""
    return {name: value for name, value in values.items() if name.endswith(("kernel", "bias", "embeddings"))}


def _of_branches(values):
    return {name: value for name, value in _weights(values).items() if name.startswith(tuple(NAMES))}


def _moved(before, after):
    return {name for name, value in _weights(after).items() if not np.array_equal(value, before[name])}


@pytest.fixture
def stages(monkeypatch):
    """The values that each joint stage of a network begins and ends with."""
    found = []
    original = _staged.fit

    def recording(model, settings, make, jobs, schedule):
        jobs = list(jobs)
        for job, trained in zip(jobs, original(model, settings, make, jobs, schedule), strict=True):
            found.append((job.values, trained.values))
            yield trained

    monkeypatch.setattr(_staged, "fit", recording)
    return found


# --- by hand ----------------------------------------------------------------------------------------------------------


def _by_hand(make, y, **params):
    """Train each branch alone, then the network from their weights, with nothing but fits that go on."""
    params = {**STAGED, **params, "stages": None, "warm_start": True}
    network = make(**params).initialize(X, y)
    values = values_of(network.model_)
    for part in branches():
        alone = make([part], **params).initialize(X, y)
        taken = {name: value for name, value in values.items() if name.startswith(f"{part[0]}_")}
        assign_values(alone.model_, values_of(alone.model_) | taken)
        trained = values_of(alone.fit(X, y).model_)
        values |= {name: trained[name] for name in taken}
    assign_values(network.model_, values)
    return network.fit(X, y)


@pytest.mark.parametrize(
    ("make", "y"), [(network_regressor, Y), (network_classifier, make_labels(Y))], ids=["numbers", "classes"]
)
def test_the_same_as_the_stages_by_hand(make, y):
    expected, network = _by_hand(make, y), make(**STAGED).fit(X, y)
    for name, value in values_of(expected.model_).items():
        np.testing.assert_allclose(values_of(network.model_)[name], value, rtol=1e-5, atol=1e-6, err_msg=name)
    np.testing.assert_allclose(network.history_["loss"], expected.history_["loss"], rtol=1e-5)


def test_keras_fit_does_the_same():
    loops, keras_fit = (network_regressor(**STAGED, callbacks=hooks).fit(X, Y) for hooks in (None, [BatchHook()]))
    assert [stage.branches for stage in keras_fit.stages_] == [["numbers"], ["place"], NAMES]
    np.testing.assert_allclose(keras_fit.predict(X), loops.predict(X), rtol=1e-4)


# --- what moves -------------------------------------------------------------------------------------------------------


def test_a_stage_begins_with_the_weights_that_the_one_before_ended_with(stages):
    network_regressor(**STAGED, freeze_epochs=1).fit(X, Y)
    (_, numbers), (_, place), (warm_begin, warm_end), (begin, _) = stages
    for name, value in _of_branches(warm_begin).items():
        alone = (numbers if name.startswith("numbers") else place)[name.replace(name.split("_")[0], "branch", 1)]
        np.testing.assert_array_equal(value, alone)
    for name, value in begin.items():
        np.testing.assert_array_equal(value, warm_end[name])


@pytest.mark.parametrize(
    ("trainable", "still"),
    [
        (True, ()),
        (False, ("numbers_branch/", "place_branch/")),
        ({"place": False}, ("place_branch/",)),
        ({"numbers": "dense_2"}, ("numbers_branch/dense_1/",)),
        ({"numbers": 2}, ("numbers_branch/dense_1/",)),  # the second dense layer and its activation
    ],
)
def test_what_is_frozen_stays_to_a_bit_and_the_rest_moves(stages, trainable, still):
    parts = [("numbers", NumericBranch((4, 3), embedding=None, dropout=0.0), ["area", "rooms"]), branches()[1]]
    network = network_regressor(parts, **STAGED, trainable=trainable).fit(X, Y)
    before, after = stages[-1]
    moving = {name for name in _weights(after) if not name.startswith(still)}
    assert _moved(before, after) == moving
    n_trained = sum(after[name].size for name in moving)
    assert network.stages_[-1].n_trained == n_trained
    assert sum(int(np.prod(variable.shape)) for variable in network.model_.trainable_variables) == n_trained


def test_attention_over_items_goes_with_its_branch(stages):
    """Its weights are trained with the branch alone, taken over, and frozen with it."""
    notes = [["red hat", "blue"][: row % 3] for row in range(len(X))]
    parts = [("notes", TextBranch(dim=2, item_pooling="attention"), ["notes"]), branches()[0]]
    network_regressor(parts, **STAGED, trainable={"notes": False}).fit(X.assign(notes=notes), Y)
    before, after = stages[-1]
    attention = {name for name in before if name.startswith("notes_items/")}
    assert {name.rpartition("/")[2] for name in attention} == {"kernel", "bias", "query"}
    assert np.any(before["notes_items/bias"]), "it begins at 0, and the branch alone has trained it"
    for name in attention:
        np.testing.assert_array_equal(after[name], before[name])
    assert _moved(before, after)


def test_fusion_and_head_warm_up_alone(stages):
    network = network_regressor(**STAGED, freeze_epochs=3, early_stopping=True).fit(X, Y)
    (before, after), (_, last) = stages[-2:]
    assert _moved(before, after) == {name for name in _weights(after) if not name.startswith(tuple(NAMES))}
    assert _moved(after, last) == set(_weights(last))
    warm_up, joint = network.stages_[-2:]
    assert (warm_up.branches, len(warm_up.history["loss"])) == ([], 3)
    assert network.history_ == {name: warm_up.history[name] + joint.history[name] for name in ("loss", "val_loss")}


def test_branches_learn_more_slowly():
    params = {**STAGED, "optimizer__learning_rate": 0.01, "epochs": 1, "batch_size": 64, "early_stopping": False}
    begin = values_of(network_regressor(**params, trainable=False).fit(X, Y).model_)
    fast = values_of(network_regressor(**params).fit(X, Y).model_)
    slow = values_of(network_regressor(**params, branch_learning_rate={"numbers": 0.25}).fit(X, Y).model_)
    for name, value in _weights(begin).items():
        factor = 0.25 if name.startswith("numbers") else 1.0
        if not name.startswith(tuple(NAMES)):
            continue
        np.testing.assert_allclose(slow[name] - value, factor * (fast[name] - value), rtol=1e-2, atol=1e-6)


def test_a_layer_that_its_branch_froze_is_not_thawed(stages):
    inner = [keras.layers.Dense(3, name="one"), keras.layers.Dense(2, name="two")]
    model = keras.Sequential([keras.Input((2,)), *inner], name="mine")
    parts = [("numbers", ModelBranch(model, trainable="two", hidden=(2,)), ["area", "rooms"]), branches()[1]]
    network_regressor(parts, **STAGED, trainable={"numbers": "*o*"}, freeze_epochs=1).fit(X, Y)
    moved = _moved(*stages[-1])
    assert not any("/one/" in name for name in moved)
    assert any("/two/" in name for name in moved)
    assert not any("dense_1" in name for name in moved)


def test_missing_rows_get_a_vector_that_is_trained_before_too(stages):
    some = X.assign(photo=[None if row % 3 else np.full((2, 2), row / 48.0) for row in range(len(X))])
    parts = [("photo", ModelBranch(_flat), ["photo"]), *branches()]
    network_regressor(parts, **STAGED, activation="tanh", trainable={"photo": False}).fit(some, Y)
    (_, alone), (begin, end) = stages[0], stages[-1]
    for name in ("difference", "mean", "share"):
        np.testing.assert_array_equal(
            begin[f"photo_missing_embedding/{name}"], alone[f"branch_missing_embedding/{name}"]
        )
        np.testing.assert_array_equal(begin[f"photo_missing_embedding/{name}"], end[f"photo_missing_embedding/{name}"])
    assert np.any(end["photo_missing_embedding/difference"])


def _flat(shape):
    return keras.Sequential([keras.Input(shape), keras.layers.Flatten(), keras.layers.Dense(2)])


# --- lists of stages --------------------------------------------------------------------------------------------------


def test_a_list_says_who_is_trained_how_long_and_how_fast(stages):
    first = Stage("individual", branches=["place"], epochs=1)
    last = Stage(branches=["numbers"], epochs=3, learning_rate=1e-3)
    network = network_regressor(**{**STAGED, "stages": [first, last]}).fit(X, Y)
    assert [(s.training, s.branches, len(s.history["loss"])) for s in network.stages_] == [
        ("individual", ["place"], 1),
        ("joint", ["numbers"], 3),
    ]
    moved = _moved(*stages[-1])
    assert any(name.startswith("numbers") for name in moved)
    assert not any(name.startswith("place") for name in moved)
    assert float(network._trained_members[0].optimizer_state.others["_learning_rate"]) == pytest.approx(1e-3)


def test_each_stage_stops_early_by_itself_and_its_best_weights_go_on():
    params = {"optimizer": "sgd", "optimizer__learning_rate": 0.3, "validation_fraction": 0.3, "batch_size": 16}
    network = network_regressor(stages="individual+joint", epochs=40, patience=1, early_stopping=True, **params).fit(
        X, Y
    )
    for stage in network.stages_:
        losses = stage.history["val_loss"]
        assert len(losses) == np.argmin(losses) + 2 or len(losses) == 40
    assert any(len(stage.history["loss"]) < 40 for stage in network.stages_)


def test_a_pickled_network_trains_on_as_it_would_have():
    network = network_regressor(**STAGED, warm_start=True, branch_learning_rate=0.1, trainable={"place": False})
    again = pickle.loads(pickle.dumps(network.fit(X, Y)))
    predictions = [one.fit(X, Y).predict(X) for one in (network, again)]
    np.testing.assert_array_equal(*predictions)


def test_rows_of_the_callers_own_stop_every_stage():
    network = network_regressor(**{**STAGED, "epochs": 4}, early_stopping=True, validation_fraction=0.3)
    ((training, validation),) = network.split_validation(Y, [])
    expected = network.fit(X, Y).predict(X)
    losses = [stage.history["val_loss"] for stage in network.stages_]
    network.fit(X.iloc[training], Y[training], X_val=X.iloc[validation], y_val=Y[validation])
    np.testing.assert_allclose(network.predict(X), expected, rtol=1e-4)
    for stage, of_stage in zip(network.stages_, losses, strict=True):
        np.testing.assert_allclose(stage.history["val_loss"], of_stage, rtol=1e-4)


# --- folds ------------------------------------------------------------------------------------------------------------


def _folds(**params):
    return list(network_regressor(**{**STAGED, **params}).cross_fit(X, Y, SPLITS))


def test_folds_are_those_of_a_fit_each_trained_together_or_not():
    plain = [network_regressor(**STAGED).fit(X.iloc[rows], Y[rows]) for rows in (np.arange(48), *SPLITS)]
    for fold_training in ("vectorized", "sequential"):
        for one, other in zip(plain, _folds(fold_training=fold_training), strict=True):
            np.testing.assert_allclose(other.predict(X), one.predict(X), rtol=1e-4, atol=1e-5)


@pytest.mark.usefixtures("short_trainings_go_together")
def test_branches_of_one_architecture_are_trained_in_one_program(monkeypatch):
    together = []
    original = _fit.is_vectorized

    def recording(network, jobs, schedule, device):
        together.append((len(jobs), original(network, jobs, schedule, device)))
        return together[-1][1]

    monkeypatch.setattr(_fit, "is_vectorized", recording)
    parts = [(name, NumericBranch(hidden=(4,)), [name]) for name in ("area", "rooms")]
    list(network_regressor(parts, **STAGED).cross_fit(X, Y, SPLITS))
    assert together == [(6, True), (3, True)]
    together.clear()
    list(network_regressor([*parts, branches()[1]], **STAGED).cross_fit(X, Y, SPLITS))
    assert together == [(6, True), (3, True), (3, True)]


# --- who is told ------------------------------------------------------------------------------------------------------


class Fits(keras.callbacks.Callback):
    """Writes down which fit it is called in."""

    seen = []  # noqa: RUF012 - callbacks are copied for every fit

    def on_train_begin(self, logs=None):
        """Take note."""
        self.seen.append(self.params["fit"])


@pytest.mark.parametrize("hooks", [[], [BatchHook()]], ids=["loops", "keras"])
def test_keras_callbacks_know_the_stage(hooks):
    Fits.seen.clear()
    network_regressor(**STAGED, callbacks=[Fits(), *hooks]).fit(X, Y)
    assert Fits.seen == ["stage 1, numbers", "stage 1, place", "stage 2, joint"]


def test_lines_and_errors_name_the_stage(capsys):
    network_regressor(**{**STAGED, "epochs": 1}, verbose=2).fit(X, Y)
    lines = [line.split(" - loss")[0] for line in capsys.readouterr().out.splitlines()]
    assert lines == [f"stage {stage} - Epoch 1/1" for stage in ("1, numbers", "1, place", "2, joint")]
    with pytest.raises(ValueError, match="of MultimodalNetworkRegressor, stage 1, numbers, became"):
        network_regressor(**STAGED, optimizer__learning_rate=1e30).fit(X, Y)


def test_fits_are_counted_for_a_bar():
    assert network_regressor().n_fits == 1
    assert network_regressor(**STAGED, freeze_epochs=1).n_fits == 4
