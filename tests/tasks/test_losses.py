"""Losses by name, and their units."""

import numpy as np
import pytest
from sklearn.metrics import mean_pinball_loss

from skstack import MultimodalNetworkClassifier, MultimodalNetworkRegressor
from skstack._backend import keras
from skstack.tasks._layers import Unstandardize
from skstack.tasks._losses import (
    Quantile,
    check_learning_rate,
    check_loss,
    check_metrics,
    check_optimizer,
    in_standard_units,
    is_categorical,
    is_positive,
    is_sparse,
    known_losses,
    loss_kind,
    on_margins,
    on_positions,
    resolve_loss,
)

losses = keras.losses
Y = np.array([[10.0], [14.0], [18.0]], dtype="float32")
PREDICTED = np.array([[11.0], [14.0], [12.0]], dtype="float32")
CENTER, SCALE = 12.0, 2.0

NAMES = {
    "mean_squared_error": losses.MeanSquaredError,
    "MeanSquaredError": losses.MeanSquaredError,
    "mse": losses.MeanSquaredError,
    "mae": losses.MeanAbsoluteError,
    "mape": losses.MeanAbsolutePercentageError,
    "msle": losses.MeanSquaredLogarithmicError,
    "log_cosh": losses.LogCosh,
    "logcosh": losses.LogCosh,
    "huber": losses.Huber,
    "poisson": losses.Poisson,
    "kld": losses.KLDivergence,
    "kl_divergence": losses.KLDivergence,
    "bce": losses.BinaryCrossentropy,
    "binary_crossentropy": losses.BinaryCrossentropy,
    "sparse_categorical_crossentropy": losses.SparseCategoricalCrossentropy,
    "categorical_hinge": losses.CategoricalHinge,
    "squared_hinge": losses.SquaredHinge,
}


@pytest.mark.parametrize(("name", "expected"), NAMES.items())
def test_names_are_those_of_keras(name, expected):
    assert resolve_loss(name) is expected


@pytest.mark.parametrize("name", sorted(known_losses()))
def test_every_known_name_makes_a_loss(name):
    loss = resolve_loss(name)()
    assert isinstance(loss, losses.Loss)
    assert loss_kind(loss) == type(loss).__name__


@pytest.mark.parametrize("loss", [losses.Huber, losses.Huber(), losses.huber, None])
def test_what_is_no_name_is_left_alone(loss):
    assert resolve_loss(loss) is loss


@pytest.mark.parametrize(("name", "hint"), [("mean_square_error", "'mean_squared_error'"), ("hubr", "'huber'")])
def test_unknown_name_gets_a_hint(name, hint):
    with pytest.raises(ValueError, match=f"unknown loss '{name}'. Did you mean {hint}\\? Known are .*'huber'"):
        resolve_loss(name)


def test_nonsense_gets_the_known_names():
    with pytest.raises(ValueError, match=r"unknown loss 'zzz'\. Known are \["):
        resolve_loss("zzz")


@pytest.mark.parametrize(
    "metrics",
    [
        None,
        "mae",
        "accuracy",
        ["acc", losses.huber, keras.metrics.AUC, keras.metrics.AUC()],
        {"a": ["auc"]},
        ["R2Score"],
    ],
)
def test_known_metrics_pass(metrics):
    check_metrics(metrics)


@pytest.mark.parametrize(
    ("metrics", "hint"), [("aucc", "auc"), (["mae", "r2score"], "r2_score"), ({"a": "Acc"}, "acc")]
)
def test_unknown_metrics_get_a_hint(metrics, hint):
    with pytest.raises(ValueError, match=rf"unknown metric '.*'. Did you mean '{hint}'\? Known are .*'auc'.*'mae'"):
        check_metrics(metrics)


@pytest.mark.parametrize("optimizer", ["adam", "SGD", keras.optimizers.Adam, keras.optimizers.Adam()])
def test_known_optimizers_pass(optimizer):
    check_optimizer(optimizer)


def test_what_can_be_called_nothing_of_it_is_refused():
    with pytest.raises(TypeError, match="'loss' should be a Keras loss, its name or a function, got 3"):
        resolve_loss(3)
    with pytest.raises(TypeError, match="'optimizer' should be a Keras optimizer, its class or its name, got 3"):
        check_optimizer(3)
    with pytest.raises(TypeError, match="'metrics' should be Keras metrics, their names or functions, got 3"):
        check_metrics(["mae", [3]])


schedules = keras.optimizers.schedules


@pytest.mark.parametrize("rate", [-0.1, float("nan"), float("inf"), schedules.ExponentialDecay(-1.0, 10, 0.9)])
def test_learning_rates_that_cannot_train_are_refused(rate):
    with pytest.raises(ValueError, match="learning rate of SGD should be a finite number and not negative, got "):
        check_learning_rate(keras.optimizers.SGD(rate))


@pytest.mark.parametrize("rate", [0.0, 0.1, schedules.CosineDecay(0.0, 10, warmup_target=0.1, warmup_steps=5)])
def test_learning_rates_that_start_at_zero_pass(rate):
    check_learning_rate(keras.optimizers.SGD(rate))


def custom(y_true, y_pred):
    """A user's own loss."""
    return keras.ops.mean(keras.ops.abs(y_true - y_pred), axis=-1)


@pytest.mark.parametrize("loss", [losses.Huber, losses.Huber(delta=2.0), losses.huber])
def test_kind_of_class_instance_and_function_is_the_same(loss):
    assert loss_kind(loss) == "Huber"


def test_kind_of_ones_own_loss_is_its_name():
    assert loss_kind(custom) == "custom"


def test_sparse_and_categorical_losses_are_known():
    assert is_sparse("SparseCategoricalCrossentropy")
    assert not is_sparse("CategoricalCrossentropy")
    assert is_categorical("SparseCategoricalCrossentropy")
    assert is_categorical("KLDivergence")
    assert not is_categorical("BinaryCrossentropy")


@pytest.fixture
def output():
    layer = Unstandardize()
    layer.build((None, 1))
    layer.center.assign([CENTER])
    layer.scale.assign([SCALE])
    return layer


def _values(loss, y_true=Y, y_pred=PREDICTED):
    # `call` gives the loss of each row, which Keras weights before it takes the mean.
    return np.asarray(keras.ops.convert_to_numpy(loss.call(keras.ops.array(y_true), keras.ops.array(y_pred))))


ERROR = ((Y - PREDICTED) / SCALE)[:, 0]


@pytest.mark.parametrize(
    ("loss", "expected"),
    [
        (losses.MeanSquaredError(), ERROR**2),
        (losses.mean_squared_error, ERROR**2),
        (losses.MeanAbsoluteError(), np.abs(ERROR)),
        (losses.Huber(delta=0.25), 0.25 * np.maximum(np.abs(ERROR) - 0.125, 0)),
        (losses.LogCosh(), np.log(np.cosh(ERROR))),
    ],
    ids=["mse", "mse function", "mae", "huber", "log cosh"],
)
def test_losses_that_scale_are_those_of_the_standardised_target(output, loss, expected):
    np.testing.assert_allclose(_values(in_standard_units(loss, output)), expected, rtol=1e-5)


def test_how_rows_are_summed_up_is_kept(output):
    total = in_standard_units(losses.MeanSquaredError(reduction="sum"), output)
    np.testing.assert_allclose(float(total(Y, PREDICTED)), (ERROR**2).sum(), rtol=1e-5)


@pytest.mark.parametrize(
    "loss", [losses.MeanAbsolutePercentageError(), losses.MeanSquaredLogarithmicError(), losses.Poisson(), custom]
)
def test_other_losses_keep_the_units_of_the_target(output, loss):
    assert in_standard_units(loss, output) is loss


@pytest.mark.parametrize(("loss", "power"), [(losses.Hinge(), 1), (losses.hinge, 1), (losses.SquaredHinge(), 2)])
def test_hinge_takes_a_probability_as_a_score(loss, power):
    y, p = np.array([[0.0], [1.0], [1.0]]), np.array([[0.25], [0.75], [0.25]])
    np.testing.assert_allclose(_values(on_margins(loss), y, p), np.array([0.5, 0.5, 1.5]) ** power, rtol=1e-6)


def test_labels_all_of_one_class_are_scores_too():
    p = np.array([[0.0], [1.0]])
    np.testing.assert_allclose(_values(on_margins(losses.Hinge()), np.ones((2, 1)), p), [2.0, 0.0], atol=1e-6)
    np.testing.assert_allclose(_values(on_margins(losses.Hinge()), np.zeros((2, 1)), p), [0.0, 2.0], atol=1e-6)


@pytest.mark.parametrize("loss", [losses.BinaryCrossentropy(), losses.CategoricalHinge(), custom])
def test_losses_of_probabilities_are_left_alone(loss):
    assert on_margins(loss) is loss


# --- quantiles --------------------------------------------------------------------------------------------------------


def test_the_pinball_loss_of_several_quantiles_is_their_mean():
    y, predicted = np.array([[1.0], [1.0]]), np.array([[0.0, 3.0], [2.0, 1.0]])
    values = _values(Quantile([0.1, 0.8]), y, predicted)
    np.testing.assert_allclose(values, [(0.1 * 1 + 0.2 * 2) / 2, (0.9 * 1 + 0) / 2], rtol=1e-6)
    np.testing.assert_allclose(_values(Quantile(0.1), y, predicted[:, :1]), [0.1, 0.9], rtol=1e-6)


def test_the_pinball_loss_is_that_of_scikit_learn_in_standard_units(output):
    values = _values(in_standard_units(Quantile(0.3), output))
    assert values.mean() == pytest.approx(mean_pinball_loss(Y, PREDICTED, alpha=0.3) / SCALE, rel=1e-5)


def test_the_pinball_loss_is_rebuilt_from_its_config():
    assert Quantile.from_config(Quantile([0.1, 0.8]).get_config()).quantile == [0.1, 0.8]


# --- what suits what --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("loss", "predicted"),
    [
        (losses.Hinge(), "a number"),
        (losses.CosineSimilarity, "a number"),
        (losses.kl_divergence, "numbers"),
        (Quantile(), "classes"),
        (losses.CategoricalHinge(), "labels"),
    ],
)
def test_losses_that_suit_nothing_are_refused(loss, predicted):
    with pytest.raises(ValueError, match=f"does not predict {predicted}. Losses that do are .*'mean_squared_error'"):
        check_loss(loss, predicted)


@pytest.mark.parametrize(
    ("loss", "predicted"),
    [(losses.CosineSimilarity(), "numbers"), (Quantile(), "a number"), (custom, "classes")],
)
def test_other_losses_pass(loss, predicted):
    check_loss(loss, predicted)


def test_losses_of_positive_numbers_are_known():
    assert is_positive(losses.Poisson()) and is_positive(losses.mean_squared_logarithmic_error)
    assert not is_positive(losses.MeanSquaredError())


@pytest.mark.skipif("categorical_generalized_cross_entropy" not in known_losses(), reason="this Keras has no such loss")
def test_positions_of_classes_reach_keras_as_it_takes_them():
    positions, p = np.array([[0], [2]]), np.array([[0.25, 0.5, 0.25], [0.2, 0.2, 0.6]])
    loss = on_positions(losses.CategoricalGeneralizedCrossEntropy(q=0.5))
    np.testing.assert_allclose(_values(loss, positions, p), 2 * (1 - np.sqrt([0.25, 0.6])), rtol=1e-6)
    assert on_positions(losses.Hinge) is losses.Hinge


# --- in networks ------------------------------------------------------------------------------------------------------

X = np.arange(12.0)[:, None]
SETTINGS = {"head": (), "epochs": 1, "early_stopping": False, "random_state": 0, "optimizer": "sgd"}
FROZEN = {**SETTINGS, "optimizer__learning_rate": 1e-12}  # the loss of an epoch is that of the initial weights


def _loss(y, weight=None, **params):
    network = MultimodalNetworkRegressor(**{**FROZEN, "batch_size": 12, **params}).fit(X, y, sample_weight=weight)
    return network.history_["loss"][0], network.predict(X)


def test_rows_are_weighted_one_by_one_in_wrapped_losses():
    y = X[:, 0] ** 3
    weight = np.r_[np.zeros(3), np.ones(8), 40.0]
    loss, predicted = _loss(y, weight, loss="mae")
    deviation = np.sqrt(np.average((y - np.average(y, weights=weight)) ** 2, weights=weight))
    errors = np.abs(y - predicted) / deviation
    # Keras divides by the number of rows in a batch, and those of weight 0 are in none.
    assert loss == pytest.approx((errors * weight).sum() / np.count_nonzero(weight), rel=1e-4)
    assert loss > 1.2 * errors.mean()


def test_routed_parameters_reach_the_loss():
    y = X[:, 0] ** 2
    loss, predicted = _loss(y, loss="huber", loss__delta=0.01)
    errors = np.abs(y - predicted) / y.std()
    expected = np.where(errors < 0.01, errors**2 / 2, 0.01 * (errors - 0.005))
    assert loss == pytest.approx(expected.mean(), rel=1e-4)


def test_unit_of_the_target_changes_nothing_but_the_unit():
    y = np.sin(X[:, 0])
    small, large = (
        MultimodalNetworkRegressor(**{**SETTINGS, "epochs": 3}).fit(X, y * unit).predict(X) / unit for unit in (1, 1e6)
    )
    np.testing.assert_allclose(small, large, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("loss", ["hinge", losses.CategoricalHinge(), "kld", "sparse_categorical_crossentropy"])
def test_two_classes_are_learned_with_losses_of_every_kind(loss):
    y = np.where(X[:, 0] > 5, "large", "small")
    network = MultimodalNetworkClassifier(**{**SETTINGS, "epochs": 30, "optimizer__learning_rate": 0.3}, loss=loss)
    assert network.fit(X, y).score(X, y) == 1.0
    np.testing.assert_allclose(network.predict_proba(X).sum(axis=1), 1.0)
