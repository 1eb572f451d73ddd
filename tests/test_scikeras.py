"""SciKeras's wrappers, mended: what scikit-learn asks of an estimator, and what users of SciKeras are used to."""

import copy
import functools
import pickle
import random
import subprocess
import sys
import warnings
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.base import RegressorMixin, TransformerMixin, clone, is_classifier, is_regressor
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import StackingClassifier, StackingRegressor, VotingClassifier
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import GridSearchCV, StratifiedKFold, check_cv, cross_validate
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils import get_tags
from sklearn.utils.estimator_checks import parametrize_with_checks
from sklearn.utils.validation import check_is_fitted

from skstack import KerasClassifier, KerasRegressor
from skstack._backend import keras
from skstack._scikeras import BaseWrapper, MendedWrapper

HERE = Path(__file__).parent
# By this path the worker processes of joblib find the model functions, too.
sys.path.insert(0, str(HERE))

from _keras_models import Named, build_anything, build_classifier, build_regressor, build_uncompiled  # noqa: E402

# Eager steps spare a tiny network the tracing, which takes far longer than its training.
TINY = {"run_eagerly": True, "verbose": 0, "random_state": 0}


def _regressor(**params):
    return KerasRegressor(build_regressor, **{**TINY, **params})


def _classifier(**params):
    return KerasClassifier(build_classifier, **{**TINY, **params})


@pytest.fixture(scope="module")
def numbers():
    """30 rows with two columns, and their sums."""
    X = np.random.default_rng(0).normal(size=(30, 2))
    return X, X.sum(axis=1)


@pytest.fixture(scope="module")
def labels(numbers):
    """30 rows with two columns, and labels sorted so that folds without stratification would lack some."""
    X, y = numbers
    order = np.argsort(y)
    return X[order], np.repeat(["high", "low", "middle"], 10)


# ---------------------------------------------------------------- scikit-learn's own checks

_WEIGHTS = (
    "Keras divides the weighted loss of a batch by the number of its rows, not by the sum of their weights, so leaving "
    "out or repeating rows changes the size of the stochastic gradient steps where weights do not."
)
_EXPECTED_FAILURES = {
    "check_estimator_tags_renamed": (
        "The check looks at every class an estimator inherits from, and SciKeras's BaseWrapper still defines "
        "_more_tags alone; __sklearn_tags__ of the classes below it is what scikit-learn reads."
    ),
    "check_sample_weight_equivalence_on_dense_data": _WEIGHTS,
    "check_sample_weight_equivalence_on_sparse_data": _WEIGHTS,
}


@parametrize_with_checks(
    [
        KerasRegressor(Named(build_regressor), optimizer="sgd", batch_size=-1, **TINY),
        KerasClassifier(Named(build_classifier), optimizer="sgd", batch_size=-1, **TINY),
    ],
    expected_failed_checks=lambda estimator: _EXPECTED_FAILURES,
)
def test_scikit_learn_checks(estimator, check):
    check(estimator)


# ---------------------------------------------------------------- tags, folds, scorers


def test_tags():
    regressor, classifier = get_tags(_regressor()), get_tags(_classifier())
    assert is_regressor(_regressor()) and not is_classifier(_regressor())
    assert is_classifier(_classifier()) and not is_regressor(_classifier())
    assert (regressor.estimator_type, classifier.estimator_type) == ("regressor", "classifier")
    assert regressor.regressor_tags.poor_score and classifier.classifier_tags.poor_score
    assert classifier.classifier_tags.multi_class and classifier.classifier_tags.multi_label
    for tags in (regressor, classifier):
        assert tags.target_tags.required and tags.target_tags.multi_output
        assert tags.input_tags.sparse and not tags.input_tags.allow_nan


def test_a_subclass_of_the_base_is_what_its_mixin_says():
    class Network(RegressorMixin, MendedWrapper):
        pass

    assert is_regressor(Network(build_regressor))
    assert isinstance(Network(build_regressor), BaseWrapper)


def test_whole_number_of_folds_stratifies_and_probability_scorers_work(labels):
    X, y = labels
    assert isinstance(check_cv(2, y, classifier=is_classifier(_classifier())), StratifiedKFold)
    scores = cross_validate(
        _classifier(epochs=4, batch_size=5, optimizer="adam", optimizer__learning_rate=0.05),
        X,
        y,
        cv=2,
        scoring=["neg_log_loss", "roc_auc_ovr", "accuracy"],
        error_score="raise",
    )
    assert (scores["test_neg_log_loss"] > -np.log(3)).all(), "better than equal probabilities"
    assert (scores["test_roc_auc_ovr"] > 0.5).all()


def test_binary_roc_auc(numbers):
    X, y = numbers
    classifier = _classifier(epochs=5, batch_size=5, optimizer__learning_rate=0.05)
    scores = cross_validate(classifier, X, y > 0, cv=2, scoring="roc_auc", error_score="raise")
    assert (scores["test_score"] > 0.7).all()


@pytest.mark.parametrize(
    "ensemble",
    [
        StackingClassifier([("net", _classifier()), ("linear", LogisticRegression())], cv=2),
        VotingClassifier([("net", _classifier()), ("linear", LogisticRegression())], voting="soft"),
        CalibratedClassifierCV(_classifier(), cv=2),
    ],
    ids=lambda ensemble: type(ensemble).__name__,
)
def test_inside_ensembles_of_classifiers(ensemble, labels):
    X, y = labels
    probabilities = ensemble.fit(X, y).predict_proba(X)
    assert probabilities.shape == (30, 3)
    assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-6)
    assert set(ensemble.predict(X)) <= set(y)


def test_inside_stacking_regressor(numbers):
    X, y = numbers
    stack = StackingRegressor([("net", _regressor()), ("linear", LinearRegression())], cv=2).fit(X, y)
    assert stack.transform(X).shape == (30, 2)
    assert stack.score(X, y) > 0.9


def test_grid_search_over_routed_parameters_in_two_processes(numbers):
    X, y = numbers
    search = GridSearchCV(
        _regressor(optimizer="sgd", optimizer__learning_rate=0.1, batch_size=-1),
        {"optimizer__learning_rate": [0.0, 0.1], "model__hidden": [3], "epochs": [2]},
        cv=2,
        n_jobs=2,
        error_score="raise",
    ).fit(X, y)
    assert search.best_params_ == {"optimizer__learning_rate": 0.1, "model__hidden": 3, "epochs": 2}
    assert search.best_estimator_.model_.layers[1].units == 3
    assert len(search.best_estimator_.history_["loss"]) == 2


# ---------------------------------------------------------------- parameters

ROUTED = {
    "hidden": 3,
    "model__hidden": 5,
    "optimizer__learning_rate": 0.5,
    "fit__validation_split": 0.1,
    "predict__batch_size": 7,
    "compile__weighted_metrics": ["mse"],
    "score__multioutput": "raw_values",
    "callbacks": [keras.callbacks.EarlyStopping],
    "callbacks__patience": 3,
    "callbacks__0__monitor": "loss",
}


@pytest.mark.parametrize("kind", [KerasRegressor, KerasClassifier])
def test_clone_and_round_trip_keep_every_parameter(kind):
    estimator = kind(build_regressor, random_state=4, **ROUTED)
    copied = clone(estimator)
    assert copied.get_params(deep=False) == estimator.get_params(deep=False)
    assert ROUTED.items() <= copied.get_params().items()
    other = kind(build_regressor, **dict.fromkeys(ROUTED)).set_params(**estimator.get_params())
    assert other.get_params(deep=False) == estimator.get_params(deep=False)


def test_routed_parameters_can_be_set_that_the_constructor_did_not_get():
    estimator = _regressor(callbacks=[keras.callbacks.EarlyStopping])
    estimator.set_params(
        callbacks__patience=2, score__multioutput="raw_values", optimizer__momentum=0.5, optimizer="sgd"
    )
    assert clone(estimator).get_params()["callbacks__patience"] == 2


def test_a_parameter_of_the_model_function_reaches_it(numbers):
    assert _regressor(hidden=7).fit(*numbers).model_.layers[1].units == 7
    assert _regressor(model__hidden=8).fit(*numbers).model_.layers[1].units == 8


def test_repr_shows_what_differs_from_the_defaults():
    shown = repr(KerasClassifier(build_uncompiled, hidden=3, epochs=2))
    assert "hidden=3" in shown and "epochs=2" in shown
    assert "shuffle" not in shown and "class_weight" not in shown
    assert "hidden" in _regressor(hidden=3)._repr_html_()


UNKNOWN = [
    ({"hiden": 3}, "hiden", "hidden"),
    ({"model__hiden": 3}, "model__hiden", "model__hidden"),
    ({"optimizer__learning_rat": 0.1}, "optimizer__learning_rat", "optimizer__learning_rate"),
    ({"optimiser__learning_rate": 0.1}, "optimiser__learning_rate", "optimizer__learning_rate"),
    ({"optimizer": keras.optimizers.SGD, "optimizer__momentun": 0.1}, "optimizer__momentun", "optimizer__momentum"),
    ({"fit__epoch": 3}, "fit__epoch", "fit__epochs"),
    ({"predict__batchsize": 3}, "predict__batchsize", "predict__batch_size"),
    ({"compile__loss_weight": 3}, "compile__loss_weight", "compile__loss_weights"),
    ({"loss": keras.losses.Huber, "loss__delt": 3}, "loss__delt", "loss__delta"),
    ({"loss": "mse", "loss__delta": 3}, "loss__delta", "'loss' here takes: no parameters"),
    (
        {"callbacks": [keras.callbacks.EarlyStopping], "callbacks__0__pattience": 3},
        "pattience",
        "callbacks__0__patience",
    ),
    ({"callbacks": {"a": keras.callbacks.EarlyStopping}, "callbacks__b__patience": 3}, "b__patience", "a__patience"),
    ({"meta": {}}, "meta", "takes"),
    ({"optimizer__momentum__decay": 1, "optimizer": "sgd"}, "optimizer__momentum__decay", "optimizer__momentum"),
    (
        {"optimizer__rate": 1, "optimizer": keras.optimizers.SGD()},
        "optimizer__rate",
        "'optimizer' here takes: no param",
    ),
    ({"learning_rate": 1}, "learning_rate", "optimizer__learning_rate"),
    ({"zzz": 1}, "zzz", "This estimator takes: .*epochs.*hidden"),
    ({"zzz__zzz": 1}, "zzz__zzz", "routed to: .*compile, fit.*optimizer"),
]


@pytest.mark.parametrize(("params", "name", "hint"), UNKNOWN, ids=lambda value: value if isinstance(value, str) else "")
@pytest.mark.parametrize("kind", [KerasRegressor, KerasClassifier])
def test_unknown_parameters_are_refused_by_the_constructor_and_set_params(params, name, hint, kind):
    message = f"(?s)Invalid parameter '.*{name}' for estimator {kind.__name__}.*{hint}"
    with pytest.raises(ValueError, match=message):
        kind(build_regressor, **params)
    estimator = kind(build_regressor)
    with pytest.raises(ValueError, match=message):
        estimator.set_params(**params)
    clone(kind(build_regressor))


def test_unknown_parameters_are_refused_before_training_at_the_latest(numbers):
    estimator = _regressor(hidden=3).set_params(model=functools.partial(build_uncompiled, 1), hidden=4)
    estimator.set_params(model=lambda meta: pytest.fail("the model was built"))
    with pytest.raises(ValueError, match="Invalid parameter 'hidden' for estimator KerasRegressor"):
        estimator.fit(*numbers)


def test_a_finished_model_takes_no_parameters():
    with pytest.raises(ValueError, match="'hidden' for estimator KerasRegressor"):
        KerasRegressor(build_uncompiled(), hidden=3)


def test_a_model_function_with_open_parameters_takes_any_name(numbers):
    estimator = KerasRegressor(build_anything, loss="mse", width=3, depth=2, model__height=1, **TINY)
    assert estimator.fit(*numbers).model_.layers[1].units == 3
    with pytest.raises(ValueError, match="'fit__epoch'"):
        KerasRegressor(build_anything, fit__epoch=3)


def test_parameters_of_callbacks_may_stay_while_callbacks_are_off():
    assert clone(_regressor(callbacks__patience=3)).callbacks__patience == 3


class _Custom(keras.callbacks.Callback):
    def __init__(self, **kwargs):
        super().__init__()
        self.kwargs = kwargs


def test_a_class_with_an_open_constructor_takes_any_name(numbers):
    estimator = _regressor(callbacks=_Custom, callbacks__anything=3).fit(*numbers)
    assert estimator._fit_callbacks[0].kwargs == {"anything": 3}


# ---------------------------------------------------------------- data and predictions


@pytest.mark.parametrize("dtype", ["float64", "float32", "int64"])
def test_predictions_have_the_shape_of_y(numbers, dtype):
    X, y = numbers
    for target, shape in [(y, (30,)), (y[:, None], (30, 1)), (np.column_stack([y, y, y]), (30, 3))]:
        with warnings.catch_warnings():
            # scikit-learn would warn of as many classes as rows if it were asked about whole numbers.
            warnings.simplefilter("error", UserWarning)
            predictions = _regressor().fit(X, (100 * target).astype(dtype)).predict(X)
        assert predictions.shape == shape


def test_single_row_of_probabilities(labels, numbers):
    X, y = labels
    classifier = _classifier().fit(X, y)
    assert classifier.predict_proba(X[:1]).shape == (1, 3)
    assert_allclose(classifier.predict_proba(X[:1]), classifier.predict_proba(X)[:1])
    assert _classifier().fit(X, y == "low").predict_proba(X[:1]).shape == (1, 2)


def test_names_of_columns_are_recorded_and_compared(numbers):
    X, y = numbers
    frame = pd.DataFrame(X, columns=["area", "rooms"])
    estimator = _regressor().fit(frame, y)
    assert_array_equal(estimator.feature_names_in_, ["area", "rooms"])
    with pytest.raises(ValueError, match=r"(?s)feature names should match.*bath"):
        estimator.predict(frame.rename(columns={"rooms": "bath"}))
    with pytest.raises(ValueError, match="X has 1 features, but KerasRegressor is expecting 2 features as input"):
        _regressor().fit(X, y).predict(X[:, :1])


def test_a_frame_of_mixed_numbers_is_no_object_array(numbers):
    frame = pd.DataFrame({"whole": np.arange(30), "flag": np.arange(30) % 2 == 0, "real": numbers[0][:, 0]})
    estimator = _regressor().fit(frame, numbers[1])
    assert estimator.X_dtype_ == "float64"
    assert _regressor().fit(frame[["whole"]], numbers[1]).predict(
        frame[["real"]].set_axis(["whole"], axis=1)
    ).shape == (30,)


def test_rows_of_more_than_one_dimension(numbers):
    X = np.zeros((30, 4, 5))

    def build(meta):
        inputs = keras.Input(meta["X_shape_"][1:])
        return keras.Model(inputs, keras.layers.Dense(1)(keras.layers.Flatten()(inputs)))

    estimator = KerasRegressor(build, loss="mse", **TINY).fit(X, numbers[1])
    assert estimator.predict(X).shape == (30,)
    with pytest.raises(ValueError, match=r"Rows of X have shape \(4, 3\), but KerasRegressor was fitted with \(4, 5\)"):
        estimator.predict(X[:, :, :3])
    with pytest.raises(ValueError, match="There are 2 dimensions in X, but this KerasRegressor was fitted with 3"):
        estimator.partial_fit(X[:, :, 0], numbers[1])


def test_sparse_rows_predict_as_dense_ones(numbers):
    X, y = numbers
    estimator = _regressor().fit(sparse.csc_array(X), y)
    assert_allclose(estimator.predict(sparse.coo_matrix(X)), estimator.predict(X))


def test_text_as_regression_target_is_refused(numbers):
    with pytest.raises(ValueError, match="could not convert string to float"):
        _regressor().fit(numbers[0], np.repeat("dear", 30))


@pytest.mark.parametrize("n_units", [1, 2])
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_one_class_is_predicted_for_certain(numbers, method, n_units):
    X = numbers[0]
    model = functools.partial(build_uncompiled, n_units)
    classifier = KerasClassifier(model, loss="sparse_categorical_crossentropy", **TINY)
    getattr(classifier, method)(X, np.repeat("high", 30))
    assert set(classifier.predict(X)) == {"high"}
    assert_array_equal(classifier.predict_proba(X), np.ones((30, 1)))
    assert classifier.score(X, np.repeat("high", 30)) == 1


def test_one_class_after_others_in_partial_fit(labels):
    X, y = labels
    classifier = _classifier().fit(X, y).partial_fit(X[:10], y[:10])
    assert_array_equal(classifier.classes_, ["high", "low", "middle"])
    assert classifier.predict_proba(X).shape == (30, 3)


@pytest.mark.parametrize("estimator", [_regressor(), _classifier()], ids=lambda estimator: type(estimator).__name__)
def test_unfitted(estimator, numbers):
    with pytest.raises(NotFittedError):
        estimator.predict(numbers[0])
    with pytest.raises(ValueError, match="NaN"):
        estimator.fit(numbers[0] * np.nan, numbers[1] > 0)
    with pytest.raises(NotFittedError):
        check_is_fitted(estimator)


@pytest.mark.parametrize("kind", [np.array, list, pd.Series])
@pytest.mark.parametrize("dtype", [int, float])
def test_weights_of_the_caller_are_left_alone(labels, kind, dtype):
    X, y = labels
    weights = kind(np.arange(30).astype(dtype))
    classifier = _classifier(class_weight={"high": 3.0, "low": 1.0, "middle": 0.0})
    classifier.fit(X, pd.Series(y), sample_weight=weights).partial_fit(X, y, sample_weight=weights)
    assert_array_equal(weights, np.arange(30))


def test_class_weights_multiply_sample_weights(labels):
    X, y = labels
    weights = np.linspace(1, 2, 30)
    weighted = _classifier(class_weight={"high": 3.0, "low": 1.0, "middle": 0.5})
    plain = _classifier().fit(X, y, sample_weight=weights * np.select([y == "high", y == "low"], [3, 1], 0.5))
    assert_allclose(weighted.fit(X, y, sample_weight=weights).predict_proba(X), plain.predict_proba(X))
    assert not np.allclose(_classifier().fit(X, y, sample_weight=weights).predict_proba(X), plain.predict_proba(X))


def test_score_takes_frames_and_weights_and_follows_an_own_scorer(numbers):
    class AbsoluteError(KerasRegressor):
        @staticmethod
        def scorer(y_true, y_pred, sample_weight=None, scale=1.0):
            return -scale * np.average(np.abs(y_true - y_pred), weights=sample_weight)

    frame, y = pd.DataFrame(numbers[0]), pd.Series(numbers[1])
    estimator = AbsoluteError(build_regressor, score__scale=2.0, **TINY).fit(frame, y)
    weights = np.arange(30)
    expected = -2 * np.average(np.abs(y - estimator.predict(frame)), weights=weights)
    assert_allclose(estimator.score(frame, y, sample_weight=weights), expected)


# ---------------------------------------------------------------- training on, seeds


def test_partial_fit_with_all_classes_announced(labels):
    X, y = labels
    classifier = _classifier().partial_fit(X[:10], y[:10], classes=["middle", "low", "high"])
    assert classifier.predict_proba(X).shape == (30, 3)
    classifier.partial_fit(X, y)
    assert_array_equal(classifier.classes_, ["high", "low", "middle"])
    assert len(classifier.history_["loss"]) == 2
    with pytest.raises(ValueError, match=r"classes=.*'other'.* differ from those of earlier calls"):
        classifier.partial_fit(X, y, classes=["high", "other"])
    assert classifier.predict(X).shape == (30,)


def test_warm_start_goes_on_and_keeps_the_classes(labels):
    X, y = labels
    classifier = _classifier(warm_start=True, optimizer__learning_rate=0.0)
    before = classifier.fit(X, y).predict_proba(X)
    model = classifier.model_
    assert_allclose(classifier.fit(X, y).predict_proba(X), before)
    assert classifier.model_ is model
    assert_array_equal(classifier.classes_, ["high", "low", "middle"])


def _global_draws():
    import tensorflow as tf

    return (
        random.random(),
        np.random.rand(),  # noqa: NPY002 - the global state is what is watched
        float(tf.random.uniform([])),
        keras.ops.convert_to_numpy(keras.random.uniform([])).item(),
    )


def test_a_seed_repeats_a_fit_and_leaves_the_global_states_alone(numbers):
    keras.utils.clear_session(free_memory=False)  # Keras 3.8 would keep its global generator beside the new seed
    keras.utils.set_random_seed(3)
    _global_draws()
    expected = [_global_draws() for _ in range(2)]
    keras.utils.clear_session(free_memory=False)  # Keras 3.8 would keep its global generator beside the new seed
    keras.utils.set_random_seed(3)
    _global_draws()
    first = _regressor(batch_size=4).fit(*numbers).predict(numbers[0])
    assert_allclose([_global_draws() for _ in range(2)], expected)
    assert_allclose(_regressor(batch_size=4).fit(*numbers).predict(numbers[0]), first)
    other = _regressor(batch_size=4, random_state=1).fit(*numbers).predict(numbers[0])
    assert not np.allclose(other, first)


def test_random_state_as_numpy_integer_and_as_generator(numbers):
    X, y = numbers
    expected = _regressor().fit(X, y).predict(X)
    assert_allclose(_regressor(random_state=np.int64(0)).fit(X, y).predict(X), expected)
    one, same, other = (np.random.RandomState(seed) for seed in (1, 1, 2))
    predictions = [_regressor(random_state=state).fit(X, y).predict(X) for state in (one, same, other)]
    assert_allclose(predictions[0], predictions[1])
    assert not np.allclose(predictions[0], predictions[2])


# ---------------------------------------------------------------- persistence


def _in_a_new_process(code, *arguments):
    path = f"import sys; sys.path.insert(0, {str(HERE)!r})\n"
    command = [sys.executable, "-c", path + code, *map(str, arguments)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def test_joblib_dump_predicts_the_same_in_a_new_process(labels, tmp_path):
    X, y = labels
    classifier = _classifier(optimizer__learning_rate=0.05).fit(X, y)
    joblib.dump((classifier, X), tmp_path / "dump")
    _in_a_new_process(
        "import joblib, numpy as np\n"
        "classifier, X = joblib.load(sys.argv[1])\n"
        "np.save(sys.argv[2], classifier.predict_proba(X))",
        tmp_path / "dump",
        tmp_path / "probabilities.npy",
    )
    assert_allclose(np.load(tmp_path / "probabilities.npy"), classifier.predict_proba(X))


def test_a_seeded_fit_does_not_turn_on_determinism_for_good():
    # In a process of its own: it depends on what was the first question to TensorFlow.
    _in_a_new_process(
        "import numpy as np, tensorflow as tf\n"
        "from _keras_models import build_regressor\n"
        "from skstack import KerasRegressor\n"
        "for seed in (0, None):\n"
        "    KerasRegressor(build_regressor, random_state=seed, run_eagerly=True).fit(np.eye(2), [0.0, 1.0])\n"
        "tf.random.uniform([])"
    )


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda estimator: pickle.loads(pickle.dumps(estimator))])
def test_a_copy_goes_on_training_where_the_original_is(numbers, copied):
    X, y = numbers
    original = _regressor(optimizer="adam", epochs=2, shuffle=False).fit(X, y)
    twin = copied(original)
    assert_allclose(twin.predict(X), original.predict(X))
    twin.partial_fit(X, y)
    assert_allclose(twin.predict(X), original.partial_fit(X, y).predict(X), rtol=1e-6)
    assert len(twin.history_["loss"]) == 3


# ---------------------------------------------------------------- code written for SciKeras


def get_clf(hidden_layer_dim, meta, compile_kwargs):
    """The kind of function SciKeras's tutorials use."""
    model = keras.Sequential()
    model.add(keras.layers.Input(shape=(meta["n_features_in_"],)))
    model.add(keras.layers.Dense(hidden_layer_dim, activation="relu"))
    model.add(keras.layers.Dense(meta["n_classes_"]))
    model.compile(loss=compile_kwargs["loss"], optimizer=compile_kwargs["optimizer"], metrics=compile_kwargs["metrics"])
    return model


def test_tutorial_with_classes_routing_and_callbacks(labels):
    X, y = labels
    classifier = KerasClassifier(
        model=get_clf,
        loss=keras.losses.SparseCategoricalCrossentropy,
        loss__from_logits=True,
        optimizer=keras.optimizers.SGD,
        optimizer__learning_rate=0.0,
        optimizer__momentum=0.5,
        hidden_layer_dim=6,
        metrics=["accuracy", keras.metrics.SparseTopKCategoricalAccuracy],
        metrics__1__k=2,
        metrics__1__name="top2",
        callbacks=[keras.callbacks.EarlyStopping],
        callbacks__monitor="val_loss",
        callbacks__patience=1,
        fit__validation_split=0.2,
        fit__epochs=9,
        verbose=0,
        random_state=0,
    )
    classifier.fit(X, y)
    assert classifier.model_.optimizer.momentum == 0.5
    assert classifier.model_.layers[0].units == 6
    assert len(classifier.history_["val_loss"]) == 2, "no progress at a learning rate of 0, patience of 1"
    assert {"accuracy", "top2", "val_accuracy"} <= set(classifier.history_)
    assert classifier.current_epoch == 2
    classifier.partial_fit(X, y)
    assert classifier.current_epoch == 3
    assert 0 <= classifier.score(X, y) <= 1


class MLPClassifier(KerasClassifier):
    """A subclass with named parameters, the way SciKeras's documentation has it."""

    def __init__(self, hidden_layer_sizes=(3,), optimizer="adam", optimizer__learning_rate=0.01, epochs=2, **kwargs):
        super().__init__(**kwargs)
        self.hidden_layer_sizes = hidden_layer_sizes
        self.optimizer = optimizer
        self.optimizer__learning_rate = optimizer__learning_rate
        self.epochs = epochs

    def _keras_build_fn(self, compile_kwargs):
        inputs = features = keras.Input((self.n_features_in_,))
        for units in self.hidden_layer_sizes:
            features = keras.layers.Dense(units, activation="relu")(features)
        model = keras.Model(inputs, keras.layers.Dense(1, activation="sigmoid")(features))
        model.compile(loss="binary_crossentropy", optimizer=compile_kwargs["optimizer"])
        return model


def test_subclass_with_its_own_constructor(labels):
    X, y = labels
    classifier = clone(MLPClassifier(hidden_layer_sizes=(5, 4), optimizer="sgd", optimizer__momentum=0.5, **TINY))
    classifier.set_params(optimizer__learning_rate=0.25).fit(X, y == "low")
    assert [layer.units for layer in classifier.model_.layers[1:]] == [5, 4, 1]
    assert_allclose(float(classifier.model_.optimizer.learning_rate), 0.25)
    assert classifier.model_.optimizer.momentum == 0.5
    with pytest.raises(ValueError, match=r"'hidden_layer_size' for estimator MLPClassifier.*'hidden_layer_sizes'"):
        MLPClassifier(hidden_layer_size=3).fit(X, y)


class Numbered(keras.callbacks.Callback):
    """A callback whose constructor takes any number of positions."""

    def __init__(self, *args, key=None):
        super().__init__()
        self.args, self.key = args, key


def test_positions_are_routed_to_an_open_constructor(numbers):
    positions = {"callbacks__numbered__1": "second", "callbacks__numbered__0": "first"}
    estimator = _regressor(callbacks={"numbered": Numbered}, callbacks__numbered__key=3, **positions).fit(*numbers)
    assert estimator._fit_callbacks[0].args == ("first", "second")
    assert estimator._fit_callbacks[0].key == 3
    with pytest.raises(ValueError, match=r"'callbacks__numbered__kye'.*'callbacks__numbered__key'"):
        _regressor(callbacks={"numbered": Numbered}, callbacks__numbered__kye=3)


def test_positions_are_all_that_some_constructors_take():
    class Positions(keras.callbacks.Callback):
        def __init__(self, *args):
            super().__init__()

    with pytest.raises(ValueError, match=r"'callbacks__zzzzzz'.*'callbacks' here takes: 0, 1, \.\.\."):
        _regressor(callbacks=Positions, callbacks__zzzzzz=3)


class OwnMethods(keras.Sequential):
    """A model whose methods take a parameter that Keras's do not."""

    def fit(self, *args, custom, **kwargs):
        self.custom = [custom]
        return super().fit(*args, **kwargs)

    def predict(self, x, rounded=False, **kwargs):
        outputs = super().predict(x, **kwargs)
        return outputs.round() if rounded else outputs


def build_own_methods():
    return OwnMethods([keras.Input((2,)), keras.layers.Dense(1)])


def test_parameters_of_a_models_own_methods(numbers):
    X, y = numbers
    params = {"loss": "mse", "fit__custom": "routed", "predict__rounded": True, **TINY}
    estimator = KerasRegressor(build_own_methods, **params).fit(X, y)
    assert estimator.model_.custom == ["routed"]
    assert_array_equal(estimator.predict(X), estimator.predict(X).round())
    assert estimator.fit(X, y, custom="given").model_.custom == ["given"]
    assert clone(KerasRegressor(build_own_methods(), **params)).set_params(fit__custom=3).fit__custom == 3


def test_parameters_that_no_method_of_the_model_knows(numbers):
    with pytest.raises(ValueError, match=r"'fit__custom'.*'fit' here takes: batch_size"):
        KerasRegressor(build_uncompiled(), fit__custom=3)
    estimator = _regressor(fit__custom=3).set_params(predict__custom=3, model=build_uncompiled, loss="mse")
    with pytest.raises(ValueError, match=r"'fit__custom' for estimator KerasRegressor.*'fit' here takes: batch_size"):
        estimator.fit(*numbers)
    assert not hasattr(estimator, "history_")
    with pytest.raises(ValueError, match=r"'fit__epoch'.*'fit__epochs'"):
        KerasRegressor(build_own_methods, fit__epoch=3)


@pytest.mark.parametrize("loss", ["BinaryCrossentropy", keras.losses.BinaryCrossentropy])
@pytest.mark.parametrize("collect", [lambda loss: loss, lambda loss: [loss], lambda loss: {"out": loss}])
def test_parameters_of_a_loss_named_after_its_class(numbers, loss, collect):
    def build(compile_kwargs):
        inputs = keras.Input((2,))
        outputs = keras.layers.Dense(1)(inputs)
        model = keras.Model(inputs, {"out": outputs} if isinstance(given, dict) else outputs)
        model.compile(loss=compile_kwargs["loss"], optimizer=compile_kwargs["optimizer"])
        return model

    given = collect(loss)
    classifier = KerasClassifier(build, loss=given, loss__from_logits=True, loss__name="own", **TINY)
    classifier.initialize(numbers[0], numbers[1] > 0)
    used = classifier.model_.loss
    used = used["out"] if isinstance(used, dict) else used[0] if isinstance(used, list) else used
    assert used.from_logits and used.name == "own"
    assert classifier.loss is given, "the parameter stays as it was"
    with pytest.raises(ValueError, match=r"'loss__from_logit'.*'loss__from_logits'"):
        KerasClassifier(build, loss=given, loss__from_logit=True)


def test_parameters_of_metrics_named_after_their_classes(labels):
    classifier = _classifier(metrics=["SparseCategoricalAccuracy", "accuracy"], metrics__0__name="own")
    assert {"own", "accuracy"} <= set(classifier.fit(*labels).history_)


def test_a_function_takes_no_parameters_as_loss_or_metric():
    with pytest.raises(ValueError, match=r"'loss__from_logits'.*'loss' here takes: no parameters"):
        _classifier(loss=keras.losses.binary_crossentropy, loss__from_logits=True)
    with pytest.raises(ValueError, match=r"'metrics__name'.*'metrics' here takes: no parameters"):
        _classifier(metrics=[keras.metrics.binary_accuracy], metrics__name="own")


@pytest.mark.parametrize("network", ["float32", "float64"])
@pytest.mark.parametrize("target", ["float32", "float64", "int64", "uint8"])
def test_predictions_have_the_precision_of_the_network(numbers, network, target):
    def build():
        return keras.Sequential([keras.Input((2,), dtype=network), keras.layers.Dense(1, dtype=network)])

    estimator = KerasRegressor(build, loss="mse", **TINY).fit(numbers[0], np.abs(10 * numbers[1]).astype(target))
    assert estimator.predict(numbers[0]).dtype == network


def test_objects_become_numbers_of_keras_precision(numbers):
    estimator = _regressor().fit(numbers[0].astype(object), numbers[1])
    assert estimator.X_dtype_ == keras.config.floatx()


def test_whole_numbers_may_be_followed_by_real_ones(labels):
    X, y = labels[0], np.repeat([0, 1, 2], 10)
    classifier = _classifier().partial_fit(np.round(X).astype("int32"), y).partial_fit(X, y.astype(float))
    assert len(classifier.history_["loss"]) == 2
    assert classifier.predict(X).dtype == y.dtype


def test_targets_of_another_form_are_refused_in_partial_fit(numbers):
    X, y = numbers
    with pytest.raises(ValueError, match="y has 2 dimensions, but this KerasRegressor was fitted with 1"):
        _regressor().fit(X, y).partial_fit(X, y[:, None])


class WithParameter(KerasClassifier):
    """A subclass that adds a parameter which nothing but itself uses."""

    def __init__(self, model=None, split=True, **kwargs):
        super().__init__(model=model, **kwargs)
        self.split = split


def test_a_subclass_may_add_a_parameter_to_the_constructor(labels):
    estimator = WithParameter(build_classifier, split=False, hidden=3, **TINY)
    copied = clone(estimator).set_params(hidden=5)
    assert copied.split is False
    assert copied.fit(*labels).model_.layers[1].units == 5
    assert "split=False" in repr(copied)


class TwoInputs(KerasRegressor):
    """A subclass whose encoder splits X for a network with two inputs."""

    @property
    def feature_encoder(self):
        return FunctionTransformer(lambda X: {"left": X[:, :1], "right": X[:, 1:]})

    def _keras_build_fn(self):
        inputs = [keras.Input((1,), name=name) for name in ("left", "right")]
        return keras.Model(inputs, keras.layers.Dense(1)(keras.layers.Concatenate()(inputs)))


def test_subclass_with_a_feature_encoder(numbers):
    X, y = numbers
    estimator = TwoInputs(loss="mse", callbacks={"stop": keras.callbacks.EarlyStopping}, **TINY)
    estimator.set_params(callbacks__stop__patience=4, callbacks__stop__monitor="loss").fit(X, y)
    assert estimator._fit_callbacks[0].patience == 4
    assert estimator.predict(X).shape == (30,)


class AutoEncoder(TransformerMixin, MendedWrapper):
    """A transformer around a network."""

    def fit(self, X, y=None):
        return super().fit(X, X)

    def transform(self, X):
        return self.predict(X)


def test_transformer_from_the_base(numbers):
    coder = AutoEncoder(build_uncompiled, n_units=2, loss="mse", **TINY)
    assert coder.fit_transform(numbers[0]).shape == (30, 2)
    assert not is_regressor(coder)


def test_functions_that_compile_finished_models_and_former_names(numbers):
    X, y = numbers
    model = build_uncompiled()
    assert KerasRegressor(model, loss="mse", **TINY).fit(X, y).model_ is model
    with pytest.warns(UserWarning, match="build_fn"):
        assert KerasRegressor(build_fn=build_uncompiled, loss="mse", hidden=3, **TINY).fit(X, y).predict(X).shape == (
            30,
        )
    with pytest.raises(ValueError, match="You must provide a loss or a compiled model"):
        KerasRegressor(build_uncompiled, **TINY).fit(X, y)
