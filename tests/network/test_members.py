"""Networks of several members."""

import copy
import pickle

import numpy as np
import pandas as pd
import pytest
from _data import mixed_frame
from _networks import BRANCHES, labels
from sklearn.base import clone
from sklearn.model_selection import KFold, cross_val_score

from skstack import (
    MultimodalNetworkClassifier,
    MultimodalNetworkRegressor,
    MultimodalStackingRegressor,
    MultitaskNetwork,
)
from skstack._backend import keras
from skstack.branches import ImageBranch, NumericBranch, TextBranch
from skstack.network._members import TrainedMember, mean_history, member_seeds
from skstack.tasks import Classification

SETTINGS = {"epochs": 3, "patience": 1, "batch_size": 16, "random_state": 0}
PHOTO = [("photo", ImageBranch(size=(8, 8), filters=(4,)), ["photo"])]
WORDS = [("words", TextBranch(dim=2, min_frequency=1), ["zip"])]
SPLITS = [training for training, _ in KFold(2).split(np.zeros(60))]
KINDS = pytest.mark.parametrize("share_weights", [False, True], ids=["own", "shared"])


def regressor(n_members=3, branches=BRANCHES, **params):
    return MultimodalNetworkRegressor(branches, n_members=n_members, **{**SETTINGS, **params})


@pytest.fixture(scope="module")
def data():
    return mixed_frame()


@pytest.fixture(scope="module")
def fitted(data):
    return regressor().fit(*data)


def of_members(network, X, method="predict"):
    return np.array([getattr(member, method)(X) for member in network.members_])


def assert_same_weights(network, other):
    for one, another in zip(network._compiled_call.calls, other._compiled_call.calls, strict=True):
        for name, values in one.values.items():
            np.testing.assert_array_equal(values, another.values[name])


# --- predictions ------------------------------------------------------------------------------------------------------


def test_predictions_are_the_mean_of_members_that_differ(data, fitted):
    X, _ = data
    members = of_members(fitted, X)
    assert members.shape == (3, len(X))
    assert np.abs(np.diff(members, axis=0)).mean(axis=1).min() > 1e-3
    np.testing.assert_allclose(fitted.predict(X), members.mean(axis=0), rtol=1e-6)


def test_probabilities_are_averaged(data):
    X, y = data
    network = MultimodalNetworkClassifier(BRANCHES, n_members=2, **SETTINGS)
    for target, shape in ((labels(y, 3), (60, 3)), (np.stack([y > 0, y > np.median(y)], axis=1).astype(int), (60, 2))):
        members = of_members(clone(network).fit(X, target), X, "predict_proba")
        averaged = clone(network).fit(X, target).predict_proba(X)
        assert averaged.shape == shape
        np.testing.assert_allclose(averaged, members.mean(axis=0), atol=1e-6)


def test_quantiles_are_averaged_and_stay_in_order(data):
    X, y = data
    network = regressor(loss="quantile", quantile=[0.2, 0.8]).fit(X, y)
    np.testing.assert_allclose(network.predict(X), of_members(network, X).mean(axis=0), rtol=1e-6)
    assert (np.diff(network.predict(X)) > 0).all()


@KINDS
def test_each_task_is_averaged(data, share_weights):
    X, y = data
    target = pd.DataFrame({"price": y, "dear": y > np.median(y)})
    tasks = {"dear": Classification(inputs="price")}
    network = MultitaskNetwork(BRANCHES, tasks=tasks, n_members=2, share_weights=share_weights, **SETTINGS)
    network.fit(X, target)
    averaged, members = network.predict_tasks(X), [member.predict_tasks(X) for member in network.members_]
    for name, values in averaged.items():
        np.testing.assert_allclose(values, np.mean([of_member[name] for of_member in members], axis=0), atol=1e-6)
    outputs = network.model_(network.encode(X), training=False)
    np.testing.assert_allclose(outputs["price"][:, 0], averaged["price"], rtol=1e-5)


def test_the_first_member_is_the_network_that_would_be_alone(data, fitted):
    X, y = data
    np.testing.assert_allclose(fitted.members_[0].predict(X), regressor(1).fit(X, y).predict(X), rtol=1e-4)


def test_the_same_seed_gives_the_same_members_and_another_one_others(data, fitted):
    X, y = data
    assert_same_weights(regressor().fit(X, y), fitted)
    assert not np.allclose(regressor(random_state=1).fit(X, y).predict(X), fitted.predict(X))
    assert member_seeds(7, 4)[:2] == member_seeds(7, 2)
    assert len(set(member_seeds(7, 50))) == 50


# --- training ---------------------------------------------------------------------------------------------------------


@KINDS
@pytest.mark.parametrize("branches", [BRANCHES, PHOTO, WORDS], ids=["table", "photo", "words"])
def test_together_and_one_by_one_and_each_for_itself(data, share_weights, branches):
    X, y = data
    params = {"branches": branches, "share_weights": share_weights, "n_members": 2}
    together, apart = (
        list(regressor(fold_training=way, **params).cross_fit(X, y, SPLITS)) for way in ("vectorized", "sequential")
    )
    alone = [regressor(**params).fit(X.iloc[rows], y[rows]) for rows in [np.arange(60), *SPLITS]]
    for networks in zip(together, apart, alone, strict=True):
        first, *others = (of_members(network, X) for network in networks)
        for other in others:
            np.testing.assert_allclose(other, first, rtol=3e-3)


def test_held_out_rows_change_no_member(data):
    X, y = data
    other_X, other_y = X.copy(), y.copy()
    held_out = np.setdiff1d(np.arange(60), SPLITS[0])
    other_X.loc[held_out, ["area", "rooms"]], other_y[held_out] = 1e4, -1e5
    network = regressor(bootstrap=True)
    before = next(clone(network).cross_fit(X, y, SPLITS, refit=False))
    after = next(clone(network).cross_fit(other_X, other_y, SPLITS, refit=False))
    assert_same_weights(before, after)


@pytest.fixture
def rows_of_members(monkeypatch):
    """The rows that members are trained on, and those on which they stop, once a network is fitted."""
    from skstack.network import _staged

    parts, fit = [], _staged.fit

    def noting_rows(*args):
        parts.extend((job.training_rows, job.validation_rows) for job in args[3])
        return fit(*args)

    monkeypatch.setattr(_staged, "fit", noting_rows)
    return parts


def test_members_stop_on_rows_of_their_own(data, rows_of_members):
    X, y = data
    regressor(epochs=1).fit(X, y)
    assert len(rows_of_members) == 3
    for training, validation in rows_of_members:
        assert len(validation) == 6
        np.testing.assert_array_equal(np.sort([*training, *validation]), np.arange(60))
    assert len({tuple(np.sort(validation)) for _, validation in rows_of_members}) == 3


def test_members_of_folds_set_aside_what_those_of_a_fit_do(data, rows_of_members):
    X, y = data
    [*regressor(epochs=1).cross_fit(X, y, [SPLITS[0]])]
    of_all, of_fold = rows_of_members[:3], rows_of_members[3:]
    regressor(epochs=1).fit(X, y)
    for of_cross_fit, of_fit in zip(of_all, rows_of_members[6:], strict=True):
        np.testing.assert_array_equal(of_cross_fit[1], of_fit[1])
    for training, validation in of_fold:
        np.testing.assert_array_equal(np.sort([*training, *validation]), np.sort(SPLITS[0]))


def test_the_first_member_gets_the_split_that_a_stack_gives(data, rows_of_members):
    X, y = data
    given = [(np.arange(10, 60), np.arange(10)), (SPLITS[0][5:], SPLITS[0][:5])]
    [*regressor(epochs=1).cross_fit(X, y, [SPLITS[0]], validation=given)]
    for (training, validation), members in zip(given, (rows_of_members[:3], rows_of_members[3:]), strict=True):
        np.testing.assert_array_equal(members[0][0], training)
        np.testing.assert_array_equal(members[0][1], validation)
        assert len({tuple(np.sort(rows)) for _, rows in members}) == 3


def test_groups_stay_whole_in_each_member(data, rows_of_members):
    X, y = data
    groups = np.arange(60) // 3
    regressor(epochs=1).fit(X, y, groups=groups)
    assert all(not np.isin(groups[training], groups[validation]).any() for training, validation in rows_of_members)
    assert len({tuple(np.sort(validation)) for _, validation in rows_of_members}) == 3


@pytest.mark.parametrize("params", [{"validation_part": "latest"}, {"early_stopping": False}], ids=str)
def test_where_nothing_is_drawn_members_see_the_same_rows(data, rows_of_members, params):
    X, y = data
    regressor(epochs=1, **params).fit(X, y)
    latest = np.arange(54, 60) if "validation_part" in params else []
    assert all(np.array_equal(validation, latest) for _, validation in rows_of_members)


def test_members_stop_on_rows_that_are_given(data, rows_of_members):
    X, y = data
    regressor(epochs=1).fit(X[:50], y[:50], X_val=X[50:], y_val=y[50:])
    assert all(len(training) == 50 for training, _ in rows_of_members)
    assert len({tuple(validation) for _, validation in rows_of_members}) == 1


@pytest.mark.parametrize("params", [{"bootstrap": True}, {"max_samples": 0.5}], ids=str)
def test_members_learn_from_rows_of_their_own(data, rows_of_members, params):
    X, y = data
    regressor(epochs=1, **params).fit(X, y)
    rows = [training for training, _ in rows_of_members]
    assert all(not np.isin(training, validation).any() for training, validation in rows_of_members)
    assert {len(part) for part in rows} == {54 if "bootstrap" in params else 27}
    assert all((len(np.unique(part)) < len(part)) is ("bootstrap" in params) for part in rows)
    assert not any(np.array_equal(np.sort(rows[0]), np.sort(other)) for other in rows[1:])


def test_history_is_the_mean_of_the_members_that_are_still_trained(data):
    X, y = data
    network = regressor(epochs=12, patience=0, optimizer__learning_rate=0.1).fit(X, y)
    histories = [member.history_["loss"] for member in network.members_]
    assert len(network.history_["loss"]) == max(map(len, histories))
    assert network.history_["loss"][0] == pytest.approx(np.mean([history[0] for history in histories]))
    assert mean_history([{"loss": [1.0, 5.0]}, {"loss": [3.0]}]) == {"loss": [2.0, 5.0]}
    assert [stage.training for stage in network.stages_] == ["joint"]


@KINDS
def test_training_goes_on(data, share_weights):
    X, y = data
    network = regressor(share_weights=share_weights, warm_start=True, early_stopping=False).fit(X, y)
    before = of_members(network, X)
    again = pickle.loads(pickle.dumps(network)).partial_fit(X, y)
    network.partial_fit(X, y)
    np.testing.assert_allclose(again.predict(X), network.predict(X), rtol=1e-6)
    assert network.current_epoch == 4
    moved = of_members(network, X)
    assert np.abs(moved - before).max(axis=1).min() > 1e-3
    network.fit(X, y)
    assert network.current_epoch == 3
    assert np.abs(of_members(network, X) - moved).max(axis=1).min() > 1e-3


def test_as_many_members_go_on_as_there_are(data, fitted):
    X, y = data
    network = copy.deepcopy(fitted).set_params(n_members=2)
    before = network.predict(X)
    with pytest.raises(ValueError, match="n_members is 2, but the network that is to be trained further has 3"):
        network.partial_fit(X, y)
    np.testing.assert_array_equal(network.predict(X), before)


def test_stages_and_individual_networks_have_members(data):
    X, y = data
    network = regressor(2, stages="individual+joint", keep_individual=True, epochs=1, trainable=False)
    whole, *folds = network.cross_fit(X, y, SPLITS)
    assert whole.n_fits == 6
    for fitted in (whole, *folds):
        alone = fitted.individual_networks_["numbers"]
        members = of_members(alone, X)
        assert np.abs(members[0] - members[1]).max() > 1e-3
        np.testing.assert_allclose(alone.predict(X), members.mean(axis=0), rtol=1e-6)
        # The branch stayed as its individual network left it, in each member.
        for of_fused, of_alone in zip(fitted._compiled_call.calls, alone._compiled_call.calls, strict=True):
            name = "numbers_branch/dense_1/kernel"
            np.testing.assert_array_equal(of_fused.values[name], of_alone.values[name])


def test_callbacks_see_the_members_one_after_the_other(data):
    fits = []

    class Noting(keras.callbacks.Callback):
        def on_train_begin(self, logs=None):
            fits.append(self.params["fit"])

    regressor(2, epochs=1, callbacks=[Noting()]).fit(*data)
    assert fits == ["member 1", "member 2"]


def test_lines_name_the_members(data, capsys):
    network = regressor(2, epochs=1, verbose=2).fit(*data)
    network.partial_fit(*data)
    lines = capsys.readouterr().out.splitlines()
    assert [line.partition(" - ")[0] for line in lines] == 2 * ["member 1", "member 2"]


def test_errors_name_the_member(data):
    X, y = data
    network = regressor(2, optimizer="sgd", optimizer__learning_rate=1e30)
    with pytest.raises(ValueError, match="member 1"):
        network.fit(X, y)


# --- what there is after training -------------------------------------------------------------------------------------


@KINDS
def test_the_model_is_whole(data, share_weights, tmp_path):
    X, y = data
    network = regressor(share_weights=share_weights).fit(X, y)
    network.model_.save(tmp_path / "network.keras")
    loaded = keras.saving.load_model(tmp_path / "network.keras")
    outputs = loaded(network.encode(X), training=False)
    np.testing.assert_allclose(np.asarray(outputs)[:, 0], network.predict(X), rtol=1e-5)
    assert network.model_ is network.model_


def test_members_are_networks(data, fitted):
    X, y = data
    member = fitted.members_[1]
    before, own = fitted.predict(X), member.predict(X)
    np.testing.assert_allclose(member.model_(fitted.encode(X), training=False)[:, 0], own, rtol=1e-5)
    assert member.partial_fit(X, y).current_epoch == len(fitted.members_[1].history_["loss"]) + 1
    assert not np.allclose(member.predict(X), own)
    np.testing.assert_array_equal(fitted.predict(X), before)
    assert regressor(1, epochs=1).fit(X, y).members_[0].n_members == 1


def test_branches_start_from_the_first_member(data, fitted):
    weights = fitted.get_branch("numbers").weights
    values = fitted._compiled_call.calls[0].values
    np.testing.assert_array_equal(weights["dense_1/kernel"], values["numbers_branch/dense_1/kernel"])


def test_branches_with_adapters_start_nothing(data):
    network = regressor(share_weights=True, epochs=1).fit(*data)
    with pytest.raises(ValueError, match="'numbers' is not the same for all members"):
        network.get_branch("numbers")
    assert network.get_branch("place").weights  # has no dense layers of its own


def test_a_copy_is_independent_and_predicts_the_same(data, fitted):
    X, _ = data
    fitted.model_  # noqa: B018 - is not pickled
    again = pickle.loads(pickle.dumps(fitted))
    assert "model_" not in vars(again)
    np.testing.assert_array_equal(again.predict(X), fitted.predict(X))
    assert again.history_ == fitted.history_


def test_what_is_kept_of_a_member_grows_and_is_forgotten():
    trained = TrainedMember("adam", None, {"loss": [1.0]}, ["first"])
    assert trained.without_history() == TrainedMember("adam")


# --- in other estimators ----------------------------------------------------------------------------------------------


@KINDS
def test_members_in_a_stack(data, share_weights):
    X, y = data
    network = MultimodalNetworkRegressor(**SETTINGS)
    stack = MultimodalStackingRegressor(BRANCHES, network=network, cv=2, random_state=0)
    stack.set_params(network__n_members=2, network__share_weights=share_weights).fit(X, y)
    assert np.isfinite(stack.predict(X)).all()
    single = clone(stack).set_params(network__n_members=1).fit(X, y)
    assert not np.allclose(single.oof_predictions_, stack.oof_predictions_)


def test_cross_validation(data):
    scores = cross_val_score(regressor(2, epochs=1), *data, cv=2, error_score="raise")
    assert np.isfinite(scores).all()


# --- bad input --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"n_members": 0}, "n_members"),
        ({"max_samples": 0.0}, "max_samples"),
        ({"max_samples": 1.5}, "max_samples"),
        ({"bootstrap": "yes"}, "bootstrap"),
        ({"share_weights": 3}, "share_weights"),
        ({"share_weights": True, "bootstrap": True}, "members with weights of their own"),
        ({"share_weights": True, "max_samples": 0.5}, "members with weights of their own"),
    ],
)
def test_values_that_no_training_could_use(data, params, message):
    with pytest.raises(ValueError, match=message):
        regressor(**{"n_members": 2, **params}).fit(*data)


# --- members that share weights ---------------------------------------------------------------------------------------


def test_members_that_share_weights_are_one_network(data):
    X, y = data
    network = regressor(4, share_weights=True, metrics=["mae"]).fit(X, y)
    assert network.members_ == [network]
    assert network.n_fits == 1
    values = network._compiled_call.model
    assert values.get_layer("head_1").scale_in.shape[0] == 4
    assert values.get_layer("numbers_branch").get_layer("dense_1").kernel.shape == (4, 8)
    assert {"mean_absolute_error", "val_mean_absolute_error"} <= set(network.history_)


def test_one_member_shares_its_weights_with_nobody(data):
    X, y = data
    alone = regressor(1, share_weights=True, epochs=1).fit(X, y)
    np.testing.assert_array_equal(alone.predict(X), regressor(1, epochs=1).fit(X, y).predict(X))


def test_members_that_share_weights_come_to_differ(data):
    X, y = data
    network = regressor(4, share_weights=True, epochs=8, dropout=0.0).fit(X, y)
    by_member = np.asarray(network.model_(network.encode(X), training=True))
    assert by_member.shape == (60, 4, 1)
    assert by_member.std(axis=1).min() > 1e-3
    np.testing.assert_allclose(by_member.mean(axis=1)[:, 0], network.predict(X), rtol=1e-4)


@pytest.mark.parametrize(
    ("branch", "columns"),
    [
        (NumericBranch(hidden=(4,), shared=True, merge="subtract"), ["area", "rooms"]),
        (NumericBranch(hidden=(4,), skip=True, batch_norm=True, dropout=0.1), ["area", "rooms"]),
        (NumericBranch(hidden=()), ["area"]),
        (ImageBranch(size=(8, 8), filters=(4,), hidden=(4,)), ["photo"]),
    ],
    ids=["shared", "skip", "linear", "photo"],
)
def test_any_branch_can_be_shared(data, branch, columns):
    X, y = data
    X = X.copy()
    X.loc[::7, columns] = None if columns == ["photo"] else np.nan
    params = {"modality_dropout": 0.2, "share_weights": True, "epochs": 1}
    network = regressor(2, [("part", branch, columns), *BRANCHES[1:]], **params).fit(X, y)
    assert np.isfinite(network.predict(X)).all()
    single = network.predict(X.iloc[[5]])
    np.testing.assert_allclose(single, network.predict(X)[[5]], rtol=1e-5)
