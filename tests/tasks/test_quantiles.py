"""Quantiles, one or several per row."""

import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.metrics import d2_pinball_score
from sklearn.model_selection import cross_val_score

from skstack import MultimodalNetworkRegressor
from skstack._backend import keras
from skstack.branches import NumericBranch
from skstack.tasks._quantiles import QuantileTask, quantile_levels

LEVELS = [0.1, 0.5, 0.9]
SETTINGS = {"head": (), "batch_size": 50, "early_stopping": False, "random_state": 0}


@pytest.fixture(scope="module")
def skewed():
    """Rows whose target is exponentially distributed, twice as widely where x is 1 as where it is 0."""
    generator = np.random.default_rng(0)
    x = np.repeat([0.0, 1.0], 400)
    return x[:, np.newaxis], 1000 * (1 + x) * generator.exponential(size=800)


def _network(quantile=LEVELS, **params):
    branches = [("x", NumericBranch(hidden=()))]
    return MultimodalNetworkRegressor(branches, loss="quantile", quantile=quantile, **{**SETTINGS, **params})


def _learned(quantile=LEVELS, **params):
    """Return a network that is trained until its steps are small."""
    rate = keras.optimizers.schedules.CosineDecay(0.05, 60 * 16)
    return _network(quantile, epochs=60, optimizer=keras.optimizers.Adam(rate), **params)


# --- the levels -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("quantile", "levels"),
    [(None, (0.5,)), (0.9, (0.9,)), ([0.1, 0.9], (0.1, 0.9)), (np.array([0.25]), (0.25,)), (np.float32(0.5), (0.5,))],
)
def test_levels(quantile, levels):
    assert quantile_levels(quantile) == levels


@pytest.mark.parametrize(
    ("quantile", "error", "message"),
    [
        (0.0, ValueError, "between 0 and 1, got 0.0"),
        ([0.5, 1.0], ValueError, "between 0 and 1, got"),
        ([0.9, 0.1], ValueError, "in increasing order"),
        ([0.5, 0.5], ValueError, "in increasing order"),
        ([], TypeError, r"a number or a list of numbers, got \[\]"),
        ([[0.1, 0.9]], TypeError, "a number or a list of numbers"),
        (True, TypeError, "a number or a list of numbers"),
        (["low"], TypeError, "a number or a list of numbers"),
    ],
)
def test_other_levels_are_refused(quantile, error, message):
    with pytest.raises(error, match=message):
        quantile_levels(quantile)


# --- the task ---------------------------------------------------------------------------------------------------------


def test_a_target_of_several_columns_is_refused():
    with pytest.raises(ValueError, match="quantiles are those of one target, but y has 2 columns"):
        QuantileTask().check(np.ones((3, 2)))


@pytest.mark.parametrize(("quantile", "shape"), [(0.5, (4,)), ([0.5], (4, 1)), (LEVELS, (4, 3))])
def test_decoded_outputs_have_a_column_for_each_of_several_quantiles(quantile, shape):
    task = QuantileTask(quantile).fit(np.arange(4.0))
    assert task.decode(np.ones((4, task.n_units_), "float32")).shape == shape


def test_the_score_is_the_mean_of_d2():
    y, predicted = np.arange(5.0), np.array([[0.0, 1.0, 2.0, 2.0, 3.0], [1.0, 2.0, 2.0, 5.0, 4.0]]).T
    weight = np.arange(1.0, 6.0)
    by_hand = [d2_pinball_score(y, predicted[:, i], sample_weight=weight, alpha=(0.2, 0.8)[i]) for i in (0, 1)]
    assert QuantileTask([0.2, 0.8]).score(y, predicted, weight) == pytest.approx(np.mean(by_hand))
    assert QuantileTask(0.2).score(y, predicted[:, 0], weight) == pytest.approx(by_hand[0])


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"loss": None, "quantile": None}, {"loss": "quantile", "quantile": LEVELS}),
        ({"loss": "quantile", "quantile": None}, {"loss": "quantile", "quantile": LEVELS}),
        ({"loss": "quantile", "quantile": 0.5}, {}),
        ({"loss": "mae", "quantile": None}, {}),
    ],
)
def test_a_template_that_names_its_loss_keeps_it(given, expected):
    assert QuantileTask(LEVELS).network_params(given) == expected


def test_an_untrained_output_is_that_of_a_normal_distribution():
    y = np.random.default_rng(0).normal(50.0, 4.0, 500)
    task = QuantileTask([0.05, 0.5, 0.95]).fit(y)
    inputs = keras.Input((2,), name="x")
    model = keras.Model(inputs, task.build_output(inputs, "output"))
    task.assign_statistics(model.get_layer("output"))
    outputs = keras.ops.convert_to_numpy(model(np.zeros((1, 2), "float32")))
    assert_allclose(outputs[0], y.mean() + y.std() * np.array([-1.645, 0.0, 1.645]), rtol=1e-3)


# --- networks ---------------------------------------------------------------------------------------------------------


def test_quantiles_are_those_of_the_rows(skewed):
    X, y = skewed
    predicted = _learned().fit(X, y).predict(X)
    assert predicted.shape == (800, 3)
    for x in (0.0, 1.0):
        rows = X[:, 0] == x
        below = (y[rows, np.newaxis] <= predicted[rows]).mean(axis=0)
        assert_allclose(below, LEVELS, atol=0.04)
    assert (predicted[-1] > 1.4 * predicted[0]).all()


def test_one_quantile_is_a_plain_number_per_row(skewed):
    X, y = skewed
    network = _learned(0.9).fit(X, y)
    assert network.predict(X).shape == (800,)
    assert (y <= network.predict(X)).mean() == pytest.approx(0.9, abs=0.03)
    assert network.score(X, y) == pytest.approx(d2_pinball_score(y, network.predict(X), alpha=0.9))


def test_the_median_is_what_is_predicted_where_nothing_else_is_asked_for(skewed):
    X, y = skewed
    median, named = (_network(quantile, epochs=3).fit(X, y).predict(X) for quantile in (None, 0.5))
    assert_array_equal(median, named)


def test_quantiles_never_cross_whatever_the_weights():
    generator = np.random.default_rng(1)
    X, y = generator.normal(size=(40, 3)), 1e4 + 3 * generator.normal(size=40)
    levels = np.linspace(0.01, 0.99, 25)
    network = _network(levels.tolist()).initialize(X, y)
    for weight in network.model_.trainable_variables:
        weight.assign(generator.normal(scale=30, size=weight.shape))
    outputs = keras.ops.convert_to_numpy(network.model_(network.encode(10 * generator.normal(size=(500, 3)))))
    assert (np.diff(outputs, axis=1) >= 0).all()
    assert np.ptp(outputs) > 100


def test_the_unit_of_the_target_changes_nothing_but_the_unit(skewed):
    X, y = skewed
    one, thousand = (_network(epochs=4).fit(X, unit * y).predict(X) / unit for unit in (1, 1000))
    assert_allclose(one, thousand, rtol=1e-4)


def test_weights_count_as_rows_that_are_repeated(skewed):
    X, y = skewed
    weight = np.where(y > np.quantile(y, 0.8), 0.0, 1.0)
    network = _learned(0.9).fit(X, y, sample_weight=weight)
    kept = weight > 0
    assert (y[kept] <= network.predict(X[kept])).mean() == pytest.approx(0.9, abs=0.03)


@pytest.mark.parametrize("way", ["vectorized", "sequential"])
def test_networks_of_folds_are_those_of_a_fit_each_for_itself(skewed, way):
    X, y = skewed
    rows = [np.arange(0, 800, 2), np.arange(1, 800, 2)]
    network = _network(epochs=2, fold_training=way)
    _, *folds = clone(network).cross_fit(X, y, rows)
    for fold, training in zip(folds, rows, strict=True):
        assert_allclose(fold.predict(X), clone(network).fit(X[training], y[training]).predict(X), rtol=1e-4)


def test_networks_of_other_quantiles_do_not_share_a_program(skewed):
    X, y = skewed
    low, high, again = (_network(level, epochs=3).fit(X, y).predict(X) for level in (0.1, 0.9, 0.1))
    assert (low < high).all()
    assert_array_equal(low, again)


def test_a_network_of_quantiles_is_saved_and_scored(skewed):
    X, y = skewed
    network = _network(epochs=2).fit(X, y)
    assert_array_equal(pickle.loads(pickle.dumps(network)).predict(X), network.predict(X))
    assert network.history_["loss"][-1] > 0
    scores = cross_val_score(_network(epochs=2), X, y, cv=2)
    assert scores.shape == (2,) and np.isfinite(scores).all()


def test_its_keras_model_is_loaded_by_itself(skewed, tmp_path):
    X, y = skewed
    network = _network(epochs=1).fit(X, y)
    network.model_.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    outputs = keras.ops.convert_to_numpy(loaded(network.encode(X)))
    assert_allclose(outputs, network.predict(X), rtol=1e-6)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"loss": "mae", "quantile": 0.5}, "'quantile' is for loss='quantile', but the loss is 'mae'"),
        (
            {"quantile": 1.5},
            r"'quantile' parameter of MultimodalNetworkRegressor must be a float in the range",
        ),
        ({"quantile": [0.5, 0.1]}, "MultimodalNetworkRegressor: several values of 'quantile' should be in increasing"),
        ({"quantile": [0.5, 2]}, "MultimodalNetworkRegressor: 'quantile' should lie between 0 and 1"),
    ],
)
def test_quantiles_that_make_no_sense_are_refused_before_training(skewed, params, message):
    with pytest.raises(ValueError, match=message):
        _network(0.5).set_params(**params).fit(*skewed)


def test_the_loss_has_no_parameter_of_its_own():
    with pytest.raises(ValueError, match="loss__quantile"):
        _network(loss__quantile=0.3)


def test_tags_tell_of_one_target():
    assert not _network().__sklearn_tags__().target_tags.multi_output
    assert MultimodalNetworkRegressor().__sklearn_tags__().target_tags.multi_output
