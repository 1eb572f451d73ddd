"""scikit-learn's callbacks on networks and stacks."""

import pickle

import numpy as np
import pytest
import sklearn
from _small import make_labels, make_table, network_classifier, network_regressor, stack_classifier, stack_regressor
from sklearn.base import clone
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.utils.fixes import parse_version

from skstack import _callbacks
from skstack._backend import keras
from skstack._compat import NoCallbacks
from skstack.stacking._cross_fit import cross_fit
from skstack.tasks._regression import RegressionTask

has_callbacks = pytest.mark.skipif(
    parse_version(sklearn.__version__) < parse_version("1.9"), reason="scikit-learn has callbacks since its version 1.9"
)

X, Y = make_table()
WEIGHT = np.linspace(1, 2, len(Y))
SPLITS = [(np.arange(24, 48), np.arange(24)), (np.arange(30), np.arange(30, 48))]


class Recorder:
    """A callback for an estimator and, unless `depth` is 0, those inside it; keeps the tasks it is told of."""

    def __init__(self, depth=None, stop_at=None):
        self.max_propagation_depth = depth
        self.stop_at = stop_at
        self.told, self.began, self.ended, self.sizes, self.weights = [], [], [], {}, {}

    def setup(self, estimator, context):
        """Take note."""
        self.told.append("setup")

    def teardown(self, estimator, context):
        """Take note."""
        self.told.append("teardown")

    def on_fit_task_begin(self, estimator, context):
        """Take note."""
        self.began.append(path(context))

    def on_fit_task_end(self, estimator, context, *, X, y, metadata):
        """Take note and answer."""
        where = path(context)
        self.ended.append(where)
        if X is not None:
            self.sizes[where] = len(X), len(y)
        self.weights[where] = None if metadata is None else metadata["sample_weight"]
        return where[-1] == self.stop_at


class Predicting:
    """A callback for one estimator that keeps what it would predict after each task."""

    def __init__(self):
        self.predictions = []

    def setup(self, estimator, context):
        """Do nothing."""

    def teardown(self, estimator, context):
        """Do nothing."""

    def on_fit_task_begin(self, estimator, context):
        """Do nothing."""

    def on_fit_task_end(self, estimator, context, *, X, fitted_estimator):
        """Predict."""
        if fitted_estimator is not None:
            self.predictions.append(fitted_estimator.predict(X))


def path(context):
    """Return the names of a task and of those around it, outermost first."""
    name = (f"{context.task_name} {context.task_id}" if context.task_name == "epoch" else context.task_name,)
    return name if context.parent is None else path(context.parent) + name


def of_network(n_epochs):
    """Return the tasks of a network that is cross-fitted in two folds, in the order they end."""
    top = ("fit", "cross-fit")
    fits = [(*top, fit) for fit in ("all rows", "fold 1", "fold 2")]
    return {(*fit, f"epoch {epoch}") for fit in fits for epoch in range(n_epochs)} | {*fits, top}


# --- networks --------------------------------------------------------------------------------------------------------


@has_callbacks
@pytest.mark.parametrize("make", [network_regressor, network_classifier])
def test_epochs_are_tasks_of_the_fit_of_a_network(make):
    callback = Recorder()
    y = make_labels(Y) if make is network_classifier else Y
    network = make(epochs=3).set_callbacks(callback).fit(X, y, sample_weight=WEIGHT)
    epochs = [("fit", f"epoch {epoch}") for epoch in range(3)]
    assert callback.told == ["setup", "teardown"]
    assert callback.began == [("fit",), *epochs]
    assert callback.ended == [*epochs, ("fit",)]
    assert set(callback.sizes.values()) == {(48, 48)}
    assert all(weights is WEIGHT for weights in callback.weights.values())
    assert len(network.history_["loss"]) == 3


@has_callbacks
def test_a_callback_may_end_the_training():
    network = network_regressor(epochs=4).set_callbacks(Recorder(stop_at="epoch 1")).fit(X, Y)
    assert len(network.history_["loss"]) == 2
    np.testing.assert_array_equal(network.predict(X), network_regressor(epochs=2).fit(X, Y).predict(X))


@has_callbacks
def test_callbacks_can_predict_after_each_epoch():
    callback = Predicting()
    network = network_regressor(epochs=2).set_callbacks(callback).fit(X, Y)
    first, second, end = callback.predictions
    np.testing.assert_array_equal(first, network_regressor(epochs=1).fit(X, Y).predict(X))
    np.testing.assert_array_equal(second, network.predict(X))
    np.testing.assert_array_equal(end, network.predict(X))


@has_callbacks
def test_scoring_monitor_scores_every_epoch():
    from sklearn.callback import ScoringMonitor

    monitor = ScoringMonitor(scoring="r2")
    network = network_regressor(epochs=3).set_callbacks(monitor).fit(X, Y)
    scores = {row["task_id_path"]: row["r2"] for row in monitor.get_logs().data}
    assert len(scores) == 4
    assert scores[0, 2] == pytest.approx(network.score(X, Y))


@has_callbacks
def test_folds_are_tasks_of_cross_fitting():
    callback = Recorder()
    network = network_regressor(epochs=2).set_callbacks(callback)
    list(network.cross_fit(X, Y, [rows for rows, _ in SPLITS], sample_weight=WEIGHT))
    inside = {where[1:] for where in of_network(n_epochs=2)}
    assert set(callback.began) == set(callback.ended) == inside
    assert callback.told == ["setup", "teardown"]
    assert callback.sizes["cross-fit", "fold 1", "epoch 0"] == (24, 24)
    np.testing.assert_array_equal(callback.weights["cross-fit", "fold 2"], WEIGHT[:30])


@has_callbacks
def test_callbacks_can_predict_within_a_fold():
    callback = Predicting()
    network = network_regressor(epochs=1).set_callbacks(callback)
    *_, fold = network.cross_fit(X, Y, [SPLITS[1][0]])
    assert [len(predicted) for predicted in callback.predictions] == [48, 30, 48]
    np.testing.assert_array_equal(callback.predictions[1], fold.predict(X.iloc[:30]))


@has_callbacks
def test_callbacks_of_keras_and_of_scikit_learn_do_not_meet():
    class Counter(keras.callbacks.Callback):
        n_epochs = 0

        def on_epoch_end(self, epoch, logs=None):
            type(self).n_epochs += 1

    recorder = Recorder()
    network = network_regressor(epochs=2, callbacks=[Counter()]).set_callbacks(recorder)
    assert network.get_params()["callbacks"] == network.callbacks
    network.set_params(callbacks=[Counter()]).fit(X, Y)
    assert Counter.n_epochs == 2
    assert len(recorder.ended) == 3
    assert not any(name.startswith("_callback") or name.startswith("_skl") for name in network.get_params())


@has_callbacks
@pytest.mark.parametrize("make", [network_regressor, stack_regressor])
def test_callbacks_survive_clone_and_pickle_but_their_tasks_do_not(make):
    estimator = make().set_callbacks(Recorder())
    assert clone(estimator)._skl_callbacks == estimator._skl_callbacks
    estimator.fit(X, Y)
    assert not {"_callback_fit_ctx", "_parent_callback_ctx", "_skl_callbacks_to_teardown"} & vars(estimator).keys()
    loaded = pickle.loads(pickle.dumps(estimator))
    np.testing.assert_array_equal(loaded.predict(X), estimator.predict(X))
    assert len(loaded._skl_callbacks[0].ended) == len(estimator._skl_callbacks[0].ended)


@has_callbacks
def test_callbacks_are_torn_down_after_an_error():
    callback = Recorder()
    with pytest.raises(ValueError, match="base model 'broken' predicted NaN"):
        stack_regressor([("broken", _Broken(), ["area"])]).set_callbacks(callback).fit(X, Y)
    assert callback.told == ["setup", "teardown"]


class _Broken(Ridge):
    """Predicts nothing that is finite."""

    def predict(self, X):
        """Return NaN."""
        return np.full(len(X), np.nan)


# --- stacks ----------------------------------------------------------------------------------------------------------


@has_callbacks
@pytest.mark.filterwarnings("error:The estimator:UserWarning")
def test_a_stack_hands_its_callbacks_to_networks_and_counts_the_fits_of_learners():
    callback = Recorder()
    stack_regressor().set_params(network__epochs=2).set_callbacks(callback).fit(X, Y)
    learner = ("fit", "cross-fit ridge")
    fits = {(*learner, name) for name in ("all rows", "fold 1", "fold 2")}
    expected = of_network(n_epochs=2) | fits | {("fit",), learner, ("fit", "fit final estimator")}
    assert sorted(callback.began) == sorted(callback.ended) == sorted(expected)
    assert callback.told == ["setup", "teardown"]
    assert callback.sizes[*learner, "fold 1"] == (24, 24)
    assert callback.sizes["fit",] == (48, 48)


@has_callbacks
def test_callbacks_stay_outside_beyond_their_depth():
    callback = Recorder(depth=0)
    stack_regressor().set_callbacks(callback).fit(X, Y)
    assert ("fit", "fit network") in callback.ended
    assert not any(name.startswith("epoch") for where in callback.ended for name in where)


@has_callbacks
def test_a_network_as_final_estimator_tells_its_epochs():
    callback = Recorder()
    final = network_classifier().set_params(branches=None, epochs=2)
    stack_classifier(final_estimator=final).set_callbacks(callback).fit(X, make_labels(Y))
    # The task of the stack and the fit of the network are one.
    assert {("fit", "fit", "epoch 0"), ("fit", "fit", "epoch 1")} <= set(callback.ended)


@has_callbacks
@pytest.mark.filterwarnings("ignore:The estimator Ridge does not support callbacks")
def test_learners_take_callbacks_of_their_own_and_those_of_the_stack():
    outer, inner = Recorder(), Recorder()
    del inner.max_propagation_depth  # it is for this learner alone
    learner = make_pipeline(Ridge())
    stack = stack_regressor([("pipeline", learner.set_callbacks(inner), ["area", "rooms"])])
    stack.set_callbacks(outer).fit(X, Y)
    assert inner.told == ["setup", "teardown"] * 3
    assert sum(where[-1] == "fit-final-estimator" for where in outer.ended) == 3
    assert {len(where) for where in inner.ended} == {3, 4}  # in the tree of the stack


@has_callbacks
@pytest.mark.parametrize("n_jobs", [1, 2])
def test_progress_bars_of_scikit_learn(capsys, n_jobs):
    from sklearn.callback import ProgressBar

    # No network where there are worker processes, which would take long to import Keras.
    parts = [("ridge", Ridge(), ["area", "rooms"])] if n_jobs > 1 else None
    params = {"network": None} if n_jobs > 1 else {}
    stack = stack_regressor(parts, **params, n_jobs=n_jobs).set_callbacks(ProgressBar())
    plain = stack_regressor(parts, **params).fit(X, Y)
    np.testing.assert_array_equal(stack.fit(X, Y).predict(X), plain.predict(X))
    shown = capsys.readouterr().out
    for task in ("MultimodalStackingRegressor - fit", "cross-fit ridge", *["fit network"] * (n_jobs == 1)):
        assert task in shown


@has_callbacks
def test_our_bar_does_not_disturb_that_of_scikit_learn(capsys):
    from sklearn.callback import ProgressBar

    network = network_regressor(epochs=2, verbose=1).set_callbacks(ProgressBar()).fit(X, Y)
    assert len(network.history_["loss"]) == 2
    assert "MultimodalNetworkRegressor - fit" in capsys.readouterr().out  # ours is left out by rich before 14.1


@has_callbacks
def test_searches_tell_the_epochs_of_networks():
    callback = Recorder()
    search = GridSearchCV(network_regressor(), {"epochs": [1, 2]}, cv=2, refit=False).set_callbacks(callback)
    search.fit(X, Y)
    assert sum(where[-1].startswith("epoch") for where in callback.ended) == 2 * 1 + 2 * 2


@has_callbacks
def test_cached_base_models_are_found_with_other_callbacks(tmp_path):
    stack = stack_regressor([("ridge", Ridge(), ["area", "rooms"])], memory=str(tmp_path)).fit(X, Y)
    callback = Recorder()
    stack.set_callbacks(callback).fit(X, Y)
    assert callback.ended == [("fit", "fit final estimator"), ("fit",)]


@has_callbacks
def test_stages_are_tasks_with_epochs_of_their_own():
    callback, predicting = Recorder(), Predicting()
    staged = {"stages": "individual+joint", "epochs": 2}
    network = network_regressor(**staged).set_callbacks(callback, predicting).fit(X, Y)
    stages = [("fit", f"stage {stage}") for stage in ("1, numbers", "1, place", "2, joint")]
    epochs = [(*stage, f"epoch {epoch}") for stage in stages for epoch in range(2)]
    assert set(callback.ended) == {*epochs, *stages, ("fit",)}
    assert [task for task in callback.ended if len(task) == 2] == stages
    np.testing.assert_array_equal(predicting.predictions[-1], network.predict(X))
    # After an epoch of a single branch, it is the fused network that predicts, with what its branch knows.
    assert len(predicting.predictions) == 6 + 1
    assert not np.array_equal(predicting.predictions[0], predicting.predictions[1])


@has_callbacks
def test_folds_of_several_stages_are_tasks_too():
    callback = Recorder()
    network = network_regressor(stages="individual+joint").set_callbacks(callback)
    list(network.cross_fit(X, Y, [rows for rows, _ in SPLITS]))
    names = {
        f"stage {stage}, {fold}" for stage in ("1, numbers", "2, joint") for fold in ("all rows", "fold 1", "fold 2")
    }
    assert names <= {task[1] for task in callback.ended if len(task) == 2}
    assert callback.sizes["cross-fit", "stage 2, joint, fold 1"] == (24, 24)


# --- without callbacks -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [network_regressor, stack_regressor])
def test_before_scikit_learn_1_9_estimators_fit_without_callbacks(monkeypatch, make):
    expected = make().fit(X, Y).predict(X)
    estimator = make()
    monkeypatch.setattr(type(estimator), "_init_callback_context", lambda self, **task: NoCallbacks())
    np.testing.assert_array_equal(estimator.fit(X, Y).predict(X), expected)


def test_base_models_can_be_fitted_outside_a_stack():
    assert not _callbacks.has_callbacks(Ridge())
    for estimator, table in ((Ridge(), X[["area"]]), (network_regressor(), X)):
        task = RegressionTask().fit(Y)
        made = cross_fit(estimator, table, Y, SPLITS[:1], method="predict", task=task)
        assert np.isfinite(made.estimator.predict(table)).all()
        assert np.isfinite(made.predictions[:24]).all() and np.isnan(made.predictions[24:]).all()
