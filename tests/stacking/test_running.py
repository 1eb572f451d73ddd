"""Time limits and interrupts: which base models are complete, and what becomes of the others."""

import warnings

import numpy as np
import pytest
from _clocks import FakeClock, Slow
from _difficult import Interrupted
from _small import TRAINING, branches, make_labels, make_table, stack_classifier, stack_regressor
from joblib import Parallel, delayed
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeRegressor

from skstack import MultimodalNetworkRegressor, MultimodalStackingMultitask, MultimodalStackingRegressor
from skstack._backend import keras
from skstack.training import _fit as fit_module

NUMBERS = ["area", "rooms"]


@pytest.fixture
def clock(monkeypatch):
    return FakeClock(monkeypatch)


def _table(n_rows=400):
    return make_table(n_rows)


def _learners(**seconds):
    """Return learners that take so many seconds for every 100 rows."""
    return [(name, Slow(per_100), NUMBERS) for name, per_100 in seconds.items()]


def _stack(parts, **params):
    return MultimodalStackingRegressor(parts, **{"cv": 4, "random_state": 0, **params})


def _fitted(stack, X, y, message=None):
    """Fit a stack and check whether it warns."""
    if message is None:
        with warnings.catch_warnings():
            warnings.simplefilter("error", UserWarning)
            return stack.fit(X, y)
    with pytest.warns(UserWarning, match=message):
        return stack.fit(X, y)


# --- time limits ------------------------------------------------------------------------------------------------------


def test_enough_time_changes_nothing(clock):
    X, y = _table()
    tree = DecisionTreeRegressor(splitter="random", random_state=np.random.RandomState(0))
    parts = [("b", Slow(0.1), NUMBERS), ("a", Ridge(3.0), ["area"]), ("tree", tree, NUMBERS)]
    free, limited = (_fitted(_stack(parts, time_limit=limit), X, y) for limit in (None, 1e4))
    assert free.left_out_ == limited.left_out_ == {}
    assert list(limited.named_estimators_) == ["b", "a", "tree"]
    assert_array_equal(limited.oof_predictions_, free.oof_predictions_)
    assert_array_equal(limited.predict(X), free.predict(X))


def test_without_a_limit_nobody_looks_at_the_time(monkeypatch):
    X, y = _table(48)
    monkeypatch.setattr("skstack._clock.now", None)
    stack_regressor().fit(X, y)


def test_what_would_take_too_long_is_not_started(clock):
    X, y = _table()
    parts = _learners(slow=5.0, quick=0.1)  # 4 folds of 300 rows and all 400: 80 and 1.6 seconds
    stack = _fitted(_stack(parts, time_limit=60.0), X, y, r"base models \['slow'\] are left out, .* time_limit=60.0 s")
    assert stack.left_out_ == {"slow": "time_limit"}
    assert list(stack.named_estimators_) == ["quick"]
    assert stack.oof_predictions_.shape == (400, 1)
    assert_allclose(stack.oof_predictions_, _stack(parts[1:]).fit(X, y).oof_predictions_)
    assert stack.predict(X).shape == (400,)
    assert list(stack.get_feature_names_out()) == ["multimodalstackingregressor_quick"]
    assert clock.seconds < 60.0


def test_the_limit_is_kept_whatever_it_is(clock):
    X, y = _table()
    parts = _learners(a=4.0, b=1.0, c=2.0, d=8.0, e=0.5)
    for limit in (40.0, 80.0, 160.0, 320.0, 640.0):
        clock.seconds = 0.0
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            stack = _stack(parts, time_limit=limit).fit(X, y)
        assert clock.seconds <= limit
        assert stack.named_estimators_
    assert stack.left_out_ == {}


def test_the_cheapest_come_first(clock):
    X, y = _table()
    parts = _learners(a=2.0, b=1.0, c=4.0)  # 32, 16 and 64 seconds
    stack = _fitted(_stack(parts, time_limit=90.0), X, y, r"\['c'\]")
    assert list(stack.named_estimators_) == ["a", "b"]


class Deceptive(Slow):
    """Takes its time only where it is fitted to many rows."""

    def fit(self, X, y, sample_weight=None):
        """Fit few rows at once."""
        if len(y) < 500:
            return Ridge.fit(self, X, y)
        return super().fit(X, y)


def test_what_turns_out_to_take_too_long_is_given_up(clock):
    X, y = _table(900)  # tried on 100 and 400 rows
    parts = [*_learners(quick=0.01), ("deceptive", Deceptive(0.0, at_least=30.0), NUMBERS)]
    stack = _fitted(_stack(parts, time_limit=100.0), X, y, "deceptive")
    assert stack.left_out_ == {"deceptive": "time_limit"}
    assert clock.seconds < 100.0


def test_callbacks_hear_of_what_is_given_up(clock):
    callback = pytest.importorskip("sklearn.callback")
    X, y = _table(900)
    parts = [*_learners(quick=0.01), ("deceptive", Deceptive(0.0, at_least=30.0), NUMBERS)]
    stack = _stack(parts, time_limit=100.0).set_callbacks(callback.ProgressBar())
    assert list(_fitted(stack, X, y, "deceptive").named_estimators_) == ["quick"]


def test_no_fit_to_all_rows_saves_its_time(clock):
    X, y = _table()
    parts = _learners(quick=0.1, slow=2.0)  # 32 seconds for the latter, 24 without the last fit
    stack = _fitted(_stack(parts, time_limit=40.0), X, y, "slow")
    assert stack.left_out_ == {"slow": "time_limit"}
    clock.seconds = 0.0
    assert _fitted(_stack(parts, time_limit=48.0, refit="folds"), X, y).left_out_ == {}


def test_a_limit_that_is_too_short_for_everything_is_an_error(clock):
    X, y = _table()
    stack = _stack(_learners(a=5.0, b=6.0), time_limit=10.0)
    message = r"time_limit=10.0 s is too short for each of the base models \['a', 'b'\]: 0.0 s had passed before"
    with pytest.raises(TimeoutError, match=message):
        stack.fit(X, y)
    with pytest.raises(NotFittedError):
        stack.predict(X)


def test_several_fits_at_once_take_less_time(clock):
    X, y = _table()
    parts = _learners(quick=0.01, slow=2.0)
    _fitted(_stack(parts, time_limit=34.0), X, y, "slow")
    clock.seconds = 0.0
    two = _fitted(_stack(parts, time_limit=34.0, n_jobs=2), X, y)
    assert two.left_out_ == {} and clock.seconds < 34.0


@pytest.mark.parametrize("limit", [0.0, -1.0, "60"])
def test_limits_that_are_none(limit):
    X, y = _table(48)
    with pytest.raises(ValueError, match="'time_limit' parameter of MultimodalStackingRegressor"):
        _stack(_learners(a=1.0), time_limit=limit).fit(X, y)


# --- networks in time -------------------------------------------------------------------------------------------------


@pytest.fixture
def network(clock, monkeypatch, short_trainings_go_together):
    """Return a template of networks, of which each epoch takes a second, of all folds together."""

    def taking_a_second(train):
        def of_engine(*args):
            clock.sleep(1.0)
            return train(*args)

        return of_engine

    for kind in (fit_module.Engine, fit_module.VectorizedEngine):
        monkeypatch.setattr(kind, "train", taking_a_second(kind.train))
    return MultimodalNetworkRegressor(**{**TRAINING, "epochs": 30})


def _epochs_of(stack):
    return len(stack.named_estimators_["network"].history_["loss"])


@pytest.mark.parametrize("fold_training", ["vectorized", "sequential"])
def test_networks_end_in_time_with_what_they_have_learned(clock, network, fold_training):
    X, y = _table(48)
    network.set_params(fold_training=fold_training)
    stack = _stack(branches(), network=network, cv=2, time_limit=20.0)
    stack = _fitted(stack, X, y, r"training of \['network'\] ended early to be complete within time_limit=20.0 s")
    assert stack.left_out_ == {}
    assert _epochs_of(stack) == (18 if fold_training == "vectorized" else 6)
    assert clock.seconds == 18.0
    short = _stack(branches(), network=clone(network).set_params(epochs=_epochs_of(stack)), cv=2).fit(X, y)
    assert_allclose(stack.oof_predictions_, short.oof_predictions_, rtol=1e-6)


def test_networks_keep_their_best_weights(clock, network):
    X, y = _table(48)
    network.set_params(early_stopping=True, patience=30, optimizer="adam", dropout=0.0, optimizer__learning_rate=20.0)
    stack = _fitted(_stack(branches(), network=network, cv=2, time_limit=10.0), X, y, "ended early")
    fitted = stack.named_estimators_["network"]
    losses = fitted.history_["val_loss"]
    assert len(losses) == 9 and np.argmin(losses) < 8  # the last one is not the best, or this tests nothing
    best = clone(fitted).set_params(epochs=int(np.argmin(losses)) + 1).fit(X, y)
    assert_allclose(fitted.predict(X), best.predict(X), rtol=1e-4)


def test_learners_leave_time_for_networks_and_those_that_do_not_come_last(clock, network):
    X, y = _table()
    parts = [*branches(), *_learners(slow=1.0, quick=0.1)]
    stack = _stack(parts, network=network.set_params(epochs=2), time_limit=30.0)  # 16 and 1.6 seconds
    stack = _fitted(stack, X, y)
    assert list(stack.named_estimators_) == ["network", "slow", "quick"]
    clock.seconds = 0.0
    parts = [*branches(), *_learners(slow=1.5, quick=0.1)]
    stack = _stack(parts, network=network.set_params(epochs=30), time_limit=30.0)
    stack = _fitted(stack, X, y, r"\['slow'\] are left out.*\['network'\] ended early")
    assert list(stack.named_estimators_) == ["network", "quick"]


def test_a_network_that_cannot_train_all_folds_is_left_out(clock, network):
    X, y = _table(48)
    network.set_params(fold_training="sequential")
    parts = [*branches(), ("ridge", Ridge(), NUMBERS)]
    stack = _fitted(_stack(parts, network=network, cv=2, time_limit=2.0), X, y, r"\['network'\] are left out")
    assert stack.left_out_ == {"network": "time_limit"}
    assert list(stack.named_estimators_) == ["ridge"]


def test_a_network_that_ended_early_is_not_found_in_a_cache(clock, network, tmp_path):
    X, y = _table(48)
    stack = _stack(branches(), network=network.set_params(epochs=9), cv=2, memory=str(tmp_path))
    _fitted(clone(stack).set_params(time_limit=5.0), X, y, "ended early")
    assert _epochs_of(stack.fit(X, y)) == 9


# --- errors -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"estimators": [("ridge", Ridge(), ["city"])]}, "could not convert string to float"),
        ({"estimators": [("ridge", Ridge("much"), NUMBERS)]}, "'alpha' parameter of Ridge"),
        ({"estimators": [("piped", make_pipeline(StandardScaler(), Ridge("much")), NUMBERS)]}, "'alpha' parameter"),
        ({"final_estimator": Ridge("much")}, "'alpha' parameter of Ridge"),
        ({"n_jobs": 0}, "'n_jobs' parameter"),
    ],
    ids=["cells", "parameter", "parameter in a pipeline", "final estimator", "n_jobs"],
)
def test_no_network_is_trained_for_the_sake_of_an_error(params, message, monkeypatch):
    X, y = make_table(48)
    X["city"] = "Rome"
    monkeypatch.setattr(fit_module, "train", lambda *_, **__: pytest.fail("a network was trained"))
    parts = [*branches(), *params.pop("estimators", [])]
    with pytest.raises(ValueError, match=message):
        stack_regressor(parts, **params).fit(X, y)


# --- interrupts -------------------------------------------------------------------------------------------------------


FOLDS = [(np.arange(30, 48), np.arange(30)), (np.arange(30), np.arange(30, 48))]  # of 18 and 30 rows, and all 48


def _interrupted(n_rows=30, **params):
    parts = [("ridge", Ridge(), NUMBERS), ("interrupted", Interrupted(n_rows), NUMBERS), ("late", Ridge(), ["area"])]
    return _stack(parts, **{"cv": FOLDS, "on_interrupt": "keep", **params})


@pytest.mark.parametrize("n_jobs", [None, 2])
@pytest.mark.parametrize("n_rows", [48, 18, 30])
def test_what_is_complete_is_kept(n_rows, n_jobs):
    X, y = _table(48)
    stack = _interrupted(n_rows, n_jobs=n_jobs)
    stack = _fitted(stack, X, y, r"training was interrupted: base models \['interrupted', 'late'\] are left out\.")
    assert stack.left_out_ == {"interrupted": "interrupt", "late": "interrupt"}
    alone = _stack([("ridge", Ridge(), NUMBERS)], cv=FOLDS).fit(X, y)
    assert_array_equal(stack.predict(X), alone.predict(X))
    assert_array_equal(stack.oof_predictions_, alone.oof_predictions_)
    assert list(stack.stack_report_.loc["base model"].index) == ["ridge"]


def test_models_of_folds_are_complete_without_a_last_fit():
    X, y = _table(48)
    assert _interrupted(48, refit="folds").fit(X, y).left_out_ == {}


def test_by_default_it_raises_and_changes_nothing():
    X, y = _table(48)
    stack = _interrupted(on_interrupt="raise")
    with pytest.raises(KeyboardInterrupt):
        stack.fit(X, y)
    assert not hasattr(stack, "left_out_")
    before = _interrupted(n_rows=7).fit(X, y)
    expected = before.predict(X)
    before.set_params(interrupted__n_rows=30, on_interrupt="raise")
    with pytest.raises(KeyboardInterrupt):
        before.fit(X, 2 * y)
    assert_array_equal(before.predict(X), expected)


def test_it_raises_where_nothing_is_complete():
    X, y = _table(48)
    parts = [("interrupted", Interrupted(), NUMBERS), ("ridge", Ridge(), NUMBERS)]
    with pytest.raises(KeyboardInterrupt):
        _stack(parts, cv=2, on_interrupt="keep").fit(X, y)


class TwiceInterrupted(LinearRegression):
    """A final estimator that is interrupted, too."""

    def fit(self, X, y, sample_weight=None):
        """Raise what Ctrl+C does."""
        raise KeyboardInterrupt


def test_a_second_one_raises():
    X, y = _table(48)
    stack = _interrupted(final_estimator=TwiceInterrupted())
    with pytest.raises(KeyboardInterrupt), pytest.warns(UserWarning, match="training was interrupted"):
        stack.fit(X, y)
    with pytest.raises(NotFittedError):
        stack.predict(X)


@pytest.mark.parametrize(
    "many",
    [
        lambda stack, X, y: cross_validate(stack, X, y, cv=2),
        lambda stack, X, y: GridSearchCV(stack, {"ridge__alpha": [1.0, 2.0]}, cv=2).fit(X, y),
        lambda stack, X, y: Parallel(n_jobs=1)(delayed(stack.fit)(X, y) for _ in range(2)),
    ],
    ids=["cross-validation", "search", "joblib"],
)
def test_one_of_many_fits_ends_all_of_them(many):
    X, y = _table(48)
    parts = [("ridge", Ridge(), NUMBERS), ("interrupted", Interrupted(), NUMBERS)]
    with pytest.raises(KeyboardInterrupt):
        many(_stack(parts, cv=2, on_interrupt="keep"), X, y)


def test_a_stack_inside_a_stack_leaves_it_to_the_outer_one():
    X, y = _table(48)
    inner = _interrupted(on_interrupt="keep", cv=2, n_rows=None)
    parts = [("ridge", Ridge(), NUMBERS), ("inner", inner)]
    outer = _fitted(_stack(parts, on_interrupt="keep", cv=2), X, y, r"base models \['inner'\] are left out")
    assert outer.left_out_ == {"inner": "interrupt"}


class InterruptedNetwork(keras.callbacks.Callback):
    """Is interrupted after an epoch."""

    def on_epoch_end(self, epoch, logs=None):
        """Raise what Ctrl+C does."""
        raise KeyboardInterrupt


@pytest.mark.parametrize("training", ["joint", "individual"])
def test_a_network_that_is_interrupted_is_left_out(training):
    X, y = _table(48)
    parts = [("ridge", Ridge(), NUMBERS), *branches()]
    network = MultimodalNetworkRegressor(**{**TRAINING, "callbacks": [InterruptedNetwork()]})
    stack = _stack(parts, network=network, training=training, cv=2, on_interrupt="keep")
    stack = _fitted(stack, X, y, "training was interrupted")
    assert list(stack.named_estimators_) == ["ridge"]
    assert list(stack.left_out_) == (["network"] if training == "joint" else ["numbers", "place"])
    assert stack.predict(X).shape == (48,)


def test_a_stack_of_classifiers_and_one_of_several_tasks():
    X, y = _table(48)
    labels = make_labels(y, 3)
    parts = [("logistic", LogisticRegression(), NUMBERS), ("interrupted", Interrupted(), NUMBERS)]
    stack = _fitted(stack_classifier(parts, on_interrupt="keep"), X, labels, "training was interrupted")
    assert list(stack.named_estimators_) == ["logistic"] and stack.predict_proba(X).shape == (48, 3)
    several = MultimodalStackingMultitask(parts, cv=2, on_interrupt="keep")
    table = X.assign(sign=labels, number=y)[["sign", "number"]]
    several = _fitted(several, X, table, "training was interrupted")
    assert several.left_out_ == {"interrupted": "interrupt"}
    assert list(several.predict(X).columns) == ["sign", "number"]


def test_other_words_are_refused():
    X, y = _table(48)
    with pytest.raises(ValueError, match="'on_interrupt' parameter of MultimodalStackingRegressor"):
        _stack(_learners(a=1.0), on_interrupt="stop").fit(X, y)
